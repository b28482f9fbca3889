"""A model as a folder of two files: weights.safetensors and model.json.

Nothing is pickled, so reading a model never executes code. A checksum over
both files tells a damaged or edited folder from a whole one.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from ae_cluster.common.bounded_files import read_json_object, reason
from ae_cluster.common.errors import InputError
from ae_cluster.common.files import folder_written_beside
from ae_cluster.common.model_reading import (
    DESCRIPTION,
    FORMAT_VERSION,
    WEIGHTS,
    checksum,
    read_model,
    unreadable_weights,
)
from ae_cluster.common.own_files import present
from ae_cluster.common.scalars import plain
from ae_cluster.common.texts import quoted

FILES = WEIGHTS, DESCRIPTION  # in the order in which they are replaced: the checksum is in the last
# What safetensors and torch raise on what does not fit.
DAMAGE = (
    *(AttributeError, KeyError, IndexError, TypeError, ValueError, RuntimeError, AssertionError),
    *(OverflowError, MemoryError, OSError, SafetensorError),
)


def write(
    path: Path, kind: str, tensors: dict[str, Tensor], description: dict[str, Any], force: bool
) -> None:
    """Write a model folder, or leave what is at ``path`` as it is.

    Parameters
    ----------
    path : Path
        The folder; it must not exist unless ``force`` is on.
    kind : str
        The estimator's class name.
    tensors : dict of Tensor
        Weights, and whatever else is numbers.
    description : dict
        Everything else; must be JSON.
    force : bool
        Replace the model that is there; other files in its folder stay.

    Raises
    ------
    InputError
        When the folder exists, is no model's or cannot be written.
    """
    with folder_written_beside(path, force, _files_of_model) as folder:
        weights = save({k: t.detach().cpu().contiguous() for k, t in tensors.items()})
        content = {"format_version": FORMAT_VERSION, "kind": kind, **description}
        content["checksum"] = checksum(content, weights)
        (folder / WEIGHTS).write_bytes(weights)
        text = json.dumps(content, indent=2, sort_keys=True)  # one order, whatever came before
        (folder / DESCRIPTION).write_text(text + "\n", encoding="utf-8")


def read(path: Path, kind: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the tensors and the description of a model folder.

    Raises
    ------
    InputError
        When a file is missing or damaged, was changed since it was written, or
        comes from a newer version or another kind of model.
    """
    content, weights = read_model(path)
    if (found := content.get("kind")) != kind:
        raise InputError(
            f"{path} holds a model of kind {quoted(found)} and not {kind!r}; load that one."
        )
    try:
        return load(weights), content
    except DAMAGE as error:
        raise unreadable_weights(path, error) from error


@contextmanager
def whole(path: str | Path, kind: str) -> Iterator[None]:
    """Say what is missing, in a sentence, when a model cannot be made of what was read.

    Raises
    ------
    InputError
    """
    try:
        yield
    except DAMAGE as error:
        why = reason(error)  # PyTorch's own runs over several lines
        raise InputError(
            f"{path} does not hold a whole {kind} ({why}); save the model again."
        ) from error


def check_shapes(network: nn.Module, tensors: dict[str, Tensor]) -> None:
    """Raise unless a network, which may be without memory of its own, has these tensors.

    Raises
    ------
    ValueError
    """
    wanted = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    for name in sorted(wanted.keys() | tensors.keys()):
        found = tuple(tensors[name].shape) if name in tensors else None
        if found != wanted.get(name):
            raise ValueError(
                f"the tensor {name} has shape {found} where {wanted.get(name)} is expected"
            )


def check_use(model: Any, n_clusters: int | None = None) -> None:
    """Raise whatever it raises when a model that was read is used, on one sample of zeros.

    Raises
    ------
    ValueError
        When codes or clusters come out in another shape than they must.
    """
    rows = np.zeros((1, model.n_features_in_), np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names that the columns do not have
        codes = model.transform(rows)
        drawn = model.inverse_transform(codes)
        clusters = np.zeros(1) if n_clusters is None else model.predict(rows)
    if drawn.shape != rows.shape or clusters.shape != (1,):
        raise ValueError(f"one sample is drawn as {drawn.shape} and has clusters {clusters.shape}")
    if n_clusters is not None:
        labels = model.labels_
        is_whole = labels.ndim == 1 and labels.dtype == np.int64 and labels.size > 0
        if not is_whole or labels.min() < 0 or max(labels.max(), clusters[0]) >= n_clusters:
            raise ValueError(f"its labels are not numbers of {n_clusters} clusters")
        if model.cluster_centers_.shape != (n_clusters, codes.shape[1]):
            raise ValueError(f"its centers have shape {model.cluster_centers_.shape}")


def _files_of_model(path: Path) -> list[str]:
    """Return the files of a model folder in the order of ``FILES``, none where it is not one."""
    found = present(path, FILES)
    try:
        said = set(read_json_object(path / DESCRIPTION)) if DESCRIPTION in found else set()
    except (InputError, OSError):
        said = set()
    is_ours = {"format_version", "kind", "checksum"} <= said
    return [name for name in FILES if name in found] if is_ours else []


def jsonable(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return parameters as JSON takes them."""
    return {name: plain(value) for name, value in parameters.items()}


def unjsoned(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return parameters read from JSON with sequences as tuples again."""
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in parameters.items()
    }
