"""Nothing half-written, and nothing of anybody else's replaced: write beside, then rename."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ae_cluster.common.errors import InputError
from ae_cluster.common.own_files import (
    drop_files,
    files_in,
    move_files,
    standing_in_the_way,
    temporary_name,
    told,
)

Ours = Callable[[Path], Collection[str]]


@contextmanager
def written_beside(path: Path) -> Iterator[Path]:
    """Give a file name beside ``path`` to write to; on success it takes ``path``'s place.

    A link goes on leading where it led; what is no ordinary file is not replaced.
    """
    place = _ordinary(path)
    beside = place.with_name(temporary_name())
    try:
        yield beside
        beside.replace(place)
    except OSError as error:
        raise _cannot_be_written(path, error) from error
    finally:
        with suppress(OSError):
            beside.unlink()


def _ordinary(path: Path) -> Path:
    """Return the file that is at ``path``, or will be; a link's target."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise InputError(f"{path} is no ordinary file; name another.")
        return path.resolve() if path.is_symlink() else path
    except FileNotFoundError:
        return path.resolve() if path.is_symlink() else path
    except OSError as error:
        raise _cannot_be_written(path, error) from error


@contextmanager
def folder_written_beside(path: Path, force: bool, ours: Ours) -> Iterator[Path]:
    """Give a new folder beside ``path`` to fill; on success its files take their places.

    Parameters
    ----------
    path : Path
    force : bool
        Replace a folder that exists: those of its files that are ours, and no other.
    ours : callable
        Takes a folder that exists and returns the names of its files that are ours, the one that
        tells what the folder is last; none where it is not ours.

    Raises
    ------
    InputError
        When ``path`` exists and ``force`` is off, is somebody else's, or cannot be written.
    """
    refuse_existing(path, force)
    refuse_others(path, ours(path))
    with temporary_folder(path) as beside:
        try:
            yield beside
            _put_in_place(beside, path, ours)
        except OSError as error:
            raise _cannot_be_written(path, error) from error


@contextmanager
def temporary_folder(path: Path) -> Iterator[Path]:
    """Give a new folder beside ``path``, gone afterwards whatever happens."""
    beside = path.with_name(temporary_name())
    try:
        beside.mkdir(parents=True)
    except OSError as error:
        raise _cannot_be_written(path, error) from error
    try:
        yield beside
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def refuse_others(path: Path, ours: Collection[str]) -> None:
    """Raise when a folder holds files and none of them is known to be ours."""
    if not ours and path.is_dir() and (found := files_in(path)):
        raise InputError(
            f"{path} is not a folder that ae-cluster wrote, so it is not replaced (it holds "
            f"{told(found)}); choose another place."
        )


def _put_in_place(beside: Path, path: Path, ours: Ours) -> None:
    """Rename a finished folder to ``path``, or its files over those of a folder that is there."""
    if not path.exists():
        beside.rename(path)
        return
    names, old = files_in(beside), ours(path)
    refuse_others(path, old)
    if blocks := standing_in_the_way(path, names, old):
        raise InputError(
            f"{path} holds {told(blocks)}, not written by ae-cluster, where a file of its own "
            "belongs; move that away."
        )
    move_files(beside, names, path, last=list(old)[-1] if old else "")
    drop_files(path, set(old) - set(names))


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


def _cannot_be_written(path: Path, error: OSError) -> InputError:
    way_out = "a shorter name" if error.errno == errno.ENAMETOOLONG else "another place"
    return InputError(f"{path} cannot be written ({error.strerror or error}); choose {way_out}.")


def place_of_page(out: str | Path | None, default: Path, mark: str, what: str) -> Path:
    """Return where a page is to be written: at ``out``, or at ``default``.

    Raises
    ------
    InputError
        When there is a folder, or a file that does not bear our mark.
    """
    path = expanded(out) if out is not None else default
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a file, like {path / default.name}.")
    if path.exists() and not bears(path, mark):
        raise InputError(
            f"{path} is no {what} that ae-cluster wrote, so it is not replaced; name another file "
            "(--out FILE), or move that one away."
        )
    return path


def bears(path: Path, mark: str) -> bool:
    """Return whether the first 64 kB of a file hold a text by which we know our own."""
    try:
        with path.open("rb") as file:
            return mark.encode() in file.read(2**16)
    except OSError:
        return False


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
