"""Where a run's codes come from: each fitted encoder is made once, when it is first asked for."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from ae_cluster.autoencoder.estimator import AutoEncoder
from ae_cluster.autoencoder.restarts import Trained, fit_alive, rates_from
from ae_cluster.autoencoder.saving import FILES as MODEL_FILES
from ae_cluster.clustering import estimators
from ae_cluster.clustering.codes import Clustering
from ae_cluster.common.bounded_files import read_json_object
from ae_cluster.common.errors import InputError
from ae_cluster.common.files import temporary_folder
from ae_cluster.common.interrupts import at_once_on_ctrl_c
from ae_cluster.common.own_files import move_files
from ae_cluster.common.progress import in_words
from ae_cluster.common.scaling import ColumnScaling, fit_scaling
from ae_cluster.common.table_options import AUTO
from ae_cluster.common.write_lock import CHECKPOINT, claim, drop
from ae_cluster.datasets import Dataset, known_datasets
from ae_cluster.datasets.room import lies_on_disk
from ae_cluster.methods import AUTOENCODER, GIVEN, SORTERS
from ae_cluster.records.config import USUAL_WIDTH, RunConfig, preset_epochs
from ae_cluster.runs.faithful import FaithfulTo, Scores
from ae_cluster.runs.plan import Plan
from ae_cluster.runs.principal_codes import principal_codes
from ae_cluster.runs.run_folder import LEARNT
from ae_cluster.runs.scaling import notes_on
from ae_cluster.training.callbacks import Reconstructions
from ae_cluster.training.checkpoints import epochs_done
from ae_cluster.training.diagnostics import collapse_message, findings
from ae_cluster.training.loop import DivergedError


class Codes(NamedTuple):
    """Codes of both splits, and what their rows say of them.

    Attributes
    ----------
    features : str
        The name of what made them.
    train, test : ndarray (n, n_components)
    epochs : int
    seconds : float
        What making them took.
    mse : (float, float)
        Mean squared error of train and of test samples reconstructed from their codes.
    scaling : ColumnScaling or None
        All that made them of a table's columns.
    faithful : (dict, dict)
        Of train and of test codes: the scores of `ae_cluster.metrics.faithfulness`; empty where
        the codes are the samples.
    """

    features: str
    train: NDArray[Any]
    test: NDArray[Any]
    epochs: int = 0
    seconds: float = 0.0
    mse: tuple[float, float] = (math.nan, math.nan)
    scaling: ColumnScaling | None = None
    faithful: tuple[Scores, Scores] = ({}, {})


def pca_codes(data: Dataset, n_components: int, seed: int, scaling: str = AUTO) -> Codes:
    """Return codes of the same size by principal components, a table scaled first."""
    n_components = min(n_components, *data.raw_train.shape)
    if lies_on_disk(data.raw_train):
        scaled = fit_scaling(data.raw_train, scaling) if data.is_table else np.asarray
        start = time.perf_counter()
        codes = principal_codes(data.raw_train, data.raw_test, n_components, scaled)
        return Codes("pca", *codes, seconds=time.perf_counter() - start)
    train, test, _ = _as_numbers(data, scaling)
    start = time.perf_counter()
    pca = PCA(n_components, random_state=seed).fit(train)
    seconds = time.perf_counter() - start
    return Codes("pca", pca.transform(train), pca.transform(test), seconds=seconds)


def pixel_codes(data: Dataset, scaling: str = AUTO) -> Codes:
    """Return the samples themselves, a table scaled."""
    train, test, fitted = _as_numbers(data, scaling)
    return Codes("pixels", train, test, scaling=fitted)


def _as_numbers(
    data: Dataset, scaling: str
) -> tuple[NDArray[Any], NDArray[Any], ColumnScaling | None]:
    train, test = data.x_train, data.x_test
    if not data.is_table:
        return train, test, None
    fitted = fit_scaling(train, scaling)
    return fitted(train), fitted(test), fitted


def untrained_codes(model: AutoEncoder, data: Dataset) -> Codes:
    """Return the codes of the network as it was before training."""
    parameters = model.get_params() | {
        "max_iter": 0,
        "callbacks": (),
        "checkpoint": None,
        "n_snapshots": 0,
        "verbose": False,
    }
    untrained = AutoEncoder(**parameters).fit(data.raw_train)
    train, test = untrained.transform(data.raw_train), untrained.transform(data.raw_test)
    return Codes("untrained", train, test)


N_SNAPSHOTS = 2000  # training samples whose codes are kept at every epoch
N_ORIGINALS = 8  # test images whose reconstructions are kept as training goes on


class Job(NamedTuple):
    """What a run was asked for, and where it may write on the way."""

    config: RunConfig
    data: Dataset
    plan: Plan
    folder: Path
    run_id: str
    device: str
    verbose: bool
    say: Callable[[str], None]


class FittedEncoder(NamedTuple):
    """Codes of both splits, and what made them.

    Attributes
    ----------
    codes : Codes
    model : estimator or None
        It has ``save`` and ``inverse_transform``.
    clustering : Clustering or None
        Its own, where it learns clusters too.
    loss_curve : list of float
    snapshots : ndarray or None
        Codes of some training samples at every epoch.
    frames : Reconstructions or None
        What became of a few test images as training went on.
    collapse : str
        How its codes have collapsed, as a sentence; "" when they have not.
    collapsed_at : list of float
        Learning rates at which they had collapsed before.
    """

    codes: Codes
    model: Any = None
    clustering: Clustering | None = None
    loss_curve: list[float] = []  # noqa: RUF012 (of a NamedTuple: never written to)
    snapshots: NDArray[Any] | None = None
    frames: Reconstructions | None = None
    collapse: str = ""
    collapsed_at: list[float] = []  # noqa: RUF012 (as loss_curve)


class FittedEncoders:
    """The fitted encoders of one run, by the name of their representation.

    Attributes
    ----------
    job : Job
    made : dict
        Those that were asked for.
    scaling : ColumnScaling or None
        What becomes of the columns of a table; None of images and of given codes.
    notes : list of str
        What a run says of that.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        self.made: dict[str, FittedEncoder] = {}
        is_scaled = job.data.is_table and set(job.plan.by_representation()) != {GIVEN}
        asked = job.config.scaling
        self.scaling = fit_scaling(job.data.raw_train, asked) if is_scaled else None
        self.notes = notes_on(self.scaling, asked, job.data.name)
        self._faithful = FaithfulTo(job.data, self.scaling)

    def __getitem__(self, name: str) -> FittedEncoder:
        """Return an encoder, made now if need be; the names are those of `ae_cluster.methods`."""
        if name not in self.made:
            encoder = self._make(name)
            if name not in (GIVEN, "pixels"):
                scores = self._faithful.scores(encoder.codes.train, encoder.codes.test)
                encoder = encoder._replace(codes=encoder.codes._replace(faithful=scores))
            self.made[name] = encoder
        return self.made[name]

    def _make(self, name: str) -> FittedEncoder:
        data, config = self.job.data, self.job.config
        if name == AUTOENCODER:
            return _trained(self.job)
        if name == GIVEN:
            return FittedEncoder(Codes(GIVEN, data.x_train, data.x_test))
        if name == "pca":
            return _principal(self.job)
        if name == "pixels":
            return FittedEncoder(pixel_codes(data, config.scaling))
        if name == "untrained":
            return FittedEncoder(
                untrained_codes(new_autoencoder(config, data, self.job.device), data)
            )
        return self._learnt(name)

    def _learnt(self, name: str) -> FittedEncoder:
        """Return what a method made that learns codes and clusters."""
        job, data = self.job, self.job.data
        start = None if name in SORTERS else self[AUTOENCODER]
        if start is not None and start.collapse:
            raise InputError(f"it starts from an autoencoder that has collapsed: {start.collapse}")
        place = job.folder / "methods" / name / "model"
        model, seconds = _kept(place, name, job.run_id)
        if model is not None:
            job.say(f"{name} was learnt before the run was interrupted.")
        else:
            job.say(f"Learning {name} … ({self._told_seconds(name)})")
            model = self._learner(name, start)
            began = time.perf_counter()
            with at_once_on_ctrl_c():
                model.fit(data.raw_train)
            seconds = time.perf_counter() - began
            if start is not None and name != "n2d":
                model.set_params(verbose=False)  # of this run, not of the model
            _keep(model, job, name, seconds)
        train, test = model.transform(data.raw_train), model.transform(data.raw_test)
        epochs = start.codes.epochs if start else model.n_iter_
        seconds += start.codes.seconds if start else 0
        errors = estimators.reconstruction_errors(model, data)
        return FittedEncoder(
            Codes(name, train, test, epochs, seconds, mse=errors),
            model,
            estimators.own_clusters(model, data, 0.0),  # its seconds are those of the codes
            getattr(model, "loss_curve_", []),
            collapse=getattr(model, "collapse_", ""),
        )

    def _told_seconds(self, name: str) -> str:
        """Return about how long it takes, from the size of these data."""
        n, n_features = self.job.data.raw_train.shape
        seconds = estimators.estimated_seconds(name, n, n_features, self.job.config.epochs)
        return (
            f"about {in_words(max(1.0, seconds))} on one core for {n:,} samples of {n_features:,} "
            f"numbers; machines differ{estimators.note_on_compiling(name, n)}"
        )

    def _learner(self, name: str, start: FittedEncoder | None) -> Any:
        config, data = self.job.config, self.job.data
        k, seed, n_train = self.job.plan.n_clusters, config.seed, len(data.raw_train)
        assert k is not None
        if start is not None:
            max_iter = config.epochs or estimators.deep_epochs(name, n_train)
            size = config.n_components
            verbose = self.job.verbose
            return estimators.make_deep(name, k, start.model, seed, max_iter, size, verbose=verbose)
        changes: dict[str, Any] = {"scaling": config.scaling}
        changes |= {"device": self.job.device, "verbose": self.job.verbose}
        if config.epochs:  # said, so they count, however few steps they make
            steps = estimators.steps_of(config.epochs, n_train)
            changes |= {"max_iter": config.epochs, "min_steps": steps}
        return estimators.make_sorting(name, k, config.n_components, data, seed, **changes)


