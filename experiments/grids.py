"""From arguments to a grid that is carried out, and its rows in files."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from ae_cluster.commands.arguments import Parser
from ae_cluster.files import make_folder
from ae_cluster.grid import Task, make_task, run_grid
from ae_cluster.store import Cell, Row, Store
from experiments.cells import VERSION, cluster_cell, data_of
from experiments.published import (
    place_of,
    published_places,
    rows_file,
    with_published,
    write_rows,
)


def grid_parser(description: str) -> argparse.ArgumentParser:
    """Return the arguments that every grid takes."""
    parser = Parser(description=description.splitlines()[0])
    add = parser.add_argument
    add("--dataset", action="append", metavar="NAME|PATH", help="again for more; default: digits")
    add("--data-home", type=Path, help="default: $AE_CLUSTER_DATA, else the user's cache folder")
    add("--seeds", type=positive, default=10, help="seeds 0 … n−1; default: 10")
    add("--jobs", type=positive, default=1, help="processes; default: 1")
    add("--n-clusters", type=positive, metavar="K", help="must be said for a file")
    add("--out", type=Path, help="folder of rows; default: results, of --smoke: runs/smoke")
    add("--store", type=Path, default=Path("runs/store"), help="of finished cells; default: "
        "runs/store")  # fmt: skip
    add("--retry-failed", action="store_true", help="do failed cells again")
    add("--missing", action="store_true", help="leave out what --out has rows of already")
    add("--smoke", action="store_true", help="two seeds, two epochs: does it run at all?")
    return parser


def positive(text: str) -> int:
    """Return a whole number from 1; argparse tells the user of any other text."""
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def prepare(arguments: argparse.Namespace) -> list[str]:
    """Return the data sets asked for, and fill in where they lie and where their rows go."""
    # Rows that only show that it runs must not take the place of published ones.
    arguments.out = arguments.out or Path("runs/smoke" if arguments.smoke else "results")
    if arguments.data_home:
        os.environ["AE_CLUSTER_DATA"] = str(arguments.data_home)
    return arguments.dataset or ["digits"]


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
    if arguments.missing:
        shown = shown or cells
    shown_tasks = _by_dataset(shown or cells, work)
    for dataset, of_dataset in _by_dataset(cells, work).items():
        path = rows_file(arguments.out, name, dataset)
        there = published_places(path) if arguments.missing else set()
        tasks = [task for task in of_dataset if place_of(task.cell) not in there]
        failed += run_grid(tasks, store, jobs=arguments.jobs, retry_failed=arguments.retry_failed)
        rows = store.rows([task.key for task in shown_tasks[dataset]])
        make_folder(arguments.out)
        if shown:
            rows = with_published(rows, path, [task.cell for task in shown_tasks[dataset]])
        write_rows(rows, path)
        n_lost = int((rows["status"] != "ok").sum())
        lost = f", of which {n_lost} say why they have no score" if n_lost else ""
        print(f"{len(tasks)} cells; {len(rows)} rows{lost} written to {path}.")
    for task in failed:
        told = ("dataset", "features", "method", "seed", "budget")
        what = " ".join(str(task.cell[c]) for c in told if c in task.cell)
        print(f"failed: {what} (see status and reason in its row)", file=sys.stderr)
    return 1 if failed else 0


def _by_dataset(
    cells: list[Cell], work: Callable[[Cell, Store], list[Row]]
) -> dict[str, list[Task]]:
    tasks: dict[str, list[Task]] = {}
    for cell in cells:
        task = make_task(work, cell, data_of(cell["dataset"]).fingerprint, VERSION)
        tasks.setdefault(cell["dataset"], []).append(task)
    return tasks
