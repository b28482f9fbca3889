"""Claim: a trained code turns a few labels into a classifier, and how good a one.

Every method of `ae_cluster.few_labels` with 1 to 100 labels per class, and with all, on the
tutorial autoencoder's codes, three principal components, all pixels, and the
untrained encoder's codes. Ten seeds of each encoder, six draws of the labelled
samples for each: draw 6·seed + i, the same for all features and methods, so that
comparisons are paired. Encoders come from the store that compare_clustering
fills. A budget larger than a class cannot be drawn: its rows say so, and that is
no failure. Beside the rows it writes which samples were drawn (label_budgets-NAME.json);
tables/label-budget-draws (of `experiments.tables`) says mean, worst decile, and how much of the
spread is the encoder's seed, how much the draw. Three minutes an encoder for MNIST on one core.

    python -m experiments.label_budget --dataset mnist --seeds 10 --jobs 2

--by-chance draws the labelled samples without looking at their classes, as somebody
does who labels what comes; then classes may be missing.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ae_cluster.errors import InputError
from ae_cluster.evaluation import UNKNOWN
from ae_cluster.few_labels.budgets import draw_budget, draw_random_budget, write_budgets
from ae_cluster.few_labels.graph import neighbor_graph
from ae_cluster.few_labels.methods import METHODS
from ae_cluster.semi_supervised import ALL, label_budget_rows
from ae_cluster.store import Cell, Row, Store
from experiments.cells import codes_of, data_of, encoder_cell, peak_mb_with
from experiments.grids import carry_out, exit_code, grid_parser, prepare, seeds_and_epochs

BUDGETS = (1, 2, 5, 10, 50, 100, ALL)
FEATURES = ("autoencoder", "pca", "pixels", "untrained")
ON_GRAPHS = {"label-spreading", "poisson", "poisson-priors"}
DRAWS = 6


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out the grid and return the exit code."""
    parser = grid_parser(__doc__)
    parser.add_argument("--by-chance", action="store_true", help="draw labels without balance")
    arguments = parser.parse_args(argv)
    datasets = prepare(arguments)
    seeds, epochs = seeds_and_epochs(arguments)
    budgets = BUDGETS[::3] if arguments.smoke else BUDGETS  # 1, 10 and all
    told = {"methods": list(METHODS), "budgets": list(budgets), "draws": DRAWS}
    told["balanced"] = not arguments.by_chance
    cells = [
        encoder_cell(dataset, features, seed, epochs=epochs) | told | {"first_draw": DRAWS * seed}
        for dataset in datasets
        for seed in seeds
        for features in FEATURES
    ]
    name = "label_budget_by_chance" if arguments.by_chance else "label_budget"
    code = carry_out(cells, arguments, name, score_cell)
    for dataset in datasets:
        keep_draws(dataset, len(seeds), arguments.out, balanced=not arguments.by_chance)
    return code


def score_cell(cell: Cell, store: Store) -> list[Row]:
    """Return a test row for each method, budget and draw on one encoder's codes."""
    data = data_of(cell["dataset"])
    if data.y_train is None or data.y_test is None:
        raise InputError(f"{cell['dataset']} needs y_train and y_test: labels of both splits.")
    codes = codes_of(cell, store)
    start = time.perf_counter()
    graph = neighbor_graph(codes["train"]) if ON_GRAPHS & set(cell["methods"]) else None
    seconds = time.perf_counter() - start
    rows = label_budget_rows(
        codes["train"], data.y_train, codes["test"], data.y_test, cell["budgets"], cell["draws"],
        dataset=cell["dataset"], features=cell["features"], seed=cell["seed"],
        first_draw=cell["first_draw"], methods=cell["methods"], balanced=cell["balanced"],
        graph=graph,
    )  # fmt: skip
    told = {
        "epochs": cell["epochs"],
        "peak_mb": peak_mb_with(codes),
        "uses_k": True,
        "uses_augmentation": False,
        "tuned_on": "digits",
    }
    before = float(codes["seconds"])
    for row in rows:
        row["seconds"] = round(before + row["seconds"] + seconds * (row["method"] in ON_GRAPHS), 3)
    return [told | row for row in rows]


def keep_draws(dataset: str, n_seeds: int, out: Path, *, balanced: bool) -> None:
    """Write the samples of every draw: those of the largest budget that can be drawn."""
    data = data_of(dataset)
    if data.y_train is None:
        return
    _, sizes = np.unique(data.y_train[data.y_train != UNKNOWN], return_counts=True)
    per_class = max((b for b in BUDGETS if b is not ALL and b <= sizes.min()), default=0)
    if not per_class:
        return
    how = draw_budget if balanced else draw_random_budget
    drawn = [how(data.y_train, per_class, d, dataset) for d in range(DRAWS * n_seeds)]
    name = "label_budgets" if balanced else "label_budgets_by_chance"
    write_budgets(out / f"{name}-{Path(dataset).stem}.json", drawn, data.fingerprint)


def cell_of_row(row: Any) -> Cell:
    """Return a cell that gives a published row, and no other draw."""
    encoder = encoder_cell(row.dataset, row.features, int(row.seed), epochs=int(row.epochs))
    labels = data_of(row.dataset).y_train
    is_all = labels is not None and int(row.n_train) == int((labels != UNKNOWN).sum())
    return encoder | {
        "methods": [row.method], "budgets": [ALL if is_all else int(row.budget)],
        "first_draw": int(row.draw), "draws": 1, "balanced": True,
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(exit_code(main))
