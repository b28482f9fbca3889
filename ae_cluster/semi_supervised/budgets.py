"""Label budgets: which train samples show their label.

Budgets are balanced (as many of each class) or drawn by chance from all samples, and nested
(five per class contain the one per class of the same draw), so a curve over budgets shows what
more labels bring and not another choice of samples.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from ae_cluster.common.errors import InputError
from ae_cluster.common.files import make_folder, written_beside
from ae_cluster.common.validation import IntArray, checked_labels
from ae_cluster.metrics.clustering import UNKNOWN

_NAME = re.compile(
    r"(?P<dataset>.+)\.s(?P<draw>0|[1-9]\d*)(?P<how>[@~])(?P<per_class>[1-9]\d*)", re.ASCII
)
_BY_CHANCE = 2**32  # tells the stream of random draws from those of the classes


@dataclass(frozen=True, eq=False)
class LabelBudget:
    """Which train samples show their label; from `draw_budget` or `draw_random_budget`.

    Parameters
    ----------
    dataset : name of the data set that the indices point into.
    draw : which of the possible choices, from 0.
    per_class : labels of each class, from 1; of a random draw, the mean.
    indices : (n_labelled,) int64 positions in the train set, read-only. Smaller budgets of the
        same draw are its beginnings; a balanced one lists the first sample of each class, then
        the second of each, and so on.
    balanced : whether each class has as many.
    """

    dataset: str
    draw: int
    per_class: int
    indices: IntArray
    balanced: bool = True

    def __post_init__(self) -> None:
        for count in ("draw", "per_class"):  # numpy's integers would not go into JSON
            object.__setattr__(self, count, operator.index(getattr(self, count)))
        if not self.dataset or self.draw < 0 or self.per_class < 1:
            raise InputError(
                f"{self.name!r} is no label budget; it needs a data set, a draw from 0 "
                "and at least 1 label per class."
            )
        indices = checked_labels(self.indices, f"the indices of {self.name}")
        if indices.min() < 0 or np.unique(indices).size < indices.size:
            raise InputError(f"The indices of {self.name} must be different and not negative.")
        if indices.size < self.per_class:
            raise InputError(f"{self.name} lists only {indices.size} indices; draw it again.")
        indices.setflags(write=False)
        object.__setattr__(self, "indices", indices)

    @property
    def name(self) -> str:
        """``mnist.s3@5`` is draw 3, five per class; ``mnist.s3~5``, as many in all, by chance."""
        return f"{self.dataset}.s{self.draw}{'@' if self.balanced else '~'}{self.per_class}"

    @staticmethod
    def parse(name: str) -> tuple[str, int, int, bool]:
        """Split a name into data set, draw, labels per class, and whether it is balanced."""
        parts = _NAME.fullmatch(name)
        if parts is None:
            raise InputError(f"{name!r} names no label budget; write it like mnist.s3@5.")
        return parts["dataset"], int(parts["draw"]), int(parts["per_class"]), parts["how"] == "@"

    @classmethod
    def from_name(cls, name: str, labels: ArrayLike) -> LabelBudget:
        """Draw the budget of that name again from the train labels of its data set."""
        dataset, draw, per_class, balanced = cls.parse(name)
        how = draw_budget if balanced else draw_random_budget
        return how(labels, per_class, draw, dataset)

    def described(self, labels: ArrayLike) -> str:
        """Return what the labels of this budget are, and of which classes there is none."""
        truth = checked_labels(labels)
        classes = np.unique(truth[truth != UNKNOWN])
        sizes = (truth[self.indices] == classes[:, None]).sum(axis=1)
        without = ", ".join(map(str, classes[sizes == 0]))
        lost = f"; none of class {without}" if without else ""
        return (
            f"{self.name}: {self.indices.size} labels of {(sizes > 0).sum()} of {classes.size} "
            f"classes, {sizes[sizes > 0].min()} to {sizes.max()} each{lost}."
        )

    def to_json(self) -> dict[str, Any]:
        """Return a dict of plain values; :meth:`from_json` reads it back."""
        fields = {"dataset": self.dataset, "draw": self.draw, "per_class": self.per_class}
        return {**fields, "balanced": self.balanced, "indices": self.indices.tolist()}

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_json` wrote."""
        expected = {"dataset": str, "draw": int, "per_class": int, "indices": list}
        for key, kind in expected.items():
            if not isinstance(fields.get(key), kind):
                raise InputError(f"A saved label budget needs {key!r} of type {kind.__name__}.")
        balanced = bool(fields.get("balanced", True))
        return cls(**{key: fields[key] for key in expected}, balanced=balanced)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LabelBudget) and self.to_json() == other.to_json()

    def __hash__(self) -> int:
        return hash(self.name)


