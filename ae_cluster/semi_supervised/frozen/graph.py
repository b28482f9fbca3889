"""Labels that spread through the graph of nearest neighbours; all labelings solved at once."""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import softmax
from sklearn.utils.validation import check_is_fitted

from ae_cluster.common.errors import InputError
from ae_cluster.common.global_state import default_state
from ae_cluster.common.validation import FloatArray
from ae_cluster.graphs.knn_graph import NeighborGraph, neighbor_graph
from ae_cluster.graphs.solver import GraphSystem, graph_system, solve
from ae_cluster.semi_supervised.base import FewLabelClassifier, Labeling, Scores

_MOST_WEIGHED = 10_000  # samples from which the share of each class is estimated
_LEAST = 1e-9


class _Prepared(NamedTuple):
    graph: NeighborGraph
    system: GraphSystem


class _State(NamedTuple):
    """Scores (n, n_classes) of the graph's samples, and the steps it took to find them."""

    graph: NeighborGraph
    scores: NDArray[np.float32]
    n_iter: int


class GraphClassifier(FewLabelClassifier):
    """A classifier that solves a system of equations on a graph.

    Attributes
    ----------
    graph_ : NeighborGraph
    n_iter_ : int
        Steps of conjugate gradients.
    transduction_ : ndarray (n,)
        Class of each sample of the fit.
    label_distributions_ : ndarray (n, n_classes)
        Its probabilities.
    """

    n_neighbors: int
    graph: NeighborGraph | None
    max_iter: int
    tol: float
    _alpha_of_system = 1.0
    # One fold: each one more would take as long as the fit itself.
    _n_folds = 1

    @abstractmethod
    def _sources(self, labeling: Labeling, roots: NDArray[Any]) -> NDArray[np.float32]:
        """Return the right-hand sides (n, n_classes); ``roots`` (n, 1) are of the degrees."""

    @abstractmethod
    def _read(self, solution: NDArray[Any], roots: NDArray[Any]) -> NDArray[np.float32]:
        """Return what a solution (n, n_classes) says of each sample, to be averaged."""

    def _prepare(self, X: FloatArray) -> _Prepared:
        if self.max_iter < 1 or not self.tol > 0:
            raise InputError(
                f"max_iter={self.max_iter} and tol={self.tol} cannot be used; give at least 1 "
                "and a number above 0."
            )
        graph = neighbor_graph(X, self.n_neighbors) if self.graph is None else self.graph
        if graph.codes is not X and not np.array_equal(graph.codes, X):
            raise InputError("The graph is of other codes; give neighbor_graph(X) of these.")
        return _Prepared(graph, graph_system(graph, self._alpha_of_system))

    def _learn(self, prepared: _Prepared, labeling: Labeling) -> _State:
        return next(iter(self._learn_all(prepared, [labeling])))

    def _learn_all(self, prepared: _Prepared, labelings: Sequence[Labeling]) -> Iterable[_State]:
        graph, system = prepared
        roots = np.sqrt(graph.degrees)[:, None]
        sides = np.concatenate([self._sources(one, roots) for one in labelings], axis=1)
        solution, n_iter = solve(system, sides, self.tol, self.max_iter)
        ends = np.cumsum([one.n_classes for one in labelings])[:-1]
        for part in np.split(solution, ends, axis=1):
            yield _State(graph, self._read(part, roots), n_iter)

    def _scores(self, state: _State, X: FloatArray) -> Scores:
        return self._of_averages(state.graph.attach(X) @ state.scores)

    def _of_averages(self, averages: NDArray[Any]) -> Scores:
        """Return the scores of samples from the average of their neighbours'."""
        return averages

    @default_state()
    def predict_proba_many(self, models: Sequence[Self], X: ArrayLike) -> list[NDArray[np.float64]]:
        """Return the probabilities by each of the models that `fit_many` gave."""
        ties = models[0].graph_.attach(models[0]._validated(X)) if models else None
        return [
            model._probabilities(model._of_averages(ties @ model._state.scores)) for model in models
        ]

    @property
    def graph_(self) -> NeighborGraph:
        """The graph of the fitted codes."""
        check_is_fitted(self, "_state")
        graph: NeighborGraph = self._state.graph
        return graph

    @property
    def n_iter_(self) -> int:
        """Steps of the solver."""
        return int(self._state.n_iter)

    @property
    def label_distributions_(self) -> NDArray[np.float64]:
        """Probabilities (n, n_classes) of the fitted samples."""
        check_is_fitted(self, "_state")
        return self._probabilities(self._of_averages(self._state.scores))

    @property
    def transduction_(self) -> NDArray[Any]:
        """Class (n,) of each fitted sample."""
        classes: NDArray[Any] = self.classes_[self.label_distributions_.argmax(axis=1)]
        return classes


