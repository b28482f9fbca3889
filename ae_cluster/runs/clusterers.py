"""What a run keeps so that new samples can be assigned later, and its table of clusters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ae_cluster.clustering.codes import Clustering
from ae_cluster.clustering.heads import (
    CenterHead,
    CodeHead,
    Head,
    distance_quantiles,
    variance_within,
)
from ae_cluster.clustering.outlier_scores import seen_by
from ae_cluster.clustering.outliers import FAR_OUT, OutlierScore, as_they_are
from ae_cluster.common.bounded_arrays import Arrays
from ae_cluster.common.spreadsheets import safe_table
from ae_cluster.common.stage_times import stage
from ae_cluster.common.write_lock import claim
from ae_cluster.datasets import Dataset
from ae_cluster.datasets.dataset import file_order
from ae_cluster.records.clusterers import SCALED_BY, Clusterer, write_clusterer
from ae_cluster.runs.encoders import FittedEncoder

CLUSTERS = "clusters.csv"
MODEL, SAMPLES = "model", "samples"  # what makes codes
OF_OUTLIERS = "outlier_"  # the arrays of a score of outliers
MOST_CODES = 50  # columns of codes in the table; wider ones are the samples, or as good as them


def head_of(codes: NDArray[Any], result: Clustering) -> Head:
    """Return what assigns codes to the clusters of a method, or measures how far out they lie."""
    if result.head is not None:
        return result.head
    if result.centers is None:  # of somebody else's clusterer
        return CodeHead(codes, result.train)
    return CenterHead(result.centers, variance_within(codes, result.train, result.centers))


class Outliers(NamedTuple):
    """How far out the samples of a run lie, whichever method puts them into clusters.

    Attributes
    ----------
    score : OutlierScore
    train, test : ndarray (n,)
        Which share of the training samples lies farther out than each.
    """

    score: OutlierScore
    train: NDArray[np.float32]
    test: NDArray[np.float32]


@stage("outliers")
def outliers_of(data: Dataset, encoders: Sequence[FittedEncoder]) -> Outliers:
    """Return how far out the samples of a run lie, given what made its codes.

    All these saw the same samples, scaled in the same way; where there is a model, it scales.
    """
    models = [encoder.model for encoder in encoders if encoder.model is not None]
    if models:
        halves, seen = (data.raw_train, data.raw_test), seen_by(models[0])
    else:
        halves, seen = encoders[0].codes[1:3], as_they_are
    learnt = (getattr(model, "outliers_", None) for model in models)
    score = next((s for s in learnt if s is not None), None) or OutlierScore.fit(halves[0], seen)
    train, test = (score.shares(rows, seen) for rows in halves)
    return Outliers(score, train, test)


def keep_clusterer(
    folder: Path,
    method: str,
    data: Dataset,
    encoder: FittedEncoder,
    result: Clustering,
    outliers: OutlierScore,
) -> None:
    """Write what assigns new samples to a method's clusters into the run's folder."""
    codes = encoder.codes.train
    head = head_of(codes, result)
    arrays: Arrays = dict(head.arrays())
    found = head.assign(codes, result.train)
    quantiles = distance_quantiles(result.train, found.distances, len(head.centers))
    arrays["quantiles"] = quantiles.astype(np.float32)
    codes_by = MODEL if encoder.model is not None else SAMPLES
    if (scaling := encoder.codes.scaling) is not None:
        codes_by = next(name for name, kind in SCALED_BY.items() if kind == scaling.kind)
        arrays |= {"mean": scaling.mean, "scale": scaling.scale}
    units = "table" if data.is_table else _units_of(data)
    arrays |= {f"{OF_OUTLIERS}{name}": array for name, array in outliers.arrays().items()}
    write_clusterer(
        folder, method, Clusterer(head.kind, codes_by, units, result.head is None, arrays)
    )


def _units_of(data: Dataset) -> str:
    return "bytes" if data.raw_train.dtype == np.uint8 else "unit"


# The table of clusters


class Assigned(NamedTuple):
    """Clusters and confidence of one method, both splits, train first.

    Attributes
    ----------
    clusters : ndarray (n,)
    confidence : ndarray (n,) or None
        The largest membership; None where there are no memberships.
    """

    clusters: NDArray[np.int64]
    confidence: NDArray[Any] | None


def assigned_by(codes: Sequence[NDArray[Any]], result: Clustering) -> Assigned:
    """Return clusters and confidence of a clustering of codes (train, test)."""
    clusters = np.concatenate([result.train, result.test])
    if result.soft_train is not None and result.soft_test is not None:
        soft: NDArray[Any] | None = np.concatenate([result.soft_train, result.soft_test])
    else:
        soft = head_of(codes[0], result).assign(np.concatenate(codes), clusters).soft
    return Assigned(clusters, None if soft is None else soft.max(axis=1))


def cluster_table(
    ids: tuple[NDArray[np.str_], NDArray[np.str_]],
    methods: Mapping[str, Assigned],
    codes: NDArray[Any],
    shares: NDArray[Any] | None,
) -> pd.DataFrame:
    """Return a row per sample, in the order of their file, as clusters.csv has it.

    Columns
    -------
    id, split
    NAME, NAME_confidence
        For each method: the cluster, −1 for noise, and the largest membership; empty where the
        method has no memberships.
    share_farther_out, outlier
        Which share of the training samples lies farther out, and whether that is below 1 %; not in
        a run of an earlier version.
    code_1, code_2, …
        Of the first method, unless there are more than `MOST_CODES`.

    Parameters
    ----------
    ids : (ndarray, ndarray)
        Of the train and the test samples.
    methods : mapping
    codes : ndarray (n, n_components)
        Train first.
    shares : ndarray (n,) or None
        Train first.
    """
    every = np.concatenate(ids)
    columns: dict[str, Any] = {"id": every, "split": np.repeat(["train", "test"], [*map(len, ids)])}
    for name, (clusters, confidence) in methods.items():
        columns[name] = clusters
        missing = np.full(len(every), np.nan)
        columns[f"{name}_confidence"] = missing if confidence is None else confidence
    if shares is not None:
        columns |= {"share_farther_out": shares, "outlier": shares < FAR_OUT}
    if codes.shape[1] > MOST_CODES:
        codes = codes[:, :0]
    columns |= {f"code_{i}": column for i, column in enumerate(codes.T, start=1)}
    return pd.DataFrame(columns).iloc[file_order(every)].reset_index(drop=True)


def table_of_run(
    data: Dataset, kept: Mapping[str, tuple[FittedEncoder, Clustering]], outliers: Outliers
) -> pd.DataFrame:
    """Return the table of clusters of a run's methods by name, the first asked for first."""
    methods = {
        name: assigned_by(encoder.codes[1:3], result) for name, (encoder, result) in kept.items()
    }
    first = next(iter(kept.values()))[0].codes
    codes, shares = np.concatenate([first.train, first.test]), np.concatenate(outliers[1:])
    return cluster_table((data.ids_train, data.ids_test), methods, codes, shares)


def write_clusters(folder: Path, table: pd.DataFrame) -> None:
    """Write clusters.csv into the run's folder."""
    claim(folder, CLUSTERS)
    safe_table(table).to_csv(folder / CLUSTERS, index=False, float_format="%.7g")
