"""What each part of a preparation may be, when it comes from a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ae_cluster.common import pixels
from ae_cluster.datasets.columns import MOST_COLUMNS

MOST_CATEGORIES = 1000
_LARGEST = float(np.finfo(np.float32).max)
_LONGEST_NAME = 1000


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST_NAME


def _are_texts(value: Any) -> bool:
    return (
        isinstance(value, list | tuple) and len(value) <= MOST_COLUMNS and all(map(_is_text, value))
    )


def _are_columns(value: Any) -> bool:
    return _are_texts(value) and 0 < len(value) == len(set(value))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST


def _are_categories(value: Any) -> bool:
    return isinstance(value, dict) and all(
        _are_columns(v) and len(v) <= MOST_CATEGORIES for v in value.values()
    )


def _is_shape(value: Any) -> bool:
    return value is None or (
        isinstance(value, list | tuple)
        and len(value) in (2, 3)
        and all(type(n) is int and 0 < n < 2**16 for n in value)
    )


def _is_name(value: Any) -> bool:
    return value is None or _is_text(value)


ALLOWED: dict[str, Callable[[Any], bool]] = {
    "format": _is_text,
    "columns": _are_columns,
    "dropped": _are_texts,
    "categories": lambda v: v is None or _are_categories(v),
    "medians": lambda v: v is None or (isinstance(v, dict) and all(map(_is_number, v.values()))),
    "booleans": _are_texts,
    "label_column": _is_name,
    "id_column": _is_name,
    "class_names": _are_texts,
    "layer": _is_name,
    "image_shape": _is_shape,
    "units": lambda v: v in (None, pixels.BYTES, pixels.UNIT, pixels.WHOLE),
}
