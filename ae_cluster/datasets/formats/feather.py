"""Feather: Arrow's own files."""

from __future__ import annotations

from ae_cluster.datasets.arrow_files import open_feather as open_table

__all__ = ["open_table"]
