"""Codes by other means than training, which training must beat."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from ae_cluster.autoencoder import AutoEncoder
from ae_cluster.datasets import Dataset


class Codes(NamedTuple):
    """Codes (n, n_components) of both splits, by the name of what made them."""

    features: str
    train: NDArray[Any]
    test: NDArray[Any]
    epochs: int = 0
    seconds: float = 0.0


def pca_codes(data: Dataset, n_components: int, seed: int) -> Codes:
    """Return codes of the same size by principal components, a table standardised first."""
    train, test = _as_numbers(data)
    n_components = min(n_components, *train.shape)
    start = time.perf_counter()
    pca = PCA(n_components, random_state=seed).fit(train)
    seconds = time.perf_counter() - start
    return Codes("pca", pca.transform(train), pca.transform(test), seconds=seconds)


def pixel_codes(data: Dataset) -> Codes:
    """Return the samples themselves, a table standardised."""
    return Codes("pixels", *_as_numbers(data))


def _as_numbers(data: Dataset) -> tuple[NDArray[Any], NDArray[Any]]:
    train, test = data.x_train, data.x_test
    if data.is_table:
        scaler = StandardScaler().fit(train)
        train, test = scaler.transform(train), scaler.transform(test)
    return train, test


def untrained_codes(model: AutoEncoder, data: Dataset) -> Codes:
    """Return the codes of the network as it was before training."""
    parameters = model.get_params() | {
        "max_iter": 0,
        "callbacks": (),
        "checkpoint": None,
        "n_snapshots": 0,
        "verbose": False,
    }
    untrained = AutoEncoder(**parameters).fit(data.raw_train)
    train, test = untrained.transform(data.raw_train), untrained.transform(data.raw_test)
    return Codes("untrained", train, test)
