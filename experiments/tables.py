"""Claim: every table of results/ follows from its rows, and from nothing else.

Reads ``results/EXPERIMENT-DATASET.csv`` and writes ``results/tables/NAME.md|csv|tex``:
held-out scores of every way, with n, median, spread and paired differences; of
label budgets also the worst decile and the parts of the variance.
Never loads torch; a few seconds.

    python -m experiments.tables
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from ae_cluster.few_labels.spread import spread_of_draws, write_spread
from ae_cluster.summaries import GROUP, summarize, write_tables
from experiments.published import EXPERIMENTS, nothing_found, published_rows, redraw_parser

TRAINING = (*GROUP, "n_train", "epochs")
BY = {
    "training_epochs": TRAINING,
    "training_images": TRAINING,
    "label_budget": (
        "dataset", "split", "family", "method", "features", "n_components", "budget",
    ),
}  # fmt: skip
SCORES = {"label_budget": ("accuracy",)}  # of the others, NMI too


def main(argv: Sequence[str] | None = None) -> int:
    """Write the tables of every experiment that has rows, and return the exit code."""
    arguments = redraw_parser(__doc__).parse_args(argv)
    written = []
    for experiment, name in EXPERIMENTS.items():
        rows = published_rows(arguments.results, experiment)
        for score in SCORES.get(experiment, ("accuracy", "nmi")) if len(rows) else ():
            summary = summarize(rows, score, BY.get(experiment, GROUP), n_seeds=arguments.seeds)
            held_out = summary[summary["split"] == "test"]
            written += write_tables(held_out, arguments.results / "tables", f"{name}-{score}")
    for experiment in ("label_budget", "label_budget_by_chance"):
        if len(rows := published_rows(arguments.results, experiment)):
            name = experiment.replace("_", "-") + "-draws"
            written += write_spread(spread_of_draws(rows), arguments.results / "tables", name)
    print("\n".join(map(str, written)) or nothing_found(arguments.results))
    return 0 if written else 2


if __name__ == "__main__":
    sys.exit(main())
