"""Where a run was made: versions, cores, peak memory."""

from __future__ import annotations

import math
import os
import platform
import sys
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("numpy", "pandas", "scikit-learn", "scipy", "torch", "torchvision")


def versions() -> dict[str, str]:
    """Return the version of Python, of this package and of what its numbers depend on."""
    found = {name: version(name) for name in ("ae-cluster", *PACKAGES)}
    return {"python": platform.python_version(), **found}


def machine() -> dict[str, str | int | None]:
    """Return the kind of machine, without anything that names it."""
    return {
        "system": platform.system(),
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
    }


def peak_mb() -> float:
    """Return the largest resident memory of this process so far, in megabytes (10⁶ bytes)."""
    with suppress(OSError, StopIteration):  # `getrusage` counts what started this process as well
        lines = Path("/proc/self/status").read_text(encoding="utf-8", errors="replace").splitlines()
        peak = next(line for line in lines if line.startswith("VmHWM:"))
        return int(peak.split()[1]) * 1024 / 1e6
    try:
        import resource
    except ImportError:  # Windows does not tell
        return math.nan
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest / 1e6 if sys.platform == "darwin" else largest * 1024 / 1e6


def forget_peak() -> None:
    """Let `peak_mb` begin anew where the system can, for several runs by one process."""
    with suppress(OSError):  # Linux alone has it, and not everywhere
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
