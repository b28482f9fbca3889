"""What a few labels buy: accuracy against the label budget."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from ae_cluster.figures.style import (
    DASHES,
    MARKERS,
    captioned,
    group_colors,
    in_style,
    new_figure,
    plain,
    plain_log_ticks,
)
from ae_cluster.reports import median_interval

NEARLY_ALWAYS = 0.95  # right
ODDS_TICKS = (0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999)


@in_style()
def plot_label_budget(
    rows: pd.DataFrame,
    references: Mapping[str, float] | None = None,
    *,
    published: Mapping[str, Mapping[int, float]] | None = None,
    title: str = "Accuracy with a few labels",
) -> Figure:
    """Draw accuracy on test samples against labels per class, one line per features and method.

    Parameters
    ----------
    rows : DataFrame
        Tidy rows with the columns budget (labels per class), accuracy, features
        and method; other columns, such as draw and seed, tell repetitions apart:
        several seeds get an interval.
        Rows of another split than test, and rows without a budget, are left out.
        Failed rows (accuracy NaN) are not drawn, but counted in the caption.
    references : dict of str to float, optional
        Accuracies drawn as level lines, say that with all labels, or with none.
    published : dict of str to dict of int to float, optional
        Accuracies by others, by labels per class, drawn as hollow points.
    title : str

    Returns
    -------
    Figure
    """
    rows = _with_budget(rows)
    scored = rows.dropna(subset=["accuracy"])
    figure = new_figure(8, 4.8)
    ax = figure.add_subplot()
    for name, accuracy in (references or {}).items():
        ax.axhline(accuracy, color="#666666", linewidth=1, linestyle=(0, (1, 2)))
        # At the left, where curves are low.
        ax.annotate(plain(name, 40), (0, accuracy), (3, 2), xycoords=("axes fraction", "data"),
                    textcoords="offset points", fontsize=8)  # fmt: skip
    _draw_lines(ax, scored)
    _draw_published(ax, published or {})
    _label_axes(ax, scored)
    stretched = _stretch(ax, scored, published or {})
    failed = len(rows) - len(scored)
    caption = _caption(scored, failed)
    caption += " Hollow points are by others; the table says from where." if published else ""
    caption += " The axis is stretched towards 1." if stretched else ""
    return captioned(figure, title, caption)


def _with_budget(rows: pd.DataFrame) -> pd.DataFrame:
    if "split" in rows:
        rows = rows[rows["split"] == "test"]
    rows = rows.assign(
        budget=pd.to_numeric(rows["budget"]), accuracy=pd.to_numeric(rows["accuracy"])
    )
    return rows[rows["budget"] > 0]


def _draw_lines(ax: Axes, rows: pd.DataFrame) -> None:
    lines = list(rows.groupby(["features", "method"], sort=False))
    colors = group_colors(len(lines))
    for i, ((keys, group), marker, dash) in enumerate(
        zip(lines, cycle(MARKERS), cycle(DASHES), strict=False)
    ):
        features, method = keys
        spread = _spread(group)
        worst, median, best, low, high = spread.to_numpy(dtype=np.float64).T
        # Lines that share budgets are set a little apart, so that no bar hides another.
        place = spread.index.to_numpy(dtype=np.float64) * 1.035 ** (i - (len(lines) - 1) / 2)
        ax.errorbar(place, median, yerr=(median - worst, best - median), fmt=dash, marker=marker,
                    color=colors[i], capsize=2.5, elinewidth=1,
                    label=plain(f"{method} on {features}", 40))  # fmt: skip
        ax.vlines(place, low, high, color=colors[i], linewidth=5, alpha=0.5)


def _draw_published(ax: Axes, published: Mapping[str, Mapping[int, float]]) -> None:
    for (name, accuracies), marker in zip(published.items(), cycle(MARKERS), strict=False):
        budgets, scores = list(accuracies), list(accuracies.values())
        ax.plot(budgets, scores, marker, color="#444444", markerfacecolor="white",
                label=plain(name, 48))  # fmt: skip


def _stretch(ax: Axes, rows: pd.DataFrame, published: Mapping[str, Mapping[int, float]]) -> bool:
    """Stretch the axis where some are nearly always right, and return whether that was done.

    By the log odds: of .98 and .99 one is wrong twice as often, which a plain axis does not show.
    """
    by_others = [a for accuracies in published.values() for a in accuracies.values()]
    scores = np.array([*rows["accuracy"], *by_others])
    inside = scores[(scores > 0) & (scores < 1)]
    if inside.size == 0 or inside.max() < NEARLY_ALWAYS:
        return False
    ax.set_yscale("logit", nonpositive="clip")
    low, high = inside.min(), inside.max()
    ax.set_ylim(low / (1 + low), (1 + high) / 2)  # room for half as many odds, or errors
    ticks = [t for t in ODDS_TICKS if ax.get_ylim()[0] <= t <= ax.get_ylim()[1]]
    ax.set_yticks(ticks, [f"{t:g}" for t in ticks])
    ax.yaxis.set_minor_locator(NullLocator())
    return True


def _spread(rows: pd.DataFrame) -> pd.DataFrame:
    """Return worst, median and best of each budget, and the interval of the median over seeds.

    Draws of one seed share an encoder: where there are several seeds, the median is over
    these, each with the mean of its draws, as in the tables.
    """
    budgets = rows.groupby("budget")["accuracy"]
    spread = budgets.agg(["min", "median", "max"]).assign(low=np.nan, high=np.nan)
    if _n_seeds(rows) > 1:
        of_seeds = rows.groupby(["budget", "seed"])["accuracy"].mean().groupby("budget")
        spread["median"] = of_seeds.median()
        spread[["low", "high"]] = [median_interval(scores) for _, scores in of_seeds]
    return spread


def _n_seeds(rows: pd.DataFrame) -> int:
    return rows["seed"].nunique() if "seed" in rows else 1


def _label_axes(ax: Axes, rows: pd.DataFrame) -> None:
    ax.set_xscale("log")
    plain_log_ticks(ax.xaxis)
    budgets = np.unique(rows["budget"].to_numpy())
    if 0 < budgets.size <= 12:
        ax.set_xticks(budgets, [f"{b:g}" for b in budgets])
        ax.minorticks_off()
    ax.set_xlabel("labels per class (log scale)")
    ax.set_ylabel("accuracy (share of test samples)")
    ax.grid(visible=True, axis="y")
    if len(rows):
        ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))


def _caption(rows: pd.DataFrame, failed: int) -> str:
    sizes = rows.groupby(["features", "method", "budget"]).size()
    fewest, most = (0, 0) if sizes.empty else (int(sizes.min()), int(sizes.max()))
    count = f"{most}" if fewest == most else f"{fewest} to {most}"
    if _n_seeds(rows) > 1:
        points = (
            f"Points are medians over {_n_seeds(rows)} seeds, each the mean of its draws of the "
            "labelled samples; thick bars are bootstrap 95 % intervals of these medians, thin bars "
            f"reach from the worst to the best single draw ({count} for each point). Lines are set "
            "slightly apart. Bars that overlap do not rule out a difference: the tables compare "
            "the same draws in pairs."
        )
    elif most > 1:
        points = (
            f"Points are medians over {count} draws of the labelled samples, bars reach from the "
            "worst to the best draw; lines are set slightly apart to keep the bars legible. Bars "
            "that overlap do not rule out a difference: compare the same draws in pairs."
        )
    else:
        points = "Each point is a single draw of the labelled samples, so its chance is not shown."
    lost = f" Failed and not drawn: {failed} of {failed + len(rows)} rows." if failed else ""
    return f"{points} Higher, and high further to the left, is better.{lost}"
