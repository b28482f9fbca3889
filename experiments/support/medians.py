"""Tables of medians and ranges, for pipelines of three seeds or ten. Never loads torch."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ae_cluster.common.files import make_folder
from ae_cluster.common.numbers import NOTHING, number
from ae_cluster.common.texts import in_markdown
from ae_cluster.reports.literature import OF_DEEP
from ae_cluster.reports.writing import markdown_table
from experiments.support.published import published_rows


def robustness_table(results: Path) -> list[Path]:
    """Write held-out accuracy and AMI of every setting of robustness, and return the file."""
    rows = held_out(results, "robustness")
    if rows.empty:
        return []
    head = ("data", "codes → by", "k", "seeds", "accuracy, median (min–max)",
            "AMI, median (min–max)")  # fmt: skip
    lines = [
        (
            *(_in(dataset), f"{_in(features)} → {_in(method)}", str(k), str(len(found))),
            *(spread(found["accuracy"]), spread(found["ami"])),
        )
        for (dataset, k, features, method), found in rows.groupby(
            ["dataset", "n_clusters", "features", "method"]
        )
    ]
    return written(markdown_table(head, lines), results / "tables" / "robustness.md")


def deep_table(results: Path) -> list[Path]:
    """Write held-out ACC of the deep clusterings beside others' numbers, and return the file.

    ACC as in the papers: clusters are matched with classes on the samples that are scored.
    """
    rows = held_out(results, "deep_clusterings")
    if rows.empty:
        return []
    head = ("data", "code", "method", "seeds", "ACC (matched on test), median (min–max)", "NMI",
            "MSE", "seconds", "ACC by others")  # fmt: skip
    lines = []
    # In the order of the grid: the larger code first, what all start from before the others.
    for (dataset, size, method), found in rows.groupby(
        ["dataset", "n_components", "method"], sort=False
    ):
        others = OF_DEEP.get((int(size), str(method)), NOTHING) if dataset == "mnist" else NOTHING
        lines.append(
            (
                *(_in(dataset), f"{size}-D", _in(method), str(len(found))),
                *(spread(found["accuracy_matched"]), number(found["nmi"].median())),
                *(number(found["mse"].median()), number(found["seconds"].median(), 0), others),
            )
        )
    return written(markdown_table(head, lines), results / "tables" / "deep-clusterings.md")


def _in(text: object) -> str:
    return in_markdown(str(text))


def held_out(results: Path, experiment: str) -> pd.DataFrame:
    """Return the finished rows of an experiment on test samples; empty where there are none."""
    rows = published_rows(results, experiment)
    return rows if rows.empty else rows[(rows["split"] == "test") & (rows["status"] == "ok")]


def spread(scores: pd.Series[float]) -> str:
    """Return the median and the range as text."""
    return f"{number(scores.median())} ({number(scores.min())}–{number(scores.max())})"


def written(lines: list[str], path: Path) -> list[Path]:
    """Write the lines of a table, and return its file."""
    make_folder(path.parent)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return [path]
