"""``ae-cluster datasets``: the names that `ae_cluster.load_dataset` knows."""

from __future__ import annotations

import argparse
from typing import Any


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    datasets = commands.add_parser("datasets", help="list the data sets known by name")
    datasets.set_defaults(function=_list)


def _list(_: argparse.Namespace) -> None:
    from ae_cluster.datasets import known_datasets

    print("\n".join(known_datasets()))
