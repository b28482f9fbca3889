"""``ae-cluster datasets``: the data sets known by name."""

from __future__ import annotations

import argparse
from typing import Any

from ae_cluster.cli.commands import COMMANDS


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    datasets = commands.add_parser("datasets", help=COMMANDS["datasets"])
    datasets.set_defaults(function=_list)


def _list(_: argparse.Namespace) -> None:
    from ae_cluster.datasets import known_datasets

    print("\n".join(known_datasets()))
