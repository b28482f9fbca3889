"""What an `AutoEncoder` accepts: its parameters, its data, and what they are taken for."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import validate_data

from ae_cluster.autoencoder.saving import jsonable
from ae_cluster.autoencoder.scaling import UNIT, Scaling
from ae_cluster.common import pixels
from ae_cluster.common.errors import InputError
from ae_cluster.common.scalars import plain
from ae_cluster.common.table_options import ASKED, AUTO, STANDARD

_OR_TABLE = ", or train with input_kind='table'"
ACTIVATION_NAMES = ("identity", "logistic", "relu", "tanh")


def _is_whole(value: Any, least: int, below: int = 2**31) -> bool:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return is_number and bool(least <= value < below)


def whole(least: int, of_what: str = "") -> tuple[Callable[[Any], bool], str]:
    """Return what a count or a size must be: a test, and its words for the error."""
    return lambda v: _is_whole(v, least), f"a whole number from {least} to 2**31 - 1{of_what}"


def or_none(allowed: tuple[Callable[[Any], bool], str]) -> tuple[Callable[[Any], bool], str]:
    """Return the test and words of a parameter that may be None besides."""
    test, words = allowed
    return lambda v: v is None or test(v), f"{words}, or None"


def _real(test: Callable[[float], bool]) -> Callable[[Any], bool]:
    return lambda v: (
        isinstance(v, int | float)
        and not isinstance(v, bool)
        and math.isfinite(v)
        and test(float(v))
    )


def one_of(*words: str) -> Callable[[Any], bool]:
    """Return the test of a parameter that may be one of some words."""
    return lambda v: isinstance(v, str) and v in words


def flag(v: Any) -> bool:
    """Return whether a value is True or False."""
    return isinstance(v, bool)


def _sizes(v: Any) -> bool:
    return isinstance(v, Sequence) and not isinstance(v, str) and all(map(whole(1)[0], v))


layer_sizes = _sizes, "a sequence of whole numbers from 1 to 2**31 - 1"


def _callbacks(v: Any) -> bool:
    return isinstance(v, Sequence) and all(
        callable(getattr(c, "on_step", None)) and callable(getattr(c, "on_epoch", None)) for c in v
    )


def _seed(v: Any) -> bool:
    # Up to 2**32 - 1, as everywhere in scikit-learn.
    return v is None or isinstance(v, np.random.RandomState) or _is_whole(v, 0, 2**32)


Allowed = dict[str, tuple[Callable[[Any], bool], str]]
positive: tuple[Callable[[Any], bool], str] = (_real(lambda v: v > 0), "a number above 0")
n_clusters_or_auto: tuple[Callable[[Any], bool], str] = (
    lambda v: v == AUTO or _is_whole(v, 1),
    f"{whole(1)[1]}, or {AUTO}",
)

# parameter: (what is allowed, once it is `plain`; in words for the error)
_ALLOWED: Allowed = {
    "n_components": whole(1),
    "hidden_layer_sizes": layer_sizes,
    "activation": (one_of(*ACTIVATION_NAMES), f"one of {', '.join(ACTIVATION_NAMES)}"),
    "kind": (one_of("dense", "conv"), "dense or conv"),
    "conv_channels": (
        lambda v: _sizes(v) and len(v) > 0,
        "a sequence of one or more whole numbers from 1 to 2**31 - 1",
    ),
    "image_shape": (
        lambda v: v is None or (_sizes(v) and len(v) in (2, 3)),
        "None, (height, width) or (height, width, channels)",
    ),
    "input_kind": (one_of("auto", "images", "table"), "auto, images or table"),
    "scaling": (one_of(*ASKED), f"one of {', '.join(ASKED)}"),
    "batch_size": whole(1),
    "learning_rate_init": positive,
    "learning_rate": (one_of("constant", "cosine"), "constant or cosine"),
    "max_iter": whole(0, " (epochs)"),
    "early_stopping": (flag, "True or False"),
    "validation_fraction": (_real(lambda v: 0 < v < 1), "a number between 0 and 1"),
    "n_iter_no_change": whole(1),
    "tol": (_real(lambda v: v >= 0), "a number of at least 0"),
    "noise_std": (_real(lambda v: v >= 0), "a number of at least 0"),
    "mask_fraction": (_real(lambda v: 0 <= v < 1), "a number from 0 to below 1"),
    "center_inputs": (flag, "True or False"),
    "n_snapshots": whole(0),
    "callbacks": (_callbacks, "a sequence of ae_cluster.Callback objects"),
    "checkpoint": (lambda v: v is None or isinstance(v, str | Path), "None or the path of a file"),
    "random_state": (_seed, "None, a whole number from 0 to 2**32 - 1, or a numpy RandomState"),
    "verbose": (lambda v: flag(v) or _is_whole(v, 0), "True or False"),
    "device": (lambda v: isinstance(v, str), "the name of a torch device, or auto"),
}


def check_parameters(values: dict[str, Any], own: Allowed | None = None) -> None:
    """Raise an `InputError` for the first parameter that cannot be used.

    Parameters
    ----------
    values : dict
        Of an `AutoEncoder`, or of an estimator that shares some of its parameters.
    own : dict
        What is allowed of the parameters that only this estimator has; these win.
    """
    for name, (is_allowed, words) in (_ALLOWED | (own or {})).items():
        if name in values and not is_allowed(plain(values[name])):
            shown = repr(values[name]).replace("\n", " ")  # an array's runs over several lines
            raise InputError(f"{name}={shown} cannot be used; it must be {words}.")
    if values.get("checkpoint") is not None and not _is_whole(plain(values["random_state"]), 0):
        raise InputError(
            f"random_state={values['random_state']!r} cannot be used with a checkpoint, whose "
            "training must be able to begin again in the same way; give a whole number."
        )


@contextmanager
def refusals_as_input_errors() -> Iterator[None]:
    """Let scikit-learn's refusals of an array pass as `InputError`, word for word."""
    try:
        yield
    except ValueError as error:
        raise InputError(str(error)) from error


