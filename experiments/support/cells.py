"""What the experiments' cells have in common: data, an encoder's codes, a clustering of them.

A cell is a flat dict; those with the same ``stage`` share the codes of one encoder,
whichever experiment asks for them.
"""

from __future__ import annotations

import time
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ae_cluster.clustering.codes import Clustering, cluster_codes
from ae_cluster.clustering.estimators import sorting_epochs
from ae_cluster.common.memory import peak_mb
from ae_cluster.common.scaling import fit_scaling
from ae_cluster.common.table_options import AUTO
from ae_cluster.datasets import Dataset, load_dataset
from ae_cluster.methods import SORTERS, row_facts
from ae_cluster.records.config import preset_epochs
from ae_cluster.records.rows import COLUMNS
from ae_cluster.runs.encoders import Codes, pca_codes, pixel_codes
from ae_cluster.runs.faithful import FaithfulTo
from ae_cluster.runs.plan import required_n_clusters
from ae_cluster.runs.scoring import clustering_rows
from experiments.support.store import Cell, Row, Store, cell_key

if TYPE_CHECKING:
    from ae_cluster.autoencoder.estimator import AutoEncoder

VERSION = 2  # raise it when the same configuration would give other numbers
ENCODER = ("dataset", "features", "seed", "n_components", "n_train", "epochs")


@lru_cache(maxsize=1)
def data_of(dataset: str) -> Dataset:
    """Return a data set, read once per process."""
    return load_dataset(dataset)


@lru_cache(maxsize=8)
def fingerprint_of(dataset: str) -> str:
    """Return the fingerprint of a data set as this machine has it; nothing is downloaded."""
    return load_dataset(dataset, download=False).fingerprint


@lru_cache(maxsize=1)
def faithful_to(dataset: str) -> FaithfulTo:
    """Return what scores codes of a data set, which looks for its neighbours once per process."""
    data = data_of(dataset)
    return FaithfulTo(data, fit_scaling(data.raw_train, AUTO) if data.is_table else None)


def encoder_cell(
    dataset: str,
    features: str,
    seed: int,
    *,
    n_components: int = 3,
    n_train: int | None = None,
    epochs: int | None = None,
) -> Cell:
    """Return what one encoder is, its presets spelled out: all train images, preset epochs."""
    data = data_of(dataset)
    n_train = n_train or len(data.raw_train)
    if features == "pixels":
        n_components = data.raw_train.shape[1]
    if features in SORTERS:
        epochs = sorting_epochs(features) if epochs is None else epochs
    elif features != "autoencoder":
        epochs = 0
    elif epochs is None:
        epochs = preset_epochs(n_train, 64)
    values = dataset, features, seed, n_components, n_train, epochs
    stage = "-".join(map(str, values))
    return dict(zip(ENCODER, values, strict=True)) | {"stage": stage}


def make_cell(
    dataset: str,
    features: str,
    method: str,
    seed: int,
    *,
    n_clusters: int | None = None,
    **encoder: Any,
) -> Cell:
    """Return the cell of one clustering of an encoder's codes; the rest as `encoder_cell`."""
    k = clusters_asked(dataset, n_clusters)
    cell = sorting_cell(encoder_cell(dataset, features, seed, **encoder), k)
    return cell | {"method": method, "n_clusters": k}


def clusters_asked(dataset: str, n_clusters: int | None) -> int:
    """Return the number of clusters that was said, or that is known of a named data set."""
    return required_n_clusters(n_clusters, data_of(dataset))


def sorting_cell(cell: Cell, n_clusters: int) -> Cell:
    """Return an encoder's cell with the number of clusters where its codes are made for one."""
    if cell["features"] not in SORTERS:
        return cell
    return cell | {"n_clusters": n_clusters, "stage": f"{cell['stage']}-{n_clusters}"}


def cell_of_row(row: Any) -> Cell:
    """Return the cell that gave a published row of a clustering."""
    return make_cell(
        row.dataset, row.features, row.method, int(row.seed), n_components=int(row.n_components),
        n_train=int(row.n_train), epochs=int(row.epochs), n_clusters=int(row.n_clusters),
    )  # fmt: skip


def codes_of(cell: Cell, store: Store) -> dict[str, NDArray[Any]]:
    """Return an encoder's codes (train, test), its seconds, memory and errors (train, test)."""
    data = data_of(cell["dataset"])
    if cell["features"] == "pixels":  # large, and there already
        return _codes(*pixel_codes(data)[1:3], 0.0)
    encoder, key = _encoder_and_key(cell, data)
    return store.arrays(key, lambda: _encode(encoder, data, store.model_folder(key)))


def model_of(cell: Cell, store: Store) -> AutoEncoder:
    """Return an encoder, fitted: as the store keeps it, or trained and kept."""
    from ae_cluster.autoencoder.estimator import AutoEncoder
    from ae_cluster.clustering.sorting import SortingAutoEncoder

    data = data_of(cell["dataset"])
    encoder, key = _encoder_and_key(cell, data)
    folder = store.model_folder(key)
    codes_of(cell, store)
    if not folder.exists():  # its codes were made before models were kept
        _trained(encoder, data, folder)
    return (SortingAutoEncoder if cell["features"] in SORTERS else AutoEncoder).load(folder)


