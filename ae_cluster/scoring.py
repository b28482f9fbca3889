"""Codes and clusters to tidy rows: every score, on both splits."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ae_cluster import evaluation
from ae_cluster.clustering import Clustering
from ae_cluster.datasets import Dataset


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
    label, name, n_test, recall (under the match learnt on train), clusters (that
    hold at least a quarter of it), merged_with (classes living in the same one).
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
    """Return in a sentence which classes a clustering merges and splits on test."""
    if data.y_test is None:
        return f"{method}: no test label is known, so merged or split classes cannot be told."
    names = data.class_names
    merged = [
        " and ".join(names[c] for c in classes)
        for classes in evaluation.merged_classes(data.y_test, result.test).values()
    ]
    split = [names[c] for c in evaluation.split_classes(data.y_test, result.test)]
    said = [f"merges {', '.join(merged)}"] if merged else []
    said += [f"splits {', '.join(split)}"] if split else []
    return f"{method} {' and '.join(said) or 'neither merges nor splits a class'} (test samples)."
