"""Mean ranks of methods over many data sets, and which of them cannot be told apart."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ae_cluster.figures.style import (
    PALETTE,
    captioned,
    in_style,
    new_figure,
    nothing_to_draw,
    short_names,
)
from ae_cluster.reports.ranks import critical_difference, friedman, indistinct, ranks

_LINE = 0.26  # inches between names


@in_style()
def plot_ranks(scores: pd.DataFrame, *, score: str, title: str) -> Figure:
    """Draw the critical-difference diagram of Demšar (2006).

    Parameters
    ----------
    scores : DataFrame
        A line per data set, a column per method, higher is better; NaN ranks last.
    score : str
        What the scores are, in words.
    title : str

    Returns
    -------
    Figure
        The best method at the left; a bar joins methods that Nemenyi's test cannot tell apart.
    """
    n, k = scores.shape
    if n < 2 or k < 2:
        return nothing_to_draw(title, "Ranks need two data sets and two methods with scores.")
    means = ranks(scores).mean().sort_values(kind="stable")
    distance = critical_difference(k, n)
    runs = indistinct(means.tolist(), distance)
    below = -(-k // 2)  # names on each side
    figure = new_figure(8.6, 1.9 + _LINE * (below + len(runs) + 2))
    ax = figure.subplots()
    _axis(ax, k, distance)
    _bars(ax, means, runs)
    _names(ax, means, len(runs) + 1.0)
    ax.set_ylim(len(runs) + below + 1.4, -2.0)
    test = friedman(scores)
    is_tested = not np.isnan(test.p_value)
    told = f" Friedman's test that all are alike: p = {test.p_value:.2g}." if is_tested else ""
    caption = (
        f"Mean rank of {k} methods over {n} data sets by {score}, the median of each method's "
        "seeds; 1 is the best, and a method that gave nothing is last. Methods under one bar "
        f"differ by less than {distance:.2f}, the critical difference of Nemenyi's test at 5 %."
        f"{told}"
    )
    return captioned(figure, title, caption)


def _axis(ax: Axes, k: int, distance: float) -> None:
    """Draw the scale of ranks, with the critical difference as a rod above it."""
    ax.set_xlim(0.4, k + 0.6)
    ax.hlines(0, 1, k, color="black", linewidth=1)
    for rank in range(1, k + 1):
        ax.vlines(rank, -0.18, 0, color="black", linewidth=1)
        ax.text(rank, -0.3, str(rank), ha="center", va="bottom")
    end = min(1 + distance, k)
    ax.errorbar([(1 + end) / 2], [-1.35], xerr=[(end - 1) / 2], color="black", capsize=3)
    ax.text(end + 0.12, -1.35, f"critical difference {distance:.2f}", va="center")
    ax.axis("off")


def _bars(ax: Axes, means: pd.Series[float], runs: list[tuple[int, int]]) -> None:
    for i, (first, last) in enumerate(runs):
        ends = means.iloc[first] - 0.05, means.iloc[last] + 0.05
        ax.hlines(0.55 + i, *ends, color="#555555", linewidth=4)


def _names(ax: Axes, means: pd.Series[float], top: float) -> None:
    """Write the methods' names at both sides, the better half left, joined to their ranks."""
    k = len(means)
    names = short_names([str(name) for name in means.index], 24)
    for i, (name, rank) in enumerate(zip(names, means, strict=True)):
        left = i < -(-k // 2)
        y = top + (i if left else k - 1 - i)
        end, beside = (0.9, 0.8) if left else (k + 0.1, k + 0.2)
        ax.plot([rank, rank, end], [0, y, y], color=PALETTE[0], linewidth=0.9)
        text = f"{name}  {rank:.2f}" if left else f"{rank:.2f}  {name}"
        ax.text(beside, y, text, ha="right" if left else "left", va="center")
