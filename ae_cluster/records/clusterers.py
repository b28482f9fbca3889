"""What assigns new samples, kept with each method of a run: clusterer.json and clusterer.npz.

Numbers and text only, nothing that could be executed. What is read is held against a schema, as
all arrays of a run are.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ae_cluster.common.bounded_arrays import Arrays
from ae_cluster.common.bounded_files import UnreadableError, read_json_object, told_of
from ae_cluster.common.errors import InputError
from ae_cluster.common.scaling import ColumnScaling
from ae_cluster.common.table_options import LOG, NONE, ROBUST, STANDARD
from ae_cluster.common.texts import quoted
from ae_cluster.common.write_lock import claim
from ae_cluster.records.reading import Axes, read_arrays

FORMAT_VERSION = 1
FILES = DESCRIPTION, ARRAYS = "clusterer.json", "clusterer.npz"
_WAY_OUT = "do the run again, or take a fresh copy of it"
_NAMES, _UNITS = {"nearest-center", "mixture", "nearest-training-code"}, {"bytes", "unit", "table"}
SCALED_BY = {
    "standardised samples": STANDARD,
    "centred samples": NONE,
    "robustly scaled samples": ROBUST,
    "log-scaled samples": LOG,
}
_CODES = {"model", "samples", *SCALED_BY}
_SCHEMA = {
    "centers": Axes("number", ("center", "component")),
    "quantiles": Axes("number", ("center", "level")),
    "variance": Axes("number", ("one",)),
    "weights": Axes("number", ("center",)),
    "covariances": Axes("number", ("center", "component", "component")),
    "mean": Axes("number", ("feature",)),
    "scale": Axes("number", ("feature",)),
    "outlier_center": Axes("number", ("feature",)),
    "outlier_directions": Axes("number", ("feature", "direction")),
    "outlier_prototypes": Axes("number", ("prototype", "direction")),
    "outlier_levels": Axes("number", ("outlier level",)),
}
_NEEDED = {
    "nearest-center": {"centers", "quantiles", "variance"},
    "mixture": {"centers", "quantiles", "weights", "covariances"},
    "nearest-training-code": {"centers", "quantiles"},
}


class Clusterer(NamedTuple):
    """What assigns new samples to the clusters of a method.

    Attributes
    ----------
    kind : {"nearest-center", "mixture", "nearest-training-code"}
        What decides, unless ``predicts``.
    codes_by : str
        What turns samples into codes: "model", methods/NAME/model; "samples", nothing; of
        `SCALED_BY`, ``mean`` and ``scale``.
    units : {"bytes", "unit", "table"}
        What the samples are: uint8, images in [0, 1], or rows of a table.
    predicts : bool
        The model itself says in which cluster a sample is; the arrays tell how far out it lies.
    arrays : dict
        centers (k, n_components); quantiles (k, levels) of the training samples' distances;
        of centres the variance (1,), of a mixture weights and covariances; mean and scale;
        those of `ae_cluster.clustering.outliers.OutlierScore`, each name after "outlier_".
    """

    kind: str
    codes_by: str
    units: str
    predicts: bool
    arrays: Arrays

    @property
    def scaling(self) -> ColumnScaling | None:
        """How samples become codes, where that is all that makes them."""
        if self.codes_by not in SCALED_BY:
            return None
        kind = SCALED_BY[self.codes_by]
        return ColumnScaling(kind, "", self.arrays["mean"], self.arrays["scale"])


def write_clusterer(folder: Path, method: str, kept: Clusterer) -> None:
    """Write both files into the folder of a method of a run."""
    place = folder / "methods" / method
    claim(folder, *(f"methods/{method}/{name}" for name in FILES))
    place.mkdir(parents=True, exist_ok=True)
    np.savez(place / ARRAYS, **kept.arrays)  # type: ignore[arg-type]
    content = {
        "format_version": FORMAT_VERSION,
        "kind": kept.kind,
        "codes_by": kept.codes_by,
        "units": kept.units,
        "predicts": kept.predicts,
    }
    text = json.dumps(content, indent=2)
    (place / DESCRIPTION).write_text(text + "\n", encoding="utf-8")


def read_clusterer(folder: Path, method: str) -> Clusterer | None:
    """Return what assigns new samples to a method's clusters; None in a run that keeps it not.

    Raises
    ------
    InputError
        When it is there and cannot be used.
    """
    place = folder / "methods" / method
    try:
        with told_of(place / DESCRIPTION, _WAY_OUT):
            content = _checked(read_json_object(place / DESCRIPTION))
    except FileNotFoundError:
        return None
    try:
        with told_of(place / ARRAYS, _WAY_OUT):
            arrays = read_arrays(place / ARRAYS, _SCHEMA)
            _check_arrays(arrays, content)
    except FileNotFoundError as error:
        raise InputError(
            f"{place} has a {DESCRIPTION} and no {ARRAYS}; do the run again, or take a fresh copy "
            "of it."
        ) from error
    return Clusterer(
        content["kind"], content["codes_by"], content["units"], content["predicts"], arrays
    )


_PARTS: dict[str, Callable[[Any], bool]] = {
    "kind": lambda v: isinstance(v, str) and v in _NAMES,
    "codes_by": lambda v: isinstance(v, str) and v in _CODES,
    "units": lambda v: isinstance(v, str) and v in _UNITS,
    "predicts": lambda v: isinstance(v, bool),
}


def _checked(content: dict[str, Any]) -> dict[str, Any]:
    version = content.get("format_version")
    if not isinstance(version, int) or isinstance(version, bool) or version > FORMAT_VERSION:
        raise UnreadableError(
            f"it has format_version {quoted(version)}, and this version of ae_cluster reads up to "
            f"{FORMAT_VERSION}"
        )
    for name, is_allowed in _PARTS.items():
        if not is_allowed(content.get(name)):
            raise UnreadableError(f"its {name} is {quoted(content.get(name))}, which is none")
    return content


def _check_arrays(arrays: Mapping[str, NDArray[Any]], content: dict[str, Any]) -> None:
    needed = set(_NEEDED[content["kind"]])
    if content["codes_by"] in SCALED_BY:
        needed |= {"mean", "scale"}
    if lacking := sorted(needed - arrays.keys()):
        raise UnreadableError(f"it lacks the array {lacking[0]}")
    if (np.diff(arrays["quantiles"], axis=1) < 0).any() or arrays["quantiles"].shape[1] < 2:
        raise UnreadableError("its quantiles do not rise")
    if (arrays.get("scale", np.ones(1)) <= 0).any():
        raise UnreadableError("its scale is not above 0")
    if arrays.get("variance", np.ones(1)).shape != (1,):
        raise UnreadableError("its variance is not one number")
