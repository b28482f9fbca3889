"""The codes as places in space: 200 coloured tiles, and all points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import patheffects
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.gridspec import SubplotSpec
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from ae_cluster.common.validation import IntArray, checked_codes
from ae_cluster.figures.projection import (
    RANDOM_HEIGHT,
    Groups,
    Places,
    Points,
    groupings,
    moved_apart,
    nearness,
    places_of,
    some_of,
)
from ae_cluster.figures.style import (
    N_COLORS,
    NEUTRAL,
    captioned,
    group_colors,
    in_style,
    ink_on,
    new_figure,
)

# (elevation, azimuth) in degrees: two looks a quarter turn apart.
_VIEWS = ((20.0, -60.0), (20.0, 30.0))
MOST_DRAWN = 60_000  # points
_MOST_NAMED_GROUPS = 40
_MOST_WRITTEN_GROUPS = 20
_NAME_SIZE = 9.5
_ZOOM = 0.94


@in_style()
def plot_code_tiles(
    codes: ArrayLike,
    labels: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    class_names: Sequence[str] = (),
    *,
    n: int = 200,
    seed: int = 0,
    title: str = "Codes of single samples",
) -> Figure:
    """Draw some samples at the place of their code, each as its name on a coloured tile.

    Parameters
    ----------
    codes : array (n_samples, n_components)
        Any number of components; beyond three, their principal axes.
    labels : array (n_samples,), optional
        Classes, −1 where unknown. Written on the tiles where given.
    clusters : array (n_samples,), optional
        Written on the tiles where there are no labels.
    class_names : sequence of str
        Name of class 0, 1, …; the number itself where there is none.
    n : int
        Samples to draw, chosen at random by ``seed``; all if there are fewer.
    seed : int
    title : str

    Returns
    -------
    Figure
    """
    codes = checked_codes(codes)
    groups = next(iter(groupings(len(codes), labels, clusters, class_names)), None)
    places = places_of(codes, seed)
    picked = some_of(len(codes), n, seed)
    drawn = places.points[picked]
    named = groups if groups and not groups.has_short_names else None
    figure, (room,), (margin,) = _rooms(8.0, 7.0, 1, [named])
    ax = _axes(figure, room, places, drawn, _VIEWS[0])
    for i in picked[np.argsort(nearness(drawn, _VIEWS[0]), kind="stable")]:
        _tile(ax, places.points[i], groups, int(groups.ids[i]) if groups else -1)
    _write_legend(figure, margin, named)
    return captioned(figure, title, _tiles_caption(picked, len(codes), groups) + places.note)


def _tile(ax: Any, place: Points, groups: Groups | None, group: int) -> None:
    color = groups.color(group) if groups else group_colors(1)[0]
    name = groups.tag(group) if groups else "·"
    tile = {"boxstyle": "square,pad=0.28", "facecolor": color, "edgecolor": "white", "lw": 0.5}
    ax.text(*place, name, color=ink_on(color), fontsize=8, ha="center", va="center", bbox=tile)


def _tiles_caption(picked: IntArray, n: int, groups: Groups | None) -> str:
    caption = f"{_how_many(picked.size, n)}, each a tile at the place of its code"
    if groups is None:
        return caption + "."
    label = "its label" if groups.has_short_names else "the number of its label"
    said = {"label": label, "cluster": "the id of its cluster"}[groups.kind]
    caption += f" and with {said} on it. Tiles that say the same should stand together, apart "
    caption += "from the others."
    if (groups.ids[picked] < 0).any():
        lacking = {"label": "has no known label", "cluster": "is in no cluster"}[groups.kind]
        caption += f" A sample with ? {lacking}."
    if groups.kind == "label":
        return caption + " The labels were not used to place them."
    return caption + " No labels are known: that a cluster means something is not shown here."


@in_style()
def plot_codes(
    codes: ArrayLike,
    labels: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    class_names: Sequence[str] = (),
    *,
    max_points: int = MOST_DRAWN,
    seed: int = 0,
    title: str = "Codes of all samples",
) -> Figure:
    """Draw all codes as points, coloured by label and below by cluster, from two sides.

    A cluster has the colour of the class it is matched to, one to one, so that
    where the two rows agree in colour, the clustering agrees with the labels.

    Parameters
    ----------
    codes, labels, clusters, class_names
        As in `plot_code_tiles`; fewer than three components are drawn from one
        side, and without labels and clusters all points are alike.
    max_points : int
        With more samples, as many are chosen at random by ``seed``, and the
        caption says so.
    seed : int
    title : str

    Returns
    -------
    Figure
    """
    codes = checked_codes(codes)
    rows: list[Groups | None] = [*groupings(len(codes), labels, clusters, class_names)] or [None]
    places = places_of(codes, seed)
    picked = some_of(len(codes), max_points, seed)
    views = _VIEWS if places.points.shape[1] == 3 else _VIEWS[:1]
    figure, rooms, margins = _rooms(4.5, 3.9, len(views), rows)
    for i, room in enumerate(rooms):
        ax = _axes(figure, room, places, places.points[picked], views[i % len(views)])
        _cloud(ax, places.points[picked], rows[i // len(views)], picked)
    for margin, groups in zip(margins, rows, strict=True):
        _write_legend(figure, margin, groups)
    caption = _codes_caption(picked.size, len(codes), rows, len(views))
    return captioned(figure, title, caption + places.note)


def _cloud(ax: Any, points: Points, groups: Groups | None, picked: IntArray) -> None:
    size = float(np.clip(15_000 / len(points), 0.7, 12))
    if groups is None:
        colors = np.tile(group_colors(1), (len(points), 1))
    else:
        # The last row is for −1.
        colors = np.vstack([groups.colors, to_rgb(NEUTRAL)])[groups.ids[picked]]
    shading = {"depthshade": False} if points.shape[1] == 3 else {}
    # Hard edges: a file with 60,000 soft ones would be twice as large.
    ax.scatter(*points.T, s=size, c=colors, lw=0, rasterized=True, antialiaseds=False, **shading)
    if groups is not None:
        _write_names(ax, points, groups, groups.ids[picked])


def _write_names(ax: Any, points: Points, groups: Groups, ids: IntArray) -> None:
    """Write the name of each group in its middle, for eyes and printers without colour."""
    present = np.unique(ids[ids >= 0]).tolist()
    if not 0 < len(present) <= _MOST_WRITTEN_GROUPS:
        return
    names = [groups.tag(group) for group in present]
    middles = np.array([np.median(points[ids == group], axis=0) for group in present])
    widths = [_NAME_SIZE * 0.75 * len(name) + 4 for name in names]
    apart = moved_apart(_on_paper(ax, middles), np.array(widths), _NAME_SIZE * 1.25)
    halo = [patheffects.withStroke(linewidth=2.5, foreground="white")]
    for name, (x, y) in zip(names, ax.transData.inverted().transform(apart), strict=True):
        ax.annotate(name, (x, y), ha="center", va="center", fontsize=_NAME_SIZE,
                    fontweight="bold", path_effects=halo, zorder=10)  # fmt: skip


def _on_paper(ax: Any, places: Points) -> Points:
    """Return where places (n, 2 or 3) come to lie in the picture, (n, 2) in pixels."""
    if places.shape[1] == 3:
        seen = np.column_stack([places, np.ones(len(places))]) @ ax.get_proj().T
        places = seen[:, :2] / seen[:, 3:]
    return np.asarray(ax.transData.transform(places))


def _codes_caption(drawn: int, n: int, rows: Sequence[Groups | None], n_views: int) -> str:
    sides = ", from two sides a quarter turn apart" if n_views == 2 else ""
    caption = f"{_how_many(drawn, n)}, each a point at the place of its code{sides}."
    kinds = [groups.kind for groups in rows if groups]
    if kinds == ["label", "cluster"]:
        caption += (
            " Above, the colour is the label; below, the cluster, in the colour of the class it is "
            "matched to, one to one: where the two differ in colour, clusters and labels disagree."
        )
    elif kinds == ["label"]:
        caption += " The colour is the label; the more each colour keeps to itself, the better."
    elif kinds == ["cluster"]:
        caption += " The colour is the cluster; whether it means something is not shown here."
    if any(len(groups.names) > N_COLORS for groups in rows if groups):
        caption += f" Beyond {N_COLORS} groups the colours repeat."
    return caption


def _how_many(drawn: int, n: int) -> str:
    if drawn < n:
        return f"{drawn:,} of {n:,} samples, chosen at random"
    return f"All {n:,} samples" if n > 1 else "The only sample"


# Shared by both: the room on the page, the axes, the legend


def _rooms(
    width: float, height: float, columns: int, rows: Sequence[Groups | None]
) -> tuple[Figure, list[SubplotSpec], list[SubplotSpec]]:
    """Return a figure with rooms of this size in inches, row by row, and one for each legend."""
    margin = max(_legend_inches(groups) for groups in rows)
    figure = new_figure(width * columns + margin, height * len(rows) + 1.0)
    grid = figure.add_gridspec(len(rows), columns + 1, width_ratios=[*[width] * columns, margin])
    rooms = [grid[r, c] for r in range(len(rows)) for c in range(columns)]
    return figure, rooms, [grid[r, columns] for r in range(len(rows))]


def _legend_inches(groups: Groups | None) -> float:
    if groups is None:
        return 0.4
    entries = [groups.entry(group) for group in groups.present[:_MOST_NAMED_GROUPS]]
    return 0.3 + _legend_columns(len(entries)) * (0.55 + 0.085 * max(map(len, entries)))


def _legend_columns(n: int) -> int:
    return 1 + (n - 1) // 15


def _write_legend(figure: Figure, room: SubplotSpec, groups: Groups | None) -> None:
    if groups is None:
        return
    ax = figure.add_subplot(room)
    ax.set_axis_off()
    shown = groups.present[:_MOST_NAMED_GROUPS]
    handles = [
        Line2D([], [], linestyle="", marker="o", markersize=6, color=tuple(groups.color(group)),
               label=groups.entry(group))
        for group in shown
    ]  # fmt: skip
    rest = len(groups.present) - len(shown)
    more = f"\n(and {rest} more)" if rest else ""
    ax.legend(handles=handles, title=groups.kind + more, loc="center right",
              ncols=_legend_columns(len(shown)), borderaxespad=0)  # fmt: skip


def _axes(
    figure: Figure,
    room: SubplotSpec,
    places: Places,
    points: Points,
    view: tuple[float, float],
) -> Any:
    """Add flat or 3-D axes around ``points``; a unit is equally long in every direction."""
    solid = points.shape[1] == 3
    ax: Any = figure.add_subplot(room, projection="3d" if solid else "rectilinear")
    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.04 * (float((high - low).max()) or 1.0)
    for axis, label, start, end in zip(
        "xyz", places.axes, low - margin, high + margin, strict=False
    ):
        ax.set(**{f"{axis}lim": (start, end), f"{axis}label": label})
        ax.locator_params(axis=axis, nbins=5)
    if solid:
        _look(ax, view)
    elif places.axes[1] == RANDOM_HEIGHT:
        ax.set_yticks([])
    else:
        ax.set_aspect("equal", adjustable="box")
    return ax


def _look(ax: Any, view: tuple[float, float]) -> None:
    ax.set_aspect("equal", adjustable="box")
    ax.set_box_aspect(ax.get_box_aspect(), zoom=_ZOOM)
    ax.view_init(*view)
    if view[1] > 0:
        # By itself the third axis would go to the left, into the picture's neighbour.
        ax.zaxis.set_ticks_position("upper")
        ax.zaxis.set_label_position("upper")
