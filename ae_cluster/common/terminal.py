"""Standard output and error: whatever they are, what is printed never ends in a traceback.

An encoding that lacks a character gets another (``->`` for an arrow); control
characters, which received files may hold, are shown and do nothing; a stream that is
closed or full costs a sentence and not the work.
"""

from __future__ import annotations

import argparse
import codecs
import io
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from ae_cluster.common.errors import InputError
from ae_cluster.common.texts import quoted, visible

_PLAIN = {
    "→": "->", "–": "-", "—": "-", "−": "-", "…": "...", "×": "x", "·": "*", "≥": ">=",
    "≤": "<=", "“": '"', "”": '"', "‘": "'", "’": "'", "█": "#",
}  # fmt: skip
_OF_PROGRESS_BARS = re.compile("(\x1b\\[A)+")  # the cursor up, and nothing else


def _in_plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    plain = (_PLAIN.get(c) or c.encode("ascii", "backslashreplace").decode() for c in lacking)
    return "".join(plain), error.end


codecs.register_error("ae_cluster.plain", _in_plain)


class Readable:
    """A text stream that takes any text and shows what could control a terminal.

    Parameters
    ----------
    stream : text stream or None
        None, where it was closed before the program began.
    is_result : bool
        Results that cannot be written are an error; notes are not.
    """

    def __init__(self, stream: Any, is_result: bool) -> None:
        self.is_lost = stream is None
        self._stream = io.StringIO() if stream is None else stream
        self._is_result = is_result
        self._encoding = getattr(stream, "encoding", None) or "utf-8"

    def write(self, text: str) -> int:
        """Write text."""
        shown = text if _OF_PROGRESS_BARS.fullmatch(text) else _shown(text)
        known = shown.encode(self._encoding, "ae_cluster.plain").decode(self._encoding)
        self._carefully(lambda: self._stream.write(known))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write texts one after another."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Write what waits."""
        self._carefully(self._stream.flush)

    def _carefully(self, work: Callable[[], object]) -> None:
        if self.is_lost:
            return
        try:
            work()
        except BrokenPipeError:
            self._lose()
            raise
        except OSError as error:
            self._lose()
            if self._is_result:
                raise InputError(
                    f"What there is to say cannot be written to standard output "
                    f"({error.strerror}); files that were named are whole."
                ) from error

    def _lose(self) -> None:
        """Let what still waits go nowhere, or the interpreter would fail at its own end."""
        self.is_lost = True
        with suppress(OSError, ValueError, AttributeError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _shown(text: str) -> str:
    start = "\r" if text.startswith("\r") else ""  # of a progress bar
    return start + visible(text.removeprefix("\r").replace("\r\n", "\n"))


@contextmanager
def readable_output() -> Iterator[None]:
    """Make standard output and error take anything, for as long as this lasts."""
    before = sys.stdout, sys.stderr
    _occupy_closed_streams()
    sys.stdout, sys.stderr = Readable(sys.stdout, True), Readable(sys.stderr, False)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def _occupy_closed_streams() -> None:
    """Keep the numbers 0, 1 and 2 from the files that will be opened: libraries write there."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(number)


def say_error(text: str) -> None:
    """Print a sentence to standard error; to standard output where that is closed or full."""
    print(text, file=sys.stderr, flush=True)
    if getattr(sys.stderr, "is_lost", False):
        with suppress(InputError, BrokenPipeError):
            print(text, flush=True)


def exit_code(work: Callable[[], int | None], program: str = "") -> int:
    """Return the exit code of a program: that of its work, 2 with one sentence for bad input.

    Whoever reads the output may have had enough of it: that is no error.
    """
    said = f"{program}: " if program else ""
    with readable_output():
        try:
            return _flushed(work) or 0
        except InputError as error:
            say_error(f"{said}{error}")
            return 2
        except UnicodeEncodeError as error:  # the name of a file: what is printed has been seen to
            say_error(
                f"{said}{quoted(error.object)} cannot be said in this system's encoding, "
                f"{error.encoding}; set the environment variable PYTHONUTF8=1."
            )
            return 2
        except BrokenPipeError:
            return 0
        except KeyboardInterrupt:
            say_error(f"{said}interrupted.")
            return 130


def _flushed(work: Callable[[], int | None]) -> int | None:
    try:
        return work()
    finally:
        sys.stdout.flush()


class Parser(argparse.ArgumentParser):
    """A parser that takes options by their whole names only, and so do its subcommands.

    ``--data FILE`` must never be read as ``--data-home FILE``.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"allow_abbrev": False} | options)
