"""What a user's arrays must be, and what they become. Pure functions of named arrays."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from ae_cluster.common import pixels
from ae_cluster.common.chunks import slices
from ae_cluster.common.errors import InputError
from ae_cluster.common.labels import classes_of, label_key, number_in
from ae_cluster.common.texts import encodable, quoted
from ae_cluster.datasets.dataset import Array, FloatArray, IntArray
from ae_cluster.datasets.room import room_for, rows_of

_ROWS_LOOKED_AT = 2000


def as_samples(
    x: Array, name: str, image_shape: tuple[int, ...] | None, seen: str | None = None
) -> tuple[pixels.Images, tuple[int, ...] | None]:
    """Return samples as (n, n_features), and the shape of one image or None for a table.

    Images become uint8 bytes or float32 in [0, 1], a table becomes float32, of no units.
    ``seen`` is what the training images came in, see `ae_cluster.common.pixels.as_images`.
    """
    if x.dtype.kind not in "buif":
        raise InputError(f"{name} holds {x.dtype}: samples must be real numbers.")
    if x.ndim not in (2, 3, 4):
        raise InputError(
            f"{name} has shape {x.shape}: samples must be images (n, h, w) or (n, h, w, channels), "
            "or a table (n, columns)."
        )
    if x.size == 0:
        raise InputError(f"{name} has shape {x.shape} and holds nothing: give it samples.")
    _check_finite(x, name)
    shape = _shape_of_one(x, name, image_shape)
    flat = _row_by_row(x).reshape(len(x), -1)
    if shape is None:
        return pixels.Images(_as_table(flat, name), ""), None
    images = pixels.as_images(flat, name, seen=seen)
    if images.rows.dtype != np.uint8:
        images = images._replace(rows=images.rows.astype(np.float32, copy=False))
    return images, shape


def _row_by_row(x: Array) -> Array:
    """Return samples that lie one after the other, as those of a transposed array do not."""
    if x.flags.c_contiguous:
        return np.asarray(x)
    found = room_for(x.shape, x.dtype)
    for part in slices(len(x), _ROWS_LOOKED_AT):
        found[part] = x[part]
    return found


def normal_image_shape(shape: Iterable[int]) -> tuple[int, ...]:
    """Return (h, w) or (h, w, channels) with a single channel dropped."""
    normal = tuple(int(size) for size in shape)
    if len(normal) not in (2, 3) or min(normal) < 1:
        raise InputError(
            f"the image shape {normal} is none: give height and width, or height, width and "
            "channels."
        )
    return normal[:2] if normal[2:] == (1,) else normal


def _check_finite(x: Array, name: str) -> None:
    if x.dtype.kind != "f" or _is_finite(x):
        return
    bad = ~np.isfinite(x)
    axes = ("row", "column") if x.ndim == 2 else ("image", "row", "column", "channel")
    first = np.unravel_index(int(bad.argmax()), x.shape)
    where = ", ".join(f"{axis} {int(i)}" for axis, i in zip(axes, first, strict=False))
    raise InputError(
        f"{name} holds {np.count_nonzero(bad):,} NaN or infinite value(s), the first at {where} "
        "(counted from 0): remove these samples or fill the values in."
    )


def _is_finite(x: Array) -> bool:
    return all(np.isfinite(x[part]).all() for part in slices(len(x), _ROWS_LOOKED_AT))


def _shape_of_one(
    x: Array, name: str, image_shape: tuple[int, ...] | None
) -> tuple[int, ...] | None:
    wanted = None if image_shape is None else normal_image_shape(image_shape)
    pixels.check_channels_last(wanted or (), name)
    pixels.check_channels_last(x.shape[1:], name)
    if x.ndim == 2:
        if wanted is not None and math.prod(wanted) != x.shape[1]:
            raise InputError(
                f"{name} has {x.shape[1]} columns but images of shape {wanted} have "
                f"{math.prod(wanted)} values: give the image shape that fits."
            )
        return wanted
    shape = normal_image_shape(x.shape[1:])
    if wanted not in (None, shape):
        raise InputError(
            f"{name} holds images of shape {shape}, not {wanted}: leave the image shape out."
        )
    return shape


def _as_table(x: Array, name: str) -> FloatArray:
    table = _as_float32(x, name)
    if name != "x_test":  # the training samples' spread is what columns are divided by
        some = some_rows(len(x))
        check_columns(x[some], table[some], table, name)
    return table


def some_rows(n: int) -> slice:
    """Return about two thousand of ``n`` rows, evenly spread, to look at more closely."""
    return slice(None, None, math.ceil(n / _ROWS_LOOKED_AT))


def check_columns(
    given: Array,
    kept: FloatArray,
    table: FloatArray,
    name: str,
    columns: Sequence[str] = (),
    rows: IntArray | None = None,
) -> IntArray:
    """Refuse a column most of whose values float32 cannot tell apart once it is standardised.

    Such are large numbers that differ little (times in seconds), numbers below 1e-38, and any
    column beside one value so huge that the rest becomes zero.

    Parameters
    ----------
    given, kept : ndarray of shape (n_some, n_columns)
        Some rows as they were given, and as float32.
    table : ndarray of shape (n, n_columns)
    name : str
        What to call the table.
    columns : sequence of str
        Their names; numbers where there are none.
    rows : ndarray of int64, default=None
        Those whose mean and spread count; ``None``: all.

    Returns
    -------
    ndarray of int64
        The columns that hold a single value.
    """
    mean, spread = _mean_and_spread(table, rows)
    with np.errstate(all="ignore"):
        fed = (kept - mean.astype(np.float32)) / spread.astype(np.float32)
    for column, (before, after) in enumerate(zip(given.T, fed.T, strict=True)):
        n_kept = len(np.unique(after))
        if n_kept < 0.7 * len(before) and n_kept < 0.7 * (n_given := len(np.unique(before))):
            called = quoted(columns[column]) if columns else f"column {column} (counted from 0)"
            values = table[:, column] if rows is None else table[rows, column]
            raise InputError(
                f"{name} holds values from {values.min():g} to {values.max():g} in {called}, of "
                f"which standardised float32 tells {n_kept} of {n_given} apart: subtract their "
                "middle, rescale them, take logarithms, or leave the column out."
            )
    return np.flatnonzero(spread == 0)


def _mean_and_spread(
    table: FloatArray, rows: IntArray | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return each column's mean and standard deviation, without a second table in memory."""
    n = len(table) if rows is None else len(rows)
    # Sums of differences from some row lose no digits that count, and are 0 where values are one.
    start = table[0 if rows is None else rows[0]].astype(np.float64)
    sums, squares = np.zeros_like(start), np.zeros_like(start)
    for part in slices(n, _ROWS_LOOKED_AT):
        off = table[part if rows is None else rows[part]] - start
        sums += off.sum(axis=0)
        squares += np.einsum("ij,ij->j", off, off)
    mean = sums / n
    return start + mean, np.sqrt(np.maximum(squares / n - mean**2, 0))


