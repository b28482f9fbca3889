"""Which files of a folder are ours; those of anybody else stay where they are, as they are."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from ae_cluster.common.texts import one_line

_TEMPORARY = re.compile(r"\.ae-cluster-[0-9a-f]{8}\.partial")
_SHOWN = 3


def temporary_name() -> str:
    """Return a new name for something that is yet to be finished; it says that it is ours."""
    return f".ae-cluster-{os.urandom(4).hex()}.partial"


def files_in(folder: Path) -> list[str]:
    """Return the files in a folder and below, ``/`` between; a link is one, wherever it leads."""
    found: list[str] = []
    for place, folders, files in os.walk(folder):
        links = [name for name in folders if Path(place, name).is_symlink()]
        found += [Path(place, name).relative_to(folder).as_posix() for name in (*files, *links)]
    return sorted(found)


def temporaries_in(folder: Path) -> set[str]:
    """Return the files that a killed command left behind half-written."""
    return {name for name in files_in(folder) if any(map(_TEMPORARY.fullmatch, name.split("/")))}


def present(folder: Path, names: Iterable[str]) -> set[str]:
    """Return those of the names that are ordinary files of the folder, reached through no link."""
    return {
        name
        for name in names
        if (folder / name).is_file()
        and not any(place.is_symlink() for place in _places_to(folder, name))
    }


def standing_in_the_way(folder: Path, names: Iterable[str], ours: Collection[str]) -> list[str]:
    """Return what is not ours and stands where a file of one of the names would go."""
    found: dict[str, None] = {}
    for name in names:
        for place in _places_to(folder, name):
            is_end = place == folder / name
            blocks = name not in ours if is_end else place.is_symlink() or not place.is_dir()
            if os.path.lexists(place) and blocks:
                found[place.relative_to(folder).as_posix()] = None
    return list(found)


def told(names: Collection[str]) -> str:
    """Return up to three names as text, and how many more there are."""
    shown = [one_line(name, 100) for name in list(names)[:_SHOWN]]
    more = len(names) - len(shown)
    if more:
        return f"{', '.join(shown)} and {more:,} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def move_files(source: Path, names: Iterable[str], target: Path, last: str = "") -> None:
    """Move files over those of the same names, the ``last`` one last; others are not touched."""
    for name in sorted(names, key=lambda name: (name == last, name)):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).replace(target / name)
        _remove_emptied(source, name)


def drop_files(folder: Path, names: Iterable[str]) -> None:
    """Remove those of the names that are ordinary files, and the folders that this empties."""
    for name in present(folder, names):
        (folder / name).unlink()
        _remove_emptied(folder, name)


def _places_to(folder: Path, name: str) -> Iterator[Path]:
    """Yield the places between a folder and one of its files, the file last."""
    place = folder
    for part in name.split("/"):
        place = place / part
        yield place


def _remove_emptied(folder: Path, name: str) -> None:
    with suppress(OSError):  # not empty
        for parent in list(Path(name).parents)[:-1]:
            (folder / parent).rmdir()
