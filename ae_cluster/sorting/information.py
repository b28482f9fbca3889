"""How much the cluster of a sample tells about the cluster of its neighbour, and back.

Walk one step along a random edge of a neighbour graph and look at the clusters
at both ends: their mutual information is high when neighbours share a cluster
*and* clusters are many-sided, so it neither cuts through a crowd nor merges two
crowds to save a cut. No label is asked, which is why it may choose between
clusterings. It is the objective of Ji, Henriques and Vedaldi, "Invariant
Information Clustering" (2019), with neighbours in the place of augmented views.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Clusters = NDArray[np.int64]
TINY = 1e-9
SURE = 2.0  # standard errors


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


def neighbor_information(weights: sparse.csr_array, clusters: Clusters, n_clusters: int) -> float:
    """Return the mutual information, in nats, of the clusters at the two ends of an edge.

    Zero for a single cluster, log k for k equal clusters without an edge between them.
    """
    shares = edge_shares(weights, clusters, n_clusters)
    ends = shares.sum(axis=1)
    expected = np.outer(ends, ends)
    there = shares > 0
    return float((shares[there] * np.log(shares[there] / expected[there])).sum())


def tells_more(
    weights: sparse.csr_array, challenger: Clusters, holder: Clusters, n_clusters: int
) -> bool:
    """Return whether a clustering has more information than another, by more than chance.

    By more than twice the standard error of the samples' mean difference: among
    few samples, the best of many candidates is easily the luckiest.
    """
    gained = _information_of_samples(weights, challenger, n_clusters)
    gained -= _information_of_samples(weights, holder, n_clusters)
    return bool(gained.mean() > SURE * gained.std() / np.sqrt(len(gained)))


def _information_of_samples(
    weights: sparse.csr_array, clusters: Clusters, n_clusters: int
) -> NDArray[np.float64]:
    """Return what the edges of each sample (n,) add to `neighbor_information`, up to a factor."""
    votes = (weights @ _members(clusters, n_clusters)).toarray()
    pointwise = _pointwise(weights, clusters, n_clusters)
    return np.asarray((votes * pointwise[clusters]).sum(axis=1))


def _pointwise(weights: sparse.csr_array, clusters: Clusters, n_clusters: int) -> NDArray[Any]:
    """Return the information (k, k) of meeting one cluster beside another."""
    shares = edge_shares(weights, clusters, n_clusters) + TINY
    ends = shares.sum(axis=1)
    return np.asarray(np.log(shares / np.outer(ends, ends)))


def polished(weights: sparse.csr_array, clusters: Clusters, n_clusters: int) -> Clusters:
    """Return the clusters after moving samples to where their neighbours speak for them.

    Every sample goes to the cluster with the largest sum, over its edges, of the
    pointwise information between that cluster and the neighbour's; repeated while
    `neighbor_information` rises.
    """
    information = neighbor_information(weights, clusters, n_clusters)
    while True:
        votes = (weights @ _members(clusters, n_clusters)).toarray()
        moved = (votes @ _pointwise(weights, clusters, n_clusters)).argmax(axis=1)
        now = neighbor_information(weights, moved, n_clusters)
        if now <= information + TINY:
            return clusters
        clusters, information = moved, now


def _members(clusters: Clusters, n_clusters: int) -> sparse.csr_array:
    n = len(clusters)
    return sparse.csr_array((np.ones(n), (np.arange(n), clusters)), (n, n_clusters))
