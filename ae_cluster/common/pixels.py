"""What images may hold: bytes, numbers in [0, 1], or bytes in another type. One rule for all.

Arrays are images by their shape (three axes and more) or because somebody says so; whoever calls
these functions knows that.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ae_cluster.common.chunks import slices
from ae_cluster.common.errors import InputError

Array = npt.NDArray[Any]

UNIT, BYTES, WHOLE = "unit", "bytes", "whole"
ROUNDING = 1e-5  # so far outside [0, 1] a resize or a change of type may put a value
DARK = 16  # whole numbers up to here were hardly bytes: digits of 4 bits, classes, masks
CHANNELS = (1, 3, 4)


class Images(NamedTuple):
    """Images as networks take them.

    Attributes
    ----------
    rows : ndarray
        uint8, or floats in [0, 1].
    units : {"unit", "bytes", "whole"}
        What they came in: numbers in [0, 1], uint8, or whole numbers 0 to 255 of another type.
    note : str
        What must be said of it; or "".
    """

    rows: Array
    units: str
    note: str = ""


def as_images(
    x: Array,
    name: str,
    given: np.dtype[Any] | None = None,
    seen: str | None = None,
    said: bool = True,
    otherwise: str = "",
) -> Images:
    """Return images as bytes or as numbers in [0, 1].

    Parameters
    ----------
    x : ndarray
        Finite numbers of any type.
    name : str
        What to call it.
    given : dtype or None
        The type it had before it was turned into ``x``.
    seen : {"unit", "bytes", "whole"} or None
        What the training images came in; None where these are the training images.
    said : bool
        Whether somebody says that these are images, or the training ones were bytes; else whole
        numbers are no bytes.
    otherwise : str
        More that can be done about values that are refused.

    Raises
    ------
    InputError
        When the values are neither; it tells the range, and the way out.
    """
    given = x.dtype if given is None else given
    if x.dtype == np.uint8:
        if seen is None:
            _check_contrast(x, name)
        return Images(x, BYTES)
    if x.dtype.kind == "b":
        return Images(_mask(x), UNIT)
    low, high = x.min(), x.max()
    rounding = rounding_of(given)
    are_bytes = seen == WHOLE or (seen == BYTES and given.kind in "iu")
    if -rounding <= low and high <= 1 + rounding and not (are_bytes and _is_whole(x)):
        return Images(_mask(x) if x.dtype.kind in "iu" else clipped(x), UNIT)
    dark = seen in (None, UNIT) and high <= DARK
    unsaid = not said and seen == UNIT
    if low < 0 or high > 255 or dark or unsaid or not _is_whole(x):
        raise InputError(
            f"{name} holds {'whole numbers' if _is_whole(x) else 'values'} from {low:g} to "
            f"{high:g}, and images are bytes (0 to 255) or lie in [0, 1]: "
            f"{_way_out(x, float(low), float(high))}{otherwise}."
        )
    note = f"{name} holds whole numbers from {low:g} to {high:g} as {given}: taken for bytes (0 to "
    note += "255) and divided by 255, so that images lie in [0, 1]."
    return Images(x.astype(np.uint8), WHOLE, "" if seen == WHOLE else note)


def say(*images: Images, stacklevel: int = 2) -> None:
    """Warn of what must be said of these images, once of all."""
    for note in [i.note for i in images if i.note][:1]:
        warnings.warn(note, stacklevel=stacklevel + 1)


def rounding_of(dtype: np.dtype[Any]) -> float:
    """Return how far outside [0, 1] an image's values of this type may lie by rounding."""
    return max(ROUNDING, float(np.finfo(dtype).eps)) if dtype.kind == "f" else ROUNDING


def are_images(x: Array, given: np.dtype[Any]) -> bool:
    """Return whether samples that nobody says anything of are images: bytes, or in [0, 1]."""
    rounding = rounding_of(given)
    return x.dtype == np.uint8 or bool(x.min() >= -rounding and x.max() <= 1 + rounding)


def are_byte_numbers(x: Array) -> bool:
    """Return whether these are whole numbers 0 to 255 that are hardly anything but bytes."""
    return bool(x.min() >= 0 and DARK < x.max() <= 255 and _is_whole(x))


def clipped(x: Array) -> Array:
    """Return values that lie in [0, 1] but for rounding, in it."""
    return np.clip(x, 0, 1) if x.min() < 0 or x.max() > 1 else x


def check_channels_last(shape: Sequence[int], name: str) -> None:
    """Refuse the shape (h, w, channels) of one image where it must be (channels, h, w).

    That is where the first axis could be channels (1, 3 or 4) and the last could not. Where both
    could, the last is taken for them, as everywhere here.
    """
    if len(shape) == 3 and shape[0] in CHANNELS and shape[2] not in CHANNELS:
        raise InputError(
            f"{name} has images of shape {tuple(map(int, shape))}, which looks like channels "
            "first: give images as (n, h, w, channels), for instance with "
            "x.transpose(0, 2, 3, 1)."
        )


def _check_contrast(rows: Array, name: str) -> None:
    if rows.max() == 1:
        raise InputError(
            f"{name} holds only the bytes 0 and 1, all but black where bytes run to 255: store "
            "them as booleans, or multiply them by 255."
        )


def _mask(x: Array) -> Array:
    """Return whole numbers 0 and 1 as bytes, as booleans are."""
    return x.astype(np.uint8) * np.uint8(255)


def _is_whole(x: Array) -> bool:
    if x.dtype.kind != "f":
        return True
    parts = (x[rows] for rows in slices(len(x)))
    return all(np.array_equal(part, np.rint(part)) for part in parts)


def _way_out(x: Array, low: float, high: float) -> str:
    if -128 <= low < 0 and high <= 127 and _is_whole(x):
        return (
            "bytes that were stored as int8 and became negative are whole again after "
            "x.astype(np.int8).view(np.uint8); other numbers must be shifted and scaled"
        )
    if low < 0:
        return "shift and scale them, for instance from [-1, 1] with (x + 1) / 2"
    if high <= DARK:
        return (
            f"divide by the largest number that can occur ({high:g}?), or store them as uint8 if "
            "these are bytes"
        )
    if high <= 256:
        return "divide by 255"
    return (
        "divide by the largest number that can occur (for 16 bits by 65535), or store them as "
        "uint8 bytes"
    )