def _encoder_and_key(cell: Cell, data: Dataset) -> tuple[Cell, str]:
    encoder = {name: cell[name] for name in ENCODER}
    if cell["features"] in SORTERS:
        encoder["n_clusters"] = cell["n_clusters"]
    return encoder, cell_key(encoder, data.fingerprint, VERSION)


def _encode(encoder: Cell, data: Dataset, folder: Path) -> dict[str, NDArray[Any]]:
    start = time.perf_counter()
    if encoder["features"] == "pca":
        codes = pca_codes(data, encoder["n_components"], encoder["seed"])
        return _codes(codes.train, codes.test, time.perf_counter() - start)
    model = _trained(encoder, data, folder)
    seconds = time.perf_counter() - start
    errors = -model.score(data.raw_train), -model.score(data.raw_test)
    train, test = model.transform(data.raw_train), model.transform(data.raw_test)
    return _codes(train, test, seconds, errors)


def _trained(encoder: Cell, data: Dataset, folder: Path) -> AutoEncoder:
    """Return the fitted model of an encoder's cell, and keep it in ``folder``."""
    from ae_cluster.autoencoder.estimator import AutoEncoder
    from ae_cluster.clustering.estimators import make_sorting

    n_components = encoder["n_components"]
    kind = "table" if data.is_table else "images"
    if encoder["features"] in SORTERS:
        model: AutoEncoder = make_sorting(
            encoder["features"], encoder["n_clusters"], n_components, data, encoder["seed"],
            max_iter=encoder["epochs"],
        )  # fmt: skip
    else:
        model = AutoEncoder(
            n_components,
            # A layer must not be narrower than the code behind it.
            hidden_layer_sizes=(128, 64, max(12, n_components)),
            max_iter=encoder["epochs"],
            input_kind=kind,
            random_state=encoder["seed"],
        )
    model.fit(_train_images(data, encoder["n_train"], encoder["seed"]))
    if encoder["epochs"]:
        model.save(folder, force=True)
    return model


def _train_images(data: Dataset, n: int, seed: int) -> NDArray[Any]:
    """Return all train images, or ``n`` by chance: of one seed, fewer are some of the more."""
    if n == len(data.raw_train):
        return data.raw_train
    chosen = np.random.default_rng(seed).permutation(len(data.raw_train))[:n]
    return data.raw_train[np.sort(chosen)]


def _codes(
    train: NDArray[Any],
    test: NDArray[Any],
    seconds: float,
    errors: tuple[float, float] = (np.nan, np.nan),
) -> dict[str, NDArray[Any]]:
    return {
        "train": train,
        "test": test,
        "seconds": np.array(seconds),
        "peak_mb": np.array(peak_mb()),
        "mse": np.array(errors),
    }


def peak_mb_with(codes: dict[str, NDArray[Any]]) -> float:
    """Return the most memory that these codes and this process took; NaN if that is not known."""
    return round(float(np.maximum(peak_mb(), codes.get("peak_mb", np.nan))), 1)


def clusters_of(cell: Cell, store: Store) -> Clustering:
    """Return the clustering of an encoder's codes, soft memberships of the test samples only."""
    fingerprint = data_of(cell["dataset"]).fingerprint
    key = cell_key(cell | {"arrays": "clusters"}, fingerprint, VERSION)
    found = store.arrays(key, lambda: _cluster(cell, codes_of(cell, store)))
    return Clustering(
        train=found["train"].astype(np.int64),
        test=found["test"].astype(np.int64),
        soft_train=None,
        soft_test=found.get("soft_test"),
        centers=found["centers"],
        seconds=float(found["seconds"]),
    )


def _cluster(cell: Cell, codes: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    k = cell["n_clusters"]
    result = cluster_codes(cell["method"], codes["train"], codes["test"], k, cell["seed"])
    soft = {} if result.soft_test is None else {"soft_test": result.soft_test}
    small = np.min_scalar_type(k)
    return soft | {
        "train": result.train.astype(small),
        "test": result.test.astype(small),
        "centers": result.centers,
        "seconds": np.array(result.seconds),
    }


def cluster_cell(cell: Cell, store: Store) -> list[Row]:
    """Cluster an encoder's codes and return a train and a test row."""
    codes, result = codes_of(cell, store), clusters_of(cell, store)
    return cell_rows(cell, codes_in_rows(cell, codes), result, peak_mb=peak_mb_with(codes))


def cell_rows(cell: Cell, codes: Codes, result: Clustering, **more: Any) -> list[Row]:
    """Return a train and a test row of a cell's clustering, with ``more`` of their columns."""
    place = {name: value for name, value in cell.items() if name in COLUMNS}
    place |= row_facts(cell["features"], cell["method"]) | more
    if cell["features"] != "pixels":
        scores = faithful_to(cell["dataset"]).scores(codes.train, codes.test)
        codes = codes._replace(faithful=scores)
    return clustering_rows(place, data_of(cell["dataset"]), codes, result)


def codes_in_rows(cell: Cell, codes: dict[str, NDArray[Any]]) -> Codes:
    """Return an encoder's codes as their rows describe them."""
    seconds, (train, test) = float(codes["seconds"]), codes["mse"].tolist()
    place = cell["features"], codes["train"], codes["test"], cell["epochs"]
    return Codes(*place, seconds=seconds, mse=(train, test))
