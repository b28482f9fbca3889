"""Claim: every table of results/ follows from its rows, and from nothing else.

Reads ``results/*-DATASET.csv`` and writes ``results/tables/NAME.md|csv|tex``.
Never loads torch; a second.

    python -m experiments.tables
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from ae_cluster.summaries import summarize, write_tables


def main(argv: Sequence[str] | None = None) -> int:
    """Write the tables of every experiment that has rows, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, default=Path("results"))
    parser.add_argument("--seeds", type=int, default=10, help="expected of every row; default: 10")
    arguments = parser.parse_args(argv)
    paths = sorted(arguments.results.glob("compare_clustering-*.csv"))
    if not paths:
        print(
            f"{arguments.results} holds no rows; make some: "
            "python -m experiments.compare_clustering",
            file=sys.stderr,
        )
        return 2
    rows = pd.concat([pd.read_csv(path) for path in paths], ignore_index=True)
    for score in ("accuracy", "nmi"):
        summary = summarize(rows, score, n_seeds=arguments.seeds)
        held_out = summary[summary["split"] == "test"]
        for path in write_tables(held_out, arguments.results / "tables", f"clustering-{score}"):
            print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