def value_range(rows: NDArray[Any], name: str = "X") -> tuple[float, float]:
    """Return the least and the largest value of rows (n, n_features); bytes count as 0 to 1.

    Raises
    ------
    InputError
        When a value is NaN or infinite.
    """
    if rows.dtype == np.uint8:
        return 0.0, 1.0
    low, high = float(rows.min()), float(rows.max())  # NaN when there is one
    if math.isfinite(low) and math.isfinite(high):
        return low, high
    i, j = np.argwhere(~np.isfinite(rows))[0]
    found = "NaN" if np.isnan(rows[i, j]) else "an infinite value (inf)"
    raise InputError(
        f"{name} holds {found} in sample {i}, column {j}; fill such values, or leave the sample "
        "out."
    )


def validate_samples(model: Any, X: ArrayLike, *, reset: bool, quiet: bool = False) -> NDArray[Any]:
    """Return X as rows of bytes, float32 or float64, checked, as an `AutoEncoder` takes them.

    Parameters
    ----------
    model : AutoEncoder
    X : array of shape (n, n_features) or (n, h, w) or (n, h, w, channels)
    reset : bool
        The model learns from X what its samples are; else X must be such samples.
    quiet : bool
        Leave out the warning of what the units of X are taken for.

    Raises
    ------
    InputError
    """
    shape: tuple[int, ...] = getattr(X, "shape", ())
    given = getattr(X, "dtype", None)
    if len(shape) > 2:
        X = np.reshape(np.asarray(X), (shape[0], math.prod(shape[1:])))
    with refusals_as_input_errors():
        rows: NDArray[Any] = validate_data(
            model,
            X,
            reset=reset,
            dtype=[np.float64, np.float32, np.uint8],
            ensure_all_finite=False,  # `value_range` says where
            ensure_min_samples=2 if reset else 1,
        )
    value_range(rows)
    given = given if isinstance(given, np.dtype) else rows.dtype
    said = _are_said_to_be_images(model, rows, shape)
    if reset:
        are_images = said or pixels.are_images(rows, given)
        model.input_kind_ = resolve_input_kind(model.input_kind, are_images)
        model.image_units_ = None
    if model.input_kind_ == "images":
        images = pixels.as_images(rows, "X", given, model.image_units_, said, _OR_TABLE)
        rows = images.rows
        if not quiet:
            pixels.say(images, stacklevel=5)
    if reset:
        model.image_units_ = images.units if model.input_kind_ == "images" else None
        _learn_input(model, rows, shape)
    return rows


def _are_said_to_be_images(model: Any, rows: NDArray[Any], shape: tuple[int, ...]) -> bool:
    said = model.input_kind == "images" or model.image_shape is not None
    return len(shape) > 2 or said or (model.kind == "conv" and pixels.are_byte_numbers(rows))


def _learn_input(model: Any, rows: NDArray[Any], shape: tuple[int, ...]) -> None:
    model.dtype_ = "float64" if rows.dtype == np.float64 else "float32"
    model.image_shape_ = resolve_image_shape(model.image_shape, model.kind, shape, rows.shape[1])
    dtype, is_table = getattr(torch, model.dtype_), model.input_kind_ == "table"
    model.scaling_ = Scaling.of_table(rows, dtype, model.scaling) if is_table else Scaling(dtype)


def resolve_input_kind(input_kind: str, are_images: bool) -> str:
    """Return "images" or "table", where "auto" asks what the training samples are."""
    return ("images" if are_images else "table") if input_kind == "auto" else input_kind


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
    if kind == "conv":
        pixels.check_channels_last(found, "X")
    return found


def resolve_device(device: str) -> torch.device:
    """Return the device of that name; "auto" is a GPU where there is one."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        found = torch.device(device)
        torch.zeros(1, device=found).cpu()  # "meta" takes numbers and gives none back
    except (RuntimeError, AssertionError, TypeError, ImportError) as error:
        raise InputError(
            f"device={device!r} cannot be used on this machine; take 'cpu' or 'auto'."
        ) from error
    return found


def fingerprint(rows: NDArray[Any]) -> str:
    """Return the SHA-256 of an array's type, shape and bytes."""
    digest = hashlib.sha256(f"{rows.dtype} {rows.shape}".encode())
    digest.update(np.ascontiguousarray(rows).data)
    return digest.hexdigest()


def training_key(parameters: dict[str, Any], rows: NDArray[Any]) -> str:
    """Return what a checkpoint must agree with: the configuration and the data."""
    silent = {"callbacks", "checkpoint", "device", "verbose"}
    if not parameters.get("center_inputs"):
        silent |= {"center_inputs"}  # as before there was such a thing
    if parameters.get("scaling") in (UNIT, STANDARD):
        silent |= {"scaling"}  # likewise
    said = {name: value for name, value in parameters.items() if name not in silent}
    return json.dumps(jsonable(said) | {"data": fingerprint(rows)}, sort_keys=True)
