"""Embeddings of a user's own: numbers that are clustered in place of the samples they are of."""

from __future__ import annotations

import hashlib
import unicodedata
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ae_cluster.common import bounded_arrays
from ae_cluster.common.bounded_files import UnreadableError
from ae_cluster.common.errors import InputError
from ae_cluster.common.feature_files import ENDINGS
from ae_cluster.common.texts import encodable, quoted, shortened
from ae_cluster.datasets.arrays import (
    as_column,
    as_ids,
    as_samples,
    check_training_samples,
    check_unique,
)
from ae_cluster.datasets.columns import NUMBER, OTHER, TEXT, kind_of
from ae_cluster.datasets.dataset import Array, Dataset, IntArray, file_order, fingerprint
from ae_cluster.datasets.formats import npz, parquet
from ae_cluster.datasets.preparation import Preparation
from ae_cluster.datasets.tables import ids_of
from ae_cluster.datasets.user_files import ending_of

if TYPE_CHECKING:
    import pyarrow as pa

_ID_NAMES = ("id", "ids", "index", "name", "file", "filename", "path", "__index_level_0__")
_MOST_NAMED = 3


class _Features(NamedTuple):
    """What a file of features holds.

    Attributes
    ----------
    x : ndarray (n, n_features)
    ids : ndarray of str (n,), or None
    preparation : Preparation or None
        Of a table.
    n_train : int or None
        How many are of an array of their own for training.
    """

    x: Array
    ids: Array | None
    preparation: Preparation | None = None
    n_train: int | None = None


def with_features(data: Dataset, path: Path) -> Dataset:
    """Return a data set whose x are the features in a file; what they are of is `Dataset.shown`.

    Rows are joined by id. Where the file has no ids, it must have as many rows as the data set
    has samples, in the same order.

    Raises
    ------
    InputError
        Naming the file, and samples without features.
    """
    try:
        found = _read(path)
        places = _by_order(found, data, path) if found.ids is None else _by_id(found.ids, data)
        x = as_samples(found.x, "x", None)[0].rows
        n_train = len(data.raw_train)
        train, test = x[places[:n_train]], x[places[n_train:]]
        check_training_samples(train)
    except UnreadableError as error:
        raise InputError(f"{path}: {error}: save it again, as plain numbers.") from error
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    return replace(
        data,
        name=f"{data.name} ({encodable(path.name)})",
        raw_train=train,
        raw_test=test,
        image_shape=None,
        fingerprint=_fingerprint(train, test, data),
        column_names=() if found.preparation is None else found.preparation.columns,
        preparation=found.preparation,
        original=data,
    )


def _fingerprint(train: Array, test: Array, data: Dataset) -> str:
    features = fingerprint({"features_train": train, "features_test": test}, None, ())
    return hashlib.sha256(f"{features} of {data.fingerprint}".encode()).hexdigest()


# From a file


def _read(path: Path) -> _Features:
    ending = ending_of(path)
    if ending == ".npy":
        x = bounded_arrays.read_npy(path)
        _check_rows(x)
        return _Features(x, None)
    if ending == ".npz":
        return _of_npz(path)
    if ending == ".parquet":
        return _of_parquet(path)
    raise InputError(f"features are read from {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]} alone.")


def _check_rows(x: Array) -> None:
    if x.ndim != 2:
        raise InputError(f"it holds an array of shape {x.shape}: give (n, numbers).")


def _of_npz(path: Path) -> _Features:
    arrays = npz.read(path)
    halves = [name for name in ("x", "x_train", "x_test") if name in arrays]
    for name in halves:
        _check_rows(arrays[name])
    if len({arrays[name].shape[1:] for name in halves}) > 1:
        raise InputError("x_train and x_test hold rows of different lengths.")
    ids = [
        as_ids(as_column(arrays[column], column, len(arrays[name])), column)
        for name in halves
        if (column := name.replace("x", "ids", 1)) in arrays
    ]
    return _Features(
        np.concatenate([arrays[name] for name in halves]),
        np.concatenate(ids) if len(ids) == len(halves) else None,
        n_train=None if "x" in arrays else len(arrays["x_train"]),
    )


