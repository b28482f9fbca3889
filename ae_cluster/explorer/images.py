"""The samples' own images as sheets of small pictures, or a table's rows as numbers."""

from __future__ import annotations

import base64
import io
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ae_cluster.common.chunks import slices
from ae_cluster.datasets import Dataset
from ae_cluster.explorer.encoding import Array, packed
from ae_cluster.explorer.samples import Cloud

SHEET_SIDE = 2048  # pixels: every browser decodes it, on a telephone too
MOST_VALUES = 64_000_000  # bytes of pictures in one page, before compression
LARGEST_SIDE = 64
MOST_TABLE_VALUES = 2_000_000


def picture_shape(image_shape: tuple[int, ...], n: int) -> tuple[int, int, int]:
    """Return height, width and channels (1 or 3) of the pictures of ``n`` images."""
    height, width, depth = (*image_shape, 1)[:3]
    channels = 3 if depth >= 3 else 1
    most = LARGEST_SIDE if n * height * width * channels > MOST_VALUES else SHEET_SIDE
    shrink = min(1.0, most / max(height, width))
    return max(1, round(height * shrink)), max(1, round(width * shrink)), channels


def cloud_images(data: Dataset, cloud: Cloud, shape: tuple[int, int, int]) -> list[str]:
    """Return a cloud's images as base64 PNG sheets, row by row in the cloud's order."""
    assert data.image_shape is not None
    height, width, depth = (*data.image_shape, 1)[:3]
    return image_sheets(cloud_rows(data, cloud), (height, width, depth), shape)


def image_sheets(
    rows: Array, image_shape: tuple[int, int, int], shape: tuple[int, int, int]
) -> list[str]:
    """Return images (n, n_features), bytes or in [0, 1], as base64 PNG sheets of this shape."""
    images = rows if rows.dtype == np.uint8 else np.round(rows * 255).astype(np.uint8)
    height, width, depth = image_shape
    images = images.reshape(len(images), height, width, depth)
    images = images[..., :3] if depth >= 3 else images[..., :1]
    if images.shape[1:3] != shape[:2]:
        images = np.stack([_resized(image, shape) for image in images])
    across, down = per_sheet(shape)
    return [_sheet(images[rows], across) for rows in slices(len(images), across * down)]


def per_sheet(shape: tuple[int, int, int]) -> tuple[int, int]:
    """Return how many pictures of this shape fit across and down a sheet."""
    return SHEET_SIDE // shape[1], SHEET_SIDE // shape[0]


def cloud_table(data: Dataset, cloud: Cloud) -> dict[str, Any] | None:
    """Return a table's rows (n, columns) of a cloud; None where they are too many numbers."""
    rows = cloud_rows(data, cloud)
    return packed(rows, "f4") if rows.size <= MOST_TABLE_VALUES else None


def cloud_rows(data: Dataset, cloud: Cloud) -> Array:
    """Return the samples of a cloud (n, n_features) as they are kept."""
    return cloud.of({"raw_train": data.raw_train, "raw_test": data.raw_test}, "raw")


def _resized(image: NDArray[np.uint8], shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    picture = Image.fromarray(image[..., 0] if shape[2] == 1 else image)
    small = picture.resize((shape[1], shape[0]), Image.Resampling.BOX)
    return np.asarray(small, dtype=np.uint8).reshape(shape)


def _sheet(images: NDArray[np.uint8], across: int) -> str:
    n, height, width, channels = images.shape
    across = min(across, n)
    down = -(-n // across)
    grid = np.zeros((down * across, height, width, channels), dtype=np.uint8)
    grid[:n] = images
    sheet = grid.reshape(down, across, height, width, channels).swapaxes(1, 2)
    flat = sheet.reshape(down * height, across * width, channels)
    picture = Image.fromarray(flat[..., 0] if channels == 1 else flat)
    buffer = io.BytesIO()
    # Small pictures repeat little but single bytes; looking for nothing else is quick.
    picture.save(buffer, format="PNG", compress_level=6, compress_type=zlib.Z_RLE)
    return base64.b64encode(buffer.getvalue()).decode("ascii")
