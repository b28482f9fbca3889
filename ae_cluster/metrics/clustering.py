"""Scores of a clustering against labels, and the table of all metrics, `METRICS`.

Every external score takes ``(labels_true, clusters)``, two 1-D arrays of n whole numbers:

* ``labels_true``: the class of each sample, −1 where it is unknown. Unknown samples are left
  out of every external score; when no label is known, the score is NaN.
* ``clusters``: the id that a method gave, −1 for noise (HDBSCAN). Noise is never left out: it
  is always wrong in ``accuracy``, ``accuracy_matched``, ``purity`` and the recalls, and one
  more cluster in the information and internal scores.

Ids of clusters are mere names: renaming them changes no score. Purity and NMI rise with the
number of clusters even when these are random, so show them beside that number and beside a
chance-adjusted score (AMI, ARI).

Lengths that differ, empty or non-1-D input, fractions and ids below −1 raise
:class:`~ae_cluster.common.errors.InputError`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ae_cluster.common.labels import UNKNOWN as UNKNOWN
from ae_cluster.common.validation import (
    IntArray,
    check_same_length,
    checked_labels,
)

NOISE = -1


class ConfusionMatrix(NamedTuple):
    """How many samples of each class lie in each cluster; unknown labels are left out."""

    classes: IntArray
    """(n_classes,) ascending."""
    clusters: IntArray
    """(n_clusters,) ids in the order of the columns."""
    counts: IntArray
    """(n_classes, n_clusters)."""


def _known_pairs(labels_true: ArrayLike, clusters: ArrayLike) -> tuple[IntArray, IntArray]:
    truth, ids = checked_labels(labels_true, "labels_true"), checked_labels(clusters, "clusters")
    check_same_length(truth, ids, ("labels_true", "clusters"))
    known = truth != UNKNOWN
    return truth[known], ids[known]


# Classes against clusters


def crosstab(labels_true: ArrayLike, clusters: ArrayLike) -> ConfusionMatrix:
    """Count the samples of each class in each cluster, noise a cluster too; unknown left out."""
    truth, ids = _known_pairs(labels_true, clusters)
    classes, rows = np.unique(truth, return_inverse=True)
    names, columns = np.unique(ids, return_inverse=True)
    cells = np.bincount(rows * names.size + columns, minlength=classes.size * names.size)
    return ConfusionMatrix(classes, names, cells.reshape(classes.size, names.size))


def without_noise(table: ConfusionMatrix) -> ConfusionMatrix:
    """Return a table less the column of noise."""
    real = table.clusters != NOISE
    return ConfusionMatrix(table.classes, table.clusters[real], table.counts[:, real])


def class_map(labels_true: ArrayLike, clusters: ArrayLike) -> dict[int, int]:
    """Map each cluster to its commonest class, many to one. Learn it on train.

    Of equally common classes the smallest is taken, so that renaming clusters changes nothing.
    Noise, and clusters of which no label is known, are not in the map.
    """
    table = without_noise(crosstab(labels_true, clusters))
    if not table.classes.size:
        return {}
    commonest = table.classes[table.counts.argmax(axis=0)]
    return dict(zip(table.clusters.tolist(), commonest.tolist(), strict=True))


def matched_map(labels_true: ArrayLike, clusters: ArrayLike) -> dict[int, int]:
    """Match clusters and classes one to one so that most samples are right. Learn it on train.

    By `matched_columns`, so any number of clusters is legal; a surplus cluster is not in the map,
    and neither is noise.
    """
    table = without_noise(crosstab(labels_true, clusters))
    # In an order that does not depend on the clusters' names, lest a tie be broken by them.
    order = np.lexsort(table.counts[::-1]) if table.counts.size else np.arange(0)
    columns = matched_columns(table.counts[:, order])
    names = table.clusters[order][columns[columns >= 0]]
    return dict(zip(names.tolist(), table.classes[columns >= 0].tolist(), strict=True))


def matched_columns(table: NDArray[Any]) -> IntArray:
    """Match rows and columns one to one so that the matched cells' sum is largest.

    The Hungarian method (Kuhn 1955) on a table (n, m) of counts or of other evidence.

    Returns
    -------
    (n,) int64: the column of each row, −1 for a row that is left over.
    """
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(table, maximize=True)
    matched = np.full(len(table), -1)
    matched[rows] = columns
    return matched


def apply_class_map(clusters: ArrayLike, mapping: Mapping[int, int]) -> IntArray:
    """Return the class of each sample, (n,) int64; −1 for noise and for unmapped clusters."""
    names, positions = np.unique(checked_labels(clusters, "clusters"), return_inverse=True)
    named = [UNKNOWN if c == NOISE else mapping.get(c, UNKNOWN) for c in names.tolist()]
    return np.array(named, dtype=np.int64)[positions]


def confusion_matrix(
    labels_true: ArrayLike, clusters: ArrayLike, mapping: Mapping[int, int] | None = None
) -> ConfusionMatrix:
    """Count classes against clusters, clusters ordered by their class.

    Parameters
    ----------
    labels_true, clusters : array-like of shape (n,)
    mapping : the class of each cluster, as learnt on train by :func:`class_map`. By default it
        is learnt on these very samples.

    Returns
    -------
    Clusters of the same class stand together, the largest first; then those without a class,
    then noise. The counts do not depend on the clusters' names.
    """
    table = crosstab(labels_true, clusters)
    named = class_map(labels_true, clusters) if mapping is None else mapping

    def place(column: int) -> tuple[Any, ...]:
        cluster, counts = int(table.clusters[column]), table.counts[:, column]
        unmapped = cluster not in named
        return cluster == NOISE, unmapped, named.get(cluster, 0), -counts.sum(), *(-counts)

    order = sorted(range(table.clusters.size), key=place)
    return ConfusionMatrix(table.classes, table.clusters[order], table.counts[:, order])


# How many are right


def accuracy(labels_true: ArrayLike, clusters: ArrayLike, mapping: Mapping[int, int]) -> float:
    """Return the share of samples whose cluster is mapped to their class.

    ``mapping`` is learnt on *train*. With :func:`matched_map` the score is the held-out "ACC" of
    papers; with :func:`class_map` it says what naming every cluster is worth, and rises with
    the number of clusters as purity does.
    """
    truth, ids = _known_pairs(labels_true, clusters)
    return float(np.mean(apply_class_map(ids, mapping) == truth)) if truth.size else float("nan")


def accuracy_matched(labels_true: ArrayLike, clusters: ArrayLike) -> float:
    """Return the share of right samples under the best one-to-one naming of these samples.

    The "ACC" of papers: :func:`matched_map` learnt on the scored samples themselves. A surplus
    cluster, or a class left without one, counts as wrong. Never larger than :func:`purity`.
    """
    return accuracy(labels_true, clusters, matched_map(labels_true, clusters))


def purity(labels_true: ArrayLike, clusters: ArrayLike) -> float:
    """Return the share of samples that belong to the commonest class of their cluster.

    Rises with the number of clusters, to 1 when each sample is its own: never show it alone.
    """
    table = crosstab(labels_true, clusters)
    return _share(without_noise(table).counts.max(axis=0, initial=0).sum(), table)


def _share(right: int, table: ConfusionMatrix) -> float:
    return float(right / table.counts.sum()) if table.counts.size else float("nan")


def per_class_recall(
    labels_true: ArrayLike, clusters: ArrayLike, mapping: Mapping[int, int]
) -> dict[int, float]:
    """Return, for each class present, the share of its samples mapped to it; classes ascend."""
    truth, ids = _known_pairs(labels_true, clusters)
    if not truth.size:
        return {}
    right = apply_class_map(ids, mapping) == truth
    return {int(c): float(right[truth == c].mean()) for c in np.unique(truth)}


# Information and pairs


def _of_known(name: str, labels_true: ArrayLike, clusters: ArrayLike) -> float:
    """Return a score of `sklearn.metrics`, which is loaded only now: tables read `METRICS` too."""
    from sklearn import metrics

    truth, ids = _known_pairs(labels_true, clusters)
    return float(getattr(metrics, name)(truth, ids)) if truth.size else float("nan")


def nmi(labels_true: ArrayLike, clusters: ArrayLike) -> float:
    """Return mutual information over the mean of both entropies (arithmetic), in [0, 1].

    Symmetric. Not adjusted for chance: never show it without the number of clusters.
    """
    return _of_known("normalized_mutual_info_score", labels_true, clusters)


def ami(labels_true: ArrayLike, clusters: ArrayLike) -> float:
    """Return mutual information adjusted for chance: 1 perfect, about 0 random.

    Vinh, Epps and Bailey, JMLR 2010; arithmetic mean of the entropies.
    """
    return _of_known("adjusted_mutual_info_score", labels_true, clusters)


def ari(labels_true: ArrayLike, clusters: ArrayLike) -> float:
    """Return the Rand index adjusted for chance: 1 perfect, about 0 random, down to −0.5.

    Counts pairs of samples put together or apart alike (Hubert and Arabie 1985).
    """
    return _of_known("adjusted_rand_score", labels_true, clusters)


def homogeneity(labels_true: ArrayLike, clusters: ArrayLike) -> float:
    """Return 1 when each cluster holds one class only (Rosenberg and Hirschberg 2007)."""
    return _of_known("homogeneity_score", labels_true, clusters)


def completeness(labels_true: ArrayLike, clusters: ArrayLike) -> float:
    """Return 1 when each class lies in one cluster only; ``homogeneity`` with roles swapped."""
    return _of_known("completeness_score", labels_true, clusters)


def v_measure(labels_true: ArrayLike, clusters: ArrayLike) -> float:
    """Return the harmonic mean of homogeneity and completeness; equal to :func:`nmi`."""
    return _of_known("v_measure_score", labels_true, clusters)


def external_scores(
    labels_true: ArrayLike, clusters: ArrayLike, mapping: Mapping[int, int]
) -> dict[str, float]:
    """Return every external score by the name of its column; all NaN when no label is known.

    ``mapping`` is the class of each cluster as learnt on train, see :func:`class_map`.
    """
    of_labels = {m.name: m.score(labels_true, clusters) for m in METRICS if m.score is not None}
    return {"accuracy": accuracy(labels_true, clusters, mapping)} | of_labels


# All metrics in one table


@dataclass(frozen=True)
class Metric:
    """One column of scores, and what is to be known of it wherever it is shown.

    Attributes
    ----------
    name : str
        The column.
    words : str
        What it is called on an axis.
    head : str
        What it is called over the column of a table; "" where tables leave it out.
    score : callable or None
        Takes ``(labels_true, clusters)``; None where more than these is needed.
    lower_is_better : bool
    at_most_1 : bool
        And 0 is the least that a useful clustering has: axes show no more.
    needs_k : bool
        It rises with the number of clusters even where these are random: never show it
        without that number.
    chance_corrected : bool
        0 is what random clusters have.
    compares_codes : bool
        False: it compares clusterings of the same codes only.
    """

    name: str
    words: str
    head: str = ""
    score: Callable[[ArrayLike, ArrayLike], float] | None = None
    lower_is_better: bool = False
    at_most_1: bool = True
    needs_k: bool = False
    chance_corrected: bool = False
    compares_codes: bool = True


METRICS = (
    Metric("accuracy", "accuracy (share of samples)", "accuracy"),
    Metric(
        "accuracy_matched", "accuracy, matched on these samples", "matched", accuracy_matched
    ),
    Metric("purity", "purity", "purity", purity, needs_k=True),
    Metric("nmi", "normalised mutual information", "NMI", nmi, needs_k=True),
    Metric("ami", "adjusted mutual information", "AMI", ami, chance_corrected=True),
    Metric("ari", "adjusted Rand index", "ARI", ari, chance_corrected=True),
    Metric("homogeneity", "homogeneity", score=homogeneity, needs_k=True),
    Metric("completeness", "completeness", score=completeness, needs_k=True),
    Metric("v_measure", "V-measure", score=v_measure, needs_k=True),
    Metric("silhouette", "silhouette", at_most_1=False, compares_codes=False),
    Metric("davies_bouldin", "Davies-Bouldin index",
           lower_is_better=True, at_most_1=False, compares_codes=False),
    Metric("calinski_harabasz", "Calinski-Harabasz index",
           at_most_1=False, compares_codes=False),
    Metric("neighbor_accuracy", "accuracy of ten nearest neighbours", "neighbours"),
    Metric("trustworthiness", "trustworthiness of the codes"),
    Metric("continuity", "continuity of the codes"),
    Metric("neighbor_recall", "15 nearest neighbours kept by the codes"),
    Metric("mse", "mean squared error", lower_is_better=True, at_most_1=False),
)  # fmt: skip
