"""Codes to clusters with scikit-learn, fitted on train and applied to test."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.mixture import GaussianMixture

from ae_cluster.errors import InputError

CLUSTERERS = ("kmeans", "gmm")


class Clustering(NamedTuple):
    """What a clusterer made of the codes.

    Attributes
    ----------
    train, test : ndarray (n,)
        Cluster of each sample.
    soft_train, soft_test : ndarray (n, k) or None
        Membership probabilities, where the clusterer has them.
    centers : ndarray (k, n_components)
        In code space.
    seconds : float
        Wall time of the fit.
    """

    train: NDArray[np.int64]
    test: NDArray[np.int64]
    soft_train: NDArray[np.float32] | None
    soft_test: NDArray[np.float32] | None
    centers: NDArray[np.float64]
    seconds: float


def make_clusterer(name: str, n_clusters: int, seed: int) -> Any:
    """Return the unfitted scikit-learn estimator behind a name of `CLUSTERERS`."""
    if name == "kmeans":
        return KMeans(n_clusters, n_init=10, random_state=seed)
    return GaussianMixture(n_clusters, random_state=seed)


def cluster_codes(
    name: str,
    codes_train: NDArray[np.floating[Any]],
    codes_test: NDArray[np.floating[Any]],
    n_clusters: int,
    seed: int,
) -> Clustering:
    """Fit a clusterer on train codes (n, n_components) and apply it to both splits."""
    start = time.perf_counter()
    train, test = codes_train.astype(np.float64), codes_test.astype(np.float64)
    model = make_clusterer(name, n_clusters, seed).fit(train)
    seconds = time.perf_counter() - start
    is_mixture = isinstance(model, GaussianMixture)
    return Clustering(
        train=model.predict(train).astype(np.int64),
        test=model.predict(test).astype(np.int64),
        soft_train=model.predict_proba(train).astype(np.float32) if is_mixture else None,
        soft_test=model.predict_proba(test).astype(np.float32) if is_mixture else None,
        centers=model.means_ if is_mixture else model.cluster_centers_,
        seconds=seconds,
    )


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
