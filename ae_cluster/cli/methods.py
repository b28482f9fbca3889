"""``ae-cluster methods``: the methods known by name."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Sequence
from typing import Any

from ae_cluster.cli.commands import add_command
from ae_cluster.cli.output import add_json, print_json
from ae_cluster.common.numbers import NOTHING
from ae_cluster.methods import (
    CLASSIFIERS,
    CLASSIFIERS_COST,
    COST,
    METHODS,
    Method,
    described,
)

ASSUMPTIONS = {"uses_k": "k", "uses_balance": "balance", "uses_augmentation": "augmentation"}
HEAD = ("method", "assumes", "tuned on", "seconds")
CLASSIFIERS_HEAD = ("classifier", *HEAD[1:])
HOW_TO_READ = f"""\
assumes: beside the samples. k is the number of clusters, balance that they are equally large,
augmentation how images may be changed. tuned on: the data that chose its settings.
seconds: about so many {COST}
(the autoencoder's training included; more samples cost more). – was not measured."""
OF_CLASSIFIERS = f"""\
CLASSIFIERS from a few labels, on frozen codes or of a network that learns the labels:
ae-cluster classify DATA --method NAME. k is the number of classes.
seconds: about so many {CLASSIFIERS_COST}
(the codes' learning included)."""
OTHERS = """\
module:Class
    Any clusterer of scikit-learn or of your own, from an installed module or one in the
    current folder, such as sklearn.cluster:AgglomerativeClustering. It clusters the codes and is
    given n_clusters (or n_components) and random_state where its constructor has them; for
    other settings, name a class of your own that has them as defaults. Test samples are
    predicted; where a clusterer cannot, they get the cluster of the nearest training code. Many
    need memory that grows with the square of the number of samples.

Any of these:  ae-cluster run DATA --method NAME [--method NAME ...]
Codes of your own, clustered by kmeans, gmm or module:Class:  --features given"""


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    methods = add_command(
        commands, "methods",
        description="List every method that ae-cluster run --method and ae-cluster classify "
        "--method take: what it is, what it assumes beside the samples, which data chose its "
        "settings, and how long it takes.",
    )  # fmt: skip
    add_json(methods)
    methods.set_defaults(function=_list)


def _list(arguments: argparse.Namespace) -> None:
    if arguments.json:
        print_json(described())
        return
    clusterings = [_table(HEAD, METHODS), HOW_TO_READ, *map(_entry, METHODS), OTHERS]
    classifiers = [OF_CLASSIFIERS, _table(CLASSIFIERS_HEAD, CLASSIFIERS)]
    print("\n\n".join([*clusterings, *classifiers, *map(_entry, CLASSIFIERS)]))


def _table(head: tuple[str, ...], methods: Sequence[Method]) -> str:
    rows = [head, *map(_row, methods)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _row(method: Method) -> tuple[str, ...]:
    assumed = ", ".join(word for name, word in ASSUMPTIONS.items() if getattr(method, name))
    seconds = NOTHING if method.seconds is None else f"{method.seconds:g}"
    return method.name, assumed or "nothing", method.tuned_on, seconds


def _entry(method: Method) -> str:
    indent = " " * 4
    said = f"{method.what} Paper: {method.paper}." if method.paper else method.what
    text = textwrap.fill(said, 92, initial_indent=indent, subsequent_indent=indent)
    return f"{method.name}   ({method.kind})\n{text}"
