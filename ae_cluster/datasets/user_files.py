"""A user's own data: one small reader per format, then the same checks for all."""

from __future__ import annotations

import warnings
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from ae_cluster.common import pixels
from ae_cluster.common.bounded_files import UnreadableError, file_size
from ae_cluster.common.errors import InputError
from ae_cluster.common.feature_files import DATA_ENDINGS, FORMATS
from ae_cluster.common.scalars import plain
from ae_cluster.common.table_options import TableOptions
from ae_cluster.common.texts import encodable, quoted
from ae_cluster.datasets.array_names import COLUMNS
from ae_cluster.datasets.arrays import (
    as_column,
    as_ids,
    as_samples,
    check_training_samples,
    check_unique,
    encode_labels,
    halved,
    split_rows,
)
from ae_cluster.datasets.dataset import Array, Dataset, assemble, numbered_ids
from ae_cluster.datasets.formats import format_of, is_table
from ae_cluster.datasets.preparation import Preparation
from ae_cluster.datasets.shards import ending_of_shards, is_sharded, say_left_out
from ae_cluster.datasets.table_files import Opener, TableFile
from ae_cluster.datasets.tables import Split, read_table

Arrays = dict[str, Array]
Shape = tuple[int, ...] | None

TEST_SIZE = 0.2  # of x, where nothing else is said
WAY_OUT = "save it again, as CSV UTF-8 or Parquet"


def load_file(
    path: Path,
    *,
    test_size: float,
    seed: int,
    image_shape: tuple[int, ...] | None,
    options: TableOptions,
) -> Dataset:
    """Read a file, check every value in it and make a data set of them.

    Raises
    ------
    InputError
        Naming the file, the array or column and the value.
    """
    split = partial(split_rows, test_size=plain(test_size), seed=plain(seed))
    try:
        name, ending = encodable(path.name), ending_of(path)
        if is_sharded(path):
            name = encodable(path.resolve().name) or "shards"
            say_left_out(path, stacklevel=5)
        if is_table(ending):
            return _of_table(name, path, ending, options, split, image_shape)
        _refuse_options(options)
        return _of_arrays(name, path, ending, split, plain(test_size), image_shape)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except MemoryError as error:
        raise InputError(
            f"{path}: its samples do not fit into the memory: give fewer, or as bytes or float32."
        ) from error


def ending_of(path: Path) -> str:
    """Return the ending that a reader is known for; refuse a path that leads to no such file."""
    if is_sharded(path):
        return ending_of_shards(path)
    try:
        file_size(path)
    except UnreadableError as error:
        raise InputError(f"{error}: give a file of type {FORMATS}.") from error
    except FileNotFoundError as error:
        raise InputError("there is no such file: check the path.") from error
    ending = path.suffix.lower()
    if ending not in DATA_ENDINGS:
        raise InputError(f"this is of type {quoted(path.suffix)}: give a file of type {FORMATS}.")
    return ending


def opened_table(path: Path, ending: str, layer: str | None) -> TableFile:
    """Open a table, of which nothing but its names is read.

    Raises
    ------
    InputError
    """
    open_table: Opener = format_of(ending).open_table
    if layer is None:
        return open_table(path)
    if ending != ".h5ad":
        raise InputError(f"--layer is of .h5ad, and this is {ending}: leave it out.")
    return open_table(path, layer)


def _refuse_options(options: TableOptions) -> None:
    if said := options.said():
        raise InputError(f"{', '.join(said)} is of tables, and this holds arrays: leave it out.")


def _of_table(
    name: str, path: Path, ending: str, options: TableOptions, split: Split, image_shape: Shape
) -> Dataset:
    """Return the data set in a table; its columns are checked where they are read."""
    try:
        file = opened_table(path, ending, options.layer)
        found = read_table(file, ending, options, split)
    except UnreadableError as error:
        raise InputError(f"{error}: {WAY_OUT}.") from error
    if found.preparation.id_column is not None:
        check_unique(found.ids)
    x, y = (
        {"x": found.x},
        {} if found.y is None else {f"--label-column {options.label_column}": found.y},
    )
    labels, class_names = encode_labels(y)
    shape = units = None
    if image_shape is not None:
        x, shape, units = _samples(x, image_shape)
    given = x | dict(zip(["y"], labels.values(), strict=False))
    given |= {"ids": found.ids, "place": np.arange(len(found.x))}
    preparation = replace(
        found.preparation, class_names=class_names, image_shape=shape, units=units
    )
    return _assembled(name, halved(given, found.halves), shape, class_names, preparation)


