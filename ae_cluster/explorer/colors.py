"""The figures' colours on a light and on a dark page."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ae_cluster.figures.projection import groupings

Floats = NDArray[np.float64]

# sRGB (linear) to XYZ and the white D65, IEC 61966-2-1.
_TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
_WHITE = _TO_XYZ.sum(axis=1)
_DARK_PAGE = (43.0, 0.7)  # lightness 20 becomes 43, and 84 becomes 88


def group_colors(
    labels: NDArray[Any] | None, clusters: NDArray[Any], class_names: list[str]
) -> dict[str, list[str]]:
    """Return "#rrggbb" of each class and cluster, a cluster in the colour of its class.

    The keys are "label" and "cluster", and "label-dark" and "cluster-dark" for a dark page.
    """
    found = {}
    for groups in groupings(len(clusters), labels, clusters, class_names):
        found[groups.kind] = _hex(groups.colors)
        found[f"{groups.kind}-dark"] = _hex(lighter(groups.colors))
    return found


def lighter(colors: Floats) -> Floats:
    """Return colours (n, 3) that stand out on a dark page: the same hues, all of them lighter."""
    lab = _to_lab(colors)
    start, slope = _DARK_PAGE
    lab[:, 0] = start + slope * (lab[:, 0] - 20)
    return np.clip(_from_lab(lab), 0, 1)


def _to_lab(colors: Floats) -> Floats:
    linear = np.where(colors <= 0.04045, colors / 12.92, ((colors + 0.055) / 1.055) ** 2.4)
    ratio = linear @ _TO_XYZ.T / _WHITE
    f = np.where(ratio > 216 / 24389, np.cbrt(ratio), (24389 / 27 * ratio + 16) / 116)
    return np.stack(
        [116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1
    )


def _from_lab(lab: Floats) -> Floats:
    middle = (lab[:, 0] + 16) / 116
    f = np.stack([middle + lab[:, 1] / 500, middle, middle - lab[:, 2] / 200], axis=1)
    ratio = np.where(f**3 > 216 / 24389, f**3, (116 * f - 16) / (24389 / 27))
    linear = np.clip(ratio * _WHITE @ np.linalg.inv(_TO_XYZ).T, 0, 1)
    curved = 1.055 * linear ** (1 / 2.4) - 0.055
    return np.asarray(np.where(linear <= 0.0031308, 12.92 * linear, curved))


def _hex(colors: Floats) -> list[str]:
    whole = np.round(np.clip(colors, 0, 1) * 255).astype(int)
    return [f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in whole]
