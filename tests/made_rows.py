"""Rows made up for tests of summaries."""

import itertools

import numpy as np
import pandas as pd

from ae_cluster.records.rows import tidy_row

PLACE = {
    "dataset": "mnist",
    "split": "test",
    "method": "kmeans",
    "features": "autoencoder",
    "n_components": 3,
    "n_clusters": 10,
    "n_train": 60_000,
    "epochs": 10,
    "seconds": 20.0,
    "peak_mb": 500.0,
    "uses_k": True,
    "uses_balance": False,
    "uses_augmentation": False,
    "tuned_on": "nothing",
    "status": "ok",
}


def rows_of(scores, **place):
    """Rows of seeds 0, 1, … with these accuracies; None is a seed that failed."""
    failed = {"status": "failed", "reason": "ValueError: singular"}
    return [
        tidy_row(**PLACE | place | {"seed": seed} | (failed if a is None else {"accuracy": a}))
        for seed, a in enumerate(scores)
    ]


def table_of(*groups):
    return pd.DataFrame(list(itertools.chain(*groups)))


def only(summary, **where):
    for column, value in where.items():
        summary = summary[summary[column] == value]
    assert len(summary) == 1
    return summary.iloc[0]


def random_rows(seed=0, n_seeds=10):
    """Rows of eight ways on two splits, about one in seven failed or not there."""
    rng = np.random.default_rng(seed)
    rows = []
    for dataset, method, features in itertools.product(
        ("digits", "mnist"), ("kmeans", "gmm"), ("pca", "autoencoder")
    ):
        for split in ("train", "test"):
            scores = np.where(rng.random(n_seeds) < 0.07, None, rng.random(n_seeds))
            place = {"dataset": dataset, "split": split, "method": method, "features": features}
            rows += [row for row in rows_of(scores, **place) if rng.random() > 0.07]
    return pd.DataFrame(rows)
