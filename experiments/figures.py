"""Claim: every figure of results/ follows from its rows, and from nothing else.

Reads ``results/*-DATASET.csv`` and writes ``results/figures/NAME.png|svg|txt``.
Never loads torch; a few seconds.

    python -m experiments.figures
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from ae_cluster.figures import plot_methods, plot_pareto, save_figure


def main(argv: Sequence[str] | None = None) -> int:
    """Draw the figures of every data set that has rows, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, default=Path("results"))
    parser.add_argument("--seeds", type=int, default=10, help="expected of every row; default: 10")
    arguments = parser.parse_args(argv)
    folder = arguments.results / "figures"
    for path in sorted(arguments.results.glob("compare_clustering-*.csv")):
        rows = pd.read_csv(path)
        dataset = path.stem.removeprefix("compare_clustering-")
        methods = plot_methods(rows, n_seeds=arguments.seeds)
        for name, figure in (("methods", methods), ("pareto", plot_pareto(rows))):
            print(save_figure(figure, folder, f"{name}-{dataset}")[0])
    return 0


if __name__ == "__main__":
    sys.exit(main())
