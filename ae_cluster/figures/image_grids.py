"""What each cluster holds: its images, or for a table the profile of its features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from ae_cluster.common.validation import IntArray, check_same_length, checked_codes, checked_labels
from ae_cluster.figures.examples import ClusterExamples
from ae_cluster.figures.images import as_images, image_grid, show_image_grid
from ae_cluster.figures.style import (
    captioned,
    in_style,
    names_of,
    new_figure,
    nothing_to_draw,
    thinned,
)

_MOST_SHEET_ROWS = 15
_MOST_PROFILE_ROWS = 60
_THUMB_INCHES = 0.5
_TAG_INCHES = 0.17
_LEAST_WIDTH = 5.0  # for title and caption
_ALL_NOISE = "Every sample is noise: there is no cluster to show."
_BORDERLINE = "borderline (and the next cluster)"
_WRONG = "wrong (and the label)"


@in_style()
def plot_cluster_images(
    images: NDArray[np.generic],
    image_shape: tuple[int, ...],
    examples: Sequence[ClusterExamples],
    labels: ArrayLike | None = None,
    class_names: Sequence[str] = (),
    *,
    title: str = "What each cluster holds",
) -> Figure:
    """Draw the examples of each cluster as images: typical, borderline and wrong ones.

    Parameters
    ----------
    images : array (n_samples, n_features)
        Bytes or values in [0, 1]; the examples index its rows.
    image_shape : (h, w) or (h, w, channels)
    examples : sequence of ClusterExamples
        As chosen by `cluster_examples`; the largest fifteen clusters are drawn.
    labels : array (n_samples,), optional
        Written under the wrong ones.
    class_names : sequence of str
        Name of class 0, 1, …; the number itself where there is none.
    title : str

    Returns
    -------
    Figure
    """
    shown = _largest(examples)
    if not shown:
        return nothing_to_draw(title, _ALL_NOISE)
    blocks = _blocks(shown, labels, class_names)
    n = max((len(e.typical) for e in shown), default=1)
    width, height = _thumb_inches(image_shape)
    below = _TAG_INCHES / height  # white under each image, as a part of its height
    row_names = [_row_name(e, class_names) for e in shown]
    longest = max((len(line) for name in row_names for line in name.split("\n")), default=0)
    heading = 0.075 * max(len(block.heading) for block in blocks)
    block_width = max(width * n, heading)
    figure = new_figure(
        max(_LEAST_WIDTH, 0.4 + 0.075 * longest + (block_width + 0.2) * len(blocks)),
        1.3 + (height + _TAG_INCHES) * len(shown),
    )
    for ax, block in zip(figure.subplots(1, len(blocks), squeeze=False)[0], blocks, strict=True):
        tiles = _tiles(images, image_shape, block.chosen, n)
        show_image_grid(ax, image_grid(tiles, len(shown), below), row_names, below)
        _write_tags(ax, block, n, below)
        ax.set_title(block.heading, loc="left")
        if width * n < heading:
            ax.set_anchor("W")  # under its heading
        row_names = [""] * len(shown)
    return captioned(figure, title, _images_caption(blocks, len(shown), len(examples)))


class _Block(NamedTuple):
    """One kind of examples: for each cluster the samples, and what is written under each."""

    heading: str
    chosen: list[IntArray]
    tags: list[list[str]]


def _thumb_inches(image_shape: tuple[int, ...]) -> tuple[float, float]:
    """Return width and height of one image on paper: about as much paper for any shape."""
    height, width = image_shape[:2]
    across = _THUMB_INCHES * float(np.clip(np.sqrt(width / height), 0.7, 2))
    return across, across * height / width


def _largest(examples: Sequence[ClusterExamples]) -> list[ClusterExamples]:
    by_size = sorted(range(len(examples)), key=lambda i: -examples[i].size)
    return [examples[i] for i in sorted(by_size[:_MOST_SHEET_ROWS])]


def _blocks(
    shown: list[ClusterExamples], labels: ArrayLike | None, class_names: Sequence[str]
) -> list[_Block]:
    nothing = [[""] * len(e.typical) for e in shown]
    blocks = [_Block("typical", [e.typical for e in shown], nothing)]
    if any(e.borderline.size for e in shown):
        rivals = [[str(c) for c in e.rivals.tolist()] for e in shown]
        blocks.append(_Block(_BORDERLINE, [e.borderline for e in shown], rivals))
    if labels is not None and any(e.wrong.size for e in shown):
        truth = checked_labels(labels)
        n_names = max(int(truth.max()) + 1, len(class_names))
        names = names_of(n_names, class_names, width=8)
        stated = [[names[label] for label in truth[e.wrong].tolist()] for e in shown]
        blocks.append(_Block(_WRONG, [e.wrong for e in shown], stated))
    return blocks


def _row_name(examples: ClusterExamples, class_names: Sequence[str]) -> str:
    plural = "s" * (examples.size != 1)
    size = f"{examples.size:,} sample{plural}" if examples.size else "empty"
    if examples.name is None:
        return f"cluster {examples.cluster}\n{size}"
    name = names_of(max(examples.name + 1, len(class_names)), class_names)[examples.name]
    return f"cluster {examples.cluster} → {name}\n{size}"


def _tiles(
    images: NDArray[np.generic], image_shape: tuple[int, ...], chosen: list[IntArray], n: int
) -> NDArray[np.float64]:
    """Return the images of all clusters, ``n`` for each; NaN where a cluster has fewer."""
    found = [as_images(images[indices], image_shape) for indices in chosen]
    tiles = np.full((len(chosen), n, *found[0].shape[1:]), np.nan)
    for row, pictures in zip(tiles, found, strict=True):
        row[: len(pictures)] = pictures
    return tiles.reshape(-1, *tiles.shape[2:])


def _write_tags(ax: Axes, block: _Block, n: int, below: float) -> None:
    """Write under each image what is to be said of it."""
    columns, lines = ax.get_images()[0].get_size()[::-1]
    for r, tags in enumerate(block.tags):
        for c, tag in enumerate(tags):
            x = (c + 0.46) * columns / n - 0.5
            y = (r + 1 / (1 + below)) * lines / len(block.tags) - 0.5
            # It lies inside the axes: whether it does, and what room it needs, takes time.
            ax.annotate(tag, (x, y), (0, -1.5), textcoords="offset points", fontsize=7, ha="center",
                        va="top", annotation_clip=False).set_in_layout(False)  # fmt: skip


def _images_caption(blocks: list[_Block], n_shown: int, n_clusters: int) -> str:
    caption = (
        "Each row is a cluster (→ the class it stands for). Typical: those nearest to its mean "
        "code, which should look alike. "
    )
    headings = [block.heading for block in blocks]
    if _BORDERLINE in headings:
        caption += (
            "Borderline: those nearest to falling to another cluster, whose id is under them. "
        )
    if _WRONG in headings:
        caption += (
            "Wrong: those the method was sure of although their label, written under them, is "
            "not the class the cluster stands for. "
        )
    if n_shown < n_clusters:
        caption += f"Drawn are the {n_shown} largest of {n_clusters} clusters. "
    return caption + "These are extremes, and do not show how frequent each kind is."


@in_style()
def plot_cluster_profiles(
    features: NDArray[np.generic],
    clusters: ArrayLike,
    feature_names: Sequence[str] = (),
    *,
    title: str = "Profile of each cluster",
) -> Figure:
    """Draw the mean of each standardised feature in each cluster, for a table of numbers.

    Parameters
    ----------
    features : array (n_samples, n_features)
        In any units: each column is standardised over all samples.
    clusters : array (n_samples,)
        −1, noise, is left out; the largest sixty clusters are drawn.
    feature_names : sequence of str
        Name of column 0, 1, …; the number itself where there is none.
    title : str

    Returns
    -------
    Figure
    """
    points, ids = checked_codes(features, "features"), checked_labels(clusters, "clusters")
    check_same_length(points, ids, ("features", "clusters"))
    columns = names_of(points.shape[1], feature_names, width=24)
    profiles = pd.DataFrame(_standardised_means(points, ids), columns=columns)
    if ids.max() < 0:
        return nothing_to_draw(title, _ALL_NOISE)
    sizes = np.bincount(ids[ids >= 0])
    drawn = np.sort(np.argsort(-sizes, kind="stable")[:_MOST_PROFILE_ROWS])
    drawn = drawn[sizes[drawn] > 0]
    profiles = profiles.iloc[drawn].set_axis(
        [f"{c} ({sizes[c]:,} sample{'s' if sizes[c] != 1 else ''})" for c in drawn]
    )
    longest = max(map(len, columns))  # written upright, under the map
    figure = new_figure(
        min(14.0, max(6.0, 0.32 * len(columns) + 3)),
        min(14.0, max(2.2, 0.32 * len(drawn)) + 1.6 + 0.07 * longest),
    )
    ax = figure.add_subplot()
    _draw_profiles(ax, profiles)
    left_out = int((sizes > 0).sum()) - len(drawn)
    only = f" Drawn are the {len(drawn)} largest of {len(drawn) + left_out} clusters."
    return captioned(
        figure,
        title,
        "Each row is a cluster, each column a feature: the cluster's mean, in standard deviations "
        "of that feature above (red) or below (blue) the mean of all samples. Pale cells are "
        "near the mean of all. How much the members of a cluster differ among themselves is not "
        f"shown.{only if left_out else ''}{thinned(ax, profiles.shape)}",
    )


def _standardised_means(points: NDArray[Any], ids: IntArray) -> NDArray[np.float64]:
    center, spread = points.mean(axis=0, dtype=np.float64), points.std(axis=0, dtype=np.float64)
    k = int(ids.max()) + 1
    means = np.zeros((k, points.shape[1]))
    for cluster in np.unique(ids[ids >= 0]).tolist():
        means[cluster] = points[ids == cluster].mean(axis=0, dtype=np.float64)
    return np.asarray((means - center) / np.where(spread > 0, spread, 1))


def _draw_profiles(ax: Axes, profiles: pd.DataFrame) -> None:
    limit = max(1.0, float(np.abs(profiles.to_numpy()).max(initial=0)))
    sns.heatmap(
        profiles,
        ax=ax,
        vmin=-limit,
        vmax=limit,
        cmap="RdBu_r",
        rasterized=True,
        cbar_kws={"label": "mean (standard deviations)"},
    )
    ax.set(xlabel="feature", ylabel="cluster")
    ax.tick_params(length=0)
    ax.tick_params(axis="y", rotation=0)
