"""One run, from a configuration to a run folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from ae_cluster.clustering.codes import Clustering
from ae_cluster.common.errors import InputError
from ae_cluster.common.files import expanded
from ae_cluster.common.global_state import default_state
from ae_cluster.common.memory import peak_mb
from ae_cluster.common.own_files import told
from ae_cluster.common.spreadsheets import safe_table
from ae_cluster.common.stage_times import stage, stage_times
from ae_cluster.common.write_lock import PAGE, claim
from ae_cluster.datasets import Dataset
from ae_cluster.explorer import write_page
from ae_cluster.figures import run as of_run
from ae_cluster.methods import (
    AUTOENCODER,
    DEEP,
    GIVEN,
    LEARNERS,
    check_samples,
    kind_of,
)
from ae_cluster.metrics.clustering import UNKNOWN
from ae_cluster.records.config import RunConfig
from ae_cluster.records.reading import load_data, read_scores
from ae_cluster.records.rows import tidy_row
from ae_cluster.records.writing import arguments_of, write_config, write_method
from ae_cluster.runs.beside import Beside
from ae_cluster.runs.clusterers import (
    Outliers,
    keep_clusterer,
    outliers_of,
    table_of_run,
    write_clusters,
)
from ae_cluster.runs.double import with_exact_memberships
from ae_cluster.runs.drawing import Kept, draw_label_budget_of_run, draw_run
from ae_cluster.runs.encoders import FittedEncoder, FittedEncoders, Job, save_model
from ae_cluster.runs.plan import WITHOUT_CODES, Plan, plan_of
from ae_cluster.runs.ranks import tell_how_to_read
from ae_cluster.runs.run_folder import (
    can_go_on,
    check_partial,
    check_place,
    finish,
    finished,
    is_finished,
    is_free,
    keep_only,
    made_in,
    partial_of,
    put_run_in_place,
    refuse_labels_of_others,
    tidy,
)
from ae_cluster.runs.scaling import in_id, in_settings
from ae_cluster.runs.scoring import (
    FAILURES,
    Row,
    class_table,
    failed_rows,
    few_label_rows,
    merges_and_splits,
    notes_on,
    prepare_few_labels,
    rows_of_pipeline,
)
from ae_cluster.runs.suggest_k import chosen_n_clusters


@default_state()
@stage_times()
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
    if_other_data: str | None = None,
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
        Replace a run that exists; files that are not of the run stay in its folder.
    resume : bool
        Go on with a run that was killed; one that is finished already is left as it is.
    figures : bool
        Draw them: most of the time of a small run.
    expected_fingerprint : str or None
        Refuse data that have another one.
    if_other_data : str or None
        Say this of such data instead of refusing them.
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
    plan = plan_of(config)
    out = expanded(out).absolute()
    if force and out.is_symlink():  # what it leads to is replaced, and it goes on leading there
        out = out.resolve()
    check_place(out, plan.kept_as, force=force, resume=resume, figures=figures)
    with stage("reading"):
        data = load_data(vars(config), data_home, download=download)
    if expected_fingerprint not in (None, data.fingerprint):
        if if_other_data is None:
            raise InputError(
                f"The data of {config.dataset} are not those the config was made with (their "
                "fingerprints differ); restore the data, or name the data set to run on these."
            )
        say(if_other_data)
    check_samples(config.methods, config.features, data.name, data.is_table)
    tell_how_to_read(vars(config), data, data_home)
    partial = partial_of(out)
    # With force it is made again; not where the files of others are, left there by its own end.
    if (
        resume
        and not (force and is_free(partial))
        and is_finished(out, arguments_of(config, data), data.fingerprint, force=force)
    ):
        say(f"{out} is finished already; nothing is left to do.")
        return read_scores(out)
    check_partial(partial, force=force, resume=resume)
    n_samples = len(data.raw_train) + len(data.raw_test)
    refuse_labels_of_others(out, data.name, n_samples, data.raw_train.shape[1])
    plan = plan.on(data, lambda found: chosen_n_clusters(config, found, say))
    if resume and not can_go_on(partial):
        say(f"There is no interrupted run at {partial} to go on with; starting from the beginning.")
    with made_in(partial, resume):
        job = Job(config, data, plan, partial, _run_id(config, data), device, verbose, say)
        if (run_id := finished(partial)) is None:
            rows = _fill(job, figures)
            finish(partial, job.run_id)
        elif run_id != job.run_id:
            raise InputError(
                f"{partial} holds a finished run of another configuration or of other data; go "
                "back to that configuration, or start anew with --force (force=True)."
            )
        beside = put_run_in_place(partial, out, force)
    _tell_of_others(out, beside, say)
    _tell_of_others(partial, tidy(partial, out), say)
    return rows if run_id is None else read_scores(out)


def _tell_of_others(folder: Path, names: Sequence[str], say: Callable[[str], None]) -> None:
    if names:
        say(f"Not of the run, and left as it was in {folder}: {told(names)}.")


def _fill(job: Job, figures: bool) -> pd.DataFrame:
    """Do everything there is to do, and write it into the job's folder."""
    folder, data, say = job.folder, job.data, job.say
    encoders = FittedEncoders(job)
    for line in [_described(data, job.plan.n_clusters), *encoders.notes, *job.plan.notes]:
        say(line)
    keep_only(folder, job.plan.kept_as)
    with Beside() as beside:
        prepare_few_labels(job, beside)
        rows, kept = _carry_out(job, encoders, beside)
        say("Writing the run folder …")
        describe = partial(
            write_config,
            folder, job.config, data, _settings(encoders), job.run_id, _described_pipelines(kept),
        )  # fmt: skip
        describe({})
        if kept:
            _write_kept(job, kept)
        if figures:
            say(f"Drawing the figures …{of_run.note_on_names(data.class_names)}")
            with stage("figures"):
                draw_run(folder / "figures", data, encoders, kept)
        table = pd.DataFrame([tidy_row(**row) for part in rows for row in part()])
    if figures:
        with stage("figures"):
            draw_label_budget_of_run(folder / "figures", kept, table)
    table["peak_mb"] = round(peak_mb(), 1)
    claim(folder, "scores.csv")
    safe_table(table).to_csv(folder / "scores.csv", index=False)
    if kept:
        claim(folder, PAGE)
        with stage("page"):
            write_page(folder, data=data)
    with stage_times() as times:  # those of `run`
        describe(times.rounded())
    return table


