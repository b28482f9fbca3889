"""What all classifiers from a few labels share: −1 for unlabelled, and calibrated probabilities.

Fitting has two parts. What needs no label (a graph, clusters, a scale) is made once, however
many labelings of the same codes are to be learnt from; then each labeling is learnt, together
with the same labeling less some labels, on which its probabilities are calibrated. So no label
is looked at but those given.
"""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils import assert_all_finite, check_consistent_length
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from ae_cluster.common.errors import InputError
from ae_cluster.common.global_state import default_state
from ae_cluster.common.labels import UNKNOWN, classes_of
from ae_cluster.common.scalars import plain_parameters
from ae_cluster.common.validation import FloatArray, IntArray
from ae_cluster.semi_supervised.temperature import fit_temperature

N_FOLDS = 3
Scores = NDArray[np.floating]


class Labeling(NamedTuple):
    """Which samples are labelled, and what.

    Attributes
    ----------
    columns : ndarray (n,)
        Position of each sample's class among the classes, −1 where it is unlabelled.
    n_classes : int
    """

    columns: IntArray
    n_classes: int

    @property
    def labelled(self) -> IntArray:
        """Indices of the labelled samples."""
        return np.flatnonzero(self.columns != UNKNOWN)

    def one_hot(self, dtype: type = np.float32) -> NDArray[Any]:
        """Return (n, n_classes): 1 at a labelled sample's class, else 0."""
        table: NDArray[Any] = np.zeros((len(self.columns), self.n_classes), dtype)
        table[self.labelled, self.columns[self.labelled]] = 1
        return table

    def without(self, hidden: IntArray) -> Labeling:
        """Return the labeling less some samples' labels."""
        columns = self.columns.copy()
        columns[hidden] = UNKNOWN
        return Labeling(columns, self.n_classes)

    def folds(self, n_folds: int = N_FOLDS) -> list[IntArray]:
        """Return up to ``n_folds`` sets of labelled samples to be hidden, no class wholly.

        The only label of a class is in none, so with one label per class there is no fold.
        """
        rank = np.full(len(self.columns), UNKNOWN)
        for column in range(self.n_classes):
            of_class = np.flatnonzero(self.columns == column)
            if of_class.size > 1:
                rank[of_class] = np.arange(of_class.size) % n_folds
        folds = [np.flatnonzero(rank == fold) for fold in range(n_folds)]
        return [fold for fold in folds if fold.size]


