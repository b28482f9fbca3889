"""A model as a folder of two files: weights.safetensors and model.json.

Nothing is pickled, so reading a model never executes code. A checksum over
both files tells a damaged or edited folder from a whole one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from ae_cluster.errors import InputError
from ae_cluster.files import folder_written_beside

FORMAT_VERSION = 1
WEIGHTS, DESCRIPTION = "weights.safetensors", "model.json"


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
        Replace what is there.

    Raises
    ------
    InputError
        When the folder exists or cannot be written.
    """
    with folder_written_beside(path, force) as folder:
        weights = save({k: t.detach().cpu().contiguous() for k, t in tensors.items()})
        content = {"format_version": FORMAT_VERSION, "kind": kind, **description}
        content["checksum"] = _checksum(content, weights)
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
    content = _read_description(path)
    version, found = content.get("format_version"), content.get("kind")
    if not isinstance(version, int) or version > FORMAT_VERSION:
        raise InputError(
            f"{path} has format_version {version!r}, and this version of ae_cluster reads up to "
            f"{FORMAT_VERSION}; install a newer ae_cluster."
        )
    if found != kind:
        raise InputError(f"{path} holds a model of kind {found!r} and not {kind!r}; load that one.")
    try:
        weights = (path / WEIGHTS).read_bytes()
        claimed = content.pop("checksum", None)
        if claimed != _checksum(content, weights):
            raise InputError(
                f"{path} was changed after it was written (its checksum does not fit); "
                "take a fresh copy, or train and save the model again."
            )
        return load(weights), content
    except (OSError, SafetensorError) as error:
        raise InputError(
            f"The weights of {path} cannot be read ({error}); take a fresh copy of the folder."
        ) from error


@contextmanager
def whole(path: str | Path, kind: str) -> Iterator[None]:
    """Say what is missing, in a sentence, when a model cannot be made of what was read.

    Raises
    ------
    InputError
    """
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError, RuntimeError) as error:
        why = " ".join(str(error).split())  # PyTorch's own runs over several lines
        raise InputError(
            f"{path} does not hold a whole {kind} ({why}); save the model again."
        ) from error


def _read_description(path: Path) -> dict[str, Any]:
    try:
        content = json.loads((path / DESCRIPTION).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(
            f"{path} is not a model folder: it has no {DESCRIPTION}; give the folder that save() "
            "wrote (in a run: methods/NAME/model)."
        ) from error
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path / DESCRIPTION} cannot be read ({error}); take a fresh copy of the folder."
        ) from error
    if not isinstance(content, dict):
        raise InputError(f"{path / DESCRIPTION} does not describe a model; take a fresh copy.")
    return content


def _checksum(content: dict[str, Any], weights: bytes) -> str:
    text = json.dumps(content, sort_keys=True).encode()
    return hashlib.sha256(text + hashlib.sha256(weights).digest()).hexdigest()
