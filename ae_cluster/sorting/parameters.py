"""Which parameters `SortingAutoEncoder` accepts, beside those it shares with `AutoEncoder`."""

from __future__ import annotations

from ae_cluster.inputs import Allowed, flag, whole

OWN: Allowed = {
    name: (whole(least), f"a whole number of at least {least}")
    for name, least in {
        "n_clusters": 1,
        "n_neighbors": 2,
        "max_iter": 1,
        "decoder_max_iter": 1,
        "min_steps": 1,
    }.items()
} | {"image_prior": (flag, "True or False")}