def _as_float32(x: Array, name: str) -> FloatArray:
    table = x
    if x.dtype != np.float32:
        table = room_for(x.shape, np.float32)
        for part in slices(len(x), _ROWS_LOOKED_AT):
            with np.errstate(over="ignore"):
                table[part] = x[part]
    if not _is_finite(table):
        raise InputError(
            f"{name} holds values from {x.min():g} to {x.max():g}, too large for float32: "
            "rescale the columns."
        )
    return table


def check_training_samples(x: Array) -> None:
    """Refuse training samples (n, n_features) in which there is nothing to find."""
    if len(x) < 2:
        raise InputError(f"there is {len(x)} training sample: give at least two, better hundreds.")
    parts = (x[part] for part in slices(len(x), _ROWS_LOOKED_AT))
    if not any((part != x[0]).any() for part in parts):
        raise InputError(
            f"all {len(x):,} training samples are the same: there is nothing to cluster."
        )


def encode_labels(labels: dict[str, Array]) -> tuple[dict[str, IntArray], tuple[str, ...]]:
    """Give the classes of all arrays together numbers from 0, in sorted order; -1 stays unknown.

    Returns the numbers under the same keys, and the name of each class. What is unknown, and
    which spellings are one class, is said in `ae_cluster.common.labels`.
    """
    values = {name: label_values(y, name) for name, y in labels.items()}
    if not values:
        return {}, ()
    if len({v.dtype.kind for v in values.values()}) > 1:
        _check_all_numbers(values)
    classes, columns = classes_of(np.concatenate(list(values.values())))
    ends = np.cumsum([len(v) for v in values.values()])[:-1]
    codes = dict(zip(values, np.split(columns, ends), strict=True))
    return codes, tuple(str(value) for value in classes)


