"""The data sets known by name."""

from __future__ import annotations

import os
import string
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ae_cluster.common.errors import InputError
from ae_cluster.datasets.dataset import Array, Dataset, IntArray, assemble, numbered_ids
from ae_cluster.datasets.fetching import Source, data_folder, fetch_missing, missing_files
from ae_cluster.datasets.idx import read_idx
from ae_cluster.datasets.usps import read_usps

Half = tuple[Array, IntArray]
"""Images (n, h, w) as bytes, and labels (n,)."""

DIGITS = tuple(string.digits)
FASHION = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)
KUZUSHIJI = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")
BOTH_CASES = (*string.digits, *string.ascii_uppercase, *string.ascii_lowercase)
# Fifteen letters look alike in both cases; "bymerge" and "balanced" keep their capitals only.
MERGED = (*string.digits, *string.ascii_uppercase, *"abdefghnqrt")
EMNIST_CLASSES = {
    "byclass": BOTH_CASES,
    "bymerge": MERGED,
    "balanced": MERGED,
    "letters": tuple(string.ascii_lowercase),
    "digits": DIGITS,
    "mnist": DIGITS,
}

# Of the unpacked files; torchvision's checksums are those of the archives.
SHA256 = {
    "MNIST/raw/train-images-idx3-ubyte": (
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"
    ),
    "MNIST/raw/train-labels-idx1-ubyte": (
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"
    ),
    "MNIST/raw/t10k-images-idx3-ubyte": (
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"
    ),
    "MNIST/raw/t10k-labels-idx1-ubyte": (
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"
    ),
    "FashionMNIST/raw/train-images-idx3-ubyte": (
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"
    ),
    "FashionMNIST/raw/train-labels-idx1-ubyte": (
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"
    ),
    "FashionMNIST/raw/t10k-images-idx3-ubyte": (
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"
    ),
    "FashionMNIST/raw/t10k-labels-idx1-ubyte": (
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"
    ),
}


def read_mnist_like(root: Path, images_file: str, labels_file: str) -> Half:
    """Read a pair of IDX files, against their published sums where we have them."""
    images = read_idx(root / images_file, SHA256.get(images_file))
    labels = read_idx(root / labels_file, SHA256.get(labels_file))
    return images, labels.astype(np.int64)


def read_qmnist(root: Path, images_file: str, labels_file: str) -> Half:
    """Read QMNIST, whose labels are rows of (class, writer, …)."""
    images, labels = read_mnist_like(root, images_file, labels_file)
    return images, labels[:, 0]


def read_emnist(root: Path, images_file: str, labels_file: str) -> Half:
    """Read EMNIST, which stores its images transposed."""
    images, labels = read_mnist_like(root, images_file, labels_file)
    return images.transpose(0, 2, 1), labels


def read_emnist_letters(root: Path, images_file: str, labels_file: str) -> Half:
    """Read EMNIST's letters, whose labels start at 1."""
    images, labels = read_emnist(root, images_file, labels_file)
    return images, labels - 1


@dataclass(frozen=True)
class NamedSet:
    """Where a named set comes from and how one of its halves is read."""

    source: Source
    class_names: tuple[str, ...]
    read: Callable[..., Half] = read_mnist_like


def _mnist_like(torchvision_class: str, class_names: tuple[str, ...]) -> NamedSet:
    files = tuple(
        f"{torchvision_class}/raw/{half}-{kind}-ubyte"
        for half in ("train", "t10k")
        for kind in ("images-idx3", "labels-idx1")
    )
    return NamedSet(Source(torchvision_class, files), class_names)


def _emnist(split: str) -> NamedSet:
    files = tuple(
        f"EMNIST/raw/emnist-{split}-{half}-{kind}-ubyte"
        for half in ("train", "test")
        for kind in ("images-idx3", "labels-idx1")
    )
    read = read_emnist_letters if split == "letters" else read_emnist
    return NamedSet(Source("EMNIST", files, {"split": split}), EMNIST_CLASSES[split], read)


def _qmnist() -> NamedSet:
    files = tuple(
        f"QMNIST/raw/qmnist-{half}-{kind}"
        for half in ("train", "test")
        for kind in ("images-idx3-ubyte", "labels-idx2-int")
    )
    return NamedSet(Source("QMNIST", files), DIGITS, read_qmnist)


FROM_TORCHVISION = {
    "mnist": _mnist_like("MNIST", DIGITS),
    "fashion-mnist": _mnist_like("FashionMNIST", FASHION),
    "kmnist": _mnist_like("KMNIST", KUZUSHIJI),
    "qmnist": _qmnist(),
    "usps": NamedSet(Source("USPS", ("usps.bz2", "usps.t.bz2")), DIGITS, read_usps),
    **{f"emnist-{split}": _emnist(split) for split in EMNIST_CLASSES},
}
NAMES = ("digits", *FROM_TORCHVISION)


def load_named(name: str, *, data_home: str | os.PathLike[str] | None, download: bool) -> Dataset:
    """Load one of ``NAMES``, downloading it first where it is absent and that is allowed."""
    if name == "digits":
        return _load_digits()
    named = FROM_TORCHVISION[name]
    root = data_folder(data_home)
    fetch_missing(name, named.source, root, download=download)
    files = named.source.files
    middle = len(files) // 2
    train, test = named.read(root, *files[:middle]), named.read(root, *files[middle:])
    for half, half_files in ((train, files[:middle]), (test, files[middle:])):
        _check_half(half, root / half_files[-1], len(named.class_names), train[0].shape[1:])
    return assemble(
        name,
        (_flat(train[0]), _flat(test[0])),
        (train[1], test[1]),
        (numbered_ids(len(train[0]), "train-"), numbered_ids(len(test[0]), "test-")),
        image_shape=train[0].shape[1:],
        class_names=named.class_names,
        n_clusters=len(named.class_names),
    )


def is_here(name: str, data_home: str | os.PathLike[str] | None = None) -> bool:
    """Return whether one of ``NAMES`` can be loaded without a download."""
    return name == "digits" or not missing_files(
        FROM_TORCHVISION[name].source, data_folder(data_home)
    )


def _load_digits() -> Dataset:
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    pixels = (digits.data / 16).astype(np.float32)
    labels = digits.target.astype(np.int64)
    ids = numbered_ids(len(labels))
    # One split for everybody: scores on digits compare whatever the seed of a run.
    rows = np.arange(len(labels))
    halves = train_test_split(rows, test_size=0.25, stratify=labels, random_state=0)
    train, test = (np.sort(half) for half in halves)
    return assemble(
        "digits",
        (pixels[train], pixels[test]),
        (labels[train], labels[test]),
        (ids[train], ids[test]),
        image_shape=(8, 8),
        class_names=DIGITS,
        n_clusters=10,
    )


def _flat(images: Array) -> Array:
    return images.reshape(len(images), -1)


def _check_half(half: Half, path: Path, n_classes: int, image_shape: tuple[int, ...]) -> None:
    """Hold whole files against each other; each is sound on its own."""
    images, labels = half
    if len(images) != len(labels):
        wrong = f"{len(labels):,} labels for {len(images):,} images"
    elif len(images) == 0 or images.shape[1:] != image_shape:
        wrong = f"images {images.shape} where (n, {image_shape[0]}, {image_shape[1]}) is expected"
    elif labels.min() < 0 or labels.max() >= n_classes:
        wrong = f"labels from {labels.min()} to {labels.max()} for {n_classes} classes"
    else:
        return
    raise InputError(
        f"{path} and its neighbours in {path.parent} are not the published files ({wrong}): "
        "delete them, and they are downloaded again on the next use."
    )
