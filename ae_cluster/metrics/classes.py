"""What becomes of each class in a clustering, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ae_cluster.common.texts import one_line
from ae_cluster.metrics import class_errors, clustering

_LONGEST_NAME, _TWO_LINES = 30, 160  # characters of what is said of merged and split classes


def known_classes(labels: NDArray[np.int64] | None) -> NDArray[np.int64]:
    """Return the classes that occur among labels, where −1 and None mean unknown."""
    return (
        np.unique(labels[labels != clustering.UNKNOWN]) if labels is not None else np.empty(0, int)
    )


def told_classes(
    method: str,
    labels: NDArray[np.int64] | None,
    clusters: NDArray[np.int64],
    class_names: Sequence[str],
) -> str:
    """Return in a sentence which classes a clustering merges, mixes, splits, leaves out on test.

    What that means is defined by `merged_classes`, `mixed_classes`, `split_classes` and
    `lost_classes`; a class that is mixed with others is not said to be split besides. Classes
    are named where all fit into two lines, else counted.
    """
    method = one_line(method, _LONGEST_NAME)
    n_classes = known_classes(labels).size
    if labels is None or not n_classes:
        return f"{method}: no test label is known, so merged or split classes cannot be told."
    found = [part for part in _told_of(labels, clusters, class_names) if part.n]
    if not found:
        return f"{method} neither merges nor splits a class (test samples)."
    named = f"{method} {_listed([part.named() for part in found])} (test samples)."
    if len(named) <= _TWO_LINES:
        return named
    counted = _listed([part.counted() for part in found])
    return f"{method} {counted}, of {n_classes} classes (test samples; see classes.csv)."


class _Told(NamedTuple):
    """What became of some classes: a verb, their names, how many they are."""

    verb: str
    names: list[str]
    n: int
    into: str = ""
    after: str = ""

    def named(self) -> str:
        return f"{self.verb} {', '.join(self.names)}{self.after}"

    def counted(self) -> str:
        return f"{self.verb} {self.n}{self.into}{self.after}"


def _told_of(
    labels: NDArray[np.int64], clusters: NDArray[np.int64], class_names: Sequence[str]
) -> tuple[_Told, ...]:
    names = [one_line(name, _LONGEST_NAME) for name in class_names]
    merged = class_errors.merged_classes(labels, clusters).values()
    together = [" and ".join(names[c] for c in classes) for classes in merged]
    n_merged = len({c for classes in merged for c in classes})
    mixed = class_errors.mixed_classes(labels, clusters)
    mixtures = [" and ".join(names[c] for c in classes) for classes in _groups(mixed)]
    split = [names[c] for c in class_errors.split_classes(labels, clusters) if c not in mixed]
    lost = [names[c] for c in class_errors.lost_classes(labels, clusters)]
    return (
        _Told("merges", together, n_merged, f" into {_n_clusters(len(merged))}"),
        _Told("mixes", mixtures, len(mixed)),
        _Told("splits", split, len(split)),
        _Told("leaves", lost, len(lost), after=" mostly in no cluster"),
    )


def _groups(mixed: dict[int, tuple[int, ...]]) -> list[list[int]]:
    """Return the classes that are mixed, by one another or by way of a third."""
    groups: list[list[int]] = []
    for first in mixed:
        if any(first in group for group in groups):
            continue
        group, new = {first}, [first]
        while new:
            new = [c for c in mixed[new.pop()] if c not in group] + new
            group.update(new)
        groups.append(sorted(group))
    return groups


def _n_clusters(n: int) -> str:
    return f"{n} clusters" if n > 1 else "one cluster"


def _listed(parts: list[str]) -> str:
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last
