"""Work that a run needs at its end only, in a process beside it."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from joblib import cpu_count
from joblib.externals.loky import ProcessPoolExecutor
from joblib.externals.loky.process_executor import BrokenProcessPool, ShutdownExecutorError

LEAST_SECONDS = 2.0  # of work: a process takes as long to start
_ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}


class Beside:
    """One process that works while this one goes on, where there is a core for it.

    As ``with Beside() as beside:``; at its end the process is gone, whatever it was at.
    """

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        """Begin; no process is started before there is work."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the process."""
        if self._pool is not None:
            self._pool.shutdown(kill_workers=True)

    def begin(self, seconds: float, work: Callable[..., Any], *args: Any) -> Callable[[], Any]:
        """Begin ``work(*args)``, that takes about so long, and return what waits for its result.

        Short work, and any on a single core, is done here when its result is asked for. So is
        what the other process cannot do, because it was killed, say.
        """
        future = self._submitted(seconds, _recorded, work, args)
        if future is None:
            return lambda: work(*args)

        def result() -> Any:
            try:
                found, caught = future.result()
            except (BrokenProcessPool, ShutdownExecutorError, OSError):
                return work(*args)
            for text, category in caught:
                warnings.warn(text, category, stacklevel=2)
            return found

        return result

    def prepare(self, seconds: float, module: str) -> None:
        """Let the process load a module whose work will take about so long, once it begins.

        Loading takes a second or two, in which the run has only one core to use.
        """
        self._submitted(seconds, _load, module)

    def _submitted(self, seconds: float, work: Callable[..., Any], *args: Any) -> Any:
        """Return the future of work in the process; None where there is none, or none is worth it.

        Short work is not, nor any on a single core.
        """
        if seconds < LEAST_SECONDS or cpu_count() < 2:
            return None
        try:
            if self._pool is None:
                self._pool = ProcessPoolExecutor(1, env=_ONE_THREAD)
            return self._pool.submit(work, *args)
        except (BrokenProcessPool, ShutdownExecutorError, OSError):  # no process is to be had
            return None


def _load(module: str) -> None:
    importlib.import_module(module)


def _recorded(
    work: Callable[..., Any], args: tuple[Any, ...]
) -> tuple[Any, list[tuple[str, type[Warning]]]]:
    """Return the result of work, and the texts and kinds of its warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = work(*args)
    return found, [(str(said.message), said.category) for said in caught]
