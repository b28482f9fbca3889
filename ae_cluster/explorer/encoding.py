"""Arrays as text that JSON takes and the page unpacks."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def packed(values: Array, kind: str) -> dict[str, Any]:
    """Return an array as its type, shape and base64 of its little-endian bytes.

    Parameters
    ----------
    values : ndarray
    kind : {"u2", "i1", "i2", "i4", "f2", "f4", "f8"}
        What its numbers are written as.
    """
    data = np.ascontiguousarray(values, dtype=f"<{kind}").tobytes()
    return {
        "kind": kind,
        "shape": list(values.shape),
        "data": base64.b64encode(data).decode("ascii"),
    }


def packed_ids(values: Array) -> dict[str, Any]:
    """Return whole numbers like `packed`, in as few bytes as hold them all."""
    most = max(int(values.max()), -int(values.min()) - 1)
    return packed(values, "i1" if most < 2**7 else "i2" if most < 2**15 else "i4")


def packed_places(places: NDArray[np.float64]) -> dict[str, Any]:
    """Return places (…, 3) in steps of 1/65,535 of their extent along each axis."""
    axes = tuple(range(places.ndim - 1))
    low, high = places.min(axis=axes), places.max(axis=axes)
    extent = np.where(high > low, high - low, 1.0)
    steps = np.round((places - low) / extent * 65_535)
    return {"low": low.tolist(), "extent": extent.tolist(), "steps": packed(steps, "u2")}
