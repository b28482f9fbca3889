"""The smallest run folder that has all there is: thirty images of three kinds."""

import numpy as np

from ae_cluster.records.config import RunConfig
from ae_cluster.runs.run import run


def small_images(n=30, side=6):
    """Return bright bars at three places, as bytes (n, side, side), and the place of each."""
    images = np.random.default_rng(0).integers(0, 60, (n, side, side), dtype=np.uint8)
    y = np.arange(n) % 3
    for image, place in zip(images, y, strict=True):
        image[2 * place : 2 * place + 2] = 220
    return images, y


def make_small_run(folder, methods=("kmeans",)):
    """Write ``mine.npz`` and a run on it, both into a folder, and return the run's."""
    images, y = small_images()
    np.savez(folder / "mine.npz", x=images, y=y)
    config = RunConfig(
        dataset=str(folder / "mine.npz"), epochs=2, n_clusters=3, n_components=2,
        hidden_layer_sizes=(8,), draws=1, budgets=(1,), methods=methods,
    )  # fmt: skip
    run(config, folder / "RUN", figures=False)
    return folder / "RUN"
