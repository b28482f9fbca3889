"""How well probabilities agree with what comes true."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ae_cluster.common.errors import InputError
from ae_cluster.common.validation import check_same_length, checked_labels
from ae_cluster.metrics.clustering import UNKNOWN


def expected_calibration_error(
    labels_true: ArrayLike, probabilities: ArrayLike, *, n_bins: int = 15
) -> float:
    """Return by how much confidence and accuracy differ, on average over samples.

    Samples are put into bins of equal width by the probability of their likeliest class; the
    error is the mean of |accuracy − mean confidence| of the bins, weighted by their samples.

    Parameters
    ----------
    labels_true : array-like of shape (n,)
        Column of the true class, or −1: such samples are left out.
    probabilities : array-like of shape (n, n_classes)
        Rows sum to 1.
    n_bins : int

    Returns
    -------
    From 0, honest, to 1; NaN when no label is known.

    Source: Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks" (2017).
    """
    truth, shares = checked_labels(labels_true, "labels_true"), np.asarray(probabilities)
    if shares.ndim != 2 or n_bins < 1 or not np.allclose(shares.sum(axis=1), 1, atol=1e-3):
        raise InputError("probabilities must have shape (n, n_classes) and rows that sum to 1.")
    check_same_length(truth, shares, ("labels_true", "probabilities"))
    shares, truth = shares[truth != UNKNOWN], truth[truth != UNKNOWN]
    if not truth.size:
        return float("nan")
    confidence, right = shares.max(axis=1), shares.argmax(axis=1) == truth
    # Bins are open below and closed above, so that a confidence of 1 is in the last.
    of_bin = np.clip(np.ceil(confidence * n_bins).astype(int) - 1, 0, n_bins - 1)
    gaps = np.bincount(of_bin, right - confidence, minlength=n_bins)
    return float(np.abs(gaps).sum() / truth.size)