def _of_parquet(path: Path) -> _Features:
    table = parquet.open_table(path).read((), ())
    kinds = {name: kind_of(table.column(name).type) for name in table.column_names}
    id_column = _id_column(kinds)
    ids = None if id_column is None else ids_of(table, id_column).astype(str)
    lists = [name for name, kind in kinds.items() if kind == OTHER]
    columns = [name for name, kind in kinds.items() if kind == NUMBER and name != id_column]
    if len(lists) == 1 and not columns:
        return _Features(_of_lists(table.column(lists[0])), ids)
    left = [name for name in kinds if name not in (*columns, id_column)]
    if left or not columns:
        raise InputError(
            f"the column {quoted((left or ['x'])[0])} holds no numbers: give the ids in a column "
            "id, and numbers in all others, or a list of them in a single one."
        )
    preparation = Preparation("parquet", tuple(columns), id_column=id_column)
    return _Features(preparation.rows(table)[0], ids, preparation)


def _id_column(kinds: dict[str, str]) -> str | None:
    """Return the column that holds ids: the only one of text, or one that is called so."""
    texts = [name for name, kind in kinds.items() if kind == TEXT]
    named = [name for name in kinds if name.lower() in _ID_NAMES]
    found = texts if len(texts) == 1 else named
    return found[0] if found else None


def _of_lists(column: pa.ChunkedArray) -> Array:
    """Return lists of one length as rows."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        lengths = pc.unique(pc.list_value_length(column)).to_pylist()
        values = pc.cast(pc.list_flatten(column), pa.float32()).to_numpy()
    except (pa.ArrowException, TypeError) as error:
        raise InputError("a column holds neither numbers nor lists of them.") from error
    if len(lengths) != 1 or not lengths[0] or len(values) != len(column) * lengths[0]:
        raise InputError("the lists of numbers have several lengths: give lists of one length.")
    return np.asarray(values).reshape(len(column), -1)


# To the samples


def _by_order(found: _Features, data: Dataset, path: Path) -> IntArray:
    n = len(data.raw_train) + len(data.raw_test)
    if len(found.x) != n:
        raise InputError(
            f"it holds {len(found.x):,} rows without ids, and {data.name} has {n:,} samples: give "
            "a .npz with x and ids, or a .parquet with a column id."
        )
    is_split = data.places is None and found.n_train == len(data.raw_train)
    if found.n_train is not None and not is_split:
        raise InputError(
            f"its x_train and x_test are not the training and test samples of {data.name}: give "
            "ids_train and ids_test, or all as x in the order of the samples."
        )
    ids = np.concatenate([data.ids_train, data.ids_test])
    places = np.argsort(file_order(ids)) if data.places is None else np.concatenate(data.places)
    first, last = ids[places.argmin()], ids[places.argmax()]
    warnings.warn(
        f"{shortened(path.name)} holds no ids: its rows are taken in the order of {data.name}, "
        f"from {quoted(str(first), 60)} to {quoted(str(last), 60)}.",
        stacklevel=6,
    )
    return places


def _by_id(found: Array, data: Dataset) -> IntArray:
    check_unique(found)
    place = {_key(name): i for i, name in enumerate(found.tolist())}
    ids = np.concatenate([data.ids_train, data.ids_test]).tolist()
    places = np.array([place.get(_key(name), -1) for name in ids])
    missing = [name for name, at in zip(ids, places, strict=True) if at < 0]
    if missing:
        raise InputError(
            f"{len(missing):,} of {len(ids):,} samples of {data.name} have no features: "
            f"{_named(missing)} (ids of the file: {_named(found.tolist())}): give each its row."
        )
    if len(found) > len(ids):
        known = {_key(name) for name in ids}
        extra = [name for name in found.tolist() if _key(name) not in known]
        warnings.warn(
            f"{len(extra):,} rows of features are of no sample and not used: {_named(extra)}.",
            stacklevel=6,
        )
    return places


def _key(name: str) -> str:
    """Return what one name has in common however its accents are coded, as disks differ in it."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def _named(names: list[str]) -> str:
    more = ", …" if len(names) > _MOST_NAMED else ""
    return ", ".join(quoted(name, 60) for name in names[:_MOST_NAMED]) + more
