"""How much memory this machine has, how much is free, and how much a process took at most."""

from __future__ import annotations

import math
import os
import re
import sys
from contextlib import suppress
from pathlib import Path


def total_memory() -> float:
    """Return the bytes of the whole memory, infinity where the system does not tell."""
    try:
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, ValueError, OSError):
        return math.inf


def free_memory() -> float:
    """Return the bytes that a process can still have, limits of a container included; or NaN."""
    found = []
    with suppress(OSError, ValueError):  # another system, or no limit
        lines = Path("/proc/meminfo").read_text(encoding="ascii")
        if match := re.search(r"^MemAvailable:\s+(\d+) kB", lines, re.MULTILINE):
            found.append(float(match[1]) * 1024)
        group = Path("/sys/fs/cgroup")
        limit, used = ((group / f"memory.{name}").read_text("ascii") for name in ("max", "current"))
        found.append(float(int(limit) - int(used)))
    return min(found, default=math.nan)


def peak_mb() -> float:
    """Return the largest resident memory of this process so far, in megabytes (10⁶ bytes)."""
    with suppress(OSError):  # `getrusage` counts what started this process as well
        status = Path("/proc/self/status").read_text(encoding="utf-8", errors="replace")
        if match := re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE):
            return int(match[1]) * 1024 / 1e6
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
