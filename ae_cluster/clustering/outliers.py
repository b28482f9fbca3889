"""How far out samples lie: their distance to prototypes of the training samples, calibrated.

Prototypes are the means of small groups of training samples, in the plane of their first
principal components; the distance to them counts all columns. So noise lies far out although,
seen in that plane alone, it is one dense cluster in the middle of nowhere. No label, no code and
no cluster is needed, so all methods that saw the same samples agree.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.extmath import randomized_svd

from ae_cluster.common.chunks import slices

N_COMPONENTS = 16
MOST_PROTOTYPES = 128
SAMPLES_EACH = 30  # training samples for each prototype, at least
SMALL = 0.25  # of the mean size: a group below is of outliers, and no prototype
LEVELS = 401  # quantiles kept of the training samples' distances
LOOKED_AT = 10_000  # training samples from which prototypes are made
FAR_OUT = 0.01  # a sample beyond all but so many of the training samples is flagged
WIDE = 1000  # columns of which no covariances are computed
# What is like noise.
PLANE = 50  # first principal components
BESIDE = 2.0  # medians of the distance from their plane
FAR = 1.5  # medians of the mean distance to the nearest
GAP = 1.05  # its end over its begin, of these distances
LEFT = 0.02  # of those beyond: so many may lie in the gap
LEAST, MOST = 0.03, 0.1  # of the samples: fewer make no cluster of their own, more may be a class
FEW = 200  # samples whose neighbours are fetched at a time
AT_ONCE = 256  # samples of which a core's cache holds all that is made of them
BYTE = 255  # a pixel of it is 1 to methods
Floats = NDArray[np.float32]


def as_they_are(rows: NDArray[Any]) -> NDArray[Any]:
    """Return rows, for samples that methods see unchanged."""
    return rows


def in_unit(rows: NDArray[Any]) -> NDArray[Any]:
    """Return bytes as float32 from 0 to 1, for images that methods see so; floats unchanged."""
    if rows.dtype == np.uint8:
        return np.asarray(np.divide(rows, BYTE, dtype=np.float32))
    return rows.astype(np.float32, copy=False)


@dataclass(frozen=True, eq=False)
class OutlierScore:
    """Which share of the training samples lies farther out than a sample: low is an outlier.

    Attributes
    ----------
    center : ndarray (n_features,)
        The mean of the training samples.
    directions : ndarray (n_features, r)
        Their first principal components.
    prototypes : ndarray (m, r)
        Where training samples are, in these.
    levels : ndarray (LEVELS,)
        Quantiles of the training samples' distances, from least to largest.
    """

    center: Floats
    directions: Floats
    prototypes: Floats
    levels: Floats

    def __post_init__(self) -> None:
        for name, array in self.arrays().items():
            object.__setattr__(self, name, np.asarray(array, dtype=np.float32))

    @classmethod
    def fit(
        cls, rows: NDArray[Any], seen: Callable[[NDArray[Any]], NDArray[Any]] = as_they_are
    ) -> Self:
        """Learn from training rows (n, n_features), the same for the same rows.

        Parameters
        ----------
        rows : ndarray
        seen : callable
            Takes some rows and returns them as a method sees them, scaled.
        """
        some = rows[_some_of(len(rows), LOOKED_AT)]
        samples = np.asarray(seen(some), dtype=np.float64)
        center, directions = _plane(samples, N_COMPONENTS)
        prototypes = _prototypes((samples - center) @ directions)
        unscaled = cls(center, directions, prototypes, np.zeros(2, np.float32))
        distances = unscaled.distances(rows, seen)
        levels = np.quantile(distances, np.linspace(0, 1, LEVELS))
        return cls(**unscaled.arrays() | {"levels": np.maximum.accumulate(levels)})

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], n_features: int | None = None) -> Self:
        """Return it from what `arrays` gave.

        Raises
        ------
        ValueError
            When these are of no score of samples of so many features.
        """
        if arrays.keys() != {field.name for field in fields(cls)}:
            raise ValueError("its score of outliers is not whole")
        found = cls(**arrays)
        n_features = len(found.center) if n_features is None else n_features
        shapes = [array.shape for array in found.arrays().values()]
        (m, r), n_levels = found.prototypes.shape, found.levels.size
        if shapes != [(n_features,), (n_features, r), (m, r), (n_levels,)] or not m:
            raise ValueError("the arrays of its score of outliers do not fit together")
        if n_levels != LEVELS or not (np.diff(found.levels) >= 0).all():
            raise ValueError("the levels of its score of outliers do not rise")
        return found

    def distances(
        self, rows: NDArray[Any], seen: Callable[[NDArray[Any]], NDArray[Any]] = as_they_are
    ) -> Floats:
        """Return how far rows (n, n_features) lie from the nearest prototype (n,).

        Computed in float64 where methods see float64, else in float32; ``seen`` as in `fit`.
        """
        if seen is in_unit and rows.dtype == np.uint8:
            larger = replace(self, center=BYTE * self.center, prototypes=BYTE * self.prototypes)
            return larger.distances(rows, _as_floats) / np.float32(BYTE)  # sooner
        parts = []
        for part in slices(len(rows), AT_ONCE):
            samples = seen(rows[part])
            is_free = not np.may_share_memory(samples, rows)
            parts.append(self._distances(samples, is_free))
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)

    def _distances(self, samples: NDArray[Any], is_free: bool) -> Floats:
        """Return the distances (n,) of samples; those that are free may be written over."""
        kind = np.float64 if samples.dtype == np.float64 else np.float32
        arrays = (self.center, self.directions, self.prototypes)
        center, directions, prototypes = (a.astype(kind, copy=False) for a in arrays)
        with np.errstate(over="ignore", invalid="ignore"):
            out = samples if is_free and samples.dtype == kind else None
            x = np.subtract(samples, center, out=out)
            places = x @ directions
            squared = np.einsum("ij,ij->i", x, x) - np.einsum("ij,ij->i", places, places)
            # Their least squared distances, with what all have in common added at the end.
            least = (places @ (-2 * prototypes.T) + (prototypes**2).sum(1)).min(axis=1)
            nearest = np.maximum(least + (places**2).sum(1), 0)
            found: Floats = np.sqrt(np.maximum(squared, 0) + nearest)
        return np.nan_to_num(found, copy=False, nan=np.inf)  # too far out for squares

    def shares(
        self, rows: NDArray[Any], seen: Callable[[NDArray[Any]], NDArray[Any]] = as_they_are
    ) -> Floats:
        """Return which share of the training samples lies farther out than each row (n,).

        0 is farther out than any training sample, 1 nearer than all; between two quantiles it is
        interpolated. ``seen`` as in `fit`.
        """
        farther = np.linspace(1, 0, len(self.levels))
        return np.interp(self.distances(rows, seen), self.levels, farther).astype(np.float32)

    def arrays(self) -> dict[str, Floats]:
        """Return what is kept, by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def _as_floats(rows: NDArray[Any]) -> NDArray[Any]:
    return rows.astype(np.float32)


