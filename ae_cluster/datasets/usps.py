"""USPS, the one named set that is no IDX file: lines of text, packed by bzip2.

torchvision reads it too, but unpacks whatever there is into the memory.
"""

from __future__ import annotations

import bz2
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ae_cluster.common.bounded_files import file_size, reason
from ae_cluster.common.errors import InputError
from ae_cluster.datasets.dataset import Array, IntArray

SIDE = 16
_MOST_LINES, _LONGEST_LINE = 20_000, 2**14  # 7,291 and some 4,000 in the published files


def read_usps(root: Path, file: str) -> tuple[Array, IntArray]:
    """Return images (n, 16, 16) as bytes, scaled as torchvision scales them, and labels (n,).

    A line is ``LABEL 1:VALUE … 256:VALUE``, labels from 1 and values in [−1, 1].

    Raises
    ------
    InputError
    """
    path = root / file
    try:
        file_size(path)
        lines = [_parsed(line) for line in _lines(path)]
    except (OSError, EOFError, ValueError, OverflowError) as error:
        raise InputError(
            f"{path} is corrupt or truncated ({reason(error)}): delete it, and it is downloaded "
            "again on the next use."
        ) from error
    images = ((np.stack([image for _, image in lines]) + 1) / 2 * 255).astype(np.uint8)
    return images, np.array([label for label, _ in lines], dtype=np.int64)


def _lines(path: Path) -> Iterator[bytes]:
    n = 0
    with bz2.open(path) as file:
        while line := file.readline(_LONGEST_LINE):
            n += 1
            if n > _MOST_LINES or not (line.endswith(b"\n") or len(line) < _LONGEST_LINE):
                raise ValueError(f"line {n} is one too many, or too long")
            yield line
    if n == 0:
        raise ValueError("it is empty")


def _parsed(line: bytes) -> tuple[int, Array]:
    label, *values = line.decode("ascii").split()
    image = np.array([float(value.partition(":")[2]) for value in values])
    if image.size != SIDE * SIDE or not (np.abs(image) <= 1).all():
        raise ValueError(f"an image is not {SIDE * SIDE} values from -1 to 1")
    number = int(label)
    if not 1 <= number <= 10:
        raise ValueError(f"the label {number} is not from 1 to 10")
    return number - 1, image.astype(np.float32).reshape(SIDE, SIDE)
