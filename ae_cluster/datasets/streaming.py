"""The samples of a file in parts, as rows that a trained model takes, in little memory."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from ae_cluster.common import bounded_arrays
from ae_cluster.common.bounded_files import UnreadableError
from ae_cluster.common.chunks import slices
from ae_cluster.common.errors import InputError
from ae_cluster.common.files import expanded
from ae_cluster.datasets.arrays import as_column, as_ids, as_samples
from ae_cluster.datasets.columns import BOOL, NUMBER, TEXT, as_table
from ae_cluster.datasets.dataset import Array, numbered_ids
from ae_cluster.datasets.formats import format_of, is_table
from ae_cluster.datasets.image_folders import stream_folder
from ae_cluster.datasets.image_listing import is_folder
from ae_cluster.datasets.preparation import Preparation, say_unseen
from ae_cluster.datasets.shards import ShardedRows, is_sharded
from ae_cluster.datasets.table_files import TableFile
from ae_cluster.datasets.tables import ids_of
from ae_cluster.datasets.user_files import WAY_OUT, ending_of, opened_table

Part = tuple[Array, Array]
Rows = Array | ShardedRows
CHUNK_ROWS = 2**16


@dataclass(frozen=True)
class SampleStream:
    """The samples of a file; each iteration reads them anew, from the first to the last.

    Attributes
    ----------
    n_rows : int or None
        How many there are; None where only reading them all would tell (CSV, Feather).
    parts : callable
        Returns the iterator: pairs of ids (n,) of str and rows (n, n_features), uint8 or float32
        as `ae_cluster.Dataset.raw_train`, n at most what was asked for.
    """

    n_rows: int | None
    parts: Callable[[], Iterator[Part]]

    def __iter__(self) -> Iterator[Part]:
        """Read the file from its beginning."""
        return self.parts()


def open_table(
    path: str | os.PathLike[str],
    preparation: Preparation | None = None,
    chunk_rows: int = CHUNK_ROWS,
    *,
    image_shape: tuple[int, ...] | None = None,
    seen: str | None = None,
    skip_unreadable: bool = False,
    first: int = 0,
) -> SampleStream:
    """Return the samples of a file in parts, prepared as those that a model was trained on.

    CSV, Parquet and Feather are read in parts, a ``.npy`` is mapped, both one shard after the
    other where there are several, and a ``.npz`` is loaded whole; of a folder of pictures each is
    made into the training images' shape. What is wrong with the file is raised at once, what is
    wrong with a row when the iteration comes to it.

    Parameters
    ----------
    path : path
    preparation : Preparation or None
        Of the training table (`Dataset.preparation`); None where training had arrays. Columns
        are found by name; those of an array stand in the order of training.
    chunk_rows : int
        Most rows of a part.
    image_shape : tuple or None
        Of the training images, where these were arrays; None for a table.
    seen : {"bytes", "unit", "whole"} or None
        What the training images came in, see `ae_cluster.common.pixels`.
    skip_unreadable : bool
        Leave out pictures of a folder that cannot be read, and say how many.
    first : int
        The number of the first row: of a shard, how many rows stand before it.

    Returns
    -------
    SampleStream

    Raises
    ------
    InputError
        Naming the file, the column and the way out.
    """
    place = expanded(os.fspath(path))
    if is_folder(place) and not is_sharded(place):
        shape = image_shape if preparation is None else preparation.image_shape
        return SampleStream(*stream_folder(place, shape, chunk_rows, skip_unreadable))
    with _named(place):
        ending = ending_of(place)
        if is_table(ending):
            layer = None if preparation is None else preparation.layer
            table = opened_table(place, ending, layer if ending == ".h5ad" else None)
            if preparation is None:
                preparation = Preparation(ending.removeprefix("."), table.names)
            preparation.check_names([n for n in table.names if n not in table.described])
            chunks = partial(_of_table, place, table, preparation, chunk_rows, first)
            if is_sharded(place) and preparation.id_column in table.names:
                return SampleStream(table.n_rows, lambda: _without_repeats(place, chunks()))
            return SampleStream(table.n_rows, chunks)
        arrays = _arrays(place, ending)
        x = [array for name, array in arrays.items() if name.startswith("x")]
        _check_any(x)
    chunks = partial(_of_arrays, place, arrays, preparation, chunk_rows, image_shape, seen, first)
    return SampleStream(sum(map(len, x)), chunks)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Put a file's name before what is wrong with it."""
    try:
        yield
    except UnreadableError as error:
        raise InputError(f"{path}: {error}: {WAY_OUT}.") from error
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


