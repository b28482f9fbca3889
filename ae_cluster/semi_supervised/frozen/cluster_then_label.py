"""Clusters of all codes, named by the few that are labelled."""

from __future__ import annotations

import math
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.utils import check_random_state

from ae_cluster.clustering.codes import CLUSTERERS, make_clusterer
from ae_cluster.common.errors import InputError, nearest
from ae_cluster.common.validation import FloatArray, IntArray
from ae_cluster.graphs.neighbors import NeighborSearch
from ae_cluster.semi_supervised.base import FewLabelClassifier, Labeling, Scores
from ae_cluster.semi_supervised.cluster_labels import matched_or_nearest

_TRUST = 10.0  # as many labels as the name of a cluster is worth
_DOUBT = 0.5  # a label shared by all classes, in every cluster
LEAST = 1e-9


class _Clusters(NamedTuple):
    """Clusters of codes, and the places of the samples in their middle (n_central, width)."""

    search: NeighborSearch
    clusterer: Any
    central: list[FloatArray]

    def soft(self, codes: FloatArray) -> NDArray[np.float64]:
        """Return the memberships (n, n_clusters) of codes."""
        return _memberships(self.clusterer, self.search.position_of(codes))


class _Prepared(NamedTuple):
    codes: FloatArray
    clusters_of: Any  # number of clusters → _Clusters, each made once


class _State(NamedTuple):
    clusters: _Clusters
    shares: NDArray[np.float64]  # (n_clusters, n_classes) of the classes in each cluster


class ClusterThenLabel(FewLabelClassifier):
    """Clusters that take the name of the labels near their central samples.

    The central samples of a cluster each look for the nearest labels of every class (the k-th
    nearest, k the root of the labels per class, so that one label in a wrong place does no
    harm). Clusters and classes are matched so that the sum of the logarithms of these
    distances is least: every class gets a cluster, and a cluster without a label a name. Where
    there are more clusters than classes, the others take the class that is nearest.

    Parameters
    ----------
    n_clusters : int or None
        None: as many as there are classes among the labels.
    clusterer : {"gmm", "kmeans"}
    n_central : int
        Samples of each cluster that look for its name.
    random_state : int, RandomState or None
        Of the clusterer.
    """

    _expected_temperature = 1.3

    def __init__(
        self,
        n_clusters: int | None = None,
        clusterer: str = "gmm",
        *,
        n_central: int = 20,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.clusterer = clusterer
        self.n_central = n_central
        self.random_state = random_state

    def _prepare(self, X: FloatArray) -> _Prepared:
        if self.clusterer not in CLUSTERERS:
            known = nearest(str(self.clusterer), CLUSTERERS)
            raise InputError(f"clusterer={self.clusterer!r} is not known: {known}")
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        search = NeighborSearch(X)

        @cache
        def clusters_of(k: int) -> _Clusters:
            return _cluster(search, self.clusterer, k, seed, self.n_central)

        return _Prepared(X, clusters_of)

    def _learn(self, prepared: _Prepared, labeling: Labeling) -> _State:
        clusters = prepared.clusters_of(self.n_clusters or labeling.n_classes)
        chosen = labeling.labelled
        places, columns = clusters.search.positions[chosen], labeling.columns[chosen]
        names = matched_or_nearest(-_remoteness(clusters.central, places, columns))
        soft = clusters.soft(prepared.codes[chosen])
        one_hot = np.eye(labeling.n_classes)
        counts = soft.T @ one_hot[columns] + _TRUST * one_hot[names] + _DOUBT / labeling.n_classes
        return _State(clusters, counts / counts.sum(axis=1, keepdims=True))

    def _scores(self, state: _State, X: FloatArray) -> Scores:
        return np.log(state.clusters.soft(X) @ state.shares + LEAST)


def _cluster(search: NeighborSearch, name: str, k: int, seed: int, n_central: int) -> _Clusters:
    if k > len(search.positions):
        raise InputError(
            f"{k} clusters of {len(search.positions)} samples cannot be made; ask fewer."
        )
    places = search.positions.astype(np.float64)
    clusterer = make_clusterer(name, k, seed).fit(places)
    centers = clusterer.means_ if name == "gmm" else clusterer.cluster_centers_
    soft = _memberships(clusterer, places)
    central = [_central(places, soft[:, c], centers[c], n_central) for c in range(k)]
    return _Clusters(search, clusterer, central)


def _memberships(clusterer: Any, places: FloatArray) -> NDArray[np.float64]:
    places = places.astype(np.float64)
    if hasattr(clusterer, "predict_proba"):
        soft: NDArray[np.float64] = clusterer.predict_proba(places)
        return soft
    # k-means stands for round Gaussians of one width.
    width = clusterer.inertia_ / (len(clusterer.labels_) * places.shape[1])
    far: NDArray[np.float64] = clusterer.transform(places) ** 2
    return np.asarray(softmax(-far / (2 * max(width, LEAST)), axis=1))


def _central(
    places: FloatArray, membership: NDArray[np.float64], center: FloatArray, n: int
) -> FloatArray:
    """Return the places of the ``n`` members nearest to a center."""
    far = np.square(places - center).sum(axis=1)
    far[membership < 0.5] = np.inf
    return places[np.argsort(far, kind="stable")[:n]]


def _remoteness(
    central: list[FloatArray], places: FloatArray, columns: IntArray
) -> NDArray[np.float64]:
    """Return (n_clusters, n_classes): mean log distance of central samples to a class's labels."""
    searches = [NeighborSearch(places[columns == c]) for c in range(columns.max() + 1)]
    ends = np.cumsum([len(samples) for samples in central])[:-1]
    everyone = np.concatenate(central)
    logs = []
    for search in searches:
        k = math.isqrt(len(search.positions))
        far = search.nearest(everyone, k)[0][:, -1]
        logs.append([part.mean() for part in np.split(np.log(far + LEAST), ends)])
    return np.array(logs).T
