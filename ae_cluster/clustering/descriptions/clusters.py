"""Of every cluster its typical, borderline and outlying samples, its neighbours and its classes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ae_cluster.graphs.neighbors import squared_distances
from ae_cluster.metrics.clustering import NOISE

IntArray = NDArray[np.int64]
N_SHOWN = 5  # samples, neighbours, columns of a cluster
_NONE = np.empty(0, dtype=np.int64)


class Described(NamedTuple):
    """A cluster of n samples; those named are rows of the arrays it was found in.

    Attributes
    ----------
    cluster : int
        −1 is noise, which has no center, so no typical or borderline samples and no neighbours.
    size : int
    typical : ndarray
        Those nearest to the mean code of the cluster, nearest first.
    borderline : ndarray
        Those that the method is least sure of, least sure first.
    outliers : ndarray
        Those farthest out, farthest first.
    nearest : list of (int, float)
        The nearest other clusters, and the distances between the mean codes.
    classes : list of (int, int)
        The classes of its samples with a label, the most frequent first, and how many of each.
    """

    cluster: int
    size: int
    typical: IntArray
    borderline: IntArray
    outliers: IntArray
    nearest: list[tuple[int, float]]
    classes: list[tuple[int, int]]

    @property
    def purity(self) -> float:
        """The share that the most frequent class has of the samples with a label; NaN of none."""
        total = sum(n for _, n in self.classes)
        return self.classes[0][1] / total if total else float("nan")


def describe_clusters(
    codes: NDArray[Any],
    clusters: IntArray,
    *,
    sure: NDArray[Any] | None = None,
    shares: NDArray[Any] | None = None,
    labels: IntArray | None = None,
    n_shown: int = N_SHOWN,
) -> list[Described]:
    """Describe every cluster that has a sample, noise first.

    Parameters
    ----------
    codes : ndarray (n, n_components)
    clusters : ndarray (n,)
    sure : ndarray (n,) or None
        How sure the method is of each sample, as the largest membership. None: 1 − d₁/d₂, with the
        distances to the mean codes of the own and of the nearest other cluster.
    shares : ndarray (n,) or None
        Which share of the training samples lies farther out. None: those farthest from the mean
        code of the cluster are its outliers.
    labels : ndarray (n,) or None
        −1 where unknown.
    n_shown : int
        How many samples and neighbours of a cluster are named.
    """
    points = np.asarray(codes, dtype=np.float64)
    ids, places = np.unique(clusters, return_inverse=True)
    members = np.split(np.argsort(places, kind="stable"), np.cumsum(np.bincount(places))[:-1])
    real = np.flatnonzero(ids != NOISE)
    centers = np.stack([points[members[i]].mean(axis=0) for i in real]) if real.size else points[:0]
    between = np.sqrt(squared_distances(centers, centers))
    own, margins = _to_centers(points, centers, clusters, ids[real])
    sure = margins if sure is None else sure
    farness = own if shares is None else 1 - np.asarray(shares, dtype=np.float64)
    return [
        Described(
            int(cluster),
            len(rows),
            _first(rows, own, n_shown) if cluster != NOISE else _NONE,
            _first(rows, sure, n_shown) if cluster != NOISE and len(real) > 1 else _NONE,
            _first(rows, -farness, n_shown),
            _nearest(between, ids[real], int(cluster), n_shown),
            [] if labels is None else _classes(labels[rows]),
        )
        for cluster, rows in zip(ids, members, strict=True)
    ]


def _to_centers(
    points: NDArray[Any], centers: NDArray[Any], clusters: IntArray, ids: IntArray
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return each sample's distance to its center (n,), 0 of noise, and its margin."""
    own, other = np.zeros(len(points)), np.full(len(points), np.inf)
    for cluster, center in zip(ids, centers, strict=True):
        distances = np.linalg.norm(points - center, axis=1)
        inside = clusters == cluster
        own[inside] = distances[inside]
        other[~inside] = np.minimum(other[~inside], distances[~inside])
    return own, 1 - own / np.maximum(other, 1e-300)


def _first(rows: IntArray, values: NDArray[Any], n: int) -> IntArray:
    found: IntArray = rows[np.argsort(values[rows], kind="stable")[:n]]
    return found


def _nearest(
    between: NDArray[np.float64], ids: IntArray, cluster: int, n: int
) -> list[tuple[int, float]]:
    if cluster == NOISE:
        return []
    distances = between[int(np.searchsorted(ids, cluster))]
    order = [i for i in np.argsort(distances, kind="stable") if ids[i] != cluster]
    return [(int(ids[i]), float(distances[i])) for i in order[:n]]


def _classes(labels: IntArray) -> list[tuple[int, int]]:
    found, counts = np.unique(labels[labels >= 0], return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return [(int(found[i]), int(counts[i])) for i in order]
