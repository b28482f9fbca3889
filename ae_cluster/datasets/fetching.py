"""Where downloaded data sets live, and how they get there."""

from __future__ import annotations

import os
import socket
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path

from ae_cluster.common.errors import InputError
from ae_cluster.common.files import expanded

SECONDS_OF_SILENCE = 30
DOWNLOAD_ERRORS = (
    OSError,
    RuntimeError,
    EOFError,
    HTTPException,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True)
class Source:
    """A torchvision data set, and the files it consists of once unpacked.

    Attributes
    ----------
    torchvision_class : str
    files : tuple of str
        Paths below the data folder.
    arguments : dict
        What the class takes beside ``root``, ``train`` and ``download``.
    """

    torchvision_class: str
    files: tuple[str, ...]
    arguments: dict[str, str] = field(default_factory=dict)


def data_folder(data_home: str | os.PathLike[str] | None) -> Path:
    """Return ``data_home``, else ``AE_CLUSTER_DATA``, else the user's cache folder."""
    given = data_home or os.environ.get("AE_CLUSTER_DATA")
    if given:
        return expanded(given)
    return expanded(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "ae_cluster"


def fetch_missing(name: str, source: Source, root: Path, *, download: bool) -> None:
    """Download the files of ``source`` that are not below ``root``.

    Raises
    ------
    InputError
        If files are missing and the download is forbidden or fails, or ``root`` cannot be
        written.
    """
    missing = missing_files(source, root)
    if not missing:
        return
    if not download or _offline():
        raise _absent(
            f"{name} is not there and downloading is forbidden",
            missing,
            "allow the download (no --no-download, no AE_CLUSTER_OFFLINE)",
        )
    try:
        with _staging(root) as staging, _no_endless_wait():
            _download(source, staging)
            _move_unpacked(staging, root)
    except DOWNLOAD_ERRORS as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise _absent(
            f"{name} could not be downloaded ({reason})", missing, "try again with a network"
        ) from error


def missing_files(source: Source, root: Path) -> list[Path]:
    """Return the files of ``source`` that are not below ``root``."""
    return [root / file for file in source.files if not _is_file(root / file)]


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError as error:
        raise InputError(
            f"{path} cannot be looked at ({error.strerror}): check the permissions of its "
            "folder, or choose another with --data-home or AE_CLUSTER_DATA."
        ) from error


def _offline() -> bool:
    return os.environ.get("AE_CLUSTER_OFFLINE", "") not in ("", "0")


def _absent(what: str, missing: list[Path], way_out: str) -> InputError:
    names = ", ".join(path.name for path in missing)
    return InputError(
        f"{what}: {way_out}, or put the unpacked {names} into {missing[0].parent}, or say where "
        "the data folder is with --data-home or AE_CLUSTER_DATA."
    )


@contextmanager
def _staging(root: Path) -> Iterator[Path]:
    """Give a folder beside the final place, gone afterwards whatever happens.

    torchvision takes a file that exists for complete; what a broken download left must
    never lie where it looks.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        folder = tempfile.TemporaryDirectory(prefix=".download-", dir=root)
    except OSError as error:
        raise InputError(
            f"the data folder {root} cannot be written ({error.strerror}): choose another "
            "with --data-home or AE_CLUSTER_DATA."
        ) from error
    with folder as staging:
        yield Path(staging)


@contextmanager
def _no_endless_wait() -> Iterator[None]:
    """Let a silent server end in an error: torchvision's downloads have no time limit."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(SECONDS_OF_SILENCE)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _download(source: Source, folder: Path) -> None:
    from torchvision import datasets

    torchvision_class = getattr(datasets, source.torchvision_class)
    for train in (True, False):
        torchvision_class(str(folder), train=train, download=True, **source.arguments)


def _move_unpacked(staging: Path, root: Path) -> None:
    """Move each unpacked file in one step, leaving archives behind and present files alone."""
    for path in sorted(staging.rglob("*")):
        target = root / path.relative_to(staging)
        if path.is_file() and path.suffix not in (".gz", ".zip") and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
