"""Labelled data that the benchmark makes itself: each has one thing that clusterings get wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import make_blobs, make_circles, make_moons

Samples = tuple[NDArray[Any], NDArray[np.int64]]
STEEPNESS = 10  # of the largest class to the smallest


def falling_sizes(largest: int, n_classes: int) -> NDArray[np.int64]:
    """Return sizes of classes that fall geometrically, from ``largest`` to a tenth of it."""
    sizes = largest * STEEPNESS ** -np.linspace(0, 1, n_classes)
    return sizes.round().astype(np.int64)


def varied_blobs() -> Samples:
    """Return five Gaussians in ten columns, the widest eight times as wide as the narrowest."""
    return _blobs([300] * 5, 10, [0.5, 1.0, 2.0, 3.0, 4.0], box=5.0)


def uneven_blobs() -> Samples:
    """Return eight Gaussians in twelve columns, the largest of ten times the smallest's size."""
    return _blobs(falling_sizes(1000, 8), 12, [2.5] * 8, box=5.0)


def many_blobs() -> Samples:
    """Return 25 Gaussians in eight columns that touch each other."""
    return _blobs([100] * 25, 8, [1.5] * 25, box=5.0)


def noisy_columns() -> Samples:
    """Return five Gaussians in ten columns beside ninety columns of noise."""
    x, y = _blobs([300] * 5, 10, [1.5] * 5, box=3.0)
    noise = np.random.default_rng(0).normal(scale=1.5, size=(len(x), 90))
    return np.concatenate([x, noise], axis=1).astype(np.float32), y


def stretched_blobs() -> Samples:
    """Return three Gaussians in a plane, all stretched in one direction."""
    x, y = make_blobs(900, 2, centers=3, random_state=170)
    return (x @ [[0.6, -0.6], [-0.4, 0.8]]).astype(np.float32), y.astype(np.int64)


def moons() -> Samples:
    """Return two interleaved half circles."""
    return _as_samples(make_moons(1000, noise=0.1, random_state=0))


def rings() -> Samples:
    """Return a ring inside another."""
    return _as_samples(make_circles(1000, noise=0.06, factor=0.5, random_state=0))


def loops() -> Samples:
    """Return eight closed curves in twenty columns, each in random planes, like turned objects."""
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(8), 150)
    angle = rng.uniform(0, 2 * np.pi, len(y))
    waves = np.stack([np.cos(angle), np.sin(angle), np.cos(2 * angle), np.sin(2 * angle)], axis=1)
    planes, centers = rng.normal(size=(8, 4, 20)), rng.normal(size=(8, 20))
    x = np.einsum("nw,nwd->nd", waves, planes[y]) + centers[y]
    return (x + rng.normal(scale=0.3, size=x.shape)).astype(np.float32), y


def _blobs(
    sizes: Sequence[int] | NDArray[np.int64], n_columns: int, widths: list[float], *, box: float
) -> Samples:
    made = make_blobs(
        list(sizes), n_columns, cluster_std=widths, center_box=(-box, box), random_state=0
    )
    return _as_samples(made)


def _as_samples(made: Any) -> Samples:
    return made[0].astype(np.float32), made[1].astype(np.int64)
