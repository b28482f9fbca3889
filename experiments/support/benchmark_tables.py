"""The benchmark's rows put in order, and the tables and scores of a half. Never loads torch."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd

from ae_cluster.common.numbers import NOTHING, number
from ae_cluster.common.spreadsheets import original_table
from ae_cluster.reports.ranks import against, critical_difference, friedman, ranks
from ae_cluster.reports.writing import markdown_table
from experiments.support.benchmark_methods import METHODS
from experiments.support.benchmark_sets import BY_NAME, HALVES
from experiments.support.medians import written
from experiments.support.published import beside_published

FILE = "benchmark.csv"
SCORE, BASELINE = "ami", "kmeans"


def in_order(rows: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Return new rows and those that ``path`` has beside them, by data set, method and seed."""
    return beside_published(rows, path, (BY_NAME, METHODS))


def rows_of(results: Path) -> pd.DataFrame:
    """Return the benchmark's rows; empty where there are none."""
    path = results / FILE
    return original_table(pd.read_csv(path)) if path.exists() else pd.DataFrame()


def medians_of(rows: pd.DataFrame, half: str, column: str = SCORE) -> pd.DataFrame:
    """Return medians over the seeds, a line per data set of a half and a column per method.

    A data set that lacks rows of some method is left out: none is ranked by where it was tried.
    A method whose seeds failed has NaN.
    """
    names = [name for name, one in BY_NAME.items() if one.half == half]
    rows = rows[rows["dataset"].isin(names)] if len(rows) else rows
    if rows.empty:
        return pd.DataFrame()
    tried = rows.groupby(["dataset", "method"])["seed"].nunique().unstack()
    whole = tried.index[tried.notna().all(axis=1)]
    medians = rows.groupby(["dataset", "method"])[column].median().unstack()
    methods = [name for name in METHODS if name in medians]
    return medians.loc[[name for name in names if name in whole], methods]


def half_tables(results: Path) -> list[Path]:
    """Write the table of the data sets and that of each half, and return the files."""
    rows = rows_of(results)
    if rows.empty:
        return []
    return written(described_sets(), results / "tables" / "benchmark-sets.md") + [
        path
        for half in HALVES
        if len(scores := medians_of(rows, half))
        for path in written(
            half_table(scores, medians_of(rows, half, "seconds"), rows),
            results / "tables" / f"benchmark-{half}.md",
        )
    ]


def described_sets() -> list[str]:
    """Return the lines of a table of all data sets."""
    head = ("data", "half", "kind", "n", "columns", "k", "samples of a class", "what")
    lines = [
        (
            *(one.name, one.half, one.kind, *(f"{count:,}" for count in one.shape)),
            *("–".join(f"{size:,}" for size in dict.fromkeys(one.sizes)), one.what),
        )
        for one in sorted(BY_NAME.values(), key=lambda one: one.half)
    ]
    return markdown_table(head, lines)


def half_table(scores: pd.DataFrame, seconds: pd.DataFrame, rows: pd.DataFrame) -> list[str]:
    """Return the lines of a half's two tables: every data set, then every method."""
    n_seeds = rows[rows["dataset"].isin(scores.index)].groupby(["dataset", "method"])["seed"]
    test = friedman(scores)
    distance = critical_difference(scores.shape[1], len(scores))
    return [
        f"Median AMI of {_range(n_seeds.nunique())} seeds, the best of each data set in bold; "
        f"{NOTHING}: every seed failed.",
        "",
        *_sets_table(scores),
        "",
        f"Ranks by these medians, 1 the best. Friedman's test: χ² {number(test.statistic, 1)}, "
        f"p {_p(test.p_value)}; critical difference of mean ranks by Nemenyi, 5 %: "
        f"{number(distance, 2)}. Wins, losses, differences and Wilcoxon's p, corrected by Holm, "
        f"against {BASELINE}. Seconds: median over the data sets, on one thread of a busy machine.",
        "",
        *_methods_table(scores, seconds),
    ]


def _p(value: float) -> str:
    return NOTHING if math.isnan(value) else f"{value:.2g}"


def _range(counts: pd.Series[int]) -> str:
    low, high = counts.min(), counts.max()
    return str(low) if low == high else f"{low} to {high}"


def _sets_table(scores: pd.DataFrame) -> list[str]:
    best = scores.round(3).max(axis=1)
    lines = []
    for name, values in scores.iterrows():
        n, columns, k = BY_NAME[str(name)].shape
        cells = [
            f"**{number(value)}**" if round(value, 3) == best[name] else number(value)
            for value in values
        ]
        lines.append((str(name), f"{n:,}", f"{columns:,}", str(k), *cells))
    head = ("data", "n", "columns", "k", *map(str, scores.columns))
    return markdown_table(head, lines, [":--", *["--:"] * (len(head) - 1)])


def _methods_table(scores: pd.DataFrame, seconds: pd.DataFrame) -> list[str]:
    placed = ranks(scores)
    compared = against(scores, BASELINE) if BASELINE in scores else pd.DataFrame()
    lines = []
    for method in placed.mean().sort_values(kind="stable").index:
        beside: tuple[str, ...] = ("",) * 5
        if method in compared.index:
            found = compared.loc[method]
            counts = (str(int(found[name])) for name in ("wins", "losses"))
            beside = (*counts, number(found["difference"]), number(found["worst"]), _p(found["p"]))
        middle = number(placed[method].median(), 1), number(placed[method].mean(), 2)
        lines.append((str(method), *middle, *beside, number(seconds[method].median(), 2)))
    head = ("method", "median rank", "mean rank", "wins", "losses", "median difference",
            "least difference", "p (Holm)", "seconds")  # fmt: skip
    return markdown_table(head, lines, [":--", *["--:"] * (len(head) - 1)])
