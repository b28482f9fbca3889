"""Images that somebody is to label, each with its number and its id."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ae_cluster.figures.images import Pixels, as_images
from ae_cluster.figures.style import captioned, cut_in_middle, in_style, new_figure

MOST_TILES = 400  # more take half a minute to draw, and longer to look through
_ACROSS = 8  # images in a row, where they are few
_TILE, _TALL = 1.1, 1.45  # inches of one image, and of it with its number


@in_style()
def plot_label_sheet(
    rows: NDArray[np.generic], image_shape: tuple[int, ...], ids: Sequence[str], where: str
) -> Figure:
    """Draw images, each under its number from 1 and its id.

    Parameters
    ----------
    rows : array (n, n_features)
    image_shape : (h, w) or (h, w, channels)
    ids : sequence of str (n,)
        One too long is cut in its middle: the number tells such images apart.
    where : str
        Where the answers go, for the caption.

    Returns
    -------
    Figure
    """
    shown = min(len(rows), MOST_TILES)
    across = min(shown, max(_ACROSS, math.ceil(math.sqrt(1.3 * shown))))
    down = math.ceil(shown / across)
    figure = new_figure(max(5.0, _TILE * across + 0.4), _TALL * down + 1.5)
    ax = figure.add_subplot()
    for i, (image, name) in enumerate(zip(as_images(rows[:shown], image_shape), ids, strict=False)):
        _tile(ax, image, i % across, i // across * _TALL / _TILE, str(i + 1), name)
    ax.set(xlim=(-0.05, across), ylim=(down * _TALL / _TILE, 0), aspect="equal")
    ax.set_axis_off()
    only = f" Only the first {shown:,} of {len(rows):,} are drawn." if shown < len(rows) else ""
    return captioned(
        figure,
        "What are these?",
        "Over each image stand its number and its id: write its class into the line of this "
        f"number in {where}. They are typical of many others and unlike one another; the first "
        f"stand for the most.{only}",
    )


def _tile(ax: Axes, image: Pixels, x: float, y: float, number: str, name: str) -> None:
    """Draw an image at the bottom of the tile whose upper left corner is (x, y)."""
    height, width = (0.92 * side / max(image.shape[:2]) for side in image.shape[:2])
    top = y + _TALL / _TILE - 0.97
    ax.imshow(image, cmap="gray", vmin=0, vmax=1, interpolation="none",
              extent=(x, x + width, top + height, top))  # fmt: skip
    ax.text(x, y + 0.14, number, fontsize=9, fontweight="bold", va="center")
    ax.text(x, y + 0.28, cut_in_middle(name), fontsize=6.5, va="center")
