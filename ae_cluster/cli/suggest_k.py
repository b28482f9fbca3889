"""``ae-cluster suggest-k``: a short list of numbers of clusters."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from ae_cluster.cli import arguments as read
from ae_cluster.cli.commands import add_command
from ae_cluster.cli.output import add_json, print_json
from ae_cluster.records.config import READING

if TYPE_CHECKING:
    from ae_cluster.runs.suggest_k import Suggested

EPILOG = """\
evidence, none of which sees a label:
  stability    two halves of the samples give the same clusters
  bic          Bayesian information criterion of Gaussian mixtures
  persistence  over which range of resolutions these clusters are the best
  information  what a sample's cluster tells about its neighbours', with a penalty
  silhouette   samples are nearer to their own KMeans cluster than to the next
  gap          KMeans clusters are tighter than those of structureless data

examples:
  ae-cluster suggest-k my.csv --id-column cell --drop batch
  ae-cluster suggest-k runs/mnist --out runs/mnist-k --json
then: ae-cluster run my.csv --n-clusters auto, or one of the list
"""


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    suggest = add_command(
        commands, "suggest-k", epilog=EPILOG,
        description="Say how many clusters samples may have: three to five numbers, the best "
        "first, each with its rank in six kinds of evidence, and how sure that is. Of more than "
        "2,000 samples so many are drawn at random.",
    )  # fmt: skip
    option = suggest.add_argument
    said = "a run's folder, a known name, a file (%(formats)s) or a folder of pictures or shards"
    read.add_data(option, "data", said)
    option(
        "--max-clusters",
        type=read.whole(2),
        metavar="K",
        help="the largest number to try; default: the root of the number of samples, at most 30",
    )
    option("--out", type=read.path, metavar="FOLDER", help="draw the evidence into this folder")
    read.add_reading_options(option)
    option("--seed", type=read.whole(0), default=0, help="of all random numbers; default: 0")
    option("--data-home", type=read.path, help="where data sets lie")
    add_json(suggest)
    suggest.set_defaults(function=_suggest)


def _suggest(arguments: argparse.Namespace) -> None:
    from ae_cluster.common import progress
    from ae_cluster.runs.suggest_k import suggest

    told = suggest(
        arguments.data,
        reading={k: v for k, v in vars(arguments).items() if k in READING},
        max_clusters=arguments.max_clusters,
        seed=arguments.seed,
        data_home=arguments.data_home,
        out=arguments.out,
        say=progress.say,
    )
    if arguments.json:
        print_json(_as_json(told))
    else:
        print(_report(told))


def _as_json(told: Suggested) -> dict[str, Any]:
    found = told.found
    return {
        "data": told.name,
        "n_clusters": found.n_clusters,
        "sure": found.sure,
        "n_samples": found.n_samples,
        "candidates": [vars(candidate) for candidate in found.candidates],
        "evidence": found.evidence,
        "figure": told.figure,
    }


def _report(told: Suggested) -> str:
    found = told.found
    some = f"{found.n_samples:,} of " if found.n_samples < told.n_all else ""
    lines = [f"{told.name}: numbers of clusters by {some}{told.n_all:,} samples", ""]
    lines.append("  k  score  " + "  ".join(found.evidence))
    for candidate in found.candidates:
        ranks = (candidate.ranks.get(name) for name in found.evidence)
        cells = [
            f"{'' if rank is None else rank:>{len(name)}}"
            for name, rank in zip(found.evidence, ranks, strict=True)
        ]
        lines.append(f"{candidate.n_clusters:>3}  {candidate.score:>5.2f}  " + "  ".join(cells))
    lines += ["", "The columns are ranks, 1 the best.", found.sure]
    if told.figure:
        lines.append(f"Evidence by number of clusters: {told.figure}")
    return "\n".join(lines)
