"""What a run folder holds for the page, read without torch; older folders may lack parts of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ae_cluster.config import read_config
from ae_cluster.errors import InputError
from ae_cluster.explorer.packing import Array
from ae_cluster.run_folder import method_names, read_codes, read_scores

SPLITS = ("train", "test")


class Method(NamedTuple):
    """One way from images to clusters.

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
    config = read_config(folder / "config.json")
    scores = _read_scores(folder)
    methods = [_read_method(folder, name) for name in method_names(folder)]
    return Run(config, methods, scores)


def _read_scores(folder: Path) -> pd.DataFrame | None:
    """Return the rows of scores.csv, or None: of an older format, they are no loss to a picture."""
    try:
        return read_scores(folder)
    except InputError:
        return None


def _read_method(folder: Path, name: str) -> Method:
    arrays = read_codes(folder, name)
    needed = {f"{part}_{split}" for part in ("ids", "codes", "clusters") for split in SPLITS}
    if lacking := sorted(needed - arrays.keys()):
        raise InputError(
            f"The codes of {name} in {folder} lack {', '.join(lacking)}; do the run again."
        )
    place = folder / "methods" / name
    epochs, frames = _read_snapshots(place / "snapshots.npz", arrays)
    return Method(name, arrays, epochs, frames, place / "model")


def _read_snapshots(path: Path, arrays: dict[str, Array]) -> tuple[Array | None, Array | None]:
    """Return the saved epochs and the codes at each, or None where they were not kept."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            epochs, frames = archive["epochs"], archive["codes"]
    except (OSError, ValueError, KeyError):
        return None, None
    fits = frames.ndim == 3 and frames.shape[2] == arrays["codes_train"].shape[1]
    fits = fits and len(frames) == len(epochs) and frames.shape[1] <= len(arrays["ids_train"])
    return (epochs, frames) if fits and len(frames) > 1 else (None, None)
