"""Claim: a trained code turns a few labels into a classifier, and how good a one.

Two families, kept apart. On frozen codes: every method of `semi_supervised.frozen`, with 1 to 100
labels per class, and with all, on the tutorial autoencoder's codes, the sorting codes without
and with an image prior, three principal components, all pixels, and the untrained encoder's
codes. Ten seeds of each encoder, six draws of the labelled samples for each: draw 6·seed + i,
the same for all features and methods, so that comparisons are paired; methods with a clusterer
have three starts of it on the same codes. Fine-tuned encoder: the methods of
`semi_supervised.finetuned` with 1, 5, 10 and 100 labels per class, three seeds, the first five of
the same draws; each starts from the encoder of its seed, trained once.

Encoders come from the store that compare_clustering fills. A budget larger than a class cannot
be drawn: its rows say so, and that is no failure. Beside the rows it writes which samples were
drawn (label_budgets-NAME.json); tables/label-budget-draws (of `experiments.tables`) says mean,
worst decile, and how much of the spread is the encoder's seed, how much the clusterer's start,
how much the draw. Frozen codes of MNIST take three minutes an encoder on one core, beside its
training; fine-tuning, one to two minutes a draw.

    python -m experiments.label_budget --dataset mnist --seeds 10 --jobs 2

--features NAME and --family NAME do these only. --by-chance draws the labelled samples without
looking at their classes, as somebody does who labels what comes; then classes may be missing.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ae_cluster.common.errors import InputError
from ae_cluster.common.terminal import exit_code
from ae_cluster.graphs.knn_graph import neighbor_graph
from ae_cluster.methods import FINETUNED, FROZEN, SORTERS, current_name
from ae_cluster.metrics.clustering import UNKNOWN
from ae_cluster.runs.scoring import classifier_rows
from ae_cluster.semi_supervised.budgets import draw_budget, draw_random_budget, write_budgets
from ae_cluster.semi_supervised.evaluation import ALL, label_budget_rows
from ae_cluster.semi_supervised.methods import FINETUNED_STARTS, METHODS
from experiments.support.arguments import carry_out, grid_parser, prepare, seeds_and_epochs
from experiments.support.cells import (
    clusters_asked,
    codes_in_rows,
    codes_of,
    data_of,
    encoder_cell,
    model_of,
    peak_mb_with,
    sorting_cell,
)
from experiments.support.store import Cell, Row, Store

BUDGETS = (1, 2, 5, 10, 50, 100, ALL)
FEATURES = ("autoencoder", "sorting", "sorting-images", "pca", "pixels", "untrained")
ON_GRAPHS = {"label-spreading", "poisson", "poisson-priors"}
DRAWS = 6
CLUSTERER_SEEDS = 3
# Of what fine-tunes the encoder: a fit takes a minute or two.
FINETUNED_BUDGETS = (1, 5, 10, 100)
FINETUNED_SEEDS, FINETUNED_DRAWS = 3, 5
CODE_SIZES = {"m1-m2": 10}  # in three numbers there is no room for a class and a style
FAMILIES = {"frozen": FROZEN, "fine-tuned": FINETUNED}


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out the grid and return the exit code."""
    parser = grid_parser(__doc__)
    add = parser.add_argument
    add("--by-chance", action="store_true", help="draw labels without balance")
    add("--features", action="append", choices=FEATURES, help="carry out these only, and write "
        "what is there of the others; again for more")  # fmt: skip
    add("--family", type=current_name, choices=FAMILIES, help="likewise; default: both")
    arguments = parser.parse_args(argv)
    cells = [cell for dataset in prepare(arguments) for cell in cells_of(dataset, arguments)]
    chosen = [cell for cell in cells if is_wanted(cell, arguments)]
    name = "label_budget_by_chance" if arguments.by_chance else "label_budget"
    code = carry_out(chosen, arguments, name, score_cell, shown=cells)
    for dataset in prepare(arguments):
        n_seeds = len(seeds_and_epochs(arguments)[0])
        keep_draws(dataset, n_seeds, arguments.out, balanced=not arguments.by_chance)
    return code


def is_wanted(cell: Cell, arguments: argparse.Namespace) -> bool:
    """Return whether a cell is to be carried out, as far as it was said."""
    features, family = arguments.features, arguments.family
    return (features is None or cell["features"] in features) and (
        family is None or cell["family"] == FAMILIES[family]
    )


