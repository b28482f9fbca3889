"""``ae-cluster report``: a run as one HTML file to read, print and send."""

from __future__ import annotations

import argparse
from typing import Any

from ae_cluster.cli import arguments as read
from ae_cluster.cli.commands import add_command
from ae_cluster.cli.output import add_json, print_json


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    report = add_command(
        commands, "report",
        description="Write a run as one HTML file: what the data are, scores, every figure with "
        "its caption, what collapsed, merged or split, settings and versions. It prints well, "
        "needs no network, and its figures may show samples: share it only with people who may "
        "see these.",
        epilog="example: ae-cluster report runs/mnist --out mnist.html",
    )  # fmt: skip
    read.add_run(report.add_argument)
    report.add_argument("--out", type=read.path, metavar="FILE", help="default: RUN/report.html")
    add_json(report)
    report.set_defaults(function=_report)


def _report(arguments: argparse.Namespace) -> None:
    from ae_cluster.reports.html import write_report

    path, n_figures = write_report(arguments.run, arguments.out)
    if arguments.json:
        print_json({"report": path, "figures": n_figures, "bytes": path.stat().st_size})
    else:
        print(
            f"{path} ({path.stat().st_size / 1e6:.1f} MB, {n_figures} figures) opens in any "
            "browser and prints."
        )
