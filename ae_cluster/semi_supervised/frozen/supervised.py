"""Classifiers that learn from the labelled codes alone; the others only set the scale."""

from __future__ import annotations

import math
import warnings
from abc import abstractmethod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils import check_random_state

from ae_cluster.common.validation import FloatArray, IntArray
from ae_cluster.graphs.neighbors import NeighborSearch
from ae_cluster.metrics.clustering import UNKNOWN
from ae_cluster.semi_supervised.base import FewLabelClassifier, Labeling, Scores


class _Scaled(NamedTuple):
    """Codes of mean 0 and variance 1 in each component, and what made them so."""

    scaler: StandardScaler
    codes: FloatArray


class ScaledClassifier(FewLabelClassifier):
    """A classifier of scikit-learn on standardised codes; labels and others set the scale."""

    def _prepare(self, X: FloatArray) -> _Scaled:
        scaler = StandardScaler().fit(X)
        return _Scaled(scaler, scaler.transform(X))

    def _learn(self, prepared: _Scaled, labeling: Labeling) -> tuple[StandardScaler, Any]:
        return prepared.scaler, self._classifier(prepared.codes, labeling)

    @abstractmethod
    def _classifier(self, codes: FloatArray, labeling: Labeling) -> Any:
        """Return scikit-learn's classifier, fitted."""

    def _scores(self, state: tuple[StandardScaler, Any], X: FloatArray) -> Scores:
        scaler, classifier = state
        found = classifier.decision_function(scaler.transform(X))
        return np.column_stack([-found, found]) / 2 if found.ndim == 1 else found


class LabelledLogistic(ScaledClassifier):
    """Logistic regression.

    Parameters
    ----------
    C : float
        As in `sklearn.linear_model.LogisticRegression`, like the others.
    max_iter : int
    tol : float
    """

    def __init__(self, C: float = 10.0, *, max_iter: int = 1000, tol: float = 1e-4) -> None:
        self.C = C
        self.max_iter = max_iter
        self.tol = tol

    def _classifier(self, codes: FloatArray, labeling: Labeling) -> Any:
        chosen = labeling.labelled
        model = LogisticRegression(C=self.C, max_iter=self.max_iter, tol=self.tol)
        return _fitted(model, codes[chosen], labeling.columns[chosen])

    @property
    def n_iter_(self) -> NDArray[np.int32]:
        """Steps that the fit took."""
        steps: NDArray[np.int32] = self._state[1].n_iter_
        return steps


