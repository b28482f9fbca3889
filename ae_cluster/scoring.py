"""Codes and clusters to tidy rows: every score, on both splits."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ae_cluster import evaluation
from ae_cluster.clustering import Clustering
from ae_cluster.datasets import Dataset
from ae_cluster.texts import one_line

_LONGEST_NAME, _TWO_LINES = 30, 160  # characters of what is said of merged and split classes


def known_classes(labels: NDArray[np.int64] | None) -> NDArray[np.int64]:
    """Return the classes that occur among labels, where −1 and None mean unknown."""
    return (
        np.unique(labels[labels != evaluation.UNKNOWN]) if labels is not None else np.empty(0, int)
    )


def clustering_rows(
    place: dict[str, Any],
    data: Dataset,
    codes_train: NDArray[Any],
    codes_test: NDArray[Any],
    result: Clustering,
) -> list[dict[str, Any]]:
    """Return a train and a test row of scores for one clustering.

    Parameters
    ----------
    place : dict
        The columns that are the same on both.
    data : Dataset
        Its labels are read here and nowhere before.
    codes_train, codes_test : ndarray (n, n_components)
    result : Clustering
        Of these codes.
    """
    mapping = cluster_names(data, result)
    neighbor = neighbor_accuracy(data, codes_train, codes_test)
    splits = (
        ("train", data.y_train, codes_train, result.train),
        ("test", data.y_test, codes_test, result.test),
    )
    return [
        place
        | {"split": split, "status": "ok"}
        | external_scores(labels, clusters, mapping)
        | evaluation.internal_scores(codes, clusters)
        | ({"neighbor_accuracy": neighbor} if split == "test" else {})
        for split, labels, codes, clusters in splits
    ]


def cluster_names(data: Dataset, result: Clustering) -> dict[int, int] | None:
    """Return the clusters' classes, one to one, learnt on train; None without train labels."""
    if data.y_train is None:
        return None
    return evaluation.matched_map(data.y_train, result.train)


def external_scores(
    labels: NDArray[np.int64] | None,
    clusters: NDArray[np.int64],
    mapping: dict[int, int] | None,
) -> dict[str, float]:
    """Return the scores against labels that can be had; without labels, none."""
    if labels is None:
        return {}
    scores = evaluation.external_scores(labels, clusters, mapping or {})
    return scores if mapping is not None else scores | {"accuracy": math.nan}


def neighbor_accuracy(data: Dataset, codes_train: NDArray[Any], codes_test: NDArray[Any]) -> float:
    """Return the nearest-neighbour accuracy of codes; NaN where labels are missing."""
    if data.y_train is None or data.y_test is None:
        return math.nan
    return evaluation.neighbor_accuracy(codes_train, data.y_train, codes_test, data.y_test)


def class_table(data: Dataset, result: Clustering) -> pd.DataFrame:
    """Return how each class fares on test: samples, recall, its clusters, who shares them.

    Columns
    -------
    label, name, n_test, recall (under the match learnt on train), clusters (of a split class),
    merged_with (classes in the same cluster); defined by `evaluation.split_classes` and
    `evaluation.merged_classes`.
    """
    columns = ["label", "name", "n_test", "recall", "clusters", "merged_with"]
    if data.y_test is None:
        return pd.DataFrame(columns=columns)
    recall = evaluation.per_class_recall(
        data.y_test, result.test, cluster_names(data, result) or {}
    )
    split = evaluation.split_classes(data.y_test, result.test)
    merged = evaluation.merged_classes(data.y_test, result.test).values()
    rows = []
    for label in known_classes(data.y_test).tolist():
        others = sorted({c for together in merged if label in together for c in together} - {label})
        rows.append(
            {
                "label": label,
                "name": data.class_names[label],
                "n_test": int((data.y_test == label).sum()),
                "recall": recall[label] if data.y_train is not None else math.nan,
                "clusters": " ".join(map(str, split.get(label, ()))),
                "merged_with": " ".join(data.class_names[c] for c in others),
            }
        )
    return pd.DataFrame(rows, columns=columns)


def merges_and_splits(method: str, data: Dataset, result: Clustering) -> str:
    """Return in a sentence which classes a clustering merges, splits and leaves out on test.

    What that means is defined by `evaluation.merged_classes`, `evaluation.split_classes` and
    `evaluation.lost_classes`. Classes are named where all fit into two lines, else counted.
    """
    method = one_line(method, _LONGEST_NAME)
    n_classes = known_classes(data.y_test).size
    if not n_classes:
        return f"{method}: no test label is known, so merged or split classes cannot be told."
    found = [part for part in _told_of(data, result) if part.n]
    if not found:
        return f"{method} neither merges nor splits a class (test samples)."
    named = f"{method} {_listed([part.named() for part in found])} (test samples)."
    if len(named) <= _TWO_LINES:
        return named
    counted = _listed([part.counted() for part in found])
    return f"{method} {counted}, of {n_classes} classes (test samples; see classes.csv)."


class _Told(NamedTuple):
    """What became of some classes: a verb, their names, how many they are."""

    verb: str
    names: list[str]
    n: int
    into: str = ""
    after: str = ""

    def named(self) -> str:
        return f"{self.verb} {', '.join(self.names)}{self.after}"

    def counted(self) -> str:
        return f"{self.verb} {self.n}{self.into}{self.after}"


def _told_of(data: Dataset, result: Clustering) -> tuple[_Told, ...]:
    labels, clusters = data.y_test, result.test
    assert labels is not None
    names = [one_line(name, _LONGEST_NAME) for name in data.class_names]
    merged = evaluation.merged_classes(labels, clusters).values()
    together = [" and ".join(names[c] for c in classes) for classes in merged]
    n_merged = len({c for classes in merged for c in classes})
    split = [names[c] for c in evaluation.split_classes(labels, clusters)]
    lost = [names[c] for c in evaluation.lost_classes(labels, clusters)]
    return (
        _Told("merges", together, n_merged, f" into {_n_clusters(len(merged))}"),
        _Told("splits", split, len(split)),
        _Told("leaves", lost, len(lost), after=" mostly in no cluster"),
    )


def _n_clusters(n: int) -> str:
    return f"{n} clusters" if n > 1 else "one cluster"


def _listed(parts: list[str]) -> str:
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last
