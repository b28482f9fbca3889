"""Claim: our training is the tutorial's recipe, and its codes carry more than a linear map's.

For seeds 0 … n−1 on MNIST: the reconstruction error over all training images
against the tutorial's own loop with the same seed, KMeans on the codes, and the
nearest-neighbour and few-label accuracy of the codes beside PCA-3 and the
untrained encoder, all scored on the test images. About 15 minutes on one core
(most of it the tutorial's loop).

    python -m experiments.recipe --data-home DIR --seeds 10
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from ae_cluster import AutoEncoder, Dataset, load_dataset
from ae_cluster.clustering.codes import cluster_codes
from ae_cluster.common.progress import counted
from ae_cluster.common.terminal import Parser, exit_code
from ae_cluster.metrics.clustering import accuracy, accuracy_matched, matched_map, nmi
from ae_cluster.metrics.codes import neighbor_accuracy
from ae_cluster.semi_supervised.evaluation import label_budget_rows
from experiments.support.reference_tutorial import mean_squared_error, train_tutorial

PER_CLASS, DRAWS = 10, 6
HEAD = b"dataset,seed,epochs,"  # of the table that is gone on with


def one_seed(data: Dataset, data_home: Path, seed: int, epochs: int) -> dict[str, Any]:
    """Return everything measured at one seed."""
    model = AutoEncoder(random_state=seed, max_iter=epochs).fit(data.raw_train)
    untrained = AutoEncoder(random_state=seed, max_iter=0).fit(data.raw_train)
    pca = PCA(3, random_state=seed).fit(data.x_train)
    codes = {
        "codes": (model.transform(data.raw_train), model.transform(data.raw_test)),
        "pca": (pca.transform(data.x_train), pca.transform(data.x_test)),
        "untrained": (untrained.transform(data.raw_train), untrained.transform(data.raw_test)),
    }
    row: dict[str, Any] = {"dataset": data.name, "seed": seed, "epochs": epochs}
    row |= {"mse_train": -model.score(data.raw_train), "mse_test": -model.score(data.raw_test)}
    row |= _cluster_scores(data, *codes["codes"], seed)
    for name, (train, test) in codes.items():
        row[f"neighbors_{name}"] = neighbor_accuracy(train, data.y_train, test, data.y_test)
        row[f"knn{PER_CLASS}_{name}"] = _few_labels(data, train, test, seed)
    theirs = train_tutorial(data_home, seed, epochs)
    row["mse_train_tutorial"] = mean_squared_error(theirs, torch.from_numpy(data.x_train))
    row["mse_ratio"] = row["mse_train"] / row["mse_train_tutorial"]
    return row


def _cluster_scores(
    data: Dataset, train: NDArray[Any], test: NDArray[Any], seed: int
) -> dict[str, float]:
    scores = {}
    for name in ("kmeans", "gmm"):
        result = cluster_codes(name, train, test, 10, seed)
        mapping = matched_map(data.y_train, result.train)
        scores[f"{name}_accuracy"] = accuracy(data.y_test, result.test, mapping)
        scores[f"{name}_accuracy_matched"] = accuracy_matched(data.y_test, result.test)
        scores[f"{name}_nmi"] = nmi(data.y_test, result.test)
    return scores


def _few_labels(data: Dataset, train: NDArray[Any], test: NDArray[Any], seed: int) -> float:
    rows = label_budget_rows(
        train, data.y_train, test, data.y_test, [PER_CLASS], DRAWS,
        dataset=data.name, features="", seed=seed,
    )  # fmt: skip
    return float(np.mean([r["accuracy"] for r in rows if r["method"] == "knn"]))


def main() -> None:
    """Go through the seeds; rows are written as they come, and seeds already there are kept."""
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-home", type=Path, default=os.environ.get("AE_CLUSTER_DATA"))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--out", type=Path, default=Path("results/recipe.csv"))
    parser.add_argument("--smoke", action="store_true", help="two seeds of one epoch")
    arguments = parser.parse_args()
    if arguments.data_home is None:
        parser.error("where is MNIST? say --data-home DIR or set AE_CLUSTER_DATA")
    if arguments.out.exists() and not arguments.out.read_bytes().startswith(HEAD):
        parser.error(f"{arguments.out} is not a table of this script's; name another file")
    n_seeds, epochs = (2, 1) if arguments.smoke else (arguments.seeds, arguments.epochs)
    data = load_dataset("mnist", data_home=arguments.data_home)
    rows = pd.read_csv(arguments.out).to_dict("records") if arguments.out.exists() else []
    done = {row["seed"] for row in rows if row["epochs"] == epochs}
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    for seed in counted([s for s in range(n_seeds) if s not in done], "training", "seed"):
        rows.append(one_seed(data, arguments.data_home, seed, epochs))
        pd.DataFrame(rows).sort_values("seed").round(6).to_csv(arguments.out, index=False)
    table = pd.DataFrame(rows).drop(columns=["dataset", "seed", "epochs"])
    print(table.agg(["median", "min", "max"]).T.to_string(float_format="{:.4f}".format))
    print(f"{len(rows)} seeds, written to {arguments.out}.")


if __name__ == "__main__":
    sys.exit(exit_code(main))
