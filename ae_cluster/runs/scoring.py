"""Codes and clusters to tidy rows: every score, on both splits."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from ae_cluster.clustering.codes import Clustering, cluster_codes
from ae_cluster.common.stage_times import stage
from ae_cluster.datasets import Dataset
from ae_cluster.methods import Pipeline, row_facts
from ae_cluster.metrics import class_errors, clustering
from ae_cluster.metrics import codes as code_scores
from ae_cluster.metrics.classes import known_classes, told_classes
from ae_cluster.metrics.clustering import NOISE
from ae_cluster.records.rows import FAILED, without_scores
from ae_cluster.runs.beside import Beside
from ae_cluster.runs.encoders import Codes, FittedEncoder, Job
from ae_cluster.runs.estimate import few_labels_seconds
from ae_cluster.runs.plan import Plan
from ae_cluster.semi_supervised.evaluation import label_budget_rows

Row = dict[str, Any]


def clustering_rows(place: Row, data: Dataset, codes: Codes, result: Clustering) -> list[Row]:
    """Return a train and a test row for one clustering: every one, of runs and of experiments.

    Parameters
    ----------
    place : dict
        The columns that are the same on both, but for seconds.
    data : Dataset
        Its labels are read here and nowhere before.
    codes : Codes
    result : Clustering
        Of these codes.
    """
    place = place | {"seconds": round(codes.seconds + result.seconds, 3)}
    mapping = cluster_names(data, result)
    neighbor = neighbor_accuracy(data, codes.train, codes.test)
    splits = (
        ("train", data.y_train, codes.train, result.train, codes.mse[0], codes.faithful[0]),
        ("test", data.y_test, codes.test, result.test, codes.mse[1], codes.faithful[1]),
    )
    return [
        place
        | {"split": split, "status": "ok", "mse": float(error)}
        | external_scores(labels, clusters, mapping)
        | code_scores.internal_scores(rows, clusters)
        | faithful
        | ({"neighbor_accuracy": neighbor} if split == "test" else {})
        for split, labels, rows, clusters, error, faithful in splits
    ]


def classifier_rows(place: Row, codes: Codes, rows: list[Row]) -> list[Row]:
    """Return rows of `label_budget_rows` with what their codes are and cost.

    Parameters
    ----------
    place : dict
        More columns, the same on all.
    """
    place = {"epochs": codes.epochs} | place
    return [
        # Of a failed one the seconds are not known, and not known they stay.
        place | row | {"seconds": round(codes.seconds + row["seconds"], 3)}
        for row in rows
    ]


def cluster_names(data: Dataset, result: Clustering) -> dict[int, int] | None:
    """Return the clusters' classes, one to one, learnt on train; None without train labels."""
    if data.y_train is None:
        return None
    return clustering.matched_map(data.y_train, result.train)


def external_scores(
    labels: NDArray[np.int64] | None,
    clusters: NDArray[np.int64],
    mapping: dict[int, int] | None,
) -> dict[str, float]:
    """Return the scores against labels, of the labels that are known; without labels, none."""
    if labels is None:
        return {}
    scores = clustering.external_scores(labels, clusters, mapping or {})
    return scores if mapping is not None else scores | {"accuracy": math.nan}


def neighbor_accuracy(data: Dataset, codes_train: NDArray[Any], codes_test: NDArray[Any]) -> float:
    """Return the nearest-neighbour accuracy of codes; NaN where labels are missing."""
    if data.y_train is None or data.y_test is None:
        return math.nan
    return code_scores.neighbor_accuracy(codes_train, data.y_train, codes_test, data.y_test)


def class_table(data: Dataset, result: Clustering) -> pd.DataFrame:
    """Return a table of the classes on test: samples, recall, its clusters, who shares them.

    Columns
    -------
    label, name, n_test, recall (under the match learnt on train), clusters (of a split class),
    merged_with (classes in the same cluster or mixed with it over several); defined by
    `split_classes`, `merged_classes` and `mixed_classes` of `metrics/class_errors.py`.
    """
    columns = ["label", "name", "n_test", "recall", "clusters", "merged_with"]
    if data.y_test is None:
        return pd.DataFrame(columns=columns)
    recall = clustering.per_class_recall(
        data.y_test, result.test, cluster_names(data, result) or {}
    )
    split = class_errors.split_classes(data.y_test, result.test)
    merged = class_errors.merged_classes(data.y_test, result.test).values()
    mixed = class_errors.mixed_classes(data.y_test, result.test)
    rows = []
    for label in known_classes(data.y_test).tolist():
        together = {c for classes in merged if label in classes for c in classes} - {label}
        others = sorted(together.union(mixed.get(label, ())))
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
    """Return in a sentence which classes a clustering merges, mixes, splits, leaves out on test."""
    return told_classes(method, data.y_test, result.test, data.class_names)


FAILURES = (ValueError, ArithmeticError, np.linalg.LinAlgError, MemoryError)


