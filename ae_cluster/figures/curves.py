"""A score against the size of the code, the epochs, or the number of training samples."""

from __future__ import annotations

from functools import partial
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ae_cluster.figures.panels import (
    NO_ROWS,
    direction,
    failures,
    panels_against,
    rows_with_pipelines,
    seed_count,
    with_pipelines,
)
from ae_cluster.figures.style import (
    DASHES,
    MARKERS,
    captioned,
    group_colors,
    in_style,
    nothing_to_draw,
    plain_log_ticks,
)
from ae_cluster.reports import GROUP

_AXES = {
    "n_components": "numbers in the code (log scale)",
    "epochs": "epochs (log scale)",
    "n_train": "training samples (log scale)",
}
_MOST_TICKS = 10
# Level lines have no markers to tell them apart.
_LEVEL_DASHES = tuple((0, dash) for dash in ((1, 1.5), (6, 2), (6, 2, 1, 2), (1, 4), (12, 3)))


@in_style()
def plot_code_sizes(
    rows: pd.DataFrame,
    score: str = "accuracy",
    *,
    split: str = "test",
    title: str = "What a small code costs",
) -> Figure:
    """Draw a score against the size of the code, one line per pipeline, one panel per data set.

    Features of one size only, such as pixels, become level lines. Parameters and errors are
    those of `ae_cluster.figures.plot_methods`.

    Returns
    -------
    Figure
        A dot per seed, lines through the medians.
    """
    rows = rows_with_pipelines(rows, score, split, named=["n_clusters"])
    hint = "What a line still gains to the right of 3, a picture in space cannot show."
    return _draw_curves(rows, "n_components", score, title, hint)


@in_style()
def plot_training_curve(
    rows: pd.DataFrame,
    against: Literal["epochs", "n_train"] = "epochs",
    score: str = "accuracy",
    *,
    split: str = "test",
    title: str = "",
) -> Figure:
    """Draw a score against epochs or training samples: a line per pipeline, a panel per data set.

    Parameters
    ----------
    rows : DataFrame
        Tidy rows; those with a label budget are left out. Where the same pipeline was
        run with several values of the other of the two, each has its line. Pipelines
        with a single value, such as those without training, become level lines.
    against : {"epochs", "n_train"}
    score, split, title
        As in `plot_code_sizes`, and so is the figure.
    """
    named = ["n_components", "n_clusters"]
    rows = rows_with_pipelines(rows, score, split, [*GROUP, "epochs", "n_train"], named)
    if rows.duplicated([*GROUP, against, "seed"]).any():
        other = "n_train" if against == "epochs" else "epochs"
        rows = with_pipelines(_without_strays(rows, against, other), [*named, other])
    bought = "epochs" if against == "epochs" else "training samples"
    hint = "A line that still rises at its right end would gain from more; one that falls does not."
    return _draw_curves(rows, against, score, title or f"What more {bought} buy", hint)


def _without_strays(rows: pd.DataFrame, x: str, other: str) -> pd.DataFrame:
    """Leave out lines of a single point where the same pipeline has a longer one."""
    pipeline = list(GROUP)
    length = rows.groupby([*pipeline, other], dropna=False)[x].transform("nunique")
    longest = length.groupby([rows[c] for c in pipeline], dropna=False).transform("max")
    return rows[(length != 1) | (longest <= 1)]


def _draw_curves(rows: pd.DataFrame, x: str, score: str, title: str, hint: str) -> Figure:
    scored = rows.dropna(subset=[score, x])
    if scored.empty:
        return nothing_to_draw(title, NO_ROWS + failures(rows, score))
    figure = panels_against(scored, score, _AXES[x], partial(_draw_panel, x, score))
    return captioned(figure, title, _caption(scored, x, score, hint) + failures(rows, score))


def _draw_panel(x: str, score: str, ax: Axes, rows: pd.DataFrame, pipelines: list[str]) -> None:
    is_level = _is_level(rows, x)
    colors = group_colors(len(pipelines))
    for n, (pipeline, group) in enumerate(rows[is_level].groupby("pipeline")):
        color, dash = colors[pipelines.index(str(pipeline))], _LEVEL_DASHES[n % len(_LEVEL_DASHES)]
        ax.axhline(
            group[score].median(), color=color, linewidth=1.2, linestyle=dash, label=pipeline
        )
    for pipeline, group in rows[~is_level].groupby("pipeline"):
        i = pipelines.index(str(pipeline))
        # Lines are set slightly apart, so that no dot hides another.
        places = group[x] * 1.04 ** (i - (len(pipelines) - 1) / 2)
        marker, joined = MARKERS[i % len(MARKERS)], DASHES[i % len(DASHES)]
        ax.scatter(
            places, group[score], s=9, marker=marker, color=colors[i], alpha=0.45, linewidths=0
        )
        medians = group.groupby(places)[score].median()
        ax.plot(medians.index, medians, joined, marker=marker, color=colors[i], label=pipeline)
    _scale(ax, np.unique(rows.loc[~is_level, x].to_numpy(dtype=np.float64)))


def _is_level(rows: pd.DataFrame, x: str) -> pd.Series[bool]:
    """Return which rows are of pipelines with one value of ``x``, where others have several."""
    values = rows.groupby(["dataset", "pipeline"])[x].transform("nunique")
    most = values.groupby(rows["dataset"]).transform("max")
    return (values == 1) & (most > 1)


def _scale(ax: Axes, values: NDArray[np.float64]) -> None:
    if values.min() <= 0:
        ax.set_xscale("symlog", linthresh=1)
    else:
        ax.set_xscale("log")
    if values.size <= _MOST_TICKS:
        ax.set_xticks(values, [f"{value:,.0f}" for value in values])
        ax.minorticks_off()
    else:
        plain_log_ticks(ax.xaxis)
    ax.grid(visible=True, axis="y")
    ax.set_axisbelow(True)


def _caption(rows: pd.DataFrame, x: str, score: str, hint: str) -> str:
    is_level = _is_level(rows, x)
    seeds = rows[~is_level].groupby(["dataset", "pipeline", x]).size()
    level = " Level lines are medians of pipelines with one value only." if is_level.any() else ""
    return (
        f"Each small dot is one seed ({seed_count(seeds)} at each place); lines join their medians "
        f"and are set slightly apart.{level} {direction(score)} {hint} Dots that overlap do not "
        "rule out a difference: the tables compare the same seeds in pairs."
    )
