"""What a run folder holds, written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ae_cluster.common.feature_files import is_feature_file
from ae_cluster.common.files import expanded
from ae_cluster.common.write_lock import claim
from ae_cluster.datasets import Dataset, known_datasets
from ae_cluster.records.config import FORMAT_VERSION, RunConfig
from ae_cluster.records.environment import machine, versions

N_FRAMES = 60  # epochs whose codes are kept, at most


def arguments_of(config: RunConfig, data: Dataset) -> dict[str, Any]:
    """Return the arguments of a run on data as its config.json has them."""
    arguments = config.to_json()
    # Paths: the config must work from any folder.
    if data.shown.name not in known_datasets():
        arguments["dataset"] = str(expanded(config.dataset).absolute())
    if is_feature_file(config.features):
        arguments["features"] = str(expanded(config.features).absolute())
    return arguments


def write_config(
    folder: Path,
    config: RunConfig,
    data: Dataset,
    settings: dict[str, Any],
    run_id: str,
    methods: dict[str, dict[str, Any]],
    stage_seconds: dict[str, float],
) -> None:
    """Write config.json: arguments, what the preset made of them, methods, data, versions, times.

    ``stage_seconds`` are of the run's stages, as of `common.stage_times`; empty until it ends.
    """
    height = data.image_shape
    content = {
        "format_version": FORMAT_VERSION,
        "run_id": run_id,
        "arguments": arguments_of(config, data),
        "settings": settings,
        "methods": methods,
        "data": {
            "name": data.name,
            "fingerprint": data.fingerprint,
            "n_train": len(data.raw_train),
            "n_test": len(data.raw_test),
            "n_features": data.raw_train.shape[1],
            "image_shape": list(height) if height else None,
            "class_names": list(data.class_names),
            "column_names": list(data.column_names),
            "dtype": str(data.raw_train.dtype),
            "original": _described(data.original),
            "preparation": None if data.preparation is None else data.preparation.to_json(),
        },
        "versions": versions(),
        "machine": machine(),
        "stage_seconds": stage_seconds,
    }
    claim(folder, "config.json")
    text = json.dumps(content, indent=2, ensure_ascii=False)
    # A file's name may hold what is no Unicode; JSON has words for that.
    (folder / "config.json").write_text(text + "\n", encoding="utf-8", errors="backslashreplace")


def _described(original: Dataset | None) -> dict[str, Any] | None:
    """Return what is kept of the samples that features are of."""
    if original is None:
        return None
    shape = original.image_shape
    return {"name": original.name, "image_shape": list(shape) if shape else None}


def write_method(
    folder: Path,
    data: Dataset,
    codes_train: NDArray[Any],
    codes_test: NDArray[Any],
    clustering: Mapping[str, Any],
    loss_curve: list[float],
    snapshots: NDArray[Any] | None,
    shares: tuple[NDArray[Any] | None, NDArray[Any] | None] = (None, None),
) -> None:
    """Write codes.npz of one method, and history.csv and snapshots.npz where it has them.

    ``shares`` are of the training samples that lie farther out than each train and test sample.
    """
    has_history = bool(loss_curve) or snapshots is not None
    files = [
        "codes.npz",
        *["history.csv"] * has_history,
        *["snapshots.npz"] * (snapshots is not None),
    ]
    claim(folder.parent.parent, *(f"methods/{folder.name}/{file}" for file in files))
    folder.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, Any] = {
        "ids_train": data.ids_train,
        "ids_test": data.ids_test,
        "codes_train": codes_train,
        "codes_test": codes_test,
        "clusters_train": clustering["train"],
        "clusters_test": clustering["test"],
        "soft_train": clustering["soft_train"],
        "soft_test": clustering["soft_test"],
        "centers": clustering["centers"],
        "share_farther_out_train": shares[0],
        "share_farther_out_test": shares[1],
        "labels_train": data.y_train,
        "labels_test": data.y_test,
    }
    np.savez(folder / "codes.npz", **{k: v for k, v in arrays.items() if v is not None})
    if not has_history:
        return
    history = pd.DataFrame({"epoch": range(1, len(loss_curve) + 1), "loss": loss_curve})
    history.to_csv(folder / "history.csv", index=False)
    if snapshots is None:
        return
    epochs = np.unique(np.linspace(0, len(snapshots) - 1, N_FRAMES + 1).round().astype(int))
    np.savez(
        folder / "snapshots.npz",
        epochs=epochs,
        codes=snapshots[epochs],
        ids=data.ids_train[: snapshots.shape[1]],
    )
