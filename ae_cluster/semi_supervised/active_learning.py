"""Which samples to label, when only a few can be."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import ArrayLike
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.exceptions import ConvergenceWarning

from ae_cluster.common.errors import InputError
from ae_cluster.common.global_state import default_state
from ae_cluster.common.validation import FloatArray, IntArray, checked_codes
from ae_cluster.graphs.neighbors import NeighborSearch

_NEIGHBORS = 20
_MOST_EXACT = 50  # clusters; beyond, minibatches find them as well for this purpose


@default_state()
def suggest_labels(
    codes: ArrayLike, n: int, *, labelled: ArrayLike = (), seed: int = 0
) -> IntArray:
    """Return ``n`` samples worth labelling first: typical ones, far from one another.

    The codes are put into as many clusters as there will be labels. Of each of the ``n``
    largest clusters that hold no label yet, the sample with the nearest neighbours is taken:
    it stands for the most others, and is the easiest to name.

    Parameters
    ----------
    codes : array-like of shape (n_samples, n_components)
    n : from 1.
    labelled : indices of samples that have a label already.
    seed : of the clusters.

    Returns
    -------
    (n,) indices, those of the largest clusters first.

    Raises
    ------
    InputError
        When there are not as many unlabelled samples.

    Source: Hacohen, Dekel and Weinshall, "Active Learning on a Budget: Opposite Strategies Suit
    High and Low Budgets" (ICML 2022), TypiClust.

    Examples
    --------
    >>> suggest_labels([[0, 0], [0, 1], [1, 0], [9, 9], [9, 8]], 2)
    array([2, 4])
    """
    places, sparseness = _places(checked_codes(codes))
    known = np.unique(np.asarray(labelled, dtype=np.int64))
    if not 1 <= n <= len(places) - known.size:
        raise InputError(
            f"{n} samples to label cannot be suggested; ask for 1 to {len(places) - known.size}, "
            "the samples without a label."
        )
    return _suggested(places, sparseness, known, n, seed)


@default_state()
def suggest_in_rounds(codes: ArrayLike, n: int, *, first: int = 10, seed: int = 0) -> IntArray:
    """Return up to ``n`` samples worth labelling, in an order that can be left at any time.

    The first are `suggest_labels` of ``first``; each further round suggests as many as there
    are then, as if all before had been labelled.

    Parameters
    ----------
    codes : array-like of shape (n_samples, n_components)
    n : from 1; at most all samples are returned.
    first : how many the first round suggests.
    seed : of the clusters.

    Returns
    -------
    (min(n, n_samples),) indices.
    """
    places, sparseness = _places(checked_codes(codes))
    n = min(n, len(places))
    found = _suggested(places, sparseness, np.empty(0, dtype=np.int64), min(first, n), seed)
    while len(found) < n:
        more = min(len(found), n - len(found))
        found = np.concatenate([found, _suggested(places, sparseness, np.sort(found), more, seed)])
    return found


def _places(points: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return where codes lie for distances (n, d), and how far their neighbours are (n,)."""
    if len(points) < 2:
        return points, np.zeros(len(points))
    search = NeighborSearch(points)
    distances, _ = search.nearest_others(min(_NEIGHBORS, len(points) - 1))
    return search.positions, distances.mean(axis=1)


def _suggested(
    places: FloatArray, sparseness: FloatArray, known: IntArray, n: int, seed: int
) -> IntArray:
    """Return ``n`` typical samples of clusters that hold none of the known, then others."""
    cluster = _clusters(places, n + known.size, seed)
    unknown = sparseness.copy()
    unknown[known] = np.inf
    chosen = _typical(cluster, unknown, set(cluster[known].tolist()), n)
    rest = np.setdiff1d(np.argsort(unknown, kind="stable"), [*chosen, *known])
    return np.concatenate([chosen, rest[: n - len(chosen)]]).astype(np.int64)


def _clusters(places: FloatArray, k: int, seed: int) -> IntArray:
    distinct = len(np.unique(places, axis=0))
    how = KMeans if k <= _MOST_EXACT else MiniBatchKMeans
    with warnings.catch_warnings():  # places that are nearly the same make fewer clusters
        warnings.simplefilter("ignore", ConvergenceWarning)
        found: IntArray = how(min(k, distinct), n_init=3, random_state=seed).fit_predict(places)
    return found.astype(np.int64)


def _typical(cluster: IntArray, sparseness: FloatArray, taken: set[int], n: int) -> list[int]:
    """Return the densest sample of each of the ``n`` largest clusters that are not taken."""
    sizes = np.bincount(cluster)
    free = [c for c in np.argsort(-sizes, kind="stable").tolist() if c not in taken and sizes[c]]
    members = (np.flatnonzero(cluster == c) for c in free[:n])
    return [int(inside[sparseness[inside].argmin()]) for inside in members]
