"""The one reader of run folders: what it gives is checked, whoever made the folder.

Every array is held against a short schema: its name, its kind and its axes, of which those of
one name have one length. No value decides how much memory is taken.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.errors import ParserWarning

from ae_cluster.common.bounded_arrays import Arrays, read_npz
from ae_cluster.common.bounded_files import (
    MOST_COLUMNS,
    UnreadableError,
    check_lines,
    read_bytes,
    reason,
    told_of,
)
from ae_cluster.common.errors import InputError
from ae_cluster.common.feature_files import is_feature_file
from ae_cluster.common.files import expanded
from ae_cluster.common.global_state import default_state
from ae_cluster.common.spreadsheets import original_table
from ae_cluster.common.texts import shortened
from ae_cluster.datasets import Dataset, load_dataset
from ae_cluster.methods import AUTOENCODER, DEFAULTS
from ae_cluster.records.config import read_config, table_arguments
from ae_cluster.records.rows import COLUMNS, LATER, TEXTS, tidy_row, with_current_names

SPLITS = ("train", "test")
_MOST_SCORES = 2**24  # bytes of scores.csv; long ones of ours have a million
_LONGEST_TEXT = 1000  # characters of its cells but the reason, which is a sentence
_WHOLE = ("seed", "n_clusters", "budget", "draw", "n_components", "n_train", "epochs")
_MOST_UNNAMED = 10_000  # classes of a run that keeps no names of them
_LARGEST = float(np.finfo(np.float32).max)


class Axes(NamedTuple):
    """What an array of a run must be: the kind of its values, and its axes by name."""

    kind: str
    axes: tuple[str, ...]


_CODES = {
    f"{part}_{split}": Axes(kind, (split, *axes))
    for split in SPLITS
    for part, kind, axes in (
        ("ids", "text", ()),
        ("codes", "number", ("component",)),
        ("clusters", "whole number", ()),
        ("soft", "number", ("cluster",)),
        ("share_farther_out", "number", ()),
        ("labels", "whole number", ()),
    )
} | {"centers": Axes("number", ("center", "coordinate"))}
_NEEDED = {f"{part}_{split}" for part in ("ids", "codes", "clusters") for split in SPLITS}
_SNAPSHOTS = {
    "epochs": Axes("whole number", ("epoch",)),
    "codes": Axes("number", ("epoch", "sample", "component")),
    "ids": Axes("text", ("sample",)),
}
_KINDS = {"text": "U", "number": "f", "whole number": "iu"}


def read_run_config(folder: str | PathLike[str]) -> dict[str, Any]:
    """Return the content of a run's config.json, checked.

    Raises
    ------
    InputError
        When the folder is not one of a run.
    """
    return read_config(_place(folder) / "config.json")


def method_names(folder: str | PathLike[str]) -> list[str]:
    """Return the methods of a run that have codes, in the order they were asked for.

    Raises
    ------
    InputError
        When the folder is not one of a run, or none of its methods has codes.
    """
    folder = _place(folder)
    config = read_run_config(folder)
    found = sorted(path.parent.name for path in folder.glob("methods/*/codes.npz"))
    kept = config.get("methods")
    if kept is not None:  # what else lies there is somebody else's
        found = [name for name in found if name in kept]
    if not found:
        raise InputError(f"{folder} holds no codes (methods/NAME/codes.npz); run it again.")
    asked = list(kept or DEFAULTS)
    return sorted(found, key=lambda name: asked.index(name) if name in asked else len(asked))


def described_pipeline(config: dict[str, Any], method: str) -> dict[str, Any]:
    """Return what a run's config says of a method; of runs by the first versions, what follows."""
    usual = {"features": AUTOENCODER, "method": method, "clusterer": method}
    described: dict[str, Any] = usual | config.get("methods", {}).get(method, {})
    return described


@default_state()
def read_codes(folder: str | PathLike[str], method: str) -> dict[str, NDArray[Any]]:
    """Return the arrays of a run's methods/METHOD/codes.npz by name.

    These are for each split ids, codes, clusters and, where they are known, soft, labels and
    share_farther_out; and centers.

    Raises
    ------
    InputError
        When the folder is not one of a run, or its arrays are not what a run writes.

    Examples
    --------
    Of a ``run_folder`` that ``ae-cluster run`` wrote:

    >>> arrays = read_codes(run_folder, "kmeans")
    >>> len(arrays["ids_test"]) == len(arrays["codes_test"]) == len(arrays["clusters_test"])
    True
    """
    folder = _place(folder)
    config = read_run_config(folder)
    path = folder / "methods" / method / "codes.npz"
    try:
        with told_of(path, "do the run again, or take a fresh copy of it"):
            arrays = read_arrays(path, _CODES)
            _check_codes(arrays, config["data"])
    except FileNotFoundError as error:
        known = sorted(p.name for p in (folder / "methods").glob("*"))
        raise InputError(
            f"{path} cannot be read; the methods of this run are: {shortened(', '.join(known))}."
        ) from error
    return arrays


