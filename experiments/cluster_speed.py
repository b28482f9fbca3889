"""Claim: two workers carry out a grid of trainings nearly twice as fast as one.

In turn, on this machine: a dask cluster of one worker and of two, each with one thread, as
``--scheduler`` finds it. Each begins with a grid that loads everything, then carries out one of
trainings of an autoencoder on the bundled digits, and one of cells that do nothing: what these take
is what a cell costs beyond its work. Nothing else may run meanwhile. Takes five minutes on two
cores, and writes nothing.

    python -m experiments.cluster_speed
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from ae_cluster.common.errors import InputError
from ae_cluster.common.terminal import Parser, exit_code
from ae_cluster.common.workers import ONE_THREAD_EACH
from experiments.support.grid import make_task, run_grid
from experiments.support.store import Cell, Row, Store

EPOCHS = 80
Work = Callable[[Cell, Store], list[Row]]


def train(cell: Cell, store: Store) -> list[Row]:  # noqa: ARG001
    """Train an autoencoder on digits; return a row of its loss."""
    from sklearn.datasets import load_digits

    from ae_cluster import AutoEncoder

    model = AutoEncoder(max_iter=cell["epochs"], random_state=cell["seed"])
    model.fit(load_digits().data / 16)
    return [{"seed": cell["seed"], "n_train": 1797, "reconstruction_mse": model.loss_curve_[-1]}]


def nothing(cell: Cell, store: Store) -> list[Row]:  # noqa: ARG001
    """Do nothing."""
    return [{"seed": cell["seed"]}]


def seconds_of(address: str, work: Work, cells: Sequence[Cell]) -> float:
    """Return how long the workers at an address take for a grid of cells.

    Raises
    ------
    InputError
        When a cell fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        tasks = [make_task(work, cell, "") for cell in cells]
        start = time.perf_counter()
        failed = run_grid(tasks, Store(Path(folder)), scheduler=address)
        seconds = time.perf_counter() - start
    if failed:
        raise InputError(f"{len(failed)} of {len(cells)} cells failed.")
    return seconds


def measure(n_workers: int, n_trainings: int, n_empty: int, epochs: int) -> tuple[float, float]:
    """Return the seconds of a grid of trainings, and those of a cell that does nothing."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=n_workers, **ONE_THREAD_EACH) as cluster:
        address = cluster.scheduler_address

        def grid(work: Work, n: int, n_epochs: int) -> float:
            cells = [{"seed": seed, "epochs": n_epochs} for seed in range(n)]
            return seconds_of(address, work, cells)

        grid(train, 4 * n_workers, 1)  # a cell for each worker at least
        return grid(train, n_trainings, epochs), grid(nothing, n_empty, 0) / n_empty


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print, and return the exit code."""
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cells", type=int, default=16, help="trainings; default: %(default)s")
    parser.add_argument("--smoke", action="store_true", help="one round of four short trainings")
    arguments = parser.parse_args(argv)
    sizes = (4, 20, 2) if arguments.smoke else (arguments.cells, 400, EPOCHS)
    ratios, costs = [], []
    for i in range(1 if arguments.smoke else arguments.rounds):
        (one, cost), (two, _) = (measure(n_workers, *sizes) for n_workers in (1, 2))
        ratios.append(one / two)
        costs.append(1000 * cost)
        print(
            f"round {i + 1}: {sizes[0]} trainings {one:.1f} s with one worker, {two:.1f} with two, "
            f"{ratios[-1]:.2f} times faster; {costs[-1]:.1f} ms a cell beyond its work",
            flush=True,
        )
    print(
        f"best {max(ratios):.2f} times, median {median(ratios):.2f}; a cell costs "
        f"{min(costs):.1f} ms at best, median {median(costs):.1f}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(exit_code(main))
