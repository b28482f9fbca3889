"""Nothing half-written: write beside, then rename."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ae_cluster.errors import InputError

_MARK = ".being-written"


@contextmanager
def written_beside(path: Path) -> Iterator[Path]:
    """Give a file name beside ``path`` to write to; on success it takes ``path``'s place."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield beside
        beside.replace(path)
    except OSError as error:
        raise _cannot_be_written(path, error) from error
    finally:
        with suppress(OSError):
            beside.unlink()


@contextmanager
def folder_written_beside(path: Path, force: bool = False) -> Iterator[Path]:
    """Give a new folder beside ``path`` to fill; on success it takes ``path``'s place.

    Raises
    ------
    InputError
        When ``path`` exists and ``force`` is off, or cannot be written.
    """
    refuse_existing(path, force)
    beside = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        make_folder(beside)
        yield beside
        put_in_place(beside, path)
    except OSError as error:
        raise _cannot_be_written(path, error) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def refuse_existing(path: Path, force: bool) -> None:
    """Raise when something is at ``path`` and may not be replaced."""
    if not _is_there(path):
        return
    if not force:
        raise InputError(
            f"{path} exists already; choose another place, or replace it with --force (force=True)."
        )
    if path.is_symlink() or not path.is_dir():
        raise InputError(f"{path} is a file or a link and not a folder; choose another place.")


def _is_there(path: Path) -> bool:
    try:
        with suppress(FileNotFoundError):  # what is written first has a longer name
            path.with_name(f".{path.name}.{os.getpid()}.partial").lstat()
        path.lstat()
    except FileNotFoundError:
        return False
    except OSError as error:  # a name too long, a file among the parents
        raise _cannot_be_written(path, error) from error
    return True


def make_folder(path: Path) -> None:
    """Make an empty or existing folder, or say in one sentence why it cannot be."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"The folder {path} cannot be made ({error.strerror}); choose another place."
        ) from error


def put_in_place(beside: Path, path: Path) -> None:
    """Rename a finished folder to ``path``; what stood there is removed only then."""
    old = path.with_name(f".{path.name}.{os.getpid()}.old")
    try:
        if path.exists():
            path.rename(old)
        beside.rename(path)
    except OSError as error:
        if old.exists():
            old.rename(path)
        raise _cannot_be_written(path, error) from error
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def marked_as_being_written(folder: Path) -> Iterator[None]:
    """Leave this process's number in a folder as long as it writes there."""
    mark = folder / _MARK
    mark.write_text(str(os.getpid()))
    try:
        yield
    finally:
        mark.unlink(missing_ok=True)


def is_being_written(folder: Path) -> bool:
    """Return whether the process that marked a folder is still alive."""
    try:
        os.kill(int((folder / _MARK).read_text()), 0)
    except (OSError, ValueError):
        return False
    return True


def _cannot_be_written(path: Path, error: OSError) -> InputError:
    way_out = "a shorter name" if error.errno == errno.ENAMETOOLONG else "another place"
    return InputError(f"{path} cannot be written ({error.strerror or error}); choose {way_out}.")


def expanded(path: str | os.PathLike[str]) -> Path:
    """Return a path, the ``~`` of a home folder spelled out.

    Raises
    ------
    InputError
        When that folder is not known.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise InputError(
            f"{os.fspath(path)} begins with a home folder that is not known here; write the path "
            "in full."
        ) from error


def sha256(path: Path) -> str:
    """Return the SHA-256 sum of a file as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
