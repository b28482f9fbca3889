"""Claim: every table of results/ follows from its rows, and from nothing else.

Reads ``results/EXPERIMENT-DATASET.csv`` and writes ``results/tables/NAME.md|csv|tex``:
held-out scores of every pipeline, with n, median, spread and paired differences; of
label budgets also the worst decile and the parts of the variance; of the robustness
settings and the deep clusterings, medians and ranges; of each half of the benchmark, ranks,
and how often the number of clusters was told.
Never loads torch; a few seconds.

    python -m experiments.tables
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from joblib import Parallel, delayed

from ae_cluster.common.terminal import exit_code
from ae_cluster.reports import GROUP, summarize, write_tables
from ae_cluster.reports.label_budgets import spread_of_draws, write_spread
from experiments.support.benchmark_tables import half_tables
from experiments.support.medians import deep_table, robustness_table
from experiments.support.numbers_of_clusters import numbers_tables
from experiments.support.published import EXPERIMENTS, nothing_found, published_rows, redraw_parser

TRAINING = (*GROUP, "n_train", "epochs")
BY = {
    "training_epochs": TRAINING,
    "training_images": TRAINING,
    "label_budget": (
        "dataset", "split", "family", "method", "features", "n_components", "budget",
    ),
}  # fmt: skip
DRAWN = ("label_budget", "label_budget_by_chance")
SCORES = {"label_budget": ("accuracy",)}  # of the others, NMI too


def main(argv: Sequence[str] | None = None) -> int:
    """Write the tables of every experiment that has rows, and return the exit code."""
    arguments = redraw_parser(__doc__).parse_args(argv)
    results, n_seeds = arguments.results, arguments.seeds
    jobs = [
        delayed(scores_table)(results, experiment, score, n_seeds)
        for experiment in EXPERIMENTS
        for score in SCORES.get(experiment, ("accuracy", "nmi"))
    ]
    jobs += [delayed(draws_table)(results, experiment) for experiment in DRAWN]
    jobs += [delayed(robustness_table)(results), delayed(deep_table)(results)]
    jobs += [delayed(half_tables)(results), delayed(numbers_tables)(results)]
    # The largest, of label budgets, first.
    written = [*chain.from_iterable(Parallel(n_jobs=2, backend="multiprocessing")(jobs[::-1]))]
    print("\n".join(sorted(map(str, written))) or nothing_found(results))
    return 0 if written else 2


def scores_table(results: Path, experiment: str, score: str, n_seeds: int) -> list[Path]:
    """Write what the seeds of each pipeline of an experiment reach, and return the files."""
    rows = published_rows(results, experiment)
    if rows.empty:
        return []
    summary = summarize(rows, score, BY.get(experiment, GROUP), n_seeds=n_seeds)
    held_out = summary[summary["split"] == "test"]
    return write_tables(held_out, results / "tables", f"{EXPERIMENTS[experiment]}-{score}")


def draws_table(results: Path, experiment: str) -> list[Path]:
    """Write the mean, worst decile and parts of the spread of label budgets; return the files."""
    rows = published_rows(results, experiment)
    name = experiment.replace("_", "-") + "-draws"
    return write_spread(spread_of_draws(rows), results / "tables", name) if len(rows) else []


if __name__ == "__main__":
    sys.exit(exit_code(main))
