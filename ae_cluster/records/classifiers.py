"""Classifiers that were learnt on a run's codes, kept with them: NAME.json and NAME.npz.

They lie in the run's methods/METHOD/classifiers/. Numbers and text only, nothing that could be
executed; what is read is held against a schema.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ae_cluster.common.bounded_arrays import Arrays
from ae_cluster.common.bounded_files import UnreadableError, read_json_object, told_of
from ae_cluster.common.errors import InputError
from ae_cluster.common.files import make_folder, written_beside
from ae_cluster.common.own_files import files_in
from ae_cluster.common.texts import quoted
from ae_cluster.records.reading import Axes, read_arrays

FORMAT_VERSION = 1
WHAT = "ae_cluster classifier"  # by which the file is known to be ours
_PLACE = re.compile(r"methods/([^/]+)/classifiers/([^/]+)\.(json|npz)")
_WAY_OUT = "classify again"
_SCHEMA = {
    "temperature": Axes("number", ("one",)),
    "mean": Axes("number", ("component",)),
    "scale": Axes("number", ("component",)),
    "coefficients": Axes("number", ("function", "component")),
    "intercepts": Axes("number", ("function",)),
    "vectors": Axes("number", ("vector", "component")),
    "weights": Axes("number", ("vector", "function")),
    "gamma": Axes("number", ("one",)),
    "one_hot": Axes("number", ("vector", "class")),
    "n_neighbors": Axes("number", ("one",)),
    "weights_of_centers": Axes("number", ("center",)),
    "centers": Axes("number", ("center", "component")),
    "covariances": Axes("number", ("center", "component", "component")),
    "shares": Axes("number", ("center", "class")),
}
_MEAN = {"temperature", "mean", "scale"}
_NEEDED = {
    "linear": _MEAN | {"coefficients", "intercepts"},
    "support-vectors": _MEAN | {"vectors", "weights", "intercepts", "gamma"},
    "neighbors": {"temperature", "vectors", "one_hot", "n_neighbors"},
    "clusters": {"temperature", "weights_of_centers", "centers", "covariances", "shares"},
}


class KeptClassifier(NamedTuple):
    """What predicts the classes of new samples from their codes.

    Attributes
    ----------
    kind : {"linear", "support-vectors", "neighbors", "clusters"}
    class_names : tuple of str
    arrays : dict
        Those of `ae_cluster.semi_supervised.frozen.scores`.
    """

    kind: str
    class_names: tuple[str, ...]
    arrays: Arrays


def write_classifier(folder: Path, method: str, name: str, kept: KeptClassifier) -> Path:
    """Write both files beside a method's codes, over an earlier classifier of that name.

    Raises
    ------
    InputError
        When something else stands there, or it cannot be written.
    """
    place = folder / "methods" / method / "classifiers"
    ours = classifier_files(folder)
    for ending in ("json", "npz"):
        path = place / f"{name}.{ending}"
        if path.exists() and path.relative_to(folder).as_posix() not in ours:
            raise InputError(f"{path} is none that ae-cluster wrote; move it away.")
    make_folder(place)
    with written_beside(place / f"{name}.npz") as beside, beside.open("wb") as file:
        np.savez(file, **kept.arrays)  # type: ignore[arg-type]
    content = {
        "what": WHAT,
        "format_version": FORMAT_VERSION,
        "kind": kept.kind,
        "class_names": list(kept.class_names),
    }
    text = json.dumps(content, indent=2, ensure_ascii=False)
    with written_beside(place / f"{name}.json") as beside:
        beside.write_text(text + "\n", encoding="utf-8")
    return place / f"{name}.json"


def classifier_files(folder: Path) -> set[str]:
    """Return the files of classifiers in a run's folder, known by what they say of themselves."""
    found = {name for name in files_in(folder / "methods") if "/classifiers/" in name}
    found = {f"methods/{name}" for name in found if _PLACE.fullmatch(f"methods/{name}")}
    ours = {name for name in found if name.endswith(".json") and _is_ours(folder / name)}
    return ours | {f"{name.removesuffix('.json')}.npz" for name in ours} & found


def _is_ours(path: Path) -> bool:
    try:
        return read_json_object(path).get("what") == WHAT
    except (InputError, OSError, ValueError):
        return False


def classifier_names(folder: Path, method: str) -> list[str]:
    """Return the classifiers that are kept with a method's codes."""
    places = sorted(folder.glob(f"methods/{method}/classifiers/*.json"))
    return [path.stem for path in places]


def read_classifier(folder: Path, method: str, name: str) -> KeptClassifier:
    """Return a classifier that is kept with a method's codes.

    Raises
    ------
    InputError
        When it cannot be used.
    """
    place = folder / "methods" / method / "classifiers"
    try:
        with told_of(place / f"{name}.json", _WAY_OUT):
            content = _checked(read_json_object(place / f"{name}.json"))
        with told_of(place / f"{name}.npz", _WAY_OUT):
            arrays = read_arrays(place / f"{name}.npz", _SCHEMA)
            if lacking := sorted(_NEEDED[content["kind"]] - arrays.keys()):
                raise UnreadableError(f"it lacks the array {lacking[0]}")
    except FileNotFoundError as error:
        raise InputError(f"{error.filename} is missing; {_WAY_OUT}.") from error
    return KeptClassifier(content["kind"], tuple(content["class_names"]), arrays)


def _checked(content: dict[str, Any]) -> dict[str, Any]:
    version, names = content.get("format_version"), content.get("class_names")
    if content.get("what") != WHAT:
        raise UnreadableError("it is no classifier")
    if not isinstance(version, int) or isinstance(version, bool) or version > FORMAT_VERSION:
        raise UnreadableError(
            f"it has format_version {quoted(version)}, and this version of ae_cluster reads up to "
            f"{FORMAT_VERSION}"
        )
    if not isinstance(content.get("kind"), str) or content["kind"] not in _NEEDED:
        raise UnreadableError(f"its kind is {quoted(content.get('kind'))}, which is none")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise UnreadableError("its class_names are no list of text")
    return content
