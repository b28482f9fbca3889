"""The two files of a model folder, read within bounds and held against their checksum; no torch."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from ae_cluster.common.bounded_files import UnreadableError, read_bytes, read_json_object
from ae_cluster.common.errors import InputError
from ae_cluster.common.texts import quoted

FORMAT_VERSION = 1
WEIGHTS, DESCRIPTION = "weights.safetensors", "model.json"
MOST_WEIGHTS = 2**40  # bytes; the file's own size is what counts


def read_model(path: Path) -> tuple[dict[str, Any], bytes]:
    """Return the description and the packed weights of a model folder.

    Raises
    ------
    InputError
        When a file is missing or damaged, was changed since it was written, or comes from a
        newer version.
    """
    try:
        content = read_json_object(path / DESCRIPTION)
    except FileNotFoundError as error:
        raise InputError(
            f"{path} is not a model folder: it has no {DESCRIPTION}; give the folder that save() "
            "wrote (in a run: methods/NAME/model)."
        ) from error
    except UnreadableError as error:
        raise InputError(
            f"{path / DESCRIPTION} cannot be read and does not describe a model ({error}); take a "
            "fresh copy of the folder."
        ) from error
    version = content.get("format_version")
    if not isinstance(version, int) or version > FORMAT_VERSION:
        raise InputError(
            f"{path} has format_version {quoted(version)}, and this version of ae_cluster reads up "
            f"to {FORMAT_VERSION}; install a newer ae_cluster."
        )
    return content, _weights(path, content)


def _weights(path: Path, content: dict[str, Any]) -> bytes:
    try:
        weights = read_bytes(path / WEIGHTS, MOST_WEIGHTS)
    except (FileNotFoundError, UnreadableError) as error:
        raise unreadable_weights(path, error) from error
    if content.pop("checksum", None) != checksum(content, weights):
        raise InputError(
            f"{path} was changed after it was written (its checksum does not fit); "
            "take a fresh copy, or train and save the model again."
        )
    return weights


def unreadable_weights(path: Path, error: Exception) -> InputError:
    """Return the error of weights that cannot be read."""
    return InputError(
        f"The weights of {path} cannot be read ({error}); take a fresh copy of the folder."
    )


def checksum(content: dict[str, Any], weights: bytes) -> str:
    """Return the sum over a description without its own, and the weights."""
    text = json.dumps(content, sort_keys=True).encode()
    return hashlib.sha256(text + hashlib.sha256(weights).digest()).hexdigest()
