"""Scores of codes: of clusters in code space without labels, and of what neighbours know."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn import metrics
from sklearn.neighbors import KNeighborsClassifier

from ae_cluster.common.global_state import default_state
from ae_cluster.common.labels import UNKNOWN as UNKNOWN
from ae_cluster.common.validation import (
    IntArray,
    check_same_length,
    checked_codes,
    checked_halves,
    checked_labels,
)


@default_state()
def internal_scores(
    codes: ArrayLike, clusters: ArrayLike, *, sample_size: int = 5000, random_state: int = 0
) -> dict[str, float]:
    """Score how compact and apart clusters are in the code space, without labels.

    They compare clusterings of the *same* codes. Never rank them across different codes: an
    encoder that squeezes everything into separate points wins, whatever it merges.

    Parameters
    ----------
    codes : array-like of shape (n, n_components), finite
    clusters : array-like of shape (n,)
    sample_size : the silhouette is taken on that many samples at most; its cost is quadratic.
    random_state : the seed of that sample.

    Returns
    -------
    ``silhouette`` (−1 to 1, higher is better), ``davies_bouldin`` (from 0, lower is better),
    ``calinski_harabasz`` (higher is better). Each is NaN where it means nothing: fewer than
    two clusters, each sample its own cluster, or all codes the same.
    """
    points, ids = checked_codes(codes), checked_labels(clusters, "clusters")
    check_same_length(points, ids, ("codes", "clusters"))
    order = np.random.default_rng(random_state).permutation(ids.size)
    sample = np.sort(order[:sample_size])
    return {
        "silhouette": _internal(metrics.silhouette_score, points[sample], ids[sample]),
        "davies_bouldin": _internal(metrics.davies_bouldin_score, points, ids),
        "calinski_harabasz": _internal(metrics.calinski_harabasz_score, points, ids),
    }


def _internal(score: Callable[..., Any], points: NDArray[Any], ids: IntArray) -> float:
    span = np.ptp(points, axis=0).max()
    if not 2 <= np.unique(ids).size < ids.size or span == 0:
        return float("nan")
    # scikit-learn takes distances under 1e-8 for zero, which would call tiny codes perfect;
    # none of the scores changes with the unit or the origin.
    scaled = (points.astype(np.float64) - points.min(axis=0)) / span
    return float(score(scaled, ids))


@default_state()
def neighbor_accuracy(
    codes_train: ArrayLike,
    y_train: ArrayLike,
    codes_test: ArrayLike,
    y_test: ArrayLike,
    n_neighbors: int = 10,
) -> float:
    """Return the test accuracy of a vote of the nearest train codes, all train labels known.

    In practice this bounds any classifier on these codes: classes that overlap among
    neighbours cannot be told apart later.

    Parameters
    ----------
    codes_train, codes_test : array-like of shape (n, n_components)
    y_train, y_test : array-like of shape (n,); samples of unknown class (−1) are left out.
    n_neighbors : neighbours that vote; all of them when fewer labels are known.

    Returns
    -------
    The share of right test samples; NaN when no label is known on either side.
    """
    train, labels, test, truth = checked_halves(codes_train, y_train, codes_test, y_test)
    known, scored = labels != UNKNOWN, truth != UNKNOWN
    if not known.any() or not scored.any():
        return float("nan")
    vote = KNeighborsClassifier(min(n_neighbors, int(known.sum())))
    with warnings.catch_warnings():
        # True of any set with few samples per class, and no sign of a regression here.
        warnings.filterwarnings("ignore", message="The number of unique classes")
        vote.fit(train[known], labels[known])
    return float(vote.score(test[scored], truth[scored]))
