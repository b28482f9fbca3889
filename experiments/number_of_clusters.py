"""Claim: six kinds of evidence tell how many clusters data have more often than most of them alone.

Six kinds of evidence together (`ae_cluster.suggest_n_clusters`) against each of them alone and
against the layers of EVoC (extra ``compare``), on the data sets of ``support/benchmark_sets.py``
with up to 5,000 samples and on blobs. Every method is given the same samples, 2,000 at most. The
gap statistic alone is taken by its own rule; a layer of EVoC counts by how long it persists.
Weights were chosen on the tuning half only. Rows, each with the first three numbers of a method,
go to ``results/benchmark_k.csv``; `experiments.tables` makes their table.

    python -m experiments.number_of_clusters --half tuning
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
import warnings
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ae_cluster.clustering.number_of_clusters import suggest_n_clusters
from ae_cluster.common.errors import InputError
from ae_cluster.common.files import make_folder
from ae_cluster.common.terminal import Parser, exit_code
from ae_cluster.datasets.dataset import fingerprint
from ae_cluster.records.rows import OK, tidy_row
from experiments.support.arguments import add_grid_options, grid_options
from experiments.support.benchmark_methods import EVOC_COMPONENTS, Samples, is_here
from experiments.support.benchmark_sets import HALVES
from experiments.support.grid import Task, make_task, run_grid
from experiments.support.numbers_of_clusters import (
    EVOC,
    FILE,
    MOST_SAMPLES,
    SETS,
    TOGETHER,
    find_set,
    firsts_of,
    half_of,
    in_order,
    side_by_side,
)
from experiments.support.published import write_rows
from experiments.support.store import Cell, Row, Store

VERSION = 1  # raise it when the same cell would give other numbers
MOST_GIVEN = 2000  # samples, to every method
SMOKE = ["iris", "blobs-3"]


@lru_cache(maxsize=1)
def samples_of(name: str) -> Samples:
    """Return a data set, loaded once per process while it is in use."""
    one = find_set(name)
    return Samples(one, *one.load())


@lru_cache(maxsize=1)
def fingerprint_of(name: str) -> str:
    """Return what tells these samples from others."""
    samples = samples_of(name)
    return fingerprint({"x": samples.x, "y": samples.y}, None, ())


def make_task_of(cell: Cell) -> Task:
    """Return the task of a cell; its data are loaded for their fingerprint."""
    return make_task(number_rows, cell, fingerprint_of(cell["dataset"]), VERSION)


def number_rows(cell: Cell, store: Store) -> list[Row]:  # noqa: ARG001 (nothing is shared)
    """Return the rows of a cell: of all evidence together and each alone, or of EVoC.

    A row for each of the first three numbers, ``draw`` its place from 0.
    """
    samples = samples_of(cell["dataset"])
    rows, began = _given(samples, cell["seed"]), time.perf_counter()
    if cell["method"] == EVOC:
        firsts = {EVOC: layers(rows, cell["seed"])}
    else:
        found = suggest_n_clusters(rows, random_state=cell["seed"])
        listed = [candidate.n_clusters for candidate in found.candidates]
        together = listed if found.has_structure else [1, *listed]
        firsts = {TOGETHER: together[:3]} | firsts_of(found.evidence)
    known = {"dataset": cell["dataset"], "seed": cell["seed"], "n_train": len(rows)}
    known |= {"seconds": round(time.perf_counter() - began, 2), "status": OK}
    return [
        tidy_row(method=method, n_clusters=number, draw=place, **known)
        for method, numbers in firsts.items()
        for place, number in enumerate(numbers)
    ]


def _given(samples: Samples, seed: int) -> Any:
    rows = samples.rows()
    some = np.random.default_rng(seed).permutation(len(rows))[:MOST_GIVEN]
    return rows[np.sort(some)]


def layers(rows: Any, seed: int) -> list[int]:
    """Return the numbers of clusters of EVoC's layers, the most persistent first."""
    model = importlib.import_module("evoc").EVoC(
        node_embedding_dim=min(EVOC_COMPONENTS, rows.shape[1]), random_state=seed
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(rows.astype(np.float32))
    numbers = [int(layer.max()) + 1 for layer in model.cluster_layers_]
    scores = getattr(model, "persistence_scores_", None)
    order = range(len(numbers)) if scores is None else np.argsort(-np.asarray(scores))
    return list(dict.fromkeys(numbers[i] for i in order))[:3]


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out the grid, write the rows, and return the exit code."""
    arguments = _parser().parse_args(argv)
    if arguments.smoke:
        arguments.sets, arguments.methods = arguments.sets or SMOKE, [TOGETHER]
        arguments.out = arguments.out or Path("runs/smoke")
    methods = [method for method in arguments.methods if is_here(method)]
    if EVOC in set(arguments.methods) - set(methods):
        print(
            "evoc is left out: it is not installed; pip install 'ae-cluster[compare]' brings it.",
            file=sys.stderr,
        )
    names = [name for name in arguments.sets or SETS if arguments.half in (None, half_of(name))]
    names.sort(key=lambda name: find_set(name).shape[0])
    tasks = [t for name in names for t in _tasks(name, methods, arguments.seeds)]
    store = Store(arguments.store)
    failed = run_grid(tasks, store, fingerprint_of=fingerprint_of, **grid_options(arguments))
    path = (arguments.out or Path("results")) / FILE
    make_folder(path.parent)
    rows = store.rows([task.key for task in tasks])
    write_rows(in_order(side_by_side(rows), path), path)
    print(f"{len(tasks)} cells; {len(rows)} rows written to {path}.")
    return 1 if failed else 0


def _tasks(name: str, methods: Sequence[str], n_seeds: int) -> list[Task]:
    """Return the tasks of a data set, none where it is not on this machine, which is said."""
    try:
        samples_of(name)
    except InputError as error:
        print(f"{name} is left out: {error}", file=sys.stderr)
        return []
    return [
        make_task_of(
            {"dataset": name, "method": method, "seed": seed, "experiment": "number_of_clusters"}
        )
        for seed in range(n_seeds)
        for method in methods
    ]


def _parser() -> argparse.ArgumentParser:
    parser = Parser(description=(__doc__ or "").splitlines()[0])
    add = parser.add_argument
    add("--sets", nargs="+", choices=list(SETS), metavar="NAME",
        help=f"of those with up to {MOST_SAMPLES:,} samples; default: all")  # fmt: skip
    both = (TOGETHER, EVOC)
    add("--methods", nargs="+", choices=both, default=both, help="default: both")
    add("--half", choices=HALVES, help="default: both, and blobs")
    add_grid_options(parser, n_seeds=1, smoke="two data sets")
    return parser


if __name__ == "__main__":
    sys.exit(exit_code(main))
