"""Ctrl-C where a training would take it for leave to end early, and the work go on."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread


class _Stop(BaseException):
    """Not a KeyboardInterrupt: a training keeps what it has learnt so far on one of those."""


@contextmanager
def at_once_on_ctrl_c() -> Iterator[None]:
    """Let Ctrl-C end everything: what a cut-off training gives must not pass for a result."""
    usual = signal.default_int_handler
    if signal.getsignal(signal.SIGINT) is not usual or current_thread() is not main_thread():
        yield
        return

    def stop(*_: object) -> None:
        raise _Stop

    signal.signal(signal.SIGINT, stop)
    try:
        yield
    except _Stop:
        raise KeyboardInterrupt from None
    finally:
        signal.signal(signal.SIGINT, usual)
