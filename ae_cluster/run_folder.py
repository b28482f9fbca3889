"""What a run folder holds, written and read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ae_cluster.clustering import Clustering
from ae_cluster.config import FORMAT_VERSION, RunConfig, read_config
from ae_cluster.datasets import Dataset, known_datasets
from ae_cluster.errors import InputError
from ae_cluster.machine import machine, versions

N_FRAMES = 60  # epochs whose codes are kept, at most


def write_config(
    folder: Path, config: RunConfig, data: Dataset, settings: dict[str, Any], run_id: str
) -> None:
    """Write config.json: arguments, what the preset made of them, data, versions, machine."""
    height = data.image_shape
    arguments = config.to_json()
    if data.name not in known_datasets():  # a file: the config must work from any folder
        arguments["dataset"] = str(Path(config.dataset).expanduser().absolute())
    content = {
        "format_version": FORMAT_VERSION,
        "run_id": run_id,
        "arguments": arguments,
        "settings": settings,
        "data": {
            "name": data.name,
            "fingerprint": data.fingerprint,
            "n_train": len(data.raw_train),
            "n_test": len(data.raw_test),
            "n_features": data.raw_train.shape[1],
            "image_shape": list(height) if height else None,
            "class_names": list(data.class_names),
        },
        "versions": versions(),
        "machine": machine(),
    }
    text = json.dumps(content, indent=2, ensure_ascii=False)
    (folder / "config.json").write_text(text + "\n", encoding="utf-8")


def write_method(
    folder: Path,
    data: Dataset,
    codes_train: NDArray[Any],
    codes_test: NDArray[Any],
    result: Clustering,
    loss_curve: list[float],
    snapshots: NDArray[Any],
) -> None:
    """Write codes.npz, history.csv and snapshots.npz of one method."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, Any] = {
        "ids_train": data.ids_train,
        "ids_test": data.ids_test,
        "codes_train": codes_train,
        "codes_test": codes_test,
        "clusters_train": result.train,
        "clusters_test": result.test,
        "soft_train": result.soft_train,
        "soft_test": result.soft_test,
        "centers": result.centers,
        "labels_train": data.y_train,
        "labels_test": data.y_test,
    }
    np.savez(folder / "codes.npz", **{k: v for k, v in arrays.items() if v is not None})
    history = pd.DataFrame({"epoch": range(1, len(loss_curve) + 1), "loss": loss_curve})
    history.to_csv(folder / "history.csv", index=False)
    epochs = np.unique(np.linspace(0, len(snapshots) - 1, N_FRAMES + 1).round().astype(int))
    np.savez(
        folder / "snapshots.npz",
        epochs=epochs,
        codes=snapshots[epochs],
        ids=data.ids_train[: snapshots.shape[1]],
    )


def read_scores(folder: Path) -> pd.DataFrame:
    """Return the rows of a run's scores.csv."""
    try:
        return pd.read_csv(folder / "scores.csv", keep_default_na=True)
    except (OSError, ValueError) as error:
        raise InputError(f"{folder} is not a run folder: {error}") from error


def read_codes(folder: Path, method: str) -> dict[str, NDArray[Any]]:
    """Return the arrays of a run's methods/METHOD/codes.npz by name."""
    read_config(folder / "config.json")
    path = folder / "methods" / method / "codes.npz"
    try:
        with np.load(path, allow_pickle=False) as archive:
            return dict(archive)
    except (OSError, ValueError) as error:
        known = sorted(p.name for p in (folder / "methods").glob("*"))
        raise InputError(
            f"{path} cannot be read; the methods of this run are: {', '.join(known)}."
        ) from error