def read_snapshots(folder: str | PathLike[str], method: str, codes: Arrays) -> Arrays | None:
    """Return ``epochs`` and, at each, the ``codes`` of the first training samples.

    None where a run kept none of them, or only one epoch.

    Parameters
    ----------
    codes : dict
        Of `read_codes`.

    Raises
    ------
    InputError
        When the file is there and cannot be used.
    """
    path = _place(folder) / "methods" / method / "snapshots.npz"
    try:
        with told_of(path, "do the run again, or delete the file to do without its epochs"):
            kept = read_arrays(path, _SNAPSHOTS)
            if lacking := sorted({"epochs", "codes"} - kept.keys()):
                raise UnreadableError(f"it lacks the array {lacking[0]}")
            _check_snapshots(kept["codes"], codes["codes_train"])
    except FileNotFoundError:
        return None
    return kept if len(kept["epochs"]) > 1 else None


@default_state()
def read_scores(folder: str | PathLike[str]) -> pd.DataFrame:
    """Return the rows of a run's scores.csv.

    Raises
    ------
    InputError
        When it is missing or does not hold a run's rows.
    """
    folder = _place(folder)
    path = folder / "scores.csv"
    try:
        with told_of(path, "make the run again"):
            rows = original_table(_parsed_scores(read_bytes(path, _MOST_SCORES)))
    except FileNotFoundError as error:
        raise InputError(
            f"{folder} is not the folder of a run: it has no scores.csv; give a folder that "
            "ae-cluster run wrote."
        ) from error
    empty = tidy_row()
    rows = rows.assign(**{name: empty[name] for name in LATER if name not in rows})
    missing = [name for name in COLUMNS if name not in rows]
    if missing or rows.empty:
        what = f"the column {missing[0]}" if missing else "rows"
        raise InputError(f"{path} does not hold the rows of a run: it lacks {what}.")
    with told_of(path, "make the run again"):
        _check_texts(rows)
        return with_current_names(_with_numbers(rows))


def load_data(
    arguments: Mapping[str, Any], data_home: str | Path | None, *, download: bool
) -> Dataset:
    """Return the data set that a run's arguments name, read and split as they say."""
    shape, features = arguments.get("image_shape"), arguments.get("features")
    return load_dataset(
        arguments.get("dataset", ""),
        data_home=data_home,
        download=download,
        test_size=arguments.get("test_size", 0.2),
        seed=arguments.get("split_seed", 0),
        image_shape=tuple(shape) if shape else None,
        features=features if is_feature_file(features) else None,
        **table_arguments(arguments),
    )


def load_samples(
    config: dict[str, Any], sizes: Sequence[int], data_home: str | Path | None
) -> tuple[Dataset | None, str]:
    """Return the data set a run was made on, or None and a sentence that says why not.

    Parameters
    ----------
    config : dict
        Of `read_run_config`.
    sizes : (int, int)
        How many train and test samples the run has codes of.
    data_home : path or None
        As in `ae_cluster.load_dataset`; nothing is downloaded.
    """
    described = config["data"].get("original") or config["data"]
    samples = "images" if described.get("image_shape") else "numbers"
    try:
        data = load_data(config["arguments"], data_home, download=False)
    except InputError:
        return None, f"The run's data set was not found when this page was written: no {samples}."
    found = (len(data.raw_train), len(data.raw_test), list(data.image_shape or ()))
    said = (*sizes, list(config["data"].get("image_shape") or ()))
    if data.fingerprint != config["fingerprint"] or found != said:
        return None, f"The data set has changed since the run: its {samples} are left out."
    return data, ""


# Arrays


def _place(folder: str | PathLike[str]) -> Path:
    return expanded(folder)


def read_arrays(path: Path, schema: dict[str, Axes]) -> Arrays:
    """Return those arrays of a file that the schema names, each of which fits it.

    Raises
    ------
    FileNotFoundError
    UnreadableError
    """
    arrays = read_npz(path, lambda names: [name for name in schema if name in names])
    lengths: dict[str, int] = {}
    for name, array in arrays.items():
        _check_array(name, array, schema[name], lengths)
    return arrays


