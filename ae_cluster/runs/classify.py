"""From a data set with a few labels to a class for every sample, and how far to trust it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import binomtest
from sklearn.base import clone

from ae_cluster.common.errors import InputError, nearest
from ae_cluster.common.files import expanded
from ae_cluster.common.global_state import default_state
from ae_cluster.common.interrupts import at_once_on_ctrl_c
from ae_cluster.common.validation import FloatArray, IntArray
from ae_cluster.datasets import Dataset, known_datasets, load_dataset
from ae_cluster.datasets.dataset import file_order
from ae_cluster.methods import current_name
from ae_cluster.metrics.clustering import UNKNOWN
from ae_cluster.records.classifiers import KeptClassifier
from ae_cluster.records.config import RunConfig, preset_epochs
from ae_cluster.records.reading import read_run_config
from ae_cluster.runs.classifiers import to_be_kept
from ae_cluster.runs.usable_codes import codes_to_learn_from
from ae_cluster.semi_supervised.base import Labeling
from ae_cluster.semi_supervised.label_files import NamedLabels, read_labels
from ae_cluster.semi_supervised.methods import FINETUNED_STARTS, METHODS

if TYPE_CHECKING:
    from ae_cluster.autoencoder.estimator import AutoEncoder

COLUMNS = ("id", "label", "prediction", "probability")  # of the table of predictions
N_FOLDS = 5  # of cross-validation, at most
FINETUNED_FOLDS = 3  # likewise; each teaches the encoder anew, which takes minutes


class Samples(NamedTuple):
    """All samples of a data set, train and test as one, in the order of their file.

    Attributes
    ----------
    name : str
    ids : ndarray of str (n,)
    codes : callable
        Returns the codes (n, n_components); called once labels are known to be usable.
    labels : NamedLabels
        Those that the data hold.
    start : callable or None
        Takes the features of `semi_supervised.methods.FINETUNED_STARTS` and the number of
        classes; returns the samples themselves (n, n_features) and the encoder, yet to be
        trained, to start from. None where only codes are known.
    run : Path or None
        Folder of the run that holds the codes.
    """

    name: str
    ids: NDArray[np.str_]
    codes: Callable[[], FloatArray]
    labels: NamedLabels
    start: Callable[[str, int], tuple[NDArray[Any], AutoEncoder]] | None = None
    run: Path | None = None


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
        Of `samples_of`.
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
        raise InputError(
            f"--method {method} fine-tunes the encoder and needs the samples themselves, and "
            f"a run's folder holds their codes; give the data of {samples.name} in its place."
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


# Where samples come from


@default_state()
def samples_of(
    source: str,
    *,
    data_home: Path | None = None,
    image_shape: tuple[int, ...] | None = None,
    n_components: int = 10,
    epochs: int | None = None,
    seed: int = 0,
    say: Callable[[str], None] = lambda _: None,
) -> Samples:
    """Return the samples of a data set, whose codes are then learnt, or of a run's folder.

    ``say`` takes a sentence where that learning starts again.
    """
    if (expanded(source) / "config.json").is_file():
        return samples_of_run(expanded(source))
    data = load_dataset(source, data_home=data_home, image_shape=image_shape)
    order = file_order(np.concatenate([data.ids_train, data.ids_test]))
    columns = np.concatenate(
        [
            np.full(len(raw), UNKNOWN) if y is None else y
            for raw, y in ((data.raw_train, data.y_train), (data.raw_test, data.y_test))
        ]
    )

    def codes() -> FloatArray:
        return _learnt_codes(data, n_components, epochs, seed, say)[order]

    def start(features: str, n_classes: int) -> tuple[NDArray[Any], AutoEncoder]:
        rows = np.concatenate([data.raw_train, data.raw_test])[order]
        if features == "autoencoder":
            return rows, _autoencoder(data, n_components, epochs, seed)
        return rows, _sorting(data, features, n_classes, n_components, epochs)

    ids = np.concatenate([data.ids_train, data.ids_test])[order]
    return Samples(data.name, ids, codes, NamedLabels(columns[order], data.class_names), start)


@default_state()
def samples_of_run(folder: Path) -> Samples:
    """Return the samples of a run folder, with the codes that it holds."""
    config = read_run_config(folder)
    arrays = codes_to_learn_from(folder)
    ids, codes = (
        np.concatenate([arrays[f"{part}_train"], arrays[f"{part}_test"]])
        for part in ("ids", "codes")
    )
    columns = np.concatenate(
        [
            arrays.get(f"labels_{half}", np.full(len(arrays[f"ids_{half}"]), UNKNOWN))
            for half in ("train", "test")
        ]
    )
    order = file_order(ids)
    names = tuple(config["data"].get("class_names") or ())
    labels = NamedLabels(columns[order].astype(np.int64), names)
    return Samples(config["data"]["name"], ids[order], lambda: codes[order], labels, run=folder)


def _learnt_codes(
    data: Dataset, n_components: int, epochs: int | None, seed: int, say: Callable[[str], None]
) -> FloatArray:
    """Train an autoencoder on all samples, which takes no label, and return their codes."""
    from ae_cluster.autoencoder.restarts import fit_alive, rates_from

    raw = np.concatenate([data.raw_train, data.raw_test])
    model = _autoencoder(data, n_components, epochs, seed)
    rates = rates_from(model.learning_rate_init, keep_recipe=data.name in known_datasets())
    trained = fit_alive(
        lambda rate: clone(model).set_params(learning_rate_init=rate), raw, rates, say
    )
    if trained.collapse:
        raise InputError(
            f"The codes learnt of {data.name} have collapsed, so nothing can be predicted from "
            f"them: {trained.collapse[0].lower()}{trained.collapse[1:-1]}; make a run of the data "
            "with a lower --learning-rate-init, and give its folder in their place."
        )
    codes: FloatArray = trained.model.transform(raw)
    return codes


def _autoencoder(data: Dataset, n_components: int, epochs: int | None, seed: int) -> AutoEncoder:
    from ae_cluster.autoencoder.estimator import AutoEncoder

    n = len(data.raw_train) + len(data.raw_test)
    return AutoEncoder(
        n_components,
        (128, 64, max(12, n_components)),
        input_kind="table" if data.is_table else "images",
        max_iter=preset_epochs(n, RunConfig().batch_size) if epochs is None else epochs,
        random_state=seed,
        verbose=True,
    )


def _sorting(
    data: Dataset, features: str, n_clusters: int, n_components: int, epochs: int | None
) -> AutoEncoder:
    from ae_cluster.clustering.sorting import SortingAutoEncoder

    image_prior = features == "sorting-images"
    if image_prior and data.is_table:
        raise InputError(
            f"{data.name} is a table, and an image prior needs images; take --method "
            "fine-tuned-sorting, or say --image-shape HxW if the columns are pixels."
        )
    model = SortingAutoEncoder(
        n_clusters,
        n_components,
        image_prior=image_prior,
        image_shape=data.image_shape if image_prior else None,
        input_kind="table" if data.is_table else "images",
        verbose=True,
    )
    return model if epochs is None else model.set_params(max_iter=max(1, epochs))


def labels_for(samples: Samples, path: Path) -> NamedLabels:
    """Return the labels in a user's file for these samples."""
    return read_labels(path, samples.ids, samples.labels.names)


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
