"""KMeans and Gaussian mixtures of codes of which each of several processes looks at its part.

A step needs of all codes only sums over them: how many are in a cluster and what they add up to,
and for a mixture the same of memberships and of products of two coordinates. Each process adds
up its own codes, these sums are added over all, and every process makes the same step. Steps,
starts and stopping are scikit-learn's (`KMeans`, `GaussianMixture`), and so are the results.
"""

from __future__ import annotations

import warnings
from contextlib import suppress
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular
from scipy.special import logsumexp
from sklearn.cluster import KMeans, kmeans_plusplus
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import pairwise_distances_argmin_min
from sklearn.mixture import GaussianMixture

from ae_cluster.common.chunks import part_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
BY_PARTS = ("kmeans", "gmm")  # clusterers that are fitted so
TINY = 10 * np.finfo(np.float64).eps  # of a component that has lost all codes


class Parts(Protocol):
    """The processes, n of them; this one looks at the part of its rank."""

    rank: int
    n: int

    def total(self, own: Floats) -> Floats:
        """Return the sum over all processes of arrays of one shape."""


class Alone:
    """One process, which has all codes."""

    rank, n = 0, 1

    def total(self, own: Floats) -> Floats:
        """Return the array."""
        return own


def own_rows(codes: NDArray[Any], parts: Parts) -> NDArray[Any]:
    """Return this process's part of codes."""
    return codes[part_of(len(codes), parts.rank, parts.n)]


def fitted(model: KMeans | GaussianMixture, codes: Floats, ranks: Any) -> Any:
    """Return a KMeans or a mixture fitted to codes (n, d), by all ranks; called on rank 0.

    Raises
    ------
    ValueError
        When a mixture's covariances cannot be used, as of scikit-learn.
    """
    is_mixture = isinstance(model, GaussianMixture)
    random = np.random.RandomState(model.random_state)
    k, n_starts = (model.n_components, 1) if is_mixture else (model.n_clusters, model.n_init)
    starts = np.stack([_start(codes, k, random) for _ in range(n_starts)])
    ranks.announce(_follow, (starts, is_mixture, model.max_iter, model.tol), codes)
    if is_mixture:
        with ranks.together(ValueError):
            mixture = mixture_of(codes, starts[0], ranks, model.max_iter, model.tol)
        return _as_fitted_mixture(model, mixture, codes)
    with ranks.together():
        centers = kmeans_of(codes, starts, ranks, model.max_iter, model.tol)
    return _as_fitted_kmeans(model, centers, codes)


def _follow(starts: Floats, is_mixture: bool, max_iter: int, tol: float, rows: Any) -> None:
    """Help rank 0, on another one."""
    from ae_cluster.training.ranks import here  # loads torch, which is loaded there

    ranks, codes = here(), rows.numpy()
    assert ranks is not None
    if is_mixture:
        with suppress(ValueError):  # as on rank 0, which says so
            mixture_of(codes, starts[0], ranks, max_iter, tol)
    else:
        kmeans_of(codes, starts, ranks, max_iter, tol)


# KMeans


class Centers(NamedTuple):
    """What Lloyd's steps end with.

    Attributes
    ----------
    centers : ndarray (k, d)
    clusters : ndarray (m,)
        Of this process's codes.
    inertia : float
        Sum of all squared distances to the nearest centre.
    n_iter : int
    """

    centers: Floats
    clusters: Ints
    inertia: float
    n_iter: int


def _start(codes: Floats, n_clusters: int, random: np.random.RandomState) -> Floats:
    """Return centres (k, d) by k-means++, of codes less their mean."""
    found: Floats = kmeans_plusplus(codes - codes.mean(axis=0), n_clusters, random_state=random)[0]
    return found


