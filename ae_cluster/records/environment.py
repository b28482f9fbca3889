"""Where a run was made: versions and cores."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version

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
