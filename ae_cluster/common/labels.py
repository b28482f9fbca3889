"""What labels say: which of them mean that none is known, and which are the same class.

A label is the name of a class, never its position. Two rules hold wherever labels come from: a
table, an array in a file, or a call in Python.

* `NO_LABEL` lists what means that a sample has no label, beside −1 in any form (``-1``,
  ``"-1.0"``) and what is missing in an array (None, NaN). These are the words that programs
  write for a missing value, exactly so: ``Na``, ``unknown`` and ``no defect`` are names of
  classes. A class that is really called ``NA`` or ``None`` must be given another name.
* Numbers are equal however they are written: ``1``, ``1.0``, ``"01"`` and ``"1e0"`` are one
  class. Other text is compared as it stands, but for spaces around it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from decimal import Context, Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ae_cluster.common.errors import InputError
from ae_cluster.common.texts import quoted, shortened

UNKNOWN = -1  # in place of the number of a class
NO_LABEL = frozenset(
    {
        *("", "?", "NaN", "nan", "NAN", "-nan", "NaT", "NA", "<NA>", "N/A", "n/a", "#N/A"),
        *("None", "none", "NULL", "null", "Null"),
    }
)

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_MOST_DIGITS = 400  # longer text is a name
_EXACT = Context(prec=2000)
_MOST_LISTED = 12  # classes in a message
_MOST_SHOWN = 40  # characters of one


def number_in(text: str) -> Decimal | None:
    """Return the number that a text is, exactly; None where it is none."""
    digits = text.strip().replace("\N{MINUS SIGN}", "-", 1)
    if len(digits) > _MOST_DIGITS or not _NUMBER.fullmatch(digits):
        return None
    return Decimal(digits)


def label_key(text: str) -> str:
    """Return what all spellings of a class have in common, "" where none is known."""
    number = number_in(text)
    if number is None:
        name = text.strip()
        return "" if name in NO_LABEL else name
    if number == UNKNOWN:
        return ""
    return f"{number.normalize(_EXACT):f}" if number else "0"


def names_of(texts: Iterable[str]) -> dict[str, str]:
    """Return the name of each class, its shortest spelling, by `label_key`."""
    names: dict[str, str] = {}
    for text in sorted(set(texts), key=lambda text: (len(text), text)):
        key = label_key(text)
        if key:
            names.setdefault(key, text)
    return names


def no_such_class(text: str, names: Sequence[str]) -> str:
    """Return the sentence that a label is none of the data's, and what these are."""
    close = difflib.get_close_matches(text, names, n=2, cutoff=0.5)
    guess = f"did you mean {' or '.join(close)}? Known" if close else "known"
    known = ", ".join(shortened(name, _MOST_SHOWN) for name in names[:_MOST_LISTED])
    if len(names) > _MOST_LISTED:
        known += f" and {len(names) - _MOST_LISTED:,} more"
    return (
        f"the label {quoted(text, _MOST_SHOWN)} is no class of the data: {guess} are: {known} "
        "(a label is a class's name, never its position)."
    )


def label_text(value: object) -> str:
    """Return one label as text, "" where it is missing.

    Raises
    ------
    InputError
        When it is neither text nor a number.
    """
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return ""
    if isinstance(value, bytes):
        return _decoded(value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bool | np.bool_ | int | np.integer):
        return str(int(value))
    if isinstance(value, float | np.floating) and not np.isinf(value):
        return "" if np.isnan(value) else str(value)
    raise InputError(
        f"a label is {quoted(str(value), _MOST_SHOWN)} of type {type(value).__name__}; give whole "
        "numbers or text, and -1 for unknown."
    )


def _decoded(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            "the labels hold bytes that are no UTF-8 text: store them as a unicode array."
        ) from error


def classes_of(labels: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return the classes, ascending, and the place (n,) of each label among them, −1 if unknown.

    Classes keep their type: numbers stay numbers, objects that are all numbers become such, and
    anything else is text.

    Raises
    ------
    InputError
        When a label is neither text nor a number.
    """
    if labels.dtype.kind in "biuf":
        known = ~_is_unknown(labels)
        classes, places = np.unique(labels[known], return_inverse=True)
    else:
        keys = [label_key(label_text(label)) for label in labels.tolist()]
        known = np.array([key != "" for key in keys], dtype=bool)
        classes, places = _classes_of_objects(labels[known], [key for key in keys if key])
    columns = np.full(len(labels), UNKNOWN, dtype=np.int64)
    columns[known] = places.ravel()
    return classes, columns


def _is_unknown(numbers: NDArray[Any]) -> NDArray[np.bool_]:
    if numbers.dtype.kind == "b":
        return np.zeros(numbers.shape, dtype=bool)
    unknown: NDArray[np.bool_] = (numbers == UNKNOWN) | (numbers != numbers)
    return unknown


def _classes_of_objects(
    known: NDArray[Any], keys: list[str]
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    numbers = _as_numbers(known.tolist())
    if numbers is not None:
        return np.unique(numbers, return_inverse=True)
    names = names_of(label_text(label) for label in known.tolist())
    ascending = sorted(names, key=names.__getitem__)
    place = {key: i for i, key in enumerate(ascending)}
    kind = object if known.dtype.kind == "O" else np.str_
    classes = np.array([names[key] for key in ascending], dtype=kind)
    return classes, np.array([place[key] for key in keys], dtype=np.int64)


def _as_numbers(values: list[Any]) -> NDArray[Any] | None:
    """Return an array of numbers, whole ones as such; None where some are text."""
    if not all(isinstance(value, bool | int | float | np.number | np.bool_) for value in values):
        return None
    numbers = np.array(values)
    if numbers.dtype.kind == "f" and not all(isinstance(v, float | np.floating) for v in values):
        whole = numbers.astype(np.int64)
        numbers = whole if (whole == numbers).all() else numbers
    return numbers if numbers.dtype.kind in "biuf" else None
