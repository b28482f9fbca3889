"""``ae-cluster explore``: one HTML file in which to walk through the codes of a run."""

from __future__ import annotations

import argparse
from typing import Any

from ae_cluster.cli import arguments as read
from ae_cluster.cli.commands import add_command
from ae_cluster.cli.output import add_json, print_json


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    explore = add_command(
        commands, "explore",
        description="Write one HTML file in which to turn the codes, point at samples, compare "
        "clusters with labels and let the decoder draw. It opens from disk, needs no network and "
        "carries the samples it shows, images or numbers: share it only with people who may see "
        "these.",
        epilog="example: ae-cluster explore runs/mnist --split all --n-points 70000",
    )  # fmt: skip
    option = explore.add_argument
    read.add_run(option)
    option("--out", type=read.path, metavar="FILE", help="default: RUN/explorer.html")
    option(
        "--split",
        choices=("test", "train", "all"),
        default="test",
        help="which samples to show; default: test, with some training samples beside them",
    )
    option(
        "--n-points",
        type=read.whole(1),
        default=10_000,
        metavar="N",
        help="of more samples, N are chosen at random; default: 10000",
    )
    read.add_data_home(option)
    add_json(explore)
    explore.set_defaults(function=_explore)


def _explore(arguments: argparse.Namespace) -> None:
    from ae_cluster.explorer import write_page

    told: list[str] = []
    path = write_page(
        arguments.run,
        arguments.out,
        split=arguments.split,
        n_points=arguments.n_points,
        data_home=arguments.data_home,
        say=told.append,
    )
    if arguments.json:
        print_json({"page": path, "bytes": path.stat().st_size, "told": told})
        return
    megabytes = path.stat().st_size / 1e6
    print(f"{path} ({megabytes:.1f} MB) opens in any browser. {' '.join(told)}")
