"""From arguments to a grid that is carried out, and its rows in files."""

from __future__ import annotations

import argparse
import os
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from ae_cluster.common.errors import InputError
from ae_cluster.common.files import make_folder
from ae_cluster.common.terminal import Parser
from ae_cluster.common.workers import ADDRESS
from ae_cluster.datasets import known_datasets
from experiments.support.cells import VERSION, cluster_cell, data_of, fingerprint_of
from experiments.support.grid import Task, make_task, run_grid
from experiments.support.published import (
    place_of,
    published_places,
    rows_file,
    with_published,
    write_rows,
)
from experiments.support.store import Cell, Row, Store

CHECKOUT = Path(__file__).parents[2]
PUBLISHED = Path("results")
OWN = Path("runs/experiments")  # rows of a user's own data: never among the published ones
MOST_REASONS = 5


def grid_parser(description: str) -> argparse.ArgumentParser:
    """Return the arguments that every grid takes."""
    parser = Parser(description=description.splitlines()[0])
    add = parser.add_argument
    add("--dataset", action="append", metavar="NAME|PATH", help="again for more; default: digits")
    add("--data-home", type=Path, help="default: $AE_CLUSTER_DATA, else the user's cache folder")
    add("--n-clusters", type=positive, metavar="K", help="must be said for a file")
    add("--missing", action="store_true", help="leave out what --out has rows of already")
    of_own = f", of data of your own: {OWN}"
    add_grid_options(parser, n_seeds=10, smoke="two seeds, two epochs", out=of_own)
    return parser


def add_grid_options(
    parser: argparse.ArgumentParser, *, n_seeds: int, smoke: str, out: str = ""
) -> None:
    """Add what every grid takes, whatever its cells are.

    Parameters
    ----------
    n_seeds : int
        By default.
    smoke : str
        What ``--smoke`` does.
    out : str
        What else decides where rows go.
    """
    add = parser.add_argument
    add("--seeds", type=positive, default=n_seeds, help=f"seeds 0 … n−1; default: {n_seeds}")
    add("--jobs", type=positive, default=1, help="processes; default: 1")
    add("--scheduler", metavar=ADDRESS, help="do the work on the workers of a dask "
        "scheduler, which see checkout, --store and data by the same paths (a shared disk); local: "
        "on --jobs processes here. See experiments/scaling.md")  # fmt: skip
    add("--out", type=Path, help=f"folder of rows; default: results, of --smoke: runs/smoke{out}")
    add("--store", type=Path, default=Path("runs/store"), help="of finished cells; default: "
        "runs/store")  # fmt: skip
    add("--retry-failed", action="store_true", help="do failed cells again")
    add("--smoke", action="store_true", help=f"{smoke}: does it run at all?")


def grid_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return what `run_grid` takes of the arguments of `add_grid_options`."""
    return {name: getattr(arguments, name) for name in ("jobs", "retry_failed", "scheduler")}


def positive(text: str) -> int:
    """Return a whole number from 1; argparse tells the user of any other text."""
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def prepare(arguments: argparse.Namespace) -> list[str]:
    """Return the data sets asked for, and fill in where they lie and where their rows go.

    Raises
    ------
    InputError
        When rows of somebody's own data would take the place of others.
    """
    datasets = arguments.dataset or ["digits"]
    own = [dataset for dataset in datasets if not is_named(dataset)]
    # Rows that only show that it runs must not take the place of published ones.
    usual = PUBLISHED if not own else OWN
    arguments.out = arguments.out or (Path("runs/smoke") if arguments.smoke else usual)
    if own and arguments.out.resolve() == (CHECKOUT / PUBLISHED).resolve():
        raise InputError(
            f"--out {arguments.out} holds what is published of named data sets, and {own[0]} is "
            f"data of your own; name another folder, or leave --out away: {OWN}."
        )
    if len(files := {Path(dataset).stem for dataset in datasets}) < len(set(datasets)):
        raise InputError(
            f"{' and '.join(datasets)} would be written to the same files ({', '.join(files)}); "
            "give them names of their own, or an --out each."
        )
    if arguments.data_home:
        os.environ["AE_CLUSTER_DATA"] = str(arguments.data_home)
    return datasets


def is_named(dataset: str) -> bool:
    """Return whether `load_dataset` knows a data set by name; others are files."""
    return dataset.lower().replace("_", "-") in known_datasets()


def seeds_and_epochs(arguments: argparse.Namespace) -> tuple[range, int | None]:
    """Return the seeds, and the epochs where they are not each experiment's own."""
    return (range(2), 2) if arguments.smoke else (range(arguments.seeds), None)


