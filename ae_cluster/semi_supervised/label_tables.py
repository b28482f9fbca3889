"""Tables of ids and labels as spreadsheets save them: any usual separator, encoding, line end.

What can be read in one way only is read. Anything else is refused, in a sentence that names
what was found and what is wanted: a label read wrongly would be learnt from without a word.
"""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import NamedTuple

from ae_cluster.common.bounded_files import (
    MOST_COLUMNS,
    MOST_TABLE,
    UnreadableError,
    check_lines,
    read_bytes,
)
from ae_cluster.common.errors import InputError
from ae_cluster.common.spreadsheets import original_cell
from ae_cluster.common.text_files import ENCODING_MARKS, mark_of, no_text
from ae_cluster.common.texts import quoted, shortened

ID_COLUMNS, LABEL_COLUMNS = ("id", "ids"), ("label", "labels", "y")
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
_NOT_TAKEN = {"|": "'|'", ":": "colons", " ": "spaces"}
_WANTED = "save it as CSV UTF-8"

_LATIN_1 = "latin-1"
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")
# Letters of Western Europe, at most two together, beside a letter of the alphabet: in other
# encodings the same bytes stand alone, in a row, or among signs.
_WESTERN = re.compile(r"(?:[^\W\d_À-ÿ][À-ÖØ-öø-ÿ]{1,2}|[À-ÖØ-öø-ÿ]{1,2}[^\W\d_À-ÿ])")


class Row(NamedTuple):
    """A line of the table that has an id."""

    line: int
    id: str
    label: str


class LabelTable(NamedTuple):
    """The rows of a table, and what was taken for granted in reading it, "" if nothing."""

    rows: list[Row]
    note: str


def read_table(path: Path) -> LabelTable:
    """Return the ids and labels of a table whose first line names these columns.

    Raises
    ------
    InputError
        When it cannot be read, or not in one way only.
    """
    try:
        text, encoding = _decoded(read_bytes(path, MOST_TABLE))
        check_lines(text)
        rows = _rows(text)
    except FileNotFoundError as error:
        raise InputError("there is no such file; check the path.") from error
    except UnreadableError as error:
        raise InputError(f"this cannot be read as a table ({error}); {_WANTED}.") from error
    if encoding != _LATIN_1:
        return LabelTable(rows, "")
    beyond = _check_western(rows)
    note = f"it is not UTF-8 and was read as Latin-1, so that {beyond!r} stands in it."
    return LabelTable(rows, note if beyond else "")


# From bytes to text


