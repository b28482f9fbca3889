"""A folder of pictures → a data set, or a stream of its pictures."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from ae_cluster.common import pixels
from ae_cluster.common.chunks import slices
from ae_cluster.common.errors import InputError
from ae_cluster.common.image_options import ImageOptions
from ae_cluster.common.texts import encodable
from ae_cluster.datasets.arrays import (
    check_training_samples,
    check_unique,
    encode_labels,
    halved,
)
from ae_cluster.datasets.dataset import Array, Dataset, IntArray, assemble
from ae_cluster.datasets.image_listing import Listing, list_images
from ae_cluster.datasets.image_reading import (
    MANY_NUMBERS,
    Images,
    decoded,
    proposed,
    read_images,
    told_of_few_bits,
    told_unreadable,
)

Split = Callable[[int], dict[str, IntArray]]

_STREAMED_BYTES = 2**26  # of the pictures in a part
_SKIP = "repair or remove them, or leave them out with --skip-unreadable"


def load_folder(path: Path, split: Split, options: ImageOptions) -> Dataset:
    """Read a folder of pictures and make a data set of them.

    Parameters
    ----------
    path : Path
    split : callable
        Takes the number of pictures and returns which are "train" and which "test"; asked where
        no folders ``train/`` and ``test/`` say it.
    options : ImageOptions

    Raises
    ------
    InputError
        Naming the folder, the pictures and the way out.
    """
    try:
        return _loaded(path, split, options)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _loaded(path: Path, split: Split, options: ImageOptions) -> Dataset:
    listing = list_images(path)
    images = read_images(path, listing.names, options)
    left_out = _of_unreadable(images, len(listing.names), options)
    for note in [*listing.notes, *left_out, *told_of_few_bits(path, listing.names, images)]:
        warnings.warn(note, stacklevel=6)
    rows = images.pixels.reshape(len(images.pixels), -1)
    _say_if_many(images.pixels)
    halves = _halves(listing, images, split)
    ids = np.array([encodable(listing.names[place]) for place in images.places])
    check_unique(ids)
    given = {"x": pixels.as_images(rows, "the folder").rows, "ids": ids}
    labels = np.array([listing.classes[place] for place in images.places])
    given["y"], class_names = _labels(labels)
    clean = halved(given, halves)
    places = halves["train"], halves["test"]
    check_training_samples(clean["x_train"])
    return assemble(
        encodable(path.resolve().name) or "images",
        (clean["x_train"], clean["x_test"]),
        (clean["y_train"], clean["y_test"]),
        (clean["ids_train"], clean["ids_test"]),
        image_shape=images.pixels.shape[1:],
        class_names=class_names,
        n_clusters=None,
        places=None if listing.n_train is not None else places,
    )


def _of_unreadable(images: Images, n: int, options: ImageOptions) -> list[str]:
    """Return a sentence on pictures that are left out; refuse them where none may be."""
    if not images.unreadable:
        return []
    told = told_unreadable(images.unreadable, n)
    if not options.skip_unreadable:
        raise InputError(f"{told}: {_SKIP}.")
    return [f"{told}; they are left out."]


def _say_if_many(images: Array) -> None:
    n = int(np.prod(images.shape[1:]))
    if n > MANY_NUMBERS:
        height, width = images.shape[1:3]
        warnings.warn(
            f"Each picture is {n:,} numbers, which is slow to learn from: --image-size "
            f"{proposed([(height, width)])} makes them smaller.",
            stacklevel=7,
        )


def _halves(listing: Listing, images: Images, split: Split) -> dict[str, IntArray]:
    if listing.n_train is None:
        return split(len(images.places))
    in_train = np.array(images.places) < listing.n_train
    halves = {"train": np.flatnonzero(in_train), "test": np.flatnonzero(~in_train)}
    for half, places in halves.items():
        if not len(places):
            raise InputError(f"no picture in {half}/ can be read: {_SKIP}.")
    return halves


def _labels(labels: Array) -> tuple[IntArray, tuple[str, ...]]:
    found, class_names = encode_labels({"the names of folders": labels})
    (codes,) = found.values()
    return codes, class_names


# In parts


def stream_folder(
    path: Path, image_shape: tuple[int, ...] | None, chunk_rows: int, skip_unreadable: bool
) -> tuple[int, Callable[[], Iterator[tuple[Array, Array]]]]:
    """Return how many pictures a folder holds, and what reads their ids and rows part by part.

    Each is made into the shape of the images that a model was trained on.

    Parameters
    ----------
    path : Path
    image_shape : (h, w), (h, w, 3) or None
    chunk_rows : int
        Most pictures of a part.
    skip_unreadable : bool

    Raises
    ------
    InputError
        At once for the folder; for a picture when the iteration comes to it.
    """
    try:
        listing = list_images(path)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    if image_shape is None or image_shape[2:] not in ((), (3,)):
        kind = "images of four channels" if image_shape else "rows of numbers"
        raise InputError(f"{path}: the model was trained on {kind}, not on pictures: give such.")
    for note in listing.notes:
        warnings.warn(note, stacklevel=4)
    height, width = image_shape[:2]
    options = ImageOptions((height, width), len(image_shape) == 2, skip_unreadable)
    n = max(1, min(chunk_rows, _STREAMED_BYTES // int(np.prod(image_shape))))
    return len(listing.names), lambda: _parts(listing, image_shape, n, options)


def _parts(
    listing: Listing, shape: tuple[int, ...], n: int, options: ImageOptions
) -> Iterator[tuple[Array, Array]]:
    n_unreadable = 0
    for part in slices(len(listing.names), n):
        found = list(decoded(listing.root, listing.names[part], options))
        good = [(name, image) for name, image in found if isinstance(image, np.ndarray)]
        bad = [(name, error) for name, error in found if not isinstance(error, np.ndarray)]
        if bad and not options.skip_unreadable:
            raise InputError(
                f"{listing.root}: {told_unreadable(bad, len(listing.names))}: {_SKIP}."
            )
        n_unreadable += len(bad)
        if good:
            rows = np.empty((len(good), *shape), dtype=np.uint8)
            for row, (_, image) in zip(rows, good, strict=True):
                row[:] = image if image.ndim == row.ndim else image[..., None]
            yield np.array([encodable(name) for name, _ in good]), rows.reshape(len(good), -1)
    if n_unreadable:
        warnings.warn(
            f"{n_unreadable:,} of {len(listing.names):,} picture(s) cannot be read and are left "
            "out.",
            stacklevel=2,
        )
