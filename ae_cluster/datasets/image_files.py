"""One picture in a file → bytes: upright, over white, of one size. No header is believed."""

from __future__ import annotations

import logging
import threading
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from ae_cluster.common.bounded_files import UnreadableError, file_size, reason
from ae_cluster.common.image_options import Size
from ae_cluster.common.texts import shortened
from ae_cluster.datasets.dataset import Array

# What Pillow logs of a damaged file is told in our own words; logging prints what nobody handles.
logging.getLogger("PIL").addHandler(logging.NullHandler())

HOW_READ = (  # in the order of `_bytes_of`
    "pictures: a JPEG decoded at no less than twice the size (Pillow's draft), 16 bits rounded to "
    "8, resized by Pillow (bilinear, reducing_gap=3), EXIF's turn undone, transparent ones over "
    "white, then made grey by Pillow's L where grey is asked"
)
FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP")
ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")
# Pixels of a picture, which its header says: libwebp holds three copies of it at four bytes each.
MOST_PIXELS = {"WEBP": 2**25}
MOST_PIXELS_OF_OTHERS = 50_000_000
MOST_BYTES = 2**28
_LARGE = 2**22  # pixels; of larger pictures one is decoded at a time
_ONE_LARGE = threading.Lock()
_ORIENTATION = 0x0112  # in EXIF: how the picture was held
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SWAPPED = {5, 6, 7, 8}  # which exchange height and width


def read_image(path: Path, size: Size | None = None, *, grey: bool = False) -> Array:
    """Return a picture as bytes: (h, w) where it has no colours, else (h, w, 3).

    Of an animation it is the first frame. 16 bits become 8, what is transparent lies over white,
    and EXIF's orientation is applied.

    Parameters
    ----------
    path : Path
    size : (h, w) or None
        What it is resized to, its sides each by its own factor; None: as it is.
    grey : bool
        Leave the colours out.

    Raises
    ------
    UnreadableError
        Saying what is wrong; the file is not named.
    """
    try:
        _check_bytes(path)
        with Image.open(path, formats=FORMATS) as image:
            _check_pixels(image)
            is_large = image.width * image.height > _LARGE
            with _ONE_LARGE if is_large else nullcontext():
                return _bytes_of(image, size, grey)
    except UnreadableError:
        raise
    except FileNotFoundError as error:
        raise UnreadableError("it is no longer there") from error
    except Exception as error:  # of damaged files decoders raise anything
        raise UnreadableError(_told(error)) from error


def size_said(path: Path) -> Size | None:
    """Return the height and width in a picture's header; None where there is none."""
    try:
        with Image.open(path, formats=FORMATS) as image:
            return image.height, image.width
    except Exception:
        return None


def largest_of_sixteen_bits(path: Path) -> int | None:
    """Return the largest number in a readable picture of 16 bits; None of any other."""
    with Image.open(path, formats=FORMATS) as image:
        is_deep = image.mode == "I" or image.mode.startswith("I;16")
        return int(np.asarray(image).max()) if is_deep else None


def _check_bytes(path: Path) -> None:
    if file_size(path) > MOST_BYTES:
        raise UnreadableError(f"it has more than {MOST_BYTES:,} bytes")


def _check_pixels(image: Image.Image) -> None:
    most = MOST_PIXELS.get(image.format or "", MOST_PIXELS_OF_OTHERS)
    if image.width * image.height > most:
        raise UnreadableError(
            f"its header says {image.height:,} x {image.width:,} pixels, and at most {most:,} are "
            "read"
        )


def _told(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "it is no PNG, JPEG, WebP, TIFF or BMP"
    if isinstance(error, Image.DecompressionBombError):
        return f"its header says more than {MOST_PIXELS_OF_OTHERS:,} pixels"
    return f"it is truncated or damaged: {shortened(reason(error), 100)}"


def _bytes_of(image: Image.Image, size: Size | None, grey: bool) -> Array:
    if size is not None:  # a JPEG is decoded at a half, a quarter or an eighth, which is quicker
        image.draft(image.mode, (2 * max(size), 2 * max(size)))
    image.load()
    orientation = _orientation(image)
    image = _of_eight_bits(image)
    if size is not None:
        height, width = size[::-1] if orientation in _SWAPPED else size
        if image.size != (width, height):
            image = image.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=3.0)
    if orientation in _TURNS:
        image = image.transpose(_TURNS[orientation])
    image = _over_white(image)
    pixels = np.asarray(image.convert("L") if grey else image)
    return pixels[..., 0] if pixels.ndim == 3 and _is_grey(pixels) else pixels


def _orientation(image: Image.Image) -> int:
    """Return how a picture lies, 1 where EXIF says nothing that can be read."""
    try:
        said: Any = image.getexif().get(_ORIENTATION, 1)
    except Exception:
        return 1
    return said if isinstance(said, int) else 1


def _of_eight_bits(image: Image.Image) -> Image.Image:
    """Return a picture of mode L, RGB or RGBA."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return Image.fromarray(_reduced(np.asarray(image)))
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image.convert("L" if image.mode in ("1", "L") else "RGB")


def _reduced(values: Array) -> Array:
    """Return numbers of 16 bits, or floats in [0, 1], as bytes."""
    low, high = float(values.min()), float(values.max())
    if values.dtype.kind == "f" and low >= 0 and high <= 1:
        return (values * 255 + 0.5).astype(np.uint8)
    if values.dtype.kind == "f" or low < 0 or high > 65535:
        raise UnreadableError(
            f"it holds numbers from {low:g} to {high:g}, where pictures have 8 or 16 bits"
        )
    return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _over_white(image: Image.Image) -> Image.Image:
    if image.mode != "RGBA":
        return image
    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=image.getchannel("A"))
    return white


def _is_grey(pixels: Array) -> bool:
    red, green, blue = np.moveaxis(pixels, -1, 0)
    return np.array_equal(red, green) and np.array_equal(green, blue)