def _check_array(name: str, array: NDArray[Any], wanted: Axes, lengths: dict[str, int]) -> None:
    if array.dtype.kind not in _KINDS[wanted.kind] or array.dtype == np.longdouble:
        raise UnreadableError(f"the array {name} holds {array.dtype} and no {wanted.kind}")
    if array.ndim != len(wanted.axes):
        raise UnreadableError(
            f"the array {name} has shape {array.shape} where ({', '.join(wanted.axes)}) is expected"
        )
    for axis, length in zip(wanted.axes, array.shape, strict=True):
        if length == 0 or lengths.setdefault(axis, length) != length:
            raise UnreadableError(
                f"the array {name} has shape {array.shape} where there are "
                f"{lengths.get(axis) or 'one or more'} of its axis {axis}"
            )
    if wanted.kind == "number" and not (np.abs(array) <= _LARGEST).all():  # nor NaN
        raise UnreadableError(f"the array {name} holds a number that is no float32")


def _check_codes(arrays: Arrays, data: dict[str, Any]) -> None:
    """Raise unless the arrays of codes.npz are those of one run."""
    if lacking := sorted(_NEEDED - arrays.keys()):
        raise UnreadableError(f"it lacks {', '.join(lacking)}")
    for split in SPLITS:
        n = len(arrays[f"ids_{split}"])
        if data.get(f"n_{split}", n) != n:
            raise UnreadableError(
                f"it holds {n:,} {split} samples, and config.json says {data[f'n_{split}']:,}"
            )
    _check_ids(np.concatenate([arrays[f"ids_{split}"] for split in SPLITS]))
    n_samples = sum(len(arrays[f"ids_{split}"]) for split in SPLITS)
    n_classes = len(data.get("class_names") or ()) or _MOST_UNNAMED
    n_clusters = max(n_samples, len(arrays.get("centers", ())))
    for split in SPLITS:
        _check_below(arrays.get(f"labels_{split}"), f"labels_{split}", n_classes, "classes")
        _check_below(arrays[f"clusters_{split}"], f"clusters_{split}", n_clusters, "clusters")


def _check_ids(ids: NDArray[np.str_]) -> None:
    values, counts = np.unique(ids, return_counts=True)
    if counts.max() > 1:
        twice = shortened(repr(str(values[counts.argmax()])))
        raise UnreadableError(f"the id {twice} stands for {counts.max()} samples")


def _check_below(numbers: NDArray[Any] | None, name: str, n: int, what: str) -> None:
    """Raise unless all are from −1 to n − 1: lists are made of as many entries as the largest."""
    if numbers is not None and not -1 <= int(numbers.min()) <= int(numbers.max()) < n:
        raise UnreadableError(
            f"the array {name} holds numbers from {numbers.min()} to {numbers.max()} where there "
            f"are at most {n:,} {what}"
        )


def _check_snapshots(frames: NDArray[Any], codes: NDArray[Any]) -> None:
    if frames.shape[2] != codes.shape[1] or frames.shape[1] > len(codes):
        raise UnreadableError(
            f"its codes have shape {frames.shape}, and those of codes.npz {codes.shape}"
        )


# Scores


def _parsed_scores(content: bytes) -> pd.DataFrame:
    try:
        text = content.decode("utf-8-sig")
        _check_size(text)
        with warnings.catch_warnings():
            warnings.simplefilter("error", ParserWarning)  # of lines longer than the first
            return pd.read_csv(
                io.BytesIO(content),
                dtype=dict.fromkeys(TEXTS, "str"),
                encoding="utf-8-sig",
                index_col=False,
                low_memory=False,
            )
    except UnreadableError:
        raise
    except (ParserWarning, ValueError, TypeError, OverflowError, MemoryError) as error:
        raise UnreadableError(f"it cannot be read ({reason(error)})") from error


def _check_size(text: str) -> None:
    check_lines(text)
    if text.split("\n", 1)[0].count(",") >= MOST_COLUMNS:
        raise UnreadableError(f"it has more than {MOST_COLUMNS:,} columns")


def _check_texts(rows: pd.DataFrame) -> None:
    for name in sorted(TEXTS - {"reason"}):
        longest = rows[name].fillna("").astype(str).str.len().max()
        if longest > _LONGEST_TEXT:
            raise UnreadableError(f"it holds a {name} of {longest:,} characters")


def _with_numbers(rows: pd.DataFrame) -> pd.DataFrame:
    for name in sorted(set(COLUMNS) - TEXTS):
        if not pd.api.types.is_numeric_dtype(rows[name]):
            try:
                rows[name] = pd.to_numeric(rows[name])
            except (TypeError, ValueError) as error:
                raise UnreadableError(
                    f"it holds a {name} that is no number ({reason(error)})"
                ) from error
    for name in _WHOLE:
        numbers = rows[name].dropna().to_numpy(dtype=np.float64)
        if not (np.abs(numbers) < 2**53).all() or (numbers % 1 != 0).any():
            raise UnreadableError(f"it holds a {name} that is no whole number")
    return rows
