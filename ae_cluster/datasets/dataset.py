"""What every reader gives: arrays, their names and a fingerprint."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ae_cluster.datasets.preparation import Preparation

Array = npt.NDArray[Any]
IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Train and test samples with whatever is known about them.

    Attributes
    ----------
    name : str
        A known name, or the file's name with its suffix: a user's ``mnist.npz`` is not ``mnist``.
    raw_train, raw_test : ndarray of shape (n, n_features)
        C-contiguous. Images: uint8 bytes, or float32 in [0, 1]. A table: float32 as given.
    y_train, y_test : ndarray of int64 of shape (n,), or None
        Class of each sample, -1 where unknown; None where no sample of the split has one.
    ids_train, ids_test : ndarray of str of shape (n,)
        No id occurs twice, within a split or across the two.
    image_shape : (h, w) or (h, w, channels), or None
        None: the samples are rows of a table. A single channel is dropped.
    class_names : tuple of str
        Name of class 0, 1, …; empty without labels.
    n_clusters : int or None
        Known for named sets; None for a user's file, whatever its labels.
    fingerprint : str
        SHA-256, see `fingerprint`.
    column_names : tuple of str
        Name of each column of a table; empty where they have none.
    preparation : Preparation or None
        How the columns of a table became these numbers; None for other files.
    places : (ndarray, ndarray), or None
        Which rows of their file, or pictures of their folder, the train and test samples are;
        None: train samples come first.
    original : Dataset or None
        The samples of which x are features that somebody made.
    """

    name: str
    raw_train: Array
    raw_test: Array
    y_train: IntArray | None
    y_test: IntArray | None
    ids_train: npt.NDArray[np.str_]
    ids_test: npt.NDArray[np.str_]
    image_shape: tuple[int, ...] | None
    class_names: tuple[str, ...]
    n_clusters: int | None
    fingerprint: str
    column_names: tuple[str, ...] = ()
    preparation: Preparation | None = None
    places: tuple[IntArray, IntArray] | None = None
    original: Dataset | None = None

    @property
    def shown(self) -> Dataset:
        """What figures and pages show of each sample: itself, or what x are features of."""
        return self if self.original is None else self.original

    @property
    def x_train(self) -> FloatArray:
        """Training samples as fresh float32 (n, n_features); images in [0, 1]."""
        return as_float(self.raw_train)

    @property
    def x_test(self) -> FloatArray:
        """Test samples as fresh float32 (n, n_features); images in [0, 1]."""
        return as_float(self.raw_test)

    @property
    def is_table(self) -> bool:
        """Whether the samples are rows of a table of numbers, not images."""
        return self.image_shape is None

    def __repr__(self) -> str:
        shape = self.image_shape or self.raw_train.shape[1:]
        kind = "columns" if self.is_table else "images"
        return (
            f"<Dataset {self.name}: {len(self.raw_train)} train, {len(self.raw_test)} test, "
            f"{' × '.join(map(str, shape))} {kind}, {len(self.class_names)} classes>"
        )


def assemble(
    name: str,
    samples: tuple[Array, Array],
    labels: tuple[IntArray | None, IntArray | None],
    ids: tuple[Array, Array],
    *,
    image_shape: tuple[int, ...] | None,
    class_names: tuple[str, ...],
    n_clusters: int | None,
    column_names: tuple[str, ...] = (),
    preparation: Preparation | None = None,
    places: tuple[IntArray, IntArray] | None = None,
) -> Dataset:
    """Put (train, test) pairs of checked arrays together and take their fingerprint."""
    y_train, y_test = (None if y is None or np.all(y == -1) else y for y in labels)
    return Dataset(
        name=name,
        raw_train=np.ascontiguousarray(samples[0]),
        raw_test=np.ascontiguousarray(samples[1]),
        y_train=y_train,
        y_test=y_test,
        ids_train=ids[0],
        ids_test=ids[1],
        image_shape=image_shape,
        class_names=class_names,
        n_clusters=n_clusters,
        fingerprint=fingerprint(
            {"raw_train": samples[0], "raw_test": samples[1], "y_train": y_train, "y_test": y_test},
            image_shape,
            class_names,
        ),
        column_names=column_names,
        preparation=preparation,
        places=places,
    )


def fingerprint(
    arrays: dict[str, Array | None],
    image_shape: tuple[int, ...] | None,
    class_names: tuple[str, ...],
) -> str:
    """Return a SHA-256 over what can change a result.

    These are the arrays' names, types, shapes and bytes, the shape of an image and the class
    names. The data set's own name and the sample ids are left out: a file renamed, or samples
    renamed, give the same scores.
    """
    digest = hashlib.sha256(repr((image_shape, class_names)).encode())
    for key, array in arrays.items():
        if array is not None:
            digest.update(f"\n{key} {array.dtype.str} {array.shape}\n".encode())
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def numbered_ids(n: int, prefix: str = "", start: int = 0) -> npt.NDArray[np.str_]:
    """Return ``prefix0`` … ``prefix(n-1)``, or as many from another start."""
    numbers = np.arange(start, start + n)
    width = len(str(max(0, start + n - 1)))
    letters = np.zeros((n, width), dtype=np.uint32)  # ten times as quick as a text at a time
    for digits in range(1, width + 1):
        first = 10 ** (digits - 1) if digits > 1 else 0
        some = slice(*(min(n, max(0, number - start)) for number in (first, 10**digits)))
        for place in range(digits):
            letters[some, digits - 1 - place] = numbers[some] // 10**place % 10 + ord("0")
    ids = letters.view(f"U{width}").reshape(n)
    return np.char.add(prefix, ids) if prefix else ids


def as_float(raw: Array) -> FloatArray:
    """Return samples as fresh float32; bytes in [0, 1]."""
    if raw.dtype == np.uint8:
        return np.divide(raw, np.float32(255), dtype=np.float32)
    return raw.astype(np.float32)


def file_order(ids: NDArray[np.str_]) -> IntArray:
    """Return the order in which samples stood in their file, as far as numbered ids tell."""
    halves = np.char.partition(ids, "-")
    is_half = np.isin(halves[:, 0], ["train", "test"])
    numbers = np.where(is_half, halves[:, 2], ids)
    if not np.char.isdecimal(numbers).all():
        return np.arange(len(ids))
    digits = np.char.lstrip(numbers, "0")  # their order is the numbers', of however many digits
    return np.lexsort((digits, np.char.str_len(digits), halves[:, 0] == "test"))
