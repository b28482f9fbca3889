"""What a few labels buy: accuracy against the label budget."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from numpy.typing import ArrayLike, NDArray

from ae_cluster.figures.style import (
    DASHES,
    MARKERS,
    captioned,
    group_colors,
    in_style,
    new_figure,
    plain,
    plain_log_ticks,
    room_for_legend,
    short_names,
    within_its_range,
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
    references, published = dict(references or {}), dict(published or {})
    figure = new_figure(8, 4.8)
    ax = figure.add_subplot()
    stretch = _Stretch.of(scored, references, published)
    _draw_references(ax, references, stretch)
    names = _draw_lines(ax, scored, stretch)
    names += _draw_published(ax, published, stretch)
    _label_axes(ax, scored)
    stretch.apply(ax, scored)
    if names:
        columns = room_for_legend(figure, names)
        ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), ncols=columns)
    caption = _caption(scored, len(rows) - len(scored))
    caption += " Hollow points are by others; the table says from where." if published else ""
    return captioned(figure, title, caption + stretch.caption)


def _with_budget(rows: pd.DataFrame) -> pd.DataFrame:
    if "split" in rows:
        rows = rows[rows["split"] == "test"]
    rows = rows.assign(
        budget=pd.to_numeric(rows["budget"]), accuracy=pd.to_numeric(rows["accuracy"])
    )
    return rows[rows["budget"] > 0]


def _draw_references(ax: Axes, references: Mapping[str, float], stretch: _Stretch) -> None:
    for name, accuracy in references.items():
        height = float(stretch.shown(accuracy))
        ax.axhline(height, color="#666666", linewidth=1, linestyle=(0, (1, 2)))
        # At the left, where curves are low.
        ax.annotate(plain(name, 40), (0, height), (3, 2), xycoords=("axes fraction", "data"),
                    textcoords="offset points", fontsize=8)  # fmt: skip


def _draw_lines(ax: Axes, rows: pd.DataFrame, stretch: _Stretch) -> list[str]:
    lines = list(rows.groupby(["features", "method"], sort=False))
    names = short_names([f"{method} on {features}" for (features, method), _ in lines], 48)
    colors = group_colors(len(lines))
    for i, ((_, group), name, marker, dash) in enumerate(
        zip(lines, names, cycle(MARKERS), cycle(DASHES), strict=False)
    ):
        spread = _spread(group)
        worst, median, best, low, high = stretch.shown(spread.to_numpy(dtype=np.float64)).T
        # Lines that share budgets are set a little apart, so that no bar hides another.
        place = spread.index.to_numpy(dtype=np.float64) * 1.035 ** (i - (len(lines) - 1) / 2)
        ax.errorbar(place, median, yerr=(median - worst, best - median), fmt=dash, marker=marker,
                    color=colors[i], capsize=2.5, elinewidth=1, label=name)  # fmt: skip
        ax.vlines(place, low, high, color=colors[i], linewidth=5, alpha=0.5)
    return names


def _draw_published(
    ax: Axes, published: Mapping[str, Mapping[int, float]], stretch: _Stretch
) -> list[str]:
    names = short_names(list(published), 48)
    for accuracies, name, marker in zip(published.values(), names, cycle(MARKERS), strict=False):
        scores = stretch.shown(np.array(list(accuracies.values()), dtype=np.float64))
        ax.plot(list(accuracies), scores, marker, color="#444444", markerfacecolor="white",
                label=name)  # fmt: skip
    return names


class _Stretch(NamedTuple):
    """Whether the axis goes by the log odds, and between which scores.

    Of .98 and .99 one is wrong twice as often, which a plain axis does not show. Odds of 0 and 1
    lie nowhere: such scores stand a little beyond the others, at ticks of their own.
    """

    inside: tuple[float, float] | None
    has_zero: bool
    has_one: bool

    @classmethod
    def of(
        cls,
        rows: pd.DataFrame,
        references: Mapping[str, float],
        published: Mapping[str, Mapping[int, float]],
    ) -> _Stretch:
        """Return the stretch of what is drawn: where some are nearly always right."""
        by_others = [a for accuracies in published.values() for a in accuracies.values()]
        scores = np.array([*rows["accuracy"], *by_others], dtype=np.float64)
        inside = scores[(scores > 0) & (scores < 1)]
        if inside.size == 0 or inside.max() < NEARLY_ALWAYS:
            return cls(None, has_zero=False, has_one=False)
        drawn = np.array([*scores, *references.values()])
        known = drawn[(drawn > 0) & (drawn < 1)]
        return cls(
            (float(known.min()), float(known.max())), bool((drawn <= 0).any()),
            bool((drawn >= 1).any()),
        )  # fmt: skip

    @property
    def caption(self) -> str:
        """What the caption says of it."""
        if self.inside is None:
            return ""
        ends = [end for end, has in (("0", self.has_zero), ("1", self.has_one)) if has]
        if not ends:
            return " The axis is stretched towards 1."
        verb = "stands" if len(ends) == 1 else "stand"
        far = f"{' and '.join(ends)}, infinitely far on it, {verb} beside the nearest score"
        return f" The axis is stretched towards 1; {far}."

    def shown(self, scores: ArrayLike) -> NDArray[np.float64]:
        """Return the heights at which scores are drawn."""
        if self.inside is None:
            return np.asarray(scores, dtype=np.float64)
        low, high = self.inside
        return np.clip(scores, low / (1 + low), (1 + high) / 2)  # half as many odds, or errors

    def apply(self, ax: Axes, rows: pd.DataFrame) -> None:
        """Scale the axis, and write its ticks."""
        if self.inside is None:
            within_its_range(ax.yaxis, rows["accuracy"].to_numpy(dtype=np.float64))
            return
        ax.set_yscale("logit", nonpositive="clip")
        zero, one = self.shown([0.0, 1.0]).tolist()
        # Beyond them a little room, and no tick so near that it would be written over theirs.
        low, first = (zero / 1.3, zero * 1.3) if self.has_zero else (zero, zero)
        up, last = (1 - (1 - one) / f for f in (1.3, 1 / 1.3)) if self.has_one else (one, one)
        ax.set_ylim(low, up)
        ticks = {t: f"{t:g}" for t in ODDS_TICKS if first <= t <= last}
        ticks |= {zero: "0"} if self.has_zero else {}
        ticks |= {one: "1"} if self.has_one else {}
        ax.set_yticks(list(ticks), list(ticks.values()))
        ax.yaxis.set_minor_locator(NullLocator())


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