def new_autoencoder(config: RunConfig, data: Dataset, device: str, **changes: Any) -> AutoEncoder:
    """Return the unfitted autoencoder of a configuration; ``changes`` come before what it says."""
    parameters: dict[str, Any] = {
        "kind": config.kind,
        "image_shape": data.image_shape,
        "input_kind": "table" if data.is_table else "images",
        "scaling": config.scaling,
        "center_inputs": data.raw_train.shape[1] > USUAL_WIDTH,
        "batch_size": config.batch_size,
        "learning_rate_init": config.learning_rate_init,
        "random_state": config.seed,
        "device": device,
    }
    return AutoEncoder(config.n_components, config.hidden_layer_sizes, **parameters | changes)


def _trained(job: Job) -> FittedEncoder:
    """Train the autoencoder, on from a checkpoint where there is one."""
    config, data = job.config, job.data
    epochs = config.epochs
    if epochs is None:
        n_train, n_features = data.raw_train.shape
        epochs = preset_epochs(n_train, config.batch_size, n_features)
    plural = "s" * (epochs != 1)
    job.say(
        f"Training an autoencoder with {config.n_components}-number codes for {epochs} "
        f"epoch{plural} …"
    )
    claim(job.folder, CHECKPOINT)
    if done := epochs_done(job.folder / CHECKPOINT):
        job.say(f"Going on after epoch {done} of {epochs}, where it was interrupted.")
    start = time.perf_counter()
    rates = rates_from(config.learning_rate_init, keep_recipe=data.name in known_datasets())
    try:
        trained = fit_alive(lambda r: _learning(job, epochs, r), data.raw_train, rates, job.say)
    except DivergedError as error:
        drop(job.folder, {CHECKPOINT})  # going on from it would end in the same way
        raise InputError(f"No codes were learnt: {error}") from error
    if trained.model.n_iter_ < epochs:  # Ctrl-C: the checkpoint keeps it, half a run is no run
        raise KeyboardInterrupt
    return _fitted(job, trained, time.perf_counter() - start)


