"""A run's rows: of every way from samples to clusters, and of a few labels on the same codes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ae_cluster import foreign
from ae_cluster.baselines import Codes
from ae_cluster.clustering import Clustering, cluster_codes
from ae_cluster.evaluation import NOISE
from ae_cluster.methods import Way, codes_facts, is_foreign, row_facts
from ae_cluster.scoring import clustering_rows, known_classes
from ae_cluster.semi_supervised import label_budget_rows
from ae_cluster.sources import Job, Source

Row = dict[str, Any]
FAILURES = (ValueError, ArithmeticError, np.linalg.LinAlgError, MemoryError)


def takes_k(way: Way) -> bool:
    """Return whether a way is told the number of clusters."""
    return not is_foreign(way.clusterer) or _number_of(way) is not None


def _number_of(way: Way) -> str | None:
    return foreign.number_of_clusters(foreign.find_class(way.clusterer))


def rows_of_way(way: Way, source: Source, job: Job) -> tuple[list[Row], Clustering | None]:
    """Return a train and a test row, and the clustering; a failure is rows that say so."""
    try:
        result = _clustered(way, source, job)
    except FAILURES as error:
        return failed_rows(way, job, error, source.codes), None
    n_clusters = job.n_clusters if takes_k(way) else _n_found(result)
    place = _place(way, job, source.codes) | {
        "n_clusters": n_clusters,
        "seconds": round(source.codes.seconds + result.seconds, 3),
    }
    rows = clustering_rows(place, job.data, source.codes.train, source.codes.test, result)
    return [row | _error(m) for row, m in zip(rows, source.mse, strict=True)], result


def _clustered(way: Way, source: Source, job: Job) -> Clustering:
    if source.clustering is not None and way.clusterer == source.codes.features:
        return source.clustering
    codes = source.codes
    return cluster_codes(way.clusterer, codes.train, codes.test, job.n_clusters, job.config.seed)


def failed_rows(way: Way, job: Job, error: BaseException, codes: Codes | None = None) -> list[Row]:
    """Return the rows of a way that came to nothing; without codes it was they that failed."""
    failed = {"status": "failed", "reason": " ".join(str(error).split())}
    place = _place(way, job, codes) | {"n_clusters": job.n_clusters} | failed
    return [place | {"split": split} for split in ("train", "test")]


def _place(way: Way, job: Job, codes: Codes | None) -> Row:
    place = _common(job) | {
        "method": way.method,
        "features": way.features,
        "n_components": codes.train.shape[1] if codes else job.config.n_components,
        "n_train": len(job.data.raw_train),
        "epochs": codes.epochs if codes else math.nan,
    }
    return place | row_facts(way.features, way.clusterer, takes_k=takes_k(way))


def _common(job: Job) -> Row:
    return {"dataset": job.data.name, "seed": job.config.seed, "run_id": job.run_id}


def _n_found(result: Clustering) -> int:
    return int(np.unique(result.train[result.train != NOISE]).size)


def _error(mse: float) -> Row:
    return {} if math.isnan(mse) else {"mse": mse}


def few_label_rows(job: Job, codes: Codes) -> list[Row]:
    """Return the rows of every label budget; none where labels are missing."""
    data, config = job.data, job.config
    if data.y_train is None or data.y_test is None or len(known_classes(data.y_train)) < 2:
        return []
    rows = label_budget_rows(
        codes.train,
        data.y_train,
        codes.test,
        data.y_test,
        config.budgets,
        config.draws,
        dataset=data.name,
        features=codes.features,
        seed=config.seed,
    )
    told = codes_facts(codes.features) | {"epochs": codes.epochs}
    for row in rows:  # of a failed one not known, and not known it stays
        row["seconds"] = round(codes.seconds + row["seconds"], 3)
    return [_common(job) | told | row for row in rows]


def notes_on(way: Way, result: Clustering) -> list[str]:
    """Return what must be known of a clustering beside its scores, a sentence each."""
    notes = []
    n_noise = int((result.test == NOISE).sum())
    if n_noise:
        notes.append(
            f"{way.method} leaves {n_noise:,} of {len(result.test):,} test samples in no cluster; "
            "they count as wrong."
        )
    if not takes_k(way):
        notes.append(
            f"{way.method} is not told how many clusters there are; on {way.features} codes it "
            f"found {_n_found(result)}."
        )
    if not result.predicts:
        notes.append(
            f"{way.method} cannot predict: each test sample was given the cluster of the training "
            "sample with the nearest code."
        )
    if is_foreign(way.clusterer):
        notes.append(
            f"{way.method} itself is not saved, which could only be done by pickle: "
            f"methods/{way.kept_as} keeps its clusters and the codes."
        )
    return notes
