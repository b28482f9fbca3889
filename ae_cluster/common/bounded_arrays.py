"""numpy's files read within bounds: nothing is unpickled, and no header is believed.

An array is read only where its header, the archive's directory and the file's size agree on
how many bytes it has. An `UnreadableError` does not name the file.
"""

from __future__ import annotations

import math
import struct
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from ae_cluster.common.bounded_files import UnreadableError, file_size, reason
from ae_cluster.common.chunks import slices
from ae_cluster.common.texts import shortened

Arrays = dict[str, NDArray[Any]]

MOST_UNPACKED = 2**28  # bytes of compressed arrays together, unless
MOST_TIMES = 100  # they unpack to no more than so many times their file
LONGEST_TEXT = 1000  # characters: every text of an array takes the room of the longest
_AT_ONCE = 2**22  # bytes that are unpacked
MOST_ARRAYS = 10_000
_PACKED_BY = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # all that numpy ever wrote
_PACKERS = {zipfile.ZIP_BZIP2: "bzip2", zipfile.ZIP_LZMA: "LZMA"}
_IS_ENCRYPTED = 0x1
# What zipfile, zlib and numpy raise on files that are damaged or lie.
_DAMAGE = (
    *(ValueError, OSError, EOFError, RuntimeError, MemoryError, OverflowError, TypeError),
    *(SyntaxError, KeyError, IndexError, AttributeError, NotImplementedError, UnicodeError),
    *(AssertionError, struct.error, zlib.error, tokenize.TokenError),
    *(zipfile.BadZipFile, zipfile.LargeZipFile),
)
_HEADERS: dict[tuple[int, int], Callable[[IO[bytes]], tuple[Any, bool, Any]]] = {
    (1, 0): npy.read_array_header_1_0,
    (2, 0): npy.read_array_header_2_0,
}


class Header(NamedTuple):
    """What an array's header says of it, and where its numbers begin."""

    shape: tuple[int, ...]
    is_fortran: bool
    dtype: np.dtype[Any]
    start: int


def read_npy(path: Path) -> NDArray[Any]:
    """Return the array in a ``.npy`` file.

    Raises
    ------
    FileNotFoundError
    UnreadableError
    """
    size = file_size(path)
    with _damage_told("the array"), path.open("rb") as file:
        _check_header(_read_header(file), size)
        file.seek(0)
        return _checked(npy.read_array(file, allow_pickle=False))


def map_npy(path: Path) -> NDArray[Any]:
    """Return the array in a ``.npy`` file, of which only what is used will be read.

    Raises
    ------
    FileNotFoundError
    UnreadableError
    """
    size = file_size(path)
    with _damage_told("the array"):
        with path.open("rb") as file:
            _check_header(_read_header(file), size)
        array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
        return array


def read_npz(
    path: Path,
    choose: Callable[[list[str]], Sequence[str]] = list,
    room_for: Callable[[tuple[int, ...], np.dtype[Any]], NDArray[Any]] = np.empty,
) -> Arrays:
    """Return arrays of a ``.npz`` file by name.

    Parameters
    ----------
    path : Path
    choose : callable
        Takes the names of all arrays, and returns those to be read.
    room_for : callable
        Takes shape and type, and returns an array for numbers to be read into.

    Raises
    ------
    FileNotFoundError
    UnreadableError
        What ``choose`` raises passes.
    """
    size = file_size(path)
    with _opened(path) as archive:
        members = _members(archive)
        wanted = {name: members[name] for name in choose(list(members))}
        _check_unpacked(wanted, size)
        return {name: _read_member(archive, name, info, room_for) for name, info in wanted.items()}


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(path)
    except FileNotFoundError:
        raise
    except _DAMAGE as error:
        raise UnreadableError(
            f"it is no .npz archive, or a truncated one ({reason(error)})"
        ) from error
    with archive:
        yield archive


def _members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Return the archive's members by the names that numpy has for them."""
    infos = archive.infolist()
    if len(infos) > MOST_ARRAYS:
        raise UnreadableError(
            f"it holds {len(infos):,} arrays, and more than {MOST_ARRAYS:,} are odd"
        )
    found = {info.filename.removesuffix(".npy"): info for info in infos}
    if len(found) < len(infos):
        raise UnreadableError("it holds two arrays of one name")
    return found


def _check_unpacked(wanted: dict[str, zipfile.ZipInfo], size: int) -> None:
    """Refuse what is packed in a way that numpy does not, or unpacks to too much."""
    for name, info in wanted.items():
        if info.flag_bits & _IS_ENCRYPTED:
            raise UnreadableError(f"the array {shortened(name)} is encrypted")
        if info.compress_type not in _PACKED_BY:
            how = _PACKERS.get(info.compress_type, f"method {info.compress_type}")
            raise UnreadableError(
                f"the array {shortened(name)} is packed by {how}, which numpy does not write"
            )
        if info.compress_type == zipfile.ZIP_STORED and info.file_size > size:
            raise UnreadableError(f"the array {shortened(name)} is said to be larger than the file")
    total = sum(info.file_size for info in wanted.values())
    if total > max(MOST_UNPACKED, MOST_TIMES * size) or total > 1100 * size:
        raise UnreadableError(
            f"its {size:,} bytes unpack to {total:,}, which no data of worth do; if it is meant, "
            "save the arrays without compression (numpy.savez)"
        )


