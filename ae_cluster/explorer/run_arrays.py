"""What a run folder holds for the page, read without torch; older folders may lack parts of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ae_cluster.common.errors import InputError
from ae_cluster.explorer.encoding import Array
from ae_cluster.records.reading import (
    SPLITS,
    method_names,
    read_codes,
    read_run_config,
    read_scores,
    read_snapshots,
)


class Method(NamedTuple):
    """One pipeline from samples to clusters.

    Attributes
    ----------
    name : str
    arrays : dict of str to ndarray
        Of codes.npz: codes, clusters, soft and labels of both splits, centers.
    epochs : ndarray (n_frames,) or None
    frames : ndarray (n_frames, n_samples, n_components) or None
        Codes of the first training samples at these epochs.
    model : Path
        Its model folder, which may not exist.
    """

    name: str
    arrays: dict[str, Array]
    epochs: Array | None
    frames: Array | None
    model: Path


class Run(NamedTuple):
    """A run folder's config, methods and scores."""

    config: dict[str, Any]
    methods: list[Method]
    scores: pd.DataFrame | None

    @property
    def ids(self) -> dict[str, Array]:
        """The ids of the samples by split."""
        return {split: self.methods[0].arrays[f"ids_{split}"] for split in SPLITS}

    @property
    def labels(self) -> dict[str, Array | None]:
        """The labels of the samples by split; None where none is known."""
        return {split: self.methods[0].arrays.get(f"labels_{split}") for split in SPLITS}


def read_run(folder: Path) -> Run:
    """Return what a run folder holds.

    Raises
    ------
    InputError
        When the folder is not one of a run, or none of its methods has codes.
    """
    if not (folder / "config.json").is_file():
        raise InputError(
            f"{folder} is not the folder of a run (it has no config.json); give one that "
            "ae-cluster run wrote."
        )
    config = read_run_config(folder)
    scores = _read_scores(folder)
    methods = [_read_method(folder, name) for name in method_names(folder)]
    _check_same_samples(folder, methods)
    return Run(config, methods, scores)


def _read_scores(folder: Path) -> pd.DataFrame | None:
    """Return the rows of scores.csv, or None: of an older format, they are no loss to a picture."""
    try:
        return read_scores(folder)
    except InputError:
        return None


def _read_method(folder: Path, name: str) -> Method:
    arrays = read_codes(folder, name)
    kept = read_snapshots(folder, name, arrays)
    epochs, frames = (kept["epochs"], kept["codes"]) if kept else (None, None)
    return Method(name, arrays, epochs, frames, folder / "methods" / name / "model")


def _check_same_samples(folder: Path, methods: list[Method]) -> None:
    first = methods[0]
    for method in methods[1:]:
        for split in SPLITS:
            if not np.array_equal(method.arrays[f"ids_{split}"], first.arrays[f"ids_{split}"]):
                raise InputError(
                    f"The codes of {first.name} and of {method.name} in {folder} are of different "
                    "samples; do the run again."
                )
