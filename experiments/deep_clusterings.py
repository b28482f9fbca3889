"""Claim: DEC, IDEC, DCN, VaDE and N2D, redone on one autoencoder, beside what was published.

At 10-D the papers' network (784-500-500-2000-10, ReLU), three seeds; at 3-D the
tutorial's, ten seeds. All methods of a seed start from one pretrained autoencoder
(10-D: 50 epochs; 3-D: the tutorial's 10), and KMeans of its codes is the row to
beat. Seeds are all kept; papers often give the best of several. `experiments.tables`
puts what others published beside.

    python -m experiments.deep_clusterings --dataset mnist --jobs 2

Where this departs from the papers: fitted to the training images and scored on
the test images (they: all as one); Adam at 0.001 in batches of 256 throughout
(DEC and DCN: stochastic gradient descent; VaDE: 0.002, batches of 100); plain
pretraining (DEC: layer by layer, with dropout); DEC and IDEC end after 60 epochs
if assignments have not settled (the papers: when settled); VaDE trains for 50
epochs (300); N2D pretrains for 50 (1,000) and takes the ReLU code. λ of DCN and
γ of IDEC are the papers' for MNIST, whose labels may have chosen them.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ae_cluster.autoencoder.estimator import AutoEncoder
from ae_cluster.clustering.codes import cluster_codes
from ae_cluster.clustering.deep import paper_autoencoder
from ae_cluster.clustering.estimators import (
    deep_epochs,
    make_deep,
    own_clusters,
    reconstruction_errors,
)
from ae_cluster.common.files import make_folder
from ae_cluster.common.memory import peak_mb
from ae_cluster.common.terminal import exit_code
from ae_cluster.methods import DEEP_CLUSTERINGS
from ae_cluster.records.config import preset_epochs
from ae_cluster.runs.encoders import Codes
from experiments.support.arguments import carry_out, grid_parser, prepare, seeds_and_epochs
from experiments.support.cells import ENCODER, VERSION, cell_rows, data_of, make_cell
from experiments.support.store import Cell, Row, Store, cell_key

NAME = "deep_clusterings"
PAPERS, TUTORIALS = "paper-autoencoder", "autoencoder"
PAPERS_EPOCHS = 50  # of pretraining
SIZES = {PAPERS: 10, TUTORIALS: 3}
MOST_SEEDS = {PAPERS: 3, TUTORIALS: 10}
METHODS = ("kmeans", *DEEP_CLUSTERINGS)


def method_cell(
    dataset: str, features: str, method: str, seed: int, epochs: int | None, k: int | None
) -> Cell:
    """Return the cell of one method started from one seed's autoencoder; epochs are of both."""
    cell = make_cell(dataset, features, method, seed, n_components=SIZES[features], n_clusters=k)
    n = cell["n_train"]
    presets = {PAPERS: max(PAPERS_EPOCHS, preset_epochs(n, 256)), TUTORIALS: preset_epochs(n, 64)}
    cell["epochs"] = epochs or presets[features]
    cell["stage"] = "-".join(str(cell[name]) for name in ENCODER)
    return cell | {"max_iter": epochs or deep_epochs(method, n)}


def method_rows(cell: Cell, store: Store) -> list[Row]:
    """Cluster with one method and return a train and a test row."""
    data = data_of(cell["dataset"])
    start, before = pretrained(cell, store)
    if cell["method"] == "kmeans":
        train, test = start.transform(data.raw_train), start.transform(data.raw_test)
        result, model = (
            cluster_codes("kmeans", train, test, cell["n_clusters"], cell["seed"]),
            start,
        )
    else:
        # At 3-D what is clustered must have three numbers too.
        size = None if cell["features"] == PAPERS else cell["n_components"]
        deep = make_deep(
            cell["method"], cell["n_clusters"], start, cell["seed"], cell["max_iter"], size
        )
        began = time.perf_counter()
        deep.fit(data.raw_train)
        result = own_clusters(deep, data, time.perf_counter() - began)
        train, test = deep.transform(data.raw_train), deep.transform(data.raw_test)
        model = deep.autoencoder_
    errors = reconstruction_errors(model, data)
    codes = Codes(cell["features"], train, test, cell["epochs"], before, errors)
    return cell_rows(cell, codes, result, peak_mb=round(peak_mb(), 1))


def pretrained(cell: Cell, store: Store) -> tuple[AutoEncoder, float]:
    """Return the autoencoder that a seed's methods start from, and the seconds it took."""
    encoder = {name: cell[name] for name in ENCODER}
    key = cell_key(encoder | {"arrays": "model"}, data_of(cell["dataset"]).fingerprint, VERSION)
    path = store.folder / "models" / key
    kept = store.arrays(key, lambda: _pretrain(cell, path))
    return AutoEncoder.load(path), float(kept["seconds"])


def _pretrain(cell: Cell, path: Path) -> dict[str, NDArray[Any]]:
    data = data_of(cell["dataset"])
    parameters = {
        "max_iter": cell["epochs"],
        "input_kind": "table" if data.is_table else "images",
        "random_state": cell["seed"],
    }
    make = paper_autoencoder if cell["features"] == PAPERS else AutoEncoder
    began = time.perf_counter()
    model = make(cell["n_components"], **parameters).fit(data.raw_train)
    seconds = time.perf_counter() - began
    make_folder(path.parent)
    model.save(path, force=True)
    return {"seconds": np.array(seconds)}


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out the grid and return the exit code."""
    parser = grid_parser(__doc__)
    parser.add_argument("--size", type=int, choices=(3, 10), action="append", help="default: both")
    parser.add_argument("--method", choices=METHODS, action="append", help="default: all")
    arguments = parser.parse_args(argv)
    datasets = prepare(arguments)
    seeds, epochs = seeds_and_epochs(arguments)
    cells = [
        method_cell(dataset, features, method, seed, epochs, arguments.n_clusters)
        for dataset in datasets
        for features in (PAPERS, TUTORIALS)
        for seed in seeds[: MOST_SEEDS[features]]
        for method in METHODS
    ]
    sizes, methods = arguments.size or SIZES.values(), arguments.method or METHODS
    chosen = [c for c in cells if c["n_components"] in sizes and c["method"] in methods]
    return carry_out(chosen, arguments, NAME, method_rows, shown=cells)


if __name__ == "__main__":
    sys.exit(exit_code(main))
