"""Clusterings without any network, from which `graph_clustering` chooses.

KMeans and Gaussian mixtures of the samples; spectral clusterings of their neighbour graph;
Gaussian mixtures of a 3-D UMAP of it; and many small spectral clusters, merged until k are
left, which may be of very unequal sizes. Each kind is often right, and each sometimes merges
two classes.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import eigsh
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from ae_cluster.clustering.sorting.information import Clusters, merged, refined
from ae_cluster.common.stage_times import stage
from ae_cluster.graphs.near_cells import near_in_cells
from ae_cluster.graphs.neighbors import NeighborSearch
from ae_cluster.graphs.umap import Neighbors, umap_embedding

CUT = (10, 15)  # neighbours in the graphs that are cut
SMALL = 4  # times the clusters are what unequal ones are merged from
FEW = 100  # samples: fewer make no manifold to speak of
TIE = 1e-8  # of a sample to itself: none is without an edge
MOST_COMPONENTS = 20  # of a mixture with full covariances
PER_COMPONENT = 20  # samples at least for each of them


@stage("neighbours")
def nearest_neighbors(samples: NDArray[Any], n_neighbors: int, is_exact: bool = True) -> Neighbors:
    """Return distances and indices (n, k) of each sample's nearest others, nearest first.

    In the first 50 principal components where there are more columns. Not exact: nearly all.
    """
    k = min(n_neighbors, len(samples) - 1)
    if not is_exact:
        return near_in_cells(NeighborSearch(np.asarray(samples, dtype=np.float32)).positions, k)
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


def of_samples(
    samples: NDArray[Any], n_clusters: int, seed: int, starts: int, mixtures: int
) -> Iterator[Clusters]:
    """Yield clusterings (n,) of the samples themselves: KMeans, and mixtures of Gaussians.

    The mixtures, of full covariances, are of the first principal components.
    """
    yield kmeans(samples, n_clusters, seed, starts)
    rows = np.asarray(samples, dtype=np.float64)
    most = min(MOST_COMPONENTS, len(rows) // PER_COMPONENT + 1)
    if rows.shape[1] > most:
        rows = PCA(most, random_state=seed).fit_transform(rows)
    yield from _mixtures(rows, n_clusters, seed, mixtures)


def spectral(
    weights: sparse.csr_array,
    n_clusters: int,
    seed: int,
    times: Sequence[float],
    starts: int,
    part: int | None = None,
) -> Iterator[Clusters]:
    """Yield clusterings (n,) by KMeans of a graph's leading eigenvectors, rows of length 1.

    Parameters
    ----------
    weights : of `shared_neighbor_graph`
    times : sequence of float
        Numbers of eigenvectors, in numbers of clusters.
    starts : int
        Of KMeans, each a clustering.
    part : int, optional
        Of so many samples, the rest going to the nearest centre; by default of all.
    """
    most = weights.shape[0] - 2
    wanted = sorted({min(most, round(t * n_clusters)) for t in times})
    if most < 1:
        return
    directions = spectral_directions(weights, wanted[-1]).astype(np.float32)
    for n_directions in wanted:
        for start in range(starts):
            rows = _on_sphere(directions[:, :n_directions])
            yield kmeans(rows, n_clusters, seed + start, part=part)


def umap_mixtures(
    samples: NDArray[Any],
    neighbors: Neighbors,
    n_clusters: int,
    seed: int,
    starts: int,
    n_epochs: int | None,
) -> Iterator[Clusters]:
    """Yield clusterings (n,) by Gaussian mixtures of a 3-D UMAP, none of fewer than `FEW`."""
    if len(samples) >= FEW:
        embedding = umap_embedding(
            samples, 3, neighbors[1].shape[1] + 1, seed, neighbors=neighbors, n_epochs=n_epochs
        )
        yield from _mixtures(embedding, n_clusters, seed, starts)


def merged_from_small(
    judge: sparse.csr_array,
    neighbors: Neighbors,
    n_clusters: int,
    seed: int,
    starts: int,
    evenness: Sequence[float],
) -> Iterator[Clusters]:
    """Yield clusterings (n,) of the neighbour graph merged from several times as many.

    Parameters
    ----------
    judge : sparse array (n, n)
        The graph whose information the small clusters are to keep.
    evenness : sequence of float
        Each gives a clustering for each start; see `neighbor_information`.
    """
    n_small = min(SMALL * n_clusters, len(neighbors[1]) - 2)
    for size in CUT if n_small > n_clusters else ():
        graph = shared_neighbor_graph(neighbors[1][:, :size])
        for found in spectral(graph, n_small, seed, (1,), starts):
            small = refined(judge, found, n_small).clusters
            for even in evenness:
                yield merged(judge, small, n_small, n_clusters, even)


def _mixtures(
    rows: NDArray[np.float64], n_clusters: int, seed: int, starts: int
) -> Iterator[Clusters]:
    for start in range(starts):
        mixture = GaussianMixture(
            n_clusters, init_params="k-means++", random_state=seed + start, reg_covar=1e-5
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # one that does not converge is not chosen
            with stage("mixtures"):
                clusters = mixture.fit_predict(rows)
        yield clusters


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
def kmeans(
    samples: NDArray[Any], n_clusters: int, seed: int, starts: int = 1, part: int | None = None
) -> Clusters:
    """Return clusters (n,) by KMeans of all samples or a part, the best of some starts."""
    learnt = samples
    if part is not None and part < len(samples):
        learnt = samples[np.random.RandomState(seed).choice(len(samples), part, replace=False)]
    with warnings.catch_warnings():
        # Directions may coincide where samples do not; then some clusters are empty.
        warnings.simplefilter("ignore", ConvergenceWarning)
        centers = KMeans(n_clusters, n_init=starts, random_state=seed).fit(learnt)
        clusters = centers.labels_ if learnt is samples else centers.predict(samples)
    return np.asarray(clusters, dtype=np.int64)


def _on_sphere(directions: NDArray[Any]) -> NDArray[Any]:
    length = np.linalg.norm(directions, axis=1, keepdims=True)
    return np.asarray(directions / np.maximum(length, np.finfo(np.float32).tiny))