# From samples to clusters


def _carry_out(
    job: Job, encoders: FittedEncoders, beside: Beside
) -> tuple[list[Callable[[], list[Row]]], Kept]:
    """Carry out every pipeline, by representation; return what gives all rows, and what is kept."""
    rows: list[Callable[[], list[Row]]] = []
    kept: Kept = {}
    for name, here in job.plan.by_representation().items():
        encoder = _encoder_or_error(encoders, name)
        if not isinstance(encoder, FittedEncoder):
            failed = [row for pipeline in here for row in failed_rows(pipeline, job, encoder)]
            rows.append(partial(list, failed))
            job.say(f"{name} failed: {encoder}")
            continue
        if name == AUTOENCODER:
            job.say(f"Clustering the codes{_and_baselines(job.plan)} …")
        if name == GIVEN:
            job.say(_of_given(job.data))
        for pipeline in here:
            found, result = rows_of_pipeline(pipeline, encoder, job)
            rows.append(partial(list, found))
            if pipeline.kept_as and result is not None:
                kept[pipeline] = encoder, result
                for note in notes_on(pipeline, result, job.plan):
                    job.say(note)
        if name not in WITHOUT_CODES:
            rows.append(few_label_rows(job, encoder, beside))
    return rows, kept


def _of_given(data: Dataset) -> str:
    if data.original is not None:
        return f"Clustering the features of {data.name} as they are, not standardised …"
    return (
        "Clustering the codes as they are given, not standardised; baselines would need the "
        "samples that they were made from …"
    )


def _encoder_or_error(encoders: FittedEncoders, name: str) -> FittedEncoder | Exception:
    """Return an encoder, or the error of a method that learns codes and clusters."""
    if name not in LEARNERS:
        return encoders[name]
    if kind_of(name) == DEEP:
        _ = encoders[AUTOENCODER]  # without it there is no run
    try:
        return encoders[name]
    except FAILURES as error:
        return error


