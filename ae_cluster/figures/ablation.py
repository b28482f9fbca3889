"""What each stage of a pipeline buys: errors that fall from stage to stage."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from ae_cluster.figures.style import (
    MARKERS,
    captioned,
    group_colors,
    in_style,
    new_figure,
    nothing_to_draw,
    plain_log_ticks,
    room_for_legend,
    short_names,
)

WRONG = "share of samples in a wrong cluster (log scale)"
DRAWN = "error of the drawn image (mean squared)"


@in_style()
def plot_stages(rows: pd.DataFrame, *, split: str = "test", title: str) -> Figure:
    """Draw the share of wrong samples after every stage, and how well images are drawn.

    Parameters
    ----------
    rows : DataFrame
        Tidy rows whose methods are the stages, named "1 …", "2 …" in their order; after a
        comma stands what is drawn, where something is.
    split, title : str

    Returns
    -------
    Figure
        A dot per seed, a line through the medians for each data set; first stage on top.
    """
    rows = rows[(rows["split"] == split) & rows["accuracy"].notna()]
    if rows.empty:
        return nothing_to_draw(title, "No row of this split has a score.")
    names = rows["method"].str.split(" ", n=1).str[-1]
    rows = rows.assign(wrong=1 - rows["accuracy"], stage=names.str.split(", ").str[0])
    rows = rows.assign(drawn=names.str.split(", ").str[-1])
    figure = new_figure(8.6, max(3.6, 1.8 + 0.2 * rows["stage"].nunique()))
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    # What differs only after the comma clusters alike.
    sorts = rows.drop_duplicates(["dataset", "seed", "stage"])
    least = sorts["wrong"].where(sorts["wrong"] > 0).min()
    none_wrong = 0.5 * least  # where "0" stands, which has no place on a log scale
    _draw(left, sorts.assign(wrong=sorts["wrong"].clip(none_wrong)), "wrong", WRONG, "stage")
    _scale(left, none_wrong if (sorts["wrong"] <= 0).any() else None)
    _draw(right, rows[rows["mse"].notna()], "mse", DRAWN, "drawn")
    right.set_xlim(left=0)
    handles, names = left.get_legend_handles_labels()
    columns = room_for_legend(figure, [str(name) for name in names])
    figure.legend(handles, names, loc="outside right upper", ncols=columns)
    n = rows.groupby("dataset")["seed"].nunique().max()
    caption = (
        f"Each dot is one seed, of {n}; lines join the medians. Left, a network that has learnt "
        "what the stage found answers for samples it has not seen; kmeans on the samples is what "
        "there would be without the graph. Right, what the decoder draws from the middle of a "
        "sample's cluster, and from its code. Lower is better."
    )
    return captioned(figure, title, caption)


def _scale(ax: Axes, none_wrong: float | None) -> None:
    """Make the axis of wrong shares logarithmic; where some are 0, that has a tick of its own."""
    if none_wrong is not None and not none_wrong > 0:  # all of them
        ax.set_xlim(0, 1)
        ax.set_xlabel(WRONG.removesuffix(" (log scale)"))
        return
    ax.set_xscale("log")
    plain_log_ticks(ax.xaxis)
    if none_wrong is not None:
        low, high = ax.get_xlim()
        every = LogLocator(subs=(1, 2, 5)).tick_values(low, high)
        ticks = {t: f"{t:g}" for t in every if 1.9 * none_wrong < t <= high}
        ax.set_xticks([none_wrong, *ticks], ["0", *ticks.values()])
        ax.set_xlim(low, high)
        ax.minorticks_off()


def _draw(ax: Axes, rows: pd.DataFrame, column: str, label: str, named: str) -> None:
    """Draw a column against the stages, each called what the column ``named`` says."""
    names = dict(zip(rows["method"], rows[named], strict=True))
    stages = sorted(set(rows["method"]), key=_number)
    datasets = sorted(set(rows["dataset"]))
    shown = short_names(datasets)
    for i, (name, color) in enumerate(zip(datasets, group_colors(len(datasets)), strict=True)):
        of_one = rows[rows["dataset"] == name]
        heights = of_one["method"].map(stages.index)
        ax.scatter(
            of_one[column],
            heights,
            s=16,
            marker=MARKERS[i % len(MARKERS)],
            color=color,
            linewidths=0,
        )
        medians = of_one.groupby("method")[column].median()
        places = [stages.index(stage) for stage in medians.index]
        ax.plot(medians, places, color=color, marker="|", markersize=11, label=shown[i])
    ax.set_yticks(range(len(stages)), short_names([names[stage] for stage in stages], 24))
    ax.set_ylim(len(stages) - 0.5, -0.5)
    ax.set_xlabel(label)
    ax.grid(visible=True, axis="x")
    ax.set_axisbelow(True)


def _number(stage: str) -> tuple[int, str]:
    """Return the number that a stage's name begins with, and the name."""
    number = stage.split(" ", 1)[0]
    return (int(number) if number.isdecimal() else 0), stage
