"""What puts codes into the clusters of a fitted method: numbers only, no estimator, no torch.

Each head has a row per cluster. `Head.assign` gives of every code its cluster, its memberships
and its distance to the cluster's centre.
"""

from __future__ import annotations

import copy
import math
from abc import ABC, abstractmethod
from functools import cached_property
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from ae_cluster.common.errors import InputError
from ae_cluster.graphs.neighbors import NeighborSearch, squared_distances
from ae_cluster.metrics.clustering import NOISE

CENTERS, MIXTURE, CODES = "nearest-center", "mixture", "nearest-training-code"
LEVELS = 401  # quantiles kept of each cluster's distances
Floats = NDArray[np.float64]
_LEAST_VARIANCE = float(np.finfo(np.float32).tiny)  # so that squares over it stay finite


class Assigned(NamedTuple):
    """What a head makes of codes (n, n_components).

    Attributes
    ----------
    clusters : ndarray (n,)
        −1 is noise, in no cluster.
    soft : ndarray (n, k) or None
        Memberships, which sum to 1; None where they are not known.
    distances : ndarray (n,)
        To the centre of the cluster; NaN for noise.
    """

    clusters: NDArray[np.int64]
    soft: Floats | None
    distances: Floats


class Head(ABC):
    """A fitted clusterer as arrays of a row per cluster.

    Attributes
    ----------
    kind : str
    centers : ndarray (k, n_components)
    """

    kind: ClassVar[str]
    centers: Floats

    @abstractmethod
    def assign(self, codes: NDArray[Any], clusters: NDArray[np.int64] | None = None) -> Assigned:
        """Return what codes (n, n_components) belong to.

        Parameters
        ----------
        codes : ndarray
        clusters : ndarray (n,) or None
            Where a model says itself in which clusters they are.
        """

    @abstractmethod
    def arrays(self) -> dict[str, Floats]:
        """Return the arrays from which the head is made again."""


class Scores(ABC):
    """What gives every code a score for each cluster; the highest decides.

    `scores_of` is the one definition of clusters and memberships: it computes with NumPy, or
    after `on` with another library that has the same functions and operators.
    """

    _library: Any = np

    @abstractmethod
    def scores_of(self, codes: Any) -> Any:
        """Return for float64 codes the logarithms (n, k) of memberships, but for a constant."""

    def on(self, library: Any) -> Self:
        """Return the same with the arrays of a library, ``torch`` for one."""
        other = copy.copy(self)
        for name, value in vars(self).items():
            if isinstance(value, np.ndarray):
                setattr(other, name, library.asarray(value))
        other._library = library
        return other


class ScoredHead(Head, Scores):
    """A head whose scores follow from the distances to its centres."""

    @abstractmethod
    def squared(self, codes: Any) -> Any:
        """Return the squared distances (n, k) of float64 codes, in each cluster's own metric."""

    @abstractmethod
    def scores(self, squared: Any) -> Any:
        """Return the logarithms (n, k) of memberships, but for what is the same for all k."""

    def scores_of(self, codes: Any) -> Any:
        """Return for float64 codes the logarithms (n, k) of memberships, but for a constant."""
        return self.scores(self.squared(codes))

    def assign(self, codes: NDArray[Any], clusters: NDArray[np.int64] | None = None) -> Assigned:
        """Return the clusters of the highest scores, the memberships and the distances."""
        squared = self.squared(np.asarray(codes, dtype=np.float64))
        scores = self.scores(squared)
        found = scores.argmax(axis=1) if clusters is None else clusters
        return Assigned(found, softmax(scores), np.sqrt(_of_each(squared, found)))


class CenterHead(ScoredHead):
    """The nearest of k centres decides: KMeans, and deep clusterings of that kind.

    Memberships are those of the model that KMeans fits: Gaussians of equal weight and of one
    variance in all directions, the mean squared distance of the training codes to their centres
    per dimension. They are ``softmax(−d² / 2 variance)`` over the distances d to all centres.

    Parameters
    ----------
    centers : ndarray (k, n_components)
    variance : float
    """

    kind = CENTERS

    def __init__(self, centers: NDArray[Any], variance: float) -> None:
        self.centers = np.asarray(centers, dtype=np.float64)
        self.variance = max(float(variance), _LEAST_VARIANCE)

    def squared(self, codes: Any) -> Any:
        """Return the squared distances (n, k) to the centres."""
        return squared_distances(codes, self.centers)

    def scores(self, squared: Any) -> Any:
        """Return ``−d² / 2 variance`` (n, k)."""
        return squared / (-2 * self.variance)

    def arrays(self) -> dict[str, Floats]:
        """Return centres and variance."""
        return {"centers": self.centers, "variance": np.array([self.variance])}


