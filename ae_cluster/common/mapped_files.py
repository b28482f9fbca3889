"""Arrays that lie in a file of this process without a name, for other processes to map as well."""

from __future__ import annotations

import hashlib
import os
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

NOT_SEEN = "the files of that process are not seen"
_ROWS_LOOKED_AT = 1000

_files: dict[int, int] = {}  # where an array begins in memory: the number of its open file


class Place(NamedTuple):
    """Where another process of this machine finds an array, and how it knows it again.

    Attributes
    ----------
    path : str
        A file without a name has one while its process holds it open.
    file : tuple
        What tells that file from all others, on other machines too.
    digest : str
        Of some rows; "" where it is still to be filled.
    """

    path: str
    file: tuple[str, int, int]
    digest: str = ""


def mapped(file: IO[bytes], dtype: Any, shape: tuple[int, ...]) -> NDArray[Any]:
    """Return a file as an array that may be written to; `is_mapped` knows it."""
    array = np.memmap(file, dtype, "r+", shape=shape)  # which keeps the file
    number, begin = os.dup(file.fileno()), array.ctypes.data
    _files[begin] = number
    weakref.finalize(array._mmap, _forget, begin)  # type: ignore[attr-defined]  # of all views
    return array


def _forget(begin: int) -> None:
    os.close(_files.pop(begin))


def is_mapped(array: NDArray[Any]) -> bool:
    """Return whether an array in C order is all of a file that was `mapped` here."""
    number = _files.get(array.ctypes.data)
    return number is not None and os.fstat(number).st_size == array.nbytes


def place_of(array: NDArray[Any]) -> Place:
    """Return where an array lies that `is_mapped`."""
    return place_of_file(_files[array.ctypes.data])._replace(digest=_digest(array))


def place_of_file(number: int) -> Place:
    """Return where another process finds an open file."""
    return Place(f"/proc/{os.getpid()}/fd/{number}", _identity(number))


def array_at(place: Place, dtype: Any, shape: tuple[int, ...]) -> NDArray[Any] | None:
    """Return the array that another process has there, to be read; None where it is not seen."""
    try:
        with file_at(place) as file:
            array: NDArray[Any] = np.memmap(file, dtype, "r", shape=shape)
    except (OSError, ValueError):
        return None
    return array if is_at(place, array) else None


def is_at(place: Place, array: NDArray[Any]) -> bool:
    """Return whether some rows of an array are those that lie in a place."""
    return _digest(array) == place.digest


@contextmanager
def file_at(place: Place) -> Iterator[IO[bytes]]:
    """Open the file that another process has there, to be read and written.

    Raises
    ------
    FileNotFoundError
        Where it is not seen.
    """
    try:
        number = os.open(place.path, os.O_RDWR)
    except OSError as error:
        raise _not_seen() from error
    with os.fdopen(number, "r+b") as file:
        if _identity(number) != place.file:  # on another machine such a path leads elsewhere
            raise _not_seen()
        yield file


def _not_seen() -> FileNotFoundError:
    return FileNotFoundError(NOT_SEEN)


def _identity(number: int) -> tuple[str, int, int]:
    said = os.fstat(number)
    try:
        machine = Path("/proc/sys/kernel/random/boot_id").read_text()
    except OSError:
        machine = ""
    return machine.strip(), said.st_dev, said.st_ino


def _digest(array: NDArray[Any]) -> str:
    some = array[:: max(1, len(array) // _ROWS_LOOKED_AT)]
    return hashlib.sha256(np.ascontiguousarray(some).data).hexdigest()
