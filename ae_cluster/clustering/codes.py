"""Codes to clusters with scikit-learn, fitted on train and applied to test."""

from __future__ import annotations

import sys
import time
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.mixture import GaussianMixture

from ae_cluster.clustering.by_parts import BY_PARTS, fitted
from ae_cluster.clustering.external import ExternalClusterer, find_class
from ae_cluster.clustering.heads import CenterHead, CodeHead, Head, MixtureHead
from ae_cluster.common.errors import InputError
from ae_cluster.common.stage_times import stage
from ae_cluster.methods import DEFAULTS

CLUSTERERS = DEFAULTS  # that are compared with each other by default


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


def make_clusterer(clusterer: str | type, n_clusters: int | None, seed: int) -> Any:
    """Return the unfitted estimator behind a clusterer's name, ``module:Class`` or such a class."""
    if clusterer == "kmeans":
        return KMeans(n_clusters, n_init=10, random_state=seed)
    if clusterer == "minibatch-kmeans":
        return MiniBatchKMeans(n_clusters, n_init=10, random_state=seed)
    if clusterer == "gmm":
        return GaussianMixture(n_clusters, random_state=seed)
    found = find_class(clusterer) if isinstance(clusterer, str) else clusterer
    return ExternalClusterer(found, n_clusters, seed)


@stage("clustering")
def cluster_codes(
    clusterer: str | type,
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
    train, test = codes_train.astype(np.float64), codes_test.astype(np.float64)
    start = time.perf_counter()
    model = _fitted(clusterer, train, n_clusters, seed)
    seconds = time.perf_counter() - start
    clusters = model.predict(train).astype(np.int64)
    return Clustering(
        train=clusters,
        test=model.predict(test).astype(np.int64),
        soft_train=_memberships(model, train, clusters),
        soft_test=_memberships(model, test, clusters),
        centers=getattr(model, "means_", getattr(model, "cluster_centers_", None)),
        seconds=seconds,
        predicts=getattr(model, "predicts", True),
        head=_head_of(model, train, clusters),
    )


def _fitted(
    clusterer: str | type, train: NDArray[np.float64], n_clusters: int | None, seed: int
) -> Any:
    model = make_clusterer(clusterer, n_clusters, seed)
    if clusterer in BY_PARTS and "ae_cluster.training.ranks" in sys.modules:
        from ae_cluster.training.ranks import here  # loads torch, but where it has joined others

        if (ranks := here()) is not None:
            return fitted(model, train, ranks)
    return model.fit(train)


def _head_of(model: Any, codes: NDArray[np.float64], clusters: NDArray[np.int64]) -> Head:
    if isinstance(model, GaussianMixture):
        return MixtureHead(model.weights_, model.means_, model.covariances_)
    if isinstance(model, KMeans | MiniBatchKMeans):
        return CenterHead(model.cluster_centers_, model.inertia_ / codes.size)
    return CodeHead(codes, clusters)


def _memberships(
    model: Any, codes: NDArray[np.float64], clusters: NDArray[np.int64]
) -> NDArray[np.float32] | None:
    """Return memberships (n, k), or None where there are none that fit the clusters."""
    if not hasattr(model, "predict_proba"):
        return None
    soft = model.predict_proba(codes).astype(np.float32)
    fits = soft.ndim == 2 and len(soft) == len(codes) and clusters.max() < soft.shape[1]
    return soft if fits and np.isfinite(soft).all() else None


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
