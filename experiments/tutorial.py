"""Claim: from three numbers a digit can be drawn again, and without labels digits part in them.

The classic autoencoder tutorial, step by step, with all its pictures; ``ae-cluster tutorial`` is
the same:

    python -m experiments.tutorial                                 # MNIST: 40 seconds
    python -m experiments.tutorial --dataset digits --epochs 100   # no download: 20 seconds
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from ae_cluster.common.errors import InputError
from ae_cluster.common.terminal import Parser, exit_code
from ae_cluster.runs.tutorial import carry_out
from ae_cluster.runs.tutorial_arguments import add_arguments


def main(argv: Sequence[str] | None = None) -> int:
    """Run the tutorial; return 0, or 2 for input that cannot be used."""
    parser = Parser(description=(__doc__ or "").split("\n", 1)[0])
    add_arguments(parser)
    try:
        carry_out(parser.parse_args(argv))
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(exit_code(main))
