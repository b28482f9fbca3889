"""What a clustering does to classes: which of them it merges, mixes, splits or leaves out."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ae_cluster.common.errors import InputError
from ae_cluster.metrics.clustering import ConfusionMatrix, crosstab, without_noise


def merged_classes(
    labels_true: ArrayLike, clusters: ArrayLike, share: float = 0.5
) -> dict[int, tuple[int, ...]]:
    """Find the clusters that merge classes: that hold at least ``share`` of each of two or more.

    The share is of a class's samples that are in a cluster; classes of `lost_classes` are left
    out. This is the typical failure: two whole classes under one id.

    Returns
    -------
    {cluster: its classes, ascending}
    """
    table, parts = _parts(labels_true, clusters, share)
    lives = parts >= share
    return {
        int(cluster): tuple(table.classes[lives[:, column]].tolist())
        for column, cluster in enumerate(table.clusters)
        if lives[:, column].sum() >= 2
    }


def mixed_classes(
    labels_true: ArrayLike, clusters: ArrayLike, share: float = 0.5
) -> dict[int, tuple[int, ...]]:
    """Find the classes that are mixed with others over several clusters.

    Two classes are mixed when at least ``share`` of each lies where the other lies too: the sum
    over clusters of the smaller of both parts, of samples that are in a cluster; and when no
    cluster merges the two (`merged_classes`). Classes of `lost_classes` are left out.

    Returns
    -------
    {class: the classes that it is mixed with, ascending}
    """
    table, parts = _parts(labels_true, clusters, share)
    least = share - 1e-9  # tenths do not add up to a half exactly
    found = {}
    for row, part in enumerate(parts):  # no (classes, classes, clusters) at once
        is_merged = (parts[:, part >= share] >= share).any(axis=1)
        is_mixed = (np.minimum(part, parts).sum(axis=1) >= least) & ~is_merged
        is_mixed[row] = False
        if is_mixed.any():
            found[int(table.classes[row])] = tuple(table.classes[is_mixed].tolist())
    return found


def split_classes(
    labels_true: ArrayLike, clusters: ArrayLike, share: float = 0.25
) -> dict[int, tuple[int, ...]]:
    """Find the classes that are split.

    A class is split when its largest cluster holds less than half of it, or a second one at
    least ``share``; of its samples that are in a cluster, and classes of `lost_classes` left out.
    What is neither split nor merged nor lost has a cluster of its own that holds half of it. A
    class split over clusters that another lies in too is mixed with it (`mixed_classes`).

    Returns
    -------
    {class: its clusters of at least ``share``, the largest first; or its two largest}
    """
    table, parts = _parts(labels_true, clusters, share)
    order = np.argsort(-parts, axis=1, kind="stable")
    n_large = (parts >= share).sum(axis=1)
    is_split = (n_large >= 2) | ((parts.max(axis=1, initial=0) > 0) & (parts < 0.5).all(axis=1))
    return {
        int(table.classes[row]): tuple(table.clusters[order[row, : max(2, n_large[row])]].tolist())
        for row in np.flatnonzero(is_split)
    }


def lost_classes(labels_true: ArrayLike, clusters: ArrayLike) -> tuple[int, ...]:
    """Return the classes of which more than half is noise, in no cluster."""
    table = crosstab(labels_true, clusters)
    n_in_clusters = without_noise(table).counts.sum(axis=1)
    return tuple(table.classes[2 * n_in_clusters < table.counts.sum(axis=1)].tolist())


def _parts(
    labels_true: ArrayLike, clusters: ArrayLike, share: float
) -> tuple[ConfusionMatrix, NDArray[np.float64]]:
    """Return what part of each class's samples in clusters each holds; none of a lost class."""
    if not 0 < share <= 1:
        raise InputError(f"share is {share}; give a part of a class, above 0 and at most 1.")
    real = without_noise(crosstab(labels_true, clusters))
    sizes = real.counts.sum(axis=1, keepdims=True)
    lost = np.isin(real.classes, lost_classes(labels_true, clusters))
    return real, np.where(lost[:, None], 0, real.counts / np.maximum(sizes, 1))
