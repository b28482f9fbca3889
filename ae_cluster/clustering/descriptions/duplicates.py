"""Samples that are the same, or nearly so."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ae_cluster.graphs.neighbors import NeighborSearch

IntArray = NDArray[np.int64]
CLOSE = 0.01  # quantile of the distances to the nearest other sample
MOST_SEARCHED = 20_000  # samples among which near-duplicates are looked for


class Duplicates(NamedTuple):
    """Pairs of samples, exact duplicates first, then by distance.

    Attributes
    ----------
    first, second : ndarray (m,)
        Rows; of equal ones, the first is the earliest.
    distance : ndarray (m,)
    usual : float
        The median distance of a sample to its nearest other.
    n_exact : int
        How many pairs are exact; these are at the beginning.
    n_searched : int
        Among how many samples near-duplicates were looked for.
    """

    first: IntArray
    second: IntArray
    distance: NDArray[np.float64]
    usual: float
    n_exact: int
    n_searched: int


def near_duplicates(rows: NDArray[Any], *, is_table: bool, most: int = MOST_SEARCHED) -> Duplicates:
    """Return the pairs of samples that are equal, or closer than nearly all nearest ones are.

    Close is a sample to its nearest other when their distance is below the 1 % quantile of such
    distances. These are Euclidean: of images between pixels, of a table after each column was
    divided by its standard deviation. Of more than ``most`` samples so many are drawn at random
    to look for close ones; equal ones are looked for among all.

    Parameters
    ----------
    rows : ndarray (n, n_features)
    is_table : bool
    most : int
    """
    plain = np.ascontiguousarray(rows + 0.0 if rows.dtype.kind == "f" else rows)  # no −0
    keys = plain.view(np.dtype((np.void, plain.dtype.itemsize * plain.shape[1]))).ravel()
    _, earliest, group = np.unique(keys, return_index=True, return_inverse=True)
    is_later = np.ones(len(rows), dtype=bool)
    is_later[earliest] = False
    later = np.flatnonzero(is_later)
    close = _close(plain, np.sort(earliest), is_table, most)
    return Duplicates(
        np.concatenate([earliest[group[later]], close.first]),
        np.concatenate([later, close.second]),
        np.concatenate([np.zeros(len(later)), close.distance]),
        close.usual,
        len(later),
        close.n_searched,
    )


def _close(rows: NDArray[Any], distinct: IntArray, is_table: bool, most: int) -> Duplicates:
    """Return the close pairs among rows of which no two are equal."""
    some = distinct[np.sort(np.random.default_rng(0).permutation(len(distinct))[:most])]
    if len(some) < 3:
        return Duplicates(some[:0], some[:0], np.zeros(0), float("nan"), 0, len(some))
    points = _scaled(rows[some], is_table)
    nearest = NeighborSearch(points, is_exact=False).nearest_others(1)[1][:, 0]
    here = np.arange(len(some))
    distances = np.linalg.norm(points - points[nearest], axis=1).astype(np.float64)
    pairs = np.sort(np.stack([here, nearest], axis=1), axis=1)
    _, once = np.unique(pairs, axis=0, return_index=True)
    once = once[distances[once] < np.quantile(distances, CLOSE)]
    once = once[np.argsort(distances[once], kind="stable")]
    first, second = some[pairs[once]].T
    usual = float(np.median(distances))
    return Duplicates(first, second, distances[once], usual, 0, len(some))


def _scaled(rows: NDArray[Any], is_table: bool) -> NDArray[np.float32]:
    """Return rows as their distances are taken."""
    points = rows.astype(np.float32)
    if is_table:
        center, scale = points.mean(axis=0, dtype=np.float64), points.std(axis=0, dtype=np.float64)
        points = ((points - center) / np.where(scale > 0, scale, 1)).astype(np.float32)
    elif rows.dtype == np.uint8:
        points /= 255
    return points
