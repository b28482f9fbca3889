"""Classifiers on frozen codes from a few labels, and the label budgets that make them comparable.

A budget says which train samples show their label. Budgets are balanced (as many of each
class) and nested (five per class contain the one per class of the same draw), so a curve over
budgets shows what more labels bring and not another choice of samples. Nothing here reads a
train label outside its budget, and the test labels only score.
"""

from __future__ import annotations

import itertools
import math
import operator
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ae_cluster.checks import FloatArray, IntArray, checked_halves, checked_labels
from ae_cluster.errors import InputError
from ae_cluster.evaluation import UNKNOWN

_NAME = re.compile(r"(?P<dataset>.+)\.s(?P<draw>0|[1-9]\d*)@(?P<per_class>[1-9]\d*)", re.ASCII)


@dataclass(frozen=True, eq=False)
class LabelBudget:
    """Which train samples show their label; balanced and nested when from :func:`draw_budget`.

    Parameters
    ----------
    dataset : name of the data set that the indices point into.
    draw : which of the possible choices, from 0.
    per_class : labels of each class, from 1.
    indices : (n_labelled,) int64 positions in the train set, read-only. A drawn budget lists
        the first sample of each class, then the second of each, and so on: smaller budgets of
        the same draw are its beginnings.
    """

    dataset: str
    draw: int
    per_class: int
    indices: IntArray

    def __post_init__(self) -> None:
        for count in ("draw", "per_class"):  # numpy's integers would not go into JSON
            object.__setattr__(self, count, operator.index(getattr(self, count)))
        if not self.dataset or self.draw < 0 or self.per_class < 1:
            raise InputError(
                f"{self.name!r} is no label budget; it needs a data set, a draw from 0 "
                "and at least 1 label per class."
            )
        indices = checked_labels(self.indices, f"the indices of {self.name}")
        if indices.min() < 0 or np.unique(indices).size < indices.size:
            raise InputError(f"The indices of {self.name} must be different and not negative.")
        if indices.size < self.per_class:
            raise InputError(f"{self.name} lists only {indices.size} indices; draw it again.")
        indices.setflags(write=False)
        object.__setattr__(self, "indices", indices)

    @property
    def name(self) -> str:
        """The name that says it all: ``mnist.s3@5`` is draw 3, five per class."""
        return f"{self.dataset}.s{self.draw}@{self.per_class}"

    @staticmethod
    def parse(name: str) -> tuple[str, int, int]:
        """Split a name into data set, draw and labels per class."""
        parts = _NAME.fullmatch(name)
        if parts is None:
            raise InputError(f"{name!r} names no label budget; write it like mnist.s3@5.")
        return parts["dataset"], int(parts["draw"]), int(parts["per_class"])

    @classmethod
    def from_name(cls, name: str, labels: ArrayLike) -> LabelBudget:
        """Draw the budget of that name again from the train labels of its data set."""
        dataset, draw, per_class = cls.parse(name)
        return draw_budget(labels, per_class, draw, dataset)

    def to_json(self) -> dict[str, Any]:
        """Return a dict of plain values; :meth:`from_json` reads it back."""
        fields = {"dataset": self.dataset, "draw": self.draw, "per_class": self.per_class}
        return {**fields, "indices": self.indices.tolist()}

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_json` wrote."""
        expected = {"dataset": str, "draw": int, "per_class": int, "indices": list}
        for key, kind in expected.items():
            if not isinstance(fields.get(key), kind):
                raise InputError(f"A saved label budget needs {key!r} of type {kind.__name__}.")
        return cls(**{key: fields[key] for key in expected})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LabelBudget) and self.to_json() == other.to_json()

    def __hash__(self) -> int:
        return hash(self.name)


def draw_budget(labels: ArrayLike, per_class: int, draw: int, dataset: str = "data") -> LabelBudget:
    """Choose ``per_class`` samples of each known class at random, the same on any machine.

    Parameters
    ----------
    labels : array-like of shape (n,), the train labels; samples of unknown class (−1) are
        never chosen.
    per_class : labels of each class, from 1.
    draw : seed of the choice, from 0. With another ``per_class`` the same draw is nested.
    dataset : name to keep with the budget.

    Raises
    ------
    InputError
        When no label is known, all belong to one class, or a class has too few.
    """
    truth = checked_labels(labels)
    if per_class < 1 or draw < 0:
        raise InputError(
            f"A budget of {per_class} per class, draw {draw}, cannot be drawn; "
            "ask for at least 1 per class and a draw from 0."
        )
    classes, sizes = np.unique(truth[truth != UNKNOWN], return_counts=True)
    _check_classes(classes, sizes, per_class)
    # Each class has a stream of its own: its samples do not depend on the other classes.
    orders = [
        np.random.default_rng([draw, c]).permutation(np.flatnonzero(truth == c))[:per_class]
        for c in classes.tolist()
    ]
    return LabelBudget(dataset, draw, per_class, np.stack(orders, axis=1).ravel())


def _check_classes(classes: IntArray, sizes: IntArray, per_class: int) -> None:
    if not classes.size:
        raise InputError("No label is known (all are −1); give at least one label of two classes.")
    if classes.size == 1:
        raise InputError(f"All known labels are class {classes[0]}; give labels of two classes.")
    if per_class > sizes.min():
        raise InputError(
            f"A budget of {per_class} per class is larger than class {classes[sizes.argmin()]} "
            f"with its {sizes.min()} known labels; ask for at most {sizes.min()}."
        )


def few_label_classifiers(seed: int = 0, per_class: int = 1) -> dict[str, Any]:
    """Return the unfitted scikit-learn classifiers for a few labels, by name.

    ``knn`` asks the √``per_class`` nearest labels, the nearer the weightier: one up to three
    per class, 3 at ten, 10 at a hundred, so never more than there are labels. The rule was
    chosen on scikit-learn's digits among 1 and several parts and roots of ``per_class``
    (40 draws): on 3-D codes it gains 1 to 3.5 points over the single nearest label from ten
    per class on, on pixels it loses at most 1.
    """
    return {
        "logistic-regression": make_pipeline(
            StandardScaler(), LogisticRegression(max_iter=1000, random_state=seed)
        ),
        "knn": KNeighborsClassifier(math.isqrt(per_class), weights="distance"),
    }


def label_budget_rows(
    codes_train: ArrayLike,
    y_train: ArrayLike,
    codes_test: ArrayLike,
    y_test: ArrayLike,
    budgets: Sequence[int],
    draws: int,
    *,
    dataset: str,
    features: str,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Score every few-label classifier at every budget and draw, on test only.

    Parameters
    ----------
    codes_train, codes_test : array-like of shape (n, n_components)
    y_train, y_test : array-like of shape (n,), −1 where unknown.
    budgets : labels per class, each from 1.
    draws : choices of labels at each budget; draws 0 … ``draws`` − 1.
    dataset, features : names to write in the rows (``features``: what the codes are).
    seed : the seed that made the codes; also that of the classifiers.

    Returns
    -------
    Rows of :func:`budget_rows`. A budget that cannot be drawn, say one larger than the
    smallest class, gives rows of status ``failed`` with the reason and NaN for accuracy.
    """
    if draws < 1 or any(per_class < 1 for per_class in budgets):
        raise InputError(f"budgets {list(budgets)} and draws {draws} must each be at least 1.")
    halves = checked_halves(codes_train, y_train, codes_test, y_test)
    rows = []
    for per_class, draw in itertools.product(budgets, range(draws)):
        try:
            budget = draw_budget(halves[1], per_class, draw, dataset)
        except InputError as error:
            place = _place(dataset, per_class, draw, features, seed, halves[0])
            rows += [_failed(place, method, str(error)) for method in few_label_classifiers()]
        else:
            rows += budget_rows(budget, *halves, features=features, seed=seed)
    return rows


def budget_rows(
    budget: LabelBudget,
    codes_train: ArrayLike,
    y_train: ArrayLike,
    codes_test: ArrayLike,
    y_test: ArrayLike,
    *,
    features: str,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Score every few-label classifier with the labels of one budget, on test only.

    Returns
    -------
    One row per classifier: dataset, split (``test``), method, seed, budget (labels per
    class), draw, features, n_components, n_train (labels used), accuracy over the test
    samples of known class, status (``ok`` or ``failed``) and reason.
    """
    train, labels, test, truth = checked_halves(codes_train, y_train, codes_test, y_test)
    shown = _shown_labels(budget, labels)
    place = _place(budget.dataset, budget.per_class, budget.draw, features, seed, train)
    scored = truth != UNKNOWN
    rows = []
    for method, classifier in few_label_classifiers(seed, budget.per_class).items():
        if not scored.any():
            rows.append(_failed(place, method, "No label of a test sample is known."))
            continue
        _fit(classifier, train[budget.indices], shown)
        right = classifier.predict(test[scored]) == truth[scored]
        rows.append(_scored(place, method, shown.size, float(right.mean())))
    return rows


def _shown_labels(budget: LabelBudget, labels: IntArray) -> IntArray:
    if budget.indices.max() >= labels.size:
        raise InputError(
            f"{budget.name} points past the {labels.size} train samples; draw it from these labels."
        )
    shown = labels[budget.indices]
    if UNKNOWN in shown or np.unique(shown).size < 2:
        raise InputError(
            f"{budget.name} shows an unknown label or one class only; draw it from these labels."
        )
    return shown


def _fit(classifier: Any, codes: FloatArray, labels: IntArray) -> None:
    with warnings.catch_warnings():
        # One label per class looks like a regression to scikit-learn; here it is the point.
        warnings.filterwarnings("ignore", message="The number of unique classes")
        classifier.fit(codes, labels)


def _place(
    dataset: str, per_class: int, draw: int, features: str, seed: int, codes: FloatArray
) -> dict[str, Any]:
    return {
        "dataset": dataset,
        "split": "test",
        "method": "",
        "seed": seed,
        "budget": per_class,
        "draw": draw,
        "features": features,
        "n_components": codes.shape[1],
    }


def _scored(place: dict[str, Any], method: str, n_train: int, accuracy: float) -> dict[str, Any]:
    outcome = {"n_train": n_train, "accuracy": accuracy, "status": "ok", "reason": ""}
    return {**place, "method": method, **outcome}


def _failed(place: dict[str, Any], method: str, reason: str) -> dict[str, Any]:
    outcome = {"n_train": 0, "accuracy": math.nan, "status": "failed", "reason": reason}
    return {**place, "method": method, **outcome}