def _decoded(raw: bytes) -> tuple[str, str]:
    """Return the text of a file, and the encoding it is in."""
    if what := no_text(raw):
        raise InputError(f"this is {what}, no table of text: {_WANTED}.")
    mark = mark_of(raw)
    encoding = ENCODING_MARKS[mark] if mark else _unmarked(raw)
    try:
        text = raw[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        if mark or encoding != "utf-8":
            raise InputError(
                f"this is {encoding.upper()} text that is damaged at byte {error.start}; {_WANTED}."
            ) from error
        text, encoding = raw.decode(_LATIN_1), _LATIN_1
    if "\0" in text:
        raise InputError(f"this holds bytes of 0 and is no table of text; {_WANTED}.")
    return text, encoding


def _unmarked(raw: bytes) -> str:
    """Return the encoding of text without a mark: of every two bytes UTF-16 has one that is 0."""
    zeros = {i % 2 for i, byte in enumerate(raw[:2000]) if byte == 0}
    if len(raw) % 2 == 0 and len(zeros) == 1:
        return "utf-16-be" if zeros == {0} else "utf-16-le"
    return "utf-8"


def _check_western(rows: list[Row]) -> str:
    """Return a cell that is read as Latin-1, "" if none; refuse what may be something else."""
    found = ""
    for row in rows:
        for cell in (row.id, row.label):
            if not _BEYOND_ASCII.search(cell):
                continue
            found = found or cell
            if _BEYOND_ASCII.search(_WESTERN.sub("", cell)):
                raise InputError(
                    f"line {row.line} holds {quoted(cell)} when read as Latin-1, and is not UTF-8; "
                    f"which encoding it is in cannot be told: {_WANTED}."
                )
    return found


# From text to rows


def _rows(text: str) -> list[Row]:
    said = re.match(r"\ufeff*sep=(.)[\r\n]+", text)  # Excel's own hint
    text = text[said.end() :] if said else text.lstrip("\ufeff")
    skipped = 1 if said else 0
    separator = _separator(text)
    lines = _cells(text, separator, skipped)
    _, head = lines[0]
    i, j = _columns(head) or (0, 0)
    rows = []
    for line, cells in lines[1:]:
        _check_width(line, cells, len(head), separator)
        row = Row(line, *(original_cell(cells[k]) if len(cells) > k else "" for k in (i, j)))
        if row.id or row.label:
            rows.append(row)
    return rows


def _separator(text: str) -> str:
    """Return what stands between the columns: under it, the first line names id and label."""
    heads = {mark: _head(text, mark) for mark in (*SEPARATORS, *_NOT_TAKEN)}
    fitting = [mark for mark in heads if _columns(heads[mark])]
    if fitting and fitting[0] in SEPARATORS:
        return fitting[0]
    if fitting:
        raise InputError(
            f"its columns are separated by {_NOT_TAKEN[fitting[0]]}; separate them by commas."
        )
    widest = max(SEPARATORS, key=lambda mark: len(heads[mark]))
    found = shortened(", ".join(heads[widest])) or "empty"
    raise InputError(
        f"the first line must name the columns id and label; it is {found}"
        + (f" (separated by {SEPARATORS[widest]})." if len(heads[widest]) > 1 else ".")
    )


def _head(text: str, separator: str) -> list[str]:
    try:
        first = re.search(r"[^\r\n]*[^\s,;][^\r\n]*", text)
        return _cells(first[0], separator, 0)[0][1] if first else []
    except InputError:
        return []


def _columns(head: list[str]) -> tuple[int, int] | None:
    """Return the places of id and label in the first line, None where one is not there."""
    names = [cell.lower() for cell in head]
    places = []
    for known in (ID_COLUMNS, LABEL_COLUMNS):
        name = next((name for name in known if name in names), None)
        if name is None:
            return None
        if names.count(name) > 1:
            raise InputError(f"two columns are called {name}; keep one.")
        places.append(names.index(name))
    return places[0], places[1]


def _cells(text: str, separator: str, skipped: int) -> list[tuple[int, list[str]]]:
    """Return the lines that are not blank, by number, as cells without the spaces around."""
    # newline=None: lines that end in CR, as old programs write them, are lines too.
    file = io.StringIO(text, newline=None)
    reader = csv.reader(file, delimiter=separator, strict=True, skipinitialspace=True)
    lines = []
    try:
        for cells in reader:
            if len(cells) > MOST_COLUMNS:
                raise UnreadableError(f"a line has more than {MOST_COLUMNS:,} cells")
            stripped = [cell.strip() for cell in cells]
            if any(stripped):
                lines.append((reader.line_num + skipped, stripped))
    except csv.Error as error:
        line = reader.line_num + skipped
        raise InputError(f"line {line} cannot be read ({error}); {_WANTED}.") from error
    return lines


def _check_width(line: int, cells: list[str], width: int, separator: str) -> None:
    """Refuse a line that is separated otherwise than the first: its label would be lost."""
    others = [mark for mark in SEPARATORS if mark != separator and mark in cells[0]]
    if len(cells) == 1 < width and others:
        raise InputError(
            f"line {line} is separated by {SEPARATORS[others[0]]}, and the first by "
            f"{SEPARATORS[separator]}; use one of them throughout."
        )
    if any(cells[width:]):
        raise InputError(
            f"line {line} has {len(cells)} cells, and the first names {width} columns; put a cell "
            f"that holds {SEPARATORS[separator]} in quotation marks."
        )
