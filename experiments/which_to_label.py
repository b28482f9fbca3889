"""Claim: which samples are labelled matters as much as what learns from them.

Ten to a hundred labels on the tutorial autoencoder's codes, chosen three ways:
*suggested* by `suggest_labels`, which sees no label; by *chance*; and by chance but as
many of each class (*balanced*), which takes somebody who knows the classes already.
Ten seeds of the encoder, six draws of each chance. Writes which_to_label-NAME.csv: one
row for each encoder, choice, draw, number of labels and classifier. Encoders come from
the store that compare_clustering fills; then digits take a minute.

    python -m experiments.which_to_label --dataset digits
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ae_cluster.common.errors import InputError
from ae_cluster.common.files import make_folder
from ae_cluster.common.spreadsheets import safe_table
from ae_cluster.common.terminal import exit_code
from ae_cluster.metrics.clustering import UNKNOWN
from ae_cluster.semi_supervised.active_learning import suggest_labels
from ae_cluster.semi_supervised.budgets import draw_budget, draw_random_budget
from ae_cluster.semi_supervised.methods import few_label_classifiers
from experiments.support.arguments import grid_parser, prepare, seeds_and_epochs
from experiments.support.cells import codes_of, data_of, encoder_cell
from experiments.support.store import Store

PER_CLASS = (1, 2, 5, 10)
METHODS = ("knn", "label-spreading", "poisson")
DRAWS = 6


def main(argv: Sequence[str] | None = None) -> int:
    """Write the rows of every data set, say their means, and return the exit code."""
    arguments = grid_parser(__doc__).parse_args(argv)
    datasets = prepare(arguments)
    seeds, epochs = seeds_and_epochs(arguments)
    store = Store(arguments.store)
    for dataset in datasets:
        rows = pd.DataFrame(
            row for seed in seeds for row in rows_of_encoder(dataset, seed, epochs, store)
        )
        make_folder(arguments.out)
        path = arguments.out / f"which_to_label-{Path(dataset).stem}.csv"
        safe_table(rows.round(6)).to_csv(path, index=False)
        by = rows.groupby(["method", "n_labels", "chosen"])["accuracy"]
        print(by.agg(mean="mean", p10=lambda scores: scores.quantile(0.1)).round(3).unstack())
        print(f"{len(rows)} rows, written to {path}.")
    return 0


def rows_of_encoder(
    dataset: str, seed: int, epochs: int | None, store: Store
) -> Iterator[dict[str, Any]]:
    """Yield the test accuracy of every choice on one encoder's codes."""
    data = data_of(dataset)
    labels, truth = data.y_train, data.y_test
    if labels is None or truth is None or UNKNOWN in truth:
        raise InputError(f"{dataset} needs all labels of both splits.")
    codes = codes_of(encoder_cell(dataset, "autoencoder", seed, epochs=epochs), store)
    n_classes = np.unique(labels[labels != UNKNOWN]).size
    for per_class in PER_CLASS:
        n = per_class * n_classes
        draws = range(DRAWS * seed, DRAWS * (seed + 1))
        chosen = [("suggested", 0, suggest_labels(codes["train"], n))]
        chosen += [("chance", d, draw_random_budget(labels, per_class, d).indices) for d in draws]
        chosen += [("balanced", d, draw_budget(labels, per_class, d).indices) for d in draws]
        positions = np.arange(len(labels))
        shown = [np.where(np.isin(positions, who), labels, UNKNOWN) for _, _, who in chosen]
        for method in METHODS:
            classifier = few_label_classifiers(seed)[method]
            models = classifier.fit_many(codes["train"], shown)
            shares = classifier.predict_proba_many(models, codes["test"])
            for (how, draw, who), model, share in zip(chosen, models, shares, strict=True):
                predicted = model.classes_[share.argmax(axis=1)]
                yield {
                    "dataset": dataset, "seed": seed, "chosen": how, "draw": draw,
                    "n_labels": n, "n_classes": np.unique(labels[who]).size, "method": method,
                    "accuracy": float((predicted == truth).mean()),
                }  # fmt: skip


if __name__ == "__main__":
    sys.exit(exit_code(main))