class LabelledSVM(ScaledClassifier):
    """A support vector machine with a Gaussian kernel.

    Parameters
    ----------
    C : float
    max_labels : int
        Of more labelled samples, as many are chosen at random: the time grows with their square.
    random_state : int, RandomState or None
        Of that choice.
    """

    def __init__(
        self,
        C: float = 10.0,
        *,
        max_labels: int = 10_000,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.C = C
        self.max_labels = max_labels
        self.random_state = random_state

    def _classifier(self, codes: FloatArray, labeling: Labeling) -> Any:
        chosen = _at_most(self.max_labels, labeling.labelled, self.random_state)
        gamma = 1 / codes.shape[1]  # "scale" of standardised codes, whichever are labelled
        model = SVC(C=self.C, gamma=gamma)
        return _fitted(model, codes[chosen], labeling.columns[chosen])


class SelfTraining(ScaledClassifier):
    """Logistic regression that learns from its own predictions, the surest of each class first.

    In round r of R it takes the surest r / R of the samples it assigns to each class for
    labelled and learns again. One threshold for all classes would let the easy ones take over.

    Parameters
    ----------
    C : float
        Of the logistic regression.
    max_iter : int
        Rounds.
    max_unlabelled : int
        Of more unlabelled samples, as many are chosen at random.
    random_state : int, RandomState or None
        Of that choice.

    References
    ----------
    Zou, Yu, Kumar and Wang, "Unsupervised Domain Adaptation for Semantic Segmentation via
    Class-Balanced Self-Training" (ECCV 2018).
    """

    _n_folds = 1
    _expected_temperature = 2.5

    def __init__(
        self,
        C: float = 10.0,
        *,
        max_iter: int = 10,
        max_unlabelled: int = 2000,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.C = C
        self.max_iter = max_iter
        self.max_unlabelled = max_unlabelled
        self.random_state = random_state

    def _classifier(self, codes: FloatArray, labeling: Labeling) -> Any:
        chosen = labeling.labelled
        known, labels = codes[chosen], labeling.columns[chosen]
        others = np.flatnonzero(labeling.columns == UNKNOWN)
        pool = codes[_at_most(self.max_unlabelled, others, self.random_state)]
        model = _fitted(LogisticRegression(C=self.C, max_iter=1000), known, labels)
        for n_round in range(1, self.max_iter + 1 if len(pool) else 1):
            shares = model.predict_proba(pool)
            guesses = shares.argmax(axis=1)
            sure = _surest_of_each_class(shares.max(axis=1), guesses, n_round / self.max_iter)
            learnt = np.concatenate([known, pool[sure]])
            model = _fitted(
                LogisticRegression(C=self.C, max_iter=1000),
                learnt,
                np.concatenate([labels, guesses[sure]]),
            )
        return model

    @property
    def n_iter_(self) -> int:
        """Rounds that were made."""
        return self.max_iter


def _surest_of_each_class(
    confidence: NDArray[np.floating], guesses: IntArray, share: float
) -> IntArray:
    """Return the indices of this share of the samples guessed to be of each class."""
    chosen = []
    for c in np.unique(guesses):
        of_class = np.flatnonzero(guesses == c)
        surest_first = of_class[np.argsort(-confidence[of_class], kind="stable")]
        chosen.append(surest_first[: math.ceil(share * of_class.size)])
    return np.concatenate(chosen)


class LabelledNeighbors(FewLabelClassifier):
    """The nearest labelled codes vote, the nearer the weightier.

    Beside them, together as one vote, stands the nearest of each class by the inverse square
    of its distance: it tells how close a decision is where a single label decides.

    Parameters
    ----------
    n_neighbors : int or None
        None: the root of the labels that the rarest class has, so one up to three per class, 3
        at ten, 10 at a hundred. The rule was chosen on scikit-learn's digits among 1 and
        several parts and roots (40 draws).
    """

    def __init__(self, n_neighbors: int | None = None) -> None:
        self.n_neighbors = n_neighbors

    def _prepare(self, X: FloatArray) -> FloatArray:
        return X

    def _learn(self, prepared: FloatArray, labeling: Labeling) -> dict[str, Any]:
        chosen = labeling.labelled
        columns = labeling.columns[chosen]
        sizes = np.bincount(columns)
        k = self.n_neighbors or math.isqrt(int(sizes.min()))
        return {
            "k": min(k, chosen.size),
            "columns": columns,
            "all": NeighborSearch(prepared[chosen]),
            "of_class": [NeighborSearch(prepared[chosen[columns == c]]) for c in range(sizes.size)],
        }

    def _scores(self, state: dict[str, Any], X: FloatArray) -> Scores:
        distances, nearest = state["all"].nearest(X, state["k"])
        columns = state["columns"][nearest]
        n_classes = len(state["of_class"])
        weights = _shares(1 / np.maximum(distances, LEAST))
        votes = np.stack([(weights * (columns == c)).sum(axis=1) for c in range(n_classes)], axis=1)
        first = np.column_stack([of.nearest(X, 1)[0] for of in state["of_class"]])
        closeness = _shares(1 / np.maximum(first, LEAST) ** 2)
        shares = (state["k"] * votes + closeness) / (state["k"] + 1)
        return np.asarray(np.log(shares + LEAST))


LEAST = 1e-9  # keeps a distance or a share from being 0


def _shares(values: NDArray[np.float64]) -> NDArray[np.float64]:
    shares: NDArray[np.float64] = values / values.sum(axis=1, keepdims=True)
    return shares


def _at_most(
    n: int, indices: IntArray, random_state: int | np.random.RandomState | None
) -> IntArray:
    if len(indices) <= n:
        return indices
    chosen = check_random_state(random_state).choice(len(indices), n, replace=False)
    kept: IntArray = indices[np.sort(chosen)]
    return kept


def _fitted(model: Any, codes: FloatArray, labels: IntArray) -> Any:
    with warnings.catch_warnings():
        # One label per class looks like a regression to scikit-learn; here it is the point.
        warnings.filterwarnings("ignore", message="The number of unique classes")
        return model.fit(codes, labels)
