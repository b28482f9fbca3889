"""The formats of data files: a module each, named after the ending of its files.

It has either ``read``, from a path to named arrays (``x``, ``y``, ``ids``, or the same with
``_train`` and ``_test``), or ``open_table``, from a path to a `TableFile` (`table_files.py`).
Which there are, `ae_cluster.common.feature_files` finds without importing one.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

__all__ = ["format_of", "is_table"]


def format_of(ending: str) -> ModuleType:
    """Return the module that reads files of this ending, as ".csv"."""
    return import_module(f"{__name__}{ending}")


def is_table(ending: str) -> bool:
    """Return whether files of this ending hold a table, and not named arrays."""
    return hasattr(format_of(ending), "open_table")
