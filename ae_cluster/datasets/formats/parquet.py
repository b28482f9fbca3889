"""Parquet: tables that are stored by columns, in one file or in shards."""

from __future__ import annotations

from pathlib import Path

from ae_cluster.datasets.arrow_files import open_parquet
from ae_cluster.datasets.shards import ShardedTable, is_sharded
from ae_cluster.datasets.table_files import TableFile


def open_table(path: Path) -> TableFile:
    """Open a file, or a folder of such."""
    return ShardedTable(path) if is_sharded(path) else open_parquet(path)
