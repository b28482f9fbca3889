"""What a process beside a run is asked to do in tests; it loads next to nothing."""

import os
import signal
import sys
import time
import warnings


def told(path, then="", main=0):
    """Write which process does it, and end as is asked for."""
    path.write_text(str(os.getpid()))
    if then == "loaded":
        path.write_text(" ".join([str(os.getpid()), *sys.modules]))
    if then == "warn":
        warnings.warn("this is odd", RuntimeWarning, stacklevel=1)
    if then == "refuse":
        raise ValueError("this cannot be")
    if then == "die" and os.getpid() != main:
        os.kill(os.getpid(), signal.SIGKILL)
    if then == "sleep":
        time.sleep(60)
    return 42
