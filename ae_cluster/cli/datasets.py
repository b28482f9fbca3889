"""``ae-cluster datasets``: the data sets known by name."""

from __future__ import annotations

import argparse
from typing import Any

from ae_cluster.cli.commands import add_command
from ae_cluster.cli.output import add_json, print_json


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    datasets = add_command(commands, "datasets")
    add_json(datasets)
    datasets.set_defaults(function=_list)


def _list(arguments: argparse.Namespace) -> None:
    from ae_cluster.datasets import known_datasets

    if arguments.json:
        from ae_cluster.datasets.fetching import data_folder
        from ae_cluster.datasets.named import is_here

        known = [{"name": name, "is_here": is_here(name)} for name in known_datasets()]
        print_json({"folder": data_folder(None), "datasets": known})
    else:
        print("\n".join(known_datasets()))
