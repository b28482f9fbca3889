"""A first clustering, without any network: the best of several by what neighbours tell.

Three kinds of candidates: KMeans on the samples, spectral clustering of their
neighbour graph with several numbers of eigenvectors, and Gaussian mixtures on a
3-D UMAP of it. Each is often right and each sometimes merges two classes; the
mutual information between the clusters of a sample and of its five nearest
(`information`) tells which one to trust, without labels. Clusters of one size are
the first guess. Where they may cut through a dense region, unequal ones are looked for by
merging many small ones (`merging`), and taken if they are unequal indeed: data of
equal classes hold small dense regions too, but seldom some that large and that small.
"""

from __future__ import annotations

import heapq
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import eigsh
from scipy.special import entr
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from ae_cluster.clustering.sorting.information import (
    Clusters,
    deepest_cut,
    merged,
    neighbor_information,
    refined,
    tells_more,
)
from ae_cluster.common.stage_times import stage
from ae_cluster.graphs.neighbors import NeighborSearch
from ae_cluster.graphs.umap import Neighbors, umap_embedding

EIGENVECTORS = (1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.2, 2.5)  # times the number of clusters
CUT = (10, 15)  # neighbours in the graphs that are cut
JUDGES = 5  # neighbours in the graph that judges: the nearest know best
FINALISTS = 10  # candidates that are refined
EVENNESS = 0.3  # counted when unequal clusters are looked for; else all of it, 1
SMALL = 4  # times the clusters are what unequal ones are merged from
UNEQUAL = 0.86  # of the clusters: an effective number under it is unequal indeed
DENSE = 0.03  # a deeper cut may lead through a dense region
CLEAN = 0.005  # a shallower one leads through a gap
SHALLOWER = 4  # times, and KMeans goes through gaps where the best does not
STARTS = 8  # of KMeans on each set of eigenvectors
MIXTURES = 10  # starts of the mixture on the UMAP
UMAP_EPOCHS = 100  # half of its own for many samples: as good on MNIST
MANY = 10_000  # samples: KMeans on more takes long, and was not the best
FEW = 100  # samples: fewer make no manifold to speak of
TIE = 1e-8  # of a sample to itself: none is without an edge


@stage("neighbours")
def nearest_neighbors(samples: NDArray[Any], n_neighbors: int) -> Neighbors:
    """Return distances and indices (n, k) of each sample's nearest others, nearest first.

    In the first 50 principal components where there are more columns.
    """
    k = min(n_neighbors, len(samples) - 1)
    return NeighborSearch(np.asarray(samples, dtype=np.float64)).nearest_others(k)


def shared_neighbor_graph(indices: NDArray[np.int64]) -> sparse.csr_array:
    """Return symmetric weights (n, n): how many neighbours two neighbours share.

    The Jaccard index of their neighbour lists, each with the sample itself, as in
    Levine and others, "PhenoGraph" (2015). Edges across a gap weigh little, since
    the two sides have few neighbours in common.
    """
    n, k = indices.shape
    near = _edges(np.ones(indices.shape), indices)
    with_self = near + sparse.eye_array(n, format="csr")
    shared = sparse.csr_array((with_self @ with_self.T) * ((near + near.T) > 0))
    shared.data = shared.data / (2 * (k + 1) - shared.data)
    return sparse.csr_array(shared + TIE * sparse.eye_array(n, format="csr"))


def nearest_graph(indices: NDArray[np.int64]) -> sparse.csr_array:
    """Return symmetric weights (n, n): 1 for a neighbour, 2 where it is mutual."""
    near = _edges(np.ones(indices.shape), indices)
    return sparse.csr_array(near + near.T)


def _edges(weights: NDArray[np.float64], indices: NDArray[np.int64]) -> sparse.csr_array:
    n, k = indices.shape
    starts = np.arange(0, n * k + 1, k)
    return sparse.csr_array((weights.ravel(), indices.ravel(), starts), (n, n))


def first_clusters(
    samples: NDArray[Any], neighbors: Neighbors, n_clusters: int, seed: int
) -> Clusters:
    """Return the candidate of most information between neighbours, once refined.

    Unrefined, rough edges hide whole clusters that are right. KMeans on the samples
    is the simplest, and stays unless another tells more by more than chance, or where
    it goes through gaps and the best does not.

    Parameters
    ----------
    samples : ndarray (n, n_features)
        What a network is fed: images in [0, 1] or scaled columns.
    neighbors : of `nearest_neighbors`
    n_clusters : int
    seed : int
    """
    judge = nearest_graph(neighbors[1][:, :JUDGES])
    starts = STARTS if len(samples) <= MANY else 1
    simplest = _kmeans(samples, n_clusters, seed, starts)
    found = list(of_graph(samples, neighbors, n_clusters, seed))
    if not found:
        return simplest
    best, evenness = most_telling(judge, found, n_clusters), 1.0
    deepest = deepest_cut(judge, best, n_clusters)
    if deepest > CLEAN and deepest_cut(judge, simplest, n_clusters) < deepest / SHALLOWER:
        return simplest
    if deepest > DENSE:
        unequal = list(of_small_ones(judge, neighbors, n_clusters, seed))
        other = most_telling(judge, unequal, n_clusters, EVENNESS) if unequal else best
        if effective_number(other) < UNEQUAL * n_clusters:
            best, evenness = other, EVENNESS
    return best if tells_more(judge, best, simplest, n_clusters, evenness) else simplest


