"""A first clustering, without any network: the best of several by what neighbours tell.

The mutual information between the clusters of a sample and of its nearest (`information`)
tells which of the `candidates` to trust, without labels.

For up to `MANY` samples, candidates that cut through a dense region are left out where others
go through gaps, and KMeans and mixtures of the samples stay unless the graph's candidates tell
more by more than chance. For more, KMeans is the only simple one, and
clusters of one size are the first guess; where they may cut through a dense region, unequal
ones are looked for by merging many small ones, and taken if they are unequal indeed: data of
equal classes hold small dense regions too, but seldom some that large and that small.

Of more than `UMAP_UP_TO` samples, and where seconds count (`quick_clusters`), only spectral
clusterings and KMeans compete, found on some thousand samples: on MNIST as good for a training
that follows, and half a minute sooner.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import entr
from threadpoolctl import threadpool_limits

from ae_cluster.clustering.sorting.candidates import (
    CUT,
    kmeans,
    merged_from_small,
    nearest_graph,
    of_samples,
    shared_neighbor_graph,
    spectral,
    umap_mixtures,
)
from ae_cluster.clustering.sorting.information import (
    Clusters,
    deepest_cut,
    neighbor_information,
    refined,
    tells_more,
)
from ae_cluster.common.stage_times import stage
from ae_cluster.graphs.umap import Neighbors

MANY = 10_000  # samples
JUDGES = 5  # neighbours in the graph that judges: the nearest know best
WIDER = 10  # in the graph that small clusters are merged by
EIGENVECTORS = (1.0, 1.2, 1.4, 1.6)  # times the number of clusters
STARTS = 4  # of KMeans on each set of eigenvectors
MIXTURES = 2  # starts of each mixture
MERGED_STARTS = 2
KMEANS_STARTS = 8  # on the samples
FAIR = 0.7  # of the evenness counts in judging: classes of one size stay, unequal ones may
SURELY = 3.0  # standard errors by which the graph's must tell more than simple ones
GAP = 0.01  # a shallower cut leads through a gap; where one does, no dense region is cut
SHALLOWER = 4  # times a cut may be deeper than the shallowest
EVENNESS = 0.3  # counted when unequal clusters are looked for; else all of it, 1

# Of more than MANY samples
EIGENVECTORS_OF_MANY = (*EIGENVECTORS, 1.8, 2.0, 2.2, 2.5)
STARTS_OF_MANY = 8
MIXTURES_OF_MANY = 10  # starts of the mixture on the UMAP
UMAP_EPOCHS_OF_MANY = 100  # half of its own: as good on MNIST
FINALISTS = 10  # candidates that are refined
UNEQUAL = 0.86  # of the clusters: an effective number under it is unequal indeed
DENSE = 0.03  # a deeper cut may lead through a dense region
CLEAN = 0.005  # a shallower one leads through a gap

# Of more than UMAP_UP_TO, or where seconds count
UMAP_UP_TO = 30_000  # samples: of more, spectral clusterings are as good
TIMES = (1.0, 1.6, 1.8, 2.0)  # numbers of eigenvectors, in numbers of clusters
PART = 6000  # samples that KMeans sees; the rest go to the nearest centre
STARTS_OF_PART = 32
QUICK_STARTS = 8
QUICK_FINALISTS = 3


def first_clusters(
    samples: NDArray[Any],
    neighbors: Neighbors,
    n_clusters: int,
    seed: int,
    is_thorough: bool = False,
) -> Clusters:
    """Return the candidate of most information between neighbours.

    Parameters
    ----------
    samples : ndarray (n, n_features)
        What a network is fed: images in [0, 1] or scaled columns.
    neighbors : of `nearest_neighbors`
    n_clusters : int
    seed : int
    is_thorough : bool
        Of more than `UMAP_UP_TO` samples, take the candidates of fewer.
    """
    if len(samples) > UMAP_UP_TO and not is_thorough:
        return _of_very_many(samples, neighbors, n_clusters, seed)
    if len(samples) > MANY:
        return _of_many(samples, neighbors, n_clusters, seed)
    with threadpool_limits(1):  # several would wait for each other longer than they compute
        return _of_few(samples, neighbors, n_clusters, seed)


def quick_clusters(
    samples: NDArray[Any], neighbors: Neighbors, n_clusters: int, seed: int
) -> Clusters:
    """Return the spectral clustering of most information between neighbours, or KMeans, refined.

    KMeans of the samples is there for clusters far apart, whose graph falls into many parts.
    UMAP and mixtures take most of the time of `first_clusters`; KMeans of some thousand samples
    finds the centres of eigenvectors as well as that of all.
    """
    judge = nearest_graph(neighbors[1][:, :JUDGES])
    simplest = kmeans(samples, n_clusters, seed, part=PART)
    found = [simplest, *_spectral_of_part(neighbors, n_clusters, seed, QUICK_STARTS)]
    return _most_telling_refined(judge, found, n_clusters, n_finalists=QUICK_FINALISTS)


def _of_few(samples: NDArray[Any], neighbors: Neighbors, n_clusters: int, seed: int) -> Clusters:
    """Return the candidate of most information, once refined; simple ones if they tell as much."""
    judge = nearest_graph(neighbors[1][:, :JUDGES])
    wider = nearest_graph(neighbors[1][:, :WIDER])
    simple = list(of_samples(samples, n_clusters, seed, KMEANS_STARTS, MIXTURES))
    graph = [
        *_spectral(neighbors, n_clusters, seed, EIGENVECTORS, STARTS),
        *umap_mixtures(samples, neighbors, n_clusters, seed, MIXTURES, n_epochs=None),
        *merged_from_small(wider, neighbors, n_clusters, seed, MERGED_STARTS, (1, EVENNESS)),
    ]
    return _best_of_few(judge, simple, graph, n_clusters)


@stage("judging")
def _best_of_few(
    judge: sparse.csr_array, simple: list[Clusters], graph: list[Clusters], n_clusters: int
) -> Clusters:
    """Return the clusters of most information, once refined; simple ones if they tell as much.

    Unrefined, rough edges hide whole clusters that are right.
    """
    found = [*simple, *graph]
    # One of fewer clusters cuts less, and not because it is better.
    numbers = [len(np.unique(one)) for one in found]
    full = [number == max(numbers) for number in numbers]
    cuts = [deepest_cut(judge, one, n_clusters) for one in found]
    shallowest = min(compress(cuts, full))
    most = max(GAP, SHALLOWER * shallowest) if shallowest < GAP else np.inf
    usable = [whole and cut <= most for whole, cut in zip(full, cuts, strict=True)]

    def informed(clusters: Clusters) -> float:
        return neighbor_information(judge, clusters, n_clusters, FAIR)

    best = max(
        (refined(judge, one, n_clusters, FAIR).clusters for one in compress(found, usable)),
        key=informed,
    )
    simplest = max(compress(simple, usable), key=informed, default=best)
    return best if tells_more(judge, best, simplest, n_clusters, FAIR, SURELY) else simplest


def _spectral(
    neighbors: Neighbors, n_clusters: int, seed: int, times: Sequence[float], starts: int
) -> Iterator[Clusters]:
    for size in CUT:
        graph = shared_neighbor_graph(neighbors[1][:, :size])
        yield from spectral(graph, n_clusters, seed, times, starts)


def _spectral_of_part(
    neighbors: Neighbors, n_clusters: int, seed: int, starts: int
) -> Iterator[Clusters]:
    graph = shared_neighbor_graph(neighbors[1][:, : CUT[0]])
    return spectral(graph, n_clusters, seed, TIMES, starts, PART)


def _of_many(samples: NDArray[Any], neighbors: Neighbors, n_clusters: int, seed: int) -> Clusters:
    """Return the best of KMeans, spectral clusterings and mixtures of a UMAP."""
    simplest = kmeans(samples, n_clusters, seed)
    found = [
        *_spectral(neighbors, n_clusters, seed, EIGENVECTORS_OF_MANY, STARTS_OF_MANY),
        *umap_mixtures(samples, neighbors, n_clusters, seed, MIXTURES_OF_MANY, UMAP_EPOCHS_OF_MANY),
    ]
    return _best_of_many(neighbors, simplest, found, n_clusters, seed)


def _of_very_many(
    samples: NDArray[Any], neighbors: Neighbors, n_clusters: int, seed: int
) -> Clusters:
    """Return the best of KMeans and spectral clusterings, found on some thousand samples."""
    simplest = kmeans(samples, n_clusters, seed, part=PART)
    found = list(_spectral_of_part(neighbors, n_clusters, seed, STARTS_OF_PART))
    return _best_of_many(neighbors, simplest, found, n_clusters, seed)


def _best_of_many(
    neighbors: Neighbors, simplest: Clusters, found: list[Clusters], n_clusters: int, seed: int
) -> Clusters:
    """Return the candidate of most information, once refined; KMeans where it does as well.

    KMeans on the samples is the simplest, and stays unless another tells more by more than
    chance, or where it goes through gaps and the best does not.
    """
    judge = nearest_graph(neighbors[1][:, :JUDGES])
    best, evenness = _most_telling_refined(judge, found, n_clusters), 1.0
    deepest = deepest_cut(judge, best, n_clusters)
    if deepest > CLEAN and deepest_cut(judge, simplest, n_clusters) < deepest / SHALLOWER:
        return simplest
    if deepest > DENSE:
        unequal = list(
            merged_from_small(judge, neighbors, n_clusters, seed, STARTS_OF_MANY, (EVENNESS,))
        )
        other = _most_telling_refined(judge, unequal, n_clusters, EVENNESS) if unequal else best
        if effective_number(other) < UNEQUAL * n_clusters:
            best, evenness = other, EVENNESS
    return best if tells_more(judge, best, simplest, n_clusters, evenness) else simplest


def effective_number(clusters: Clusters) -> float:
    """Return the exponential of the entropy of the clusters' sizes: k for k of one size."""
    return float(np.exp(entr(np.bincount(clusters) / len(clusters)).sum()))


@stage("judging")
def _most_telling_refined(
    judge: sparse.csr_array,
    found: list[Clusters],
    n_clusters: int,
    evenness: float = 1.0,
    n_finalists: int = FINALISTS,
) -> Clusters:
    """Return the candidate of most `neighbor_information`, once the best of them are refined."""

    def information(clusters: Clusters) -> float:
        return neighbor_information(judge, clusters, n_clusters, evenness)

    finalists = heapq.nlargest(n_finalists, found, key=information)
    return max(
        (refined(judge, f, n_clusters, evenness).clusters for f in finalists), key=information
    )
