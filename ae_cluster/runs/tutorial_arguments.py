"""What the tutorial takes, apart from it: its help must not wait for torch."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `ae_cluster.runs.tutorial` to a parser."""
    yes_no = argparse.BooleanOptionalAction
    add = parser.add_argument
    parser.set_defaults(dataset="mnist")
    what = "a known name, or a .npz of images; default: mnist"
    add("dataset", nargs="?", metavar="DATA", default=argparse.SUPPRESS, help=what)
    add("--dataset", default=argparse.SUPPRESS, help=what)  # as it was said before
    add("--data-home", dest="home", help="folder of the downloaded data sets")
    add("--download", action=yes_no, default=True, help="fetch what is missing")
    add("--seed", type=int, default=0, help="of all random numbers; default: 0")
    add("--epochs", type=int, default=10, help="default: 10")
    add("--out", type=Path, default=Path("tutorial"), help="folder to write; default: tutorial")
    add("--smoke", action="store_true", help="10 epochs of digits, in seconds")
    add("--show", action=yes_no, help="windows; default: where there is a screen")
    add("--force", action="store_true", help="replace the folder")