def carry_out(
    cells: list[Cell],
    arguments: argparse.Namespace,
    name: str,
    work: Callable[[Cell, Store], list[Row]] = cluster_cell,
    shown: list[Cell] | None = None,
) -> int:
    """Do the cells that are not done, write rows by data set, and return the exit code.

    The rows are those of the finished cells of ``shown``, by default of the cells
    themselves; of those shown but not carried out, published rows stay.

    The code is 1 when a cell failed. A row that says a thing cannot be had, such as
    more labels of a class than it has samples, is a result: it is told, and the code is 0.
    """
    store, failed = Store(arguments.store), []
    for dataset in {cell["dataset"]: None for cell in shown or cells}:
        refuse_rows_of_another(rows_file(arguments.out, name, dataset), dataset)
    if arguments.missing:
        shown = shown or cells
    shown_tasks = _by_dataset(shown or cells, work)
    for dataset, of_dataset in _by_dataset(cells, work).items():
        path = rows_file(arguments.out, name, dataset)
        there = published_places(path) if arguments.missing else set()
        tasks = [task for task in of_dataset if place_of(task.cell) not in there]
        failed += run_grid(tasks, store, fingerprint_of=fingerprint_of, **grid_options(arguments))
        rows = store.rows([task.key for task in shown_tasks[dataset]])
        make_folder(arguments.out)
        if shown:
            rows = with_published(rows, path, [task.cell for task in shown_tasks[dataset]])
        write_rows(rows, path)
        print(f"{len(tasks)} cells; {len(rows)} rows written to {path}.{without_score(rows)}")
    for task in failed:
        told = ("dataset", "features", "method", "seed", "budget")
        what = " ".join(str(task.cell[c]) for c in told if c in task.cell)
        print(f"failed: {what} (see status and reason in its row)", file=sys.stderr)
    return 1 if failed else 0


def refuse_rows_of_another(path: Path, dataset: str) -> None:
    """Raise when a file of rows is there, and of another data set with the same file name."""
    if not path.exists():
        return
    found = pd.read_csv(path, usecols=["dataset"], nrows=1)["dataset"].astype(str).tolist()
    if found and found[0] not in (dataset, Path(dataset).stem):
        raise InputError(
            f"{path} holds rows of {found[0]}, and those of {dataset} would take their place; "
            "name another folder with --out."
        )


def without_score(rows: pd.DataFrame) -> str:
    """Return how many rows have no score, and of each reason how often it is given; or ""."""
    reasons = rows.loc[rows["status"] != "ok", "reason"].fillna("no reason is given")
    if reasons.empty:
        return ""
    counts = reasons.map(lambda text: textwrap.shorten(str(text), 200)).value_counts()
    lines = [f"  {n} × {reason}" for reason, n in counts.iloc[:MOST_REASONS].items()]
    if (rest := counts.iloc[MOST_REASONS:]).size:
        lines.append(f"  {rest.sum()} × one of {rest.size} other reasons (column reason)")
    return "\n".join([f" {len(reasons)} of them have no score:", *lines])


def _by_dataset(
    cells: list[Cell], work: Callable[[Cell, Store], list[Row]]
) -> dict[str, list[Task]]:
    tasks: dict[str, list[Task]] = {}
    for cell in cells:
        task = make_task(work, cell, data_of(cell["dataset"]).fingerprint, VERSION)
        tasks.setdefault(cell["dataset"], []).append(task)
    return tasks
