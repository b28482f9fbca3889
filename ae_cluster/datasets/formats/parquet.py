"""Parquet: tables that are stored by columns."""

from __future__ import annotations

from ae_cluster.datasets.arrow_files import open_parquet as open_table

__all__ = ["open_table"]
