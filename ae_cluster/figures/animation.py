"""Figures on a screen, and films of them where there is none; for `ae_cluster.runs.tutorial`."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.backends.registry import backend_registry
from matplotlib.figure import Figure
from PIL import Image

from ae_cluster.common.errors import InputError
from ae_cluster.figures.projection import nearness
from ae_cluster.figures.style import save_figure

_MILLISECONDS = 120  # of one photo in a film


# On a screen


def may_show(wanted: bool | None) -> bool:
    """Return whether windows are to be opened; None leaves it to whether there is a screen.

    Raises
    ------
    InputError
        When windows are wanted and there is no screen.
    """
    if wanted and not has_screen():
        raise InputError("There is no screen to show windows on; leave --show out.")
    return has_screen() if wanted is None else wanted


def has_screen() -> bool:
    """Return whether there is a screen that matplotlib can open windows on."""
    is_headless = not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    if sys.platform == "linux" and is_headless:
        return False
    resolve: Any = backend_registry.resolve_backend
    return resolve(plt.get_backend())[1] is not None


def open_window(figure: Figure) -> None:
    """Give a figure a window; do not wait for it to be closed."""
    # pyplot makes the window; the figure in it is the one that is there already.
    window: Any = plt.figure
    window(FigureClass=lambda **_: figure)
    plt.show(block=False)
    refresh_window(figure)


def refresh_window(figure: Figure) -> None:
    """Show what has changed in a figure, if it has a window and that is still open."""
    if plt.fignum_exists(getattr(figure, "number", 0)):
        figure.canvas.draw()
        figure.canvas.flush_events()


def wait_for_windows() -> None:
    """Come back when the last window has been closed; at once where none was opened."""
    if plt.get_fignums():
        print("Turn the codes with the mouse; close all windows to end.")
        plt.show()


# In files


def keep(figure: Figure, path: Path, show: bool = False) -> None:
    """Write a figure as ``path``.png, .svg and .txt, and open a window with it if wanted."""
    save_figure(figure, path.parent, path.name)
    if show:
        open_window(figure)


def photo(figure: Figure, dpi: int) -> Image.Image:
    """Return what a figure shows, in 64 colours."""
    file = io.BytesIO()
    figure.savefig(file, dpi=dpi)
    return Image.open(file).convert("RGB").quantize(64)


def save_gif(photos: list[Image.Image], path: Path, seconds_at_the_end: float = 0) -> None:
    """Write photos as a film without end, which may rest on the last before it begins again."""
    # A window that was resized while it was filmed gives photos of another size.
    photos = [each.resize(photos[0].size) for each in photos]
    durations = [_MILLISECONDS] * len(photos)
    durations[-1] += int(1000 * seconds_at_the_end)
    photos[0].save(path, save_all=True, append_images=photos[1:], duration=durations, loop=0)


# Tiles in space


def turn(figure: Figure, path: Path, degrees: int) -> None:
    """Film 3-D tiles as they turn once around, so many degrees from photo to photo.

    From then on near tiles stay in front of far ones, also when the mouse turns them.
    """
    figure.canvas.mpl_connect("motion_notify_event", lambda _: bring_near_to_front(figure))
    ax: Any = figure.axes[0]
    photos = []
    for _ in range(0, 360, degrees):
        ax.view_init(ax.elev, ax.azim + degrees)
        bring_near_to_front(figure)
        photos.append(photo(figure, dpi=75))
        refresh_window(figure)
    save_gif(photos, path)


def bring_near_to_front(figure: Figure) -> None:
    """Let tiles hide each other as they do from where they are looked at."""
    ax: Any = figure.axes[0]
    places = np.array([tile.get_position_3d() for tile in ax.texts])
    for tile, near in zip(ax.texts, nearness(places, (ax.elev, ax.azim)), strict=True):
        tile.set_zorder(near)
