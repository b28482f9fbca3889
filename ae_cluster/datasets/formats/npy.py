"""NumPy's ``.npy``: the samples alone."""

from __future__ import annotations

from pathlib import Path

from ae_cluster.common.bounded_arrays import Arrays, read_npy


def read(path: Path) -> Arrays:
    """Read the one array: the samples."""
    return {"x": read_npy(path)}
