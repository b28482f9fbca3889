"""What all evidence is taken from: positions, nearest neighbours, and one hierarchy of clusters."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import cut_tree, linkage
from scipy.special import entr
from sklearn.decomposition import PCA

from ae_cluster.graphs.neighbors import MOST_COMPARED, NeighborSearch
from ae_cluster.graphs.umap import umap_embedding

IntArray = NDArray[np.int64]
N_NEIGHBORS = 15  # of the UMAP, each sample not counted
JUDGES = 5  # nearest neighbours whose clusters are compared: the nearest know best
FEW = 50  # samples: fewer make no UMAP to speak of
UMAP_COMPONENTS, UMAP_EPOCHS = 3, 150


class Representation(NamedTuple):
    """Samples as the evidence takes them.

    Attributes
    ----------
    positions : ndarray (n, at most 50)
        The samples, or their first principal components.
    distances, neighbors : ndarray (n, 15)
        Of each sample's nearest others, nearest first.
    levels : ndarray (n, most)
        Column k − 1 holds k clusters: Ward's hierarchy on a UMAP, cut at k.
    """

    positions: NDArray[np.float64]
    distances: NDArray[np.float64]
    neighbors: IntArray
    levels: IntArray

    @property
    def most(self) -> int:
        """The largest number of clusters that is scored."""
        return int(self.levels.shape[1])


def represent(rows: NDArray[np.float64], most: int, seed: int) -> Representation:
    """Return the representation of rows (n, n_features) up to ``most`` clusters."""
    search = NeighborSearch(rows)
    distances, neighbors = search.nearest_others(min(N_NEIGHBORS, len(rows) - 1))
    positions = _centered(search.positions)
    levels = hierarchy(positions, distances, neighbors, most, seed)
    return Representation(positions, distances, neighbors, levels)


def hierarchy(
    positions: NDArray[np.float64],
    distances: NDArray[np.float64],
    neighbors: IntArray,
    most: int,
    seed: int,
) -> IntArray:
    """Return Ward's hierarchy on a UMAP, cut at 1 … ``most`` clusters (n, most)."""
    if len(positions) >= FEW:
        positions = umap_embedding(
            positions, UMAP_COMPONENTS, neighbors.shape[1] + 1, seed,
            neighbors=(distances, neighbors), n_epochs=UMAP_EPOCHS,
        )  # fmt: skip
    return cut_tree(linkage(positions, "ward"), list(range(1, most + 1))).astype(np.int64)


def principal_components(rows: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """Return at most so many components, divided by the standard deviation of the first."""
    n_components = min(most, *rows.shape)
    found = PCA(n_components, svd_solver="full").fit_transform(rows)
    return np.asarray(found / max(found[:, 0].std(), np.finfo(np.float64).tiny))


def intrinsic_dimension(distances: NDArray[np.float64]) -> int:
    """Return the dimension, at least 1, that neighbours' distances (n, k) grow as in.

    The maximum-likelihood estimate of Levina and Bickel (2004), samples pooled as MacKay and
    Ghahramani (2005) advise.
    """
    far = distances[:, -1]
    kept = distances[(far > 0) & (distances[:, 0] > 0)]
    if not len(kept):
        return 1
    ratios = np.log(kept[:, -1:] / kept[:, :-1]).mean()
    return max(1, min(MOST_COMPARED, round(1 / max(float(ratios), 1e-3))))


class Edges(NamedTuple):
    """What the clusters at both ends of an edge between near neighbours tell.

    Attributes
    ----------
    entropy : float
        Of the clusters, in nats.
    leak : float
        Entropy of a neighbour's cluster when one's own is known; 0 where no edge leads from a
        cluster to another.
    """

    entropy: float
    leak: float


def edges_between(neighbors: IntArray, clusters: IntArray, k: int) -> Edges:
    """Return what the edges from samples to their nearest `JUDGES` neighbours tell of clusters."""
    near = neighbors[:, :JUDGES]
    pairs = k * np.repeat(clusters, near.shape[1]) + clusters[near.ravel()]
    shares = np.bincount(pairs, minlength=k * k).reshape(k, k).astype(np.float64)
    shares = (shares + shares.T) / (2 * shares.sum())
    entropy = entr(shares.sum(axis=1)).sum()
    return Edges(float(entropy), float(entr(shares).sum() - entropy))


def _centered(positions: NDArray[Any]) -> NDArray[np.float64]:
    return np.asarray(positions - positions.mean(axis=0), dtype=np.float64)
