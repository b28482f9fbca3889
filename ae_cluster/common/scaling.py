"""How a table's columns become numbers of like size, and back. Images are not scaled by this.

Standardising each column is right where columns have units of their own, and wrong where they
share one: then it makes as much of columns that hardly vary as of those that tell most. ``auto``
tells from the training rows alone, by `chosen`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ae_cluster.common.errors import InputError
from ae_cluster.common.table_options import AUTO, LOG, NONE, ROBUST, STANDARD

QUARTILES = (25, 50, 75)
ALIKE = 0.5  # of the columns: more with the same bounds share a unit
ZEROS = 0.5  # of all numbers: counts have so many at least
EVEN = 0.25  # `evenness`: wine .003, breast cancer .03; iris .33, log counts of cells .48, pens .8
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
    """Return how the columns of rows (n, n_features) are scaled, as one of `ASKED` says.

    Constant columns are divided by 1, and so are robustly those of no spread at all; where only
    the quartiles are alike, the standard deviation takes the place of their range.

    Raises
    ------
    InputError
        For ``log`` where a number is negative.
    """
    from sklearn.preprocessing import StandardScaler  # loads slowly

    with np.errstate(over="ignore", invalid="ignore"):  # who uses it says so
        fitted = StandardScaler().fit(rows)
        kind, why = scaling, "it is asked for"
        if scaling == AUTO:
            kind, why = chosen(rows, fitted.var_)
        if kind == LOG:
            fitted.fit(log1p_with_sign(_counts(rows)))
        mean, scale = fitted.mean_, fitted.scale_
        if kind == ROBUST:
            low, mean, high = _quartiles(rows)
            scale = np.where(high > low, high - low, scale)
        elif kind != STANDARD:
            varies = scale == np.sqrt(fitted.var_)  # 1 where a column is constant
            spread = np.sqrt(fitted.var_[varies].mean()) if varies.any() else 1.0
            scale = np.where(np.isfinite(scale), spread, np.nan)
    return ColumnScaling(kind, why, mean, scale)


def chosen(rows: Array, variances: Array) -> tuple[str, str]:
    """Return the scaling of rows (n, n_features) for which none is named, and why, in words.

    Columns share a unit if most have the same bounds, or if their variance is spread over many
    of them: then ``none``. Counts whose logarithms do so: ``log``. Else ``standard``.
    """
    low, high = rows.min(axis=0), rows.max(axis=0)
    varies = high > low
    if not varies.any():
        return STANDARD, "no column varies"
    least, most = low[varies].min(), high[varies].max()
    alike = ((low == least) & (high == most))[varies].mean()
    if alike > ALIKE:
        return NONE, (
            f"{alike:.0%} of the columns reach from {least:g} to {most:g}, so they share a unit"
        )
    if not low.any() and _are_counts(rows):
        return LOG, "they are counts: whole numbers from 0 up, half of them or more 0"
    share = evenness(variances[varies])
    if share >= EVEN:
        return NONE, f"{_spread(share)}, so they seem to share a unit"
    return STANDARD, f"{_spread(share)}, so they seem to have units of their own"


def _spread(share: float) -> str:
    return f"the columns' variance is spread as if over {share:.0%} of them, evenly"


def evenness(variances: Array) -> float:
    """Return over which share of the columns the variance is spread: 1 where evenly over all.

    0 where one column has it all; from the number of equal columns that would have as large a sum
    of squared shares.
    """
    if len(variances) == 1:
        return 1.0
    effective = variances.sum() ** 2 / np.square(variances).sum()
    return float((effective - 1) / (len(variances) - 1))


def _are_counts(rows: Array) -> bool:
    """Return whether rows of columns from 0 up are counts whose logarithms spread alike."""
    if (rows == 0).mean() < ZEROS or not np.array_equal(rows, np.floor(rows)):
        return False
    variances = np.log1p(rows.astype(np.float64)).var(axis=0)
    return evenness(variances[variances > 0]) >= EVEN


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
