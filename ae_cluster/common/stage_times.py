"""Where the time goes: the seconds of each stage, gathered where somebody asked for them.

Any function may name what it does, ``with stage("neighbours"):``, which costs nothing unless a
`stage_times` is open around it. Time within an inner stage counts for the inner one alone, so
that the seconds of all stages add up to those of the whole.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from ae_cluster.common.memory import forget_peak, peak_mb

OTHER = "other"  # what no stage has named


class StageTimes:
    """Seconds, and peak memory where it is asked for, of each stage.

    Attributes
    ----------
    seconds : dict of str to float
        In the order in which the stages began; `OTHER` is first.
    peak_mb : dict of str to float
        The largest resident memory of the process during each; empty unless asked for.
    """

    def __init__(self, memory: bool = False) -> None:
        self.seconds: dict[str, float] = {}
        self.peak_mb: dict[str, float] = {}
        self._memory, self._since = memory, time.perf_counter()
        self._open: list[str] = []
        self.begin(OTHER)

    def begin(self, name: str) -> None:
        """Let the time count for a stage from now on."""
        self._count()
        self.seconds.setdefault(name, 0.0)
        self._open.append(name)

    def end(self) -> None:
        """Let the time count for the stage around the present one again."""
        self._count()
        self._open.pop()

    def rounded(self) -> dict[str, float]:
        """Return the seconds of each stage so far, to the hundredth, the longest first."""
        self._count()
        longest = sorted(self.seconds.items(), key=lambda item: -item[1])
        return {name: round(seconds, 2) for name, seconds in longest}

    def _count(self) -> None:
        now = time.perf_counter()
        if self._open:
            name = self._open[-1]
            self.seconds[name] += now - self._since
            if self._memory:
                self.peak_mb[name] = max(self.peak_mb.get(name, 0.0), peak_mb())
                forget_peak()
        self._since = now


_GATHERED: ContextVar[StageTimes | None] = ContextVar("stage_times", default=None)


@contextmanager
def stage_times(*, memory: bool = False) -> Iterator[StageTimes]:
    """Gather the seconds of all stages within, of this thread; inside another, it is that one.

    Parameters
    ----------
    memory : bool
        The peak memory of each as well; `peak_mb` then begins anew with each stage.
    """
    if (around := _GATHERED.get()) is not None:
        yield around
        return
    times = StageTimes(memory)
    token = _GATHERED.set(times)
    try:
        yield times
    finally:
        _GATHERED.reset(token)
        times.end()


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Count the time within, or of a function below, for a stage of this name."""
    times = _GATHERED.get()
    if times is None:
        yield
        return
    times.begin(name)
    try:
        yield
    finally:
        times.end()
