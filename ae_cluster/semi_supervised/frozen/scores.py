"""What classifiers of frozen codes have learnt, as arrays that predict without them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import combinations
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from ae_cluster.clustering.heads import MixtureHead, Scores
from ae_cluster.common.errors import InputError
from ae_cluster.graphs.neighbors import squared_distances
from ae_cluster.semi_supervised.base import FewLabelClassifier
from ae_cluster.semi_supervised.frozen import cluster_then_label, supervised

Floats = NDArray[np.float64]


class ClassScores(Scores):
    """The log-probabilities of classes, but for a constant, from arrays alone.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        Those of `names`, and ``temperature`` (1,), by which scores are divided.

    Raises
    ------
    InputError
        When these are of no classifier.
    """

    kind: ClassVar[str]
    names: ClassVar[tuple[str, ...]]
    temperature: Any

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        for name in ("temperature", *self.names):
            setattr(self, name, np.asarray(arrays[name], dtype=np.float64))
        if not self.n_classes > 1 or not self.temperature > 0:
            raise InputError(f"its arrays are of no classifier of kind {self.kind}")

    @property
    def n_classes(self) -> int:
        """How many classes it tells apart; 0 where its arrays do not fit."""
        raise NotImplementedError

    def arrays(self) -> dict[str, Floats]:
        """Return the arrays from which it is made again."""
        return {name: getattr(self, name) for name in ("temperature", *self.names)}

    def raw(self, codes: Any) -> Any:
        """Return the scores (n, n_classes) before they are divided."""
        raise NotImplementedError

    def scores_of(self, codes: Any) -> Any:
        """Return for float64 codes the log-probabilities (n, n_classes), but for a constant."""
        return self.raw(codes) / self.temperature

    def _log_above(self, shares: Any, least: float) -> Any:
        """Return log(shares + least), whose sum torch's exporter would take for one with 0."""
        return self._library.log(shares / least + 1) + math.log(least)

    def _both(self, of_second: Any) -> Any:
        """Return the scores of two classes from those (n, 1) of the second."""
        return self._library.concatenate([-of_second, of_second], 1) / 2


class LinearScores(ClassScores):
    """A linear function of standardised codes for each class; one where there are two."""

    kind = "linear"
    names = ("mean", "scale", "coefficients", "intercepts")
    mean: Any
    scale: Any
    coefficients: Any
    intercepts: Any

    @property
    def n_classes(self) -> int:
        """How many classes it tells apart."""
        return max(2, len(self.intercepts))

    def raw(self, codes: Any) -> Any:
        """Return the scores (n, n_classes)."""
        found = ((codes - self.mean) / self.scale) @ self.coefficients.T + self.intercepts
        return self._both(found) if len(self.intercepts) == 1 else found


class VectorScores(ClassScores):
    """A support vector machine with a Gaussian kernel: a function for each pair of classes.

    Each function is a vote; how sure they are decides between classes of equal votes, as in
    scikit-learn's ``decision_function_shape="ovr"``.
    """

    kind = "support-vectors"
    names = ("mean", "scale", "vectors", "weights", "intercepts", "gamma")
    mean: Any
    scale: Any
    vectors: Any
    weights: Any
    intercepts: Any
    gamma: Any

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        super().__init__(arrays)
        pairs = list(combinations(range(self.n_classes), 2))
        eye = np.eye(self.n_classes)
        self._first, self._second = eye[[i for i, _ in pairs]], eye[[j for _, j in pairs]]

    @property
    def n_classes(self) -> int:
        """How many classes it tells apart."""
        n = (1 + np.sqrt(1 + 8 * len(self.intercepts))) / 2
        return int(n) if n == int(n) else 0

    def raw(self, codes: Any) -> Any:
        """Return the scores (n, n_classes)."""
        squared = squared_distances((codes - self.mean) / self.scale, self.vectors)
        found = self._library.exp(-self.gamma * squared) @ self.weights + self.intercepts
        if self.n_classes == 2:
            return self._both(found)
        is_second = (found < 0) * self._library.ones_like(found)
        votes = (1 - is_second) @ self._first + is_second @ self._second
        sure = found @ (self._first - self._second)
        return votes + sure / (3 * (abs(sure) + 1))


