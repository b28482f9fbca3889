"""NumPy's ``.npy``: the samples alone, in one file or in shards."""

from __future__ import annotations

from pathlib import Path

from ae_cluster.common.bounded_arrays import Arrays, map_npy, read_npy
from ae_cluster.datasets.room import is_large
from ae_cluster.datasets.shards import ShardedRows, is_sharded


def read(path: Path) -> Arrays:
    """Read the one array of a file, or of a folder of such: the samples."""
    if is_sharded(path):
        return {"x": ShardedRows(path).read()}
    return {"x": map_npy(path) if is_large(path.stat().st_size) else read_npy(path)}
