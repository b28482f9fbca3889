"""Claim: what a three-number code costs, and what a larger one gains.

Codes of 2, 3, 5, 10 and 32 numbers (the layer before the code as wide as the
code where that is more than 12), clustered by KMeans and GMM, beside as many
principal components, untrained encoders of the same shape, and all pixels. What
compare_clustering has in the store already is not done again. About four
minutes for digits, an hour for MNIST with two jobs.

    python -m experiments.code_size --dataset mnist --seeds 10 --jobs 2
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from ae_cluster.common.terminal import exit_code
from experiments.compare_clustering import QUICK_PIPELINES
from experiments.support.arguments import carry_out, grid_parser, prepare, seeds_and_epochs
from experiments.support.cells import data_of, make_cell

SIZES = (2, 3, 5, 10, 32)
SMOKE_SIZES = (2, 3, 32)


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out the grid and return the exit code."""
    arguments = grid_parser(__doc__).parse_args(argv)
    datasets = prepare(arguments)
    seeds, epochs = seeds_and_epochs(arguments)
    cells = [
        make_cell(
            dataset, features, method, seed,
            n_components=size, epochs=epochs, n_clusters=arguments.n_clusters,
        )
        for dataset in datasets
        for seed in seeds
        for features, method in QUICK_PIPELINES
        for size in sizes_of(dataset, features, SMOKE_SIZES if arguments.smoke else SIZES)
    ]  # fmt: skip
    return carry_out(cells, arguments, "code_size")


def sizes_of(dataset: str, features: str, sizes: tuple[int, ...] = SIZES) -> tuple[int, ...]:
    """Return the sizes of code to try; a table of few columns has no larger ones."""
    n_columns = data_of(dataset).raw_train.shape[1]
    if features == "pixels":
        return (n_columns,)
    return tuple(size for size in sizes if size <= n_columns)


if __name__ == "__main__":
    sys.exit(exit_code(main))
