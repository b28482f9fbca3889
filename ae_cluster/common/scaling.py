"""How a table's columns become numbers of like size, and back. Images are not scaled by this."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ae_cluster.common.errors import InputError
from ae_cluster.common.table_options import LOG, NONE, ROBUST, STANDARD

QUARTILES = (25, 50, 75)
Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class ColumnScaling:
    """What was learnt of a table's training rows.

    Attributes
    ----------
    kind : str
        Of `table_options.SCALINGS`.
    why : str
        Why it is this one, in a sentence.
    mean, scale : ndarray (n_features,)
        Taken off, then divided by; of ``log``, after the logarithm.
    """

    kind: str
    why: str
    mean: Array
    scale: Array

    def __call__(self, rows: Array) -> Array:
        """Return rows (n, n_features) scaled, in the type of floats that they have."""
        dtype = rows.dtype if rows.dtype.kind == "f" else np.dtype(np.float64)
        x = rows.astype(dtype)  # a copy
        if self.kind == LOG:
            x = log1p_with_sign(x)
        x -= self.mean.astype(dtype)
        x /= self.scale.astype(dtype)
        return x

    def undo(self, scaled: Array) -> Array:
        """Return rows (n, n_features) in their own units, as float64."""
        x = scaled.astype(np.float64) * self.scale + self.mean
        return np.sign(x) * np.expm1(np.abs(x)) if self.kind == LOG else x


def log1p_with_sign(x: Array) -> Array:
    """Return log(1 + x) of what is not negative; new samples may be, and mirror it."""
    return np.asarray(np.sign(x) * np.log1p(np.abs(x)))


def fit_scaling(rows: Array, scaling: str) -> ColumnScaling:
    """Return how the columns of rows (n, n_features) are scaled.

    Constant columns are divided by 1, and so are robustly those of no spread at all; where only
    the quartiles are alike, the standard deviation takes the place of their range.

    Raises
    ------
    InputError
        For ``log`` where a number is negative.
    """
    from sklearn.preprocessing import StandardScaler  # loads slowly

    with np.errstate(over="ignore", invalid="ignore"):  # who uses it says so
        x = log1p_with_sign(_counts(rows)) if scaling == LOG else rows
        fitted = StandardScaler().fit(x)
        mean, scale = fitted.mean_, fitted.scale_
        if scaling == ROBUST:
            low, mean, high = _quartiles(rows)
            scale = np.where(high > low, high - low, scale)
        elif scaling != STANDARD:
            varies = scale == np.sqrt(fitted.var_)  # 1 where a column is constant
            spread = np.sqrt(fitted.var_[varies].mean()) if varies.any() else 1.0
            scale = np.where(np.isfinite(scale), spread, np.nan)
    return ColumnScaling(scaling, f"{scaling} is asked for", mean, scale)


def _counts(rows: Array) -> Array:
    if rows.min() >= 0:
        return rows.astype(np.float64)
    row, column = np.argwhere(rows < 0)[0]
    raise InputError(
        f"scaling={LOG!r} takes no negative number, and sample {row} has "
        f"{rows[row, column]:g} in column {column}; take {STANDARD!r} or {NONE!r}."
    )


def _quartiles(rows: Array) -> Array:
    """Return (3, n_features), a column at a time: a sorted copy of all is large."""
    found = [np.percentile(column.astype(np.float64), QUARTILES) for column in rows.T]
    return np.array(found).T
