"""Which parameters `SortingAutoEncoder` accepts."""

from __future__ import annotations

from typing import Any

from ae_cluster.deep.parameters import check_shared
from ae_cluster.errors import InputError

LEAST = {"n_clusters": 1, "n_neighbors": 2, "max_iter": 1, "decoder_max_iter": 1, "min_steps": 1}


def check_sorting(values: dict[str, Any]) -> None:
    """Raise an `InputError` for the first parameter that cannot be used."""
    check_shared(values)
    for name, least in LEAST.items():
        value = values[name]
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not whole or value < least:
            raise InputError(
                f"{name}={value!r} cannot be used; it must be a whole number of at least {least}."
            )
    if not isinstance(values["image_prior"], bool):
        raise InputError(
            f"image_prior={values['image_prior']!r} cannot be used; it must be True or False."
        )
