"""Evidence for each number of clusters, a panel per kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ae_cluster.figures.style import NEUTRAL, PALETTE, captioned, in_style, new_figure, plain

_COLUMNS = 3


@in_style()
def plot_n_clusters(
    evidence: Mapping[str, Mapping[int, float]], listed: Sequence[int], sure: str, name: str = ""
) -> Figure:
    """Draw what each kind of evidence gives each number of clusters.

    Parameters
    ----------
    evidence : mapping of str to mapping of int to float
        Of `ae_cluster.suggest_n_clusters`; higher is better.
    listed : sequence of int
        The short list, the best first.
    sure : str
        How sure it is, for the caption.
    name : str
        Of the data.

    Returns
    -------
    Figure
        A panel per kind; a dot on its best number, vertical lines at those of the list.
    """
    rows = -(-len(evidence) // _COLUMNS)
    figure = new_figure(9.0, 2.2 * rows + 1.3)
    panels = figure.subplots(rows, _COLUMNS, squeeze=False).ravel()
    for ax, (kind, scores) in zip(panels, evidence.items(), strict=False):
        _panel(ax, kind, scores, listed)
    for ax in panels[len(evidence) :]:
        ax.set_axis_off()
    for ax in panels[max(0, len(evidence) - _COLUMNS) : len(evidence)]:  # the last of each column
        ax.set_xlabel("number of clusters")
    told = ", ".join(map(str, listed))
    title = f"How many clusters: {plain(name, 40)}" if name else "How many clusters"
    caption = (
        "Evidence for each number of clusters, higher is better; no label was seen. Dots: the best "
        f"of each kind. Vertical lines: the short list, {told}, the first drawn solid. {sure}"
    )
    return captioned(figure, title, caption)


def _panel(ax: Axes, kind: str, scores: Mapping[int, float], listed: Sequence[int]) -> None:
    for i, k in enumerate(listed):
        ax.axvline(k, color=NEUTRAL, linewidth=1.0, linestyle="-" if i == 0 else ":", zorder=0)
    numbers = sorted(scores)
    ax.plot(numbers, [scores[k] for k in numbers], color=PALETTE[0], linewidth=1.3)
    best = max(numbers, key=lambda k: (scores[k], -k), default=None)
    if best is not None:
        ax.plot([best], [scores[best]], "o", color=PALETTE[0])
    ax.set_title(kind)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
