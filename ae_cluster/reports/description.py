"""What clusters are like, as text, Markdown and CSV."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from ae_cluster.common.numbers import NOTHING, number
from ae_cluster.common.spreadsheets import safe_table
from ae_cluster.common.texts import in_markdown, one_line
from ae_cluster.reports.writing import markdown_table

TITLE = "# Clusters"  # the first line of the Markdown, by which it is known as ours
_LONGEST = 60  # characters of an id or a name on the screen
_MOST_CLASSES = 3
_SEPARATOR = "; "
_NUMBERS = ("share", "purity", "brightness", "variance", "p_label", "p_suggested", "distance",
            "times_usual")  # fmt: skip
_HEADERS = {
    "n": "samples",
    "brightness": "mean brightness",
    "variance": "variance of pixels ÷ of all",
    "nearest": "nearest clusters (distance)",
    "columns": "what differs from the rest, in standard deviations (95 % interval)",
    "other": "the same as",
    "times_usual": "÷ usual distance",
    "p_label": "p of label",
    "p_suggested": "p of suggested",
}
HOW_TO_READ = """\
Typical: nearest to the mean code of the cluster. Borderline: of which the method is least sure.
Outliers: farthest out, first. Distances between clusters are of their mean codes. Differences are
of means, in standard deviations within the cluster and the rest (Hedges' g); as the clusters were
made of these numbers, an interval is no test. Likely label errors: more than half of the nearest
codes have another class, and more than is usual for it (confident learning). Near-duplicates: the
distance is below the 1 % quantile of that to the nearest other sample, of a table in standard
deviations of each column; exact duplicates first."""
Lists = tuple[tuple[str, pd.DataFrame], ...]


def to_csv(table: pd.DataFrame) -> str:
    """Return a table as CSV; several ids in a cell stand apart by semicolons."""
    return safe_table(_joined(table)).to_csv(index=False, float_format="%.6g", lineterminator="\n")


def to_markdown(title: str, clusters: pd.DataFrame, lists: Lists, notes: Sequence[str]) -> str:
    """Return all tables as Markdown.

    Parameters
    ----------
    title : str
    clusters : DataFrame
    lists : tuple of (str, DataFrame)
        What each is called, and its first rows.
    notes : sequence of str
    """
    parts = [TITLE, "", in_markdown(title), "", *_markdown(clusters)]
    for name, table in lists:
        parts += [
            "",
            f"## {in_markdown(name)}",
            "",
            *(_markdown(table) if len(table) else ["None."]),
        ]
    said = [f"* {in_markdown(note)}" for note in notes]
    return "\n".join([*parts, "", *said, *([""] if said else []), HOW_TO_READ, ""])


def to_text(title: str, clusters: pd.DataFrame, lists: Lists) -> str:
    """Return all tables for the screen: a paragraph per cluster, then the lists."""
    parts = [one_line(title), "", *map(_paragraph, _cells(clusters).to_dict("records"))]
    for name, table in lists:
        parts += [name, *(_aligned(_cells(table)) if len(table) else ["  none"]), ""]
    return "\n".join([*parts, HOW_TO_READ])


def _paragraph(row: dict[Any, Any]) -> str:
    name = f" “{row['name']}”" if row["name"] else ""
    pure = f", purity {row['purity']}" if "purity" in row else ""
    lines = [f"Cluster {row['cluster']}{name}: {row['n']} samples, {row['share']} of all{pure}"]
    told = {"cluster", "name", "n", "share", "purity", "brightness", "variance"}
    if "brightness" in row:
        lines.append(
            f"  images: brightness {row['brightness']}, variance {row['variance']} of all's"
        )
    lines += [f"  {key}: {value}" for key, value in row.items() if key not in told and value]
    return "\n".join([*lines, ""])


def _cells(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table as text that does nothing on a screen."""
    return pd.DataFrame(
        {name: [_cell(str(name), value) for value in table[name]] for name in table.columns}
    )


def _cell(name: str, value: Any) -> str:
    if isinstance(value, tuple):
        some = value[:_MOST_CLASSES] if name == "classes" else value
        more = f"{_SEPARATOR}{len(value) - len(some)} more" if len(value) > len(some) else ""
        return _SEPARATOR.join(one_line(str(v), _LONGEST) for v in some) + more
    if name in _NUMBERS:
        return number(value) if pd.notna(value) else NOTHING
    return f"{value:,}" if name == "n" else one_line(str(value), _LONGEST)


def _aligned(cells: pd.DataFrame) -> list[str]:
    rows = [[_HEADERS.get(str(name), str(name)) for name in cells], *cells.to_numpy().tolist()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  " + "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _markdown(table: pd.DataFrame) -> list[str]:
    cells = _cells(table)
    head = [_HEADERS.get(str(name), str(name)) for name in cells]
    return markdown_table(head, [[*map(in_markdown, row)] for row in cells.to_numpy().tolist()])


def _joined(table: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            name: [
                _SEPARATOR.join(map(str, value)) if isinstance(value, tuple) else value
                for value in table[name]
            ]
            for name in table.columns
        }
    )
