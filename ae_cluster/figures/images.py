"""From rows of features to pictures, and many pictures to one image grid."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

Pixels = NDArray[np.float64]

GAP = 0.08  # white between two images, as a part of their size


def in_unit_range(values: NDArray[np.generic]) -> Pixels:
    """Return bytes divided by 255, and other values as they are, cut off at 0 and 1."""
    scale = 255.0 if values.dtype == np.uint8 else 1.0
    return np.clip(values.astype(np.float64) / scale, 0, 1)


def as_images(flat: NDArray[np.generic], image_shape: tuple[int, ...]) -> Pixels:
    """Turn rows (n, n_features) into images (n, h, w) or, in colour, (n, h, w, 3) in [0, 1].

    ``image_shape`` is (h, w) or (h, w, channels). Bytes are divided by 255.
    One channel is grey; any number other than one and three is shown as its mean.
    """
    images = in_unit_range(flat).reshape(len(flat), *image_shape)
    if images.ndim == 4 and images.shape[-1] != 3:
        images = images.mean(axis=-1)
    return images


def image_grid(images: Pixels, rows: int, below: float = GAP) -> Pixels:
    """Lay images (rows × columns, h, w[, 3]) out row by row as one white grid.

    Parameters
    ----------
    images : array (rows * columns, h, w) or (rows * columns, h, w, 3)
        NaN where there is no image: it stays white.
    rows : int
    below : float
        White space under each image, as a part of its height.

    Returns
    -------
    array (rows * tile height, columns * tile width[, 3])
        Each tile has its image in the upper left corner.
    """
    columns = len(images) // rows
    height, width = images.shape[1:3]
    tile = (height + max(1, round(below * height)), width + max(1, round(GAP * width)))
    colour = images.shape[3:]
    grid = np.ones((rows, columns, *tile, *colour))
    grid[:, :, :height, :width] = np.nan_to_num(
        images.reshape(rows, columns, height, width, *colour), nan=1.0
    )
    return np.swapaxes(grid, 1, 2).reshape(rows * tile[0], columns * tile[1], *colour)


def show_image_grid(ax: Axes, grid: Pixels, row_names: Sequence[str], below: float = GAP) -> None:
    """Draw an image grid pixel by pixel, with the name of each row at the left of its images."""
    ax.imshow(grid, cmap="gray", vmin=0, vmax=1, interpolation="none")
    tile_height = grid.shape[0] / max(1, len(row_names))
    ax.set_yticks((np.arange(len(row_names)) + 0.5 / (1 + below)) * tile_height - 0.5, row_names)
    ax.set_xticks([])
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)
