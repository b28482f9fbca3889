"""Every command in a line, and first examples: all that ``ae-cluster --help`` needs."""

import argparse
import textwrap
from typing import Any

COMMANDS = {
    "run": "train, cluster, score and draw: the main job",
    "methods": "list the methods known by name: what each assumes, and what it costs",
    "datasets": "list the data sets known by name",
    "suggest-k": "how many clusters: a short list with its evidence",
    "compare": "put run folders side by side; medians over their seeds",
    "assign": "new samples to the clusters of a run",
    "export": "write a run as one ONNX file, to be served without torch",
    "explore": "write one HTML file in which to walk through a run's codes",
    "describe": "what each cluster is: its samples, columns, classes; doubtful labels",
    "label": "which samples of a run to label, and the labels back",
    "classify": "from a few labels to a class for every sample",
    "report": "write a run as one HTML file to read, print and send",
    "tutorial": "redo the classic autoencoder tutorial, with all its pictures",
    "doctor": "look at versions, threads, data and memory, and say what to mend",
    "completion": "print a script for the shell: bash, zsh or fish",
}
EXAMPLES = """\
examples:
  ae-cluster run                                  the bundled digits, in half a minute
  ae-cluster run mnist --out runs/mnist           the tutorial itself (downloads MNIST once)
  ae-cluster run my.npz --n-clusters 7            your own data: x_train and x_test, or x
  ae-cluster run my.csv --label-column cell_type --id-column cell --n-clusters 7          a table
  ae-cluster run mnist --method sorting --method dec              see: ae-cluster methods
  ae-cluster run --method sklearn.cluster:AgglomerativeClustering any clusterer, on the codes
  ae-cluster run codes.npz --features given --n-clusters 7        x holds codes already
  ae-cluster run --config runs/mnist/config.json  the same run again
  ae-cluster run digits mnist --seeds 5 --out five                then: ae-cluster compare five
"""


def module_of(command: str) -> str:
    """Return the name of the module that a command is in."""
    return command.replace("-", "_")


def add_command(
    commands: Any, name: str, description: str | None = None, **options: Any
) -> argparse.ArgumentParser:
    """Add a command to the parser's subcommands; its epilog keeps its line breaks."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=COMMANDS[name],
        description=description and textwrap.fill(description, 78),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        **options,
    )
    return parser
