"""Which pictures a folder holds, in which order, and what their folders say of them."""

from __future__ import annotations

import os
import posixpath
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ae_cluster.common.bounded_files import reason
from ae_cluster.common.errors import InputError
from ae_cluster.common.texts import quoted, shortened
from ae_cluster.datasets.image_files import ENDINGS

UNLABELLED = ("unlabelled", "unlabeled")  # folders of pictures whose class is not known
HALVES = ("train", "test")
_HIDDEN, _OUTSIDE, _LINKED, _OTHER = (
    "hidden",
    "link(s) that lead out of the folder",
    "link(s) to folders",
    "of other types",
)
_OF_SYSTEMS = {"__macosx", "thumbs.db", "desktop.ini"}  # which no listing shows
_DIGITS = re.compile(r"[0-9]+")


class Listing(NamedTuple):
    """The pictures in a folder, train first where folders say which are.

    Attributes
    ----------
    root : Path
    names : list of str
        Paths under it with ``/``, in natural order: ``2.png`` before ``10.png``.
    classes : list of str
        Name of the class of each, "" where unknown.
    n_train : int or None
        How many are of ``train/``; None where no folders say it.
    notes : list of str
        What was left out, a sentence each.
    """

    root: Path
    names: list[str]
    classes: list[str]
    n_train: int | None
    notes: list[str]


def is_folder(path: Path) -> bool:
    """Return whether a path leads to a folder; one that no folder can have does not."""
    try:
        return path.is_dir()
    except (OSError, ValueError):  # a name that is too long, or holds a zero byte
        return False


def list_images(root: Path) -> Listing:
    """Return the pictures under a folder.

    A picture's class is the first folder on the way to it, after ``train/`` and ``test/`` and
    after folders that all pictures share.

    Raises
    ------
    InputError
        When there are none, or a folder cannot be looked into.
    """
    left_out: Counter[str] = Counter()
    names = sorted(_walk(root, left_out), key=natural)
    notes = _notes(root, left_out)
    if not names:
        raise InputError(
            f"this is a folder without pictures ({', '.join(ENDINGS)}).{' '.join(['', *notes])} "
            "Give one with pictures or with shards (.parquet, .npy), or a file, for instance a "
            ".npz or a .csv."
        )
    start = _shared(names)
    halves = {half: [n for n in names if _top(n, start).casefold() == half] for half in HALVES}
    if not all(halves.values()):
        return Listing(root, names, _classes(names, start), None, notes)
    kept = [*halves["train"], *halves["test"]]
    if others := len(names) - len(kept):
        notes.append(f"{others:,} picture(s) are neither in train/ nor in test/ and left out.")
    rests = [name[start:].partition("/")[2] for name in kept]
    return Listing(root, kept, _classes(rests, _shared(rests)), len(halves["train"]), notes)


def holds_pictures(root: Path) -> bool:
    """Return whether there is any picture under a folder that can be looked into."""
    try:
        return any(True for _ in _walk(root, Counter()))
    except InputError:
        return False


def natural(name: str) -> str:
    """Return a key by which numbers in names are sorted as numbers, and Ä beside A.

    >>> sorted(["b10", "b9", "a"], key=natural)
    ['a', 'b9', 'b10']
    """
    text = name if name.isascii() else unicodedata.normalize("NFD", name)
    return _DIGITS.sub(_sortable, text.casefold()) + "\0" + name


def _sortable(found: re.Match[str]) -> str:
    digits = found[0].lstrip("0")
    return f"0{len(digits):03d}{digits}"


def _walk(root: Path, left_out: Counter[str]) -> Iterator[str]:
    home = os.path.join(os.path.realpath(root), "")  # noqa: PTH118 (ends with a slash)
    waiting = [""]
    while waiting:
        inner = waiting.pop()
        try:
            with os.scandir(root / inner) as entries:
                for entry in entries:
                    name = f"{inner}{entry.name}"
                    kind = _kind(entry, home)
                    if kind == "folder":
                        waiting.append(f"{name}/")
                    elif kind == "picture":
                        yield name
                    else:
                        left_out[kind] += 1
        except OSError as error:
            raise InputError(
                f"the folder {quoted(inner or '.')} cannot be looked into ({reason(error)})."
            ) from error


def _kind(entry: os.DirEntry[str], home: str) -> str:
    """Return what an entry of a folder is; links lead to files in the same folder, or nowhere."""
    if entry.name.startswith(".") or entry.name.lower() in _OF_SYSTEMS:
        return _HIDDEN
    if entry.is_symlink():
        if not os.path.realpath(entry.path).startswith(home):
            return _OUTSIDE
        if entry.is_dir():
            return _LINKED
    elif entry.is_dir(follow_symlinks=False):
        return "folder"
    is_picture = entry.name.lower().endswith(ENDINGS) and entry.is_file()
    return "picture" if is_picture else _OTHER


def _notes(root: Path, left_out: Counter[str]) -> list[str]:
    """Return a sentence on what in the folder is no picture of it."""
    told = [f"{left_out[kind]:,} {kind}" for kind in (_HIDDEN, _OTHER) if left_out[kind]]
    told = [f"{' and '.join(told)} file(s)"] if told else []
    told += [f"{left_out[kind]:,} {kind}" for kind in (_LINKED, _OUTSIDE) if left_out[kind]]
    if not told:
        return []
    note = f"Left out of {shortened(root.name)}: {', '.join(told)}"
    way = "; copy the files into it to have them read" if left_out[_OUTSIDE] else ""
    return [f"{note}{way}."]


def _shared(names: list[str]) -> int:
    """Return the length of the folders that all names begin with."""
    ends = (posixpath.dirname(min(names)), posixpath.dirname(max(names)))
    common = posixpath.commonpath(ends)
    return len(common) + 1 if common else 0


def _top(name: str, start: int) -> str:
    """Return the first folder of a name after its beginning, "" where a file stands there."""
    first, slash, _ = name[start:].partition("/")
    return first if slash else ""


def _classes(names: list[str], start: int) -> list[str]:
    tops = (_top(name, start) for name in names)
    return ["" if top.casefold() in UNLABELLED else top for top in tops]
