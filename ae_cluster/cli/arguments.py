"""How the words after a command become values; what is wrong with one is said in a sentence."""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from ae_cluster.common.errors import InputError
from ae_cluster.common.feature_files import ENDINGS, FORMATS, is_feature_file
from ae_cluster.common.files import expanded
from ae_cluster.common.table_options import ASKED, AUTO, SCALINGS
from ae_cluster.common.texts import quoted
from ae_cluster.methods import AUTOENCODER, GIVEN


def add_data(option: Callable[..., Any], name: str, said: str, **more: Any) -> None:
    """Add the data; ``%(formats)s`` in what is said stands for the endings that are read."""
    option(name, metavar="DATA", help=said, **more).formats = FORMATS


def whole(least: int) -> Callable[[str], int]:
    """Return what reads a whole number of at least ``least``."""

    def parse(text: str) -> int:
        if not text.removeprefix("-").isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(
                f"{text!r} is not a whole number of at least {least}; give one."
            )
        return int(text)

    return parse


def n_clusters(text: str) -> int | str:
    """Return a number of clusters, or the word that has it chosen."""
    return AUTO if text == AUTO else int(text)


def sizes(text: str) -> tuple[int, ...]:
    """Return "28x28" or "128,64,12" as a tuple of whole numbers."""
    try:
        return parse_sizes(text)
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def names(text: str) -> tuple[str, ...]:
    """Return "a,b" as a tuple of names; one that holds a comma stands in quotation marks."""
    return tuple(name.strip() for name in next(csv.reader([text], skipinitialspace=True)) if name)


def add_run(option: Callable[..., object]) -> None:
    """Add the run folder that a command reads."""
    option("run", type=path, metavar="RUN", help="folder that ae-cluster run wrote")


def add_method_of_run(option: Callable[..., object]) -> None:
    """Add which of a run's methods is meant."""
    option("--method", metavar="NAME", help="of several in the run; default: the first")


def add_data_home(option: Callable[..., object]) -> None:
    """Add where the data set of a run lies."""
    option("--data-home", type=path, help="where the run's data set lies, if it is not found")


def add_reading_options(add: Callable[..., object]) -> None:
    """Add what can be said of how data are read; what is not said has no value."""
    option = partial(add, default=argparse.SUPPRESS)
    option(
        "--features",
        type=features,
        metavar=f"{AUTOENCODER}|{GIVEN}|FILE",
        help=f"{GIVEN}: x are codes already, and no autoencoder is trained; a file "
        f"({', '.join(ENDINGS)}): its numbers, joined by id, are what is learnt from, and DATA are "
        f"what is shown; default: {AUTOENCODER}",
    )
    option("--image-shape", type=sizes, metavar="HxW", help="read a file's columns as images")
    told = "; ".join(f"{name}: {what}" for name, what in SCALINGS.items())
    option(
        "--scaling",
        choices=ASKED,
        help=f"of a table's columns: {told}; {AUTO}: one of them, chosen without labels; "
        f"default: {AUTO}",
    )
    _add_table_options(option)
    _add_image_options(option)


def _add_table_options(option: Callable[..., object]) -> None:
    """Add what can be said of the columns of a table."""
    option("--label-column", metavar="NAME", help="of a table: the labels, which only score")
    option("--id-column", metavar="NAME", help="the ids of its rows; default: their numbers")
    option("--drop", type=names, metavar="NAME,…", help="columns to leave out")
    option(
        "--categorical",
        type=names,
        metavar="NAME,…",
        help="columns that become a column of 0 and 1 per category",
    )
    option(
        "--impute",
        metavar="median",
        help="fill missing values by the median of the training samples; default: refuse them",
    )
    option("--layer", metavar="NAME", help="of an .h5ad: the layer to read in place of X")


def _add_image_options(option: Callable[..., object]) -> None:
    """Add what can be said of the pictures in a folder."""
    option(
        "--image-size", type=sizes, metavar="HxW", help="of a folder: resize each picture to this"
    )
    option("--grey", action="store_true", help="leave out their colours")
    option(
        "--skip-unreadable",
        action="store_true",
        help="leave out pictures that cannot be read; default: refuse them",
    )


def features(text: str) -> str:
    """Return one of the words for whose codes are clustered, or the path of a file of features."""
    if text in (AUTOENCODER, GIVEN):
        return text
    if not is_feature_file(text):
        raise argparse.ArgumentTypeError(
            f"{quoted(text)} is neither {AUTOENCODER} nor {GIVEN} nor a file of features "
            f"({', '.join(ENDINGS)})."
        )
    return str(path(text).absolute())


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


def parse_sizes(text: str) -> tuple[int, ...]:
    """Return "28x28" or "128,64,12" as a tuple of whole numbers."""
    parts: Sequence[str] = text.replace("x", ",").replace("×", ",").split(",")
    try:
        return tuple(int(part) for part in parts if part.strip())
    except ValueError as error:
        raise InputError(
            f"{text!r} is not a list of whole numbers; write it like 28x28 or 128,64,12."
        ) from error
