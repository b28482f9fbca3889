"""``ae-cluster tutorial``: the classic autoencoder tutorial, with all its pictures."""

from __future__ import annotations

import argparse
import sys
from contextlib import redirect_stdout
from typing import Any

from ae_cluster.cli.commands import add_command
from ae_cluster.cli.output import add_json, print_json
from ae_cluster.runs.tutorial_arguments import add_arguments

EPILOG = """\
examples:
  ae-cluster tutorial                               MNIST: 40 seconds
  ae-cluster tutorial digits --epochs 100           no download: 20 seconds
  ae-cluster tutorial fashion-mnist --out clothes
"""


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    tutorial = add_command(
        commands, "tutorial", epilog=EPILOG,
        description="Redo the classic autoencoder tutorial: one image, what the network makes of "
        "five as it learns, and 200 as tiles at the place of their codes, as pictures and films, "
        "and in windows where there is a screen.",
    )  # fmt: skip
    add_arguments(tutorial)
    add_json(tutorial)
    tutorial.set_defaults(function=_tutorial)


def _tutorial(arguments: argparse.Namespace) -> None:
    from ae_cluster.runs.tutorial import carry_out  # loads torch: only now

    if not arguments.json:
        carry_out(arguments)
        return
    with redirect_stdout(sys.stderr):
        files = carry_out(arguments)
    print_json({"out": arguments.out, "files": files})
