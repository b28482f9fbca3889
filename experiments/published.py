"""The rows in results/: which experiments there are, and how to read them. Never loads torch."""

from __future__ import annotations

import argparse
import io
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from ae_cluster.store import Cell

# The files of rows are results/EXPERIMENT-DATASET.csv; what is drawn of them has these names.
EXPERIMENTS = {
    "compare_clustering": "clustering",
    "code_size": "code-size",
    "training_epochs": "training-epochs",
    "training_images": "training-images",
    "label_budget": "label-budget",
}


# What tells one published row of a split from another.
IDENTITY = (
    *("features", "method", "seed", "n_components", "n_train", "epochs", "n_clusters"),
    *("budget", "draw"),
)


def rows_file(results: Path, experiment: str, dataset: str) -> Path:
    """Return where an experiment's rows of a data set (name or path) lie.

    Those of label budgets are so many that they are compressed.
    """
    ending = "csv.gz" if experiment.startswith("label_budget") else "csv"
    return results / f"{experiment}-{Path(dataset).stem}.{ending}"


def write_rows(rows: pd.DataFrame, path: Path) -> None:
    """Write rows; the same rows give the same bytes, compressed or not."""
    packed = {"method": "gzip", "mtime": 0} if path.suffix == ".gz" else None
    rows.round(6).to_csv(path, index=False, compression=packed)


def with_published(rows: pd.DataFrame, path: Path, cells: Sequence[Cell]) -> pd.DataFrame:
    """Return the rows of ``cells`` in their order: the new ones, else those that ``path`` has.

    So a part of a grid can be carried out, on another machine too, without losing the rest.
    """
    if not path.exists():
        return rows
    told = [name for name in IDENTITY if name in cells[0]]
    order = {tuple(str(cell[name]) for name in told): i for i, cell in enumerate(cells)}
    packed = io.StringIO(rows.round(6).to_csv(index=False))
    both = [pd.read_csv(source, dtype=str, keep_default_na=False) for source in (packed, path)]
    for part in both:
        part["place"] = [order.get(of, -1) for of in part[told].itertuples(index=False, name=None)]
    new, old = both
    kept = old[(old["place"] >= 0) & ~old["place"].isin(new["place"])]
    merged = pd.concat([new, kept]).sort_values("place", kind="stable")
    return merged.drop(columns="place")


def published_rows(results: Path, experiment: str) -> pd.DataFrame:
    """Return the rows of an experiment on all data sets; empty where there are none."""
    paths = sorted(results.glob(f"{experiment}-*.csv*"))
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
