"""Choosing the samples that show what a cluster is: pure arithmetic, nothing drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ae_cluster.common.validation import IntArray, check_same_length, checked_codes, checked_labels


class ClusterExamples(NamedTuple):
    """Which samples show what a cluster is; all arrays hold indices of samples."""

    cluster: int
    size: int
    """Samples in the cluster."""
    name: int | None
    """The class the cluster stands for, if it is known."""
    typical: IntArray
    """Nearest to the cluster's mean code, nearest first."""
    borderline: IntArray
    """Least lead over the cluster next in line, least first."""
    rivals: IntArray
    """The cluster next in line of each borderline sample."""
    wrong: IntArray
    """Of another class than the cluster stands for, surest first."""


def cluster_examples(
    codes: ArrayLike,
    clusters: ArrayLike,
    scores: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    mapping: Mapping[int, int] | None = None,
    *,
    n: int = 6,
) -> list[ClusterExamples]:
    """Choose the most typical, most borderline and most wrong samples of each cluster.

    Parameters
    ----------
    codes : array (n_samples, n_components)
    clusters : array (n_samples,)
        Ids; −1, noise, belongs to none.
    scores : array (n_samples, n_clusters), optional
        The larger, the surer is column c of cluster c: soft memberships, or
        distances to the centers with a minus sign. By default the latter, with
        the mean codes as centers.
    labels : array (n_samples,), optional
        Classes, −1 where unknown.
    mapping : dict, optional
        Class of each cluster, as learnt on train by
        `ae_cluster.metrics.clustering.class_map`. Without it, or without labels,
        nothing is wrong.
    n : int
        At most so many of each kind.

    Returns
    -------
    list of ClusterExamples
        Ordered by the class they stand for, then by id; an empty cluster has
        size 0 and no examples.
    """
    points, ids = checked_codes(codes), checked_labels(clusters, "clusters")
    check_same_length(points, ids, ("codes", "clusters"))
    k = max(int(ids.max()) + 1, 0 if scores is None else np.shape(scores)[1])
    if k == 0:
        return []
    distances = _distances_to_means(points, ids, k)
    lead, rivals = _leads(-distances if scores is None else np.asarray(scores, np.float64), ids)
    names = {} if mapping is None else mapping
    wrong = np.zeros(len(ids), dtype=bool) if labels is None else _is_wrong(labels, ids, names, k)
    found = []
    for cluster in range(k):
        members, distance = np.flatnonzero(ids == cluster), distances[:, cluster]
        contested = _first(n, members[np.isfinite(lead[members])], lead)
        found.append(
            ClusterExamples(
                cluster,
                members.size,
                names.get(cluster),
                typical=_first(n, members, distance),
                borderline=contested,
                rivals=rivals[contested],
                # Memberships saturate at 1: of equally sure ones the most typical comes first.
                wrong=_first(n, members[wrong[members]], -lead, distance),
            )
        )
    return sorted(found, key=lambda e: (e.name is None, e.name or 0, e.cluster))


def _first(n: int, samples: IntArray, *keys: NDArray[np.float64]) -> IntArray:
    """Return the ``n`` samples with the smallest first key, ties broken by the next."""
    return samples[np.lexsort([key[samples] for key in reversed(keys)])][:n]


def _is_wrong(
    labels: ArrayLike, ids: IntArray, names: Mapping[int, int], k: int
) -> NDArray[np.bool_]:
    truth = checked_labels(labels)
    check_same_length(ids, truth, ("clusters", "labels"))
    # The last entry is for noise.
    stated = np.array([*(names.get(cluster, -1) for cluster in range(k)), -1])[ids]
    return np.asarray((truth >= 0) & (stated >= 0) & (truth != stated))


def _distances_to_means(points: NDArray[Any], ids: IntArray, k: int) -> NDArray[np.float64]:
    """Return distances (n, k) to the mean code of each cluster, infinite where it is empty."""
    distances = np.full((len(points), k), np.inf)
    for cluster in np.unique(ids[ids >= 0]).tolist():
        mean = points[ids == cluster].mean(axis=0, dtype=np.float64)
        distances[:, cluster] = np.sqrt(((points - mean) ** 2).sum(axis=1))
    return distances


def _leads(scores: NDArray[np.float64], ids: IntArray) -> tuple[NDArray[np.float64], IntArray]:
    """Return each sample's lead of its own cluster over the next, and which the next is."""
    rows = np.arange(len(ids))
    others = scores.copy()
    others[rows, ids] = -np.inf
    rivals = others.argmax(axis=1)
    # A single cluster, or only empty others: nothing comes next, the lead is infinite.
    return scores[rows, ids] - others[rows, rivals], rivals
