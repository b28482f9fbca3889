"""Codes to clusters with scikit-learn, fitted on train and applied to test."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.mixture import GaussianMixture

from ae_cluster.clustering import external
from ae_cluster.clustering.heads import CenterHead, CodeHead, Head, MixtureHead
from ae_cluster.common.errors import InputError
from ae_cluster.methods import DEFAULTS, is_external

CLUSTERERS = DEFAULTS  # our own; any other is a module:Class


class Clustering(NamedTuple):
    """What a clusterer made of the codes.

    Attributes
    ----------
    train, test : ndarray (n,)
        Cluster of each sample; −1 is noise, in no cluster.
    soft_train, soft_test : ndarray (n, k) or None
        Membership probabilities, where the clusterer has them.
    centers : ndarray (k, n_components) or None
        In code space; of somebody else's clusterer not known.
    seconds : float
        Wall time of the fit.
    predicts : bool
        False: the clusterer cannot, so test samples have the cluster of the nearest train code.
    head : Head or None
        What assigns new codes; None of a method that learns codes too.
    """

    train: NDArray[np.int64]
    test: NDArray[np.int64]
    soft_train: NDArray[np.float32] | None
    soft_test: NDArray[np.float32] | None
    centers: NDArray[np.float64] | None
    seconds: float
    predicts: bool = True
    head: Head | None = None


def make_clusterer(name: str, n_clusters: int | None, seed: int) -> Any:
    """Return the unfitted estimator behind "kmeans", "gmm" or ``module:Class``."""
    if is_external(name):
        return external.make(name, n_clusters, seed)
    if name == "kmeans":
        return KMeans(n_clusters, n_init=10, random_state=seed)
    return GaussianMixture(n_clusters, random_state=seed)


def cluster_codes(
    name: str,
    codes_train: NDArray[np.floating[Any]],
    codes_test: NDArray[np.floating[Any]],
    n_clusters: int | None,
    seed: int,
) -> Clustering:
    """Fit a clusterer on train codes (n, n_components) and apply it to both splits.

    Raises
    ------
    InputError
        When a ``module:Class`` cannot be imported, or fails.
    """
    start = time.perf_counter()
    train, test = codes_train.astype(np.float64), codes_test.astype(np.float64)
    model = make_clusterer(name, n_clusters, seed)
    if is_external(name):
        found = external.cluster(model, train, test)
        return Clustering(
            *found[:4],
            centers=None,
            seconds=time.perf_counter() - start,
            predicts=found.predicts,
            head=CodeHead(train, found.train),
        )
    model.fit(train)
    seconds = time.perf_counter() - start
    is_mixture = isinstance(model, GaussianMixture)
    return Clustering(
        train=model.predict(train).astype(np.int64),
        test=model.predict(test).astype(np.int64),
        soft_train=model.predict_proba(train).astype(np.float32) if is_mixture else None,
        soft_test=model.predict_proba(test).astype(np.float32) if is_mixture else None,
        centers=model.means_ if is_mixture else model.cluster_centers_,
        seconds=seconds,
        head=_head_of(model, train),
    )


def _head_of(model: Any, codes: NDArray[Any]) -> Head:
    if isinstance(model, GaussianMixture):
        return MixtureHead(model.weights_, model.means_, model.covariances_)
    return CenterHead(model.cluster_centers_, model.inertia_ / codes.size)


def check_n_clusters(n_clusters: int, rows: NDArray[Any]) -> None:
    """Raise an `InputError` unless 2 ≤ k ≤ the number of distinct training samples."""
    if n_clusters < 2:
        raise InputError(f"n_clusters={n_clusters} cannot be used; ask for at least 2 clusters.")
    if n_clusters > len(rows):
        raise InputError(
            f"n_clusters={n_clusters} is more than the {len(rows)} training samples; ask for fewer."
        )
    distinct: set[bytes] = set()
    for row in rows:
        distinct.add(row.tobytes())
        if len(distinct) >= n_clusters:
            return
    raise InputError(
        f"n_clusters={n_clusters} is more than the {len(distinct)} distinct training samples; "
        "ask for fewer."
    )
