"""The command line: arguments in, run folders out."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import warnings
from collections.abc import Collection, Sequence
from typing import Any

from ae_cluster import __version__
from ae_cluster.cli.commands import COMMANDS, EXAMPLES, module_of
from ae_cluster.common.terminal import Parser, exit_code, say_error

EPILOG = f"""\
{EXAMPLES.rstrip()}
  ae-cluster compare runs/digits-seed*            run folders side by side
  ae-cluster assign runs/mnist new.npy --out new.csv  new samples to the clusters of a run
  ae-cluster suggest-k my.csv                     how many clusters there may be
  ae-cluster label runs/mnist --n-labels 10       which images to label
  ae-cluster classify my.npz --labels labels.csv  a class for every sample
  ae-cluster explore runs/mnist                   the 3-D page of a run again, or of more samples
"""


_OF_TORCHRUN = {"RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"}


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out one command and return its exit code: 0, 2 for bad input, 130 for Ctrl-C."""
    return exit_code(lambda: _on_all_ranks(argv), "ae-cluster")


def _on_all_ranks(argv: Sequence[str] | None) -> int:
    """Carry out one command, in one process or by the first of those that torchrun started."""
    if not os.environ.keys() >= _OF_TORCHRUN or os.environ["WORLD_SIZE"] == "1":
        return _carry_out(argv)
    from ae_cluster.runs.ranks import on_ranks  # loads torch: only now

    return on_ranks(lambda: _carry_out(argv))


def _carry_out(argv: Sequence[str] | None) -> int:
    parser = build_parser(sys.argv[1:] if argv is None else argv)
    arguments = parser.parse_args(argv)
    if arguments.command is None:
        parser.print_help()
        return 0
    from ae_cluster.common.global_state import default_state, wait_without_spinning
    from ae_cluster.common.progress import spoken_of

    warnings.showwarning = _show_warning
    wait_without_spinning()
    try:
        with default_state(), spoken_of(f"ae-cluster {arguments.command}"):
            return int(arguments.function(arguments) or 0)
    except KeyboardInterrupt as error:  # it says how to go on, where there is a way
        way_on = f"; {error}" if str(error) else ""
        say_error(f"ae-cluster: interrupted{way_on}.")
        return 130


def build_parser(words: Collection[str] = tuple(COMMANDS)) -> argparse.ArgumentParser:
    """Return the parser of all commands; of those not among the words, it knows only the names.

    So ``--help`` need not wait for what a command imports.
    """
    parser = Parser(
        prog="ae-cluster",
        description="How far can a 3-D autoencoder code be taken? Images to codes to clusters "
        "to honest scores.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"ae-cluster {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, line in COMMANDS.items():
        if name in words:
            importlib.import_module(f"ae_cluster.cli.{module_of(name)}").add(commands)
        else:
            commands.add_parser(name, help=line)
    return parser


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    """Print a warning as a sentence: file and line say nothing to who did not write them."""
    from ae_cluster.cli.output import print_note  # not on the way to --help

    print_note(message)
