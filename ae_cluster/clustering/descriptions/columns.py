"""What tells a cluster from the rest: columns by their standardised mean difference."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from ae_cluster.clustering.descriptions.clusters import N_SHOWN
from ae_cluster.common.chunks import slices

IntArray = NDArray[np.int64]
Floats = NDArray[np.float64]
_Z = 1.959964  # of a 95 % interval


class Moments(NamedTuple):
    """How many samples each of k groups has, and the mean and variance of every column.

    Attributes
    ----------
    ids : ndarray (k,)
    sizes : ndarray (k,)
    means, variances : ndarray (k, n_columns)
        Variances of the population: of the group itself.
    """

    ids: IntArray
    sizes: IntArray
    means: Floats
    variances: Floats


class Difference(NamedTuple):
    """How far the mean of a column in a cluster lies from that of the rest.

    Attributes
    ----------
    column : int
    difference, low, high : float
        Hedges' g, in standard deviations within the two, and its 95 % interval.
    mean, rest : float
        Of the column, in the cluster and in all other samples.
    """

    column: int
    difference: float
    low: float
    high: float
    mean: float
    rest: float


def moments(rows: NDArray[Any], groups: IntArray) -> Moments:
    """Return means and variances of the columns of rows (n, n_columns) in each group."""
    ids, places = np.unique(groups, return_inverse=True)
    sizes = np.bincount(places)
    center = rows.mean(axis=0, dtype=np.float64)
    sums, squares = np.zeros((2, len(ids), rows.shape[1]))
    for part in slices(len(rows)):
        x = rows[part] - center
        n = len(x)
        at = csr_array((np.ones(n), (places[part], np.arange(n))), shape=(len(ids), n))
        sums += at @ x
        squares += at @ np.square(x)
    means = sums / sizes[:, None]
    variances = np.maximum(squares / sizes[:, None] - np.square(means), 0)
    return Moments(ids, sizes, center + means, variances)


def distinguishing_columns(found: Moments, most: int = N_SHOWN) -> dict[int, list[Difference]]:
    """Return for each group the columns whose means differ most from the rest's, most first.

    The difference is Hedges' g with its large-sample interval (Hedges and Olkin, "Statistical
    Methods for Meta-Analysis", 1985). The clusters were made of these columns, so the interval says
    how well the size of a difference is known, and is no test that there is one. Where a column is
    constant in the group and in the rest, and differs, the difference is infinite. A group of one
    sample, or with one sample beside it, has none.
    """
    return {
        int(group): _of_group(found, i, most)
        for i, group in enumerate(found.ids)
        if 2 <= found.sizes[i] <= found.sizes.sum() - 2
    }


def _of_group(found: Moments, i: int, most: int) -> list[Difference]:
    n, rest = int(found.sizes[i]), int(found.sizes.sum() - found.sizes[i])
    others = np.arange(len(found.ids)) != i
    weights = found.sizes[others, None] / rest
    mean = (weights * found.means[others]).sum(axis=0)
    spread = found.variances[others] + np.square(found.means[others] - mean)
    within = (n * found.variances[i] + rest * (weights * spread).sum(axis=0)) / (n + rest - 2)
    apart = found.means[i] - mean
    scale = np.maximum(np.abs(found.means[i]), np.abs(mean))
    is_same = np.abs(apart) <= 1e-12 * scale  # but for rounding
    # Less is what rounding leaves of the variance of a constant column.
    within = np.where(
        within <= np.square(np.maximum(1e-12 * scale, 1e-7 * np.abs(apart))), 0, within
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        g = np.where(is_same, 0.0, apart / np.sqrt(within)) * (1 - 3 / (4 * (n + rest - 2) - 1))
    order = np.argsort(-np.abs(g), kind="stable")[:most]
    return [
        Difference(
            int(c), *_interval(float(g[c]), n, rest), float(found.means[i, c]), float(mean[c])
        )
        for c in order
        if g[c]
    ]


def _interval(g: float, n: int, rest: int) -> tuple[float, float, float]:
    if math.isinf(g):
        return g, g, g
    error = math.sqrt((n + rest) / (n * rest) + g**2 / (2 * (n + rest)))
    return g, g - _Z * error, g + _Z * error


def image_facts(found: Moments) -> dict[int, tuple[float, float]]:
    """Return of each group of images the brightness of its mean image, and how much they vary.

    The latter is the variance of a pixel within the group, on average, over that among all images:
    1 says that the group's images differ as much as any. Rows are in [0, 1].
    """
    shares = found.sizes[:, None] / found.sizes.sum()
    center = (shares * found.means).sum(axis=0)
    total = (shares * (found.variances + np.square(found.means - center))).sum(axis=0).mean()
    return {
        int(group): (float(mean.mean()), float(variance.mean() / total) if total else 0.0)
        for group, mean, variance in zip(found.ids, found.means, found.variances, strict=True)
    }
