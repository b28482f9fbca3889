"""The classifiers from a few labels by name, made from their entries in `ae_cluster.methods`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from ae_cluster.methods import CLASSIFIERS, FINETUNED, FROZEN, Classifier

if TYPE_CHECKING:
    from ae_cluster.graphs.knn_graph import NeighborGraph
    from ae_cluster.semi_supervised.base import FewLabelClassifier

QUICK = ("logistic-regression", "knn")  # what a run tries on every code


class Method(NamedTuple):
    """A classifier, and what its rows say of it.

    Attributes
    ----------
    make : callable
        Takes a seed and what it may start from, the codes' graph or a trained encoder (None:
        nothing is there yet), and returns the unfitted classifier.
    family, uses_balance, after, clusters
        As in `ae_cluster.methods.Classifier`, whose kind is the family.
    """

    make: Callable[[int, Any], FewLabelClassifier]
    family: str = FROZEN
    uses_balance: bool = False
    after: str = ""
    clusters: bool = False


def _of(entry: Classifier) -> Method:
    """Return a classifier whose class is imported only when it is made."""

    def make(seed: int, start: Any) -> FewLabelClassifier:
        found = entry.load_class()
        taken = list(inspect.signature(found).parameters)
        start_of = "graph" if entry.kind == FROZEN else taken[0]
        offered = {start_of: start, "random_state": seed}
        own = {parameter: value for parameter, value in offered.items() if parameter in taken}
        classifier: FewLabelClassifier = found(**own, **entry.parameters)
        return classifier

    return Method(make, entry.kind, entry.uses_balance, entry.after, entry.clusters)


METHODS = {entry.name: _of(entry) for entry in CLASSIFIERS if entry.kind == FROZEN}
FINETUNED_METHODS = {entry.name: _of(entry) for entry in CLASSIFIERS if entry.kind == FINETUNED}
# The encoder that each of these starts from.
FINETUNED_STARTS = {entry.name: entry.start for entry in CLASSIFIERS if entry.kind == FINETUNED}


def few_label_classifiers(
    seed: int = 0, graph: NeighborGraph | None = None
) -> dict[str, FewLabelClassifier]:
    """Return the unfitted classifiers for a few labels, by name.

    Parameters
    ----------
    seed : of everything random in them.
    graph : that of the codes to be fitted, if it is there already.
    """
    return {name: method.make(seed, graph) for name, method in METHODS.items()}
