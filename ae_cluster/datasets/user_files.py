"""A user's own data: one small reader per format, then the same checks for all."""

from __future__ import annotations

import difflib
import math
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from ae_cluster.common import bounded_arrays, pixels
from ae_cluster.common.bounded_files import UnreadableError, file_size
from ae_cluster.common.errors import InputError
from ae_cluster.common.scalars import plain
from ae_cluster.common.texts import encodable, quoted, shortened
from ae_cluster.datasets.arrays import (
    as_column,
    as_ids,
    as_samples,
    check_training_samples,
    check_unique,
    encode_labels,
)
from ae_cluster.datasets.dataset import Array, Dataset, assemble, numbered_ids

Arrays = dict[str, Array]
Shape = tuple[int, ...] | None

WHOLE = ("x", "y", "ids")
TEST_SIZE = 0.2  # of x, where nothing else is said
HALVES = ("x_train", "x_test", "y_train", "y_test", "ids_train", "ids_test")
_OTHER_WORDS = {
    **dict.fromkeys(("label", "labels", "target", "targets", "class", "classes"), "y"),
    **dict.fromkeys(("id", "index", "names"), "ids"),
}


def read_npz(path: Path) -> Arrays:
    """Read those arrays of a ``.npz`` whose names mean something; nothing is unpickled."""
    return bounded_arrays.read_npz(path, _known_names)


def _known_names(found: list[str]) -> list[str]:
    check_names(found)
    _check_unknown_names(found)
    return [name for name in found if name in WHOLE + HALVES]


READERS: dict[str, Callable[[Path], Arrays]] = {".npz": read_npz}


def load_file(
    path: Path, *, test_size: float, seed: int, image_shape: tuple[int, ...] | None
) -> Dataset:
    """Read a file, check every array in it and make a data set of them.

    Raises
    ------
    InputError
        Naming the file, the array and the value.
    """
    try:
        name = encodable(path.name)
        return _as_dataset(name, _read(path), plain(test_size), plain(seed), image_shape)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except MemoryError as error:
        raise InputError(
            f"{path}: its samples do not fit into the memory: give fewer, or as bytes or float32."
        ) from error


def check_names(found: Sequence[str]) -> None:
    """Refuse a file whose arrays leave open what is train and what is test."""
    whole, halves = (sorted(set(found) & set(names)) for names in (WHOLE, HALVES))
    if whole and halves:
        raise InputError(
            f"{', '.join(whole)} and {', '.join(halves)} do not go together: name all arrays "
            "…_train and …_test, or none."
        )
    missing = {"x"} - set(whole) if not halves else {"x_train", "x_test"} - set(halves)
    if missing:
        named = shortened(", ".join(map(repr, found)) or "none")
        raise InputError(
            f"there is no array {' and no '.join(sorted(missing))} (found: {named}): give x_train "
            "and x_test, or x to be split."
        )


def _check_unknown_names(found: Sequence[str]) -> None:
    """Refuse an array whose name must be a slip, and say of any other that it is not used."""
    known = WHOLE if "x" in found else HALVES
    unknown = [name for name in found if name not in WHOLE + HALVES]
    for name in unknown:
        meant = _meant(name, [k for k in known if k not in found])
        if meant:
            raise InputError(
                f"there is an array {quoted(name)}, which means nothing: did you mean {meant}?"
            )
    if unknown:
        warnings.warn(
            f"These arrays are not used: {shortened(', '.join(map(repr, unknown)))}; known are "
            f"{', '.join(known)}.",
            stacklevel=2,
        )


def _meant(name: str, missing: Sequence[str]) -> str | None:
    """Return the known name that is not there and that ``name`` must stand for, or None."""
    stem, _, half = name.lower().partition("_")
    said = "_".join(part for part in (_OTHER_WORDS.get(stem, stem), half) if part)
    close = difflib.get_close_matches(said, missing, n=1, cutoff=0.8)
    return close[0] if close else None


def _read(path: Path) -> Arrays:
    try:
        return _reader(path)(path)
    except FileNotFoundError as error:
        raise InputError("there is no such file: check the path.") from error
    except UnreadableError as error:
        raise InputError(f"{error}: save it again, as plain arrays with numpy.savez.") from error


def _reader(path: Path) -> Callable[[Path], Arrays]:
    try:
        file_size(path)
    except UnreadableError as error:
        raise InputError(f"{error}: give a file of type {' or '.join(READERS)}.") from error
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        what = f"of type {quoted(path.suffix)}"
        raise InputError(f"this is {what}: give a file of type {' or '.join(READERS)}.")
    return reader


def _as_dataset(
    file_name: str, arrays: Arrays, test_size: float, seed: int, image_shape: Shape
) -> Dataset:
    x, shape = _samples(arrays, image_shape)
    y, class_names = encode_labels(_columns(arrays, "y", x))
    clean = {**x, **y, **_ids(arrays, x)}
    if "x" in clean:
        clean = split(clean, test_size, seed)
    elif test_size != TEST_SIZE:
        warnings.warn(
            f"The test size of {test_size} is not used: {file_name} has an x_test of its own.",
            stacklevel=5,
        )
    check_training_samples(clean["x_train"])
    return assemble(
        file_name,
        (clean["x_train"], clean["x_test"]),
        (clean.get("y_train"), clean.get("y_test")),
        (clean["ids_train"], clean["ids_test"]),
        image_shape=shape,
        class_names=class_names,
        # Labels may be there, but the number of clusters is the user's to say.
        n_clusters=None,
    )


def _samples(arrays: Arrays, image_shape: Shape) -> tuple[Arrays, Shape]:
    """Return the checked x arrays (n, n_features), and the shape of one image."""
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
    return {name: images.rows for name, images in found.items()}, shape


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


def split(arrays: Arrays, test_size: float, seed: int) -> Arrays:
    """Split the rows of all arrays alike into random halves, each in the file's order.

    Which rows go where depends on their number, ``test_size`` and ``seed`` alone.
    """
    if not 0 < test_size < 1:
        raise InputError(f"a test size of {test_size} is no share: give one like 0.2.")
    n = len(arrays["x"])
    n_test = math.ceil(n * test_size)
    if n_test == n:
        raise InputError(
            f"a test size of {test_size} leaves nothing of {n} sample(s) to train on: give a "
            "smaller one, or more samples."
        )
    # RandomState's stream is frozen: the same split in every version of numpy.
    order = np.random.RandomState(seed).permutation(n)
    halves = {"test": np.sort(order[:n_test]), "train": np.sort(order[n_test:])}
    return {
        f"{name}_{half}": array[rows]
        for name, array in arrays.items()
        for half, rows in halves.items()
    }
