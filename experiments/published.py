"""The rows in results/: which experiments there are, and how to read them. Never loads torch."""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

# The files of rows are results/EXPERIMENT-DATASET.csv; what is drawn of them has these names.
EXPERIMENTS = {
    "compare_clustering": "clustering",
    "code_size": "code-size",
    "training_epochs": "training-epochs",
    "training_images": "training-images",
    "label_budget": "label-budget",
}


def published_rows(results: Path, experiment: str) -> pd.DataFrame:
    """Return the rows of an experiment on all data sets; empty where there are none."""
    paths = sorted(results.glob(f"{experiment}-*.csv"))
    if not paths:
        return pd.DataFrame()
    return pd.concat([pd.read_csv(path) for path in paths], ignore_index=True)


def redraw_parser(description: str) -> argparse.ArgumentParser:
    """Return the arguments of what follows from the rows alone."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--results", type=Path, default=Path("results"))
    parser.add_argument("--seeds", type=int, default=10, help="expected of every row; default: 10")
    return parser


def nothing_found(results: Path) -> str:
    """Return the sentence for a folder without rows."""
    return f"{results} holds no rows; make some: python -m experiments.compare_clustering"