class FewLabelClassifier(ClassifierMixin, BaseEstimator, ABC):  # type: ignore[misc]
    """A classifier of codes that takes −1 for unlabelled, as `sklearn.semi_supervised` does.

    Attributes
    ----------
    classes_ : ndarray (n_classes,)
    temperature_ : float
        What scores are divided by to become log-probabilities: expected without labels, and
        corrected by held-out ones where a class has two or more.
    """

    classes_: NDArray[Any]
    temperature_: float
    _state: Any
    _expected_temperature = 1.0
    _n_folds = N_FOLDS
    _dtypes: tuple[type, ...] = (np.float64, np.float32)  # of samples that stay as they are

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Learn from codes X (n, n_features), of which some are labelled.

        Parameters
        ----------
        X : array-like (n, n_features)
            All codes, unlabelled ones too: the more the better.
        y : array-like (n,)
            Classes, whole numbers or text; −1, None, NaN or a word of
            `ae_cluster.common.labels.NO_LABEL`, as "-1" or "NA", where unlabelled.

        Raises
        ------
        InputError
            When no sample is labelled, all labels are of one class, or a parameter cannot be
            used.
        """
        with plain_parameters(self):
            self._fit_together([self], X, [y])
        return self

    def fit_many(self, X: ArrayLike, labelings: Iterable[ArrayLike]) -> list[Self]:
        """Return a fitted copy of this classifier for each labeling of the same codes."""
        labelings = list(labelings)
        models = [clone(self) for _ in labelings]
        with plain_parameters(self, *models):
            self._fit_together(models, X, labelings)
        return models

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the likeliest class (n,) of codes, seen or new."""
        shares = self.predict_proba(X)
        predicted: NDArray[Any] = self.classes_[shares.argmax(axis=1)]
        return predicted

    @default_state()
    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the probability (n, n_classes) of each class of `classes_`."""
        check_is_fitted(self)
        return self._probabilities(self._scores(self._state, self._validated(X)))

    def predict_proba_many(self, models: Sequence[Self], X: ArrayLike) -> list[NDArray[np.float64]]:
        """Return the probabilities by each of the models that `fit_many` gave."""
        return [model.predict_proba(X) for model in models]

    # ------------------------------------------------------ what a method fills in

    @abstractmethod
    def _prepare(self, X: FloatArray) -> Any:
        """Return what is learnt from all codes without a label."""

    @abstractmethod
    def _learn(self, prepared: Any, labeling: Labeling) -> Any:
        """Return what `_scores` needs."""

    @abstractmethod
    def _scores(self, state: Any, X: FloatArray) -> Scores:
        """Return (n, n_classes), the higher the likelier: log-probabilities but for a factor."""

    def _learn_all(self, prepared: Any, labelings: Sequence[Labeling]) -> Iterable[Any]:
        """Return a state for each labeling."""
        return (self._learn(prepared, labeling) for labeling in labelings)

    def _adjust(self) -> None:
        """Correct a fitted model once its temperature is known."""

    # -------------------------------------------------------------- fitting

    @default_state()
    def _fit_together(
        self, models: Sequence[Self], X: ArrayLike, labelings: Sequence[ArrayLike]
    ) -> None:
        known = []
        for model, y in zip(models, labelings, strict=True):
            codes = validate_data(model, X, dtype=self._dtypes, ensure_min_samples=2)
            model.classes_, labeling = _read_labels(y)
            check_consistent_length(codes, labeling.columns)
            known.append(labeling)
        if not known:
            return
        folds = [labeling.folds()[: self._n_folds] for labeling in known]
        wanted = [
            part
            for labeling, hidden in zip(known, folds, strict=True)
            for part in (labeling, *map(labeling.without, hidden))
        ]
        states = iter(self._learn_all(self._prepare(codes), wanted))
        for model, labeling, hidden in zip(models, known, folds, strict=True):
            model._state = next(states)
            model._calibrate(codes, labeling, [(fold, next(states)) for fold in hidden])
            model._adjust()

    def _calibrate(
        self, codes: FloatArray, labeling: Labeling, held_out: list[tuple[IntArray, Any]]
    ) -> None:
        self.temperature_ = self._expected_temperature
        if held_out:
            scores = [self._scores(state, codes[fold]) for fold, state in held_out]
            truth = [labeling.columns[fold] for fold, _ in held_out]
            self.temperature_ = fit_temperature(
                np.concatenate(scores), np.concatenate(truth), self._expected_temperature
            )

    def _probabilities(self, scores: Scores) -> NDArray[np.float64]:
        shares: NDArray[np.float64] = softmax(scores.astype(np.float64) / self.temperature_, axis=1)
        return shares

    def _validated(self, X: ArrayLike) -> FloatArray:
        codes: FloatArray = validate_data(self, X, dtype=self._dtypes, reset=False)
        return codes


def _read_labels(y: ArrayLike) -> tuple[NDArray[Any], Labeling]:
    """Return the classes, ascending, and the labeling in terms of them."""
    classes, columns = classes_of(column_or_1d(_without_mask(y), warn=True))
    assert_all_finite(classes, input_name="y")
    known = columns[columns != UNKNOWN]
    with warnings.catch_warnings():
        # One label per class looks like a regression to scikit-learn; here it is the point.
        warnings.filterwarnings("ignore", message="The number of unique classes")
        check_classification_targets(classes[known])
    if not known.size:
        raise InputError("No label is known (all are −1); give at least one label of two classes.")
    if classes.size < 2:
        raise InputError(f"All known labels are class {classes[0]}; give labels of two classes.")
    return classes, Labeling(columns, classes.size)


def _without_mask(y: ArrayLike) -> ArrayLike:
    """Return labels with None where they are masked; scikit-learn would look behind the mask."""
    if not isinstance(y, np.ma.MaskedArray):
        return y
    seen = np.array(y, dtype=object)
    seen[np.ma.getmaskarray(y)] = None
    return seen