class GraphSpreading(GraphClassifier):
    """Label spreading on a sparse graph of neighbours.

    Solves F = (1 − alpha) · (I − alpha · D^(−1/2) W D^(−1/2))⁻¹ Y. A sample is of the class
    with the largest F.

    Parameters
    ----------
    n_neighbors : int
    alpha : float
        Between 0 and 1: how much a sample takes over from its neighbours.
    graph : NeighborGraph or None
        That of the codes, if it is there already.
    max_iter, tol : int, float
        Of the solver. Far from all labels F is small, and a larger tol mistakes its class.

    References
    ----------
    Zhou, Bousquet, Lal, Weston and Schölkopf, "Learning with Local and Global Consistency"
    (2003).
    """

    _expected_temperature = 0.8

    def __init__(
        self,
        n_neighbors: int = 10,
        alpha: float = 0.99,
        *,
        graph: NeighborGraph | None = None,
        max_iter: int = 300,
        tol: float = 1e-4,
    ) -> None:
        self.n_neighbors = n_neighbors
        self.alpha = alpha
        self.graph = graph
        self.max_iter = max_iter
        self.tol = tol

    def _prepare(self, X: FloatArray) -> _Prepared:
        if not 0 < self.alpha < 1:
            raise InputError(f"alpha={self.alpha} cannot be used; give one between 0 and 1.")
        self._alpha_of_system = self.alpha
        return super()._prepare(X)

    def _sources(self, labeling: Labeling, roots: NDArray[Any]) -> NDArray[np.float32]:  # noqa: ARG002
        return labeling.one_hot() * np.float32(1 - self.alpha)

    def _read(self, solution: NDArray[Any], roots: NDArray[Any]) -> NDArray[np.float32]:  # noqa: ARG002
        parts = np.maximum(solution, 0)
        sums = np.maximum(parts.sum(axis=1, keepdims=True), np.finfo(np.float32).tiny)
        return np.asarray(parts / sums, np.float32)

    def _of_averages(self, averages: NDArray[Any]) -> Scores:
        return np.log(averages + _LEAST)


class PoissonLearning(GraphClassifier):
    """Poisson learning: labels as sources and sinks of a flow through the graph.

    Solves L u = Σⱼ (yⱼ − ȳ) δⱼ, over labelled samples j, with the graph's Laplacian L = D − W
    and Σᵢ dᵢ u(i) = 0. A sample is of the class with the largest u. The middle of the
    differences between the two largest is the unit of its scores.

    Parameters
    ----------
    n_neighbors : int
    class_priors : None, "balanced" or array-like (n_classes,)
        How often each class occurs, in the order of ``classes_``, where that is known. Scores
        are then shifted so that the probabilities have these means.
    graph : NeighborGraph or None
        That of the codes, if it is there already.
    max_iter, tol : int, float
        Of the solver.

    References
    ----------
    Calder, Cook, Thorpe and Slepčev, "Poisson Learning: Graph Based Semi-Supervised Learning
    at Very Low Label Rates" (ICML 2020), equations 2.2 and 2.4.
    """

    _expected_temperature = 0.35

    def __init__(
        self,
        n_neighbors: int = 10,
        *,
        class_priors: str | ArrayLike | None = None,
        graph: NeighborGraph | None = None,
        max_iter: int = 300,
        tol: float = 1e-3,
    ) -> None:
        self.n_neighbors = n_neighbors
        self.class_priors = class_priors
        self.graph = graph
        self.max_iter = max_iter
        self.tol = tol

    def _sources(self, labeling: Labeling, roots: NDArray[Any]) -> NDArray[np.float32]:
        sources = labeling.one_hot()
        sources[labeling.labelled] -= sources[labeling.labelled].mean(axis=0)
        return np.asarray(sources / roots, np.float32)

    def _read(self, solution: NDArray[Any], roots: NDArray[Any]) -> NDArray[np.float32]:
        potentials = solution / roots
        largest = np.partition(potentials, -2, axis=1)
        unit = np.median(largest[:, -1] - largest[:, -2])
        return np.asarray(potentials / max(unit, np.finfo(np.float32).tiny), np.float32)

    def with_class_priors(self, class_priors: str | ArrayLike) -> Self:
        """Return this fitted model, itself without priors, with these: nothing is solved again."""
        check_is_fitted(self, "_state")
        model = copy.copy(self)
        model.class_priors = class_priors
        model._adjust()
        return model

    def _adjust(self) -> None:
        priors = _checked_priors(self.class_priors, len(self.classes_))
        if priors is not None:
            scores = self._state.scores
            some = scores[:: -(-len(scores) // _MOST_WEIGHED)]
            shift = self.temperature_ * _shift_to(priors, some / self.temperature_)
            self._state = self._state._replace(scores=scores + shift)


def _checked_priors(priors: Any, n_classes: int) -> NDArray[np.float64] | None:
    if priors is None:
        return None
    if isinstance(priors, str) and priors == "balanced":
        return np.full(n_classes, 1 / n_classes)
    shares = np.array([]) if isinstance(priors, str) else np.asarray(priors, np.float64)
    if shares.shape != (n_classes,) or not (shares > 0).all():
        raise InputError(
            f"class_priors={priors!r} cannot be used; give None, 'balanced' or {n_classes} "
            "numbers above 0."
        )
    return np.asarray(shares / shares.sum())


def _shift_to(
    priors: NDArray[np.float64], scores: NDArray[Any], max_iter: int = 200
) -> NDArray[np.float32]:
    """Return what to add to scores (n, k) so that the mean of their softmax is ``priors``."""
    shift = np.zeros(len(priors))
    for _ in range(max_iter):
        gap = np.log(priors / np.maximum(softmax(scores + shift, axis=1).mean(axis=0), _LEAST))
        shift += gap
        if np.abs(gap).max() < 1e-3:
            break
    return np.asarray(shift, np.float32)