def _read_member(
    archive: zipfile.ZipFile, name: str, info: zipfile.ZipInfo, room_for: Callable[..., Any]
) -> NDArray[Any]:
    with _damage_told(f"the array {shortened(name)}"):
        with archive.open(info) as file:
            header = _read_header(file)
            _check_header(header, info.file_size)
            array = None
            if header.dtype.kind in "biuf":
                array = _filled(file, header, room_for)
            file.read(1)  # at its end the checksum is looked at
        if array is None:
            with archive.open(info) as file:
                array = _checked(npy.read_array(file, allow_pickle=False))
                file.read(1)
        return array


def _filled(file: IO[bytes], header: Header, room_for: Callable[..., Any]) -> NDArray[Any]:
    """Return an array with the numbers that a file goes on with."""
    shape = header.shape[::-1] if header.is_fortran else header.shape
    array: NDArray[Any] = room_for(shape, header.dtype)
    content = array.reshape(-1).view(np.uint8)
    for part in slices(len(content), _AT_ONCE):
        read = file.read(part.stop - part.start)
        if len(read) < part.stop - part.start:
            raise EOFError("it ends before its last number")
        content[part] = np.frombuffer(read, np.uint8)
    return array.T if header.is_fortran else array


@contextmanager
def _damage_told(what: str) -> Iterator[None]:
    try:
        yield
    except UnreadableError as error:
        raise UnreadableError(f"{what} {error}") from error
    except FileNotFoundError:
        raise
    except _DAMAGE as error:
        raise UnreadableError(f"{what} cannot be read ({reason(error)})") from error


def _read_header(file: IO[bytes]) -> Header:
    """Return what the header says, having read nothing else."""
    try:
        version = npy.read_magic(file)
    except ValueError as error:
        raise UnreadableError("is no numpy array") from error
    if version not in _HEADERS:
        raise UnreadableError(
            f"has the version {version} of numpy's format, which is of no plain array"
        )
    with warnings.catch_warnings():  # on headers of odd spelling, in words of numpy's own
        warnings.simplefilter("ignore")
        try:
            shape, is_fortran, dtype = _HEADERS[version](file)
        except ValueError as error:
            if "max_header_size" in str(error):  # numpy's own words give unsafe advice
                raise UnreadableError("has a header that is too long for an array") from error
            raise
    return Header(shape, is_fortran, dtype, file.tell())


def _check_header(header: Header, size: int) -> None:
    """Refuse what is no array of plain values, and one that is not as large as its header says."""
    shape, _, dtype, start = header
    if dtype.hasobject:
        raise UnreadableError(
            "holds Python objects, which are not read since that could run code; columns of pandas "
            "are such: save np.array(series.tolist()) instead, plain numbers or text (None filled "
            "in before)"
        )
    if dtype.kind not in "biufcUSmM":
        raise UnreadableError(f"holds {shortened(str(dtype))} where real numbers or text belong")
    if len(shape) > 32 or any(side < 0 for side in shape):
        raise UnreadableError(f"has the shape {shortened(str(shape))}, which no array has")
    n = math.prod(int(side) for side in shape)
    expected = n * dtype.itemsize
    if expected != size - start or (dtype.itemsize == 0 and n):
        raise UnreadableError(
            f"has {size - start:,} bytes where its header says {shortened(f'{expected:,}')}: it "
            "is truncated or damaged"
        )
    if expected == 0 and max(shape, default=0) > MOST_UNPACKED:
        raise UnreadableError(f"has the shape {shortened(str(shape))} and holds nothing")
    is_long = dtype.kind in "US" and dtype.itemsize > LONGEST_TEXT * (4 if dtype.kind == "U" else 1)
    if is_long and n > 1:  # a single one is as long as the file, and no longer
        raise UnreadableError(f"holds text of more than {LONGEST_TEXT:,} characters")


def _checked(array: NDArray[Any]) -> NDArray[Any]:
    """Return an array whose text is Unicode; any other cannot even be printed."""
    if array.dtype.kind != "U" or not array.size:
        return array
    order = array.dtype.newbyteorder("=")
    points = np.ascontiguousarray(array, dtype=order).reshape(-1).view(np.uint32)
    if points.max() > 0x10FFFF or ((points >= 0xD800) & (points <= 0xDFFF)).any():
        raise UnreadableError("holds text that is no Unicode")
    return array
