"""Room for samples: in memory where they are few, else in files that are mapped into memory.

A table too large for memory is laid down there as it is read, see `table_on_disk`: what is mapped
is the same table, so nothing that looks at its columns needs to know.

Such files are in the folder for temporary ones (``TMPDIR`` says which), have no name, and are gone
with the process, however it ends.
"""

from __future__ import annotations

import errno
import math
import os
import tempfile
from collections.abc import Iterable, Iterator
from itertools import chain
from mmap import ACCESS_READ, mmap
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ae_cluster.common.chunks import slices
from ae_cluster.common.errors import InputError
from ae_cluster.common.mapped_files import mapped

if TYPE_CHECKING:
    import pyarrow as pa

MOST_IN_MEMORY = 2**27  # bytes of one array of samples
_AT_ONCE = 2**24  # bytes that are copied
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

Array = NDArray[Any]


def is_large(n_bytes: int) -> bool:
    """Return whether an array of so many bytes belongs on the disk."""
    return n_bytes > MOST_IN_MEMORY


def room_for(shape: tuple[int, ...], dtype: DTypeLike, *, on_disk: bool = False) -> Array:
    """Return an array to be filled, on the disk where it is large or that is said.

    Raises
    ------
    InputError
        When the disk has no room for it.
    """
    n_bytes = math.prod(shape) * np.dtype(dtype).itemsize
    if not n_bytes or not (on_disk or is_large(n_bytes)):
        return np.empty(shape, dtype)
    with new_file(n_bytes) as file:
        try:
            _reserve(file, n_bytes)
            return mapped(file, dtype, shape)
        except OSError as error:
            raise _said(error, n_bytes) from error


def table_on_disk(batches: Iterable[pa.RecordBatch]) -> pa.Table | None:
    """Return batches of rows, of one schema, as a table that lies on the disk; None where none are.

    Raises
    ------
    InputError
        When the disk has no room for it.
    """
    with new_file() as file:
        write_table(file, batches)
        return table_in(file)


def write_table(file: IO[bytes], batches: Iterable[pa.RecordBatch]) -> None:
    """Write batches of rows, of one schema, into a new file.

    Raises
    ------
    InputError
        When the disk has no room for it.
    """
    import pyarrow as pa

    parts = _put_together(batches)
    if (first := next(parts, None)) is None:
        return
    try:
        with pa.ipc.new_stream(file, first.schema) as writer:
            for batch in chain([first], parts):
                writer.write_batch(batch)
        file.flush()
    except OSError as error:
        raise _said(error, file.tell()) from error


def table_in(file: IO[bytes]) -> pa.Table | None:
    """Return the table that was written into a file; None where nothing was."""
    import pyarrow as pa

    if not os.fstat(file.fileno()).st_size:
        return None
    content = mmap(file.fileno(), 0, access=ACCESS_READ)
    return pa.ipc.open_stream(pa.py_buffer(content)).read_all()


def _put_together(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield batches of so many bytes that a table has few of them."""
    import pyarrow as pa

    waiting: list[pa.RecordBatch] = []
    for batch in chain(batches, [None]):
        if batch is not None:
            waiting.append(batch)
        if waiting and (batch is None or sum(part.nbytes for part in waiting) >= _AT_ONCE):
            yield from pa.Table.from_batches(waiting).combine_chunks().to_batches()
            waiting = []


def new_file(n_bytes: int = 0) -> IO[bytes]:
    """Return an open file without a name; should there be no room, that many bytes are told of."""
    try:
        return tempfile.TemporaryFile(prefix="ae-cluster-")
    except OSError as error:
        raise _said(error, n_bytes, (*_FULL, errno.ENOENT)) from error


def _said(error: OSError, n_bytes: int, codes: tuple[int, ...] = _FULL) -> Exception:
    """Return what to raise: the error, or that the disk is full in words."""
    if error.errno not in codes:
        return error
    return InputError(
        f"its samples take {n_bytes / 1e6:,.0f} MB more on the disk, and there is no room for "
        f"them in {_place()}: say another folder with TMPDIR."
    )


def _place() -> str:
    try:
        return tempfile.gettempdir()
    except OSError:  # not one of them takes a byte
        return "any folder for temporary files"


def _reserve(file: IO[bytes], n_bytes: int) -> None:
    """Take the room at once: a full disk would end the process where an array is written to."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), 0, n_bytes)
        return
    for part in slices(n_bytes, _AT_ONCE):
        file.write(bytes(part.stop - part.start))
    file.flush()


def lies_on_disk(array: Any) -> bool:
    """Return whether an array, or what it is a view of, is a file that lies in memory."""
    while isinstance(array, np.ndarray):
        if isinstance(array, np.memmap):
            return True
        array = array.base
    return False


def rows_of(array: Array, rows: NDArray[np.int64]) -> Array:
    """Return some rows of an array; those of one on the disk are copied there."""
    if not lies_on_disk(array):
        return array[rows]
    found = room_for((len(rows), *array.shape[1:]), array.dtype, on_disk=True)
    for part in slices(len(rows), max(1, _AT_ONCE // max(1, array[:1].nbytes))):
        found[part] = array[rows[part]]
    return found
