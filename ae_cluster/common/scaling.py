"""How a table's columns become numbers of like size, and back. Images are not scaled by this.

Standardising each column is right where columns have units of their own, and wrong where they
share one: then it makes as much of columns that hardly vary as of those that tell most. ``auto``
tells from the training rows alone, by `chosen`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ae_cluster.common.chunks import slices
from ae_cluster.common.errors import InputError
from ae_cluster.common.table_options import AUTO, LOG, NONE, ROBUST, STANDARD

QUARTILES = (25, 50, 75)
ALIKE = 0.5  # of the columns: more with the same bounds share a unit
LARGE = 2**24  # numbers, of which no copy is made
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
    with np.errstate(over="ignore", invalid="ignore"):  # who uses it says so
        mean, variance, scale = _standard(rows)
        kind, why = scaling, "it is asked for"
        if scaling == AUTO:
            kind, why = chosen(rows, variance)
        if kind == LOG:
            _check_counts(rows)
            mean, variance, scale = _standard(rows, _log1p)
        if kind == ROBUST:
            low, mean, high = _quartiles(rows)
            scale = np.where(high > low, high - low, scale)
        elif kind != STANDARD:
            varies = scale == np.sqrt(variance)  # 1 where a column is constant
            spread = np.sqrt(variance[varies].mean()) if varies.any() else 1.0
            scale = np.where(np.isfinite(scale), spread, np.nan)
    return ColumnScaling(kind, why, mean, scale)


def _standard(
    rows: Array, turned: Callable[[Array], Array] = np.asarray
) -> tuple[Array, Array, Array]:
    """Return mean, variance and scale of each column, as `StandardScaler` computes them.

    Of many rows a part at a time, to the same bits: it adds one row after the other, too.
    """
    if rows.size > LARGE and rows.flags.c_contiguous and rows.shape[1] > 1:
        n = len(rows)
        parts = [rows[part] for part in slices(n)]
        total = _sum(turned(part) for part in parts)
        middle = total / n
        beside = _sum(turned(part) - middle for part in parts)
        squares = _sum((turned(part) - middle) ** 2 for part in parts)
        variance = (squares - beside**2 / n) / n
        epsilon = np.finfo(np.float64).eps
        is_constant = variance <= n * epsilon * variance + (n * middle * epsilon) ** 2
        return middle, variance, np.where(is_constant, 1.0, np.sqrt(variance))
    from sklearn.preprocessing import StandardScaler  # loads slowly

    fitted = StandardScaler().fit(turned(rows))
    return fitted.mean_, fitted.var_, fitted.scale_


def _sum(parts: Iterable[Array]) -> Array:
    """Return the sums (n_features,) of all rows of parts, added in their order."""
    total = None
    for part in parts:
        rows = part if total is None else np.concatenate([total[None], part])
        total = rows.sum(axis=0, dtype=np.float64)
    return np.asarray(total)


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
    parts = [rows[part] for part in slices(len(rows))]
    n_zeros = sum(np.count_nonzero(part == 0) for part in parts)
    if n_zeros / rows.size < ZEROS or any((part != np.floor(part)).any() for part in parts):
        return False
    variances = _standard(rows, _log1p)[1]
    return evenness(variances[variances > 0]) >= EVEN


def _log1p(rows: Array) -> Array:
    return log1p_with_sign(rows.astype(np.float64))


def _check_counts(rows: Array) -> None:
    if rows.min() >= 0:
        return
    row, column = np.argwhere(rows < 0)[0]
    raise InputError(
        f"scaling={LOG!r} takes no negative number, and sample {row} has "
        f"{rows[row, column]:g} in column {column}; take {STANDARD!r} or {NONE!r}."
    )


def _quartiles(rows: Array) -> Array:
    """Return (3, n_features), a column at a time: a sorted copy of all is large."""
    found = [np.percentile(column.astype(np.float64), QUARTILES) for column in rows.T]
    return np.array(found).T
