"""Trains two small networks, on ranks where torchrun started several, and prints their losses."""

import json

import numpy as np
from sklearn.datasets import load_digits

from ae_cluster import AutoEncoder, Callback
from ae_cluster.training.ranks import joined

KINDS = ("dense", "conv")


class Losses(Callback):
    """The loss of every step."""

    def __init__(self):
        self.curve = []

    def on_step(self, progress):
        self.curve.append(progress.loss)


def losses(kind):
    """Return the losses of 104 steps, eight an epoch, whose last batch is of two samples."""
    images = (load_digits().images[:450] / 16).astype(np.float32)
    log = Losses()
    AutoEncoder(
        3, kind=kind, image_shape=(8, 8), max_iter=13, noise_std=0.1, learning_rate="cosine",
        callbacks=[log], random_state=0,
    ).fit(images)  # fmt: skip
    return log.curve


if __name__ == "__main__":
    with joined() as ranks:
        if ranks.rank == 0:
            print(json.dumps({kind: losses(kind) for kind in KINDS}))
        else:
            ranks.serve()
