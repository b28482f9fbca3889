"""Tables of text, their columns separated by tabs."""

from __future__ import annotations

from ae_cluster.datasets.text_tables import open_tsv as open_table

__all__ = ["open_table"]
