"""Claim: where clusterings of many kinds stand on 38 labelled data sets, losses shown like wins.

Every method is told the number of clusters and given all samples; five seeds. Data sets and the
rule that halves them: ``support/benchmark_sets.py``; methods: ``support/benchmark_methods.py``.
Settings may be chosen by the tuning half only. Noise counts as wrong in accuracy and is one more
cluster in AMI, ARI and NMI; ``n_clusters`` of a row is the number that was found. A data set whose
package is not installed is left out, which is said. Rows go to ``results/benchmark.csv``;
`experiments.tables` and `experiments.figures` make its ranks of them.

    python -m experiments.benchmark --half tuning --methods kmeans ward

The classical methods take an hour on one core for the data sets of up to 5,000 samples; networks
take some minutes for each data set and seed.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ae_cluster.common.errors import InputError
from ae_cluster.common.files import make_folder
from ae_cluster.common.memory import peak_mb
from ae_cluster.common.terminal import Parser, exit_code
from ae_cluster.datasets.dataset import fingerprint
from ae_cluster.methods import BY_NAME as METHODS_BY_NAME
from ae_cluster.metrics.clustering import external_scores, matched_map
from experiments.support.arguments import add_grid_options, grid_options, positive, without_score
from experiments.support.benchmark_methods import (
    CODE,
    DEEP,
    LEARNT,
    METHODS,
    REPRESENTATION,
    WITHOUT_CHANCE,
    Samples,
    cluster,
    is_here,
    n_found,
    pretrain,
)
from experiments.support.benchmark_sets import HALVES, SETS, BenchmarkSet, find_set
from experiments.support.benchmark_tables import FILE, in_order
from experiments.support.grid import Task, make_task, run_grid
from experiments.support.published import write_rows
from experiments.support.store import Cell, Row, Store, cell_key

VERSION = 1  # raise it when the same cell would give other numbers
SMOKE = ["iris", "moons"]


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


def make_cell(name: str, method: str, seed: int, epochs: int | None = None) -> Cell:
    """Return the cell of a method on a data set; deep clusterings of a seed share a stage."""
    cell: Cell = {"dataset": name, "method": method, "seed": seed, "experiment": "benchmark"}
    if epochs and method in LEARNT:
        cell["epochs"] = epochs
    if method in DEEP:
        cell["stage"] = f"{name}-{seed}"
    return cell


def make_task_of(cell: Cell) -> Task:
    """Return the task of a cell; its data are loaded for their fingerprint."""
    return make_task(benchmark_rows, cell, fingerprint_of(cell["dataset"]), VERSION)


def benchmark_rows(cell: Cell, store: Store) -> list[Row]:
    """Return the one row of a method, a data set and a seed; labels are read here only."""
    samples = samples_of(cell["dataset"])
    clusters, seconds = _clusters(cell, samples, store)
    scores = external_scores(samples.y, clusters, matched_map(samples.y, clusters))
    return [
        {name: cell[name] for name in ("dataset", "method", "seed")}
        | _facts(cell["method"], samples)
        | scores
        | {"n_clusters": n_found(clusters), "n_train": len(clusters), "split": "all"}
        | {"seconds": round(seconds, 3), "peak_mb": round(peak_mb(), 1), "status": "ok"}
    ]


def _clusters(cell: Cell, samples: Samples, store: Store) -> tuple[Any, float]:
    method, seed = cell["method"], cell["seed"]
    if method in WITHOUT_CHANCE:  # made once for all seeds
        kept = _kept(cell | {"seed": None}, store, lambda: cluster(method, samples, seed))
        return kept["clusters"], float(kept["seconds"])
    start, before = _start(cell, samples, store) if method in DEEP else (None, 0.0)
    clusters, seconds = cluster(method, samples, seed, start, cell.get("epochs"))
    return clusters, before + seconds


def _kept(cell: Cell, store: Store, make: Any) -> dict[str, Any]:
    def arrays() -> dict[str, Any]:
        clusters, seconds = make()
        return {"clusters": clusters, "seconds": np.array(seconds)}

    return store.arrays(cell_key(cell, fingerprint_of(cell["dataset"]), VERSION), arrays)


def _start(cell: Cell, samples: Samples, store: Store) -> tuple[Any, float]:
    """Return the autoencoder that a seed's deep clusterings start from, and its seconds."""
    from ae_cluster.autoencoder.estimator import AutoEncoder

    key = cell_key(cell | {"method": "autoencoder"}, fingerprint_of(cell["dataset"]), VERSION)
    folder = store.model_folder(key)

    def train() -> dict[str, Any]:
        began = time.perf_counter()
        model = pretrain(samples, cell["seed"], cell.get("epochs"))
        seconds = time.perf_counter() - began
        model.save(folder, force=True)
        return {"seconds": np.array(seconds)}

    kept = store.arrays(key, train)
    return AutoEncoder.load(folder), float(kept["seconds"])


