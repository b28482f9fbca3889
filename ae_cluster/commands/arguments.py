"""How the words after a command become values; what is wrong with one is said in a sentence."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from ae_cluster.config import parse_sizes
from ae_cluster.errors import InputError
from ae_cluster.files import expanded


class Parser(argparse.ArgumentParser):
    """A parser that takes options by their whole names only, and so do its subcommands.

    ``--data FILE`` must never be read as ``--data-home FILE``.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"allow_abbrev": False} | options)


def whole(least: int) -> Callable[[str], int]:
    """Return what reads a whole number of at least ``least``."""

    def parse(text: str) -> int:
        if not text.removeprefix("-").isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(
                f"{text!r} is not a whole number of at least {least}; give one."
            )
        return int(text)

    return parse


def sizes(text: str) -> tuple[int, ...]:
    """Return "28x28" or "128,64,12" as a tuple of whole numbers."""
    try:
        return parse_sizes(text)
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def path(text: str) -> Path:
    """Return a path, ``~`` spelled out; a device, which has no end, is none."""
    try:
        found = expanded(text)
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    with suppress(OSError, ValueError):  # what else is wrong with it, its reader says
        if found.is_char_device() or found.is_block_device():
            raise argparse.ArgumentTypeError(f"{text} is a device; name a file or a folder.")
    return found