def kmeans_of(
    codes: Floats, starts: Floats, parts: Parts, max_iter: int = 300, tol: float = 1e-4
) -> Centers:
    """Return the best of KMeans from several starts (m, k, d), these of codes less their mean."""
    mean, least = codes.mean(axis=0), tol * codes.var(axis=0).mean()
    own = own_rows(codes, parts) - mean
    best = _lloyd(own, starts[0], parts, max_iter, least)
    for start in starts[1:]:
        found = _lloyd(own, start, parts, max_iter, least)
        if found.inertia < best.inertia and not _are_alike(found, best, parts):
            best = found
    return best._replace(centers=best.centers + mean)


def _lloyd(own: Floats, centers: Floats, parts: Parts, max_iter: int, least: float) -> Centers:
    before, n_iter = np.full(len(own), -1), 0
    while n_iter < max_iter:
        n_iter += 1
        clusters, far = _nearest(own, centers)
        n_changed = np.count_nonzero(clusters != before)
        sums = parts.total(np.append(_sums(own, clusters, len(centers)), n_changed))
        is_settled, sums = sums[-1] == 0, sums[:-1].reshape(len(centers), -1)
        if not sums[:, 0].all():
            sums = _with_far_ones(sums, own, clusters, far, parts)
        moved = sums[:, 1:] / np.maximum(sums[:, :1], 1)
        shift, centers, before = np.square(moved - centers).sum(), moved, clusters
        if is_settled:
            break
        if shift <= least:
            clusters, far = _nearest(own, centers)
            break
    _, far = _distances_to(own, centers, clusters)
    inertia = parts.total(np.array([np.square(far).sum()]))[0]
    return Centers(centers, clusters, float(inertia), n_iter)


def _nearest(own: Floats, centers: Floats) -> tuple[Ints, Floats]:
    if not len(own):
        return np.empty(0, dtype=np.int64), np.empty(0)
    clusters, far = pairwise_distances_argmin_min(own, centers)
    return clusters.astype(np.int64), far


def _distances_to(own: Floats, centers: Floats, clusters: Ints) -> tuple[Floats, Floats]:
    ways = own - centers[clusters]
    return ways, np.sqrt(np.square(ways).sum(axis=1))


def _sums(own: Floats, clusters: Ints, k: int) -> Floats:
    """Return of each cluster how many codes it has and their sum (k, 1 + d)."""
    columns = [np.bincount(clusters, minlength=k)]
    columns += [np.bincount(clusters, column, minlength=k) for column in own.T]
    return np.stack(columns, axis=1).astype(np.float64)


def _with_far_ones(sums: Floats, own: Floats, clusters: Ints, far: Floats, parts: Parts) -> Floats:
    """Give every empty cluster one of the codes that lie farthest from their centres."""
    empty = np.flatnonzero(sums[:, 0] == 0)
    slots = np.zeros((parts.n, len(empty), own.shape[1] + 2))
    farthest = np.argsort(-far, kind="stable")[: len(empty)]
    slots[parts.rank, : len(farthest), 0] = far[farthest]
    slots[parts.rank, : len(farthest), 1] = clusters[farthest]
    slots[parts.rank, : len(farthest), 2:] = own[farthest]
    offered = parts.total(slots).reshape(-1, own.shape[1] + 2)
    offered = offered[np.argsort(-offered[:, 0], kind="stable")]
    for cluster, (distance, old, *code) in zip(empty, offered, strict=False):
        if distance > 0:
            sums[int(old)] -= [1, *code]
            sums[cluster] = [1, *code]
    return sums


def _are_alike(one: Centers, other: Centers, parts: Parts) -> bool:
    """Return whether two clusterings differ only in the clusters' names."""
    k = len(one.centers)
    pairs = np.bincount(one.clusters * k + other.clusters, minlength=k * k).astype(np.float64)
    return bool((np.count_nonzero(parts.total(pairs).reshape(k, k), axis=1) <= 1).all())


def _as_fitted_kmeans(model: KMeans, found: Centers, codes: Floats) -> KMeans:
    k = len(found.centers)
    ready = KMeans(k, init=found.centers, n_init=1, max_iter=1).fit(found.centers)
    ready.set_params(**model.get_params())
    ready.cluster_centers_ = found.centers
    ready.inertia_, ready.n_iter_ = found.inertia, found.n_iter
    ready.labels_ = ready.predict(codes)
    return ready


