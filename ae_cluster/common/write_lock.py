"""A folder that is being made: the list of its files, and the lock of the process that makes it.

Both are one file in the folder. Each of our files is listed before it is written, so that
whatever else lies there, whenever it came, is known to be somebody else's.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ae_cluster.common.bounded_files import MOST_JSON, parse_json, read_bytes
from ae_cluster.common.errors import InputError
from ae_cluster.common.own_files import (
    drop_files,
    files_in,
    standing_in_the_way,
    temporaries_in,
    told,
)

MARK = ".being-written"
CHECKPOINT = "checkpoint.safetensors"  # of the autoencoder's training
PAGE = "explorer.html"  # which `ae_cluster.explorer` writes
_FIRST = "ae-cluster run"
# What earlier versions wrote, which listed nothing and marked a folder with a process's number.
LAYOUT = re.compile(
    rf"(config\.json|scores\.csv|{re.escape(PAGE)}|checkpoint\.safetensors"
    r"|figures/(reconstructions|loss|tiles|label-budget"
    r"|(reconstructions|codes|confusion|clusters)-(?P<drawn>[^/]+))\.(png|svg|txt)"
    r"|methods/(?P<kept>[^/]+)/(codes\.npz|snapshots\.npz|history\.csv|classes\.csv|learnt\.json"
    r"|model/(weights\.safetensors|model\.json)))"
)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Mark a folder as being made, by this process alone for as long as it is.

    The lock is the operating system's: it ends with the process, however that ends.

    Raises
    ------
    InputError
        When another process holds it.
    """
    with (folder / MARK).open("a", encoding="utf-8") as file:
        if not _lock(file.fileno()) or not _is_still_there(folder / MARK, file.fileno()):
            raise InputError(f"Another run is writing to {folder} now; choose another place.")
        yield


def begin(folder: Path) -> None:
    """List what is ours already: nothing, or what an earlier version wrote without a list."""
    if not _lines(folder):
        _append(folder, _FIRST, *sorted(claimed(folder) or ()))


def claimed(folder: Path) -> set[str] | None:
    """Return the names of the files that are ours, there or not; None where nothing marks any."""
    lines = _lines(folder)
    if lines is None and not _has_checkpoint(folder):
        return None
    if not lines and files_in(folder) != [MARK]:
        return {name for name in files_in(folder) if LAYOUT.fullmatch(name)}
    return {line for line in (lines or [])[1:] if isinstance(line, str)}


def claim(folder: Path, *names: str) -> None:
    """List files as ours that are yet to be written; in a folder without a mark do nothing.

    Raises
    ------
    InputError
        When something that is not ours stands in their place.
    """
    if (known := claimed(folder)) is None:
        return
    if blocks := standing_in_the_way(folder, names, known):
        raise InputError(
            f"{folder} holds {told(blocks)}, not written by ae-cluster, where a file of the run "
            "belongs; move that away."
        )
    _append(folder, *(name for name in names if name not in known))


def drop(folder: Path, names: set[str]) -> None:
    """Remove files that are ours."""
    drop_files(folder, names & (claimed(folder) or set()))


def drop_all(folder: Path) -> None:
    """Remove all that is ours, the mark last, and the folder if that was all."""
    drop_files(folder, (claimed(folder) or set()) | temporaries_in(folder))
    drop_files(folder, [MARK])


def set_finished(folder: Path, run_id: str) -> None:
    """Note that nothing is left to do but to bring the files to their place."""
    _append(folder, {"finished": run_id})


def finished(folder: Path) -> str | None:
    """Return which run is finished and only yet to be brought to its place; None where none is."""
    done = [line["finished"] for line in _lines(folder) or [] if isinstance(line, dict)]
    return str(done[-1]) if done else None


def _lines(folder: Path) -> list[str | dict[str, str]] | None:
    """Return the lines of the mark, none of one by an earlier version; None where it is not one."""
    mark = folder / MARK
    try:
        content = b"no" if mark.is_symlink() else read_bytes(mark, MOST_JSON)
        texts = content.decode("utf-8").split("\n")
    except (OSError, ValueError):
        return None
    found = [line for line in map(_line, texts) if line]  # the last may have been cut off
    if found and found[0] == _FIRST:
        return found
    return [] if not texts[0] or texts[0].isdecimal() else None


def _line(text: str) -> str | dict[str, str]:
    try:
        line = parse_json(text)
    except ValueError:
        return ""
    is_name = isinstance(line, str)
    return line if is_name or (isinstance(line, dict) and "finished" in line) else ""


def _has_checkpoint(folder: Path) -> bool:
    """Return whether a checkpoint of ours is there: of Ctrl-C, earlier versions left no mark."""
    try:
        with (folder / CHECKPOINT).open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            about = json.loads(file.read(length) if length < 2**20 else b"")["__metadata__"]
            return {"state", "checksum"} <= set(about)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False


def _append(folder: Path, *lines: str | dict[str, str]) -> None:
    with (folder / MARK).open("a", encoding="utf-8") as file:
        file.write("".join(f"\n{json.dumps(line)}" for line in lines))


def _is_still_there(mark: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(mark.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> bool:
        os.lseek(descriptor, 2**30, os.SEEK_SET)  # a lock bars reading there: far behind the text
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # a file system that has no locks
            return True
        return True
