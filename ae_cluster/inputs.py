"""What an `AutoEncoder` accepts: its parameters, its data, and what they are taken for."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ae_cluster.errors import InputError

ACTIVATION_NAMES = ("identity", "logistic", "relu", "tanh")


def _whole(least: int) -> Callable[[Any], bool]:
    return lambda v: isinstance(v, int | np.integer) and not isinstance(v, bool) and v >= least


def _real(test: Callable[[float], bool]) -> Callable[[Any], bool]:
    return lambda v: (
        isinstance(v, int | float | np.integer | np.floating)
        and not isinstance(v, bool)
        and math.isfinite(v)
        and test(float(v))
    )


def _sizes(v: Any) -> bool:
    return (
        isinstance(v, Sequence | np.ndarray) and not isinstance(v, str) and all(map(_whole(1), v))
    )


# parameter: (what is allowed, in words for the error)
_ALLOWED: dict[str, tuple[Callable[[Any], bool], str]] = {
    "n_components": (_whole(1), "a whole number of at least 1"),
    "hidden_layer_sizes": (_sizes, "a sequence of whole numbers of at least 1"),
    "activation": (lambda v: v in ACTIVATION_NAMES, f"one of {', '.join(ACTIVATION_NAMES)}"),
    "kind": (lambda v: v in ("dense", "conv"), "dense or conv"),
    "conv_channels": (
        lambda v: _sizes(v) and len(v) > 0,
        "a sequence of one or more whole numbers of at least 1",
    ),
    "image_shape": (
        lambda v: v is None or (_sizes(v) and len(v) in (2, 3)),
        "None, (height, width) or (height, width, channels)",
    ),
    "input_kind": (lambda v: v in ("auto", "images", "table"), "auto, images or table"),
    "batch_size": (_whole(1), "a whole number of at least 1"),
    "learning_rate_init": (_real(lambda v: v > 0), "a number above 0"),
    "learning_rate": (lambda v: v in ("constant", "cosine"), "constant or cosine"),
    "max_iter": (_whole(0), "a whole number of at least 0 (epochs)"),
    "early_stopping": (lambda v: isinstance(v, bool | np.bool_), "True or False"),
    "validation_fraction": (_real(lambda v: 0 < v < 1), "a number between 0 and 1"),
    "n_iter_no_change": (_whole(1), "a whole number of at least 1"),
    "tol": (_real(lambda v: v >= 0), "a number of at least 0"),
    "noise_std": (_real(lambda v: v >= 0), "a number of at least 0"),
    "mask_fraction": (_real(lambda v: 0 <= v < 1), "a number from 0 to below 1"),
    "n_snapshots": (_whole(0), "a whole number of at least 0"),
}


def check_parameters(values: dict[str, Any]) -> None:
    """Raise an `InputError` for the first parameter that cannot be used."""
    for name, (is_allowed, words) in _ALLOWED.items():
        if not is_allowed(values[name]):
            raise InputError(f"{name}={values[name]!r} cannot be used; it must be {words}.")


def resolve_input_kind(input_kind: str, rows: NDArray[Any]) -> str:
    """Return "images" or "table" for training rows (n, n_features)."""
    if input_kind == "auto":
        is_images = rows.dtype == np.uint8 or (rows.min() >= 0 and rows.max() <= 1)
        return "images" if is_images else "table"
    if input_kind == "images":
        check_range(rows)
    return input_kind


def check_range(rows: NDArray[Any]) -> None:
    """Raise when images are not in [0, 1]; bytes always are, once divided by 255."""
    if rows.dtype == np.uint8:
        return
    low, high = rows.min(), rows.max()
    if low < 0 or high > 1:
        raise InputError(
            f"Images must lie in [0, 1], and these hold values from {low:g} to {high:g}; divide "
            "by 255, pass bytes (uint8), or train with input_kind='table'."
        )


def resolve_image_shape(
    image_shape: Sequence[int] | None, kind: str, shape: tuple[int, ...], n_features: int
) -> tuple[int, ...] | None:
    """Return the shape of one image, or None where nobody needs or knows it.

    Parameters
    ----------
    image_shape : what the user said
    kind : {"dense", "conv"}
        Only "conv" must know.
    shape : shape of X as it was given
    n_features : int
        Numbers in one image.
    """
    if image_shape is not None:
        found = tuple(int(side) for side in image_shape)
    elif len(shape) > 2:
        found = tuple(shape[1:])
    elif kind == "conv":
        side = math.isqrt(n_features)
        found = (side, side)
    else:
        return None
    if math.prod(found) != n_features or len(found) not in (2, 3):
        raise InputError(
            f"An image of shape {found} does not have the {n_features} values a sample has here; "
            "say image_shape=(height, width) or (height, width, channels)."
        )
    return found


def fingerprint(rows: NDArray[Any]) -> str:
    """Return the SHA-256 of an array's type, shape and bytes."""
    digest = hashlib.sha256(f"{rows.dtype} {rows.shape}".encode())
    digest.update(np.ascontiguousarray(rows).data)
    return digest.hexdigest()


def training_key(parameters: dict[str, Any], rows: NDArray[Any]) -> str:
    """Return what a checkpoint must agree with: the configuration and the data."""
    silent = {"callbacks", "checkpoint", "device", "verbose"}
    said = {name: value for name, value in parameters.items() if name not in silent}
    return json.dumps({**said, "data": fingerprint(rows)}, sort_keys=True, default=repr)


def jsonable(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return parameters with numpy's numbers and sequences as Python's own."""
    return {
        name: np.asarray(value).tolist() if isinstance(value, np.generic | np.ndarray) else value
        for name, value in parameters.items()
    }