def _learning(job: Job, epochs: int, rate: float) -> AutoEncoder:
    """Return the unfitted autoencoder of a run, with all that is kept of its training."""
    return new_autoencoder(
        job.config, job.data, job.device, max_iter=epochs, n_snapshots=N_SNAPSHOTS,
        callbacks=[Reconstructions(job.data.raw_test[:N_ORIGINALS])],
        checkpoint=job.folder / CHECKPOINT, verbose=job.verbose, learning_rate_init=rate,
    )  # fmt: skip


def _fitted(job: Job, trained: Trained, seconds: float) -> FittedEncoder:
    data, model = job.data, trained.model
    (frames,) = model.callbacks
    assert isinstance(frames, Reconstructions)
    frames.draw(model, model.n_iter_ * -(-len(data.raw_train) // job.config.batch_size))
    train, test = model.transform(data.raw_train), model.transform(data.raw_test)
    if trained.collapse:
        job.say(f"WARNING: The codes have collapsed; {collapse_message(trained.collapse)}")
    else:
        for finding in findings(codes=train.astype(np.float64)):
            job.say(f"WARNING: {finding} Most likely learning_rate_init is too large; lower it.")
    errors = estimators.reconstruction_errors(model, data)
    return FittedEncoder(
        Codes(AUTOENCODER, train, test, model.n_iter_, seconds, mse=errors),
        model,
        loss_curve=model.loss_curve_,
        snapshots=model.snapshots_,
        frames=frames,
        collapse=trained.collapse,
        collapsed_at=trained.collapsed_at,
    )


def _principal(job: Job) -> FittedEncoder:
    wanted = job.config.n_components
    codes = pca_codes(job.data, wanted, job.config.seed, job.config.scaling)
    if (n := codes.train.shape[1]) < wanted:
        job.say(
            f"PCA has only {n} components here, not {wanted}: the samples have no more columns, "
            "or there are no more samples."
        )
    return FittedEncoder(codes)


# What a run that was killed had finished


def save_model(model: Any, folder: Path, name: str) -> None:
    """Save a method's model into its run's folder, and touch nothing else there."""
    place = folder / "methods" / name / "model"
    claim(folder, *(f"methods/{name}/model/{file}" for file in MODEL_FILES))
    with temporary_folder(place) as beside:
        model.save(beside / place.name)
        move_files(beside / place.name, MODEL_FILES, place)


def _keep(model: Any, job: Job, name: str, seconds: float) -> None:
    save_model(model, job.folder, name)
    claim(job.folder, f"methods/{name}/{LEARNT}")
    path = job.folder / "methods" / name / LEARNT
    path.write_text(json.dumps({"run_id": job.run_id, "seconds": seconds}))


def _kept(place: Path, name: str, run_id: str) -> tuple[Any, float]:
    """Return the model that this very run had learnt, and its seconds; or None."""
    try:
        said = read_json_object(place.parent / LEARNT)
        if said["run_id"] == run_id:
            return estimators.class_of(name).load(place), float(said["seconds"])
    except (OSError, ValueError, KeyError, TypeError):  # cut off while it was being written
        pass
    return None, 0.0
