"""Claim: sorting codes bear a wrong k, shuffled pixels and tables; uneven classes, not wholly.

MNIST told to be 8, 12 or 15 clusters, with class sizes falling geometrically from
10 to 1, and with its pixels in another order, three seeds each; crowds in 20
dimensions, of one size and of sizes from 10 to 1, wine and breast cancer, ten seeds
each, beside KMeans of the columns, scaled alike (``pixels``). Rows go to
``results/robustness-NAME.csv``; `experiments.tables` writes their medians. An hour and a
half on one core, most of it MNIST's.

    python -m experiments.robustness --jobs 2
    python -m experiments.robustness --setting wine --setting blobs-200
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_wine, make_blobs

from ae_cluster.common.files import make_folder
from ae_cluster.common.terminal import exit_code
from ae_cluster.datasets import Dataset
from experiments.support.arguments import carry_out, grid_parser, prepare, seeds_and_epochs
from experiments.support.cells import cluster_cell, data_of, make_cell
from experiments.support.store import Cell, Row, Store

WRONG_K = (8, 12, 15)
STEEPNESS = 10  # of the largest class to the smallest
FEW_SEEDS = 3
Arrays = dict[str, NDArray[Any]]


def uneven(dataset: str) -> Arrays:
    """Return a data set whose classes fall geometrically in size, the first samples of each."""
    data = data_of(dataset)
    arrays: Arrays = {}
    for split in ("train", "test"):
        labels = getattr(data, f"y_{split}")
        classes, sizes = np.unique(labels, return_counts=True)
        wanted = sizes.min() * STEEPNESS ** -np.linspace(0, 1, len(classes))
        of_class = zip(classes, wanted.round().astype(int), strict=True)
        kept = np.sort(np.concatenate([np.flatnonzero(labels == c)[:n] for c, n in of_class]))
        arrays |= part_of(data, split, kept, slice(None))
    return arrays


def shuffled(dataset: str) -> Arrays:
    """Return a data set of images whose pixels are all in another order, the same for each."""
    data = data_of(dataset)
    order = np.random.default_rng(0).permutation(data.raw_train.shape[1])
    return part_of(data, "train", slice(None), order) | part_of(data, "test", slice(None), order)


def part_of(data: Dataset, split: str, samples: Any, pixels: Any) -> Arrays:
    """Return some samples of a split, and their labels, with pixels as chosen."""
    images = getattr(data, f"raw_{split}")[samples][:, pixels]
    return {
        f"x_{split}": images.reshape(len(images), *data.image_shape or (-1,)),
        f"y_{split}": getattr(data, f"y_{split}")[samples],
    }


def crowds(n: int | Sequence[int]) -> Arrays:
    """Return n samples of five Gaussian crowds in 20 dimensions, or as many of each as said."""
    centers = 5 if isinstance(n, int) else None
    x, y = make_blobs(n, 20, centers=centers, cluster_std=4.0, random_state=0)
    return {"x": x, "y": y}


def table(load: Callable[..., tuple[Any, Any]]) -> Arrays:
    """Return one of scikit-learn's bundled tables."""
    x, y = load(return_X_y=True)
    return {"x": x, "y": y}


# Name → what makes the file; named data sets need none.
FILES: dict[str, Callable[[], Arrays]] = {
    "mnist-uneven": lambda: uneven("mnist"),
    "mnist-shuffled": lambda: shuffled("mnist"),
    **{f"blobs-{n}": lambda n=n: crowds(n) for n in (200, 2_000, 20_000)},
    "blobs-uneven": lambda: crowds([1000, 562, 316, 178, 100]),
    "wine": lambda: table(load_wine),
    "breast-cancer": lambda: table(load_breast_cancer),
}
SETTINGS = ("mnist", *FILES)


def file_of(setting: str, folder: Path) -> str:
    """Return the name or file that `load_dataset` takes, the file made if it is not there."""
    if setting not in FILES:
        return setting
    path = folder / f"{setting}.npz"
    if not path.exists():
        make_folder(folder)
        np.savez(path, **FILES[setting]())  # type: ignore[arg-type]
    return str(path)


def cells_of(setting: str, dataset: str, seeds: range, epochs: int | None) -> list[Cell]:
    """Return the cells of one setting."""
    is_mnist = setting.startswith("mnist")
    k = len(np.unique(data_of(dataset).y_train))
    pipelines = [("sorting", method) for method in ("kmeans", "gmm")]
    return [
        make_cell(dataset, features, method, seed, n_clusters=n, epochs=epochs)
        for n in (WRONG_K if setting == "mnist" else (k,))
        for seed in (seeds[:FEW_SEEDS] if is_mnist else seeds)
        for features, method in (pipelines if is_mnist else [*pipelines, ("pixels", "kmeans")])
    ]


def named_rows(cell: Cell, store: Store) -> list[Row]:
    """Return the rows of a cell under its setting's name, not its file's path."""
    return [row | {"dataset": Path(row["dataset"]).stem} for row in cluster_cell(cell, store)]


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out the grid and return the exit code."""
    parser = grid_parser(__doc__)
    parser.add_argument("--setting", action="append", choices=SETTINGS, help="default: all")
    arguments = parser.parse_args(argv)
    prepare(arguments)
    seeds, epochs = seeds_and_epochs(arguments)
    code = 0
    for setting in arguments.setting or SETTINGS:
        dataset = file_of(
            setting, arguments.store / "files"
        )  # made here, so published all the same
        cells = cells_of(setting, dataset, seeds, epochs)
        code |= carry_out(cells, arguments, "robustness", named_rows)
    return code


if __name__ == "__main__":
    sys.exit(exit_code(main))
