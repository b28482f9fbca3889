"""Where codes of any size are drawn, and what tells the samples apart: pure arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.colors import to_rgb
from numpy.typing import ArrayLike, NDArray

from ae_cluster.common.validation import IntArray, check_same_length, checked_labels
from ae_cluster.figures.style import NEUTRAL, group_colors, names_of
from ae_cluster.metrics.clustering import matched_map

Points = NDArray[np.float64]

RANDOM_HEIGHT = "random height"

_LONGEST_TAG = 3


class Places(NamedTuple):
    """Where codes of any size are drawn: at most three coordinates, and what these are."""

    points: Points
    axes: tuple[str, ...]
    note: str


class Groups(NamedTuple):
    """What tells samples apart in a picture: the id of each, and every id's name and colour."""

    kind: str
    ids: IntArray
    names: list[str]
    colors: NDArray[np.float64]

    def color(self, group: int) -> NDArray[np.float64]:
        """Return the colour (3,) of a group, grey for −1."""
        return self.colors[group] if group >= 0 else np.array(to_rgb(NEUTRAL))

    def tag(self, group: int) -> str:
        """Return what stands in the picture for a group: its name if all are short, or its id."""
        if group < 0:
            return "?"
        return self.names[group] if self.has_short_names else str(group)

    def entry(self, group: int) -> str:
        """Return what a legend says of a group."""
        if group < 0:
            return {"label": "?  unknown", "cluster": "?  noise"}[self.kind]
        return self.names[group] if self.has_short_names else f"{group}  {self.names[group]}"

    @property
    def has_short_names(self) -> bool:
        """Whether every name is short enough to be written on a tile."""
        return all(len(name) <= _LONGEST_TAG for name in self.names)

    @property
    def present(self) -> list[int]:
        """The groups that have samples, ascending."""
        return [int(group) for group in np.unique(self.ids)]


# Where


def places_of(codes: NDArray[Any], seed: int = 0) -> Places:
    """Return a place in the plane or in space for codes (n, n_components) of any size.

    Two and three numbers are taken as they are, one gets a random height by
    ``seed``, of more the first three principal axes are taken.
    """
    points = codes.astype(np.float64)
    n, size = points.shape
    if size > 3:
        return _principal_places(points)
    axes = tuple(f"code {i + 1}" for i in range(size))
    if size > 1:
        return Places(points, axes, "")
    height = np.random.default_rng(seed).uniform(-1, 1, n) * max(float(points.std()), 1e-12)
    note = " The code is one number: only the place from left to right counts, heights are random."
    return Places(np.column_stack([points[:, 0], height]), (*axes, RANDOM_HEIGHT), note)


def _principal_places(points: Points) -> Places:
    centered = points - points.mean(axis=0)
    variances, directions = np.linalg.eigh(centered.T @ centered)
    largest = directions[:, ::-1][:, :3]
    # eigh leaves the sign open; the largest entry of each direction is made positive.
    signs = np.sign(largest[np.abs(largest).argmax(axis=0), [0, 1, 2]])
    shares = variances[::-1] / max(float(variances.sum()), 1e-300)
    axes = tuple(f"axis {i + 1} ({shares[i]:.0%})" for i in range(3))
    note = (
        f" The codes have {points.shape[1]} numbers; drawn are their first three principal axes, "
        f"with their shares of the variance ({shares[:3].sum():.0%} together), so groups that "
        "overlap here may lie apart."
    )
    return Places(np.asarray(centered @ (largest * signs)), axes, note)


# Who


def _label_groups(labels: IntArray, class_names: Sequence[str]) -> Groups:
    n = max(int(labels.max()) + 1, len(class_names))
    return Groups("label", labels, names_of(n, class_names), group_colors(n))


def _cluster_groups(clusters: IntArray, labels: IntArray | None) -> Groups:
    n = int(clusters.max()) + 1
    colors = group_colors(n) if labels is None else _colors_like_labels(clusters, labels)
    return Groups("cluster", clusters, names_of(n), colors)


def _colors_like_labels(clusters: IntArray, labels: IntArray) -> NDArray[np.float64]:
    """Give each cluster the colour of the class it is matched to, one to one."""
    k, n_classes = int(clusters.max()) + 1, int(labels.max()) + 1
    matched = matched_map(labels, clusters)
    place = np.array([matched.get(cluster, -1) for cluster in range(k)], dtype=np.int64)
    rest = np.flatnonzero(place < 0)
    place[rest] = n_classes + np.arange(rest.size)
    return np.asarray(group_colors(n_classes + rest.size)[place])


def groupings(
    n: int, labels: ArrayLike | None, clusters: ArrayLike | None, class_names: Sequence[str]
) -> list[Groups]:
    """Return the groups by label, then by cluster, as far as they are known."""
    truth = None if labels is None else checked_labels(labels)
    ids = None if clusters is None else checked_labels(clusters, "clusters")
    for given, name in ((truth, "labels"), (ids, "clusters")):
        if given is not None:
            check_same_length(np.empty(n), given, ("codes", name))
    if truth is not None and truth.max() < 0:
        truth = None
    found = [] if truth is None else [_label_groups(truth, class_names)]
    return found if ids is None else [*found, _cluster_groups(ids, truth)]


def some_of(n: int, most: int, seed: int) -> IntArray:
    """Return ``most`` of the indices 0 … n − 1, chosen at random, ascending; all if fewer."""
    if n <= most:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).permutation(n)[:most])


def nearness(points: Points, view: tuple[float, float]) -> Points:
    """Return how near each point is to the eye, so that near tiles are drawn last."""
    if points.shape[1] == 2:
        return np.zeros(len(points))
    elevation, azimuth = np.deg2rad(view)
    flat = np.cos(elevation)
    eye = np.array([flat * np.cos(azimuth), flat * np.sin(azimuth), np.sin(elevation)])
    return np.asarray(points @ eye)


def moved_apart(places: Points, widths: NDArray[np.float64], height: float) -> Points:
    """Move texts that would overlap up and down until none does, or twenty rounds are over.

    Parameters
    ----------
    places : array (n, 2)
        Middles of the texts.
    widths : array (n,)
        Of the texts, in the units of ``places``; ``height`` is that of each.
    """
    order = np.argsort(places[:, 1], kind="stable")
    moved, sizes = places[order].astype(np.float64), widths[order]
    lower, upper = np.triu_indices(len(moved), 1)
    for _ in range(20):
        for i, j in zip(lower, upper, strict=True):
            beside = abs(moved[i, 0] - moved[j, 0]) >= (sizes[i] + sizes[j]) / 2
            lack = 0.0 if beside else max(0.0, height - (moved[j, 1] - moved[i, 1]))
            moved[i, 1] -= lack / 2
            moved[j, 1] += lack / 2
    return np.asarray(moved[np.argsort(order)])