# Gaussian mixtures


class Mixture(NamedTuple):
    """What the steps of EM end with.

    Attributes
    ----------
    weights : ndarray (k,)
    means : ndarray (k, d)
    covariances, precision_roots : ndarray (k, d, d)
    bound : float
        Mean log-likelihood of a code.
    n_iter : int
    converged : bool
    """

    weights: Floats
    means: Floats
    covariances: Floats
    precision_roots: Floats
    bound: float = -np.inf
    n_iter: int = 0
    converged: bool = False


def mixture_of(
    codes: Floats, start: Floats, parts: Parts, max_iter: int = 100, tol: float = 1e-3
) -> Mixture:
    """Return a mixture with full covariances, from the clusters of KMeans from a start (k, d)."""
    own = own_rows(codes, parts)
    clusters = kmeans_of(codes, start[None], parts).clusters
    found = _maximised(own, np.eye(len(start))[clusters], parts)
    for n_iter in range(1, max_iter + 1):
        joint = _log_joint(own, found)
        likely = logsumexp(joint, axis=1)
        bound = parts.total(np.array([likely.sum()]))[0] / len(codes)
        change = bound - found.bound if n_iter > 1 else np.inf
        found = _maximised(own, np.exp(joint - likely[:, None]), parts)
        is_settled = bool(abs(change) < tol)
        found = found._replace(bound=float(bound), n_iter=n_iter, converged=is_settled)
        if is_settled:
            break
    return found


def _maximised(own: Floats, memberships: Floats, parts: Parts, least: float = 1e-6) -> Mixture:
    """Return the likeliest mixture for memberships (m, k) of this process's codes (m, d)."""
    d = own.shape[1]
    sums = parts.total(np.column_stack([memberships.sum(axis=0), memberships.T @ own]))
    sizes = sums[:, 0] + TINY
    means = sums[:, 1:] / sizes[:, None]
    products = np.stack([
        (weight[:, None] * (own - mean)).T @ (own - mean)
        for weight, mean in zip(memberships.T, means, strict=True)
    ])  # fmt: skip
    covariances = parts.total(products) / sizes[:, None, None] + least * np.eye(d)
    roots = np.stack([_precision_root(covariance) for covariance in covariances])
    return Mixture(sizes / sizes.sum(), means, covariances, roots)


def _precision_root(covariance: Floats) -> Floats:
    try:
        root = cholesky(covariance, lower=True)
    except np.linalg.LinAlgError as error:
        raise ValueError(
            "A component of the mixture has no covariance that can be used: it has too few codes."
        ) from error
    found: Floats = solve_triangular(root, np.eye(len(root)), lower=True).T
    return found


def _log_joint(own: Floats, mixture: Mixture) -> Floats:
    """Return the log-density (m, k) of each code and a component, with the component's weight."""
    columns = []
    for mean, root in zip(mixture.means, mixture.precision_roots, strict=True):
        squares = np.square(own @ root - mean @ root).sum(axis=1)
        columns.append(np.log(root.diagonal()).sum() - 0.5 * squares)
    constant = 0.5 * own.shape[1] * np.log(2 * np.pi)
    joint: Floats = np.stack(columns, axis=1) + np.log(mixture.weights) - constant
    return joint


def _as_fitted_mixture(model: GaussianMixture, found: Mixture, codes: Floats) -> GaussianMixture:
    model.weights_, model.means_ = found.weights, found.means
    model.covariances_, model.precisions_cholesky_ = found.covariances, found.precision_roots
    model.precisions_ = found.precision_roots @ found.precision_roots.transpose(0, 2, 1)
    model.converged_, model.n_iter_ = found.converged, found.n_iter
    model.lower_bound_, model.n_features_in_ = found.bound, codes.shape[1]
    if not found.converged:
        warnings.warn(
            f"The mixture did not converge in {found.n_iter} steps.",
            ConvergenceWarning,
            stacklevel=3,
        )
    return model