class MixtureHead(ScoredHead):
    """A mixture of Gaussians with covariances of their own; the likeliest component decides.

    Memberships are its posteriors, distances are Mahalanobis'.

    Parameters
    ----------
    weights : ndarray (k,)
    centers : ndarray (k, n_components)
    covariances : ndarray (k, n_components, n_components)

    Raises
    ------
    InputError
        When these are of no mixture.
    """

    kind = MIXTURE

    def __init__(
        self, weights: NDArray[Any], centers: NDArray[Any], covariances: NDArray[Any]
    ) -> None:
        arrays = (np.asarray(a, dtype=np.float64) for a in (weights, centers, covariances))
        self.weights, self.centers, self.covariances = arrays
        if not (self.weights > 0).all() or not math.isclose(self.weights.sum(), 1, rel_tol=1e-3):
            raise InputError("the weights of a mixture must be above 0 and sum to 1")
        self._whiten = np.stack([_whitening(covariance) for covariance in self.covariances])
        self._shifts = np.einsum("ki,kij->kj", self.centers, self._whiten)
        diagonals = np.diagonal(self._whiten, axis1=1, axis2=2)
        self._constants = np.log(self.weights) + np.log(diagonals).sum(axis=1)

    def squared(self, codes: Any) -> Any:
        """Return the squares (n, k) of Mahalanobis' distances."""
        columns = [
            ((codes @ whiten - shift) ** 2).sum(1)
            for whiten, shift in zip(self._whiten, self._shifts, strict=True)
        ]
        return self._library.stack(columns, 1)

    @property
    def whitened(self) -> tuple[Floats, Floats, Floats]:
        """Constants (k,), matrices W (k, d, d) and shifts (k, d).

        The scores are ``constant − ½|code W − shift|²``.
        """
        return self._constants, self._whiten, self._shifts

    def scores(self, squared: Any) -> Any:
        """Return the logarithms (n, k) of weights times densities, but for a constant."""
        return self._constants - 0.5 * squared

    def arrays(self) -> dict[str, Floats]:
        """Return weights, means and covariances."""
        return {
            "weights": self.weights,
            "centers": self.centers,
            "covariances": self.covariances,
        }


class CodeHead(Head):
    """The nearest training code decides, for clusterers that keep nothing else.

    Parameters
    ----------
    codes : ndarray (n_train, n_components)
    clusters : ndarray (n_train,)
        Their clusters, −1 for noise. Centres are the means of the clusters' codes.
    """

    kind = CODES

    def __init__(self, codes: NDArray[Any], clusters: NDArray[Any]) -> None:
        self._clusters = np.asarray(clusters, dtype=np.int64)
        codes = np.asarray(codes, dtype=np.float64)
        self.centers = mean_codes(codes, self._clusters)
        self._codes = codes

    @cached_property
    def _search(self) -> NeighborSearch:
        return NeighborSearch(self._codes)  # which takes a while: only where it is asked

    def assign(self, codes: NDArray[Any], clusters: NDArray[np.int64] | None = None) -> Assigned:
        """Return the clusters of the nearest training codes and the distances; no memberships."""
        codes = np.asarray(codes, dtype=np.float64)
        if clusters is None:
            clusters = self._clusters[self._search.nearest(codes, 1)[1][:, 0]]
        distances = np.linalg.norm(codes - self.centers[clusters], axis=1)
        return Assigned(clusters, None, np.where(clusters == NOISE, np.nan, distances))

    def arrays(self) -> dict[str, Floats]:
        """Return the centres; the training codes lie in the run already."""
        return {"centers": self.centers}


def mean_codes(codes: NDArray[Any], clusters: NDArray[np.int64]) -> Floats:
    """Return the mean code of each cluster 0…k − 1; zeros where a number is not in use."""
    k = max(1, int(clusters.max()) + 1)
    centers = np.zeros((k, codes.shape[1]))
    for cluster in np.unique(clusters[clusters != NOISE]):
        centers[cluster] = codes[clusters == cluster].mean(axis=0, dtype=np.float64)
    return centers


def variance_within(
    codes: NDArray[Any], clusters: NDArray[np.int64], centers: NDArray[Any]
) -> float:
    """Return the mean squared distance of codes to their centres, per dimension."""
    codes = np.asarray(codes, dtype=np.float64)
    return float(np.square(codes - centers[clusters]).mean())


# How far out a sample lies, beside the training samples of its cluster


def distance_quantiles(
    clusters: NDArray[np.int64], distances: Floats, k: int, levels: int = LEVELS
) -> Floats:
    """Return quantiles (k, levels), from least to largest, of each cluster's distances.

    A cluster without samples has zeros, beside which every sample lies far out.
    """
    found = np.zeros((k, levels))
    for cluster in np.unique(clusters[clusters != NOISE]):
        own = distances[clusters == cluster]
        found[cluster] = np.quantile(own, np.linspace(0, 1, levels))
    rising: Floats = np.maximum.accumulate(found, axis=1)  # whatever rounding made of equal ones
    return rising


def share_farther_out(quantiles: Floats, clusters: NDArray[np.int64], distances: Floats) -> Floats:
    """Return which share of its cluster's training samples lies farther out than each sample.

    Between two quantiles it is interpolated. 0 is farther out than any training sample; NaN is
    noise, in no cluster.
    """
    shares = np.full(len(clusters), np.nan)
    farther = np.linspace(1, 0, quantiles.shape[1])
    for cluster in np.unique(clusters[clusters != NOISE]):
        own = clusters == cluster
        shares[own] = np.interp(distances[own], quantiles[cluster], farther)
    return shares


# Algebra


def softmax(scores: Floats) -> Floats:
    """Return rows that sum to 1, in proportion to the exponentials of scores (n, k)."""
    scores = scores - scores.max(axis=1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=1, keepdims=True)
    return scores


def _of_each(values: Floats, clusters: NDArray[np.int64]) -> Floats:
    """Return of each row of values (n, k) that of its cluster."""
    found: Floats = np.take_along_axis(values, clusters[:, None], axis=1)[:, 0]
    return found


def _whitening(covariance: Floats) -> Floats:
    """Return the upper matrix by which codes have unit covariance (scikit-learn's Cholesky)."""
    try:
        lower = np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError as error:
        raise InputError("a covariance of the mixture is not positive definite") from error
    inverse: Floats = solve_triangular(lower, np.eye(len(covariance)), lower=True).T
    return inverse
