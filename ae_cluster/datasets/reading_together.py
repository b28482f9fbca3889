"""Data that several processes of a machine read, each a part of them: ranks that train together."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from ae_cluster.common.mapped_files import NOT_SEEN


class Readers(NamedTuple):
    """The processes that read.

    Attributes
    ----------
    n : int
    each : callable
        ``each(work, *arguments)`` lets each of them call ``work(number, n, *arguments)``, a
        function of a module, and returns what went wrong on each, "" where nothing did.
    """

    n: int
    each: Callable[..., list[str]]


_readers: list[Readers] = []  # one at most


@contextmanager
def read_by(readers: Readers) -> Iterator[None]:
    """Let these processes read, where they can write into files that others have open."""
    if Path("/proc/self/fd").exists():
        _readers.append(readers)
    try:
        yield
    finally:
        _readers.clear()


def n_readers() -> int:
    """Return how many processes read."""
    return _readers[0].n if _readers else 1


def by_all(work: Callable[..., object], *arguments: object) -> None:
    """Call ``work(part, n_parts, *arguments)`` for all parts, each on the process of its number.

    What one cannot do is done here, which raises what is wrong with the data themselves; what else
    it was is said, but of another machine, which is told when samples are sent there.
    """
    if not _readers:
        work(0, 1, *arguments)
        return
    n, each = _readers[0]
    for rank, trouble in enumerate(each(work, *arguments)):
        if trouble:
            work(rank, n, *arguments)
        if trouble and NOT_SEEN not in trouble:
            warnings.warn(
                f"Rank {rank} of {n} could not read its shards ({trouble}), and rank 0 has read "
                "them: put the data on a disk that all ranks see by the same path.",
                stacklevel=2,
            )
