"""Where codes of any size lie in the three dimensions of the page."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Space(NamedTuple):
    """A flat map from codes to places: ``place = (code − origin) @ directions``.

    Attributes
    ----------
    origin : ndarray (n_components,)
    directions : ndarray (n_components, 3)
        Orthonormal columns; columns of zeros where the code has fewer than three numbers.
    axes : list of str
        What the axes are called.
    note : str
        What is lost on the way, or "".
    """

    origin: Floats
    directions: Floats
    axes: list[str]
    note: str

    def places(self, codes: NDArray[Any]) -> Floats:
        """Return the places (…, 3) of codes (…, n_components)."""
        return np.asarray((codes.astype(np.float64) - self.origin) @ self.directions)


def carried(codes: NDArray[Any], most: int) -> tuple[Space, Floats, Floats]:
    """Return the space of wide codes as a page carries them, and how they get there.

    Returns
    -------
    Space
        Of codes of ``most`` numbers, their first principal axes.
    origin (d,), basis (d, most)
        Carried are ``(codes − origin) @ basis``.
    """
    origin, basis, _ = _principal_axes(codes.astype(np.float64))
    shown = space_of(codes)
    note = f"{shown.note} Neighbours are told by the first {most}."
    return Space(np.zeros(most), np.eye(most, 3), shown.axes, note), origin, basis[:, :most]


def space_of(codes: NDArray[Any]) -> Space:
    """Return the space in which codes (n, n_components) are shown.

    Up to three numbers are taken as they are; of more, the first three principal axes.
    """
    size = codes.shape[1]
    if size > 3:
        return _principal_space(codes.astype(np.float64))
    axes = [f"code {i + 1}" for i in range(size)]
    note = {
        1: "The code is one number: only the place from left to right counts, heights are random.",
        2: "The code has two numbers, so the picture is flat.",
    }.get(size, "")
    return Space(np.zeros(size), np.eye(size, 3), axes, note)


def _principal_axes(codes: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the mean (d,), the principal directions (d, d) as columns, and their variances."""
    origin = codes.mean(axis=0)
    centered = codes - origin
    variances, directions = np.linalg.eigh(centered.T @ centered)
    largest = directions[:, ::-1]
    # eigh leaves the sign open; the largest entry of each direction is made positive.
    signs = np.sign(largest[np.abs(largest).argmax(axis=0), np.arange(len(largest))])
    return origin, largest * signs, variances[::-1]


def _principal_space(codes: Floats) -> Space:
    origin, directions, variances = _principal_axes(codes)
    shares = variances[:3] / max(float(variances.sum()), 1e-300)
    note = (
        f"The codes have {codes.shape[1]} numbers; shown are their first three principal axes, "
        f"which hold {shares.sum():.0%} of the variance, so groups that overlap here may lie apart."
    )
    axes = [f"axis {i + 1} ({share:.0%})" for i, share in enumerate(shares)]
    return Space(origin, directions[:, :3], axes, note)
