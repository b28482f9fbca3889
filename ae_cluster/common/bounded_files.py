"""Files that may come from anybody, read within bounds: their bytes, JSON and tables.

What is wrong with a file is raised as an `UnreadableError`, which does not name it; `told_of` puts
the name before it. Only a file that is not there stays a FileNotFoundError, for the caller knows
what it was to be.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ae_cluster.common.errors import InputError
from ae_cluster.common.texts import quoted, shortened

MOST_JSON = 2**24  # bytes; the largest of ours have some hundred thousand
MOST_DEPTH = 40  # ours are nested six deep
MOST_TABLE = 2**26  # bytes of a CSV
MOST_LINE, MOST_COLUMNS = 2**20, 2**12
_SURROGATES = "\ud800", "\udfff"


class UnreadableError(InputError):
    """A file is damaged, lies or is too large; the message goes on where the file is named."""


@contextmanager
def told_of(path: Path, way_out: str) -> Iterator[None]:
    """Put a file's name before what is wrong with it, and the way out behind it."""
    try:
        yield
    except UnreadableError as error:
        raise InputError(f"{path}: {error}; {way_out}.") from error


def file_size(path: Path) -> int:
    """Return how many bytes a file holds.

    Raises
    ------
    FileNotFoundError
    UnreadableError
        For a folder, a pipe or a device, and where it cannot be looked at.
    """
    try:
        found = path.stat()
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        raise UnreadableError(f"it cannot be read ({reason(error)})") from error
    if not stat.S_ISREG(found.st_mode):
        what = "a folder" if stat.S_ISDIR(found.st_mode) else "a device or a pipe"
        raise UnreadableError(f"it is {what} and no file")
    return found.st_size


def read_bytes(path: Path, most: int) -> bytes:
    """Return a file's content, of at most so many bytes.

    Raises
    ------
    FileNotFoundError
    UnreadableError
    """
    if (size := file_size(path)) > most:
        raise UnreadableError(f"it has {size:,} bytes, and more than {most:,} are not read")
    try:
        with path.open("rb") as file:
            return file.read(size)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UnreadableError(f"it cannot be read ({reason(error)})") from error


def read_json(path: Path) -> Any:
    """Return what a JSON file says; deep or long ones are refused.

    Raises
    ------
    FileNotFoundError
    UnreadableError
    """
    content = read_bytes(path, MOST_JSON)
    try:
        return parse_json(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise UnreadableError("it is no UTF-8 text") from error


def read_json_object(path: Path) -> dict[str, Any]:
    """Return the object that a JSON file holds, as `read_json`."""
    content = read_json(path)
    if not isinstance(content, dict):
        raise UnreadableError(f"it holds {quoted(content)} where names with values belong")
    return content


def parse_json(text: str) -> Any:
    """Return what JSON says, nested at most `MOST_DEPTH` deep and of text that can be written.

    Raises
    ------
    UnreadableError
    """
    try:
        content = json.loads(text)
    except RecursionError as error:
        raise UnreadableError(f"it is nested more than {MOST_DEPTH} deep") from error
    except ValueError as error:  # of a number with thousands of digits, too
        raise UnreadableError(f"it is no JSON ({shortened(str(error))})") from error
    _check_plain(content)
    return content


def _check_plain(content: Any) -> None:
    level = [content]
    for _ in range(MOST_DEPTH + 1):
        if not level:
            return
        for value in level:
            if isinstance(value, str):
                _check_text(value)
        inner = [value for value in level if isinstance(value, dict | list)]
        level = []
        for value in inner:
            level.extend(value if isinstance(value, list) else value.values())
            if isinstance(value, dict):
                level.extend(value)
    raise UnreadableError(f"it is nested more than {MOST_DEPTH} deep")


def _check_text(text: str) -> None:
    """Refuse halves of characters, which no encoding can write."""
    if not text.isascii() and any(_SURROGATES[0] <= c <= _SURROGATES[1] for c in text):
        raise UnreadableError(f"it holds text that is no Unicode ({shortened(ascii(text))})")


def check_lines(text: str) -> None:
    """Refuse a line so long that its cells would fill the memory."""
    start = 0
    while len(text) - start > MOST_LINE:
        ends = [text.rfind(end, start, start + MOST_LINE) for end in "\n\r"]
        if max(ends) < 0:
            raise UnreadableError(f"a line has more than {MOST_LINE:,} characters")
        start = max(ends) + 1


def reason(error: BaseException) -> str:
    """Return what an error says in one bounded line."""
    said = getattr(error, "strerror", None) or str(error)
    return shortened(" ".join(str(said).split()).rstrip(".")) or type(error).__name__