def _and_baselines(plan: Plan) -> str:
    names = {"pca": "PCA", "untrained": "untrained encoder"}
    told = ", ".join(words for name, words in names.items() if name in plan.by_representation())
    return f", and those of the baselines ({told})" if told else ""


def _run_id(config: RunConfig, data: Dataset) -> str:
    """Return twelve digits that name a configuration on data."""
    # The data's fingerprint tells the split already, so ids stay what they were without its seed.
    arguments = {k: v for k, v in config.to_json().items() if k != "split_seed"}
    text = json.dumps(in_id(arguments), sort_keys=True) + data.fingerprint
    return hashlib.sha256(text.encode()).hexdigest()[:12]


# Files


def _write_kept(job: Job, kept: Kept) -> None:
    """Write what is kept of each method, and the table of clusters."""
    outliers = outliers_of(job.data, [encoder for encoder, _ in kept.values()])
    kept = {
        pipeline: (encoder, with_exact_memberships(job.data, encoder.model, result))
        for pipeline, (encoder, result) in kept.items()
    }
    for pipeline, (encoder, result) in kept.items():
        if not encoder.collapse:
            job.say(merges_and_splits(pipeline.kept_as, job.data, result))
        _write(job.folder, pipeline.kept_as, job.data, encoder, result, outliers)
    named = {pipeline.kept_as: found for pipeline, found in kept.items()}
    write_clusters(job.folder, table_of_run(job.data, named, outliers))


def _write(
    folder: Path,
    name: str,
    data: Dataset,
    encoder: FittedEncoder,
    result: Clustering,
    outliers: Outliers,
) -> None:
    place = folder / "methods" / name
    write_method(
        place, data, encoder.codes.train, encoder.codes.test, result._asdict(), encoder.loss_curve,
        encoder.snapshots, outliers[1:],
    )  # fmt: skip
    claim(folder, f"methods/{name}/classes.csv")
    safe_table(class_table(data, result)).to_csv(place / "classes.csv", index=False)
    keep_clusterer(folder, name, data, encoder, result, outliers.score)
    if encoder.model is not None:
        save_model(encoder.model, folder, name)


def _settings(encoders: FittedEncoders) -> dict[str, Any]:
    """Return what the preset and the data made of the arguments."""
    shown: dict[str, Any] = {}
    if AUTOENCODER in encoders.made:
        shown = encoders[AUTOENCODER].model.get_params()
        if encoders[AUTOENCODER].collapsed_at:
            shown["collapsed_at_learning_rates"] = encoders[AUTOENCODER].collapsed_at
    for name in ("callbacks", "checkpoint", "device", "verbose", "scaling"):
        shown.pop(name, None)
    shown |= in_settings(encoders.scaling)
    job = encoders.job
    shown |= {"n_clusters": job.plan.n_clusters, "clusterers": list(job.config.methods)}
    return {k: list(v) if isinstance(v, tuple) else v for k, v in shown.items()}


def _described_pipelines(kept: Kept) -> dict[str, dict[str, Any]]:
    """Return of each folder under methods/ which pipeline it keeps."""
    return {
        pipeline.kept_as: {
            "features": pipeline.features,
            "method": pipeline.method,
            "clusterer": pipeline.clusterer,
            "test_clusters_by": "predict" if result.predicts else "nearest training code",
            "model": "none" if encoder.model is None else type(encoder.model).__name__,
        }
        | ({"collapsed": encoder.collapse} if encoder.collapse else {})
        for pipeline, (encoder, result) in kept.items()
    }


def _described(data: Dataset, n_clusters: int | None) -> str:
    kind = "rows" if data.is_table else "images"
    size = "×".join(map(str, data.image_shape or data.raw_train.shape[1:]))
    asked = f", {n_clusters} clusters asked for" if n_clusters is not None else ""
    told = (
        f"{data.name}: {len(data.raw_train):,} training and {len(data.raw_test):,} test {kind} "
        f"of {size} numbers{asked}."
    )
    n_labelled = 0 if data.y_test is None else int((data.y_test != UNKNOWN).sum())
    if 0 < n_labelled < len(data.raw_test):
        told += f" Scores are of the {n_labelled:,} test {kind} that have a label."
    return told