def _check_all_numbers(values: dict[str, Array]) -> None:
    """Refuse names beside numbers: they can hardly be of the same classes."""
    texts = {text for v in values.values() if v.dtype.kind == "U" for text in v.tolist()}
    if any(label_key(text) and number_in(text) is None for text in texts):
        raise InputError(f"{' and '.join(values)} mix numbers and text: use one of the two.")


def label_values(y: Array, name: str) -> Array:
    """Return labels as int64, -1 where there is none, or as text.

    Raises
    ------
    InputError
        When they are neither whole numbers nor text.
    """
    if y.dtype.kind in "US":
        return _as_text(y, name)
    if y.dtype.kind not in "buif":
        raise InputError(f"{name} holds {y.dtype}: labels must be whole numbers or text.")
    if y.dtype.kind == "f":
        y = np.where(np.isnan(y), -1, y)
        # Beyond 2**53 a float no longer tells one whole number from the next.
        odd = y[~((y == np.floor(y)) & (np.abs(y.astype(np.float64)) <= 2**53))]
        if odd.size:
            raise InputError(
                f"{name} holds {odd[0]}, which is no class: use whole numbers or text, and -1 "
                "for unknown."
            )
    whole = y.astype(np.int64)
    if whole.size and whole.min() < -1:
        raise InputError(
            f"{name} holds {whole.min()}: number the classes from 0, and use -1 for unknown."
        )
    return whole


def as_ids(ids: Array, name: str) -> Array:
    """Return ids given as text or whole numbers as text."""
    if ids.dtype.kind not in "USui":
        raise InputError(f"{name} holds {ids.dtype}: ids must be text or whole numbers.")
    return _as_text(ids, name)


def _as_text(values: Array, name: str) -> Array:
    if values.dtype.kind != "S":
        return _encodable(values.astype(str))
    try:
        return np.char.decode(values, "utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{name} holds bytes that are no UTF-8 text: store it as a unicode array."
        ) from error


def _encodable(texts: Array) -> Array:
    """Return texts that every file takes: the odd bytes of a file's name are spelled out."""
    try:
        "".join(texts.ravel().tolist()).encode()
    except UnicodeEncodeError:
        return np.array([encodable(text) for text in texts.ravel().tolist()]).reshape(texts.shape)
    return texts


def as_column(values: Array, name: str, n: int) -> Array:
    """Return one value per sample as (n,); a column (n, 1) is taken for it."""
    column = values.reshape(-1) if values.shape == (n, 1) else values
    if column.shape != (n,):
        raise InputError(
            f"{name} has shape {values.shape} for {n:,} samples: give one value per sample."
        )
    return column


def check_unique(ids: Array) -> None:
    """Refuse ids of which one stands for two samples."""
    values, counts = np.unique(ids, return_counts=True)
    if counts.max() > 1:
        raise InputError(
            f"the id {str(values[counts.argmax()])!r} stands for {counts.max()} samples: give "
            "each sample, train and test together, an id of its own."
        )


def split_rows(n: int, test_size: float, seed: int) -> dict[str, IntArray]:
    """Return which of ``n`` rows are "train" and which "test", each in the file's order.

    That depends on these three numbers alone.
    """
    if not 0 < test_size < 1:
        raise InputError(f"a test size of {test_size} is no share: give one like 0.2.")
    n_test = math.ceil(n * test_size)
    if n_test == n:
        raise InputError(
            f"a test size of {test_size} leaves nothing of {n} sample(s) to train on: give a "
            "smaller one, or more samples."
        )
    # RandomState's stream is frozen: the same split in every version of numpy.
    order = np.random.RandomState(seed).permutation(n)
    return {"train": np.sort(order[n_test:]), "test": np.sort(order[:n_test])}


def halved(arrays: dict[str, Array], halves: dict[str, IntArray]) -> dict[str, Array]:
    """Return each array's training and test rows, as ``…_train`` and ``…_test``."""
    return {
        f"{name}_{half}": rows_of(array, rows)
        for name, array in arrays.items()
        for half, rows in halves.items()
    }
