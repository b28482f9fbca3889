"""Fitting scikit-learn's own clusterers to codes, from which the deep ones start."""

from __future__ import annotations

import warnings
from typing import Any, TypeVar

from numpy.typing import NDArray
from sklearn import config_context
from sklearn.exceptions import ConvergenceWarning

Model = TypeVar("Model")


def fitted_quietly(model: Model, rows: NDArray[Any]) -> Model:
    """Return a scikit-learn model fitted to rows (n, d), which are NumPy's whatever X was."""
    with warnings.catch_warnings(), config_context(array_api_dispatch=False):
        # Fewer distinct codes than clusters: our own health warnings say so.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(rows)  # type: ignore[attr-defined, no-any-return]
