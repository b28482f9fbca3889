"""The codes of a run that labels are learnt from or asked for by: never collapsed ones."""

from __future__ import annotations

from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ae_cluster.common.errors import InputError
from ae_cluster.common.texts import shortened
from ae_cluster.methods import AUTOENCODER
from ae_cluster.records.reading import method_names, read_codes, read_run_config
from ae_cluster.training.diagnostics import collapse_message, few_codes


def method_to_learn_from(folder: str | PathLike[str]) -> str:
    """Return the method of a run whose codes labels are learnt from: the first."""
    return method_names(folder)[0]


def codes_to_learn_from(folder: str | PathLike[str]) -> dict[str, NDArray[Any]]:
    """Return the arrays of a run's first method, whose codes tell the samples apart.

    Raises
    ------
    InputError
        When there are none, or they have collapsed.
    """
    method = method_to_learn_from(folder)
    arrays = read_codes(folder, method)
    found = _collapse_kept(read_run_config(folder), method, arrays)
    if found:
        raise InputError(
            f"The {method} codes of {folder} have collapsed, so no label can be learnt from them "
            f"or asked for by them; {collapse_message(found)}"
        )
    return arrays


def _collapse_kept(config: dict[str, Any], method: str, arrays: dict[str, NDArray[Any]]) -> str:
    """Return how a run's codes have collapsed: as it says itself, or as the codes show."""
    told = config.get("methods", {}).get(method, {})
    if told.get("collapsed"):
        return shortened(str(told["collapsed"]))
    if told.get("features", AUTOENCODER) != AUTOENCODER:  # the samples, or clusters of their own
        return ""
    k = config.get("settings", {}).get("n_clusters")
    codes = np.concatenate([arrays["codes_train"], arrays["codes_test"]])
    return few_codes(codes, k if isinstance(k, int) else None)
