"""Tables of text, their columns separated by commas, semicolons, tabs or |."""

from __future__ import annotations

from ae_cluster.datasets.text_tables import open_csv as open_table

__all__ = ["open_table"]
