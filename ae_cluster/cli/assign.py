"""``ae-cluster assign``: new samples to the clusters of a run."""

from __future__ import annotations

import argparse
from typing import Any

from ae_cluster.cli import arguments as read
from ae_cluster.cli.commands import add_command
from ae_cluster.cli.output import add_json, print_json, print_note
from ae_cluster.common.errors import InputError
from ae_cluster.common.workers import ADDRESS

EPILOG = """\
columns of the table:
  id                 of the sample
  cluster            -1 is noise, in no cluster
  class              that most labelled samples of the cluster have, where any are known
  p_0, p_1, ...      memberships: a mixture's posteriors, a network's own; of centers (KMeans) those
                     of round Gaussians of one width around them, softmax(-d^2 / 2 variance)
  distance           from the code to the cluster's center; Mahalanobis' of a mixture
  share_farther_out  which share of the training samples lies farther out, by their distance from
                     groups of training samples; 0 is the farthest
  outlier            that share is below 0.01, as of one training sample in a hundred; or noise

examples:
  ae-cluster assign runs/mnist new.npy --out new.csv
  ae-cluster assign runs/mnist new.npy --out new.parquet --method gmm --json
  ae-cluster assign runs/photos new_photos --out new.csv --skip-unreadable
  ae-cluster assign runs/table shards --out assigned --scheduler tcp://HOST:8786
"""


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    assign = add_command(
        commands, "assign", epilog=EPILOG,
        description="Put the samples of a file into the clusters of a run: the cluster, its class "
        "where known, memberships, and how far out each lies. It reads and writes part by part, "
        "so that files may be larger than memory.",
    )  # fmt: skip
    option = assign.add_argument
    read.add_run(option)
    option(
        "data",
        metavar="DATA",
        help="samples like the run's: a file, a folder of pictures or of shards, or a known name",
    )
    option("--out", type=read.path, required=True, metavar="FILE", help=".csv or .parquet to "
           "write; with --scheduler a folder, of a table for each shard")  # fmt: skip
    read.add_method_of_run(option)
    option("--skip-unreadable", action="store_true", help="leave out pictures that cannot be read")
    option("--scheduler", metavar=ADDRESS, help="each shard on a worker of this dask scheduler, "
           "which sees RUN, DATA and FILE by the same paths; local: on a process for each core. "
           "See experiments/scaling.md")  # fmt: skip
    option("--force", action="store_true", help="replace the table if it exists")
    add_json(assign)
    assign.set_defaults(function=_assign)


def _assign(arguments: argparse.Namespace) -> None:
    options = {name: getattr(arguments, name) for name in ("method", "force")}
    place = arguments.run, arguments.data, arguments.out.absolute()
    if arguments.scheduler is not None:
        from ae_cluster.runs.assign_shards import assign_shards

        if arguments.skip_unreadable:
            raise InputError("--skip-unreadable is for a folder of pictures: leave it out.")
        found = assign_shards(*place, scheduler=arguments.scheduler, say=print_note, **options)
    else:
        from ae_cluster.runs.assign import assign_file

        skip = arguments.skip_unreadable
        found = assign_file(*place, skip_unreadable=skip, say=print_note, **options)
    if arguments.json:
        print_json(found._asdict())
        return
    pace = found.n_rows / max(found.seconds, 1e-9)
    print(
        f"{found.out}: {found.n_rows:,} samples in {len(found.clusters):,} clusters of "
        f"{found.method}, {found.n_outliers:,} of them outliers ({pace:,.0f} rows per second)."
    )
