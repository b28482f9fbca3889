"""Several data sets and seeds by one command: one run each, all tested on the same samples."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from ae_cluster.common.errors import InputError
from ae_cluster.common.files import expanded
from ae_cluster.common.memory import forget_peak
from ae_cluster.common.progress import in_words
from ae_cluster.methods import pipelines_of
from ae_cluster.records.config import RunConfig
from ae_cluster.records.reading import load_data
from ae_cluster.records.rows import OK, pipeline_name
from ae_cluster.records.run_folders import usual_folder
from ae_cluster.runs.run import run
from ae_cluster.runs.run_folder import check_place


def configs_of(config: RunConfig, datasets: Sequence[str], seeds: Sequence[int]) -> list[RunConfig]:
    """Return a configuration for each data set and seed; the split is the same for all seeds."""
    return [replace(config, dataset=dataset, seed=seed) for dataset in datasets for seed in seeds]


def folders_of(configs: Sequence[RunConfig], parent: Path) -> list[Path]:
    """Return ``parent/DATASET-seedN`` for each configuration.

    Raises
    ------
    InputError
        When two of them would be written to the same folder.
    """
    taken: dict[Path, str] = {}
    for config in configs:
        folder = usual_folder(config.dataset, config.seed, parent)
        if folder in taken:
            both = f"{taken[folder]} and {config.dataset}"
            raise InputError(
                f"{both} would both be written to {folder}; name each once, or run them one by "
                "one with an --out of their own."
            )
        taken[folder] = config.dataset
    return list(taken)


def run_many(
    configs: Sequence[RunConfig],
    parent: Path,
    options: Mapping[str, Any],
    say: Callable[[str], None],
) -> dict[Path, pd.DataFrame]:
    """Carry out runs one after another; say a line when one is finished.

    Parameters
    ----------
    configs : sequence of RunConfig
    parent : path
        Each run lies in ``parent/DATASET-seedN``.
    options : dict
        What `ae_cluster.run` takes beside; with ``resume`` finished runs are left as they are.
    say : callable
        Takes a line of text.

    Returns
    -------
    dict
        Folder → the rows of its scores.csv.

    Raises
    ------
    InputError
        When one of them cannot be made; all places and data are looked at before the first.
    """
    folders = folders_of(configs, expanded(parent).absolute())
    _check_all(configs, folders, options)
    rows: dict[Path, pd.DataFrame] = {}
    began = time.monotonic()
    say(f"{len(configs)} runs, in {parent} …")
    for config, folder in zip(configs, folders, strict=True):
        forget_peak()
        rows[folder] = run(config, folder, **options)
        say(_line(len(rows), len(configs), folder, rows[folder], time.monotonic() - began))
    return rows


def _check_all(
    configs: Sequence[RunConfig], folders: Sequence[Path], options: Mapping[str, Any]
) -> None:
    """Raise for what would end a later run after hours of others."""
    datasets: set[str] = set()
    for config, folder in zip(configs, folders, strict=True):
        config.check()
        pipelines = pipelines_of(config.methods, config.features)
        kept_as = [pipeline.kept_as for pipeline in pipelines if pipeline.kept_as]
        check_place(
            folder, kept_as, **{name: options[name] for name in ("force", "resume", "figures")}
        )
        if config.dataset not in datasets:
            load_data(vars(config), options["data_home"], download=options["download"])
            datasets.add(config.dataset)


def _line(i: int, n: int, folder: Path, rows: pd.DataFrame, seconds: float) -> str:
    """Return how far the runs have come, and the best held-out score of the last."""
    to_go = f", about {in_words(seconds / i * (n - i))} to go" if i < n else ""
    return f"[{i}/{n}] {folder.name}: {_best(rows)}; {in_words(seconds)} so far{to_go}"


def _best(rows: pd.DataFrame) -> str:
    test = rows[(rows["split"] == "test") & rows["budget"].isna()]
    score = "accuracy" if test["accuracy"].notna().any() else "silhouette"
    done = test[(test["status"] == OK) & test[score].notna()]
    if done.empty:
        return "no method has a score"
    best = done.sort_values(score).to_dict("records")[-1]
    name = pipeline_name(best["features"], best["method"])
    n_lost = int((test["status"] != OK).sum())
    lost = f", {n_lost} of {len(test)} methods failed" if n_lost else ""
    return f"best {score} {best[score]:.3f} ({name}){lost}"
