"""Methods compared over many data sets: ranks, wins and losses, and how sure they are.

Scores are a table with a line per data set and a column per method, higher is better; NaN is a
method that gave nothing, which is behind all others. Source: Demšar, Statistical comparisons of
classifiers over multiple data sets, JMLR 7 (2006).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ae_cluster.reports.statistics import paired_difference

_DECIMALS = 3  # scores that read alike in a table are tied


class Friedman(NamedTuple):
    """Friedman's test of whether the methods differ at all."""

    statistic: float
    p_value: float


def ranks(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the rank of each method on each data set; 1 is the best, tied ones share the mean."""
    filled = scores.round(_DECIMALS).fillna(-math.inf)
    return filled.rank(axis=1, ascending=False, method="average")


def friedman(scores: pd.DataFrame) -> Friedman:
    """Return Friedman's χ² of the ranks, corrected for ties, and its p-value.

    NaN for fewer than three methods or two data sets.
    """
    n, k = scores.shape
    if n < 2 or k < 3:
        return Friedman(math.nan, math.nan)
    from scipy.stats import chi2

    table = ranks(scores).to_numpy()
    ties = sum(_tied(row) for row in table)
    spread = ((table.sum(axis=0) - n * (k + 1) / 2) ** 2).sum()
    scale = n * k * (k + 1) / 12 - ties / (12 * (k - 1))
    if scale == 0:
        return Friedman(0.0, 1.0)
    return Friedman(float(spread / scale), float(chi2.sf(spread / scale, k - 1)))


def _tied(row: NDArray[np.float64]) -> float:
    counts = np.unique(row, return_counts=True)[1]
    return float((counts**3 - counts).sum())


def critical_difference(n_methods: int, n_sets: int, alpha: float = 0.05) -> float:
    """Return by how much mean ranks must differ for Nemenyi's test to tell two methods apart."""
    from scipy.stats import studentized_range

    q = studentized_range.ppf(1 - alpha, n_methods, np.inf) / math.sqrt(2)
    return float(q * math.sqrt(n_methods * (n_methods + 1) / (6 * n_sets)))


def indistinct(mean_ranks: Sequence[float], distance: float) -> list[tuple[int, int]]:
    """Return the longest runs (first, last) of sorted mean ranks that lie within a distance."""
    order = np.sort(np.asarray(mean_ranks, dtype=np.float64))
    last = np.searchsorted(order, order + distance, side="right") - 1
    runs: list[tuple[int, int]] = []
    for i, j in enumerate(last.tolist()):
        if j > i and (not runs or j > runs[-1][1]):
            runs.append((i, j))
    return runs


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number by Holm's steps; NaN stays and is not counted."""
    given = np.asarray(p_values, dtype=np.float64)
    corrected = np.full(len(given), math.nan)
    known = np.flatnonzero(~np.isnan(given))
    largest = 0.0
    for i, place in enumerate(known[np.argsort(given[known], kind="stable")]):
        largest = max(largest, min(1.0, given[place] * (len(known) - i)))
        corrected[place] = largest
    return corrected.tolist()


def against(scores: pd.DataFrame, reference: str) -> pd.DataFrame:
    """Compare every method with one of them, over the data sets.

    Returns
    -------
    DataFrame with a line per other method
        ``wins``, ``losses``, ``ties`` by scores of three decimals, a method that gave nothing
        having lost; ``difference``, the median over the data sets where both gave something;
        ``worst``, the least of these; ``p``, Wilcoxon's signed-rank test on them, two-sided, by
        `holm`.
    """
    rounded = scores.round(_DECIMALS).fillna(-math.inf)
    lines = []
    for method in scores.columns.drop(reference):
        _, difference, p_value = paired_difference(scores[method], scores[reference])
        is_higher = rounded[method] > rounded[reference]
        is_lower = rounded[method] < rounded[reference]
        lines.append(
            {
                "method": method,
                "wins": int(is_higher.sum()),
                "losses": int(is_lower.sum()),
                "ties": int((~is_higher & ~is_lower).sum()),
                "difference": difference,
                "worst": float((scores[method] - scores[reference]).min()),
                "p": p_value,
            }
        )
    columns = ["method", "wins", "losses", "ties", "difference", "worst", "p"]
    table = pd.DataFrame(lines, columns=columns).set_index("method")
    return table.assign(p=holm(table["p"].tolist()))
