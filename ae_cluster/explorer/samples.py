"""Which samples the page shows, and what is known of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ae_cluster.common.errors import InputError
from ae_cluster.explorer.encoding import Array
from ae_cluster.explorer.run_arrays import Method, Run
from ae_cluster.records.reading import SPLITS
from ae_cluster.semi_supervised.evaluation import draw_budget

IntArray = NDArray[np.int64]
CHOICES = (*SPLITS, "all")
AT_RANDOM = "chosen at random"
KNOWN = "those whose codes were kept at every epoch or that are in a label budget"


class Cloud(NamedTuple):
    """Samples that are shown together: rows of train, then rows of test.

    Attributes
    ----------
    name : {"test", "train", "all"}
    rows : dict of str to ndarray
        Rows of each split, ascending.
    n_in_run : int
        How many samples of these splits the run has.
    choice : str
        How those shown were chosen, or "" where all are shown.
    """

    name: str
    rows: dict[str, IntArray]
    n_in_run: int
    choice: str = ""

    def __len__(self) -> int:
        """Return how many samples are shown."""
        return sum(map(len, self.rows.values()))

    def of(self, arrays: dict[str, Array], name: str) -> Array:
        """Return ``name_train`` and ``name_test`` of the samples shown, one below the other."""
        return np.concatenate([arrays[f"{name}_{split}"][self.rows[split]] for split in SPLITS])


def choose_clouds(run: Run, split: str, n_points: int, budget: IntArray | None) -> list[Cloud]:
    """Return the samples asked for, and beside a test set the training samples that tell more.

    Those are the samples whose codes were kept at every epoch and those of the label budgets.

    Raises
    ------
    InputError
        For a split that does not exist or fewer than one point.
    """
    if split not in CHOICES:
        raise InputError(f"There is no split {split!r}; choose {', '.join(CHOICES)}.")
    if n_points < 1:
        raise InputError(f"{n_points} points cannot be shown; ask for at least 1.")
    sizes = {name: len(ids) for name, ids in run.ids.items()}
    none = np.empty(0, dtype=np.int64)
    known = _known(run, budget)
    if split == "all":
        total = sizes["train"] + sizes["test"]
        picked = _some_of(total, n_points)
        is_train = picked < sizes["train"]
        train, test = picked[is_train], picked[~is_train] - sizes["train"]
        return [_cloud(split, np.union1d(train, known), test, total, f"{AT_RANDOM}, and {KNOWN}")]
    if split == "train":
        train = np.union1d(_some_of(sizes["train"], n_points), known)
        return [_cloud(split, train, none, sizes["train"], f"{AT_RANDOM}, and {KNOWN}")]
    test = _some_of(sizes["test"], n_points)
    main = _cloud("test", none, test, sizes["test"], AT_RANDOM)
    return [main, _cloud("train", known, none, sizes["train"], KNOWN)][: 1 + (len(known) > 0)]


def _cloud(name: str, train: IntArray, test: IntArray, n_in_run: int, choice: str) -> Cloud:
    is_all = len(train) + len(test) == n_in_run
    return Cloud(name, {"train": train, "test": test}, n_in_run, "" if is_all else choice)


def _some_of(n: int, most: int) -> IntArray:
    """Return ``most`` of the indices 0 … n − 1, always the same ones; all if fewer."""
    if n <= most:
        return np.arange(n)
    return np.sort(np.random.default_rng(0).permutation(n)[:most])


def _known(run: Run, budget: IntArray | None) -> IntArray:
    """Return the training samples with saved epochs, which come first, and those with a budget."""
    framed = max((m.frames.shape[1] for m in run.methods if m.frames is not None), default=0)
    members = np.empty(0, dtype=np.int64) if budget is None else np.flatnonzero(budget)
    return np.union1d(np.arange(framed), members)


def smallest_budgets(labels: Array | None, budgets: Sequence[int]) -> IntArray | None:
    """Return the smallest label budget each training sample is in (n,), 0 for none.

    Budgets of one draw are nested, so the smallest says it all. The first draw of a run is
    taken; where a class has too few samples for a budget, that one was not tried either.
    """
    if labels is None:
        return None
    smallest = np.zeros(len(labels), dtype=np.int64)
    for budget in sorted(budgets, reverse=True):
        try:
            smallest[draw_budget(labels, budget, 0).indices] = budget
        except InputError:
            continue
    return smallest if smallest.any() else None


def confidence(method: Method, cloud: Cloud) -> tuple[str, NDArray[np.float32]] | None:
    """Return how sure a method is of each sample, in [0, 1], and the kind of number it is.

    "membership" is the largest membership probability. Where a method gives none, "margin"
    is 1 − d₁/d₂, with the distances of the code to the nearest and second nearest centre.
    """
    arrays = method.arrays
    if all(f"soft_{split}" in arrays for split in SPLITS):
        return "membership", cloud.of(arrays, "soft").max(axis=1).astype(np.float32)
    centers = arrays.get("centers")
    codes = cloud.of(arrays, "codes").astype(np.float64)
    if centers is None or len(centers) < 2 or centers.shape[1] != codes.shape[1]:
        return None
    nearest, second = np.sort(_distances(codes, centers), axis=1)[:, :2].T
    return "margin", (1 - nearest / np.maximum(second, 1e-300)).astype(np.float32)


def _distances(codes: NDArray[Any], centers: NDArray[Any]) -> NDArray[np.float64]:
    return np.stack([np.linalg.norm(codes - center, axis=1) for center in centers], axis=1)
