"""What comparisons share: names of pipelines, a panel for each data set, words for a score."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ae_cluster.figures.style import new_figure, room_for_legend, short_names, within_its_range
from ae_cluster.metrics.clustering import METRICS
from ae_cluster.reports import GROUP, LOWER_IS_BETTER, comparable_rows

NO_ROWS = "No row of this split has a score: there is nothing to compare."

_WORDS = {metric.name: metric.words for metric in METRICS}
_BOUNDED = {metric.name for metric in METRICS if metric.at_most_1}
_NAMED = {
    "n_components": ", {:.0f}-D",
    "n_clusters": ", k = {:.0f}",
    "n_train": ", {:,.0f} samples",
    "epochs": ", epoch {:.0f}",
}
_MOST_IN_A_LINE = 3


def rows_with_pipelines(
    rows: pd.DataFrame,
    score: str,
    split: str,
    by: Sequence[str] = GROUP,
    named: Sequence[str] = ("n_components", "n_clusters"),
) -> pd.DataFrame:
    """Return the comparable rows of a split, with the name of each one's pipeline as ``pipeline``.

    A pipeline is a method on features; columns in ``named`` are in the name too, where the
    same features have several values of them in one data set.
    """
    rows = comparable_rows(rows, score, by)
    return with_pipelines(rows[rows["split"] == split], named)


def with_pipelines(rows: pd.DataFrame, named: Sequence[str]) -> pd.DataFrame:
    """Return rows with the name of each one's pipeline; see `rows_with_pipelines`."""
    pipeline = rows["method"] + " on " + rows["features"]
    for column in named:
        values = rows.groupby(["dataset", "method", "features"])[column].transform("nunique")
        several = (values > 1).groupby(rows["features"]).transform("any") & rows[column].notna()
        pipeline = pipeline.where(~several, pipeline + rows[column].map(_NAMED[column].format))
    different = pipeline.unique().tolist()
    short = dict(zip(different, short_names(different, 48), strict=True))  # never two as one
    return rows.assign(pipeline=[short[name] for name in pipeline])


def panels(
    rows: pd.DataFrame, height: float, *, sharex: bool = False, sharey: bool = False
) -> tuple[Figure, dict[str, Axes]]:
    """Return a figure with a panel per data set, at most three beside each other."""
    names = sorted(set(rows["dataset"]))
    lines = -(-len(names) // _MOST_IN_A_LINE)
    columns = -(-len(names) // lines)
    figure = new_figure(2.6 + (5.2, 3.4, 2.9)[columns - 1] * columns, height * lines + 1.4)
    axes = figure.subplots(lines, columns, squeeze=False, sharex=sharex, sharey=sharey).ravel()
    for ax, name in zip(axes, short_names(names, 28), strict=False):
        ax.set_title(name, loc="left")
    for ax in axes[len(names) :]:
        ax.remove()
    return figure, dict(zip(names, axes, strict=False))


def panels_against(
    rows: pd.DataFrame,
    score: str,
    x_label: str,
    draw: Callable[[Axes, pd.DataFrame, list[str]], None],
) -> Figure:
    """Return a figure of scored rows: ``draw`` gets each panel, its rows and all pipelines."""
    pipelines = pipelines_by_score(rows, score)
    figure, axes = panels(rows, 3.4, sharey=True)
    for name, ax in axes.items():
        draw(ax, rows[rows["dataset"] == name], pipelines)
        _label_axes(ax, x_label, score_label(score))
    end_axis(axes.values(), rows, score)
    _add_legend(figure, axes.values(), pipelines)
    return figure


def _add_legend(figure: Figure, axes: Iterable[Axes], pipelines: Sequence[str]) -> None:
    """Put one legend of all panels at the right, in the order of ``pipelines``."""
    found: dict[str, Artist] = {}
    for ax in axes:
        handles, labels = ax.get_legend_handles_labels()
        found |= dict(zip(map(str, labels), handles, strict=True))
    shown = [pipeline for pipeline in pipelines if pipeline in found]
    columns = room_for_legend(figure, shown)
    handles = [found[pipeline] for pipeline in shown]
    figure.legend(handles, shown, loc="outside right upper", ncols=columns)


def _label_axes(ax: Axes, x: str, y: str) -> None:
    """Name both axes of a panel, the shared one only where its numbers stand."""
    ax.set_xlabel(x)
    place = ax.get_subplotspec()
    if place is None or place.is_first_col():
        ax.set_ylabel(y)


def end_axis(axes: Iterable[Axes], rows: pd.DataFrame, score: str, along: str = "y") -> None:
    """Let the axis of a score not reach where no score can lie; of several panels, the same."""
    if score in _BOUNDED:
        for ax in axes:
            within_its_range(ax.yaxis if along == "y" else ax.xaxis, rows[score].to_numpy(float))


def pipelines_by_score(rows: pd.DataFrame, score: str) -> list[str]:
    """Return the pipelines, the best median over everything first, those without one last."""
    medians = rows.groupby("pipeline")[score].median() * (1 if score in LOWER_IS_BETTER else -1)
    return medians.sort_values(kind="stable").index.tolist()


def seed_count(sizes: pd.Series[int]) -> str:
    """Return numbers of seeds as text: "10", or "8 to 10"."""
    fewest, most = int(sizes.min()), int(sizes.max())
    return f"{most}" if fewest == most else f"{fewest} to {most}"


def score_label(score: str) -> str:
    """Return what a score's axis is called."""
    return _WORDS.get(score, score.replace("_", " "))


def direction(score: str) -> str:
    """Return whether lower or higher is better, as a sentence."""
    return f"{'Lower' if score in LOWER_IS_BETTER else 'Higher'} is better."


def failures(rows: pd.DataFrame, score: str) -> str:
    """Return how many rows have no score, as a sentence to append, or ""."""
    failed = int(rows[score].isna().sum())
    return f" Failed and not drawn: {failed} of {len(rows)} runs." if failed else ""
