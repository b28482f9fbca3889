"""Claim: how long to train, and on how many images, before more is wasted.

Two sweeps of the tutorial autoencoder, clustered by KMeans and GMM: over epochs
with all training images (0 is the untrained encoder; the last is twice the
preset), and over training images, chosen by chance, with the preset of epochs
for so many, which is at least 5,000 steps. Clusterers see the codes of all
training images, so that only the encoder differs. About eight minutes for
digits, an hour for MNIST with two jobs.

    python -m experiments.training_curve --dataset mnist --seeds 10 --jobs 2
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from ae_cluster.clustering.codes import CLUSTERERS
from ae_cluster.common.terminal import exit_code
from ae_cluster.records.config import preset_epochs
from experiments.support.arguments import carry_out, grid_parser, prepare, seeds_and_epochs
from experiments.support.cells import data_of, make_cell
from experiments.support.store import Cell

EPOCHS = (0, 1, 2, 5, 10, 20, 50, 100)
IMAGES = (100, 300, 1_000, 3_000, 10_000, 30_000)


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out both sweeps, a file of rows for each, and return the exit code."""
    arguments = grid_parser(__doc__).parse_args(argv)
    datasets = prepare(arguments)
    seeds, smoke_epochs = seeds_and_epochs(arguments)

    def sweep(points: Iterable[tuple[str, int | None, int | None]]) -> list[Cell]:
        return [
            make_cell(
                dataset, "autoencoder", method, seed,
                n_train=n_train, epochs=epochs, n_clusters=arguments.n_clusters,
            )
            for dataset, n_train, epochs in points
            for seed in seeds
            for method in CLUSTERERS
        ]  # fmt: skip

    over_epochs = [(d, None, e) for d in datasets for e in epochs_of(d, smoke_epochs)]
    over_images = [(d, n, smoke_epochs) for d in datasets for n in images_of(d)]
    code = carry_out(sweep(over_epochs), arguments, "training_epochs")
    return carry_out(sweep(over_images), arguments, "training_images") or code


def epochs_of(dataset: str, last: int | None) -> list[int]:
    """Return the epochs to try: up to twice the preset, or to ``last``."""
    preset = preset_epochs(len(data_of(dataset).raw_train), 64)
    ends = {preset, 2 * preset} if last is None else {last}
    return sorted({epochs for epochs in EPOCHS if epochs < max(ends)} | ends)


def images_of(dataset: str) -> list[int]:
    """Return the numbers of training images to try, all of them last."""
    n = len(data_of(dataset).raw_train)
    return [*(m for m in IMAGES if m < n), n]


if __name__ == "__main__":
    sys.exit(exit_code(main))
