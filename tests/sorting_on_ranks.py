"""Fits small sortings, on ranks where torchrun started several, and prints losses and clusters."""

import json
import sys

from sklearn.datasets import load_digits

from ae_cluster import SortingAutoEncoder
from ae_cluster.training import minibatch
from ae_cluster.training.ranks import joined

X = load_digits().images / 16
KINDS = {
    # name: samples, type of numbers, parameters
    "small steps": (451, "float64", {"max_iter": 3, "min_steps": 110, "batch_size": 64}),
    "changed images": (451, "float64", {"max_iter": 2, "min_steps": 110, "batch_size": 64,
                                        "image_prior": True}),
    "fast": (451, "float64", {"effort": "fast", "min_steps": 110, "batch_size": 64}),
    "fast rounded": (451, "float32", {"effort": "fast", "min_steps": 110, "batch_size": 64}),
    "rounded": (451, "float32", {"max_iter": 3, "min_steps": 110, "batch_size": 64}),
    "last batch of two": (101, "float64", {"max_iter": 1, "min_steps": 22, "batch_size": 10}),
}  # fmt: skip


def fitted(kind):
    """Return the losses of all steps, and the clusters."""
    n, dtype, parameters = KINDS[kind]
    losses, descend = [], minibatch.descend

    def kept(*args):
        losses.append(descend(*args))
        return losses[-1]

    minibatch.descend = kept
    try:
        model = SortingAutoEncoder(10, random_state=0, **parameters).fit(X[:n].astype(dtype))
    finally:
        minibatch.descend = descend
    return losses, model.labels_.tolist()


if __name__ == "__main__":
    with joined() as ranks:
        if ranks.rank == 0:
            print(json.dumps({kind: fitted(kind) for kind in sys.argv[1:]}))
        else:
            ranks.serve()