def draw_budget(labels: ArrayLike, per_class: int, draw: int, dataset: str = "data") -> LabelBudget:
    """Choose ``per_class`` samples of each known class at random, the same on any machine.

    Parameters
    ----------
    labels : array-like of shape (n,), the train labels; samples of unknown class (−1) are
        never chosen.
    per_class : labels of each class, from 1.
    draw : seed of the choice, from 0. With another ``per_class`` the same draw is nested.
    dataset : name to keep with the budget.

    Raises
    ------
    InputError
        When no label is known, all belong to one class, or a class has too few.
    """
    truth = checked_labels(labels)
    _check_draw(per_class, draw)
    classes, sizes = _known_classes(truth)
    if per_class > sizes.min():
        raise InputError(
            f"A budget of {per_class} per class is larger than class {classes[sizes.argmin()]} "
            f"with its {sizes.min()} known labels; ask for at most {sizes.min()}."
        )
    # Each class has a stream of its own: its samples do not depend on the other classes.
    orders = [
        np.random.default_rng([draw, c]).permutation(np.flatnonzero(truth == c))[:per_class]
        for c in classes.tolist()
    ]
    return LabelBudget(dataset, draw, per_class, np.stack(orders, axis=1).ravel())


def draw_random_budget(
    labels: ArrayLike, per_class: int, draw: int, dataset: str = "data"
) -> LabelBudget:
    """Choose as many samples as `draw_budget`, but by chance from all of known class.

    So classes have unequal shares, and some may have none: nobody who labels what comes
    knows the classes before.

    Raises
    ------
    InputError
        As `draw_budget`, and when the chosen are all of one class.
    """
    truth = checked_labels(labels)
    _check_draw(per_class, draw)
    classes, sizes = _known_classes(truth)
    n = per_class * classes.size
    if n > sizes.sum():
        raise InputError(
            f"A budget of {n} labels is larger than the {sizes.sum()} that are known; ask for at "
            f"most {sizes.sum() // classes.size} per class."
        )
    order = np.random.default_rng([draw, _BY_CHANCE]).permutation(np.flatnonzero(truth != UNKNOWN))
    if np.unique(truth[order[:n]]).size < 2:
        raise InputError(
            f"The {n} labels of draw {draw} are all of class {truth[order[0]]}; ask for more."
        )
    return LabelBudget(dataset, draw, per_class, order[:n], balanced=False)


def all_labels(labels: ArrayLike, draw: int = 0, dataset: str = "data") -> LabelBudget:
    """Return the budget of every known label; its ``per_class`` is their mean, rounded."""
    truth = checked_labels(labels)
    classes, sizes = _known_classes(truth)
    mean = max(1, round(int(sizes.sum()) / classes.size))
    return LabelBudget(dataset, draw, mean, np.flatnonzero(truth != UNKNOWN), balanced=False)


def _check_draw(per_class: int, draw: int) -> None:
    if per_class < 1 or draw < 0:
        raise InputError(
            f"A budget of {per_class} per class, draw {draw}, cannot be drawn; "
            "ask for at least 1 per class and a draw from 0."
        )


def _known_classes(truth: IntArray) -> tuple[IntArray, IntArray]:
    """Return the known classes and how many samples each has; at least two classes."""
    classes, sizes = np.unique(truth[truth != UNKNOWN], return_counts=True)
    if not classes.size:
        raise InputError("No label is known (all are −1); give at least one label of two classes.")
    if classes.size == 1:
        raise InputError(f"All known labels are class {classes[0]}; give labels of two classes.")
    return classes, sizes


# Files


def write_budgets(path: Path, budgets: Sequence[LabelBudget], fingerprint: str) -> None:
    """Write the indices of budgets, the largest of each draw: the smaller are its beginnings.

    ``fingerprint`` is that of the data they point into.
    """
    largest: dict[int, LabelBudget] = {}
    for budget in sorted(budgets, key=lambda budget: budget.per_class):
        largest[budget.draw] = budget
    one = budgets[0]
    content = {
        "dataset": one.dataset,
        "fingerprint": fingerprint,
        "balanced": one.balanced,
        "draws": [
            {"draw": b.draw, "per_class": b.per_class, "indices": b.indices.tolist()}
            for b in largest.values()
        ],
    }
    make_folder(path.parent)
    with written_beside(path) as beside:
        beside.write_text(json.dumps(content, separators=(",", ":")) + "\n", encoding="utf-8")
