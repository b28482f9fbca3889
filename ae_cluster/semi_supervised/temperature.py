"""How far probabilities can be trusted, and one number that makes them more honest."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from ae_cluster.common.validation import IntArray

_WIDEST = 5.0  # the temperature stays within e^5 of the one that was expected


def fit_temperature(
    scores: NDArray[Any], truth: IntArray, expected: float, trust: float = 4.0
) -> float:
    """Return the temperature T that makes softmax(scores / T) fit held-out labels best.

    Parameters
    ----------
    scores : ndarray (n, n_classes)
        Of samples that were held out; n may be 0.
    truth : ndarray (n,)
        Their columns.
    expected : float
        The temperature without any label.
    trust : float
        How many labels it takes to leave that.

    Notes
    -----
    Minimises the negative log-likelihood plus trust · (log T − log expected)²: with a
    handful of labels the likeliest temperature alone is 0 or infinite.
    """
    if not len(scores):
        return expected

    def cost(shift: float) -> float:
        likelihood = log_softmax(scores / (expected * np.exp(shift)), axis=1)
        return float(trust * shift**2 - likelihood[np.arange(len(truth)), truth].sum())

    best = minimize_scalar(cost, bounds=(-_WIDEST, _WIDEST), method="bounded")
    return expected * float(np.exp(best.x))
