"""The labels that a user gives in a file, brought to the samples they belong to.

What is no label, and which spellings are one class, is said in `ae_cluster.common.labels`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ae_cluster.common.bounded_arrays import read_npy
from ae_cluster.common.bounded_files import UnreadableError
from ae_cluster.common.errors import InputError
from ae_cluster.common.files import written_beside
from ae_cluster.common.labels import (
    NO_LABEL,
    UNKNOWN,
    label_key,
    names_of,
    no_such_class,
    number_in,
)
from ae_cluster.common.spreadsheets import safe_cell
from ae_cluster.common.texts import quoted, shortened
from ae_cluster.common.validation import IntArray
from ae_cluster.datasets.arrays import as_column, label_values
from ae_cluster.semi_supervised.label_tables import read_table


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


class _Given(NamedTuple):
    """A label in a file.

    Attributes
    ----------
    sample : int
        The place of its sample.
    text : str
    where : str
        The place in the file, for a message.
    """

    sample: int
    text: str
    where: str


def read_labels(path: Path, ids: NDArray[np.str_], known_names: Sequence[str]) -> NamedLabels:
    """Return the labels in a file for the samples of these ids.

    Parameters
    ----------
    path : Path
        A table with the columns id and label (`read_table`), in any order and for any of the
        samples; or a ``.npy`` with one label per sample, in the order of ``ids``.
    ids : ndarray of str (n,)
    known_names : sequence of str
        Of the classes, which labels must be of; empty: the labels are the names.

    Raises
    ------
    InputError
        Naming the file and the first thing in it that cannot be used.
    """
    with _told_of(path):
        given = _given(path, ids)
        names = tuple(known_names) or _ascending(given)
        place = _places(names)
        columns = np.full(len(ids), UNKNOWN, dtype=np.int64)
        for label in given:
            columns[label.sample] = place[_known_key(label, place, names)]
        _check_two_classes(columns, names)
    return NamedLabels(columns, names)


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
        given = _given(path, ids)
        if not given:
            raise InputError("it holds no label yet; fill in the column label.")
        spelled = names_of([*earlier.values(), *(label.text for label in given)])
        names = tuple(known_names) or tuple(spelled.values())
        place = _places(names)
        answers = {
            str(ids[label.sample]): names[place[_known_key(label, place, names)]] for label in given
        }
        for name, label in answers.items():
            before = earlier.get(name, label)
            if label_key(before) != label_key(label):
                raise InputError(
                    f"{quoted(name)} is labelled {quoted(label)}, and was labelled "
                    f"{quoted(before)} before; correct one."
                )
    return earlier | answers


def read_pairs(path: Path) -> dict[str, str]:
    """Return label by id as they stand in a table, less those that are none."""
    with _told_of(path):
        return {row.id: row.label for row in read_table(path).rows if label_key(row.label)}


def notes_on(path: Path) -> list[str]:
    """Return what was taken for granted in reading a table."""
    if _is_array(path):
        return []
    with _told_of(path):
        rows, note = read_table(path)
    words = [row.label for row in rows if row.label in NO_LABEL and row.label.isalpha()]
    listed = " or ".join(map(repr, sorted(set(words))))
    told = f"{len(words):,} label(s) say {listed}, which counts as no label." if words else ""
    return [f"{path}: {said}" for said in (note, told) if said]


@contextmanager
def _told_of(path: Path) -> Iterator[None]:
    """Put the file's name before what is wrong with it."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _is_array(path: Path) -> bool:
    return path.suffix.lower() == ".npy"


def _given(path: Path, ids: NDArray[np.str_]) -> list[_Given]:
    """Return the labels of a file that are known, each sample's once."""
    return _from_array(path, len(ids)) if _is_array(path) else _from_table(path, ids)


def _from_array(path: Path, n: int) -> list[_Given]:
    try:
        labels = read_npy(path)
    except FileNotFoundError as error:
        raise InputError("there is no such file; check the path.") from error
    except UnreadableError as error:
        raise InputError(f"this is no array that can be read ({error}); save it again.") from error
    if labels.shape not in ((n,), (n, 1)):
        raise InputError(
            f"the array has shape {labels.shape}, and there are {n} samples; give one label per "
            "sample, −1 where there is none, or a .csv with the columns id and label."
        )
    values = label_values(as_column(labels, "the array", n), "the array")
    return [
        _Given(i, text, f"sample {i} (counted from 0)")
        for i, text in enumerate(map(str, values.tolist()))
        if label_key(text)
    ]


def _from_table(path: Path, ids: NDArray[np.str_]) -> list[_Given]:
    place = {name: i for i, name in enumerate(ids.tolist())}
    found: dict[int, _Given] = {}
    for line, name, label in read_table(path).rows:
        if not label_key(label):
            continue
        if name not in place:
            raise InputError(
                f"line {line} labels {quoted(name)}, and no sample has this id; ids are "
                f"like {shortened(', '.join(ids[:3].tolist()))}."
            )
        given = _Given(place[name], label, f"line {line}")
        earlier = found.setdefault(place[name], given)
        if label_key(earlier.text) != label_key(label):
            raise InputError(
                f"line {line} labels {quoted(name)} as {quoted(label)}, and an "
                f"earlier line as {quoted(earlier.text)}; keep one."
            )
    return list(found.values())


def _ascending(given: Sequence[_Given]) -> tuple[str, ...]:
    """Return the names that labels give to classes, numbers in their order before text."""
    names = names_of(label.text for label in given).values()
    numbers = {name: number for name in names if (number := number_in(name)) is not None}
    return (*sorted(numbers, key=numbers.__getitem__), *sorted(set(names) - set(numbers)))


def _places(names: Sequence[str]) -> dict[str, int]:
    """Return the place of each name by its key; of names that are one class the first."""
    return {label_key(name): i for i, name in reversed(list(enumerate(names)))}


def _known_key(label: _Given, place: dict[str, int], names: Sequence[str]) -> str:
    key = label_key(label.text)
    if key not in place:
        raise InputError(f"{label.where}: {no_such_class(label.text, names)}")
    return key


def _check_two_classes(columns: IntArray, names: Sequence[str]) -> None:
    found = np.unique(columns[columns != UNKNOWN])
    if not found.size:
        raise InputError("it holds no label; label samples of at least two classes.")
    if found.size < 2:
        raise InputError(
            f"all its labels are {quoted(names[found[0]])}; label samples of at least two classes."
        )


def refuse_existing_table(path: Path, force: bool, *heads: str) -> None:
    """Raise when anything is at ``path`` but, with ``force``, a table with one of these heads."""
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a file.")
    if path.exists() and not force:
        raise InputError(f"{path} exists already; name another file, or replace it with --force.")
    if path.exists() and not _has_head(path, heads):
        raise InputError(
            f"{path} is no table that ae-cluster wrote (its first line is not "
            f"{heads[0]!r}), so it is not replaced; name another file."
        )
    if not path.parent.is_dir():
        raise InputError(f"There is no folder {path.parent}; make it, or name another place.")


def _has_head(path: Path, heads: Sequence[str]) -> bool:
    try:
        with path.open("rb") as file:
            return file.readline(200).rstrip(b"\r\n") in [head.encode() for head in heads]
    except OSError:
        return False


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
