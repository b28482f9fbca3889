"""``ae-cluster compare``: run folders side by side."""

from __future__ import annotations

import argparse
from typing import Any

from ae_cluster.cli import arguments as read
from ae_cluster.cli.commands import COMMANDS


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    compare = commands.add_parser(
        "compare",
        help=COMMANDS["compare"],
        description="Put the held-out scores of two or more run folders side by side, name what "
        "differs in their configuration, and say what must not be compared.",
        epilog="example: ae-cluster compare runs/digits-seed0 runs/digits-seed1 --csv both.csv",
    )
    compare.add_argument(
        "runs", nargs="+", type=read.path, metavar="RUN", help="folder that ae-cluster run wrote"
    )
    compare.add_argument(
        "--csv", type=read.path, metavar="PATH", help="write the rows of all runs to a new file too"
    )
    compare.set_defaults(function=_compare)


def _compare(arguments: argparse.Namespace) -> None:
    from ae_cluster.reports.comparison import (
        compared_rows,
        comparison_report,
        read_runs,
        write_rows,
    )

    runs = read_runs(arguments.runs)
    if arguments.csv:
        write_rows(compared_rows(runs), arguments.csv)
    print(comparison_report(runs))
    if arguments.csv:
        print(f"\nAll rows of all runs: {arguments.csv}")
