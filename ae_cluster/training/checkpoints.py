"""A training that was killed goes on where it stood, and ends with the same weights."""

from __future__ import annotations

import hashlib
import json
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ae_cluster.common.bounded_files import parse_json, reason
from ae_cluster.common.errors import InputError
from ae_cluster.common.files import make_folder, written_beside
from ae_cluster.training.callbacks import EarlyStopping, Snapshots
from ae_cluster.training.loop import Callback, Progress
from ae_cluster.training.optimizer import Adam


class Checkpoint(Callback):
    """Everything the rest of a training depends on, in one safetensors file.

    Parameters
    ----------
    path : Path
        The file; written anew after an epoch, at most once in ``every`` seconds.
    key : str
        What is trained on which data; a file with another key is refused.
    optimizer : Adam
        Its parameter, its two means and its step count are kept.
    generator : torch.Generator
        Its state is kept: the shuffling goes on as if nothing had happened.
    early_stopping, snapshots : callbacks or None
        Kept too where there are any.
    every : float
        Seconds.
    """

    def __init__(
        self,
        path: Path,
        key: str,
        optimizer: Adam,
        generator: torch.Generator,
        early_stopping: EarlyStopping | None = None,
        snapshots: Snapshots | None = None,
        every: float = 1.0,
    ) -> None:
        make_folder(path.parent)
        self.path, self.key, self.every = path, key, every
        self.optimizer, self.generator = optimizer, generator
        self.early_stopping, self.snapshots = early_stopping, snapshots
        self.last_written = time.monotonic()

    def on_epoch(self, progress: Progress) -> None:
        """Write the file when it is time, and at the end."""
        is_last = progress.stop or progress.epoch == progress.n_epochs
        if is_last or time.monotonic() - self.last_written >= self.every:
            self.write(progress)
            self.last_written = time.monotonic()

    def write(self, progress: Progress) -> None:
        """Write the present state; the file before is replaced only by a whole one."""
        tensors = {name: tensor.cpu() for name, tensor in self._tensors().items()}
        tensors["generator"] = self.generator.get_state()
        if self.snapshots:
            tensors["snapshots"] = torch.from_numpy(np.stack(self.snapshots.codes))
        state = json.dumps(self._state(progress))
        metadata = {"state": state, "checksum": _checksum(tensors, state)}
        with written_beside(self.path) as beside:
            beside.write_bytes(save(tensors, metadata))

    def resume(self, progress: Progress) -> None:
        """Bring everything to where the file left it; without a file do nothing.

        Raises
        ------
        InputError
            When the file is damaged, or of another configuration or other data.
        """
        if not self.path.exists():
            return
        tensors, state = self._read()
        if state.get("key") != self.key:
            raise InputError(
                f"The checkpoint {self.path} belongs to another configuration or to other data; "
                "delete it to start anew, or go back to the configuration it was made with."
            )
        try:
            self._take_back(progress, tensors, state)
        except (LookupError, TypeError, ValueError, RuntimeError) as error:
            raise self._damaged(reason(error)) from error

    def _take_back(
        self, progress: Progress, tensors: dict[str, Tensor], state: dict[str, Any]
    ) -> None:
        for name, tensor in self._tensors().items():
            if tensors[name].shape != tensor.shape:
                raise ValueError(f"its {name} has another shape")
            tensor.copy_(tensors[name])
        self.generator.set_state(tensors["generator"])
        self.optimizer.learning_rate = state["learning_rate"]
        progress.epoch, progress.step = state["epoch"], state["step"]
        progress.stop, progress.loss_curve[:] = state["stop"], state["loss_curve"]
        if self.snapshots:
            self.snapshots.codes[:] = list(tensors["snapshots"].numpy())
        if self.early_stopping:
            self.early_stopping.curve[:] = state["validation_curve"]
            self.early_stopping.best_loss = state["best_loss"]
            self.early_stopping.n_waited = state["n_waited"]

    def _tensors(self) -> dict[str, Tensor]:
        """Return the tensors that training changes in place."""
        optimizer = self.optimizer
        tensors = {
            "weights": optimizer.parameter.data,
            "mean": optimizer.mean,
            "mean_square": optimizer.mean_square,
            "n_steps": optimizer.n_steps,
        }
        if self.early_stopping:
            tensors["best_weights"] = self.early_stopping.best_weights
        return tensors

    def _state(self, progress: Progress) -> dict[str, object]:
        stopping = self.early_stopping
        return {
            "key": self.key,
            "epoch": progress.epoch,
            "step": progress.step,
            "stop": progress.stop,
            "learning_rate": self.optimizer.learning_rate,
            "loss_curve": progress.loss_curve,
            "validation_curve": stopping.curve if stopping else [],
            "best_loss": stopping.best_loss if stopping else math.inf,
            "n_waited": stopping.n_waited if stopping else 0,
        }

    def _read(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        try:
            with safe_open(self.path, framework="pt") as file:
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
                metadata = file.metadata() or {}
        except (SafetensorError, OSError, ValueError, KeyError, RuntimeError) as error:
            raise self._damaged(error) from error
        state = metadata.get("state", "")
        if metadata.get("checksum") != _checksum(tensors, state):
            raise self._damaged("its checksum does not fit")
        try:
            return tensors, dict(parse_json(state))
        except (ValueError, TypeError) as error:
            raise self._damaged(error) from error

    def _damaged(self, why: object) -> InputError:
        return InputError(
            f"The checkpoint {self.path} is damaged ({why}); delete it to start anew."
        )


def epochs_done(path: Path) -> int:
    """Return after how many epochs a checkpoint was written; 0 where none can be read."""
    try:
        with safe_open(path, framework="pt") as file:
            return int(parse_json((file.metadata() or {})["state"])["epoch"])
    except (SafetensorError, OSError, ValueError, LookupError, TypeError, OverflowError):
        return 0


def learning_rate_of(path: str | Path) -> float | None:
    """Return the ``learning_rate_init`` of the training that a file keeps; None without one."""
    try:
        with safe_open(path, framework="pt") as file:
            state = parse_json((file.metadata() or {})["state"])
        return float(parse_json(state["key"])["learning_rate_init"])
    except (SafetensorError, OSError, ValueError, LookupError, TypeError, OverflowError):
        return None  # nothing is there, or it is damaged: `Checkpoint.resume` says so


def _checksum(tensors: dict[str, Tensor], state: str) -> str:
    digest = hashlib.sha256(state.encode())
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].numpy().data)
    return digest.hexdigest()
