"""How much the cluster of a sample tells about the cluster of its neighbour, and back.

Walk one step along a random edge of a neighbour graph and look at the clusters
at both ends: their mutual information is high when neighbours share a cluster
*and* clusters are many-sided, so it neither cuts through a dense region nor merges
two of them to save a cut. No label is asked, which is why it may choose between
clusterings. It is the objective of Ji, Henriques and Vedaldi, "Invariant
Information Clustering" (2019), with neighbours instead of augmented views.

It has a leaning: the information of two neighbours' clusters is the entropy of the
clusters' shares, less what is left unknown of the one when the other is seen. The
first is largest for clusters of one size, and can pay for a cut through the largest
dense region; so it may be counted less (``evenness``), and `deepest_cut` tells such a cut.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import entr

Clusters = NDArray[np.int64]
TINY = 1e-9
SURE = 2.0  # standard errors
MAX_ITER = 1000  # of `refined`; the information rises with each, so that it ends by itself


def edge_shares(weights: sparse.csr_array, clusters: Clusters, n_clusters: int) -> NDArray[Any]:
    """Return the share (k, k) of the edges' weight between each two clusters.

    Parameters
    ----------
    weights : sparse array (n, n)
        Symmetric.
    clusters : ndarray (n,)
    """
    members = _members(clusters, n_clusters)
    shares = (members.T @ (weights @ members)).toarray()
    return np.asarray(shares / shares.sum())


def neighbor_information(
    weights: sparse.csr_array, clusters: Clusters, n_clusters: int, evenness: float = 1.0
) -> float:
    """Return the mutual information, in nats, of the clusters at the two ends of an edge.

    Zero for a single cluster, log k for k equal clusters without an edge between them.

    Parameters
    ----------
    evenness : float
        How much the entropy of the clusters' shares counts; at 0, only that neighbours
        share a cluster does, and a single one is the best.
    """
    shares = edge_shares(weights, clusters, n_clusters)
    return float((1 + evenness) * entr(shares.sum(axis=1)).sum() - entr(shares).sum())


def deepest_cut(weights: sparse.csr_array, clusters: Clusters, n_clusters: int) -> float:
    """Return how closely the two clusters with the most edges between them are tied.

    The share of these edges over the geometric mean of the shares that end in either:
    0 where no edge leads from a cluster to another, 1 where all do.
    """
    shares = edge_shares(weights, clusters, n_clusters)
    ends = np.maximum(shares.sum(axis=1), TINY)
    ties = shares / np.sqrt(np.outer(ends, ends))
    np.fill_diagonal(ties, 0)
    return float(ties.max())


def tells_more(
    weights: sparse.csr_array,
    challenger: Clusters,
    holder: Clusters,
    n_clusters: int,
    evenness: float = 1.0,
    sure: float = SURE,
) -> bool:
    """Return whether a clustering has more information than another, by more than chance.

    By more than ``sure`` standard errors of the samples' mean difference: among
    few samples, the best of many candidates is easily the luckiest.
    """
    gained = _information_of_samples(weights, challenger, n_clusters, evenness)
    gained -= _information_of_samples(weights, holder, n_clusters, evenness)
    return bool(gained.mean() > sure * gained.std() / np.sqrt(len(gained)))


def _information_of_samples(
    weights: sparse.csr_array, clusters: Clusters, n_clusters: int, evenness: float
) -> NDArray[np.float64]:
    """Return what the edges of each sample (n,) add to `neighbor_information`, up to a factor."""
    votes = (weights @ _members(clusters, n_clusters)).toarray()
    pointwise = _pointwise(edge_shares(weights, clusters, n_clusters), evenness)
    return np.asarray((votes * pointwise[clusters]).sum(axis=1))


def _pointwise(shares: NDArray[Any], evenness: float) -> NDArray[Any]:
    """Return the information (k, k) of meeting one cluster beside another."""
    shares = shares + TINY
    ends = shares.sum(axis=1)
    rarity = np.outer(ends, ends) ** (-(1 + evenness) / 2)
    return np.asarray(np.log(shares * rarity))


class Refined(NamedTuple):
    """Clusters, and how refining them ended.

    Attributes
    ----------
    clusters : ndarray (n,)
    n_iter : int
        Rounds in which samples moved.
    converged : bool
        The information rose no more; else ``MAX_ITER`` rounds were made.
    """

    clusters: Clusters
    n_iter: int
    converged: bool


def refined(
    weights: sparse.csr_array, clusters: Clusters, n_clusters: int, evenness: float = 1.0
) -> Refined:
    """Return the clusters after moving samples to where their neighbours speak for them.

    Every sample goes to the cluster with the largest sum, over its edges, of the
    pointwise information between that cluster and the neighbour's; repeated while
    `neighbor_information` rises.
    """
    information = neighbor_information(weights, clusters, n_clusters, evenness)
    for n_iter in range(MAX_ITER):
        votes = (weights @ _members(clusters, n_clusters)).toarray()
        shares = edge_shares(weights, clusters, n_clusters)
        moved = (votes @ _pointwise(shares, evenness)).argmax(axis=1)
        now = neighbor_information(weights, moved, n_clusters, evenness)
        if now <= information + TINY:
            return Refined(clusters, n_iter, converged=True)
        clusters, information = moved, now
    return Refined(clusters, MAX_ITER, converged=False)


def _members(clusters: Clusters, n_clusters: int) -> sparse.csr_array:
    n = len(clusters)
    return sparse.csr_array((np.ones(n), (np.arange(n), clusters)), (n, n_clusters))


def merged(
    weights: sparse.csr_array,
    clusters: Clusters,
    n_clusters: int,
    n_wanted: int,
    evenness: float = 1.0,
) -> Clusters:
    """Return the clusters after merging pairs until ``n_wanted`` are left.

    Each time the two are merged that leave the most `neighbor_information`.

    Parameters
    ----------
    weights : sparse array (n, n)
        Symmetric.
    clusters : ndarray (n,)
        In 0 … ``n_clusters`` − 1; the result is in 0 … ``n_wanted`` − 1.
    evenness : float
        As of `neighbor_information`.
    """
    shares = edge_shares(weights, clusters, n_clusters)
    position = np.arange(n_clusters)  # of each cluster among those that are left
    while len(shares) > n_wanted:
        gains = merging_gains(shares, evenness)
        kept, lost = sorted(divmod(int(gains.argmax()), len(shares)))
        shares[kept] += shares[lost]
        shares[:, kept] += shares[:, lost]
        shares = np.delete(np.delete(shares, lost, 0), lost, 1)
        position[position == lost] = kept
        position[position > lost] -= 1
    return np.asarray(position[clusters])


def merging_gains(shares: NDArray[Any], evenness: float) -> NDArray[Any]:
    """Return what `neighbor_information` gains (k, k), mostly loses, by merging two clusters.

    −inf on the diagonal.
    """
    ends, inner, own = shares.sum(axis=1), shares.diagonal(), entr(shares)
    size = entr(ends[:, None] + ends) - entr(ends)[:, None] - entr(ends)
    # Edges to all clusters, less those to the two themselves, which lie inside once merged.
    outside = entr(shares[:, None] + shares).sum(axis=2)
    outside -= entr(inner[:, None] + shares) + entr(shares + inner)
    before = own.sum(axis=1) - own.diagonal()
    outside -= before[:, None] + before - 2 * own
    inside = entr(inner[:, None] + inner + 2 * shares)
    inside -= own.diagonal()[:, None] + own.diagonal() + 2 * own
    gains = (1 + evenness) * size - (2 * outside + inside)
    np.fill_diagonal(gains, -np.inf)
    return np.asarray(gains)
