"""How good classifiers are with a few labels: one row each, on test samples.

Nothing here reads a train label outside its budget, and the test labels only score. The
budgets and the classifiers on frozen codes are in `ae_cluster.semi_supervised`; those that
fine-tune an encoder are in `finetuned`, and are scored on samples as the others are on codes.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ae_cluster.common.errors import InputError
from ae_cluster.common.global_state import default_state
from ae_cluster.common.validation import FloatArray, IntArray, checked_halves
from ae_cluster.methods import classifier_facts, current_name
from ae_cluster.metrics.calibration import expected_calibration_error
from ae_cluster.metrics.clustering import UNKNOWN
from ae_cluster.semi_supervised.budgets import (
    LabelBudget,
    all_labels,
    draw_budget,
    draw_random_budget,
)
from ae_cluster.semi_supervised.methods import METHODS, QUICK, Method, few_label_classifiers

__all__ = [
    "ALL",
    "LabelBudget",
    "budget_rows",
    "draw_budget",
    "few_label_classifiers",
    "label_budget_rows",
]

ALL = None  # in place of a number of labels per class: every label
ANOTHER_START = 1000  # between the seeds of a clusterer's starts on the same codes
_PLACE = (
    *("dataset", "split", "method", "family", "seed", "budget", "draw", "features"),
    *("n_components", "uses_k", "uses_balance", "uses_augmentation", "tuned_on"),
)
Row = dict[str, Any]
Halves = tuple[FloatArray, IntArray, FloatArray, IntArray]


@default_state()
def label_budget_rows(
    codes_train: ArrayLike,
    y_train: ArrayLike,
    codes_test: ArrayLike,
    y_test: ArrayLike,
    budgets: Sequence[int | None],
    draws: int,
    *,
    dataset: str,
    features: str,
    seed: int = 0,
    first_draw: int = 0,
    methods: Collection[str] | Mapping[str, Method] = QUICK,
    balanced: bool = True,
    start: Any = None,
    clusterer_seeds: Sequence[int] = (0,),
) -> list[Row]:
    """Score few-label classifiers at every budget and draw, on test only.

    Parameters
    ----------
    codes_train, codes_test : array-like of shape (n, n_components)
    y_train, y_test : array-like of shape (n,), −1 where unknown.
    budgets : labels per class, each from 1; `ALL` for every label, which is drawn once.
    draws : choices of labels at each budget; numbered from ``first_draw``.
    dataset, features : names to write in the rows (``features``: what the codes are).
    seed : the seed that made the codes; also that of the classifiers.
    first_draw : the number of the first draw, from 0.
    methods : names of :func:`few_label_classifiers`, or methods by name.
    balanced : as many labels of each class; else by chance from all.
    start : what the methods may start from, if it is there already: the graph of ``codes_train``,
        or a trained encoder.
    clusterer_seeds : which starts of a clusterer to try, where a method has one; from 0.

    Returns
    -------
    Rows of :func:`budget_rows`. A budget that cannot be drawn, say one larger than the
    smallest class, gives rows of status ``failed`` with the reason and NaN for accuracy.
    """
    if draws < 1 or any(per_class is not ALL and per_class < 1 for per_class in budgets):
        raise InputError(f"budgets {list(budgets)} and draws {draws} must each be at least 1.")
    halves = checked_halves(codes_train, y_train, codes_test, y_test)
    drawn: list[LabelBudget] = []
    rows: list[Row] = []
    for per_class, draw in itertools.product(budgets, range(first_draw, first_draw + draws)):
        if per_class is ALL and draw > first_draw:
            continue
        try:
            drawn.append(_drawn(halves[1], per_class, draw, dataset, balanced))
        except InputError as error:
            place: Row = {"dataset": dataset, "budget": per_class or 0, "draw": draw, "seed": seed}
            place |= {"features": features, "n_components": halves[0].shape[1]}
            rows += [
                _failed(_placed(place, name, method, balanced), str(error))
                for name, method in _by_name(methods).items()
            ]
    rows += budget_rows(
        drawn, *halves, features=features, seed=seed, methods=methods, start=start,
        clusterer_seeds=clusterer_seeds,
    )  # fmt: skip
    return sorted(rows, key=lambda row: (row["budget"], row["draw"]))


def _drawn(
    labels: IntArray, per_class: int | None, draw: int, dataset: str, balanced: bool
) -> LabelBudget:
    if per_class is ALL:
        return all_labels(labels, draw, dataset)
    return (draw_budget if balanced else draw_random_budget)(labels, per_class, draw, dataset)


@default_state()
def budget_rows(
    budgets: LabelBudget | Sequence[LabelBudget],
    codes_train: ArrayLike,
    y_train: ArrayLike,
    codes_test: ArrayLike,
    y_test: ArrayLike,
    *,
    features: str,
    seed: int = 0,
    methods: Collection[str] | Mapping[str, Method] = QUICK,
    start: Any = None,
    clusterer_seeds: Sequence[int] = (0,),
) -> list[Row]:
    """Score classifiers with the labels of each budget, on test only.

    What needs no label is made once for all budgets, and graph methods solve for all together.

    Returns
    -------
    For each method a row per budget: dataset, split (``test``), method, family, seed, budget
    (labels per class), draw, features, n_components, n_train (labels used), accuracy over the
    test samples of known class, ece (error of its probabilities), uses_balance (whether the
    draw is balanced or the method told of it), uses_k, uses_augmentation and tuned_on (of the
    codes and the method together), status (``ok`` or ``failed``) and reason: why it
    failed, or of which classes there was no label. Methods with a clusterer have a row for each
    of ``clusterer_seeds``, which the column clusterer_seed tells apart.
    """
    halves = checked_halves(codes_train, y_train, codes_test, y_test)
    budgets = [budgets] if isinstance(budgets, LabelBudget) else list(budgets)
    for budget in budgets:
        _check_labels(budget, halves[1])
    fitted: dict[str, list[Any]] = {}
    rows: list[Row] = []
    for name, method in _by_name(methods).items() if budgets else ():
        told = {"seed": seed, "features": features, "n_components": halves[0].shape[1]}
        for i in clusterer_seeds if method.clusters else (0,):
            places = [
                _placed({"dataset": b.dataset, "budget": b.per_class, "draw": b.draw, **told},
                        name, method, b.balanced)
                | ({"clusterer_seed": i} if method.clusters else {})
                for b in budgets
            ]  # fmt: skip
            classifier = method.make(seed + ANOTHER_START * i, start)
            earlier = fitted.get(method.after)
            rows += _method_rows(classifier, earlier, fitted, places, budgets, halves)
    return rows


def _by_name(methods: Collection[str] | Mapping[str, Method]) -> Mapping[str, Method]:
    if isinstance(methods, Mapping):
        return methods
    return {name: METHODS[name] for name in map(current_name, methods)}


def _method_rows(
    classifier: Any,
    earlier: list[Any] | None,
    fitted: dict[str, list[Any]],
    places: list[Row],
    budgets: list[LabelBudget],
    halves: Halves,
) -> list[Row]:
    """Return a row per budget; the fitted models, from ``earlier`` ones, come into ``fitted``."""
    train, labels, test, truth = halves
    scored, method = truth != UNKNOWN, places[0]["method"]
    if not scored.any():
        return [_failed(place, "No label of a test sample is known.") for place in places]
    start = time.perf_counter()
    try:
        if earlier:
            models = [model.with_class_priors(classifier.class_priors) for model in earlier]
        else:
            models = classifier.fit_many(train, [_shown(budget, labels) for budget in budgets])
        shares = classifier.predict_proba_many(models, test[scored])
    except (ValueError, np.linalg.LinAlgError) as error:
        return [_failed(place, " ".join(str(error).split())) for place in places]
    fitted[method] = models
    used = {"seconds": round((time.perf_counter() - start) / len(budgets), 3)}
    known = np.unique(labels[labels != UNKNOWN])
    return [
        place
        | {"n_train": budget.indices.size}
        | _scores(model.classes_, share, truth[scored], known)
        | used
        for place, budget, model, share in zip(places, budgets, models, shares, strict=True)
    ]


def _shown(budget: LabelBudget, labels: IntArray) -> IntArray:
    """Return labels (n,) with −1 outside the budget."""
    shown = np.full(labels.shape, UNKNOWN)
    shown[budget.indices] = labels[budget.indices]
    return shown


def _check_labels(budget: LabelBudget, labels: IntArray) -> None:
    if budget.indices.max() >= labels.size:
        raise InputError(
            f"{budget.name} points past the {labels.size} train samples; draw it from these labels."
        )
    shown = labels[budget.indices]
    if UNKNOWN in shown or np.unique(shown).size < 2:
        raise InputError(
            f"{budget.name} shows an unknown label or one class only; draw it from these labels."
        )


# Rows


def _placed(place: Row, name: str, method: Method, balanced: bool) -> Row:
    """Return the columns that say what a row is, in their order."""
    said: Row = {"split": "test", "method": name, "family": method.family}
    said |= classifier_facts(place["features"], name)
    said["uses_balance"] = balanced or method.uses_balance
    return {name: (place | said)[name] for name in _PLACE}


def _scores(
    classes: IntArray, shares: NDArray[np.float64], truth: IntArray, known: IntArray
) -> Row:
    without = ", ".join(map(str, np.setdiff1d(known, classes)))
    return {
        "accuracy": float((classes[shares.argmax(axis=1)] == truth).mean()),
        "ece": expected_calibration_error(*_in_columns(truth, classes, shares)),
        "status": "ok",
        "reason": f"no label of class {without}" if without else "",
    }


def _in_columns(
    truth: IntArray, classes: IntArray, shares: NDArray[np.float64]
) -> tuple[IntArray, NDArray[np.float64]]:
    """Return columns of the true classes, and probabilities with a column of 0 for any other."""
    columns = np.searchsorted(classes, truth).clip(max=classes.size - 1)
    columns = np.where(classes[columns] == truth, columns, classes.size)
    return columns, np.column_stack([shares, np.zeros(len(shares))])


def _failed(place: Row, reason: str) -> Row:
    nothing = {"n_train": 0, "accuracy": math.nan, "ece": math.nan, "seconds": math.nan}
    return place | nothing | {"status": "failed", "reason": reason}
