"""Six kinds of evidence: each scores numbers of clusters, the higher the better; no label is seen.

``stability``    do two halves of the samples give the same clusters?
``bic``          Bayesian information criterion of Gaussian mixtures
``persistence``  over which range of resolutions are these clusters the best?
``information``  what a sample's cluster tells about its neighbours', with a penalty
``silhouette``   are samples nearer to their own KMeans cluster than to the next?
``gap``          how much tighter are KMeans clusters than those of structureless data?
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, silhouette_score
from sklearn.mixture import GaussianMixture

from ae_cluster.clustering.number_of_clusters.representation import (
    N_NEIGHBORS,
    Edges,
    IntArray,
    Representation,
    edges_between,
    hierarchy,
    intrinsic_dimension,
    principal_components,
)
from ae_cluster.graphs.neighbors import NeighborSearch

Scores = dict[int, float]
SPLITS = 3  # of the samples into halves
VOTERS = 5  # neighbours in one half that say the cluster of a sample of the other
MIXTURE_COMPONENTS = 10  # principal components of which mixtures are fitted
SAMPLES_PER_COMPONENT = 20
PATIENCE = 8  # numbers of clusters without a better BIC, after which larger ones are left out
PENALTY = 0.4  # share of what it costs to cut a structureless cloud
SOFTENING = 0.02  # of slopes: below, one is as good as none
CUTS = (2, 4, 8, 16)  # clusters of the structureless cloud
REFERENCES = 2  # structureless data sets of the gap statistic
STARTS = 2  # of KMeans
MOST_COMPARED = 1000  # samples whose silhouettes are taken


def stability(found: Representation, seed: int) -> Scores:
    """Return how alike (adjusted Rand index) the hierarchies of two halves are at each k.

    Each half has a hierarchy of its own; five nearest neighbours carry its clusters over to the
    other half. Lange and others, "Stability-based validation of clustering solutions" (2004).
    """
    n, rng = len(found.positions), np.random.RandomState(seed)
    most, agreements = min(found.most, n // 4), []
    for _ in range(SPLITS):
        order = rng.permutation(n)
        first, second = found.positions[order[: -(-n // 2)]], found.positions[order[-(-n // 2) :]]
        one, other = (_half(positions, most, seed) for positions in (first, second))
        for levels, carried in (
            (one.levels, _carried_over(other, first)),
            (other.levels, _carried_over(one, second)),
        ):
            pairs = zip(levels.T, carried.T, strict=True)
            agreements.append([adjusted_rand_score(a, b) for a, b in pairs])
    means = np.mean(agreements, axis=0)
    return {k: float(means[k - 1]) for k in range(2, most + 1)}


class _Half(NamedTuple):
    search: NeighborSearch
    levels: IntArray  # (m, most), as of `Representation`


def _half(positions: NDArray[Any], most: int, seed: int) -> _Half:
    search = NeighborSearch(positions)
    nearest = search.nearest_others(min(N_NEIGHBORS, len(positions) - 1))
    return _Half(search, hierarchy(positions, *nearest, most, seed))


def _carried_over(half: _Half, positions: NDArray[np.float64]) -> IntArray:
    """Return the clusters (m, most) that most of each position's neighbours in a half have."""
    _, near = half.search.nearest(positions, min(VOTERS, len(half.levels)))
    votes = half.levels[near]  # (m, voters, most)
    counts = (votes[:, :, None] == votes[:, None]).sum(axis=2)
    return np.take_along_axis(votes, counts.argmax(axis=1)[:, None], axis=1)[:, 0]


