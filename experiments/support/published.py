"""The rows in results/: which experiments there are, and how to read them. Never loads torch."""

from __future__ import annotations

import argparse
import io
from collections.abc import Hashable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from ae_cluster.common.spreadsheets import original_table, safe_table
from ae_cluster.common.terminal import Parser
from ae_cluster.methods import FINETUNED
from ae_cluster.records.rows import with_current_names
from experiments.support.store import Cell

# The files of rows are results/EXPERIMENT-DATASET.csv; what is drawn of them has these names.
EXPERIMENTS = {
    "compare_clustering": "clustering",
    "code_size": "code-size",
    "training_epochs": "training-epochs",
    "training_images": "training-images",
    "label_budget": "label-budget",
}


OF_BENCHMARKS = ["dataset", "method", "seed"]  # what tells a row of a benchmark from others

# What tells the rows of one cell from another's. A cell of label budgets has rows of many
# budgets and draws, and if codes stay as they are, of many methods.
IDENTITY = ("features", "seed", "n_components", "epochs")
OF_CLUSTERING = ("method", "n_train", "n_clusters")
OF_LABELS = ("family",)
OF_FINETUNED = ("family", "method", "budget")
Place = tuple[str, ...]


def rows_file(results: Path, experiment: str, dataset: str) -> Path:
    """Return where an experiment's rows of a data set (name or path) lie.

    Those of label budgets are so many that they are compressed.
    """
    ending = "csv.gz" if experiment.startswith("label_budget") else "csv"
    return results / f"{experiment}-{Path(dataset).stem}.{ending}"


def write_rows(rows: pd.DataFrame, path: Path) -> None:
    """Write rows; the same rows give the same bytes, compressed or not."""
    packed = {"method": "gzip", "mtime": 0} if path.suffix == ".gz" else None
    safe_table(rows.round(6)).to_csv(path, index=False, compression=packed)


def with_published(rows: pd.DataFrame, path: Path, cells: Sequence[Cell]) -> pd.DataFrame:
    """Return the rows of ``cells`` in their order: the new ones, else those that ``path`` has.

    So a part of a grid can be carried out, on another machine too, without losing the rest.
    """
    if not path.exists():
        return rows
    order = {place_of(cell): i for i, cell in enumerate(cells)}
    new, old = _as_text(io.StringIO(safe_table(rows.round(6)).to_csv(index=False))), _as_text(path)
    for part in (new, old):
        part["place"] = [order.get(place, -1) for place in _places(part)]
    kept = old[(old["place"] >= 0) & ~old["place"].isin(new["place"])]
    merged = pd.concat([new, kept]).sort_values("place", kind="stable")
    return merged.drop(columns="place")


def beside_published(
    rows: pd.DataFrame, path: Path, orders: Sequence[Iterable[str]]
) -> pd.DataFrame:
    """Return a benchmark's new rows and those that ``path`` has beside them, in order.

    Parameters
    ----------
    orders : sequence of iterable of str
        Names of data sets, and of methods, as they come.
    """
    if path.exists():
        rows = pd.concat([rows, original_table(pd.read_csv(path))], ignore_index=True)
    rows = rows.drop_duplicates(OF_BENCHMARKS)  # the first, which is the new one
    places = {name: i for names in orders for i, name in enumerate(names)}
    return rows.sort_values(
        OF_BENCHMARKS, key=lambda column: column.map(lambda one: places.get(one, one))
    )


def place_of(cell: Cell) -> Place:
    """Return what tells a cell's rows from others of its file, as they stand there."""
    more = OF_CLUSTERING
    if "family" in cell:
        more = OF_FINETUNED if cell["family"] == FINETUNED else OF_LABELS
        one = {name: cell[f"{name}s"][0] for name in ("method", "budget") if f"{name}s" in cell}
        cell = cell | one
    return tuple(str(cell.get(name, "")) for name in (*IDENTITY, *more))


def published_places(path: Path) -> set[Place]:
    """Return the places of the finished rows of a file; none where there is no file."""
    if not path.exists():
        return set()
    rows = _as_text(path)
    return set(_places(rows[rows["status"] == "ok"]))


def _as_text(source: Path | io.StringIO) -> pd.DataFrame:
    rows = original_table(pd.read_csv(source, dtype=str, keep_default_na=False))
    return with_current_names(rows)


def _places(rows: pd.DataFrame) -> list[Place]:
    return [place_of(_named(row)) for row in rows.to_dict("records")]


def _named(row: dict[Hashable, Any]) -> Cell:
    """Return a row as the cell it came from would say it: without what is empty."""
    return {str(name): value for name, value in row.items() if value != ""}


def published_rows(results: Path, experiment: str) -> pd.DataFrame:
    """Return the rows of an experiment on all data sets; empty where there are none."""
    paths = sorted(results.glob(f"{experiment}-*.csv*"))
    if not paths:
        return pd.DataFrame()
    rows = pd.concat([original_table(pd.read_csv(path)) for path in paths], ignore_index=True)
    return with_current_names(rows)


def redraw_parser(description: str) -> argparse.ArgumentParser:
    """Return the arguments of what follows from the rows alone."""
    parser = Parser(description=description.splitlines()[0])
    parser.add_argument("--results", type=Path, default=Path("results"))
    parser.add_argument("--seeds", type=int, default=10, help="expected of every row; default: 10")
    return parser


def nothing_found(results: Path) -> str:
    """Return the sentence for a folder without rows."""
    return f"{results} holds no rows; make some: python -m experiments.compare_clustering"
