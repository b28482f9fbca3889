"""How far long work has come: a bar on a terminal, and in a log a line at most every half minute.

    with progress_bar(n, "labels", "fit") as bar:
        for ...:
            bar.update(1)

Where nothing counts, `spoken_of` says now and then that a stage still goes on.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Self, TypeVar

EVERY = 30.0  # seconds between two lines in a log
FIRST = 5.0  # seconds after which the work's own pace tells how long it takes
T = TypeVar("T")
LEAST_SHARE = 0.002  # of the work, before that is believed


class _Said:
    """What was said last on standard error, and when; one for the process, as the stream is."""

    stage = ""
    began = 0.0
    last = 0.0


def say(line: str) -> None:
    """Say something on standard error; with "…" in it, it is a stage that begins."""
    if "…" in line:
        _Said.stage, _Said.began = line.split("…")[0].rstrip(), time.monotonic()
    _note(line)


def _note(line: str) -> None:
    _Said.last = time.monotonic()
    print(line, file=sys.stderr, flush=True)


def is_terminal() -> bool:
    """Return whether standard error is one, so that a bar may move on it."""
    try:
        return sys.stderr is not None and sys.stderr.isatty()
    except (AttributeError, ValueError):  # closed, or somebody's own
        return False


class ProgressLines:
    """What `tqdm` is on a terminal, for a log: sentences instead of a bar.

    The first line comes as soon as the work's pace tells that it takes longer than half a
    minute: an estimate from these data on this machine. Then there is one every half minute.

    Parameters
    ----------
    total : float or None
        None where it is not known.
    what, unit : str
        As in "training: epoch 3 of 10".
    initial : float
        What is done already.
    of : str
        On what, for the estimate: "482 samples".
    clock : callable
        Seconds.
    """

    def __init__(
        self,
        total: float | None,
        what: str,
        unit: str,
        initial: float = 0,
        of: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.total, self.what, self.unit, self.n, self.of = total or 0, what, unit, initial, of
        self.clock, self.initial, self.note = clock, initial, ""
        self.began = self.said = clock()
        self.is_estimated = False

    def update(self, n: float = 1) -> None:
        """Say where the work stands, if it is time to, when ``n`` more is done."""
        self.n += n
        now = self.clock()
        if now - self.said >= EVERY:
            self._say(self._where(now), now)
        elif not self.is_estimated and now - self.began >= FIRST:
            self._estimate(now)

    def set_postfix_str(self, note: str, refresh: bool = False) -> None:  # noqa: ARG002
        """Say this too from now on."""
        self.note = note

    def close(self) -> None:
        """Do nothing: a line is never open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _estimate(self, now: float) -> None:
        """Say once how long all of it takes, as soon as that is known and if it is long."""
        if not self.total or self.n - self.initial < LEAST_SHARE * self.total:
            return
        self.is_estimated = True
        left = self._left(now)
        if now - self.began + left >= EVERY:
            on = f" on {self.of}" if self.of else ""
            whole = in_words(now - self.began + left)
            self._say(f"{self.what}{on}: about {whole} in all", now)

    def _where(self, now: float) -> str:
        self.is_estimated = True
        if not self.total:
            line = f"{self.what}: {int(self.n):,} {self.unit}s, {in_words(now - self.began)} so far"
            return f"{line} ({self.note})" if self.note else line
        at = min(int(self.n) + (self.unit == "epoch"), int(self.total))  # the one it is in
        line = f"{self.what}: {self.unit} {at:,} of {int(self.total):,}"
        line += f", {in_words(now - self.began)} so far"
        if self.n > self.initial:
            line += f", about {in_words(self._left(now))} to go"
        return f"{line} ({self.note})" if self.note else line

    def _left(self, now: float) -> float:
        pace = (now - self.began) / (self.n - self.initial)
        return pace * max(0.0, self.total - self.n)

    def _say(self, line: str, now: float) -> None:
        self.said = now
        _note(line)


def progress_bar(
    total: float | None, what: str, unit: str, *, initial: float = 0, of: str = "", **options: Any
) -> Any:
    """Return a bar of `tqdm` where standard error is a terminal, else `ProgressLines`."""
    if not is_terminal():
        return ProgressLines(total, what, unit, initial, of)
    from tqdm import tqdm

    return tqdm(total=total, desc=what, unit=unit, initial=initial, **options)


def counted(things: Sequence[T], what: str, unit: str) -> Iterator[T]:
    """Yield things one by one, and show how many of them are done."""
    with progress_bar(len(things), what, unit) as bar:
        for thing in things:
            yield thing
            bar.update(1)


@contextmanager
def spoken_of(stage: str) -> Iterator[None]:
    """Say in a log every half minute that a stage still goes on, if nothing else is said.

    It is ``stage`` until `say` begins another.
    """
    if is_terminal():  # where bars move
        yield
        return
    _Said.stage, _Said.began = stage, time.monotonic()
    over = threading.Event()
    threading.Thread(target=_watch, args=(over,), daemon=True).start()
    try:
        yield
    finally:
        over.set()


def _watch(over: threading.Event) -> None:
    _Said.last = time.monotonic()
    while not over.wait(max(0.01, EVERY - (time.monotonic() - _Said.last))):
        now = time.monotonic()
        if now - _Said.last >= EVERY:
            with suppress(OSError, ValueError):  # nobody reads any more: not for a thread to say
                _note(f"still at it: {_Said.stage} ({in_words(now - _Said.began)} so far)")


def in_words(seconds: float) -> str:
    """Return seconds as one reads them.

    >>> in_words(8.3), in_words(275), in_words(4000), in_words(90000)
    ('8 s', '275 s', '67 min', '25 h')
    """
    if seconds < 600:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 36_000 else f"{seconds / 3600:.0f} h"
