"""Claim: the published rows can be made again.

Re-runs rows of every ``results/EXPERIMENT-DATASET.csv`` and of the benchmark, as far as
its data and methods are on this machine, from the data on, encoders included, and says of
each test accuracy: reproduced (differs by at most .001, as it should on the same machine
and versions), within tolerance (at most .01), or not. The exit code is 0 only if none is
"not". A sample takes one row of every data set, experiment and pipeline before a second,
the quickest first, so that few minutes check many; for all of digits, half an hour.

    python -m experiments.verify --dataset digits --sample 4

On another kind of CPU sums are rounded otherwise, and training carries such a
difference on: rows of trained encoders may then differ by as much as two seeds
do, and this says so. Rows without training (pixels, PCA, the untrained encoder)
are the same anywhere; being the quickest, they come first.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from ae_cluster.common.errors import InputError
from ae_cluster.common.progress import counted
from ae_cluster.common.terminal import Parser, exit_code
from ae_cluster.methods import is_external
from experiments import benchmark, label_budget
from experiments.support import cells
from experiments.support.arguments import positive
from experiments.support.benchmark_methods import is_here
from experiments.support.benchmark_sets import find_set
from experiments.support.benchmark_tables import rows_of
from experiments.support.grid import Task, make_task, run_grid
from experiments.support.published import EXPERIMENTS, nothing_found, published_rows
from experiments.support.store import Store

BENCHMARK = "benchmark"
REPRODUCED, TOLERATED = 0.001, 0.01
STRATA = ["dataset", "experiment", "features", "method"]


def finished_rows(results: Path, datasets: Sequence[str]) -> pd.DataFrame:
    """Return the finished test rows of some data sets, or of all where none is named."""
    found = [published_rows(results, name).assign(experiment=name) for name in EXPERIMENTS]
    found.append(rows_of(results).assign(experiment=BENCHMARK))
    rows = pd.concat([rows for rows in found if len(rows)] or [pd.DataFrame()], ignore_index=True)
    if rows.empty:
        return rows
    wanted = rows["dataset"].isin(datasets) if datasets else True
    code = rows.loc[rows["method"].astype(str).map(is_external), "method"]
    if len(code):  # rows may be somebody else's
        raise InputError(
            f"{results} names {code.iloc[0]!r}, code that would be imported and run; take its rows "
            "out, and run that with ae-cluster run --method."
        )
    rows = rows[wanted & rows["split"].isin(["test", "all"]) & (rows["status"] == "ok")]
    return rows[(rows["experiment"] != BENCHMARK) | _can_be_made(rows)]


def _can_be_made(rows: pd.DataFrame) -> pd.Series[bool]:
    """Return of rows of the benchmark whether their data and methods are on this machine."""
    of_benchmark = rows[rows["experiment"] == BENCHMARK]
    sets = {name for name in of_benchmark["dataset"].unique() if find_set(name).is_here()}
    return rows["dataset"].isin(sets) & rows["method"].map(is_here)


def stratified(rows: pd.DataFrame, n: int | None, seed: int = 0) -> pd.DataFrame:
    """Return ``n`` rows (None: all), evenly over data sets and pipelines, quick first."""
    shuffled = rows.sample(frac=1, random_state=seed)
    turn = shuffled.groupby(STRATA).cumcount()  # first one of each stratum, then a second …
    in_turn = shuffled.assign(turn=turn).sort_values(["turn", "seconds"], kind="stable")
    return in_turn if n is None else in_turn.head(n)


def verdict(published: float, again: float) -> str:
    """Return what a difference of accuracies means."""
    difference = abs(again - published)
    if difference <= REPRODUCED:
        return "reproduced"
    return "within tolerance" if difference <= TOLERATED else "not reproduced"


def run_again(row: Any, store: Store) -> float:
    """Return the test accuracy of a row's configuration, NaN if it fails."""
    if row.experiment == "label_budget":
        cell, work = label_budget.cell_of_row(row), label_budget.score_cell
    elif row.experiment == BENCHMARK:
        return _benchmark_again(row, store)
    else:
        cell, work = cells.cell_of_row(row), cells.cluster_cell
    task = make_task(work, cell, cells.data_of(row.dataset).fingerprint, cells.VERSION)
    return _accuracy_of(task, store)


def _benchmark_again(row: Any, store: Store) -> float:
    cell = benchmark.make_cell(row.dataset, row.method, int(row.seed))
    return _accuracy_of(benchmark.make_task_of(cell), store)


def _accuracy_of(task: Task, store: Store) -> float:
    run_grid([task], store)
    rows = store.rows([task.key])
    return float(rows.loc[rows["split"] != "train", "accuracy"].iloc[0])


def main(argv: Sequence[str] | None = None) -> int:
    """Re-run, print a line per row, and return 1 if any was not reproduced."""
    parser = Parser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--dataset", action="append", metavar="NAME|PATH", help="again for more; default: all")
    add("--data-home", type=Path, help="default: $AE_CLUSTER_DATA, else the user's cache folder")
    add("--results", type=Path, default=Path("results"))
    add("--sample", type=positive, metavar="N", help="rows to take; default: all")
    add("--max-minutes", type=float, default=60.0, help="start no row after that; default: 60")
    arguments = parser.parse_args(argv)
    if arguments.data_home:
        os.environ["AE_CLUSTER_DATA"] = str(arguments.data_home)
    rows = finished_rows(arguments.results, arguments.dataset or [])
    if rows.empty:
        print(nothing_found(arguments.results), file=sys.stderr)
        return 2
    return compare(stratified(rows, arguments.sample), arguments.max_minutes)


def compare(rows: pd.DataFrame, max_minutes: float) -> int:
    """Re-run these rows, in a store of their own, and return the exit code."""
    end, verdicts = time.monotonic() + 60 * max_minutes, []
    with tempfile.TemporaryDirectory() as folder:
        row: Any
        for row in counted(list(rows.itertuples()), "verifying", "row"):
            if time.monotonic() > end:
                print(f"Stopped after {max_minutes:g} minutes.")
                break
            again = run_again(row, Store(folder))
            verdicts.append(verdict(row.accuracy, again))
            print(f"{told(row, again)}: {verdicts[-1]}", flush=True)
    n_not = verdicts.count("not reproduced")
    print(f"{len(verdicts)} of {len(rows)} rows re-run, {n_not} not reproduced.")
    return 1 if n_not or not verdicts else 0


def told(row: Any, again: float) -> str:
    """Return which row this is, and both accuracies, as a line."""
    columns = ("n_components", "n_train", "epochs", "budget", "draw")
    details = [f"{c} {getattr(row, c):g}" for c in columns if pd.notna(getattr(row, c))]
    return (
        f"{row.experiment} {row.dataset}: {row.features} → {row.method}, seed {row.seed}, "
        f"{', '.join(details)}: published {row.accuracy:.4f}, again {again:.4f} "
        f"({again - row.accuracy:+z.4f})"
    )


if __name__ == "__main__":
    sys.exit(exit_code(main))
