"""Classifiers that fine-tune an encoder are at home in scikit-learn, and take −1 for unlabelled."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.frozen import FrozenEstimator
from sklearn.utils.estimator_checks import check_estimator

from ae_cluster import AutoEncoder, InputError, SortingAutoEncoder
from ae_cluster.clustering.sorting import consistency
from ae_cluster.clustering.sorting.consistency import VAT_EPSILON
from ae_cluster.methods import FINETUNED
from ae_cluster.semi_supervised.finetuned import (
    DeepGenerativeClassifier,
    FineTunedClassifier,
    SortingClassifier,
)
from ae_cluster.semi_supervised.finetuned.sorting import vat_steps
from ae_cluster.semi_supervised.methods import FINETUNED_METHODS, FINETUNED_STARTS

QUICK = {"max_iter": 1, "min_steps": 150, "random_state": 0}
SORTING = SortingAutoEncoder(
    4, hidden_layer_sizes=(50, 50), max_iter=1, decoder_max_iter=1, min_steps=100, random_state=0
)
TRAINED = AutoEncoder(8, (16,), max_iter=30, learning_rate_init=0.01, random_state=0)
CLASSIFIERS = [
    FineTunedClassifier(TRAINED, learning_rate_init=0.01, **QUICK),
    DeepGenerativeClassifier(TRAINED, hidden_size=16, learning_rate_init=0.01, **QUICK),
    SortingClassifier(SORTING, **QUICK),
]
NAMES = [type(classifier).__name__ for classifier in CLASSIFIERS]


def blobs(n=400):
    return make_blobs(n, 8, centers=4, cluster_std=1.5, random_state=3)


def partly_labelled(per_class=2):
    X, truth = blobs()
    X, truth = X[:300].astype(np.float32), truth[:300]
    y = np.full(300, -1)
    for c in range(4):
        y[np.flatnonzero(truth == c)[:per_class]] = c
    return X, y, truth


@pytest.fixture(scope="module")
def fitted():
    """Give each classifier fitted to two labels per class."""
    X, y, _ = partly_labelled()
    return [clone(classifier).fit(X, y) for classifier in CLASSIFIERS]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@pytest.mark.filterwarnings("ignore::ae_cluster.HealthWarning")
@pytest.mark.parametrize(
    "classifier",
    [
        FineTunedClassifier(AutoEncoder(max_iter=2), **QUICK | {"learning_rate_init": 0.01}),
        DeepGenerativeClassifier(
            AutoEncoder(2, (16,), max_iter=100), **QUICK | {"learning_rate_init": 0.01}
        ),
        SortingClassifier(
            SortingAutoEncoder(4, max_iter=1, decoder_max_iter=1, min_steps=5),
            **QUICK | {"min_steps": 20},
        ),
    ],
    ids=NAMES,
)
def test_every_check_but_the_waived_one_passes(classifier):
    # scikit-learn waives it by name for its own three that take −1 for unlabelled.
    waived = {"check_classifiers_classes": "−1 is no class here"}
    results = check_estimator(classifier, expected_failed_checks=waived, on_fail=None)

    failed = {r["check_name"]: r["exception"] for r in results if r["status"] == "failed"}
    assert failed == {}
    assert len(results) > 45


@pytest.mark.parametrize("i", range(3), ids=NAMES)
def test_a_few_labels_are_enough_for_separate_classes(fitted, i):
    X, truth = blobs()
    X = X.astype(np.float32)

    assert fitted[i].classes_.tolist() == [0, 1, 2, 3]
    assert (fitted[i].predict(X[:300]) == truth[:300]).mean() > 0.97
    assert (fitted[i].predict(X[300:]) == truth[300:]).mean() > 0.97


@pytest.mark.parametrize("i", range(3), ids=NAMES)
def test_probabilities_sum_to_one_and_go_with_the_prediction(fitted, i):
    X, _ = blobs()
    shares = fitted[i].predict_proba(X.astype(np.float32))

    assert shares.shape == (400, 4)
    assert np.allclose(shares.sum(axis=1), 1)
    assert (fitted[i].predict(X.astype(np.float32)) == shares.argmax(axis=1)).all()
    again = pickle.loads(pickle.dumps(fitted[i]))
    assert np.array_equal(again.predict_proba(X.astype(np.float32)), shares)


def test_a_stray_label_leaves_the_proportions_of_the_clusters(monkeypatch):
    X, y, truth = partly_labelled(per_class=5)
    sorting = clone(SORTING).fit(X)
    y[np.flatnonzero(y == 0)[0]] = 1
    held_to = []
    loss = consistency.consistency_loss

    def spy(logits, disturbed, proportions, held):
        held_to.append(proportions)
        assert held > consistency.PROPORTIONS  # else a stray draws others along
        return loss(logits, disturbed, proportions, held)

    monkeypatch.setattr(consistency, "consistency_loss", spy)
    SortingClassifier(FrozenEstimator(sorting), **QUICK).fit(X, y)
    sizes = np.sort(sorting.predict_proba(X).mean(0))
    np.testing.assert_allclose(np.sort(held_to[0].numpy()), sizes, atol=1e-4)
    np.testing.assert_allclose(sizes, np.sort(np.bincount(truth) / len(truth)), atol=0.01)


def test_labels_that_contradict_the_sorting_make_it_less_sure(fitted):
    X, y, truth = partly_labelled(per_class=10)
    sorting = FrozenEstimator(clone(SORTING).fit(X))
    labelled = np.flatnonzero(y >= 0)
    y[labelled[::3]] = (truth[labelled[::3]] + 1) % 4
    sure, unsure = fitted[2], SortingClassifier(sorting, **QUICK).fit(X, y)
    assert sure.temperature_ < 1.1
    assert unsure.temperature_ > 2 * sure.temperature_


@pytest.mark.parametrize("classifier", CLASSIFIERS, ids=NAMES)
@pytest.mark.parametrize(
    ("label", "says"), [(-1, "No label is known"), (2, "All known labels are class 2")]
)
def test_without_two_classes_it_says_so(classifier, label, says):
    y = np.full(300, -1)
    y[:3] = label

    with pytest.raises(InputError, match=says):
        clone(classifier).fit(partly_labelled()[0], y)


@pytest.mark.parametrize("classifier", CLASSIFIERS, ids=NAMES)
@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"max_iter": 0}, "max_iter=0"),
        ({"learning_rate_init": -1.0}, "learning_rate_init"),
        ({"random_state": "x"}, "random_state"),
    ],
)
def test_what_cannot_be_used_is_said_in_a_sentence(classifier, change, part, assert_one_sentence):
    X, y, _ = partly_labelled()
    with pytest.raises(InputError) as error:
        clone(classifier).set_params(**change).fit(X, y)
    assert_one_sentence(error, part)


def test_more_classes_than_clusters_say_so(assert_one_sentence):
    X, y, _ = partly_labelled()
    few = clone(SORTING).set_params(n_clusters=3)
    with pytest.raises(InputError) as error:
        SortingClassifier(few, **QUICK).fit(X, y)
    assert_one_sentence(error, "3 clusters", "4 classes")


@pytest.mark.parametrize("i", [0, 1, 2], ids=NAMES)
def test_one_encoder_is_trained_for_all_labelings_and_stays_as_it_is(i, monkeypatch):
    X, y, truth = partly_labelled()
    start = clone([TRAINED, TRAINED, SORTING][i]).fit(X)
    before = start.transform(X).tobytes()
    name = "sorting" if i == 2 else "autoencoder"
    classifier = clone(CLASSIFIERS[i]).set_params(**{name: FrozenEstimator(start)}, min_steps=20)
    fits = []
    monkeypatch.setattr(type(start), "fit", lambda self, *_: fits.append(self))
    other = np.where(np.arange(300) % 9 == 0, truth, -1)
    together = classifier.fit_many(X, [y, other])

    assert fits == []
    assert start.transform(X).tobytes() == before
    alone = clone(classifier).fit(X, other)
    assert np.array_equal(alone.predict_proba(X), together[1].predict_proba(X))
    assert not np.array_equal(together[0].predict_proba(X), together[1].predict_proba(X))


def test_a_sorting_of_other_samples_may_be_started_from():
    X, truth = blobs()
    X, y, _ = X.astype(np.float32), *partly_labelled()[1:]
    sorting = FrozenEstimator(clone(SORTING).fit(X[200:]))
    model = SortingClassifier(sorting, **QUICK).fit(X[:300], y)

    assert (model.predict(X) == truth).mean() > 0.97


def test_a_small_step_is_a_share_of_the_way_to_the_tenth_neighbour():
    X, _, truth = partly_labelled()
    x = torch.from_numpy(X)
    found = vat_steps(x, truth).numpy().ravel()
    distances = np.sort(np.linalg.norm(X[:, None] - X, axis=2), axis=1)[:, 10]

    # Of separate crowds no neighbour lies outside.
    assert np.allclose(found, VAT_EPSILON * distances, rtol=1e-4)


def test_bytes_are_images():
    rng = np.random.default_rng(0)
    truth = np.arange(200) % 2
    images = np.where(truth[:, None] == 0, rng.integers(0, 90, (200, 16)),
                      rng.integers(160, 256, (200, 16))).astype(np.uint8)  # fmt: skip
    y = np.full(200, -1)
    y[:2] = truth[:2]
    of_bytes = FineTunedClassifier(AutoEncoder(2, (8,), max_iter=2), **QUICK).fit(images, y)
    of_floats = FineTunedClassifier(AutoEncoder(2, (8,), max_iter=2), **QUICK).fit(
        (images / np.float32(255)).astype(np.float32), y
    )

    assert of_bytes._state.model.input_kind_ == "images"
    assert of_bytes.score(images, truth) == 1
    assert np.allclose(of_bytes.predict_proba(images), of_floats.predict_proba(images), atol=1e-4)


def test_the_methods_names_and_family():
    assert list(FINETUNED_METHODS) == list(FINETUNED_STARTS)
    assert {method.family for method in FINETUNED_METHODS.values()} == {FINETUNED}
    for method in FINETUNED_METHODS.values():
        assert method.make(7, None).random_state == 7
