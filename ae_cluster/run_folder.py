"""What a run folder holds, written."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ae_cluster.config import FORMAT_VERSION, RunConfig
from ae_cluster.datasets import Dataset, known_datasets
from ae_cluster.errors import InputError
from ae_cluster.files import expanded, is_being_written, make_folder, marked_as_being_written
from ae_cluster.machine import machine, versions

if TYPE_CHECKING:  # scikit-learn takes a second to load, and reading needs none of it
    from ae_cluster.clustering import Clustering

N_FRAMES = 60  # epochs whose codes are kept, at most


def refuse_what_is_no_run(out: Path) -> None:
    """Raise unless the folder to be replaced is a run's or empty: --force is for runs."""
    if out.is_dir() and any(out.iterdir()) and not (out / "config.json").is_file():
        raise InputError(
            f"{out} is not the folder of a run (it has no config.json), so it is not replaced; "
            "choose another place."
        )


@contextmanager
def partial_folder(partial: Path, resume: bool, force: bool) -> Iterator[None]:
    """Make the folder to fill; an error removes it, a kill leaves it for ``resume``."""
    if partial.is_dir() and is_being_written(partial):
        raise InputError(f"Another run is writing to {partial} now; choose another place.")
    if partial.exists() and not resume and not force:
        raise InputError(
            f"{partial} holds a run that was interrupted; go on with it with --resume "
            "(resume=True), or start anew with --force (force=True)."
        )
    if partial.is_dir() and not resume:
        shutil.rmtree(partial)
    goes_on = partial.exists()
    made = [folder for folder in (partial, *partial.parents) if not folder.exists()]
    make_folder(partial)
    try:
        with marked_as_being_written(partial):
            yield
    except Exception:
        if goes_on:  # what an earlier run got done is not ours to throw away
            raise
        shutil.rmtree(partial, ignore_errors=True)
        for folder in made[1:]:
            with suppress(OSError):  # somebody else put something there meanwhile
                folder.rmdir()
        raise


def write_config(
    folder: Path,
    config: RunConfig,
    data: Dataset,
    settings: dict[str, Any],
    run_id: str,
    methods: dict[str, dict[str, Any]],
) -> None:
    """Write config.json: arguments, what the preset made of them, methods, data, versions."""
    height = data.image_shape
    arguments = config.to_json()
    if data.name not in known_datasets():  # a file: the config must work from any folder
        arguments["dataset"] = str(expanded(config.dataset).absolute())
    content = {
        "format_version": FORMAT_VERSION,
        "run_id": run_id,
        "arguments": arguments,
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
        },
        "versions": versions(),
        "machine": machine(),
    }
    text = json.dumps(content, indent=2, ensure_ascii=False)
    # A file's name may hold what is no Unicode; JSON has words for that.
    (folder / "config.json").write_text(text + "\n", encoding="utf-8", errors="backslashreplace")


def write_method(
    folder: Path,
    data: Dataset,
    codes_train: NDArray[Any],
    codes_test: NDArray[Any],
    result: Clustering,
    loss_curve: list[float],
    snapshots: NDArray[Any] | None,
) -> None:
    """Write codes.npz of one method, and history.csv and snapshots.npz where it has them."""
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
    if not loss_curve and snapshots is None:
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