# Tables


def _of_table(
    path: Path, file: TableFile, preparation: Preparation, chunk_rows: int, first: int
) -> Iterator[Part]:
    kinds = dict.fromkeys(preparation.columns, NUMBER)
    kinds |= dict.fromkeys(preparation.booleans, BOOL) | dict.fromkeys(preparation.categories, TEXT)
    id_column = preparation.id_column if preparation.id_column in file.names else None
    if id_column is not None:
        kinds[id_column] = TEXT
    unseen: Counter[str] = Counter()
    n = first
    with _named(path):
        for batch in file.batches(kinds):
            for start in range(0, batch.num_rows, chunk_rows):
                table = as_table(batch.slice(start, chunk_rows))
                rows, new, _ = preparation.rows(table)
                unseen.update(new)
                yield ids_of(table, id_column, n), _shaped(rows, preparation)
                n += len(rows)
    say_unseen(unseen)


def _without_repeats(path: Path, parts: Iterator[Part]) -> Iterator[Part]:
    """Refuse, at the end, shards that give one id to two samples."""
    read = []
    for ids, rows in parts:
        read.append(_keys(ids))
        yield ids, rows
    _refuse_repeated(path, read)


def refuse_repeated_ids(path: Path, parts: Iterable[Array]) -> None:
    """Raise where shards give one id to two samples; eight bytes of each are kept.

    Raises
    ------
    InputError
    """
    _refuse_repeated(path, [_keys(ids) for ids in parts])


def _keys(ids: Array) -> Array:
    import pandas as pd

    return pd.util.hash_array(ids.astype(object))


def _refuse_repeated(path: Path, keys_of_parts: list[Array]) -> None:
    keys = np.concatenate([*keys_of_parts, np.empty(0, np.uint64)])
    order = np.argsort(keys, kind="stable")
    if len(again := np.flatnonzero(keys[order][1:] == keys[order][:-1])):
        one, two = order[again[0] : again[0] + 2].tolist()
        raise InputError(
            f"{path}: the rows {one:,} and {two:,} of its shards, counted from 0, have one id: "
            "give each sample an id of its own."
        )


def _shaped(rows: Array, preparation: Preparation) -> Array:
    """Return rows of a table, as images where training took them for such."""
    if preparation.image_shape is None:
        return rows
    return as_samples(rows, "the table", preparation.image_shape, preparation.units)[0].rows


# Arrays


def _check_any(arrays: list[Rows]) -> None:
    for array in arrays:
        if array.ndim == 0 or not len(array):
            raise InputError(f"x has shape {array.shape} and holds no samples: give it some.")


def shape_of_array(path: str | os.PathLike[str]) -> tuple[int, ...] | None:
    """Return the shape of what a ``.npy`` or a folder of such holds; None of anything else."""
    place = expanded(os.fspath(path))
    ending = ending_of(place)
    return _arrays(place, ending)["x"].shape if ending == ".npy" else None


def _arrays(path: Path, ending: str) -> dict[str, Rows]:
    if ending == ".npy":
        return {"x": ShardedRows(path) if is_sharded(path) else bounded_arrays.map_npy(path)}
    arrays: dict[str, Rows] = format_of(ending).read(path)
    return arrays


def _of_arrays(
    path: Path,
    arrays: dict[str, Rows],
    preparation: Preparation | None,
    chunk_rows: int,
    image_shape: tuple[int, ...] | None,
    seen: str | None,
    first: int,
) -> Iterator[Part]:
    with _named(path):
        for name in ("x", "x_train", "x_test"):
            if name not in arrays:
                continue
            x, half = arrays[name], name.removeprefix("x")
            ids = None
            if (given := arrays.get(f"ids{half}")) is not None:
                ids = as_ids(as_column(np.asarray(given), f"ids{half}", len(x)), f"ids{half}")
            prefix = f"{half[1:]}-" if half else ""
            for rows in slices(len(x), chunk_rows):
                part = np.asarray(x[rows])
                numbered = numbered_ids(len(part), prefix, first + rows.start)
                yield (
                    numbered if ids is None else ids[rows],
                    _rows(part, preparation, image_shape, seen),
                )


def _rows(
    part: Array,
    preparation: Preparation | None,
    image_shape: tuple[int, ...] | None,
    seen: str | None,
) -> Array:
    if preparation is not None:
        return _shaped(preparation.of_array(part), preparation)
    # As test samples: a part of them need not differ among themselves.
    return as_samples(part, "x_test", image_shape, seen)[0].rows
