"""Each way to classify does what its name says, and knows how sure it is."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits, make_blobs
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from ae_cluster.common.errors import InputError
from ae_cluster.metrics.calibration import expected_calibration_error
from ae_cluster.semi_supervised.base import Labeling
from ae_cluster.semi_supervised.evaluation import label_budget_rows
from ae_cluster.semi_supervised.frozen.cluster_then_label import ClusterThenLabel
from ae_cluster.semi_supervised.frozen.supervised import LabelledNeighbors, SelfTraining
from ae_cluster.semi_supervised.methods import METHODS, few_label_classifiers
from ae_cluster.semi_supervised.temperature import fit_temperature

# ---- calibration


def test_error_counted_by_hand():
    shares = [[0.9, 0.1], [0.9, 0.1], [0.3, 0.7], [0.4, 0.6]]

    # One bin at .9 is right in half; .7 is right; .6 is not: (2 · .4 + .3 + .6) / 4.
    assert expected_calibration_error([0, 1, 1, 0], shares, n_bins=10) == pytest.approx(0.425)
    assert expected_calibration_error([0, -1, -1, -1], shares) == pytest.approx(0.1)
    assert np.isnan(expected_calibration_error([-1] * 4, shares))


def test_sure_and_right_is_no_error_and_sure_and_wrong_is_all():
    assert expected_calibration_error([0, 1], np.eye(2)) == 0
    assert expected_calibration_error([1, 0], np.eye(2)) == 1


@pytest.mark.parametrize(
    ("truth", "shares", "says"),
    [
        ([0, 1], [[0.5, 0.6], [0.5, 0.5]], "rows that sum to 1"),
        ([0], [0.5, 0.5], "must have shape"),
        ([0, 1], [[1.0, 0.0]], "labels_true has 2 samples and probabilities has 1"),
    ],
)
def test_probabilities_that_are_none_are_refused(truth, shares, says):
    with pytest.raises(InputError, match=says):
        expected_calibration_error(truth, shares)


def test_temperature_is_found_again_from_many_labels_and_kept_from_none():
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(4000, 4)) * 3
    truth = np.array([rng.choice(4, p=np.exp(s) / np.exp(s).sum()) for s in scores])

    assert fit_temperature(scores * 2.5, truth, 1.0) == pytest.approx(2.5, rel=0.1)
    assert fit_temperature(np.empty((0, 4)), np.empty(0, int), 0.7) == 0.7


def test_a_handful_of_right_guesses_does_not_make_it_certain():
    scores, truth = np.eye(3) * 2, np.arange(3)

    assert 0.3 < fit_temperature(scores, truth, 1.0) < 1


def test_folds_hide_every_label_once_and_no_class_wholly():
    columns = np.array([0, 0, 1, -1, 2, 2, 2, 2, -1])
    labeling = Labeling(columns, 3)
    folds = labeling.folds()

    assert sorted(np.concatenate(folds).tolist()) == [0, 1, 4, 5, 6, 7]
    for fold in folds:
        assert set(labeling.without(fold).columns) == {-1, 0, 1, 2}
    assert Labeling(np.array([0, 1, -1]), 2).folds() == []


@pytest.fixture(scope="module")
def digits():
    images, labels = load_digits(return_X_y=True)
    codes = PCA(8, random_state=0).fit_transform(images)
    return codes[::2], labels[::2], codes[1::2], labels[1::2]


def test_probabilities_are_honest_on_digits(digits):
    rows = label_budget_rows(*digits, [1, 10], 3, dataset="d", features="f", methods=METHODS)

    for method in METHODS:
        errors = {
            budget: np.mean(
                [r["ece"] for r in rows if r["method"] == method and r["budget"] == budget]
            )
            for budget in (1, 10)
        }
        assert errors[10] < 0.15
        assert errors[1] < 0.35


def test_what_learns_from_all_codes_beats_what_learns_from_one_label_per_class(digits):
    rows = label_budget_rows(*digits, [1], 5, dataset="d", features="f", methods=METHODS)
    means = {m: np.mean([r["accuracy"] for r in rows if r["method"] == m]) for m in METHODS}

    for better in ("label-spreading", "poisson", "poisson-priors"):
        assert means[better] > max(means["knn"], means["logistic-regression"]) + 0.05


# ---- each


def test_neighbors_vote_as_scikit_learns_do_but_for_close_calls():
    rng = np.random.default_rng(0)
    codes, y = rng.normal(size=(300, 3)), np.arange(300) % 3
    theirs = KNeighborsClassifier(10, weights="distance").fit(codes, y)
    new = rng.normal(size=(500, 3))
    same = LabelledNeighbors(10).fit(codes, y).predict(new) == theirs.predict(new)
    margins = np.sort(theirs.predict_proba(new), axis=1)
    clear = margins[:, -1] - margins[:, -2] > 0.1

    assert same[clear].all()
    assert same.mean() > 0.9


def test_neighbors_ask_the_root_of_the_rarest_classs_labels():
    codes, y = np.random.default_rng(0).normal(size=(200, 2)), np.repeat([0, 1], [190, 10])

    assert LabelledNeighbors().fit(codes, y)._state["k"] == 3
    assert LabelledNeighbors(500).fit(codes, y)._state["k"] == 200


def test_self_training_moves_the_border_to_where_no_sample_is():
    codes, truth = make_blobs(400, centers=[[0, 0], [0, 6]], cluster_std=1.2, random_state=0)
    y = np.full(400, -1)
    y[[np.flatnonzero(truth == 0)[codes[truth == 0, 1].argmax()]]] = 0
    y[[np.flatnonzero(truth == 1)[codes[truth == 1, 1].argmax()]]] = 1
    known = y >= 0
    alone = LogisticRegression().fit(codes[known], y[known]).score(codes, truth)
    trained = SelfTraining(random_state=0).fit(codes, y)

    assert trained.score(codes, truth) > max(0.97, alone + 0.05)
    assert trained.n_iter_ == 10


def test_a_label_in_the_wrong_cluster_does_not_name_it():
    codes, truth = make_blobs(300, centers=[[0, 0], [9, 0], [0, 9]], random_state=0)
    y = np.full(300, -1)
    for c in range(3):
        y[np.flatnonzero(truth == c)[:4]] = c
    y[np.flatnonzero(truth == 1)[20]] = 0

    assert ClusterThenLabel(random_state=0).fit(codes, y).score(codes, truth) == 1


def test_a_cluster_without_a_label_gets_the_class_that_is_left():
    codes, truth = make_blobs(300, centers=[[0, 0], [9, 0], [18, 0]], random_state=0)
    y = np.full(300, -1)
    for c in (0, 1):
        y[np.flatnonzero(truth == c)[0]] = c
    # The only label of class 2 lies, a stray, in the cluster of class 1, on the side of its own.
    y[np.flatnonzero(truth == 1)[codes[truth == 1, 0].argmax()]] = 2

    assert ClusterThenLabel(random_state=0).fit(codes, y).score(codes, truth) > 0.99


def test_more_clusters_than_classes_share_their_names():
    codes, blob = make_blobs(400, centers=[[0, 0], [6, 0], [0, 60], [6, 60]], random_state=0)
    truth = blob // 2
    y = np.full(400, -1)
    for c in (0, 1):
        y[np.flatnonzero(truth == c)[0]] = c

    assert ClusterThenLabel(4, random_state=0).fit(codes, y).score(codes, truth) == 1


def test_clusters_are_found_once_for_all_labelings(monkeypatch):
    codes, truth = make_blobs(200, centers=4, random_state=0)
    made = []
    from ae_cluster.semi_supervised.frozen import cluster_then_label

    make = cluster_then_label.make_clusterer
    monkeypatch.setattr(cluster_then_label, "make_clusterer", lambda *a: made.append(a) or make(*a))
    ClusterThenLabel(random_state=0).fit_many(codes, [truth] * 6)

    assert len(made) == 1


def test_method_names_are_the_factorys():
    assert list(few_label_classifiers(3)) == list(METHODS)
