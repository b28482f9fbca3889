"""How many clusters data have: a short list with its evidence, and one figure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ae_cluster.clustering.number_of_clusters import Suggestion, suggest_n_clusters
from ae_cluster.common.errors import InputError
from ae_cluster.common.files import expanded, make_folder
from ae_cluster.common.global_state import default_state
from ae_cluster.common.scaling import fit_scaling
from ae_cluster.common.table_options import flag
from ae_cluster.datasets import Dataset
from ae_cluster.methods import GIVEN
from ae_cluster.records.config import RunConfig
from ae_cluster.records.reading import (
    SPLITS,
    load_data,
    load_samples,
    method_names,
    read_codes,
    read_run_config,
)
from ae_cluster.runs.scaling import notes_on

FIGURE = "number-of-clusters"


class Suggested(NamedTuple):
    """What was found of which data.

    Attributes
    ----------
    name : str
        Of the data.
    n_all : int
        Samples there are; `Suggestion.n_samples` says how many were looked at.
    found : Suggestion
    figure : Path or None
        Where it was drawn.
    """

    name: str
    n_all: int
    found: Suggestion
    figure: Path | None


@default_state()
def suggest(
    source: str,
    *,
    reading: Mapping[str, Any],
    max_clusters: int | None = None,
    seed: int = 0,
    data_home: Path | None = None,
    out: Path | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Suggested:
    """Return a short list of numbers of clusters of a run's samples or of data.

    Parameters
    ----------
    source : str
        A run's folder, a known name, a file or a folder of pictures.
    reading : mapping
        How data are read: those of `records.config.READING` that are said.
    out : path, optional
        Folder in which the figure is drawn.
    say : callable
        Takes a line of text at each stage.

    Raises
    ------
    InputError
    """
    data, scaling = _data_of(source, reading, data_home)
    rows = np.concatenate([data.x_train, data.x_test]).astype(np.float64)
    rows = scaled_rows(data, rows, scaling, say)
    say(f"{data.name}: {len(rows):,} samples of {rows.shape[1]:,} numbers; comparing numbers …")
    found = suggest_n_clusters(rows, max_clusters=max_clusters, random_state=seed, verbose=True)
    figure = None if out is None else _draw(found, data.name, out)
    return Suggested(data.name, len(rows), found, figure)


def scaled_rows(
    data: Dataset, rows: NDArray[np.float64], scaling: str | None, say: Callable[[str], None]
) -> NDArray[np.float64]:
    """Return samples of data (n, n_features) as they are compared.

    Images in [0, 1], columns of a table scaled; given codes, of no scaling, stay as they are.
    """
    if not data.is_table or scaling is None:
        return rows
    fitted = fit_scaling(rows, scaling)
    for line in notes_on(fitted, scaling, data.name):
        say(line)
    return fitted(rows)


def _data_of(
    source: str, reading: Mapping[str, Any], data_home: Path | None
) -> tuple[Dataset, str | None]:
    """Return the data, and how the columns of a table are scaled: None of codes."""
    folder = expanded(source)
    if not (folder / "config.json").is_file():
        data = load_data({"dataset": source} | dict(reading), data_home, download=True)
        return data, _scaling_by(reading)
    if said := [flag(name) for name in reading]:
        raise InputError(
            f"{source} is a run, which says how its data are read: leave {', '.join(said)} out, or "
            "give the data."
        )
    config = read_run_config(folder)
    arrays = read_codes(folder, method_names(folder)[0])
    sizes = [len(arrays[f"ids_{split}"]) for split in SPLITS]
    found, why = load_samples(config, sizes, data_home)
    if found is None:
        raise InputError(f"{why.split(':')[0]}; say where it lies with --data-home, or give it.")
    return found, _scaling_by(config["arguments"])


def _scaling_by(said: Mapping[str, Any]) -> str | None:
    usual = RunConfig().scaling
    return None if said.get("features") == GIVEN else str(said.get("scaling", usual))


def chosen_n_clusters(config: RunConfig, data: Dataset, say: Callable[[str], None]) -> int:
    """Return the number of clusters that ``--n-clusters auto`` stands for on these data.

    Raises
    ------
    InputError
        Where there is no structure.
    """
    rows = data.x_train.astype(np.float64)
    rows = scaled_rows(data, rows, _scaling_by(vars(config)), lambda _: None)
    say(f"Choosing the number of clusters of {data.name} …")
    found = suggest_n_clusters(rows, random_state=config.seed, verbose=True)
    if not found.has_structure:
        raise InputError(
            f"{data.name} shows no structure to choose a number of clusters by "
            f"({found.sure[0].lower()}{found.sure[1:-1]}); say one with --n-clusters K."
        )
    others = " and ".join(str(c.n_clusters) for c in found.candidates[1:])
    say(f"--n-clusters auto: {found.n_clusters} clusters, before {others}. {found.sure}")
    return found.n_clusters


def _draw(found: Suggestion, name: str, folder: Path) -> Path:
    from ae_cluster.figures import plot_n_clusters, save_figure

    make_folder(folder)
    listed = [candidate.n_clusters for candidate in found.candidates]
    figure = plot_n_clusters(found.evidence, listed, found.sure, name)
    return save_figure(figure, folder, FIGURE)[0]
