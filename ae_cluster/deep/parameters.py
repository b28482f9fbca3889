"""Which parameters a deep clustering accepts."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.frozen import FrozenEstimator

from ae_cluster.autoencoder import AutoEncoder
from ae_cluster.errors import InputError
from ae_cluster.inputs import check_parameters


def check_shared(values: dict[str, Any]) -> None:
    """Raise an `InputError` for a parameter that `AutoEncoder` has too and would refuse."""
    defaults = AutoEncoder().get_params()
    check_parameters(defaults | {name: v for name, v in values.items() if name in defaults})


def check_own(values: dict[str, Any]) -> None:
    """Raise an `InputError` for the first of a clustering's own that cannot be used."""
    for name, (is_allowed, words) in _ALLOWED.items():
        if name in values and not is_allowed(values[name]):
            raise InputError(f"{name}={values[name]!r} cannot be used; it must be {words}.")


def _whole(least: int) -> Callable[[Any], bool]:
    return lambda v: (
        isinstance(v, int | np.integer) and not isinstance(v, bool) and bool(v >= least)
    )


def _not_negative(v: Any) -> bool:
    is_number = isinstance(v, int | float | np.number) and not isinstance(v, bool)
    return is_number and bool(0 <= v < math.inf)


def _autoencoder(v: Any) -> bool:
    inside = v.estimator if isinstance(v, FrozenEstimator) else v
    return inside is None or isinstance(inside, AutoEncoder)


# parameter: (what is allowed, in words for the error)
_ALLOWED: dict[str, tuple[Callable[[Any], bool], str]] = {
    "n_clusters": (_whole(1), "a whole number of at least 1"),
    "autoencoder": (_autoencoder, "None or an AutoEncoder, fitted or not"),
    "clustering_weight": (_not_negative, "a number of at least 0"),
    "update_interval": (_whole(1), "a whole number of at least 1 (steps)"),
    "n_neighbors": (_whole(2), "a whole number of at least 2"),
    "n_manifold_components": (
        lambda v: v is None or _whole(1)(v),
        "None or a whole number of at least 1",
    ),
    "min_dist": (_not_negative, "a number of at least 0"),
}
