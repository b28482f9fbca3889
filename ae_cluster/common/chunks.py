"""Arrays a part at a time, so that what a part takes does not grow with the number of samples."""

from __future__ import annotations

from collections.abc import Iterator

CHUNK_ROWS = 4096  # large enough for the cores, small beside any data


def slices(n: int, size: int = CHUNK_ROWS) -> Iterator[slice]:
    """Yield slices of at most ``size`` that cover 0 … n − 1 in order.

    >>> list(slices(5, 2))
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    for start in range(0, n, size):
        yield slice(start, min(start + size, n))


def part_of(n: int, i: int, n_parts: int) -> slice:
    """Return which of n rows are the i-th of so many parts, as equal as they can be.

    >>> [part_of(5, i, 2) for i in range(2)]
    [slice(0, 2, None), slice(2, 5, None)]
    """
    return slice(n * i // n_parts, n * (i + 1) // n_parts)
