"""Claim: the published rows can be made again.

Re-runs rows of ``results/compare_clustering-DATASET.csv`` from nothing and says
of each test accuracy: reproduced (differs by at most .001, as it should on the
same machine and versions), within tolerance (at most .01), or not. The exit
code is 0 only if none is "not". A row of digits takes five seconds, of MNIST
half a minute.

    python -m experiments.verify --sample 4 --dataset digits
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from ae_cluster.grid import make_task, run_grid
from ae_cluster.store import Store
from experiments.cells import VERSION, cluster_cell, data_of, grid_parser, make_cell, prepare

REPRODUCED, TOLERATED = 0.001, 0.01
STRATA = ["dataset", "features", "method"]


def published_rows(results: Path, datasets: Sequence[str]) -> pd.DataFrame:
    """Return the finished test rows of some data sets, or of all where none is named."""
    paths = sorted(results.glob("compare_clustering-*.csv"))
    rows = pd.concat([pd.read_csv(path) for path in paths], ignore_index=True)
    wanted = rows["dataset"].isin(datasets) if datasets else True
    return rows[wanted & (rows["split"] == "test") & (rows["status"] == "ok")]


def stratified(rows: pd.DataFrame, n: int | None, seed: int = 0) -> pd.DataFrame:
    """Return ``n`` rows, as evenly over data sets and methods as can be; all for None."""
    if n is None:
        return rows
    shuffled = rows.sample(frac=1, random_state=seed)
    turn = shuffled.groupby(STRATA).cumcount()  # first one of each stratum, then a second …
    return shuffled.assign(turn=turn).sort_values("turn", kind="stable").head(n)


def verdict(published: float, again: float) -> str:
    """Return what a difference of accuracies means."""
    difference = abs(again - published)
    if difference <= REPRODUCED:
        return "reproduced"
    return "within tolerance" if difference <= TOLERATED else "not reproduced"


def run_again(row: Any, folder: str) -> float:
    """Return the test accuracy of a row's configuration, from nothing."""
    cell = make_cell(
        row.dataset, row.features, row.method, int(row.seed), n_components=int(row.n_components),
        n_train=int(row.n_train), epochs=int(row.epochs), n_clusters=int(row.n_clusters),
    )  # fmt: skip
    store = Store(folder)
    task = make_task(cluster_cell, cell, data_of(row.dataset).fingerprint, VERSION)
    run_grid([task], store)
    rows = store.rows([task.key])
    return float(rows.loc[rows["split"] != "train", "accuracy"].iloc[0])


def main(argv: Sequence[str] | None = None) -> int:
    """Re-run, print a line per row, and return 1 if any was not reproduced."""
    parser: argparse.ArgumentParser = grid_parser(__doc__, "results")
    parser.add_argument("--results", type=Path, default=Path("results"))
    parser.add_argument("--sample", type=int, metavar="N", help="rows to take; default: all")
    parser.add_argument("--max-minutes", type=float, default=60.0, help="default: 60")
    arguments = parser.parse_args(argv)
    prepare(arguments)
    rows = stratified(published_rows(arguments.results, arguments.dataset or []), arguments.sample)
    end, verdicts = time.monotonic() + 60 * arguments.max_minutes, []
    for row in tqdm(list(rows.itertuples()), unit="row", disable=None):
        if time.monotonic() > end:
            print(f"Stopped after {arguments.max_minutes:g} minutes.")
            break
        with tempfile.TemporaryDirectory() as folder:
            again = run_again(row, folder)
        verdicts.append(verdict(row.accuracy, again))
        print(
            f"{row.dataset} {row.features} → {row.method}, seed {row.seed}: published "
            f"{row.accuracy:.4f}, again {again:.4f} ({again - row.accuracy:+.4f}): {verdicts[-1]}",
            flush=True,
        )
    n_not = verdicts.count("not reproduced")
    print(f"{len(verdicts)} of {len(rows)} rows re-run, {n_not} not reproduced.")
    return 1 if n_not or not verdicts else 0


if __name__ == "__main__":
    sys.exit(main())
