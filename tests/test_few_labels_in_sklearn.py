"""Classifiers from a few labels are at home in scikit-learn, and take −1 for unlabelled."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.utils.estimator_checks import check_estimator

from ae_cluster.common.errors import InputError
from ae_cluster.graphs.knn_graph import neighbor_graph
from ae_cluster.semi_supervised.frozen.cluster_then_label import ClusterThenLabel
from ae_cluster.semi_supervised.frozen.graph import GraphSpreading, PoissonLearning
from ae_cluster.semi_supervised.frozen.supervised import (
    LabelledLogistic,
    LabelledNeighbors,
    LabelledSVM,
    SelfTraining,
)

CLASSIFIERS = [
    LabelledLogistic(),
    LabelledNeighbors(),
    LabelledSVM(random_state=0),
    SelfTraining(max_iter=3, random_state=0),
    GraphSpreading(),
    PoissonLearning(),
    PoissonLearning(class_priors="balanced"),
    ClusterThenLabel(random_state=0),
    ClusterThenLabel(clusterer="kmeans", random_state=0),
]
GRAPH = [GraphSpreading(), PoissonLearning(), PoissonLearning(class_priors="balanced")]


def partly_labelled(per_class=2, n=240):
    codes, truth = make_blobs(n, 3, centers=4, cluster_std=0.8, random_state=3)
    y = np.full(n, -1)
    for c in range(4):
        chosen = np.flatnonzero(truth == c)[:per_class]
        y[chosen] = c
    return codes, y, truth


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@pytest.mark.parametrize("classifier", CLASSIFIERS, ids=str)
def test_every_check_but_the_waived_one_passes(classifier):
    # scikit-learn waives it by name for its own three that take −1 for unlabelled.
    waived = {"check_classifiers_classes": "−1 is no class here"}
    results = check_estimator(classifier, expected_failed_checks=waived, on_fail=None)

    failed = [r["check_name"] for r in results if r["status"] == "failed"]
    assert failed == []
    assert len(results) > 45


@pytest.mark.parametrize("classifier", CLASSIFIERS, ids=str)
@pytest.mark.parametrize("per_class", [1, 2, 7])
def test_a_few_labels_are_enough_for_separate_classes(classifier, per_class):
    codes, y, truth = partly_labelled(per_class)
    model = clone(classifier).fit(codes, y)
    new, new_truth = make_blobs(400, 3, centers=4, cluster_std=0.8, random_state=3)

    assert model.classes_.tolist() == [0, 1, 2, 3]
    assert (model.predict(codes) == truth).mean() > 0.97
    assert (model.predict(new) == new_truth).mean() > 0.97


@pytest.mark.parametrize("classifier", CLASSIFIERS, ids=str)
def test_probabilities_sum_to_one_and_go_with_the_prediction(classifier):
    codes, y, _ = partly_labelled()
    model = clone(classifier).fit(codes, y + 3 * (y >= 0))  # classes 3, 4, 5, 6
    shares = model.predict_proba(codes)

    assert shares.shape == (240, 4)
    assert np.allclose(shares.sum(axis=1), 1)
    assert (model.predict(codes) == model.classes_[shares.argmax(axis=1)]).all()
    assert model.classes_.tolist() == [3, 4, 5, 6]


@pytest.mark.parametrize("classifier", CLASSIFIERS, ids=str)
def test_many_labelings_at_once_are_as_one_by_one(classifier):
    codes, y, truth = partly_labelled(3)
    other = np.where(np.arange(240) % 9 == 0, truth, -1)
    together = classifier.fit_many(codes, [y, other])
    at_once = classifier.predict_proba_many(together, codes[::2])

    for labels, shares in zip((y, other), at_once, strict=True):
        alone = clone(classifier).fit(codes, labels).predict_proba(codes[::2])
        assert np.abs(alone - shares).max() < 0.02
    assert not hasattr(classifier, "classes_")


@pytest.mark.parametrize("classifier", CLASSIFIERS, ids=str)
def test_a_fitted_classifier_can_be_pickled(classifier):
    codes, y, _ = partly_labelled()
    model = clone(classifier).fit(codes, y)
    again = pickle.loads(pickle.dumps(model))

    assert np.array_equal(again.predict_proba(codes), model.predict_proba(codes))


@pytest.mark.parametrize("classifier", CLASSIFIERS, ids=str)
@pytest.mark.parametrize(
    ("label", "says"), [(-1, "No label is known"), (2, "All known labels are class 2")]
)
def test_without_two_classes_it_says_so(classifier, label, says):
    codes, _, _ = partly_labelled()
    y = np.full(240, -1)
    y[:3] = label

    with pytest.raises(InputError, match=says):
        clone(classifier).fit(codes, y)


@pytest.mark.parametrize(
    ("classifier", "says"),
    [
        (GraphSpreading(alpha=1.0), "alpha=1.0 cannot be used"),
        (GraphSpreading(n_neighbors=0), "with 0 neighbours cannot be made"),
        (PoissonLearning(max_iter=0), "max_iter=0 and tol=0.001 cannot be used"),
        (PoissonLearning(class_priors="even"), "class_priors='even' cannot be used"),
        (PoissonLearning(class_priors=[1, 2]), "or 4 numbers above 0"),
        (PoissonLearning(graph=neighbor_graph(np.eye(5))), "The graph is of other codes"),
        (ClusterThenLabel(clusterer="gm"), "clusterer='gm' is not known: did you mean gmm"),
        (ClusterThenLabel(n_clusters=500), "500 clusters of 240 samples cannot be made"),
    ],
    # Not their str: a graph in it says its address.
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_parameters_that_cannot_be_used_say_so(classifier, says):
    codes, y, _ = partly_labelled()

    with pytest.raises(InputError, match=says):
        classifier.fit(codes, y)


@pytest.mark.parametrize("classifier", GRAPH, ids=str)
def test_a_graph_made_before_is_shared_and_changes_nothing(classifier):
    codes, y, _ = partly_labelled()
    graph = neighbor_graph(codes)
    sharing = clone(classifier).set_params(graph=graph)
    models = sharing.fit_many(codes, [y, y])

    assert all(model.graph_ is graph for model in models)
    alone = clone(classifier).fit(codes, y)
    assert np.array_equal(models[0].label_distributions_, alone.label_distributions_)
    assert (alone.transduction_ == alone.predict(codes)).mean() > 0.99