def _facts(method: str, samples: Samples) -> Row:
    """Return what a row says of its method: codes, priors, and what chose its settings."""
    known = METHODS_BY_NAME.get(method) if method in LEARNT else None
    sizes = {"sorting": CODE} | dict.fromkeys(DEEP, REPRESENTATION)
    return {
        "features": {"sorting": "sorting"}.get(method, "pixels"),
        "n_components": sizes.get(method, samples.one.shape[1]),
        "uses_k": True,
        "uses_balance": bool(known and known.uses_balance),
        "uses_augmentation": False,
        "tuned_on": known.tuned_on if known else "nothing",
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out the grid, write the rows, and return the exit code."""
    arguments = _parser().parse_args(argv)
    if arguments.smoke:
        _make_small(arguments)
    arguments.methods = _installed(arguments.methods or METHODS)
    chosen = [find_set(name) for name in arguments.sets or [one.name for one in SETS]]
    chosen = [one for one in chosen if arguments.half in (None, one.half)]
    chosen = [one for one in chosen if one.shape[0] <= (arguments.most_samples or one.shape[0])]
    chosen.sort(key=lambda one: one.shape[0])  # a grid that is stopped has most of the data sets
    tasks = [task for one in chosen for task in _tasks(one, arguments)]
    store = Store(arguments.store)
    failed = run_grid(tasks, store, fingerprint_of=fingerprint_of, **grid_options(arguments))
    path = (arguments.out or Path("results")) / FILE
    make_folder(path.parent)
    rows = store.rows([task.key for task in tasks])
    write_rows(in_order(rows, path), path)
    print(f"{len(tasks)} cells; {len(rows)} rows written to {path}.{without_score(rows)}")
    return 1 if failed else 0


def _make_small(arguments: argparse.Namespace) -> None:
    """Fill in what of the grid is done in seconds; EVoC compiles for minutes."""
    arguments.sets, arguments.seeds = arguments.sets or SMOKE, 2
    arguments.methods = arguments.methods or [name for name in METHODS if name != "evoc"]
    arguments.out = arguments.out or Path("runs/smoke")


def _installed(methods: Sequence[str]) -> list[str]:
    """Return the methods in their order, without those whose package is missing, which is said."""
    for method in methods:
        if not is_here(method):
            print(
                f"{method} is left out: its package is not installed; it comes with "
                "pip install 'ae-cluster[compare]'.",
                file=sys.stderr,
            )
    return [method for method in METHODS if method in methods and is_here(method)]


def _tasks(one: BenchmarkSet, arguments: argparse.Namespace) -> list[Task]:
    """Return the tasks of a data set, none where it is not on this machine, which is said."""
    try:
        samples_of(one.name)
    except InputError as error:
        print(f"{one.name} is left out: {error}", file=sys.stderr)
        return []
    cells = [
        make_cell(one.name, method, seed, 2 if arguments.smoke else None)
        for seed in range(arguments.seeds)
        for method in arguments.methods
    ]
    return [make_task_of(cell) for cell in cells]


def _parser() -> argparse.ArgumentParser:
    parser = Parser(description=(__doc__ or "").splitlines()[0])
    add = parser.add_argument
    names = [one.name for one in SETS]
    add("--sets", nargs="+", choices=names, metavar="NAME", help=f"of {', '.join(names)}")
    add("--methods", nargs="+", choices=METHODS, help="default: all")
    add("--half", choices=HALVES, help="default: both")
    add("--most-samples", type=positive, metavar="N", help="leave out larger data sets")
    add_grid_options(parser, n_seeds=5, smoke="two data sets, two seeds")
    return parser


if __name__ == "__main__":
    sys.exit(exit_code(main))
