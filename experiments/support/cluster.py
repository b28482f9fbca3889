"""A grid's work on a dask cluster: where workers compute, and with which data.

A worker writes the arrays that cells share; rows go back to the process that asked, which alone
writes them, since SQLite is not safe on a network's disk.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from ae_cluster.common import workers
from ae_cluster.common.errors import InputError

CODE = ("ae_cluster", "experiments")


def here(store: Path) -> workers.Here:
    """Return where this process computes."""
    return workers.here(store, code=CODE)


def refuse_other_data(name: str, wanted: str, fingerprint_of: Callable[[str], str]) -> None:
    """Raise where this worker's data of a name are not those that are asked for.

    A worker outlives grids: what it has read for an earlier one is read anew if it is not that.

    Raises
    ------
    InputError
    """
    me = workers.this_worker()
    try:
        if fingerprint_of(name) != wanted:
            _forget_what_was_read()
        same = fingerprint_of(name) == wanted
    except (InputError, OSError) as error:
        raise InputError(f"{me} cannot read {name}: {error}") from error
    if not same:
        raise InputError(f"{me} has other data of {name}: give all machines the same files.")


def _forget_what_was_read() -> None:
    for name, module in [*sys.modules.items()]:
        if name.startswith("experiments.") and name != __name__:
            for cached in [*vars(module).values()]:
                if hasattr(cached, "cache_clear"):
                    cached.cache_clear()
