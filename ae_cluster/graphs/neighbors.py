"""Exact nearest neighbours of codes, by the way that suits their width."""

from __future__ import annotations

import warnings
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.neighbors import KDTree, NearestNeighbors

from ae_cluster.common.validation import FloatArray, IntArray

MOST_FOR_A_TREE = 15  # dimensions; beyond, a k-d tree looks at nearly everything
MOST_COMPARED = 50  # dimensions in which distances are taken
WIDE = 2000  # columns whose covariances are taken apart in seconds; of photographs it is minutes
MOST_IN_A_GRAPH = 100_000  # samples, where a method has no need of all: the rest are assigned
Distances = NDArray[np.float64]


def sample_for_graph(n: int, most: int, seed: int, what: str) -> IntArray:
    """Return which of n samples a neighbour graph is made of: all, or ``most`` at random.

    Their indices rise. Where they are not all, a warning says what assigns the rest.
    """
    if n <= most:
        return np.arange(n)
    warnings.warn(
        f"The neighbour graph is made of {most:,} of the {n:,} samples, drawn at random; {what} "
        "assigns the rest.",
        stacklevel=2,
    )
    return np.sort(np.random.RandomState(seed).choice(n, most, replace=False))


def squared_distances(codes: Any, centers: Any) -> Any:
    """Return the squared distances (n, k) of codes to centres, by one product of matrices."""
    squares = (centers**2).sum(1) - 2 * (codes @ centers.T)
    squares += (codes**2).sum(1)[:, None]
    return squares.clip(0)  # below it by rounding


def _solver(codes: FloatArray, is_exact: bool) -> str:
    """Return how scikit-learn finds principal components quickest.

    Of more columns than samples few are found one by one, as exactly; but there must be one.
    """
    n, width = codes.shape
    if not is_exact and width > WIDE:
        return "randomized"
    return "arpack" if n < width and (codes != codes[0]).any() else "covariance_eigh"


class NeighborSearch:
    """A search among codes (n, n_components), in principal components where these are many.

    Parameters
    ----------
    codes : ndarray (n, n_components)
    is_exact : bool
        False: the principal components of more than 2,000 columns are those of a random sketch,
        in seconds instead of minutes.

    Attributes
    ----------
    positions : ndarray (n, at most 50)
        Where distances are taken: the codes, or their first principal components.
    """

    def __init__(self, codes: FloatArray, is_exact: bool = True) -> None:
        n, width = codes.shape
        self._pca: Any = None
        if width > MOST_COMPARED and n > MOST_COMPARED:
            how = _solver(codes, is_exact)
            self._pca = PCA(MOST_COMPARED, svd_solver=how, random_state=0).fit(codes)
        self.positions = self.position_of(codes)
        # A tree alone answers small questions ten times as quickly as the estimator around it.
        self._tree = KDTree(self.positions, leaf_size=30) if width <= MOST_FOR_A_TREE else None

    @cached_property
    def _index(self) -> NearestNeighbors:
        how = "brute" if self._tree is None else "kd_tree"  # in chunks, never n × n
        return NearestNeighbors(algorithm=how, leaf_size=30).fit(self.positions)

    @property
    def has_projection(self) -> bool:
        """Whether distances are taken among principal components."""
        return self._pca is not None

    def position_of(self, codes: FloatArray) -> FloatArray:
        """Return where codes lie for distances: as they are, or their principal components."""
        positions: FloatArray = codes if self._pca is None else self._pca.transform(codes)
        return positions

    def nearest(self, codes: FloatArray, k: int) -> tuple[Distances, IntArray]:
        """Return distances and indices (m, k) of the nearest, nearest first."""
        positions = self.position_of(codes)
        if self._tree is not None:
            found: tuple[Distances, IntArray] = self._tree.query(positions, k)
            return found
        distances, indices = self._index.kneighbors(positions, k)
        return distances.astype(np.float64), indices

    def nearest_others(self, k: int) -> tuple[Distances, IntArray]:
        """Return distances and indices (n, k) of each searched code's nearest but itself."""
        distances, indices = self._index.kneighbors(n_neighbors=k)
        return distances.astype(np.float64), indices
