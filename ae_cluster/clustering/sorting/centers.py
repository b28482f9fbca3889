"""Where in code space the clusters lie: far apart, and the alike ones side by side."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.spatial.distance import cdist, pdist

STARTS = 5
Centers = NDArray[np.float64]


def spread_centers(n_clusters: int, n_components: int, seed: int = 0) -> Centers:
    """Return points (k, n_components) on the unit sphere that repel one another.

    Of several starts the one with the largest least distance; on a line, k equal
    steps from −1 to 1.
    """
    if n_components == 1:
        return np.linspace(-1, 1, n_clusters)[:, None]
    if n_clusters == 1:
        return np.zeros((1, n_components))
    rng = np.random.default_rng(seed)
    found = [_repelled(rng.normal(size=(n_clusters, n_components))) for _ in range(STARTS)]
    return max(found, key=lambda centers: float(pdist(centers).min()))


def _repelled(start: Centers) -> Centers:
    """Return the points after moving on the sphere to a least sum of 1 / distance²."""
    others = ~np.eye(len(start), dtype=bool)

    def energy(flat: Centers) -> tuple[float, Centers]:
        free = flat.reshape(start.shape)
        length = np.linalg.norm(free, axis=1, keepdims=True)
        points = free / length
        gaps = points[:, None] - points[None]
        squares = np.square(gaps).sum(axis=2)
        force = np.where(others, 1 / np.maximum(squares, 1e-9), 0.0)
        slope = -4 * (gaps * np.square(force)[:, :, None]).sum(axis=1)
        slope = (slope - points * (slope * points).sum(axis=1, keepdims=True)) / length
        return float(force.sum()), slope.ravel()

    found = minimize(energy, start.ravel(), jac=True, method="L-BFGS-B").x.reshape(start.shape)
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True))


def neighborly(centers: Centers, alike: NDArray[np.float64]) -> Centers:
    """Return the same centers in an order that puts alike clusters near each other.

    Two clusters change places while that lowers the sum of likeness times squared
    distance.

    Parameters
    ----------
    centers : ndarray (k, n_components)
    alike : ndarray (k, k)
        Symmetric; how much two clusters have to do with each other.
    """
    distances = cdist(centers, centers, "sqeuclidean")
    alike = alike - np.diag(np.diag(alike))
    order = np.arange(len(centers))
    cost = float((alike * distances).sum())
    improved = True
    while improved:
        improved = False
        for a, b in itertools.combinations(range(len(order)), 2):
            order[[a, b]] = order[[b, a]]
            now = float((alike * distances[np.ix_(order, order)]).sum())
            if now < cost - 1e-12:
                cost, improved = now, True
            else:
                order[[a, b]] = order[[b, a]]
    return centers[order]
