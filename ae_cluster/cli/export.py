"""``ae-cluster export``: a run as one ONNX file."""

from __future__ import annotations

import argparse
from typing import Any

from ae_cluster.cli import arguments as read
from ae_cluster.cli.commands import add_command
from ae_cluster.cli.output import add_json, print_json, print_note

EPILOG = """\
the model:
  x              samples as the run's were: bytes, images in [0, 1], or rows of a table before they
                 are scaled, any number of them
  code           (n, n_components)
  cluster        (n,), as ae-cluster assign gives them
  probabilities  (n, k), its memberships
Class names, column names and what must be done to a table before are JSON in its metadata.

examples:
  ae-cluster export runs/mnist --out mnist.onnx
  ae-cluster export runs/mnist --out mnist.onnx --method gmm --force
"""


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    export = add_command(
        commands, "export", epilog=EPILOG,
        description="Write scaler, encoder and clusterer of a run as one ONNX file, which ONNX "
        "Runtime carries out without torch and without this package. It is written only if it "
        "gives the run's own samples the codes, clusters and memberships that ae-cluster assign "
        "gives them.",
    )  # fmt: skip
    option = export.add_argument
    read.add_run(option)
    option("--out", type=read.path, required=True, metavar="FILE", help="the .onnx file to write")
    read.add_method_of_run(option)
    option("--force", action="store_true", help="replace the file if it exists")
    read.add_data_home(option)
    add_json(export)
    export.set_defaults(function=_export)


def _export(arguments: argparse.Namespace) -> None:
    from ae_cluster.runs.export import export_run

    found = export_run(
        arguments.run,
        arguments.out.absolute(),
        method=arguments.method,
        force=arguments.force,
        data_home=arguments.data_home,
        say=print_note,
    )
    if arguments.json:
        print_json(found._asdict())
        return
    shape = " × ".join("n" if side is None else str(side) for side in found.input["shape"])
    print(
        f"{found.out}: {found.method}, {found.n_clusters} clusters, from x, {found.input['dtype']} "
        f"({shape}), {found.input['meaning']}. ONNX Runtime gives the clusters of ae-cluster "
        f"assign on {found.n_checked:,} samples ({found.checked_on}), codes to "
        f"{found.codes_differ:.1g}, probabilities to {found.probabilities_differ:.1g}."
    )
