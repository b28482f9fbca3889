"""The IDX format of the MNIST family, read with numpy.

torchvision reads these files too, but takes a second to import, does not look at
their content, and prefers an old ``processed/*.pt`` where one lies beside them.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ae_cluster.common import files
from ae_cluster.common.bounded_files import file_size, told_of
from ae_cluster.common.errors import InputError
from ae_cluster.datasets.dataset import Array

# The end of a file's name says what its header must: type and number of dimensions.
LAYOUTS: dict[str, tuple[int, str, int]] = {
    "idx3-ubyte": (8, "u1", 3),
    "idx1-ubyte": (8, "u1", 1),
    "idx2-int": (12, ">i4", 2),
}


_MOST_DIMS = max(n_dims for _, _, n_dims in LAYOUTS.values())


def read_idx(path: Path, sha256: str | None = None) -> Array:
    """Return the array in an unpacked IDX file.

    Parameters
    ----------
    path : Path
        Named as the family does, ``…-idx3-ubyte`` for bytes in three dimensions.
    sha256 : str, default=None
        What the bytes of the file must hash to, where it is known.

    Raises
    ------
    InputError
        If the file cannot be read, is not the published one, or is not whole.
    """
    try:
        with told_of(path, "check its permissions, or delete it, and it is downloaded again"):
            size = file_size(path)
        if sha256 is not None and files.sha256(path) != sha256:
            raise _corrupt(path, f"its {size:,} bytes do not have the published SHA-256")
        with path.open("rb") as file:
            layout = _layout(path, file.read(4 + 4 * _MOST_DIMS), size)
        content = np.fromfile(path, dtype=np.uint8)
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}): check its permissions."
        ) from error
    array: Array = content[layout.start :].view(layout.dtype)
    return array.reshape(layout.shape)


class _Layout(NamedTuple):
    start: int
    dtype: str
    shape: list[int]


def _layout(path: Path, head: bytes, size: int) -> _Layout:
    """Return what the header says, found to be true of a file of this size."""
    type_code, dtype, n_dims = LAYOUTS["-".join(path.name.split("-")[-2:])]
    start = 4 + 4 * n_dims
    if len(head) < start or [*head[:4]] != [0, 0, type_code, n_dims]:
        raise _corrupt(path, f"it does not start with the IDX header of a {n_dims}-D array")
    shape = np.frombuffer(head[4:start], dtype=">u4").tolist()
    expected = start + math.prod(shape) * np.dtype(dtype).itemsize
    if size != expected:
        raise _corrupt(path, f"it has {size:,} bytes where its header says {expected:,}")
    if 0 in shape:
        raise _corrupt(path, f"its header says {tuple(shape)}, which holds nothing")
    return _Layout(start, dtype, shape)


def _corrupt(path: Path, why: str) -> InputError:
    return InputError(
        f"{path} is corrupt or truncated ({why}): delete it, and it is downloaded again "
        "on the next use."
    )
