"""The samples that a few labels are of: all of a data set, or those of a run's folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from ae_cluster.common.errors import InputError
from ae_cluster.common.files import expanded
from ae_cluster.common.global_state import default_state
from ae_cluster.common.table_options import flag
from ae_cluster.common.validation import FloatArray, IntArray
from ae_cluster.datasets import Dataset, known_datasets
from ae_cluster.datasets.dataset import file_order
from ae_cluster.methods import GIVEN
from ae_cluster.metrics.clustering import UNKNOWN
from ae_cluster.records.config import USUAL_WIDTH, RunConfig, preset_epochs
from ae_cluster.records.reading import load_data, read_run_config
from ae_cluster.runs.usable_codes import codes_to_learn_from
from ae_cluster.semi_supervised.label_files import NamedLabels, read_labels

if TYPE_CHECKING:
    from ae_cluster.autoencoder.estimator import AutoEncoder


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
        classes; returns the samples themselves (n, n_features) and the encoder to start from:
        a trained autoencoder, frozen, or a sorting one that is yet to be trained. None where
        only codes are known.
    run : Path or None
        Folder of the run that holds the codes.
    """

    name: str
    ids: NDArray[np.str_]
    codes: Callable[[], FloatArray]
    labels: NamedLabels
    start: Callable[[str, int], tuple[NDArray[Any], AutoEncoder | FrozenEstimator]] | None = None
    run: Path | None = None


@default_state()
def samples_of(
    source: str,
    *,
    data_home: Path | None = None,
    n_components: int = 10,
    epochs: int | None = None,
    seed: int = 0,
    say: Callable[[str], None] = lambda _: None,
    reading: Mapping[str, Any] | None = None,
) -> Samples:
    """Return the samples of a data set, whose codes are then learnt, or of a run's folder.

    Parameters
    ----------
    source : str
        A known name, a file, a folder of pictures, or a run's folder.
    say : callable
        Takes a sentence where that learning starts again.
    reading : mapping, default=None
        How data are read: those of `records.config.READING` that are said.

    Raises
    ------
    InputError
    """
    reading = reading or {}
    if (expanded(source) / "config.json").is_file():
        _refuse_reading(source, reading)
        return samples_of_run(expanded(source))
    data = load_data({"dataset": source} | dict(reading), data_home, download=True)
    names = np.concatenate([data.ids_train, data.ids_test])
    order = file_order(names) if data.places is None else np.argsort(np.concatenate(data.places))
    labels = NamedLabels(_columns(data)[order], data.class_names)
    if reading.get("features") == GIVEN:
        given = np.concatenate([data.x_train, data.x_test])[order]
        return Samples(data.name, names[order], lambda: given, labels)

    raw = np.concatenate([data.raw_train, data.raw_test])
    scaling = reading.get("scaling", RunConfig().scaling)

    def trained(rows: NDArray[Any]) -> AutoEncoder:
        return _trained_alive(
            data, _autoencoder(data, n_components, epochs, seed, scaling), rows, say
        )

    def codes() -> FloatArray:
        return trained(raw).transform(raw)[order]

    def start(features: str, n_classes: int) -> tuple[NDArray[Any], AutoEncoder | FrozenEstimator]:
        rows = raw[order]
        if features == "autoencoder":
            return rows, FrozenEstimator(trained(rows))
        model = _sorting(data, features, n_classes, n_components, epochs)
        return rows, model.set_params(scaling=scaling)

    return Samples(data.name, names[order], codes, labels, start)


def _columns(data: Dataset) -> IntArray:
    """Return the class of each sample, train before test, −1 where it has none."""
    halves = ((data.raw_train, data.y_train), (data.raw_test, data.y_test))
    return np.concatenate([np.full(len(raw), UNKNOWN) if y is None else y for raw, y in halves])


def _refuse_reading(source: str, reading: Mapping[str, Any]) -> None:
    """Refuse what says how data are read, where a run has read them already."""
    if said := [flag(name) for name in reading]:
        raise InputError(
            f"{source} is a run, which has read its data: leave {', '.join(said)} out, or give the "
            "data."
        )


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


def _trained_alive(
    data: Dataset, model: AutoEncoder, rows: NDArray[Any], say: Callable[[str], None]
) -> AutoEncoder:
    """Train an autoencoder on all samples, which takes no label; refuse what stays collapsed."""
    from ae_cluster.autoencoder.restarts import fit_alive, rates_from

    rates = rates_from(model.learning_rate_init, keep_recipe=data.name in known_datasets())
    trained = fit_alive(
        lambda rate: clone(model).set_params(learning_rate_init=rate), rows, rates, say
    )
    if trained.collapse:
        raise InputError(
            f"The codes learnt of {data.name} have collapsed, so nothing can be predicted from "
            f"them: {trained.collapse[0].lower()}{trained.collapse[1:-1]}; make a run of the data "
            "with a lower --learning-rate-init, and give its folder in their place, with a method "
            "that learns from codes."
        )
    return trained.model


def _autoencoder(
    data: Dataset, n_components: int, epochs: int | None, seed: int, scaling: str
) -> AutoEncoder:
    from ae_cluster.autoencoder.estimator import AutoEncoder

    if epochs is None:
        n, n_features = len(data.raw_train) + len(data.raw_test), data.raw_train.shape[1]
        epochs = preset_epochs(n, RunConfig().batch_size, n_features)
    return AutoEncoder(
        n_components,
        (128, 64, max(12, n_components)),
        input_kind="table" if data.is_table else "images",
        scaling=scaling,
        center_inputs=data.raw_train.shape[1] > USUAL_WIDTH,
        max_iter=epochs,
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
