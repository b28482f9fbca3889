"""The ways from frozen codes and a few labels to a class, by name."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, NamedTuple

from ae_cluster.graphs.knn_graph import NeighborGraph
from ae_cluster.semi_supervised.base import FewLabelClassifier
from ae_cluster.semi_supervised.frozen.cluster_then_label import ClusterThenLabel
from ae_cluster.semi_supervised.frozen.graph import GraphSpreading, PoissonLearning
from ae_cluster.semi_supervised.frozen.supervised import (
    LabelledLogistic,
    LabelledNeighbors,
    LabelledSVM,
    SelfTraining,
)

# The families of few-label methods, kept apart in every table.
FROZEN, FINETUNED = "frozen codes", "reshaping the encoder"


class Method(NamedTuple):
    """A way to classify, and what the rows say of it.

    Attributes
    ----------
    make : callable
        Takes a seed and what it may start from, the codes' graph or a trained encoder (None:
        nothing is there yet), and returns the unfitted classifier.
    family : str
        Whether the codes stay as they are: `rows.FROZEN` or `rows.RESHAPING`.
    uses_balance : bool
        Whether it is told that the classes are equally common.
    after : str
        The method whose fitted models it starts from, where that saves solving twice.
    clusters : bool
        Whether it depends on a clusterer's random start.
    """

    make: Callable[[int, Any], FewLabelClassifier]
    family: str = FROZEN
    uses_balance: bool = False
    after: str = ""
    clusters: bool = False


METHODS = {
    "logistic-regression": Method(lambda _, __: LabelledLogistic()),
    "knn": Method(lambda _, __: LabelledNeighbors()),
    "svm": Method(lambda seed, _: LabelledSVM(random_state=seed)),
    "self-training": Method(lambda seed, _: SelfTraining(random_state=seed)),
    "label-spreading": Method(lambda _, graph: GraphSpreading(graph=graph)),
    "poisson": Method(lambda _, graph: PoissonLearning(graph=graph)),
    "poisson-priors": Method(
        lambda _, graph: PoissonLearning(class_priors="balanced", graph=graph),
        uses_balance=True,
        after="poisson",
    ),
    "named-clusters": Method(lambda seed, _: ClusterThenLabel(random_state=seed), clusters=True),
}
# Those of `finetuned`, which need torch, and the encoder that each starts from.
FINETUNED_STARTS = {
    "fine-tuning": "autoencoder",
    "m1-m2": "autoencoder",
    "taught-sorting": "sorting",
    "taught-sorting-images": "sorting-images",
}
QUICK = ("logistic-regression", "knn")  # what a run tries on every code


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


def _finetuned(name: str) -> Method:
    """Return a classifier whose class is imported, and torch with it, only when it is made."""

    def make(seed: int, start: Any) -> FewLabelClassifier:
        finetuned = importlib.import_module("ae_cluster.semi_supervised.finetuned")
        classifier: FewLabelClassifier = getattr(finetuned, name)(start, random_state=seed)
        return classifier

    return Method(make, FINETUNED)


FINETUNED_METHODS = {
    "fine-tuning": _finetuned("FineTunedClassifier"),
    "m1-m2": _finetuned("DeepGenerativeClassifier"),
    "taught-sorting": _finetuned("SortingClassifier"),
    "taught-sorting-images": _finetuned("SortingClassifier"),
}
