"""The graph of nearest neighbours that all graph methods on the same codes share.

Weights as in Calder, Cook, Thorpe and Slepčev, "Poisson Learning" (ICML 2020): each sample
i is tied to its k nearest by exp(−4 d² / dₖ(i)²), dₖ(i) being the distance to the k-th, and
the two directions of a pair are averaged. Codes that form islands give a graph of several
parts, in which a label can never reach the others; these are tied by single weak edges.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

from ae_cluster.common.errors import InputError
from ae_cluster.common.global_state import default_state
from ae_cluster.common.validation import FloatArray, IntArray, checked_codes
from ae_cluster.graphs.neighbors import Distances, NeighborSearch

TIE = float(np.exp(-4.0))  # weight of a k-th neighbour


@dataclass(frozen=True, eq=False)
class NeighborGraph:
    """Nearest neighbours of codes, and what finds those of new ones.

    Attributes
    ----------
    codes : ndarray (n, n_components)
    weights : sparse array (n, n)
        Symmetric, no diagonal, connected; about 1.3 · n · n_neighbors entries.
    degrees : ndarray (n,)
        Row sums of the weights, all above 0.
    n_neighbors : int
    search : NeighborSearch
        Among the codes.
    parts : ndarray (n,)
        The part of each sample before these were tied.
    """

    codes: FloatArray
    weights: sparse.csr_array
    degrees: NDArray[np.float64]
    n_neighbors: int
    search: NeighborSearch
    parts: IntArray

    def __deepcopy__(self, _: object) -> NeighborGraph:
        return self  # it never changes: clones of a classifier share it

    def attach(self, codes: ArrayLike) -> sparse.csr_array:
        """Return the weights (m, n) of new codes to their nearest in the graph; rows sum to 1."""
        found = self.search.nearest(checked_codes(codes), self.n_neighbors)
        weights = _rows_of_weights(*found, len(self.codes))
        sums = np.asarray(weights.sum(axis=1))
        return sparse.csr_array(sparse.diags_array(1 / sums) @ weights)


@default_state()
def neighbor_graph(codes: ArrayLike, n_neighbors: int = 10) -> NeighborGraph:
    """Return the graph of the nearest neighbours of codes (n, n_components), n at least 2.

    Exact in up to 50 dimensions, in the first 50 principal components beyond. Never takes
    n × n memory: 60,000 codes of three numbers take about a second.

    Raises
    ------
    InputError
        For fewer than one neighbour, fewer than two codes, or codes that are not finite.
    """
    points = checked_codes(codes)
    if n_neighbors < 1 or len(points) < 2:
        raise InputError(
            f"A graph of {len(points)} sample(s) with {n_neighbors} neighbours cannot be made; "
            "ask for at least 1 neighbour and give at least 2 samples."
        )
    k = min(n_neighbors, len(points) - 1)
    search = NeighborSearch(points)
    directed = _rows_of_weights(*search.nearest_others(k), len(points))
    weights = with_short_indices(sparse.csr_array((directed + directed.T) / 2))
    parts = connected_components(weights, directed=False)[1].astype(np.int64)
    weights = _tied_together(weights, points, parts)
    return NeighborGraph(points, weights, np.asarray(weights.sum(axis=1)), k, search, parts)


def _rows_of_weights(distances: Distances, indices: IntArray, n: int) -> sparse.csr_array:
    """Return the weights (m, n) of m samples to their k nearest."""
    farthest = distances[:, -1:]
    # Where k samples or more lie at the very same position, all are as near as can be.
    ratios = np.divide(distances, farthest, out=np.zeros_like(distances), where=farthest > 0)
    m, k = indices.shape
    starts = np.arange(0, m * k + 1, k)
    return sparse.csr_array((np.exp(-4 * ratios**2).ravel(), indices.ravel(), starts), (m, n))


# Parts


def with_short_indices(weights: sparse.csr_array) -> sparse.csr_array:
    """Return the same weights with int32 indices: scipy before 1.17.1 finds no tree with others."""
    if max(weights.shape[0], weights.nnz) > np.iinfo(np.int32).max:
        return weights
    short = (part.astype(np.int32, copy=False) for part in (weights.indices, weights.indptr))
    return sparse.csr_array((weights.data, *short), shape=weights.shape)


def _tied_together(
    weights: sparse.csr_array, points: FloatArray, part: IntArray
) -> sparse.csr_array:
    """Return the weights with one edge, as of a k-th neighbour, between neighbouring parts."""
    if not part.any():
        return weights
    ends = np.array([_close_pair(points, part, a, b) for a, b in _tree_of_parts(points, part)])
    both_ways = np.concatenate([ends, ends[:, ::-1]]).T
    ties = sparse.coo_array((np.full(both_ways.shape[1], TIE), tuple(both_ways)), weights.shape)
    return sparse.csr_array(weights + ties)


def _tree_of_parts(points: FloatArray, part: IntArray) -> IntArray:
    """Return the pairs (n_parts − 1, 2) of parts to be tied: a tree along the parts' centers."""
    sizes = np.bincount(part)
    means = sparse.csr_array((1 / sizes[part], (part, np.arange(len(part)))))
    # Of fewer points, so this comes to an end.
    nearness = with_short_indices(neighbor_graph(means @ points).weights)
    nearness.data = 2 - nearness.data
    return np.stack(minimum_spanning_tree(nearness).nonzero(), axis=1)


def _close_pair(points: FloatArray, part: IntArray, a: int, b: int) -> tuple[int, int]:
    """Return a sample of part ``a`` near part ``b``, and the sample of ``b`` nearest to it."""
    in_a, in_b = np.flatnonzero(part == a), np.flatnonzero(part == b)
    i = in_a[_nearest_to(points[in_b].mean(axis=0), points[in_a])]
    return int(i), int(in_b[_nearest_to(points[i], points[in_b])])


def _nearest_to(position: FloatArray, points: FloatArray) -> int:
    return int(np.square(points - position).sum(axis=1).argmin())