def bic(found: Representation, seed: int) -> Scores:
    """Return the negative BIC, per sample, of mixtures of k Gaussians in principal components."""
    n = len(found.positions)
    rows = principal_components(
        found.positions, min(MIXTURE_COMPONENTS, max(2, n // SAMPLES_PER_COMPONENT))
    )
    scores: Scores = {}
    for k in range(1, min(found.most, n // 5) + 1):
        mixture = _quietly(GaussianMixture(k, max_iter=50, random_state=seed).fit, rows)
        scores[k] = -float(mixture.bic(rows)) / n
        if k - max(scores, key=scores.__getitem__) >= PATIENCE:
            break
    return scores


def persistence(found: Representation, seed: int) -> Scores:  # noqa: ARG001
    """Return the log of the range of resolutions at which k clusters are the best.

    At resolution r the best level of the hierarchy is that of the largest r · entropy − leak of
    its edges (`Edges`): 0 where it is the best at none.
    """
    edges = _levels_edges(found)
    points = [(0.0, 0.0, 1)] + [(e.entropy, e.leak, k) for k, e in edges.items()]
    corners: list[tuple[float, float, int]] = []
    for point in points:  # the lower convex hull of leak against entropy
        while len(corners) > 1 and _slope(*corners[-2:]) >= _slope(corners[-1], point):
            corners.pop()
        corners.append(point)
    slopes = [_slope(a, b) for a, b in pairwise(corners)]
    scores = dict.fromkeys(edges, 0.0)
    for (_, _, k), before, after in zip(corners[1:], slopes, slopes[1:], strict=False):
        scores[k] = float(np.log((after + SOFTENING) / (before + SOFTENING)))
    return scores


def information(found: Representation, seed: int) -> Scores:
    """Return the entropy of clusters, counted at a price, less what leaks to neighbours.

    The price is two fifths of what an edge of a structureless cloud leaks per entropy: a Gaussian
    with as many samples in as many dimensions as the data have where they lie, cut by KMeans.
    A single cluster has 0; where all others have less, cutting is like cutting such a cloud.
    """
    price = PENALTY * _price_of_cutting(
        len(found.positions), intrinsic_dimension(found.distances), found.most, seed
    )
    of_levels = {k: price * e.entropy - e.leak for k, e in _levels_edges(found).items()}
    return {1: 0.0} | of_levels


def _price_of_cutting(n: int, n_dimensions: int, most: int, seed: int) -> float:
    cloud = np.random.RandomState(seed).normal(size=(n, n_dimensions))
    _, neighbors = NeighborSearch(cloud).nearest_others(min(N_NEIGHBORS, n - 1))
    cuts = [k for k in CUTS if k <= most]
    edges = [edges_between(neighbors, _kmeans(cloud, k, seed).labels_, k) for k in cuts]
    return float(np.mean([e.leak / e.entropy for e in edges]))


def silhouette(found: Representation, seed: int) -> Scores:
    """Return the mean silhouette of k KMeans clusters."""
    some = np.random.RandomState(seed).permutation(len(found.positions))[:MOST_COMPARED]
    scores: Scores = {}
    for k in range(2, found.most + 1):
        clusters = _kmeans(found.positions, k, seed).labels_[some]
        n_found = len(np.unique(clusters))
        if 1 < n_found < len(some):
            scores[k] = float(silhouette_score(found.positions[some], clusters))
    return scores


def gap(found: Representation, seed: int) -> Scores:
    """Return the gap statistic of KMeans: Tibshirani, Walther and Hastie (2001).

    References are uniform in the box of the principal components.
    """
    rng = np.random.RandomState(seed)
    _, _, axes = np.linalg.svd(found.positions, full_matrices=False)
    along = found.positions @ axes.T
    references = [rng.uniform(along.min(0), along.max(0), along.shape) for _ in range(REFERENCES)]
    return {
        k: float(np.mean([_spread(r, k, seed) for r in references]))
        - _spread(found.positions, k, seed, STARTS)
        for k in range(1, found.most + 1)
    }


def _spread(rows: NDArray[np.float64], k: int, seed: int, starts: int = 1) -> float:
    """Return the log of the sum of squares within k clusters."""
    inertia = _kmeans(rows, k, seed, starts).inertia_
    return float(np.log(max(inertia, np.finfo(np.float64).tiny)))


EVIDENCE: dict[str, Callable[[Representation, int], Scores]] = {
    "stability": stability,
    "bic": bic,
    "persistence": persistence,
    "information": information,
    "silhouette": silhouette,
    "gap": gap,
}


def _levels_edges(found: Representation) -> dict[int, Edges]:
    return {
        k: edges_between(found.neighbors, found.levels[:, k - 1], k)
        for k in range(2, found.most + 1)
    }


def _slope(a: tuple[float, float, int], b: tuple[float, float, int]) -> float:
    return (b[1] - a[1]) / max(b[0] - a[0], 1e-9)


def _kmeans(rows: NDArray[np.float64], k: int, seed: int, starts: int = STARTS) -> Any:
    return _quietly(KMeans(k, n_init=starts, random_state=seed).fit, rows)


def _quietly(fit: Callable[[NDArray[np.float64]], Any], rows: NDArray[np.float64]) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # not settled, or fewer distinct samples: it is scored
        return fit(rows)
