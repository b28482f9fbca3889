"""Fits models to samples on the disk, on ranks; each tells what it was sent and what it took.

torchrun … rows_on_ranks.py autoencoder N     # of so many samples of 784 bytes
    torchrun … rows_on_ranks.py sorting KIND      # of `sorting_on_ranks`
"""

import json
import sys

import numpy as np
from on_ranks import small_memory
from sorting_on_ranks import fitted

from ae_cluster import AutoEncoder
from ae_cluster.datasets import room
from ae_cluster.training.ranks import joined


def losses(n):
    """Return the losses of an epoch, of images that lie on the disk."""
    images = room.room_for((n, 784), np.uint8)
    for i in range(0, n, 1000):
        images[i : i + 1000] = np.random.default_rng(i).integers(0, 256, (1000, 784), np.uint8)
    model = AutoEncoder(max_iter=1, batch_size=1000, random_state=0, image_shape=(28, 28))
    return model.fit(images).loss_curve_


if __name__ == "__main__":
    small_memory(1000)
    with joined(room.room_for) as ranks:
        if ranks.rank == 0:
            what, of = sys.argv[1:]
            print(json.dumps(losses(int(of)) if what == "autoencoder" else fitted(of)))
        else:
            ranks.serve()