def rows_of_pipeline(
    pipeline: Pipeline, encoder: FittedEncoder, job: Job
) -> tuple[list[Row], Clustering | None]:
    """Return a train and a test row, and the clustering; a failure is rows that say so."""
    try:
        result = _clustered(pipeline, encoder, job)
    except FAILURES as error:
        return failed_rows(pipeline, job, error, encoder.codes), None
    n_clusters = job.plan.n_clusters if job.plan.takes_k(pipeline) else _n_found(result)
    place = _place(pipeline, job, encoder.codes) | {"n_clusters": n_clusters}
    return _unless_collapsed(
        clustering_rows(place, job.data, encoder.codes, result), encoder
    ), result


def _unless_collapsed(rows: list[Row], encoder: FittedEncoder) -> list[Row]:
    """Return rows as they are, or without scores where their codes have collapsed."""
    if not encoder.collapse:
        return rows
    return [without_scores(row, encoder.collapse) for row in rows]


def _clustered(pipeline: Pipeline, encoder: FittedEncoder, job: Job) -> Clustering:
    if encoder.clustering is not None and pipeline.clusterer == encoder.codes.features:
        return encoder.clustering
    codes = encoder.codes
    with warnings.catch_warnings():
        if encoder.collapse:  # which is said in our own words
            warnings.simplefilter("ignore", ConvergenceWarning)
        return cluster_codes(
            job.plan.clusterer(pipeline),
            codes.train,
            codes.test,
            job.plan.n_clusters,
            job.config.seed,
        )


def failed_rows(
    pipeline: Pipeline, job: Job, error: BaseException, codes: Codes | None = None
) -> list[Row]:
    """Return the rows of a pipeline that failed; without codes it was they that failed."""
    failed = {"status": FAILED, "reason": " ".join(str(error).split())}
    place = _place(pipeline, job, codes) | {"n_clusters": job.plan.n_clusters} | failed
    return [place | {"split": split} for split in ("train", "test")]


def _place(pipeline: Pipeline, job: Job, codes: Codes | None) -> Row:
    place = _common(job) | {
        "method": pipeline.method,
        "features": pipeline.features,
        "n_components": codes.train.shape[1] if codes else job.config.n_components,
        "n_train": len(job.data.raw_train),
        "epochs": codes.epochs if codes else math.nan,
    }
    takes_k = job.plan.takes_k(pipeline)
    return place | row_facts(pipeline.features, pipeline.clusterer, takes_k=takes_k)


def _common(job: Job) -> Row:
    return {"dataset": job.data.name, "seed": job.config.seed, "run_id": job.run_id}


def _n_found(result: Clustering) -> int:
    return int(np.unique(result.train[result.train != NOISE]).size)


def few_label_rows(job: Job, encoder: FittedEncoder, beside: Beside) -> Callable[[], list[Row]]:
    """Begin the rows of every label budget, and return what gives them.

    There are none where labels are missing.
    """
    data, config, codes = job.data, job.config, encoder.codes
    if not _has_classes(data):
        return list
    job.say(f"Trying classifiers from a few labels on the {codes.features} codes …")
    work = partial(
        label_budget_rows,
        dataset=data.name,
        features=codes.features,
        seed=config.seed,
    )
    seconds = _few_labels_seconds(job)
    halves = codes.train, data.y_train, codes.test, data.y_test
    found = beside.begin(seconds, work, *halves, config.budgets, config.draws)

    @stage("few labels")
    def rows() -> list[Row]:
        return _unless_collapsed(classifier_rows(_common(job), codes, found()), encoder)

    return rows


def prepare_few_labels(job: Job, beside: Beside) -> None:
    """Let the process beside the run load what `few_label_rows` will need."""
    if _has_classes(job.data):
        beside.prepare(_few_labels_seconds(job), label_budget_rows.__module__)


def _few_labels_seconds(job: Job) -> float:
    return few_labels_seconds(job.config, len(job.data.raw_test))


def _has_classes(data: Dataset) -> bool:
    return (
        data.y_train is not None
        and data.y_test is not None
        and len(known_classes(data.y_train)) > 1
    )


def notes_on(pipeline: Pipeline, result: Clustering, plan: Plan) -> list[str]:
    """Return what must be known of a clustering beside its scores, a sentence each."""
    notes = []
    n_noise = int((result.test == NOISE).sum())
    if n_noise:
        notes.append(
            f"{pipeline.method} leaves {n_noise:,} of {len(result.test):,} test samples in no "
            "cluster; they count as wrong."
        )
    if not plan.takes_k(pipeline):
        notes.append(
            f"{pipeline.method} is not told how many clusters there are; on {pipeline.features} "
            f"codes it found {_n_found(result)}."
        )
    if not result.predicts:
        notes.append(
            f"{pipeline.method} cannot predict: each test sample was given the cluster of the "
            "training sample with the nearest code."
        )
    if plan.is_external(pipeline):
        notes.append(
            f"{pipeline.method} itself is not saved, which could only be done by pickle: "
            f"methods/{pipeline.kept_as} keeps its clusters and the codes."
        )
    return notes
