"""What each stage of a way buys: errors that fall from stage to stage."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ae_cluster.figures.style import (
    MARKERS,
    captioned,
    group_colors,
    in_style,
    new_figure,
    nothing_to_draw,
    plain,
    plain_log_ticks,
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
    figure = new_figure(8.6, 3.6)
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    # What differs only after the comma clusters alike.
    sorts = rows.drop_duplicates(["dataset", "seed", "stage"])
    _draw(left, sorts, "wrong", WRONG, "stage")
    left.set_xscale("log")
    plain_log_ticks(left.xaxis)
    _draw(right, rows[rows["mse"].notna()], "mse", DRAWN, "drawn")
    right.set_xlim(left=0)
    handles, names = left.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside right upper")
    n = rows.groupby("dataset")["seed"].nunique().max()
    caption = (
        f"Each dot is one seed, of {n}; lines join the medians. Left, a network that has learnt "
        "what the stage found answers for samples it has not seen; kmeans on the samples is what "
        "there would be without the graph. Right, what the decoder draws from the middle of a "
        "sample's cluster, and from its code. Lower is better."
    )
    return captioned(figure, title, caption)


def _draw(ax: Axes, rows: pd.DataFrame, column: str, label: str, named: str) -> None:
    """Draw a column against the stages, each called what the column ``named`` says."""
    names = dict(zip(rows["method"], rows[named], strict=True))
    stages = sorted(set(rows["method"]))
    datasets = sorted(set(rows["dataset"]))
    for i, (name, color) in enumerate(zip(datasets, group_colors(len(datasets)), strict=True)):
        of_one = rows[rows["dataset"] == name]
        heights = of_one["method"].map(stages.index)
        ax.scatter(of_one[column], heights, s=16, marker=MARKERS[i], color=color, linewidths=0)
        medians = of_one.groupby("method")[column].median()
        places = [stages.index(stage) for stage in medians.index]
        ax.plot(medians, places, color=color, marker="|", markersize=11, label=plain(name))
    ax.set_yticks(range(len(stages)), [plain(names[stage], 24) for stage in stages])
    ax.set_ylim(len(stages) - 0.5, -0.5)
    ax.set_xlabel(label)
    ax.grid(visible=True, axis="x")
    ax.set_axisbelow(True)
