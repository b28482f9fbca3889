"""The labels that a user gives in a file, brought to the samples they belong to."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ae_cluster.bounded_arrays import read_npy
from ae_cluster.bounded_files import UnreadableError, read_table
from ae_cluster.checks import IntArray
from ae_cluster.errors import InputError, nearest
from ae_cluster.evaluation import UNKNOWN
from ae_cluster.files import written_beside
from ae_cluster.spreadsheets import original_cell, safe_cell
from ae_cluster.texts import quoted, shortened

_UNLABELLED = ("", "-1", "?")
ID_COLUMNS, LABEL_COLUMNS = ("id", "ids"), ("label", "labels", "y")


class NamedLabels(NamedTuple):
    """Labels of n samples.

    Attributes
    ----------
    columns : ndarray (n,)
        Position among the names, −1 where unlabelled.
    names : tuple of str
        Of the classes.
    """

    columns: IntArray
    names: tuple[str, ...]


def read_labels(path: Path, ids: NDArray[np.str_], known_names: Sequence[str]) -> NamedLabels:
    """Return the labels in a file for the samples of these ids.

    Parameters
    ----------
    path : Path
        A ``.csv`` with the columns id and label, in any order and for any of the samples; or a
        ``.npy`` with one label per sample, in the order of ``ids``. No label: "", "?" or −1.
    ids : ndarray of str (n,)
    known_names : sequence of str
        Names that labels may have, numbers from 0 standing for them too; empty: any.

    Raises
    ------
    InputError
        Naming the file and the first thing in it that cannot be used.
    """
    with _told_of(path):
        return _named(_texts(path, ids), known_names)


def read_answers(
    path: Path, ids: NDArray[np.str_], known_names: Sequence[str], earlier: dict[str, str]
) -> dict[str, str]:
    """Return label by id: the earlier answers, and those in a file beside them.

    Parameters
    ----------
    path, ids, known_names
        As in `read_labels`.
    earlier : dict of str to str

    Raises
    ------
    InputError
        As `read_labels`, but one class is enough; and when an answer contradicts an earlier one.
    """
    with _told_of(path):
        texts = _texts(path, ids)
        given = {name: text for name, text in zip(ids.tolist(), texts, strict=True) if text}
        if not given:
            raise InputError("it holds no label yet; fill in the column label.")
        _columns_of_names(sorted(set(given.values())), known_names or tuple(given.values()))
        for name, label in given.items():
            if earlier.get(name, label) != label:
                raise InputError(
                    f"{quoted(name)} is labelled {quoted(label)}, and was labelled "
                    f"{quoted(earlier[name])} before; correct one."
                )
    return earlier | given


@contextmanager
def _told_of(path: Path) -> Iterator[None]:
    """Put the file's name before what is wrong with it."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _texts(path: Path, ids: NDArray[np.str_]) -> list[str]:
    """Return the label of each sample as text, "" where there is none."""
    read = _from_array(path, len(ids)) if path.suffix.lower() == ".npy" else _from_table(path, ids)
    return ["" if text in _UNLABELLED else text for text in read]


def _from_array(path: Path, n: int) -> list[str]:
    try:
        labels = read_npy(path)
    except FileNotFoundError as error:
        raise InputError("there is no such file; check the path.") from error
    except UnreadableError as error:
        raise InputError(f"this is no array that can be read ({error}); save it again.") from error
    if labels.shape != (n,):
        raise InputError(
            f"the array has shape {labels.shape}, and there are {n} samples; give one label per "
            "sample, −1 where there is none, or a .csv with the columns id and label."
        )
    if labels.dtype.kind not in "USbiuf":
        raise InputError(f"the array holds {labels.dtype}; save whole numbers or text.")
    if labels.dtype.kind == "f" and (labels == np.trunc(labels)).all():
        labels = labels.astype(np.int64)
    return [str(label).strip() for label in labels.tolist()]


def _from_table(path: Path, ids: NDArray[np.str_]) -> list[str]:
    place = {name: i for i, name in enumerate(ids.tolist())}
    texts = [""] * len(ids)
    for line, (name, label) in enumerate(read_rows(path), start=2):
        if label in _UNLABELLED:
            continue
        if name not in place:
            raise InputError(
                f"line {line} labels {quoted(name)}, and no sample has this id; ids are "
                f"like {shortened(', '.join(ids[:3].tolist()))}."
            )
        earlier = texts[place[name]]
        if earlier not in ("", label):
            raise InputError(
                f"line {line} labels {quoted(name)} as {quoted(label)}, and an "
                f"earlier line as {quoted(earlier)}; keep one."
            )
        texts[place[name]] = label
    return texts


def read_rows(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the id and the label in each row of a table, "" where there is none.

    Raises
    ------
    InputError
        Which does not name the file.
    """
    try:
        rows = read_table(path)
        head = [cell.strip().lower() for cell in next(rows, [])]
        i, j = _column(head, ID_COLUMNS), _column(head, LABEL_COLUMNS)
        for row in rows:
            yield _cell(row, i), _cell(row, j)
    except FileNotFoundError as error:
        raise InputError("there is no such file; check the path.") from error
    except UnreadableError as error:
        raise InputError(f"this cannot be read as a table ({error}); save it as CSV.") from error


def _cell(row: list[str], column: int) -> str:
    return str(original_cell(row[column].strip())) if len(row) > column else ""


def _column(head: Sequence[str], names: Sequence[str]) -> int:
    for i, cell in enumerate(head):
        if cell in names:
            return i
    found = shortened(", ".join(head)) or "empty"
    raise InputError(f"the first line must name the columns id and label; it is {found}.")


def _named(texts: Sequence[str], known_names: Sequence[str]) -> NamedLabels:
    given = sorted({text for text in texts if text}, key=_as_number)
    if not given:
        raise InputError("it holds no label; label samples of at least two classes.")
    if len(given) < 2:
        raise InputError(
            f"all its labels are {quoted(given[0])}; label samples of at least two classes."
        )
    names = tuple(known_names) or tuple(given)
    column = _columns_of_names(given, names)
    return NamedLabels(
        np.array([column.get(text, UNKNOWN) for text in texts], dtype=np.int64), names
    )


def _columns_of_names(given: Sequence[str], names: Sequence[str]) -> dict[str, int]:
    """Return the column of each name, and of each number that stands for one."""
    column = {str(i): i for i in range(len(names))} | {name: i for i, name in enumerate(names)}
    for text in given:
        if text not in column:
            raise InputError(
                f"the label {quoted(text)} is no class of the data: {nearest(text, names)}"
            )
    return column


def _as_number(text: str) -> tuple[int, str]:
    is_number = text.isdecimal() and len(text) < 19
    return (int(text), "") if is_number else (10**18, text)


def refuse_existing_table(path: Path, force: bool) -> None:
    """Raise when a file is at ``path`` and may not be replaced, or anything else is."""
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a file.")
    if path.exists() and not force:
        raise InputError(f"{path} exists already; name another file, or replace it with --force.")
    if not path.parent.is_dir():
        raise InputError(f"There is no folder {path.parent}; make it, or name another place.")


def write_labels(
    path: Path, ids: Sequence[str], labels: Sequence[str], *, numbered: bool = False
) -> None:
    """Write a CSV with the columns id and label, as `read_labels` takes it.

    ``numbered`` puts a column number before them, from 1: it is for eyes, and not read.
    """
    cells = zip(range(1, len(ids) + 1), map(safe_cell, ids), map(safe_cell, labels), strict=True)
    rows = [("number", "id", "label"), *cells]
    with written_beside(path) as beside, beside.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(row if numbered else row[1:] for row in rows)
