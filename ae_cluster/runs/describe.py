"""What the clusters of a run are like, and which of its samples to look at again."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ae_cluster.clustering.descriptions.clusters import Described, describe_clusters
from ae_cluster.clustering.descriptions.columns import (
    Difference,
    Moments,
    distinguishing_columns,
    image_facts,
    moments,
)
from ae_cluster.clustering.descriptions.duplicates import near_duplicates
from ae_cluster.clustering.descriptions.label_errors import likely_label_errors
from ae_cluster.common.bounded_arrays import Arrays
from ae_cluster.common.bounded_files import UnreadableError, read_bytes
from ae_cluster.common.errors import InputError, nearest
from ae_cluster.common.global_state import default_state
from ae_cluster.common.spreadsheets import original_cell
from ae_cluster.common.texts import quoted
from ae_cluster.datasets import Dataset
from ae_cluster.metrics.clustering import NOISE
from ae_cluster.records.reading import (
    SPLITS,
    load_samples,
    method_names,
    read_codes,
    read_run_config,
)

_MOST_NAMES = 2**20  # bytes of a file of names
NO_SAMPLES = (
    "The run's data set is not found as it was, so nothing is said of columns, images and "
    "near-duplicates; say where it lies with --data-home."
)


class Description(NamedTuple):
    """What was found, as tables.

    Attributes
    ----------
    data, method : str
    n_samples : int
    clusters : DataFrame
        A row per cluster, noise first; see `describe_run`.
    columns : DataFrame
        Of a table: cluster, column, difference, low, high, mean, rest.
    label_errors : DataFrame
        id, label, suggested, p_label, p_suggested, cluster.
    duplicates : DataFrame
        id, other, distance, times_usual.
    notes : list of str
    """

    data: str
    method: str
    n_samples: int
    clusters: pd.DataFrame
    columns: pd.DataFrame
    label_errors: pd.DataFrame
    duplicates: pd.DataFrame
    notes: list[str]


class _Samples(NamedTuple):
    """All samples of a run, train first."""

    ids: NDArray[np.str_]
    arrays: Arrays
    labels: NDArray[np.int64] | None
    class_names: Sequence[str]


@default_state()
def describe_run(
    run: Path,
    method: str | None = None,
    *,
    names: Path | None = None,
    data_home: Path | None = None,
) -> Description:
    """Describe the clusters of a method, over the training and the test samples of a run.

    Columns of ``clusters``
    -----------------------
    cluster, name
        −1 is noise; the name is the user's.
    n, share
    purity, classes
        Where labels are known: the share of the most frequent class, and "class: samples" of each.
    typical, borderline, outliers
        Ids, as tuples: those nearest to the mean code of the cluster, those of which the method is
        least sure, and those farthest out.
    nearest
        "cluster (distance between the mean codes)" of the nearest others.
    columns
        Of a table, what tells it from the rest: "column difference (95 % interval)".
    brightness, variance
        Of images, see `ae_cluster.clustering.descriptions.columns.image_facts`.

    Parameters
    ----------
    run : Path
    method : str or None
        None: the first.
    names : Path or None
        A CSV with the columns cluster and name.
    data_home : Path or None
        Where the run's data set lies.

    Raises
    ------
    InputError
        When the folder is not one of a run, it has no such method, or the names cannot be used.
    """
    config = read_run_config(run)
    known = method_names(run)
    method = known[0] if method is None else method
    if method not in known:
        raise InputError(f"{run} has no method {quoted(method)}: {nearest(method, known)}")
    read = read_codes(run, method)
    samples = _samples(read, config)
    given = {} if names is None else read_names(names, samples.arrays["clusters"])
    sizes = [len(read[f"ids_{split}"]) for split in SPLITS]
    data, note = load_samples(config, sizes, data_home)
    described = describe_clusters(
        samples.arrays["codes"],
        samples.arrays["clusters"],
        sure=samples.arrays["soft"].max(axis=1) if "soft" in samples.arrays else None,
        shares=samples.arrays.get("share_farther_out"),
        labels=samples.labels,
    )
    clusters = _cluster_rows(described, samples, given)
    columns, duplicates = _no_columns(), _duplicates_of(None, samples)
    if data is not None:
        shown = data.shown
        rows = np.concatenate([shown.raw_train, shown.raw_test])
        found = moments(_in_unit(rows), samples.arrays["clusters"])
        columns = _add_samples(clusters, found, shown)
        duplicates = _duplicates_of(rows, samples, shown.is_table)
    return Description(
        str(config["data"]["name"]),
        method,
        len(samples.ids),
        clusters,
        columns,
        _errors_of(samples),
        duplicates,
        [NO_SAMPLES] if note else [],
    )


def _samples(read: Arrays, config: dict[str, Any]) -> _Samples:
    arrays = {
        name: np.concatenate([read[f"{name}_{split}"] for split in SPLITS])
        for name in ("ids", "codes", "clusters", "soft", "share_farther_out")
        if all(f"{name}_{split}" in read for split in SPLITS)
    }
    halves = [
        read.get(f"labels_{split}", np.full(len(read[f"ids_{split}"]), -1)) for split in SPLITS
    ]
    labels = np.concatenate(halves).astype(np.int64)
    names = [str(name) for name in config["data"].get("class_names") or ()]
    n = int(labels.max()) + 1
    names += [str(i) for i in range(len(names), n)]
    return _Samples(arrays["ids"], arrays, labels if n else None, names)


def _in_unit(rows: NDArray[Any]) -> NDArray[Any]:
    return rows / np.float32(255) if rows.dtype == np.uint8 else rows


# Tables


def _cluster_rows(
    described: Sequence[Described], samples: _Samples, names: dict[int, str]
) -> pd.DataFrame:
    ids = samples.ids
    rows = [
        {
            "cluster": of.cluster,
            "name": names.get(of.cluster, "noise" if of.cluster == NOISE else ""),
            "n": of.size,
            "share": of.size / len(ids),
            "purity": of.purity,
            "classes": tuple(f"{samples.class_names[c]}: {n:,}" for c, n in of.classes),
            "typical": tuple(ids[of.typical].tolist()),
            "borderline": tuple(ids[of.borderline].tolist()),
            "outliers": tuple(ids[of.outliers].tolist()),
            "nearest": tuple(f"{other} ({distance:.3g})" for other, distance in of.nearest),
        }
        for of in described
    ]
    frame = pd.DataFrame(rows)
    return frame.drop(columns=["purity", "classes"]) if samples.labels is None else frame


def _no_columns() -> pd.DataFrame:
    return pd.DataFrame(columns=["cluster", *Difference._fields])


def _add_samples(clusters: pd.DataFrame, found: Moments, shown: Dataset) -> pd.DataFrame:
    """Add to the clusters what their samples say; return the columns of a table as a table."""
    if not shown.is_table:
        facts = image_facts(found)
        clusters["brightness"] = [facts[c][0] for c in clusters["cluster"]]
        clusters["variance"] = [facts[c][1] for c in clusters["cluster"]]
        return _no_columns()
    different = distinguishing_columns(found)
    names = shown.column_names or [f"column {i}" for i in range(1, found.means.shape[1] + 1)]
    clusters["columns"] = [
        tuple(
            f"{names[d.column]} {d.difference:+.2f} ({d.low:.2f} to {d.high:.2f})"
            for d in different.get(cluster, ())
        )
        for cluster in clusters["cluster"]
    ]
    rows = [
        {"cluster": cluster} | d._asdict() | {"column": names[d.column]}
        for cluster, differences in different.items()
        for d in differences
    ]
    return pd.DataFrame(rows, columns=_no_columns().columns)


def _errors_of(samples: _Samples) -> pd.DataFrame:
    labels = np.full(len(samples.ids), -1) if samples.labels is None else samples.labels
    found = likely_label_errors(samples.arrays["codes"], labels)
    names = np.array([*samples.class_names, ""], dtype=object)
    return pd.DataFrame(
        {
            "id": samples.ids[found.rows],
            "label": names[labels[found.rows]],
            "suggested": names[found.suggested],
            "p_label": found.own,
            "p_suggested": found.other,
            "cluster": samples.arrays["clusters"][found.rows],
        }
    )


def _duplicates_of(
    rows: NDArray[Any] | None, samples: _Samples, is_table: bool = True
) -> pd.DataFrame:
    if rows is None:
        return pd.DataFrame(columns=["id", "other", "distance", "times_usual"])
    found = near_duplicates(rows, is_table=is_table)
    return pd.DataFrame(
        {
            "id": samples.ids[found.first],
            "other": samples.ids[found.second],
            "distance": found.distance,
            "times_usual": found.distance / (found.usual or 1.0),
        }
    )


# A user's names


def read_names(path: Path, clusters: NDArray[np.int64]) -> dict[int, str]:
    """Return the names in a CSV with the columns cluster and name.

    Raises
    ------
    InputError
        When it cannot be read, or names a cluster that has no sample.
    """
    try:
        text = read_bytes(path, _MOST_NAMES).decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text), strict=True))
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file; check the path.") from error
    except (UnreadableError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: it cannot be read ({error}); save it as CSV UTF-8.") from error
    if not rows or not {"cluster", "name"} <= rows[0].keys():
        raise InputError(f"{path}: its first line must name the columns cluster and name.")
    known = {str(cluster): int(cluster) for cluster in np.unique(clusters)}
    found: dict[int, str] = {}
    for row in rows:
        cluster = (row["cluster"] or "").strip()
        if cluster not in known:
            raise InputError(
                f"{path}: {quoted(cluster, 40)} is no cluster of this run; its clusters are "
                f"{min(known.values())} to {max(known.values())}."
            )
        found[known[cluster]] = str(original_cell((row["name"] or "").strip()))
    return found
