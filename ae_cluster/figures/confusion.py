"""Clusters against labels, as a heat map."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from ae_cluster.figures.style import (
    captioned,
    in_style,
    names_of,
    new_figure,
    nothing_to_draw,
    thinned,
)

_MOST_WRITTEN_CELLS = 450


@in_style()
def plot_confusion(
    classes: ArrayLike,
    clusters: ArrayLike,
    counts: ArrayLike,
    class_names: Sequence[str] = (),
    *,
    title: str = "Labels against clusters",
) -> Figure:
    """Draw how the samples of each class spread over the clusters.

    Takes what `ae_cluster.metrics.clustering.confusion_matrix` returns::

        plot_confusion(*confusion_matrix(labels, clusters, mapping), class_names)

    Parameters
    ----------
    classes : array (n_classes,)
        Class of each row.
    clusters : array (n_clusters,)
        Cluster of each column, ordered by class; −1 for noise.
    counts : array (n_classes, n_clusters)
        Samples. Written into the cells unless these are too many.
    class_names : sequence of str
        Name of class 0, 1, …; the number itself where there is none.
    title : str

    Returns
    -------
    Figure
    """
    counts, classes = np.asarray(counts), np.asarray(classes)
    if not counts.size:
        return nothing_to_draw(title, "No label is known: there is nothing to compare with.")
    names = names_of(max(int(classes.max(initial=-1)) + 1, len(class_names)), class_names)
    table = pd.DataFrame(
        counts / np.maximum(counts.sum(axis=1, keepdims=True), 1),
        index=[names[c] for c in classes.tolist()],
        columns=["noise" if c < 0 else str(c) for c in np.asarray(clusters).tolist()],
    )
    width, height = _matrix_size(*counts.shape)
    figure = new_figure(width, height)
    is_written = _fit(counts, (width - 2.6) / counts.shape[1])
    ax = figure.add_subplot()
    _draw_shares(ax, table, counts, is_written)
    written = "; the numbers count samples" if is_written else ""
    return captioned(
        figure,
        title,
        "Each row is a class and sums to 100 %: the darker a cell, the larger the share of the "
        f"class in that cluster{written}. Clusters are ordered by the class they stand for, so a "
        "good clustering is a dark staircase. A row with several dark cells is a class that was "
        "split, a column with several is a cluster that merges classes."
        f"{thinned(ax, counts.shape)}",
    )


def _matrix_size(n_rows: int, n_columns: int) -> tuple[float, float]:
    return min(14.0, max(5.6, 0.55 * n_columns + 2.6)), min(14.0, max(2.6, 0.4 * n_rows) + 1.8)


def _fit(counts: NDArray[np.generic], inches: float) -> bool:
    """Return whether the numbers can be written into cells of this width."""
    longest = len(str(counts.max()))
    return counts.size <= _MOST_WRITTEN_CELLS and 0.075 * longest <= inches


def _draw_shares(
    ax: Axes, shares: pd.DataFrame, counts: NDArray[np.generic], written: bool
) -> None:
    sns.heatmap(
        shares * 100,
        ax=ax,
        vmin=0,
        vmax=100,
        cmap="Blues",
        annot=counts if written else False,
        fmt="d",
        annot_kws={"fontsize": 7.5},
        linewidths=0.5 if written else 0,
        rasterized=not written,
        cbar_kws={"label": "share of the class (%)"},
    )
    ax.set(xlabel="cluster (ordered by its class)", ylabel="class (label)")
    ax.yaxis.labelpad = 8
    ax.tick_params(length=0)
    ax.tick_params(axis="y", rotation=0)
