"""One run, from a configuration to a run folder: the only room that sees several floors."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ae_cluster.autoencoder import AutoEncoder
from ae_cluster.baselines import Codes, pca_codes, untrained_codes
from ae_cluster.callbacks import Reconstructions
from ae_cluster.clustering import CLUSTERERS, Clustering, check_n_clusters, cluster_codes
from ae_cluster.config import RunConfig, preset_epochs
from ae_cluster.datasets import Dataset, load_dataset
from ae_cluster.errors import InputError
from ae_cluster.evaluation import UNKNOWN
from ae_cluster.explorer import write_page
from ae_cluster.figures import of_run
from ae_cluster.files import put_in_place, refuse_existing
from ae_cluster.health import findings
from ae_cluster.machine import peak_mb
from ae_cluster.rows import tidy_row
from ae_cluster.run_folder import (
    partial_folder,
    refuse_what_is_no_run,
    write_config,
    write_method,
)
from ae_cluster.scoring import class_table, clustering_rows, known_classes, merges_and_splits
from ae_cluster.semi_supervised import label_budget_rows
from ae_cluster.training import DivergedError

N_SNAPSHOTS = 2000  # training samples whose codes are kept at every epoch
N_ORIGINALS = 8  # test images whose reconstructions are kept as training goes on
CHECKPOINT = "checkpoint.safetensors"


def run(
    config: RunConfig,
    out: str | Path,
    *,
    data_home: str | Path | None = None,
    download: bool = True,
    device: str = "auto",
    force: bool = False,
    resume: bool = False,
    figures: bool = True,
    expected_fingerprint: str | None = None,
    verbose: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> pd.DataFrame:
    """Carry out the main job and write its run folder.

    Parameters
    ----------
    config : RunConfig
    out : path
        The run folder; while it is being made it is called ``OUT.partial``.
    data_home, download
        As in `ae_cluster.load_dataset`.
    device : str
        As in `ae_cluster.AutoEncoder`.
    force : bool
        Replace a folder that exists.
    resume : bool
        Go on with a training that was killed.
    figures : bool
        Draw them: most of the time of a small run.
    expected_fingerprint : str or None
        Refuse data that have another one.
    verbose : bool
        A progress bar on a terminal.
    say : callable
        Takes a line of text at each stage.

    Returns
    -------
    DataFrame
        The rows of scores.csv.

    Raises
    ------
    InputError
        When something given cannot be used; nothing half-written is left behind.
    """
    config.check()
    out = Path(out).expanduser().absolute()
    if force and out.is_symlink():  # what it leads to is replaced, and it goes on leading there
        out = out.resolve()
    refuse_existing(out, force)
    if force:
        refuse_what_is_no_run(out)
    data = load_dataset(
        config.dataset,
        data_home=data_home,
        download=download,
        test_size=config.test_size,
        seed=config.seed,
        image_shape=config.image_shape,
    )
    if expected_fingerprint not in (None, data.fingerprint):
        raise InputError(
            f"The data of {config.dataset} are not those the config was made with (their "
            "fingerprints differ); restore the data, or name the data set to run on these."
        )
    n_clusters = _resolve_n_clusters(config, data)
    partial = out.with_name(f"{out.name}.partial")
    if resume and not partial.exists():
        say(f"There is no interrupted run at {partial} to go on with; starting from the beginning.")
    with partial_folder(partial, resume, force):
        rows = _fill(partial, config, data, n_clusters, device, figures, verbose, say)
    put_in_place(partial, out)
    return rows


def _fill(
    folder: Path,
    config: RunConfig,
    data: Dataset,
    n_clusters: int,
    device: str,
    figures: bool,
    verbose: bool,
    say: Callable[[str], None],
) -> pd.DataFrame:
    """Do everything there is to do, and write it into ``folder``."""
    say(_described(data, n_clusters))
    model, reconstructions, codes = _train(folder, config, data, device, verbose, say)
    for finding in findings(codes=codes.train.astype(np.float64)):
        say(f"WARNING: {finding} Most likely learning_rate_init is too large; lower it.")

    say("Clustering the codes, and those of the baselines (PCA, untrained encoder) …")
    run_id = _run_id(config, data)
    common = {"dataset": data.name, "seed": config.seed, "run_id": run_id}
    rows: list[dict[str, Any]] = []
    clusterings: dict[str, Clustering] = {}
    pca = pca_codes(data, config.n_components, config.seed)
    if pca.train.shape[1] < config.n_components:
        say(
            f"PCA has only {pca.train.shape[1]} components here, not {config.n_components}: the "
            "samples have no more columns, or there are no more samples."
        )
    for features in (codes, pca, untrained_codes(model, data)):
        for method in CLUSTERERS:
            found, result = _cluster(common, method, features, data, n_clusters, config.seed)
            rows += found
            if features is codes and result is not None:
                clusterings[method] = result
        rows += _few_label_rows(common, config, data, features)
    _add_reconstruction_errors(rows, model, data)

    say("Writing the run folder …")
    write_config(folder, config, data, _settings(model, n_clusters), run_id)
    snapshots = model.snapshots_
    assert snapshots is not None
    for method, result in clusterings.items():
        place = folder / "methods" / method
        say(merges_and_splits(method, data, result))
        write_method(
            place,
            data,
            codes.train,
            codes.test,
            result,
            model.loss_curve_,
            snapshots,
        )
        class_table(data, result).to_csv(place / "classes.csv", index=False)
        model.save(place / "model", force=True)
    table = pd.DataFrame([tidy_row(**row) for row in rows])
    if figures:
        say(f"Drawing the figures …{of_run.note_on_names(data.class_names)}")
        _draw(folder / "figures", data, codes, reconstructions, model, clusterings, table)
    table["peak_mb"] = round(peak_mb(), 1)
    table.to_csv(folder / "scores.csv", index=False)
    write_page(folder, data=data)
    (folder / CHECKPOINT).unlink(missing_ok=True)
    return table


# What comes before the clusters


def _resolve_n_clusters(config: RunConfig, data: Dataset) -> int:
    n_clusters = config.n_clusters if config.n_clusters is not None else data.n_clusters
    if n_clusters is None:
        raise InputError(
            f"How many clusters {data.name} has is not known, and labels are never asked; "
            "say it with --n-clusters K (n_clusters=K)."
        )
    check_n_clusters(n_clusters, data.raw_train)
    return n_clusters


def _train(
    folder: Path,
    config: RunConfig,
    data: Dataset,
    device: str,
    verbose: bool,
    say: Callable[[str], None],
) -> tuple[AutoEncoder, Reconstructions, Codes]:
    reconstructions = Reconstructions(data.raw_test[:N_ORIGINALS])
    n_train = len(data.raw_train)
    epochs = config.epochs
    if epochs is None:
        epochs = preset_epochs(n_train, config.batch_size)
    model = AutoEncoder(
        config.n_components,
        config.hidden_layer_sizes,
        kind=config.kind,
        image_shape=data.image_shape,
        input_kind="table" if data.is_table else "images",
        batch_size=config.batch_size,
        learning_rate_init=config.learning_rate_init,
        max_iter=epochs,
        n_snapshots=N_SNAPSHOTS,
        callbacks=[reconstructions],
        checkpoint=folder / CHECKPOINT,
        random_state=config.seed,
        verbose=verbose,
        device=device,
    )
    plural = "s" * (epochs != 1)
    say(
        f"Training an autoencoder with {config.n_components}-number codes for {epochs} "
        f"epoch{plural} …"
    )
    start = time.perf_counter()
    try:
        model.fit(data.raw_train)
    except DivergedError as error:
        raise InputError(f"No codes were learnt: {error}") from error
    if model.n_iter_ < epochs:  # Ctrl-C: the checkpoint keeps it, and half a run is no run
        raise KeyboardInterrupt
    seconds = time.perf_counter() - start
    reconstructions.draw(model, model.n_iter_ * -(-n_train // config.batch_size))
    train, test = model.transform(data.raw_train), model.transform(data.raw_test)
    return model, reconstructions, Codes("autoencoder", train, test, model.n_iter_, seconds)


# Rows


def _cluster(
    common: dict[str, Any],
    method: str,
    codes: Codes,
    data: Dataset,
    n_clusters: int,
    seed: int,
) -> tuple[list[dict[str, Any]], Clustering | None]:
    """Return the rows of one clustering, and the clustering; a failure is a row that says so."""
    place = common | {
        "method": method,
        "features": codes.features,
        "n_clusters": n_clusters,
        "n_components": codes.train.shape[1],
        "n_train": len(codes.train),
        "epochs": codes.epochs,
        "uses_k": True,
        "uses_balance": False,
        "uses_augmentation": False,
        "tuned_on": "nothing",
    }
    try:
        result = cluster_codes(method, codes.train, codes.test, n_clusters, seed)
    except (ValueError, np.linalg.LinAlgError) as error:
        failed = {"status": "failed", "reason": " ".join(str(error).split())}
        return [place | failed | {"split": split} for split in ("train", "test")], None
    place["seconds"] = round(codes.seconds + result.seconds, 3)
    return clustering_rows(place, data, codes.train, codes.test, result), result


def _few_label_rows(
    common: dict[str, Any], config: RunConfig, data: Dataset, codes: Codes
) -> list[dict[str, Any]]:
    """Return the rows of every label budget; none where labels are missing."""
    if data.y_train is None or data.y_test is None or len(known_classes(data.y_train)) < 2:
        return []
    rows = label_budget_rows(
        codes.train,
        data.y_train,
        codes.test,
        data.y_test,
        config.budgets,
        config.draws,
        dataset=data.name,
        features=codes.features,
        seed=config.seed,
    )
    told = {
        "uses_k": True,
        "uses_augmentation": False,
        "tuned_on": "digits",
        "epochs": codes.epochs,
    }
    for row in rows:  # of a failed one not known, and not known it stays
        row["seconds"] = round(codes.seconds + row["seconds"], 3)
    return [common | told | row for row in rows]


def _add_reconstruction_errors(
    rows: list[dict[str, Any]], model: AutoEncoder, data: Dataset
) -> None:
    errors = {"train": -model.score(data.raw_train), "test": -model.score(data.raw_test)}
    for row in rows:
        if row["features"] == "autoencoder" and row["method"] in CLUSTERERS:
            row["mse"] = errors[row["split"]]


def _run_id(config: RunConfig, data: Dataset) -> str:
    """Return twelve digits that name a configuration on data."""
    text = json.dumps(config.to_json(), sort_keys=True) + data.fingerprint
    return hashlib.sha256(text.encode()).hexdigest()[:12]


# Files


def _settings(model: AutoEncoder, n_clusters: int) -> dict[str, Any]:
    """Return what the preset and the data made of the arguments."""
    shown = model.get_params() | {"n_clusters": n_clusters, "clusterers": list(CLUSTERERS)}
    for name in ("callbacks", "checkpoint", "device", "verbose"):
        del shown[name]
    return {k: list(v) if isinstance(v, tuple) else v for k, v in shown.items()}


def _draw(
    folder: Path,
    data: Dataset,
    codes: Codes,
    reconstructions: Reconstructions,
    model: AutoEncoder,
    clusterings: dict[str, Clustering],
    table: pd.DataFrame,
) -> None:
    frames = np.stack(reconstructions.frames)
    of_run.draw_training(
        folder,
        reconstructions.images,
        frames,
        reconstructions.steps,
        data.image_shape,
        model.loss_curve_,
    )
    for i, (method, result) in enumerate(clusterings.items()):
        pictured = of_run.Pictured(
            data.raw_test,
            data.image_shape,
            data.class_names,
            codes.test,
            result.train,
            result.test,
            result.soft_test,
            data.y_train,
            data.y_test,
        )
        if i == 0:
            of_run.draw_tiles(folder, pictured)
        of_run.draw_method(folder, method, pictured)
    is_all_labels = (table["features"] == "autoencoder") & (table["split"] == "test")
    ceiling = table.loc[is_all_labels, "neighbor_accuracy"].dropna()
    references = {"all labels, k-NN": float(ceiling.iloc[0])} if len(ceiling) else {}
    of_run.draw_label_budget(folder, table[table["features"] != "untrained"], references)


def _described(data: Dataset, n_clusters: int) -> str:
    kind = "rows" if data.is_table else "images"
    size = "×".join(map(str, data.image_shape or data.raw_train.shape[1:]))
    told = (
        f"{data.name}: {len(data.raw_train):,} training and {len(data.raw_test):,} test {kind} "
        f"of {size} numbers, {n_clusters} clusters asked for."
    )
    n_labelled = 0 if data.y_test is None else int((data.y_test != UNKNOWN).sum())
    if 0 < n_labelled < len(data.raw_test):
        told += f" Scores are of the {n_labelled:,} test {kind} that have a label."
    return told
