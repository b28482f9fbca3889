"""Labels that are likely wrong: the samples around confidently have another."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ae_cluster.common.chunks import slices
from ae_cluster.graphs.neighbors import NeighborSearch

IntArray = NDArray[np.int64]
N_NEIGHBORS = 20
MOST_SEARCHED = 50_000  # samples among which neighbours are looked for


class LabelErrors(NamedTuple):
    """Samples whose label is likely wrong, the surest first.

    Attributes
    ----------
    rows : ndarray (m,)
    suggested : ndarray (m,)
        The class that the neighbours have.
    own, other : ndarray (m,)
        The probabilities of the label and of the class suggested.
    """

    rows: IntArray
    suggested: IntArray
    own: NDArray[np.float64]
    other: NDArray[np.float64]


def likely_label_errors(
    codes: NDArray[Any], labels: IntArray, n_neighbors: int = N_NEIGHBORS
) -> LabelErrors:
    """Return the samples of which codes and labels confidently disagree.

    The probability of a class for a sample is its share of the nearest labelled codes, the sample's
    own left out. As in confident learning (Northcutt, Jiang and Chuang, "Confident Learning", JAIR
    2021), a class is likely where its probability reaches the mean that it has for samples labelled
    so. A label is likely wrong where another class is likely, and has more than half of the
    neighbours. No label reached the codes, so the probabilities are of samples not learnt from.

    Parameters
    ----------
    codes : ndarray (n, n_components)
    labels : ndarray (n,)
        −1 where unknown: such samples are not looked at.
    n_neighbors : int
        At most; half as many as a class has samples, on average, where that is fewer.
    """
    rows = np.flatnonzero(labels >= 0)
    if len(rows) < 3:
        return LabelErrors(rows[:0], rows[:0], np.zeros(0), np.zeros(0))
    given = labels[rows]
    k = max(3, min(n_neighbors, len(rows) // (2 * len(np.unique(given)))))
    votes = np.sort(given[_neighbors(codes[rows], k)], axis=1)
    majority = votes[:, votes.shape[1] // 2]  # the only class that can have more than half
    own = (votes == given[:, None]).mean(axis=1)
    other = (votes == majority[:, None]).mean(axis=1)
    counts = np.maximum(np.bincount(given), 1)
    thresholds = np.bincount(given, weights=own) / counts
    is_wrong = (majority != given) & (other > 0.5) & (other >= thresholds[majority])
    found = np.flatnonzero(is_wrong)
    found = found[np.argsort(own[found] - other[found], kind="stable")]
    return LabelErrors(rows[found], majority[found], own[found], other[found])


def _neighbors(codes: NDArray[Any], k: int) -> IntArray:
    """Return the k nearest others (n, k) of each code, of many among some at random."""
    n = len(codes)
    some = np.sort(np.random.default_rng(0).permutation(n)[:MOST_SEARCHED])
    search, k = NeighborSearch(codes[some]), min(k, len(some) - 1)
    parts = []
    for part in slices(n):
        found = some[search.nearest(codes[part], k + 1)[1]]
        is_self = found == np.arange(n)[part, None]
        is_self[~is_self.any(axis=1), -1] = True  # it is not among them: the farthest goes
        parts.append(found[~is_self].reshape(-1, k))
    return np.concatenate(parts)
