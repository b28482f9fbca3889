"""Values of a table that cannot be used: counted by column, and told of at once."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ae_cluster.common.errors import InputError
from ae_cluster.common.table_options import listed
from ae_cluster.common.texts import quoted

LARGEST = float(np.finfo(np.float32).max)


class Unusable:
    """Counts the values that cannot be used, of all columns, to tell of them at once."""

    def __init__(self) -> None:
        self.missing: dict[str, int] = {}
        self.infinite: dict[str, int] = {}
        self.large: dict[str, int] = {}

    def without(
        self, name: str, values: NDArray[np.float64], median: float | None
    ) -> NDArray[np.float64]:
        """Return a column with its missing values filled; what cannot be used is counted."""
        if not len(values):
            return values
        low, high = float(values.min()), float(values.max())
        if math.isnan(low):
            empty = np.isnan(values)
            if median is None:
                _add(self.missing, name, int(empty.sum()))
            values = np.where(empty, median or 0.0, values)
            low, high = float(values.min()), float(values.max())
        if not -LARGEST <= low <= high <= LARGEST:
            infinite = int(np.isinf(values).sum())
            _add(self.infinite if infinite else self.large, name, infinite or 1)
            return np.zeros_like(values)
        return values

    def refuse(self) -> None:
        """Raise where there were any.

        Raises
        ------
        InputError
        """
        if self.missing:
            raise InputError(
                f"values are missing: {_counted(self.missing)}: fill them in by --impute median, "
                "or leave the columns out with --drop."
            )
        if self.infinite:
            raise InputError(
                f"values are infinite: {_counted(self.infinite)}: leave them empty and say "
                "--impute median, or leave the columns out with --drop."
            )
        if self.large:
            raise InputError(
                f"values are too large for float32 in {listed(list(self.large))}: rescale the "
                "columns, or leave them out with --drop."
            )


def _counted(counts: dict[str, int]) -> str:
    most = sorted(counts, key=lambda name: -counts[name])
    told = listed([f"{counts[name]:,} in {quoted(name, 40)}" for name in most])
    if len(counts) == 1:
        return told
    return f"{sum(counts.values()):,} in {len(counts):,} columns ({told})"


def _add(counts: dict[str, int], name: str, n: int) -> None:
    counts[name] = counts.get(name, 0) + n