def cells_of(dataset: str, arguments: argparse.Namespace) -> list[Cell]:
    """Return the cells of both families that the data allow: an image prior asks for images."""
    seeds, epochs = seeds_and_epochs(arguments)
    data = data_of(dataset)
    is_known = arguments.n_clusters or data.n_clusters
    # Those not asked for too: what is published of them stays.
    asked = arguments.features or ()
    possible = [f for f in FEATURES if is_known or f in asked or f not in SORTERS]
    pipelines = [f for f in possible if data.image_shape or f != "sorting-images"]
    budgets = BUDGETS[::3] if arguments.smoke else BUDGETS  # 1, 10 and all
    told: Cell = {"balanced": not arguments.by_chance}

    def start(features: str, seed: int, **size: int) -> Cell:
        cell = encoder_cell(dataset, features, seed, epochs=epochs, **size)
        if features not in SORTERS:
            return cell
        return sorting_cell(cell, clusters_asked(dataset, arguments.n_clusters))

    frozen = {"family": FROZEN, "methods": list(METHODS), "budgets": list(budgets)}
    frozen |= {"draws": 2 if arguments.smoke else DRAWS}
    frozen |= {"clusterer_seeds": list(range(CLUSTERER_SEEDS))}
    cells = [
        start(features, seed) | told | frozen | {"first_draw": DRAWS * seed}
        for seed in seeds
        for features in pipelines
    ]
    return cells + [
        start(features, seed, n_components=CODE_SIZES.get(method, 3))
        | told
        | {"family": FINETUNED, "methods": [method], "budgets": [budget]}
        | {"draws": 1 if arguments.smoke else FINETUNED_DRAWS, "first_draw": DRAWS * seed}
        for seed in seeds[:FINETUNED_SEEDS]
        for method, features in FINETUNED_STARTS.items()
        for budget in (FINETUNED_BUDGETS[::2] if arguments.smoke else FINETUNED_BUDGETS)
        if features in pipelines
    ]


def score_cell(cell: Cell, store: Store) -> list[Row]:
    """Return a test row for each method, budget and draw on one encoder."""
    data = data_of(cell["dataset"])
    if data.y_train is None or data.y_test is None:
        raise InputError(f"{cell['dataset']} needs y_train and y_test: labels of both splits.")
    codes = codes_of(cell, store)
    told = {
        "n_clusters": cell.get("n_clusters", np.nan),
        "peak_mb": peak_mb_with(codes),
    }
    rows = (_frozen_rows if cell["family"] == FROZEN else _finetuned_rows)(cell, store)
    return classifier_rows(told, codes_in_rows(cell, codes), rows)


def _frozen_rows(cell: Cell, store: Store) -> list[Row]:
    data, codes = data_of(cell["dataset"]), codes_of(cell, store)
    start = time.perf_counter()
    graph = neighbor_graph(codes["train"]) if ON_GRAPHS & set(cell["methods"]) else None
    seconds = time.perf_counter() - start
    rows = label_budget_rows(
        codes["train"], data.y_train, codes["test"], data.y_test, cell["budgets"], cell["draws"],
        methods=cell["methods"], start=graph, clusterer_seeds=cell["clusterer_seeds"],
        **_place(cell),
    )  # fmt: skip
    for row in rows:
        row["seconds"] += seconds * (row["method"] in ON_GRAPHS)
    return rows


def _finetuned_rows(cell: Cell, store: Store) -> list[Row]:
    from sklearn.frozen import FrozenEstimator

    from ae_cluster.semi_supervised.methods import FINETUNED_METHODS

    data = data_of(cell["dataset"])
    rows = label_budget_rows(
        data.x_train, data.y_train, data.x_test, data.y_test,
        cell["budgets"], cell["draws"], start=FrozenEstimator(model_of(cell, store)),
        methods={name: FINETUNED_METHODS[name] for name in cell["methods"]}, **_place(cell),
    )  # fmt: skip
    # The size of the code, which is what was fine-tuned, and not of the samples that are fitted.
    return [row | {"n_components": cell["n_components"]} for row in rows]


def _place(cell: Cell) -> dict[str, Any]:
    names = ("dataset", "features", "seed", "first_draw", "balanced")
    return {name: cell[name] for name in names}


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
    cell = encoder_cell(
        row.dataset, row.features, int(row.seed), n_components=int(row.n_components),
        epochs=int(row.epochs),
    )  # fmt: skip
    if row.features in SORTERS:
        cell = sorting_cell(cell, int(row.n_clusters))
    labels = data_of(row.dataset).y_train
    is_all = labels is not None and int(row.n_train) == int((labels != UNKNOWN).sum())
    start = getattr(row, "clusterer_seed", np.nan)
    return cell | {
        "methods": [row.method], "budgets": [ALL if is_all else int(row.budget)],
        "first_draw": int(row.draw), "draws": 1, "balanced": True, "family": row.family,
        "clusterer_seeds": [0 if np.isnan(start) else int(start)],
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(exit_code(main))
