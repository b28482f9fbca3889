"""From a data set with a few labels to a class for every sample, and how far to trust it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import binomtest

from ae_cluster.common.errors import InputError, nearest
from ae_cluster.common.global_state import default_state
from ae_cluster.common.interrupts import at_once_on_ctrl_c
from ae_cluster.common.validation import FloatArray, IntArray
from ae_cluster.methods import current_name
from ae_cluster.metrics.clustering import UNKNOWN
from ae_cluster.records.classifiers import KeptClassifier
from ae_cluster.runs.classifiers import to_be_kept
from ae_cluster.runs.samples import Samples
from ae_cluster.semi_supervised.base import Labeling
from ae_cluster.semi_supervised.label_files import NamedLabels
from ae_cluster.semi_supervised.methods import FINETUNED_STARTS, METHODS

COLUMNS = ("id", "label", "prediction", "probability")  # of the table of predictions
N_FOLDS = 5  # of cross-validation, at most
FINETUNED_FOLDS = 3  # likewise; each teaches the encoder anew, which takes minutes


class Estimate(NamedTuple):
    """How often a prediction is right, as held-out labels tell.

    Attributes
    ----------
    accuracy : float
    low, high : float
        95 % interval (Wilson's).
    n : int
        Held-out labels.
    """

    accuracy: float
    low: float
    high: float
    n: int

    @classmethod
    def of(cls, right: NDArray[np.bool_]) -> Estimate:
        """Return the estimate from whether each held-out label was met."""
        interval = binomtest(int(right.sum()), len(right)).proportion_ci(method="wilson")
        return cls(float(right.mean()), float(interval.low), float(interval.high), len(right))


class Classified(NamedTuple):
    """Predictions for every sample, and what is known of their worth.

    Attributes
    ----------
    table : DataFrame
        Columns id, label (as given, "" where not), prediction, probability.
    estimate : Estimate or None
        By cross-validation on the given labels; None where no class has two.
    against_data : Estimate or None
        On labels that the data hold beside the given ones; these were never learnt from.
    n_labels : int
    twins : int
        Labelled samples that equal another with another label; of codes: whose codes do.
    classifier : KeptClassifier or None
        What predicts from codes; None where all samples are needed for it.
    """

    table: pd.DataFrame
    estimate: Estimate | None
    against_data: Estimate | None
    n_labels: int
    twins: int
    classifier: KeptClassifier | None = None


@default_state()
def classify(samples: Samples, given: NamedLabels | None, method: str, seed: int) -> Classified:
    """Learn from a few labels and predict a class for every sample.

    Parameters
    ----------
    samples : Samples
        Of `runs.samples.samples_of`.
    given : NamedLabels or None
        The labels to learn from; None: those that the data hold.
    method : str
        A name of `ae_cluster.semi_supervised.methods`.
    seed : int

    Raises
    ------
    InputError
        When the method is unknown, or the labels cannot be learnt from.
    """
    known, method = [*METHODS, *FINETUNED_STARTS], current_name(method)
    if method not in known:
        raise InputError(f"--method {method!r} is not known: {nearest(method, known)}")
    with at_once_on_ctrl_c():
        return _classified(samples, given, method, seed)


def _classified(samples: Samples, given: NamedLabels | None, method: str, seed: int) -> Classified:
    labels = samples.labels if given is None else given
    _check_worth(samples.name, labels, given is not None)
    codes, classifier = _codes_and_classifier(samples, labels, method, seed)
    whole = Labeling(labels.columns, len(labels.names))
    folds = whole.folds(N_FOLDS if method in METHODS else FINETUNED_FOLDS)
    model, *held_out = classifier.fit_many(
        codes, [labels.columns, *(whole.without(fold).columns for fold in folds)]
    )
    shares = model.predict_proba(codes)
    predicted = model.classes_[shares.argmax(axis=1)]
    right = [m.predict(codes[fold]) == labels.columns[fold] for m, fold in zip(held_out, folds,
             strict=True)]  # fmt: skip
    names = np.array([*labels.names, ""])
    columns = samples.ids, names[labels.columns], names[predicted], shares.max(axis=1).round(4)
    table = pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))
    return Classified(
        table,
        Estimate.of(np.concatenate(right)) if right else None,
        _against_data(samples.labels, labels, predicted) if given is not None else None,
        len(whole.labelled),
        _twins(codes, labels.columns),
        to_be_kept(model, labels.names) if method in METHODS else None,
    )


def _codes_and_classifier(
    samples: Samples, labels: NamedLabels, method: str, seed: int
) -> tuple[NDArray[Any], Any]:
    """Return what a method learns from, codes or the samples themselves, and the method."""
    if method in METHODS:
        return samples.codes(), METHODS[method].make(seed, None)
    from ae_cluster.semi_supervised.methods import FINETUNED_METHODS

    if samples.start is None:
        why = "these are codes" if samples.run is None else "a run's folder holds their codes"
        raise InputError(
            f"--method {method} fine-tunes the encoder and needs the samples themselves, and {why};"
            f" give the data of {samples.name} in their place."
        )
    n_classes = np.unique(labels.columns[labels.columns != UNKNOWN]).size
    rows, encoder = samples.start(FINETUNED_STARTS[method], n_classes)
    return rows, FINETUNED_METHODS[method].make(seed, encoder).set_params(verbose=True)


def _check_worth(name: str, labels: NamedLabels, are_given: bool) -> None:
    known = labels.columns != UNKNOWN
    n_classes = np.unique(labels.columns[known]).size
    way_out = "label samples of at least two classes" if are_given else "give some with --labels"
    if not n_classes:
        raise InputError(f"{name} holds no label; {way_out}.")
    if n_classes < 2:
        only = labels.names[labels.columns[known][0]]
        raise InputError(f"All labels of {name} are {only!r}; {way_out}.")
    if known.all():
        raise InputError(
            f"Every sample of {name} has a label, so there is nothing to predict; say with "
            "--labels FILE which few to learn from."
        )


def _against_data(of_data: NamedLabels, given: NamedLabels, predicted: IntArray) -> Estimate | None:
    """Return the score on labels that only the data hold; None where there are none."""
    fresh = (of_data.columns != UNKNOWN) & (given.columns == UNKNOWN)
    if not fresh.any() or of_data.names != given.names:
        return None
    return Estimate.of(predicted[fresh] == of_data.columns[fresh])


def _twins(codes: FloatArray, columns: IntArray) -> int:
    """Return how many labelled samples have the codes of another with another label."""
    known = columns != UNKNOWN
    _, place = np.unique(codes[known], axis=0, return_inverse=True)
    pairs = np.unique(np.stack([place.ravel(), columns[known]]), axis=1)[0]
    return int(np.isin(place.ravel(), np.flatnonzero(np.bincount(pairs) > 1)).sum())


def report(found: Classified, method: str, out: Path) -> str:
    """Return what a classification says at its end."""
    table = found.table
    counts = table["prediction"].value_counts()
    listed = ", ".join(f"{name} {counts[name]:,}" for name in sorted(counts.index, key=str))
    unsure = int((table["probability"] < 0.5).sum())
    lines = [
        f"{method} learnt from {found.n_labels} labels and {len(table) - found.n_labels:,} "
        "samples without.",
        f"Predicted: {listed}.",
        f"Of {unsure:,} samples the prediction is less likely than not to be right."
        if unsure else "",
        _told_estimate(found.estimate),
        _told_data(found.against_data),
        _told_twins(found.twins, of_codes=method in METHODS),
        f"Every sample's id, prediction and probability: {out}",
    ]  # fmt: skip
    return "\n".join(line for line in lines if line)


def _told_twins(n: int, *, of_codes: bool) -> str:
    if not n:
        return ""
    if of_codes:  # samples that differ may share one
        return f"Note: {n} labelled samples have the same code as another that has another label."
    return f"Note: {n} labelled samples equal another that has another label."


def _told_estimate(estimate: Estimate | None) -> str:
    if estimate is None:
        return (
            "How good that is cannot be told: no class has two labels, so none can be held out "
            "to check. Label one more of each class."
        )
    return (
        f"Right in about {_share(estimate)}, by cross-validation on the labels: {estimate.n} were "
        "each predicted without it. That holds if they were chosen by chance; predictions from "
        "all labels are a little better."
    )


def _told_data(estimate: Estimate | None) -> str:
    if estimate is None:
        return ""
    return (
        f"Right in {_share(estimate)}, against {estimate.n:,} labels in the data that were not "
        "learnt from."
    )


def _share(estimate: Estimate) -> str:
    return f"{estimate.accuracy:.1%} (95 % interval {estimate.low:.1%} to {estimate.high:.1%})"
