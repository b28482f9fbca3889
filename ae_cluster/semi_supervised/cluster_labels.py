"""Which class each cluster is, as a few labelled samples tell."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ae_cluster.common.errors import InputError
from ae_cluster.common.validation import FloatArray, IntArray
from ae_cluster.metrics.clustering import matched_columns


def evidence(log_memberships: FloatArray, columns: IntArray, n_classes: int) -> NDArray[Any]:
    """Return (k, n_classes): the summed log-memberships in a cluster of a class's samples.

    Parameters
    ----------
    log_memberships : ndarray (m, k)
        Of the labelled samples.
    columns : ndarray (m,)
        Their classes.
    """
    found: NDArray[Any] = log_memberships.T @ np.eye(n_classes)[columns]
    return found


def one_to_one(evidence: FloatArray) -> IntArray:
    """Return the class (k,) of each cluster, every class having one.

    Of all ways to give each class a cluster of its own it is the likeliest (Kuhn's Hungarian
    method): a labelled sample in another class's cluster then names the one that is left.
    Clusters beyond take the class whose samples are least unlike them.

    Raises
    ------
    InputError
        When there are fewer clusters than classes.
    """
    k, n_classes = evidence.shape
    if k < n_classes:
        raise InputError(
            f"{k} clusters cannot be given the names of {n_classes} classes; ask for at least "
            "as many clusters as classes."
        )
    return matched_or_nearest(evidence)


def matched_or_nearest(evidence: FloatArray) -> IntArray:
    """Return the class (k,) of each cluster: one to one, and of those left over the likeliest."""
    matched = matched_columns(evidence)
    return np.where(matched < 0, evidence.argmax(axis=1), matched)


def likelihoods(
    memberships: FloatArray, columns: IntArray, names: IntArray, n_classes: int, trust: float
) -> NDArray[Any]:
    """Return how likely each class is in each cluster (k, n_classes); rows sum to 1.

    With one label of each class there is nothing to count, and a cluster is what it is named.
    With more, its labelled samples are counted by their membership, and the name is worth
    ``trust`` of them: a cluster that holds two classes is then told from one that holds half
    a class, whatever they were named.
    """
    named = np.eye(n_classes)[names]
    if np.bincount(columns, minlength=n_classes).max() == 1:
        return named
    counts = memberships.T @ np.eye(n_classes)[columns] + trust * named
    shares: NDArray[Any] = counts / counts.sum(axis=1, keepdims=True)
    return shares