def _of_arrays(
    name: str, path: Path, ending: str, split: Split, test_size: float, image_shape: Shape
) -> Dataset:
    try:
        arrays = format_of(ending).read(path)
    except UnreadableError as error:
        raise InputError(f"{error}: save it again, as plain arrays with numpy.savez.") from error
    x, shape, _ = _samples(arrays, image_shape)
    y, class_names = encode_labels(_columns(arrays, "y", x))
    clean = {**x, **y, **_ids(arrays, x)}
    if "x" in clean:
        n = len(clean["x"])
        clean = halved(clean | {"place": np.arange(n)}, split(n))
    elif test_size != TEST_SIZE:
        warnings.warn(
            f"The test size of {test_size} is not used: {name} has an x_test of its own.",
            stacklevel=5,
        )
    names = _names_of_columns(arrays, clean["x_train"].shape[1], shape)
    return _assembled(name, clean, shape, class_names, column_names=names)


def _assembled(
    name: str,
    clean: Arrays,
    shape: Shape,
    class_names: tuple[str, ...],
    preparation: Preparation | None = None,
    column_names: tuple[str, ...] = (),
) -> Dataset:
    check_training_samples(clean["x_train"])
    if preparation is not None and shape is None:
        column_names = preparation.feature_names
    return assemble(
        name,
        (clean["x_train"], clean["x_test"]),
        (clean.get("y_train"), clean.get("y_test")),
        (clean["ids_train"], clean["ids_test"]),
        image_shape=shape,
        class_names=class_names,
        # Labels may be there, but the number of clusters is the user's to say.
        n_clusters=None,
        column_names=column_names,
        preparation=preparation,
        places=(clean["place_train"], clean["place_test"]) if "place_train" in clean else None,
    )


def _names_of_columns(arrays: Arrays, n: int, shape: Shape) -> tuple[str, ...]:
    """Return the names that a file gives its columns; what cannot be such is said, not used."""
    given = arrays.get(COLUMNS)
    if given is None:
        return ()
    if shape is None and given.shape == (n,) and given.dtype.kind in "US":
        names = tuple(as_ids(given, COLUMNS).tolist())
        if len(set(names)) == n:
            return names
    warnings.warn(
        f"The array {COLUMNS} is not used: it must hold another name, as text, for each of the "
        f"{n:,} columns of a table.",
        stacklevel=5,
    )
    return ()


def _samples(arrays: Arrays, image_shape: Shape) -> tuple[Arrays, Shape, str | None]:
    """Return the checked x arrays (n, n_features), the shape of one image, and its units."""
    given = {name: arrays[name] for name in ("x", "x_train", "x_test") if name in arrays}
    found: dict[str, pixels.Images] = {}
    shapes, seen = set(), None
    for name, x in given.items():
        found[name], shape = as_samples(x, name, image_shape, seen)
        seen = seen or found[name].units
        shapes.add((shape, found[name].rows.shape[1], found[name].rows.dtype))
    if len(shapes) > 1:
        said = " but ".join(f"{name} is {x.dtype} {x.shape}" for name, x in given.items())
        raise InputError(f"{said}: samples must have one type and one shape in train and test.")
    pixels.say(*found.values(), stacklevel=6)
    return {name: images.rows for name, images in found.items()}, shape, seen


def _columns(arrays: Arrays, stem: str, x: Arrays) -> Arrays:
    """Return the given labels or ids, each found to be one value per sample of its x."""
    names = {name: name.replace("x", stem, 1) for name in x}
    return {
        column: as_column(arrays[column], column, len(x[name]))
        for name, column in names.items()
        if column in arrays
    }


def _ids(arrays: Arrays, x: Arrays) -> Arrays:
    """Return the given ids, or else the row in the file."""
    given = {name: as_ids(ids, name) for name, ids in _columns(arrays, "ids", x).items()}
    ids = {}
    for name, samples in x.items():
        part = name.removeprefix("x")
        ids[f"ids{part}"] = given.get(
            f"ids{part}", numbered_ids(len(samples), f"{part[1:]}-" if part else "")
        )
    check_unique(np.concatenate(list(ids.values())))
    return ids
