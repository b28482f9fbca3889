"""A model as a folder of two files: weights.safetensors and model.json.

Nothing is pickled, so reading a model never executes code. A checksum over
both files tells a damaged or edited folder from a whole one.
"""

from __future__ import annotations

import json
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from ae_cluster.autoencoder.scaling import Scaling
from ae_cluster.common import pixels
from ae_cluster.common.bounded_files import read_json_object, reason
from ae_cluster.common.errors import InputError
from ae_cluster.common.files import folder_written_beside
from ae_cluster.common.global_state import default_state
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
from ae_cluster.common.table_options import SCALINGS, STANDARD
from ae_cluster.common.texts import quoted

FITTED = {
    *("dtype_", "image_shape_", "image_units_", "input_kind_", "n_features_in_"),
    *("n_iter_", "loss_curve_", "validation_loss_curve_", "collapse_", "hidden_layer_sizes_"),
}
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


class SavedModel(ABC):
    """An estimator that is kept as a model folder."""

    @default_state()
    def save(self, path: str | Path, *, force: bool = False) -> None:
        """Write the model as a folder of safetensors and JSON; see `load`.

        ``callbacks``, ``checkpoint`` and ``device`` belong to this machine and
        are not kept, nor is a ``random_state`` that is no number. Of an autoencoder that a
        clustering started from, the parameters are kept, so that fitting again starts from an
        unfitted one.

        Raises
        ------
        InputError
            When ``path`` exists and ``force`` is off, or cannot be written.
        """
        write(Path(path), type(self).__name__, *self._contents(), force)

    @classmethod
    @default_state()
    def load(cls, path: str | Path) -> Self:
        """Read a model folder written by `save`; nothing in it is executed.

        Raises
        ------
        InputError
            When the folder is missing, damaged, tampered with or of a newer format.
        """
        tensors, description = read(Path(path), cls.__name__)
        with whole(path, cls.__name__):
            make: Callable[..., Self] = cls
            model = make(**unjsoned(description["parameters"]))
            model._restore(tensors, description)
            check_use(model, getattr(model, "n_clusters_", None))
        return model

    @abstractmethod
    def _contents(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return the tensors and the description to keep; raise unless fitted."""

    @abstractmethod
    def _restore(self, tensors: dict[str, Tensor], description: dict[str, Any]) -> None:
        """Check the parameters, and take back what `_contents` gave."""


# ------------------------------------------------- the contents of an `AutoEncoder`


def tensors_of(model: Any) -> dict[str, Tensor]:
    """Return the weights of a fitted `AutoEncoder`, and the scales of a table."""
    tensors = {f"network.{k}": t for k, t in model.network_.state_dict().items()}
    if model.scaling_.mean is not None and model.scaling_.scale is not None:
        tensors |= {"mean": model.scaling_.mean, "scale": model.scaling_.scale}
    return tensors


def description_of(model: Any) -> dict[str, Any]:
    """Return parameters and fitted attributes of an `AutoEncoder` as JSON takes them."""
    parameters = model.get_params()
    elsewhere = {"callbacks": (), "checkpoint": None, "device": "auto"}
    parameters |= {k: v for k, v in elsewhere.items() if k in parameters}
    if isinstance(model.random_state, np.random.RandomState):
        parameters["random_state"] = None
    fitted = {name: getattr(model, name) for name in FITTED if hasattr(model, name)}
    if model.input_kind_ == "table":
        fitted["scaling"] = {"kind": model.scaling_.kind, "why": model.scaling_.why}
    if hasattr(model, "feature_names_in_"):
        fitted["feature_names_in_"] = model.feature_names_in_.tolist()
    return {"parameters": jsonable(parameters), "fitted": fitted}


def restore(model: Any, tensors: dict[str, Tensor], fitted: dict[str, Any]) -> None:
    """Fit an `AutoEncoder`, its parameters checked, with what was kept of another.

    Raises
    ------
    ValueError, TypeError, KeyError, …
        One of ``DAMAGE``, when these cannot be of one model.
    """
    model.image_units_, model.collapse_ = pixels.UNIT, ""  # where an earlier version saved none
    for name in FITTED & fitted.keys():
        setattr(model, name, fitted[name])
    model.snapshots_ = None  # a record of the training, which is not kept
    if model.image_shape_ is not None:
        model.image_shape_ = tuple(model.image_shape_)
    if "feature_names_in_" in fitted:
        model.feature_names_in_ = np.array(fitted["feature_names_in_"], dtype=object)
    _check_fitted(model)
    scales = [tensors.pop(name) for name in ("mean", "scale") if model.input_kind_ == "table"]
    if any(tuple(scale.shape) != (model.n_features_in_,) for scale in scales):
        raise ValueError("its scales are not one number for each column")
    mean, scale = scales or (None, None)
    kind, why = _said_of_scaling(fitted)
    if model.input_kind_ == "table" and "scaling" not in fitted:
        model.scaling = STANDARD
    model.scaling_ = Scaling(getattr(torch, model.dtype_), mean, scale, kind, why)
    state = {name.removeprefix("network."): tensor for name, tensor in tensors.items()}
    layers = getattr(model, "hidden_layer_sizes_", model.hidden_layer_sizes)
    if len(layers) + len(getattr(model, "conv_channels", ())) > len(state) + 2:
        raise ValueError("it has more layers than weights")
    with torch.device("meta"):  # the sizes said may be any; memory is taken for true ones
        check_shapes(model._new_network(), state)
    model._build()
    model.network_.load_state_dict(state)


def _said_of_scaling(fitted: dict[str, Any]) -> tuple[str, str]:
    """Return kind and reason of a scaling; none was said where there was only one."""
    said = fitted.get("scaling", {"kind": STANDARD, "why": ""})
    if not isinstance(said, dict) or said.keys() != {"kind", "why"} or said["kind"] not in SCALINGS:
        raise ValueError("its scaling is none")
    if not isinstance(said["why"], str):
        raise TypeError("its scaling gives no reason")
    return said["kind"], said["why"]


def _check_fitted(model: Any) -> None:
    """Raise a ValueError for a fitted attribute that no fit could have left."""
    names = getattr(model, "feature_names_in_", None)
    if (
        model.input_kind_ not in ("images", "table")
        or model.dtype_ not in ("float32", "float64")
        or not isinstance(model.n_features_in_, int)
        or not isinstance(model.collapse_, str)
        or (names is not None and names.shape != (model.n_features_in_,))
    ):
        raise ValueError("its fitted attributes are none")
