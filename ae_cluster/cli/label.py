"""``ae-cluster label``: which samples to label, and the labels back."""

from __future__ import annotations

import argparse
from typing import Any

from ae_cluster.cli import arguments as read
from ae_cluster.cli.commands import add_command
from ae_cluster.cli.output import add_json, print_json, print_note
from ae_cluster.common.errors import InputError

EPILOG = """\
first:  ae-cluster label runs/mnist --n-labels 10
then, with the column label of runs/mnist/labels/to_label.csv filled in:
        ae-cluster label runs/mnist --answers runs/mnist/labels/to_label.csv
        ae-cluster classify runs/mnist --labels runs/mnist/labels/labels.csv
"""


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    label = add_command(
        commands, "label", epilog=EPILOG,
        description="Choose the samples of a run that are most worth labelling, typical ones "
        "unlike each other, and write a sheet of their images and a table to fill in; read the "
        "filled table back.",
    )  # fmt: skip
    option = label.add_argument
    read.add_run(option)
    option("--n-labels", type=read.whole(1), metavar="N", help="how many to ask for; default: 10")
    option("--answers", type=read.path, metavar="FILE", help="the table, filled in")
    option("--force", action="store_true", help="replace a table that is there to be filled in")
    read.add_data_home(option)
    add_json(label)
    label.set_defaults(function=_label)


def _label(arguments: argparse.Namespace) -> None:
    from ae_cluster.runs.label import take_answers, write_sheet
    from ae_cluster.semi_supervised.label_files import notes_on

    if arguments.answers is None:
        sheet = write_sheet(
            arguments.run,
            arguments.n_labels or 10,
            data_home=arguments.data_home,
            force=arguments.force,
        )
        if arguments.json:
            ids = sheet.ids.tolist()
            print_json({"table": sheet.questions, "images": sheet.picture, "ids": ids})
            return
        if sheet.picture:
            print(f"The images to label, each with its number: {sheet.picture}")
        else:
            print(
                "There are no images to show: the samples are numbers, or their file was not "
                "found. Their ids are in the table."
            )
        print(f"Write the classes into the column label of: {sheet.questions}")
        print(f"Then: ae-cluster label {arguments.run} --answers {sheet.questions}")
        return
    if arguments.n_labels is not None:
        raise InputError("--n-labels asks and --answers answers; say one of them.")
    path, n = take_answers(arguments.run, arguments.answers)
    for note in notes_on(arguments.answers):
        print_note(note)
    if arguments.json:
        print_json({"labels": path, "n_labels": n})
        return
    print(f"{n} labels: {path}")
    print(f"Then: ae-cluster classify {arguments.run} --labels {path}")
