"""Pipelines from samples to clusters side by side: every seed a dot, and what it takes."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator
from numpy.typing import NDArray

from ae_cluster.figures.panels import (
    NO_ROWS,
    direction,
    end_axis,
    failures,
    panels,
    panels_against,
    pipelines_by_score,
    rows_with_pipelines,
    score_label,
    seed_count,
)
from ae_cluster.figures.style import (
    MARKERS,
    captioned,
    group_colors,
    in_style,
    nothing_to_draw,
    plain_log_ticks,
)
from ae_cluster.reports import LOWER_IS_BETTER


@in_style()
def plot_methods(
    rows: pd.DataFrame,
    score: str = "accuracy",
    *,
    split: str = "test",
    n_seeds: int | None = None,
    title: str = "Every pipeline from samples to clusters, every seed",
) -> Figure:
    """Draw a score of every seed as a dot, one line per pipeline, one panel per data set.

    Parameters
    ----------
    rows : DataFrame
        Tidy rows; those with a label budget are left out.
    score : str
        The column to draw.
    split : str
    n_seeds : int, optional
        Seeds expected of every pipeline; where fewer finished, the picture says so. By
        default as many as occur in the rows.
    title : str

    Returns
    -------
    Figure
        The best pipeline, by its median over all data sets, on top.

    Raises
    ------
    InputError
        As `ae_cluster.reports.comparable_rows`.
    """
    rows = rows_with_pipelines(rows, score, split)
    if rows[score].isna().all():
        return nothing_to_draw(title, NO_ROWS + failures(rows, score))
    n_seeds = n_seeds or rows["seed"].nunique()
    pipelines = pipelines_by_score(rows, score)[::-1]
    figure, axes = panels(rows, 0.3 * len(pipelines) + 0.7, sharex=True, sharey=True)
    methods = rows.groupby("pipeline")["method"].first().loc[pipelines]
    for name, ax in axes.items():
        _draw_strips(ax, rows[rows["dataset"] == name], score, methods, n_seeds)
        ax.set_xlabel(score_label(score))
        ax.tick_params(labelbottom=True)
        ax.set_yticks(range(len(pipelines)), pipelines)
        ax.set_ylim(-0.6, len(pipelines) - 0.4)
        ax.grid(visible=True, axis="x")
        ax.set_axisbelow(True)
    end_axis(axes.values(), rows.dropna(subset=[score]), score, along="x")
    return captioned(figure, title, _methods_caption(rows, score, n_seeds))


def _draw_strips(
    ax: Axes, rows: pd.DataFrame, score: str, methods: pd.Series[str], n_seeds: int
) -> None:
    """Draw a line of dots for each pipeline; ``methods`` holds their methods, from below."""
    looks, n_places = sorted(set(methods)), max(n_seeds, rows["seed"].max() + 1)
    colors = group_colors(len(looks))
    for y, (pipeline, method) in enumerate(methods.items()):
        seeds = rows[rows["pipeline"] == pipeline].dropna(subset=[score])
        look = looks.index(method)
        # A seed has the same place on every line, so that the eye can follow pairs.
        heights = y + 0.5 * ((seeds["seed"] + 0.5) / n_places - 0.5)
        marker = MARKERS[look % len(MARKERS)]
        ax.scatter(seeds[score], heights, s=13, marker=marker, color=colors[look], linewidths=0)
        ax.vlines(seeds[score].median(), y - 0.38, y + 0.38, color="black", linewidth=2)
        if len(seeds) < n_seeds:
            place, axis = (seeds[score].min(), "data") if len(seeds) else (0.1, "axes fraction")
            ax.annotate(f"{len(seeds)}/{n_seeds}", (place, y), (-5, 0), xycoords=(axis, "data"),
                        textcoords="offset points", va="center", ha="right",
                        fontsize=7.5)  # fmt: skip


def _methods_caption(rows: pd.DataFrame, score: str, n_seeds: int) -> str:
    finished = rows.groupby(["dataset", "pipeline"])[score].count().unstack(fill_value=0)
    lost = (
        f" Where fewer than {n_seeds} seeds finished, the number beside the dots says how many; "
        "the median is over these, and not to be compared with full ones."
        if (finished < n_seeds).any(axis=None)
        else ""
    )
    return (
        f"Each dot is one seed, of {n_seeds}, the bar their median; a seed stands at the same "
        f"height on every line. {direction(score)} Look at the worst dots too: they are what one "
        "run may give. Clouds that overlap do not rule out a difference: the tables compare the "
        f"same seeds in pairs.{lost}"
    )


@in_style()
def plot_pareto(
    rows: pd.DataFrame,
    score: str = "accuracy",
    *,
    split: str = "test",
    title: str = "What a score costs in time",
) -> Figure:
    """Draw a score against seconds (log scale), one point per pipeline, one panel per data set.

    Parameters
    ----------
    rows : DataFrame
        Tidy rows; those with a label budget, or without seconds, are left out.
    score, split, title : str
        As in `plot_methods`.

    Returns
    -------
    Figure
        Medians over seeds with bars from worst to best; the Pareto front filled
        and joined by a line.

    Raises
    ------
    InputError
        As `ae_cluster.reports.comparable_rows`.
    """
    rows = rows_with_pipelines(rows, score, split)
    timed = rows[rows[score].notna() & (rows["seconds"] > 0)]
    if timed.empty:
        return nothing_to_draw(title, NO_ROWS + failures(rows, score))
    figure = panels_against(timed, score, "seconds (log scale)", partial(_draw_costs, score))
    seeds = seed_count(timed.groupby(["dataset", "pipeline"]).size())
    untimed = int((rows[score].notna() & ~(rows["seconds"] > 0)).sum())
    left_out = f" Without seconds, and not drawn: {untimed} runs." if untimed else ""
    return captioned(
        figure,
        title,
        f"Points are medians over {seeds} seeds, bars reach from the worst to the best. Filled "
        "points on the line are the Pareto front: no other pipeline has both a better median and a "
        f"shorter time. {direction(score)} Seconds are those of training and clustering on the "
        "machine of these runs: roughly, their ratios carry over to other machines, the seconds "
        "do not."
        f"{failures(rows, score)}{left_out}",
    )


def _draw_costs(score: str, ax: Axes, rows: pd.DataFrame, pipelines: list[str]) -> None:
    groups = rows.groupby("pipeline")
    spread = groups[score].agg(["min", "median", "max"]).assign(seconds=groups["seconds"].median())
    seconds, median = (spread[c].to_numpy(dtype=np.float64) for c in ("seconds", "median"))
    on_front = pareto_front(seconds, -median if score in LOWER_IS_BETTER else median)
    front = np.flatnonzero(on_front)[np.argsort(seconds[on_front], kind="stable")]
    ax.plot(
        seconds[front], median[front], "-", color="#888888", linewidth=1, drawstyle="steps-post"
    )
    colors = group_colors(len(pipelines))
    for i, (pipeline, line) in enumerate(spread.iterrows()):
        look = pipelines.index(str(pipeline))
        marker, color = MARKERS[look % len(MARKERS)], colors[look]
        bars = [[line["median"] - line["min"]], [line["max"] - line["median"]]]
        ax.errorbar(line["seconds"], line["median"], yerr=bars, fmt=marker, color=color,
                    markersize=7, elinewidth=1,
                    markerfacecolor=color if on_front[i] else "white")  # fmt: skip
        ax.plot([], [], marker, color=color, markersize=7, label=pipeline)
    ax.set_xscale("log")
    plain_log_ticks(ax.xaxis)
    if seconds.max() > 30 * seconds.min():
        ax.xaxis.set_major_locator(LogLocator())
    ax.grid(visible=True)
    ax.set_axisbelow(True)


def pareto_front(costs: NDArray[np.float64], gains: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which points (n,) no other beats: none costs at most as much and gains more.

    A point that gains as much as another for less, or more for as much, beats it;
    of equal points, all are kept.
    """
    cheaper = (costs[:, None] <= costs) & (gains[:, None] >= gains)
    strictly = (costs[:, None] < costs) | (gains[:, None] > gains)
    return np.asarray(~(cheaper & strictly).any(axis=0))
