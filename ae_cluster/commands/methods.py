"""``ae-cluster methods``: every method by its name, what it is told and what it costs."""

from __future__ import annotations

import argparse
import json
import textwrap
from typing import Any

from ae_cluster.methods import METHODS, Method, described

TOLD = {"uses_k": "the number of clusters", "uses_balance": "that clusters are equally large",
        "uses_augmentation": "how images may be changed"}  # fmt: skip
OTHERS = """\
module:Class
    Any clusterer of scikit-learn or of your own, from an installed module or one in the
    current folder, such as sklearn.cluster:AgglomerativeClustering. It clusters the codes and is
    given n_clusters (or n_components) and random_state where its constructor has them. Test
    samples are predicted, by a clusterer that cannot they get the cluster of the nearest
    training code. Cost: its own; many need memory that grows with the square of the samples.

Any of these:  ae-cluster run DATA --method NAME [--method NAME ...]
Codes of your own, clustered by kmeans, gmm or module:Class:  --features given"""


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    methods = commands.add_parser(
        "methods",
        help="list the methods known by name: what each is told, and what it costs",
        description="List every method that ae-cluster run --method takes: what it is, what it is "
        "told beside the samples, which data chose its settings, and how long it takes.",
    )
    methods.add_argument("--json", action="store_true", help="as JSON, for programs")
    methods.set_defaults(function=_list)


def _list(arguments: argparse.Namespace) -> None:
    if arguments.json:
        print(json.dumps(described(), indent=2, ensure_ascii=False))
        return
    print("\n\n".join([*map(_entry, METHODS), OTHERS]))


def _entry(method: Method) -> str:
    told = [words for name, words in TOLD.items() if getattr(method, name)]
    lines = [
        f"{method.what} ({method.paper})",
        f"Told: {', '.join(told) or 'nothing'}. Tuned on: {method.tuned_on}. Cost: {method.cost}.",
    ]
    indent = " " * 4
    filled = [textwrap.fill(line, 92, initial_indent=indent, subsequent_indent=indent)
              for line in lines]  # fmt: skip
    return "\n".join([f"{method.name}   ({method.kind})", *filled])
