"""What the experiments' cells have in common: data, an encoder's codes, a clustering of them.

A cell is a flat dict; those with the same ``stage`` share the codes of one encoder.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ae_cluster.clustering import cluster_codes
from ae_cluster.config import preset_epochs
from ae_cluster.datasets import Dataset, load_dataset
from ae_cluster.errors import InputError
from ae_cluster.grid import Task, make_task, run_grid
from ae_cluster.machine import peak_mb
from ae_cluster.scoring import clustering_rows
from ae_cluster.store import Cell, Row, Store, cell_key

VERSION = 1  # raise it when the same configuration would give other numbers
DATASETS = ("digits", "mnist", "fashion-mnist")
ENCODER = ("dataset", "features", "seed", "n_components", "n_train", "epochs")


@lru_cache(maxsize=1)
def data_of(dataset: str) -> Dataset:
    """Return a data set, read once per process."""
    return load_dataset(dataset)


def make_cell(
    dataset: str,
    features: str,
    method: str,
    seed: int,
    *,
    n_components: int = 3,
    n_train: int | None = None,
    epochs: int | None = None,
    n_clusters: int | None = None,
) -> Cell:
    """Return the cell of one clustering of one encoder's codes, its presets spelled out."""
    data = data_of(dataset)
    n_train = n_train or len(data.raw_train)
    k = n_clusters or data.n_clusters
    if k is None:
        raise InputError(f"How many clusters {dataset} has is not known; say --n-clusters K.")
    if features == "pixels":
        n_components = data.raw_train.shape[1]
    if features == "autoencoder":
        epochs = epochs or preset_epochs(n_train, 64)
    cell = {
        "dataset": dataset,
        "features": features,
        "method": method,
        "seed": seed,
        "n_clusters": k,
        "n_components": n_components,
        "n_train": n_train,
        "epochs": epochs if features == "autoencoder" else 0,
    }
    return cell | {"stage": "-".join(str(cell[name]) for name in ENCODER)}


def codes_of(cell: Cell, store: Store) -> dict[str, NDArray[Any]]:
    """Return an encoder's codes (train, test) with its seconds and errors (train, test)."""
    data = data_of(cell["dataset"])
    if cell["features"] == "pixels":  # large, and there already
        return _codes(data.x_train, data.x_test, 0.0)
    encoder = {name: cell[name] for name in ENCODER}
    return store.arrays(
        cell_key(encoder, data.fingerprint, VERSION), lambda: _encode(encoder, data)
    )


def _encode(encoder: Cell, data: Dataset) -> dict[str, NDArray[Any]]:
    from ae_cluster.autoencoder import AutoEncoder
    from ae_cluster.baselines import pca_codes

    start = time.perf_counter()
    n_components = encoder["n_components"]
    if encoder["features"] == "pca":
        codes = pca_codes(data, n_components, encoder["seed"])
        return _codes(codes.train, codes.test, time.perf_counter() - start)
    model = AutoEncoder(
        n_components,
        # A layer must not be narrower than the code behind it.
        hidden_layer_sizes=(128, 64, max(12, n_components)),
        max_iter=encoder["epochs"],
        input_kind="table" if data.is_table else "images",
        random_state=encoder["seed"],
    )
    model.fit(data.raw_train[: encoder["n_train"]])
    seconds = time.perf_counter() - start
    errors = -model.score(data.raw_train), -model.score(data.raw_test)
    train, test = model.transform(data.raw_train), model.transform(data.raw_test)
    return _codes(train, test, seconds, errors)


def _codes(
    train: NDArray[Any],
    test: NDArray[Any],
    seconds: float,
    errors: tuple[float, float] = (np.nan, np.nan),
) -> dict[str, NDArray[Any]]:
    return {"train": train, "test": test, "seconds": np.array(seconds), "mse": np.array(errors)}


def cluster_cell(cell: Cell, store: Store) -> list[Row]:
    """Cluster an encoder's codes and return a train and a test row."""
    data = data_of(cell["dataset"])
    codes = codes_of(cell, store)
    train, test = codes["train"], codes["test"]
    result = cluster_codes(cell["method"], train, test, cell["n_clusters"], cell["seed"])
    place = {name: value for name, value in cell.items() if name != "stage"}
    place |= {
        "seconds": round(float(codes["seconds"]) + result.seconds, 3),
        "peak_mb": round(peak_mb(), 1),
        "uses_k": True,
        "uses_balance": False,
        "uses_augmentation": False,
        "tuned_on": "nothing",
    }
    rows = clustering_rows(place, data, train, test, result)
    return [row | {"mse": float(e)} for row, e in zip(rows, codes["mse"], strict=True)]


def grid_parser(description: str, out: str) -> argparse.ArgumentParser:
    """Return the arguments that every grid takes."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    add = parser.add_argument
    add("--dataset", action="append", metavar="NAME|PATH", help="again for more; default: digits")
    add("--data-home", type=Path, help="default: $AE_CLUSTER_DATA, else the user's cache folder")
    add("--seeds", type=int, default=10, help="seeds 0 … n−1; default: 10")
    add("--jobs", type=int, default=1, help="processes; default: 1")
    add("--n-clusters", type=int, metavar="K", help="must be said for a file")
    add("--out", type=Path, default=Path(out), help=f"folder of rows; default: {out}")
    add("--store", type=Path, default=Path("runs/store"), help="of finished cells; default: "
        "runs/store")  # fmt: skip
    add("--retry-failed", action="store_true", help="do failed cells again")
    add("--smoke", action="store_true", help="digits, two seeds, two epochs")
    return parser


def prepare(arguments: argparse.Namespace) -> list[str]:
    """Return the data sets asked for, and let other processes know where they lie."""
    if arguments.data_home:
        os.environ["AE_CLUSTER_DATA"] = str(arguments.data_home)
    return ["digits"] if arguments.smoke else arguments.dataset or ["digits"]


def carry_out(cells: list[Cell], arguments: argparse.Namespace, name: str) -> int:
    """Do the cells that are not done, write their rows by data set, and return the exit code."""
    store = Store(arguments.store)
    by_dataset: dict[str, list[Task]] = {}
    for cell in cells:
        fingerprint = data_of(cell["dataset"]).fingerprint
        task = make_task(cluster_cell, cell, fingerprint, VERSION)
        by_dataset.setdefault(cell["dataset"], []).append(task)
    failed = []
    for dataset, tasks in by_dataset.items():
        failed += run_grid(tasks, store, jobs=arguments.jobs, retry_failed=arguments.retry_failed)
        arguments.out.mkdir(parents=True, exist_ok=True)
        path = arguments.out / f"{name}-{Path(dataset).stem}.csv"
        store.rows([task.key for task in tasks]).round(6).to_csv(path, index=False)
        print(f"{len(tasks)} cells, written to {path}.")
    for task in failed:
        what = " ".join(str(task.cell[c]) for c in ("dataset", "features", "method", "seed"))
        print(f"failed: {what} (see status and reason in its row)", file=sys.stderr)
    return 1 if failed else 0
