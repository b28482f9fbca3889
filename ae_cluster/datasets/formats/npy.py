"""NumPy's ``.npy``: the samples alone, in one file or in shards."""

from __future__ import annotations

from pathlib import Path

from ae_cluster.common.bounded_arrays import Arrays, read_npy
from ae_cluster.datasets.shards import ShardedRows, is_sharded


def read(path: Path) -> Arrays:
    """Read the one array of a file, or of a folder of such: the samples."""
    return {"x": ShardedRows(path).read() if is_sharded(path) else read_npy(path)}
