"""Commands in forks of one process that has loaded everything: killed, or short of disk space.

A line of JSON on standard input is a command: ``argv``, ``cwd``, and of what is
to befall it ``kill_at`` (SIGKILL before the n-th time that it touches a file
below ``cwd``), ``sigint_at`` (likewise), ``most_bytes`` (no file may get larger,
as if the disk were full), ``uid`` (whose process it is). A line on standard
output is its end: ``status`` and ``said``.
"""

import json
import os
import resource
import signal
import sys
import tempfile
from importlib import import_module
from pathlib import Path

from ae_cluster.cli.commands import COMMANDS, module_of
from ae_cluster.cli.main import main
from ae_cluster.common.global_state import default_state

_TOUCH = {"os.rename", "os.remove", "os.rmdir", "os.mkdir"}
_WRITE = os.O_WRONLY | os.O_RDWR


def _strike_at(n, number, cwd):
    """Send this process a signal before the n-th change of a file below ``cwd``."""
    left = n

    def hook(event, args):
        nonlocal left
        if event == "open" and isinstance(args[2], int) and not args[2] & _WRITE:
            return
        if event not in _TOUCH and event != "open":
            return
        place = args[0]
        if isinstance(place, bytes | str | os.PathLike):
            place = os.path.abspath(os.fsdecode(place))  # noqa: PTH100 (in the midst of anything)
            if place.startswith(cwd):
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), number)

    sys.addaudithook(hook)


def _command(job, said):
    os.dup2(said, 1)
    os.dup2(said, 2)
    os.chdir(job["cwd"])
    if n := job.get("most_bytes"):
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (n, n))
    if uid := job.get("uid"):
        os.setgid(uid)
        os.setuid(uid)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for name, number in (("kill_at", signal.SIGKILL), ("sigint_at", signal.SIGINT)):
        if n := job.get(name):
            _strike_at(n, number, job["cwd"])
    try:
        return main(job["argv"])
    except SystemExit as end:
        return end.code
    except BaseException:
        import traceback

        traceback.print_exc()
        return 99


def serve():
    """Carry out commands until there are no more."""
    "".encode("utf-8-sig")  # loads it: another user may not be let to the file
    for name in (
        *(f"cli.{module_of(name)}" for name in COMMANDS),
        "runs.run",
        "runs.classify",
        "runs.label",
    ):
        import_module(f"ae_cluster.{name}")
    with default_state():  # torch loads parts of itself only when they are first used
        pass

    for line in sys.stdin:
        job = json.loads(line)
        with tempfile.NamedTemporaryFile() as said:
            child = os.fork()
            if not child:
                code = 98
                try:
                    code = _command(job, said.fileno())
                    sys.stdout.flush()
                    sys.stderr.flush()
                finally:
                    os._exit(code)
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            text = Path(said.name).read_text(errors="replace")
        print(json.dumps({"status": status, "said": text}), flush=True)


if __name__ == "__main__":
    serve()