class NeighborScores(ClassScores):
    """The nearest labelled codes vote; see `ae_cluster.semi_supervised.frozen.supervised`."""

    kind = "neighbors"
    names = ("vectors", "one_hot", "n_neighbors")
    vectors: Any
    one_hot: Any
    n_neighbors: Any

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        super().__init__(arrays)
        self._k = int(self.n_neighbors[0])
        if not 1 <= self._k <= len(self.vectors) or not (self.one_hot.sum(axis=0) > 0).all():
            raise InputError(f"its arrays are of no classifier of kind {self.kind}")

    @property
    def n_classes(self) -> int:
        """How many classes it tells apart."""
        return int(self.one_hot.shape[1])

    def raw(self, codes: Any) -> Any:
        """Return the scores (n, n_classes)."""
        library, least = self._library, supervised.LEAST
        # Column by column: a difference of products would lose the digits of near codes.
        distances = sum(
            (codes[:, j : j + 1] - self.vectors[:, j]) ** 2 for j in range(self.vectors.shape[1])
        ) ** 0.5  # fmt: skip
        ordered = library.sort(distances, 1)
        farthest = getattr(ordered, "values", ordered)[:, self._k - 1 : self._k]
        votes = (distances <= farthest) / distances.clip(least)
        votes = votes / votes.sum(1)[:, None] @ self.one_hot
        first = [
            library.amin(library.where(self.one_hot[:, c] > 0, distances, np.inf), 1)
            for c in range(self.n_classes)
        ]
        closeness = 1 / library.stack(first, 1).clip(least) ** 2
        shares = self._k * votes + closeness / closeness.sum(1)[:, None]
        return self._log_above(shares / (self._k + 1), least)


class ClusterScores(ClassScores):
    """The classes in each component of a mixture, by how much a code belongs to it."""

    kind = "clusters"
    names = ("weights_of_centers", "centers", "covariances", "shares")
    weights_of_centers: Any
    centers: Any
    covariances: Any
    shares: Any

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        super().__init__(arrays)
        self._mixture = MixtureHead(self.weights_of_centers, self.centers, self.covariances)

    @property
    def n_classes(self) -> int:
        """How many classes it tells apart."""
        return int(self.shares.shape[1])

    def on(self, library: Any) -> Self:
        """Return the same with the arrays of a library, ``torch`` for one."""
        other = super().on(library)
        other._mixture = self._mixture.on(library)
        return other

    def raw(self, codes: Any) -> Any:
        """Return the scores (n, n_classes)."""
        scores = self._mixture.scores_of(codes)
        soft = self._library.exp(scores - self._library.amax(scores, 1)[:, None])
        soft = soft / soft.sum(1)[:, None]
        return self._log_above(soft @ self.shares, cluster_then_label.LEAST)


KINDS: dict[str, type[ClassScores]] = {
    found.kind: found for found in (LinearScores, VectorScores, NeighborScores, ClusterScores)
}


def scores_of_classifier(model: FewLabelClassifier) -> ClassScores | None:
    """Return what a fitted classifier has learnt; None of one that needs all codes to predict."""
    temperature = {"temperature": np.array([model.temperature_])}
    if isinstance(model, supervised.LabelledNeighbors):
        return _neighbors(model._state, temperature)
    if isinstance(model, cluster_then_label.ClusterThenLabel):
        return _clusters(model._state, temperature)
    if not isinstance(model, supervised.ScaledClassifier):
        return None
    scaler, inner = model._state
    arrays = temperature | {"mean": scaler.mean_, "scale": scaler.scale_}
    if hasattr(inner, "coef_") and not hasattr(inner, "support_vectors_"):
        return LinearScores(arrays | {"coefficients": inner.coef_, "intercepts": inner.intercept_})
    return VectorScores(
        arrays | {
            "vectors": inner.support_vectors_,
            "weights": _pair_weights(inner.dual_coef_, inner.n_support_),
            "intercepts": inner.intercept_,
            "gamma": np.array([inner.gamma]),
        }
    )  # fmt: skip


def _pair_weights(dual: NDArray[Any], sizes: NDArray[Any]) -> Floats:
    """Return each support vector's weight (n_vectors, n_pairs) in the function of each pair.

    Parameters
    ----------
    dual : ndarray (n_classes - 1, n_vectors)
        scikit-learn's ``dual_coef_``: against each of the other classes, in their order.
    sizes : ndarray (n_classes,)
        Vectors of each class, which stand one class after the other.
    """
    of_class = np.repeat(np.arange(len(sizes)), sizes)
    pairs = list(combinations(range(len(sizes)), 2))
    weights = np.zeros((dual.shape[1], len(pairs)))
    for p, (i, j) in enumerate(pairs):
        weights[of_class == i, p] = dual[j - 1, of_class == i]
        weights[of_class == j, p] = dual[i, of_class == j]
    return weights


def _neighbors(state: Mapping[str, Any], arrays: dict[str, Floats]) -> ClassScores | None:
    if state["all"].has_projection:
        return None
    eye = np.eye(len(state["of_class"]))
    return NeighborScores(
        arrays | {
            "vectors": state["all"].positions,
            "one_hot": eye[state["columns"]],
            "n_neighbors": np.array([state["k"]]),
        }
    )  # fmt: skip


def _clusters(state: Any, arrays: dict[str, Floats]) -> ClassScores | None:
    clusterer = state.clusters.clusterer
    if state.clusters.search.has_projection or not hasattr(clusterer, "covariances_"):
        return None
    return ClusterScores(
        arrays | {
            "weights_of_centers": clusterer.weights_,
            "centers": clusterer.means_,
            "covariances": clusterer.covariances_,
            "shares": state.shares,
        }
    )  # fmt: skip
