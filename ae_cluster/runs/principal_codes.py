"""Principal components of samples that do not fit into memory, a part at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ae_cluster.common.chunks import CHUNK_ROWS, slices
from ae_cluster.datasets.dataset import as_float

WIDE = 1000  # columns: the components of wider samples are of some of them, not of all
_VALUES = 2**26  # of these at most
_AT_ONCE = 2**22  # values of a part

Array = NDArray[Any]
Scaled = Callable[[NDArray[np.float32]], NDArray[np.float32]]


def principal_codes(
    train: Array,
    test: Array,
    n_components: int,
    scaled: Scaled = np.asarray,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the codes (n, n_components) of train and test, by components of train.

    Those are of all training samples (n, n_features) where they have up to `WIDE` features, else of
    as many as make 67 million numbers, evenly spread. Signs are such that the largest weight of
    each component is positive. ``scaled`` is what becomes of the rows of a table before.
    """
    n, width = train.shape
    of = train
    if width > WIDE:
        of = train[:: max(1, -(-n * width // _VALUES))]
    mean = sum(x.sum(axis=0, dtype=np.float64) for x in _parts(of, scaled)) / len(of)
    center = mean.astype(np.float32)
    directions = _directions(of, center, n_components, scaled)
    largest = np.take_along_axis(directions, np.abs(directions).argmax(axis=0)[None], axis=0)
    directions = (directions * np.sign(largest)).astype(np.float32)
    of_train, of_test = (
        np.concatenate([(x - center) @ directions for x in _parts(rows, scaled)])
        for rows in (train, test)
    )
    return of_train, of_test


def _directions(rows: Array, center: Array, n_components: int, scaled: Scaled) -> Array:
    """Return the first principal components as columns (n_features, n_components)."""
    if rows.shape[1] > WIDE:
        from sklearn.utils.extmath import randomized_svd

        x = scaled(as_float(rows)) - center
        return np.asarray(randomized_svd(x, n_components, random_state=0)[2].T)
    products = np.zeros((rows.shape[1], rows.shape[1]))
    for part in _parts(rows, scaled):
        x = part - center
        products += x.T @ x
    return np.asarray(np.linalg.eigh(products)[1][:, ::-1][:, :n_components])


def _parts(rows: Array, scaled: Scaled) -> Iterator[NDArray[np.float32]]:
    size = min(CHUNK_ROWS, max(1, _AT_ONCE // rows.shape[1]))
    for part in slices(len(rows), size):
        yield scaled(as_float(rows[part]))
