"""The IDX format of the MNIST family, read with numpy.

torchvision reads these files too, but takes a second to import, does not look at
their content, and prefers an old ``processed/*.pt`` where one lies beside them.
"""

from __future__ import annotations

import hashlib
import math
from pathlib import Path

import numpy as np

from ae_cluster.datasets.dataset import Array
from ae_cluster.errors import InputError

# The end of a file's name says what its header must: type and number of dimensions.
LAYOUTS: dict[str, tuple[int, str, int]] = {
    "idx3-ubyte": (8, "u1", 3),
    "idx1-ubyte": (8, "u1", 1),
    "idx2-int": (12, ">i4", 2),
}


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
        content = np.fromfile(path, dtype=np.uint8)
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}): check its permissions."
        ) from error
    if sha256 is not None and hashlib.sha256(content.data).hexdigest() != sha256:
        raise _corrupt(path, f"its {content.size:,} bytes do not have the published SHA-256")
    return _parse(path, content)


def _parse(path: Path, content: Array) -> Array:
    type_code, dtype, n_dims = LAYOUTS["-".join(path.name.split("-")[-2:])]
    start = 4 + 4 * n_dims
    if content.size < start or content[:4].tolist() != [0, 0, type_code, n_dims]:
        raise _corrupt(path, f"it does not start with the IDX header of a {n_dims}-D array")
    shape = [int(size) for size in content[4:start].view(">u4")]
    expected = start + math.prod(shape) * np.dtype(dtype).itemsize
    if content.size != expected:
        raise _corrupt(path, f"it has {content.size:,} bytes where its header says {expected:,}")
    array: Array = content[start:].view(dtype)
    return array.reshape(shape)


def _corrupt(path: Path, why: str) -> InputError:
    return InputError(
        f"{path} is corrupt or truncated ({why}): delete it, and it is downloaded again "
        "on the next use."
    )
