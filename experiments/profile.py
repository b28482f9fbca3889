"""Claim: where the time of a run goes, stage by stage: none of them is left to guesses.

Carries out ``ae-cluster run DATA --method NAME`` in a fresh process for each round, what torch
needs to load and UMAP to compile included, and writes the seconds of each stage, its share of
the whole and the most memory that the process held during it. The quickest round counts. A
run's config.json has the same seconds, of that run. Rows of other data and methods stay in
``results/profile.csv``.

    python -m experiments.profile digits --method sorting
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pandas as pd

from ae_cluster.common.files import make_folder
from ae_cluster.common.stage_times import OTHER, stage, stage_times
from ae_cluster.common.terminal import Parser, exit_code
from ae_cluster.methods import AUTOENCODER, BY_NAME, DEFAULTS, check_methods
from experiments.support.published import write_rows

FILE = "profile.csv"
KEY = ["dataset", "method"]
WHOLE = "whole run"


def profile(arguments: dict[str, Any], data_home: Path | None) -> list[dict[str, Any]]:
    """Carry out a run in this process; return a row for each stage, the longest first.

    Parameters
    ----------
    arguments : dict
        Of `ae_cluster.RunConfig`.
    """
    with tempfile.TemporaryDirectory() as place, stage_times(memory=True) as times:
        with stage("loading torch"):
            from ae_cluster.records.config import RunConfig
            from ae_cluster.runs.run import run
        run(RunConfig(**arguments), Path(place) / "RUN", data_home=data_home)
        seconds = times.rounded()
    whole = sum(seconds.values())
    rows = [{"stage": WHOLE, "seconds": round(whole, 2), "share": 1.0}]
    rows += [
        {"stage": name, "seconds": spent, "share": round(spent / whole, 4)}
        for name, spent in seconds.items()
    ]
    peaks = times.peak_mb | {WHOLE: max(times.peak_mb.values())}
    named = {"dataset": arguments["dataset"], "method": " ".join(arguments["methods"])}
    return [named | row | {"peak_mb": round(peaks.get(row["stage"], 0.0), 1)} for row in rows]


def quickest(rounds: Sequence[list[dict[str, Any]]]) -> pd.DataFrame:
    """Return the rows of the round that took the least, and how many there were."""
    best = min(rounds, key=lambda rows: rows[0]["seconds"])
    return pd.DataFrame(best).assign(rounds=len(rounds))


def with_earlier(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Return a table with the rows of other data sets and methods that a file has, in order."""
    if path.exists():
        earlier = pd.read_csv(path)
        again = set(zip(*(table[name] for name in KEY), strict=True))
        stays = [place not in again for place in zip(*(earlier[n] for n in KEY), strict=True)]
        table = pd.concat([earlier[stays], table], ignore_index=True)
    return table.sort_values(KEY, kind="stable", ignore_index=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Profile, print, write the rows, and return the exit code."""
    arguments = _parser().parse_args(argv)
    methods = tuple(arguments.method or DEFAULTS)
    check_methods(methods, AUTOENCODER)
    wanted = {"dataset": arguments.data, "methods": methods, "n_clusters": arguments.n_clusters}
    if arguments.smoke:
        wanted |= {"epochs": 1, "budgets": (1,), "draws": 1}
    rounds = []
    for i in range(1 if arguments.smoke else arguments.rounds):
        # Each in a process of its own: what one has compiled or cached is not there for the next.
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            rounds.append(pool.submit(profile, wanted, arguments.data_home).result())
        print(f"round {i + 1}: {rounds[-1][0]['seconds']:.1f} s", flush=True)
    table = quickest(rounds)
    print(table.drop(columns=[*KEY, "rounds"]).to_string(index=False))
    make_folder(arguments.out.parent)
    write_rows(with_earlier(table, arguments.out), arguments.out)
    print(f"Written to {arguments.out}. {OTHER!r} is what no stage has named.")
    return 0


def _parser() -> Parser:
    from experiments.support.arguments import positive  # loads torch, which a round is to time

    parser = Parser(description=(__doc__ or "").splitlines()[0])
    add = parser.add_argument
    add("data", metavar="DATA", help="the name of a data set, or a file")
    names = f"{', '.join(BY_NAME)}; again for more; default: {' and '.join(DEFAULTS)}"
    add("--method", action="append", metavar="NAME", choices=list(BY_NAME), help=names)
    add("--n-clusters", type=positive, metavar="K", help="must be said for a file")
    add("--data-home", type=Path, help="default: $AE_CLUSTER_DATA, else the user's cache folder")
    add("--rounds", type=positive, default=5)
    add("--out", type=Path, default=Path("results") / FILE)
    add("--smoke", action="store_true", help="one round of one epoch: does it run at all?")
    return parser


if __name__ == "__main__":
    sys.exit(exit_code(main))
