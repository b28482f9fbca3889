"""Which parameters a deep clustering accepts, beside those it shares with `AutoEncoder`."""

from __future__ import annotations

import math
from typing import Any

from sklearn.frozen import FrozenEstimator

from ae_cluster.autoencoder import AutoEncoder
from ae_cluster.inputs import Allowed, whole


def _not_negative(v: Any) -> bool:
    is_number = isinstance(v, int | float) and not isinstance(v, bool)
    return is_number and bool(0 <= v < math.inf)


def _autoencoder(v: Any) -> bool:
    inside = v.estimator if isinstance(v, FrozenEstimator) else v
    return inside is None or isinstance(inside, AutoEncoder)


# parameter: (what is allowed, in words for the error)
OWN: Allowed = {
    "n_clusters": (whole(1), "a whole number of at least 1"),
    "autoencoder": (_autoencoder, "None or an AutoEncoder, fitted or not"),
    "clustering_weight": (_not_negative, "a number of at least 0"),
    "update_interval": (whole(1), "a whole number of at least 1 (steps)"),
    "n_neighbors": (whole(2), "a whole number of at least 2"),
    "n_manifold_components": (
        lambda v: v is None or whole(1)(v),
        "None or a whole number of at least 1",
    ),
    "min_dist": (_not_negative, "a number of at least 0"),
}
