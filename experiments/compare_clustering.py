"""Claim: trained 3-D codes cluster better than PCA's or an untrained encoder's, and how well.

KMeans and GMM on the codes of the tutorial autoencoder, beside the baselines:
all pixels, three principal components, and the encoder before training. Rows of
every seed go to results/; a grid that was killed goes on where it stopped.
About a minute for digits, twenty for MNIST with two jobs.

    python -m experiments.compare_clustering --dataset mnist --seeds 10 --jobs 2

No GMM on pixels: ten full covariances of 784 columns are no baseline but a
matter of regularisation.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from experiments.cells import carry_out, grid_parser, make_cell, prepare

WAYS = (
    ("autoencoder", "kmeans"),
    ("autoencoder", "gmm"),
    ("pca", "kmeans"),
    ("pca", "gmm"),
    ("untrained", "kmeans"),
    ("untrained", "gmm"),
    ("pixels", "kmeans"),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out the grid and return the exit code."""
    arguments = grid_parser(__doc__, "results").parse_args(argv)
    datasets = prepare(arguments)
    seeds, epochs = (2, 2) if arguments.smoke else (arguments.seeds, None)
    cells = [
        make_cell(dataset, features, method, seed, epochs=epochs, n_clusters=arguments.n_clusters)
        for dataset in datasets
        for seed in range(seeds)
        for features, method in WAYS
    ]
    return carry_out(cells, arguments, "compare_clustering")


if __name__ == "__main__":
    sys.exit(main())