def effective_number(clusters: Clusters) -> float:
    """Return the exponential of the entropy of the clusters' sizes: k for k of one size."""
    return float(np.exp(entr(np.bincount(clusters) / len(clusters)).sum()))


@stage("judging")
def most_telling(
    judge: sparse.csr_array, found: list[Clusters], n_clusters: int, evenness: float = 1.0
) -> Clusters:
    """Return the candidate of most `neighbor_information`, once the best of them are refined."""

    def information(clusters: Clusters) -> float:
        return neighbor_information(judge, clusters, n_clusters, evenness)

    finalists = heapq.nlargest(FINALISTS, found, key=information)
    return max(
        (refined(judge, f, n_clusters, evenness).clusters for f in finalists), key=information
    )


def of_graph(
    samples: NDArray[Any], neighbors: Neighbors, n_clusters: int, seed: int
) -> Iterator[Clusters]:
    """Yield clusterings (n,) of the neighbour graph, spectral ones and those of its UMAP."""
    for size in CUT:
        yield from _spectral(shared_neighbor_graph(neighbors[1][:, :size]), n_clusters, seed)
    if len(samples) >= FEW:
        embedding = umap_embedding(
            samples, 3, neighbors[1].shape[1] + 1, seed, neighbors=neighbors, n_epochs=UMAP_EPOCHS
        )
        for i in range(MIXTURES):
            mixture = GaussianMixture(
                n_clusters, init_params="k-means++", random_state=seed + i, reg_covar=1e-5
            )
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # one that does not converge is not chosen
                with stage("mixtures"):
                    clusters = mixture.fit_predict(embedding)
            yield clusters


def of_small_ones(
    judge: sparse.csr_array, neighbors: Neighbors, n_clusters: int, seed: int
) -> Iterator[Clusters]:
    """Yield clusterings (n,) of the neighbour graph merged from several times as many."""
    n_small = min(SMALL * n_clusters, len(neighbors[1]) - 2)
    for size in CUT if n_small > n_clusters else ():
        graph = shared_neighbor_graph(neighbors[1][:, :size])
        directions = _on_sphere(spectral_directions(graph, n_small).astype(np.float32))
        for start in range(STARTS):
            small = _kmeans(directions, n_small, seed + start)
            small = refined(judge, small, n_small).clusters
            yield merged(judge, small, n_small, n_clusters, EVENNESS)


def _spectral(weights: sparse.csr_array, n_clusters: int, seed: int) -> Iterator[Clusters]:
    most = weights.shape[0] - 2
    wanted = sorted({min(most, round(times * n_clusters)) for times in EIGENVECTORS})
    if most < 1:
        return
    directions = spectral_directions(weights, wanted[-1]).astype(np.float32)
    for n_directions in wanted:
        for start in range(STARTS):
            yield _kmeans(_on_sphere(directions[:, :n_directions]), n_clusters, seed + start)


@stage("eigenvectors")
def spectral_directions(weights: sparse.csr_array, n_directions: int) -> NDArray[np.float64]:
    """Return the leading eigenvectors (n, n_directions) of the normalised weights.

    As in Ng, Jordan and Weiss, "On spectral clustering" (2001).
    """
    scale = sparse.diags_array(1 / np.sqrt(np.asarray(weights.sum(axis=1))))
    n = weights.shape[0]
    if n < FEW:  # exact: iterations from a constant start may already be at their end
        vectors = np.linalg.eigh((scale @ weights @ scale).toarray())[1]
        return np.asarray(vectors[:, ::-1][:, :n_directions])
    _, vectors = eigsh(
        sparse.csr_array(scale @ weights @ scale),
        k=n_directions,
        which="LA",
        v0=np.ones(n),
        ncv=min(n, max(3 * n_directions, 20)),
        tol=1e-4,
    )
    return np.asarray(vectors[:, ::-1])


@stage("KMeans starts")
def _kmeans(samples: NDArray[Any], n_clusters: int, seed: int, starts: int = 1) -> Clusters:
    with warnings.catch_warnings():
        # Directions may coincide where samples do not; then some clusters are empty.
        warnings.simplefilter("ignore", ConvergenceWarning)
        clusters = KMeans(n_clusters, n_init=starts, random_state=seed).fit_predict(samples)
    return np.asarray(clusters, dtype=np.int64)


def _on_sphere(directions: NDArray[Any]) -> NDArray[Any]:
    length = np.linalg.norm(directions, axis=1, keepdims=True)
    return np.asarray(directions / np.maximum(length, np.finfo(np.float32).tiny))
