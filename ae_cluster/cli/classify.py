"""``ae-cluster classify``: from a few labels to a class for every sample."""

from __future__ import annotations

import argparse
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ae_cluster.cli import arguments as read
from ae_cluster.cli.commands import add_command
from ae_cluster.cli.output import add_json, print_json, print_note
from ae_cluster.methods import (
    CLASSIFIERS,
    DEFAULT_CLASSIFIER,
    FINETUNED,
    FROZEN,
    classifier_names,
    current_name,
)
from ae_cluster.records.config import READING

if TYPE_CHECKING:
    from ae_cluster.runs.classify import Classified

MINUTES = (
    "learning takes minutes: the encoder without labels, then the labels, and up to three times "
    "more with some of them held out, to tell how good it is …"
)
EPILOG = """\
examples:
  ae-cluster classify my.npz                           my.npz holds x, and y with -1 for unlabelled
  ae-cluster classify my.npz --labels labels.csv       labels by id, in the columns id and label
  ae-cluster classify cells.csv --label-column type --id-column id --impute median
  ae-cluster classify photos/                          a folder per class, others in unlabelled/
  ae-cluster classify runs/mnist --labels labels.csv   with the codes that a run has learnt
  ae-cluster classify my.npz --method fine-tuned-sorting   an encoder that learns the labels too

methods on frozen codes, seconds once there are codes:
{frozen}

methods that fine-tune the encoder, from the data themselves, minutes:
{finetuned}
"""


def _listed(family: str) -> str:
    """Return name and sentence of every classifier of a family."""
    return "\n".join(
        textwrap.fill(
            f"{method.name:<27}{method.what}",
            98,
            initial_indent="  ",
            subsequent_indent=" " * 29,
            break_on_hyphens=False,
        )
        for method in CLASSIFIERS
        if method.kind == family
    )


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    classify = add_command(
        commands, "classify",
        description="Learn codes of all samples without labels, and a classifier of the codes from "
        "the few labels there are; write a prediction and its probability for every sample, and "
        "say how good they are where the labels can tell.",
        epilog=EPILOG.format(frozen=_listed(FROZEN), finetuned=_listed(FINETUNED)),
    )  # fmt: skip
    option = classify.add_argument
    said = "a run's folder, a known name, a file (%(formats)s) or a folder of pictures or shards"
    read.add_data(option, "data", said)
    option(
        "--labels",
        type=read.path,
        metavar="FILE",
        help=".csv with the columns id and label, or .npy with one label per sample: names of "
        "classes as in DATA, -1 or empty where there is none; default: those in DATA",
    )
    option(
        "--out",
        type=read.path,
        default="predictions.csv",
        metavar="FILE",
        help="table to write; default: predictions.csv",
    )
    option("--force", action="store_true", help="replace the table if it exists")
    option(
        "--method",
        type=current_name,
        default=DEFAULT_CLASSIFIER,
        metavar="NAME",
        help="on frozen codes or with a fine-tuned encoder, see below; "
        f"default: {DEFAULT_CLASSIFIER}",
    )
    option("--n-components", type=read.whole(1), default=10, help="size of the code; default: 10")
    option("--epochs", type=read.whole(0), help="default: 10, or as many as make 5,000 steps")
    read.add_reading_options(option)
    option("--seed", type=read.whole(0), default=0, help="of all random numbers; default: 0")
    option("--data-home", type=read.path, help="where data sets lie")
    add_json(classify)
    classify.set_defaults(function=_classify)


def _classify(arguments: argparse.Namespace) -> None:
    from ae_cluster.common import progress
    from ae_cluster.common.files import written_beside
    from ae_cluster.common.spreadsheets import safe_table
    from ae_cluster.runs.classifiers import keep_classifier
    from ae_cluster.runs.classify import COLUMNS, classify, report
    from ae_cluster.runs.samples import labels_for, samples_of
    from ae_cluster.semi_supervised.label_files import notes_on, refuse_existing_table

    out = arguments.out.absolute()
    refuse_existing_table(out, arguments.force, ",".join(COLUMNS))
    samples = samples_of(
        arguments.data,
        data_home=arguments.data_home,
        n_components=arguments.n_components,
        epochs=arguments.epochs,
        seed=arguments.seed,
        say=lambda line: print(line, file=sys.stderr, flush=True),
        reading={k: v for k, v in vars(arguments).items() if k in READING},
    )
    given = labels_for(samples, arguments.labels) if arguments.labels else None
    for note in notes_on(arguments.labels) if arguments.labels else ():
        print_note(note)
    wait = MINUTES if arguments.method in classifier_names(FINETUNED) else "learning …"
    progress.say(f"{samples.name}: {len(samples.ids):,} samples; {wait}")
    found = classify(samples, given, arguments.method, arguments.seed)
    with written_beside(out) as beside:
        safe_table(found.table).to_csv(beside, index=False)
    if samples.run is not None and found.classifier is not None:
        kept = keep_classifier(samples.run, found.classifier, arguments.method)
        print(kept, file=sys.stderr)
    if arguments.json:
        print_json(_as_json(found, arguments.method, out))
    else:
        print(report(found, arguments.method, out))


def _as_json(found: Classified, method: str, out: Path) -> dict[str, Any]:
    estimates = {"estimate": found.estimate, "against_data": found.against_data}
    return {
        "predictions": out,
        "method": method,
        "n_samples": len(found.table),
        "n_labels": found.n_labels,
        "n_predicted": found.table["prediction"].value_counts().to_dict(),
        **{name: one and one._asdict() for name, one in estimates.items()},
        "n_alike_with_other_labels": found.twins,
    }