def _plane(samples: NDArray[Any], r: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the mean of samples and their first r principal components (n_features, r)."""
    center = samples.mean(axis=0)
    x, r = samples - center, min(r, *samples.shape)
    if samples.shape[1] <= WIDE:
        return center, np.linalg.eigh(x.T @ x)[1][:, ::-1][:, :r]
    return center, randomized_svd(x, r, random_state=0)[2].T


def _prototypes(positions: NDArray[Any]) -> NDArray[Any]:
    m = min(MOST_PROTOTYPES, max(1, len(positions) // SAMPLES_EACH))
    with warnings.catch_warnings():  # where fewer samples differ, some groups are empty
        warnings.simplefilter("ignore", ConvergenceWarning)
        groups = KMeans(m, n_init=1, max_iter=20, random_state=0).fit(positions)
    sizes = np.bincount(groups.labels_, minlength=m)
    kept: NDArray[Any] = groups.cluster_centers_[sizes >= SMALL * sizes.mean()]
    return kept


def like_noise(samples: NDArray[Any], nearest: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which samples (n,) are like noise: a group apart, far out in all directions.

    They lie far from their nearest neighbours, with a gap between them and the others, and far from
    the plane of the first principal components. In the plane, where neighbours are looked for,
    they are one dense cluster, which takes the place of a true one. There are none where there
    are no more columns than the plane has, and none where they would be too few for a cluster, or
    so many that they may be a class.

    Parameters
    ----------
    samples : ndarray (n, n_features)
    nearest : ndarray (n, k)
        Indices of each sample's nearest.
    """
    none = np.zeros(len(samples), dtype=bool)
    if min(samples.shape) <= PLANE:
        return none
    beside = _beside_plane(samples)
    is_suspect = beside > BESIDE * np.median(beside)
    if is_suspect.mean() < LEAST:
        return none
    distances = _mean_distances(samples, nearest)
    found: NDArray[np.bool_] = is_suspect & (distances >= _end_of_gap(distances))
    return found


def _end_of_gap(distances: NDArray[Any]) -> float:
    """Return where the emptiest gap ends that has few samples beyond it; infinity for none."""
    ends = np.sort(distances)
    n_below = np.arange(len(ends))
    n_beyond = len(ends) - n_below
    within = (n_below - np.searchsorted(ends, ends / GAP)) / n_beyond
    shares = n_beyond / len(ends)
    is_gap = (shares >= LEAST) & (shares <= MOST) & (ends > FAR * np.median(ends))
    emptiest = np.where(is_gap, within, np.inf).argmin()
    return float(ends[emptiest]) if is_gap[emptiest] and within[emptiest] <= LEFT else np.inf


def _beside_plane(samples: NDArray[Any]) -> NDArray[Any]:
    """Return how far each sample lies from the plane of the first principal components."""
    center, directions = _plane(samples[_some_of(len(samples), LOOKED_AT)], PLANE)
    parts = []
    for part in slices(len(samples)):
        x = samples[part] - center
        parts.append(np.square(x).sum(axis=1) - np.square(x @ directions).sum(axis=1))
    beside: NDArray[Any] = np.sqrt(np.maximum(np.concatenate(parts), 0))
    return beside


def _mean_distances(samples: NDArray[Any], nearest: NDArray[np.int64]) -> NDArray[Any]:
    """Return the mean distance, in all columns, of each sample to its nearest."""
    parts = [
        np.linalg.norm(samples[part, None] - samples[nearest[part]], axis=2).mean(axis=1)
        for part in slices(len(samples), FEW)
    ]
    return np.concatenate(parts)


def _some_of(n: int, most: int) -> NDArray[np.int64]:
    return np.sort(np.random.default_rng(0).permutation(n)[:most])
