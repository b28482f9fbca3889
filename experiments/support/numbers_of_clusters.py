"""The data sets, orders and tables of `experiments.number_of_clusters`. Never loads torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import make_blobs

from ae_cluster.common.numbers import NOTHING
from ae_cluster.common.spreadsheets import original_table
from ae_cluster.reports.writing import markdown_table
from experiments.support import benchmark_sets
from experiments.support.benchmark_sets import HALVES, MADE, BenchmarkSet
from experiments.support.bundled_files import Samples
from experiments.support.medians import written
from experiments.support.published import OF_BENCHMARKS as PLACE
from experiments.support.published import beside_published

FILE, TOGETHER, EVOC = "benchmark_k.csv", "together", "evoc"
ALONE = ("stability", "bic", "persistence", "information", "silhouette", "gap")
METHODS = (TOGETHER, *ALONE, EVOC)
BLOBS = "blobs"  # beside the halves
MOST_SAMPLES = 5000
NUMBERS = ["first", "second", "third"]
Scores = Mapping[int, float]


def blobs(k: int) -> Samples:
    """Return Gaussians of one width in ten columns, 100 samples of each; of one, 1,000."""
    x, y = make_blobs(100 * k if k > 1 else 1000, 10, centers=k, random_state=0)
    return x.astype(np.float32), y.astype(np.int64)


def _blobs(k: int) -> BenchmarkSet:
    n, size = (100 * k, 100) if k > 1 else (1000, 1000)
    what = f"made: {k} Gaussian{'s' * (k > 1)} in ten columns"
    return BenchmarkSet(f"blobs-{k}", MADE, partial(blobs, k), (n, 10, k), (size, size), what)


_BLOBS = {one.name: one for one in map(_blobs, (1, 3, 7, 15))}
SETS = {one.name: one for one in benchmark_sets.SETS if one.shape[0] <= MOST_SAMPLES} | _BLOBS


def find_set(name: str) -> BenchmarkSet:
    """Return the data set of a name."""
    return SETS[name]


def half_of(name: str) -> str:
    """Return the half of a data set, or `BLOBS`."""
    return BLOBS if name in _BLOBS else SETS[name].half


def firsts_of(evidence: Mapping[str, Scores]) -> dict[str, list[int]]:
    """Return the three best numbers by each kind of evidence alone."""
    return {name: _best(name, evidence[name])[:3] for name in ALONE}


def _best(name: str, scores: Scores) -> list[int]:
    """Return numbers of clusters, the best first.

    Of the gap statistic in the order in which its own rule finds them: those where it is at
    least that of the next.
    """
    ordered = sorted(scores, key=lambda k: (-scores[k], k))
    if name != "gap":
        return ordered
    by_rule = [k for k in sorted(scores) if scores[k] >= scores.get(k + 1, np.inf)]
    return by_rule + [k for k in ordered if k not in by_rule]


def side_by_side(rows: pd.DataFrame) -> pd.DataFrame:
    """Return a row per data set, method and seed, its first three numbers beside each other.

    ``n_clusters`` of `rows` is a number, ``draw`` its place; a row that failed has none.
    """
    lines: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows.to_dict("records"):
        kept = {name: row[name] for name in (*PLACE, "n_train", "seconds", "status")}
        line = lines.setdefault(tuple(row[name] for name in PLACE), kept)
        if row["draw"] >= 0:  # not of one that failed
            line[NUMBERS[int(row["draw"])]] = row["n_clusters"]
        line["n_classes"] = SETS[row["dataset"]].shape[2]
    columns = [*PLACE, "n_classes", *NUMBERS, "n_train", "seconds", "status"]
    return pd.DataFrame(lines.values(), columns=columns)


def in_order(rows: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Return new rows and those that ``path`` has beside them, by data set, method and seed."""
    return beside_published(rows, path, (SETS, METHODS))


def numbers_tables(results: Path) -> list[Path]:
    """Write the table of each half and of the blobs, and return the files."""
    path = results / FILE
    if not path.exists():
        return []
    rows = original_table(pd.read_csv(path))
    rows = rows.assign(half=rows["dataset"].map(half_of))
    return [
        file
        for half in (*HALVES, BLOBS)
        if (rows["half"] == half).any()
        for file in written(
            half_lines(rows[rows["half"] == half]), results / "tables" / f"benchmark-k-{half}.md"
        )
    ]


def half_lines(rows: pd.DataFrame) -> list[str]:
    """Return the lines of two tables: how often each method is right, and every data set."""
    return [
        "Shares of the data sets (and seeds) on which a method has the number of classes first, "
        "first give or take one, among its first three, and among these give or take one.",
        "",
        *_shares(rows),
        "",
        f"The first three numbers of each, seed 0; {NOTHING}: none.",
        "",
        *_sets(rows[rows["seed"] == 0]),
    ]


def hits(rows: pd.DataFrame) -> pd.DataFrame:
    """Return whether each row has the number of classes first, ±1, among three, and those ±1."""
    away = rows[NUMBERS].sub(rows["n_classes"], axis=0).abs()
    return pd.DataFrame(
        {
            "first": away["first"] == 0,
            "first ± 1": away["first"] <= 1,
            "first three": (away == 0).any(axis=1),
            "first three ± 1": (away <= 1).any(axis=1),
        }
    )


def _shares(rows: pd.DataFrame) -> list[str]:
    found = hits(rows).groupby(rows["method"]).mean()
    counts = rows.groupby("method").size()
    lines = [
        (method, str(counts[method]), *(f"{100 * share:.0f} %" for share in found.loc[method]))
        for method in METHODS
        if method in found.index
    ]
    head = ("method", "n", *found.columns)
    return markdown_table(head, lines, [":--", *["--:"] * (len(head) - 1)])


def _sets(rows: pd.DataFrame) -> list[str]:
    methods = [method for method in METHODS if (rows["method"] == method).any()]
    lines = []
    for name in [name for name in SETS if (rows["dataset"] == name).any()]:
        here = rows[rows["dataset"] == name].set_index("method")
        cells = [_cell(here.loc[m, NUMBERS]) if m in here.index else NOTHING for m in methods]
        lines.append((name, str(SETS[name].shape[2]), *cells))
    return markdown_table(("data", "k", *methods), lines, [":--", "--:", *[":--"] * len(methods)])


def _cell(numbers: Sequence[float]) -> str:
    return ", ".join(f"{number:.0f}" for number in numbers if not np.isnan(number)) or NOTHING
