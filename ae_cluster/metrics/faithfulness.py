"""How faithful codes are as a picture of their samples: whether neighbours stay neighbours."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ae_cluster.common.chunks import slices
from ae_cluster.common.errors import InputError
from ae_cluster.common.global_state import default_state
from ae_cluster.common.validation import IntArray, check_same_length, checked_codes

SAMPLE_SIZE = 2000  # the cost is quadratic: a quarter of a second for codes of so many
N_NEIGHBORS = 15
NAMES = "trustworthiness", "continuity", "neighbor_recall"
_CHUNK = 256  # samples compared at a time
Floats = NDArray[np.float64]


def evaluation_sample(n: int, sample_size: int = SAMPLE_SIZE, random_state: int = 0) -> IntArray:
    """Return which of n samples are looked at: all, or so many at random; indices rise."""
    if n <= sample_size:
        return np.arange(n)
    return np.sort(np.random.default_rng(random_state).permutation(n)[:sample_size])


class Neighborhoods:
    """Which samples are near which, so that codes of them can be scored, one set after another.

    Parameters
    ----------
    samples : array-like of shape (n, n_features)
        As the method that made the codes saw them; all are compared with all.
    n_neighbors : int
        Fewer where n is small: trustworthiness is defined for less than half of the samples.
    """

    def __init__(self, samples: ArrayLike, n_neighbors: int = N_NEIGHBORS) -> None:
        points = checked_codes(samples, "samples")
        self._k = min(n_neighbors, (len(points) - 1) // 2)
        self._samples = points
        self._squared, self._nearest = _neighbors(points, self._k)

    def scores(self, codes: ArrayLike) -> dict[str, float]:
        """Return trustworthiness, continuity and neighbour recall of codes (n, n_components).

        NaN for fewer than three samples. See `faithfulness`.
        """
        points = checked_codes(codes)
        check_same_length(self._samples, points, ("samples", "codes"))
        if self._k < 1:
            return dict.fromkeys(NAMES, float("nan"))
        squared, nearest = _neighbors(points, self._k)
        both = _is_among(nearest, len(points)) & _is_among(self._nearest, len(points))
        return {
            "trustworthiness": _kept_near(self._squared, nearest),
            "continuity": _kept_near(squared, self._nearest),
            "neighbor_recall": float(both.sum() / nearest.size),
        }


@default_state()
def faithfulness(
    samples: ArrayLike,
    codes: ArrayLike,
    n_neighbors: int = N_NEIGHBORS,
    *,
    sample_size: int = SAMPLE_SIZE,
    random_state: int = 0,
) -> dict[str, float]:
    """Score how far neighbours among samples are neighbours among their codes.

    Parameters
    ----------
    samples : array-like of shape (n, n_features)
        As the method that made the codes saw them: images in [0, 1], a table scaled.
    codes : array-like of shape (n, n_components)
    n_neighbors : of each sample
    sample_size : at most so many samples are taken, and neighbours are looked for among these.
    random_state : the seed of that sample.

    Returns
    -------
    ``trustworthiness`` (1: what is near in the codes is near in the samples; each intruder costs
    as many places as it is too far away), ``continuity`` (1: what is near in the samples is near
    in the codes), both as in Venna and Kaski (Neural Networks 2006), about 0.5 by chance;
    ``neighbor_recall``: the mean share of a sample's nearest that are among its nearest in the
    codes, about n_neighbors / n by chance.
    """
    if n_neighbors < 1:
        raise InputError(f"n_neighbors is {n_neighbors}; give at least 1.")
    every, points = checked_codes(samples, "samples"), checked_codes(codes)
    check_same_length(every, points, ("samples", "codes"))
    some = evaluation_sample(len(every), sample_size, random_state)
    return Neighborhoods(every[some], n_neighbors).scores(points[some])


def _neighbors(points: NDArray[Any], k: int) -> tuple[Floats, IntArray]:
    """Return squared distances (n, n), infinite to oneself, and the k nearest others (n, k)."""
    centered = points - points.mean(axis=0, dtype=np.float64)
    squares = np.square(centered).sum(axis=1)
    squared = squares[:, None] + squares - 2 * (centered @ centered.T)
    np.fill_diagonal(squared, np.inf)
    return squared, np.argpartition(squared, max(k - 1, 0), axis=1)[:, :k]


def _is_among(nearest: IntArray, n: int) -> NDArray[np.bool_]:
    found = np.zeros((n, n), dtype=bool)
    np.put_along_axis(found, nearest, True, axis=1)
    return found


def _kept_near(squared: Floats, nearest: IntArray) -> float:
    """Return 1 less how far, in ranks by these distances, what is called nearest lies beyond."""
    n, k = nearest.shape
    beyond = 0
    for part in slices(n, _CHUNK):
        distances = np.take_along_axis(squared[part], nearest[part], axis=1)
        for column in distances.T:
            ranks = 1 + np.count_nonzero(squared[part] < column[:, None], axis=1)
            beyond += int(np.maximum(ranks - k, 0).sum())
    return float(1 - 2 * beyond / (n * k * (2 * n - 3 * k - 1)))
