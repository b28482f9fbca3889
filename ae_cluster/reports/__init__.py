"""Tidy rows of many seeds to one line per pipeline, and to the tables people read.

    summary = summarize(rows)                          # all rows: failed ones count
    write_tables(summary, "results/mnist", "methods")  # methods.md, .csv and .tex

A seed that failed or is not there is counted and named, never averaged over
silently. The same rows in any order give the same bytes.

`compared` makes rows fit to be compared (figures use it too), `statistics` makes a
summary of them, `writing` makes files of that.
"""

from ae_cluster.reports.comparable import GROUP, comparable_rows
from ae_cluster.reports.statistics import (
    LOWER_IS_BETTER,
    median_interval,
    paired_difference,
    summarize,
)
from ae_cluster.reports.writing import to_csv, to_latex, to_markdown, write_tables

__all__ = [
    "GROUP",
    "LOWER_IS_BETTER",
    "comparable_rows",
    "median_interval",
    "paired_difference",
    "summarize",
    "to_csv",
    "to_latex",
    "to_markdown",
    "write_tables",
]
