"""What arrays must look like before anything is computed from them.

Each check returns the array in the form the rest relies on, or raises
:class:`~ae_cluster.common.errors.InputError` with one sentence that names the argument.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ae_cluster.common.errors import InputError

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.floating[Any]]


def checked_labels(labels: ArrayLike, name: str = "labels") -> IntArray:
    """Return classes or cluster ids as (n,) int64: whole numbers, none below −1."""
    array = np.asarray(labels)
    if array.ndim != 1:
        raise InputError(f"{name} must be 1-D, one id per sample; its shape is {array.shape}.")
    if array.size == 0:
        raise InputError(f"{name} is empty; give at least one sample.")
    if not _is_whole(array):
        raise InputError(f"{name} must hold whole numbers: 0, 1, 2, … or −1 for none.")
    if array.min() < -1:
        raise InputError(f"{name} holds {array.min()}; only −1, for none, may be negative.")
    return array.astype(np.int64)


def _is_whole(array: NDArray[Any]) -> bool:
    if array.dtype.kind == "f":
        return bool(np.isfinite(array).all() and (array == np.trunc(array)).all())
    return array.dtype.kind in "biu"


def checked_codes(codes: ArrayLike, name: str = "codes") -> FloatArray:
    """Return codes as floating-point (n, n_components), finite; floats keep their width."""
    array = np.asarray(codes)
    if array.ndim != 2 or array.size == 0:
        raise InputError(
            f"{name} must have shape (n, n_components) and not be empty; "
            f"its shape is {array.shape}."
        )
    if array.dtype.kind not in "biuf":
        raise InputError(f"{name} must hold numbers; its type is {array.dtype}.")
    if not np.isfinite(array).all():
        raise InputError(f"{name} holds NaN or infinite values; code the samples anew.")
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def check_same_length(first: NDArray[Any], second: NDArray[Any], names: tuple[str, str]) -> None:
    """Raise InputError unless both arrays describe equally many samples."""
    if len(first) != len(second):
        raise InputError(
            f"{names[0]} has {len(first)} samples and {names[1]} has {len(second)}; "
            "give one of each per sample."
        )


def checked_halves(
    codes_train: ArrayLike, y_train: ArrayLike, codes_test: ArrayLike, y_test: ArrayLike
) -> tuple[FloatArray, IntArray, FloatArray, IntArray]:
    """Return train codes and labels, test codes and labels, all fitting one another."""
    train, test = checked_codes(codes_train, "codes_train"), checked_codes(codes_test, "codes_test")
    labels, truth = checked_labels(y_train, "y_train"), checked_labels(y_test, "y_test")
    check_same_length(train, labels, ("codes_train", "y_train"))
    check_same_length(test, truth, ("codes_test", "y_test"))
    if train.shape[1] != test.shape[1]:
        raise InputError(
            f"codes_train has {train.shape[1]} components and codes_test has {test.shape[1]}; "
            "give codes of the same encoder."
        )
    return train, labels, test, truth
