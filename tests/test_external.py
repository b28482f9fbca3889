"""Clusterers of others, by module:Class: found, told what they ask for, checked."""

import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.cluster import AgglomerativeClustering, MiniBatchKMeans
from sklearn.datasets import make_blobs
from sklearn.utils.estimator_checks import parametrize_with_checks

from ae_cluster import InputError
from ae_cluster.clustering.codes import cluster_codes
from ae_cluster.clustering.external import ExternalClusterer, find_class, number_of_clusters

TRAIN, LABELS = make_blobs([30, 30, 30], 3, cluster_std=0.3, random_state=0)
TEST = TRAIN[::3] + 0.01

MODULE = """
import numpy as np
from sklearn.cluster import KMeans as Renamed

class NeedsMore:
    def __init__(self, must): self.must = must
    def fit_predict(self, X): return [0] * len(X)

class Fails:
    def fit_predict(self, X): raise RuntimeError("no luck\\ntoday")

class Exits:
    def fit_predict(self, X): raise SystemExit(3)

class TooFew:
    def fit_predict(self, X): return [0, 1]

class Words:
    def fit_predict(self, X): return ["a"] * len(X)

class Huge:
    def fit_predict(self, X): return [10**12] * len(X)

class Overwrites:
    def fit_predict(self, X):
        X[:] = 0
        return np.arange(len(X)) % 3

class Ours:
    def __init__(self, n_clusters=8, random_state=None):
        self.told = n_clusters, random_state
    def fit(self, X):
        self.seen = X.shape
        return self
    def predict(self, X): return (X[:, 0] > 0).astype(int)

class Changes:
    def fit_predict(self, X): return [1] * len(X)
    def predict(self, X): return [0] * len(X)

class OneColumn(Changes):
    def predict_proba(self, X): return [[1.0]] * len(X)

number = 3
"""


@pytest.fixture(autouse=True)
def _own_module(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "theirs.py").write_text(MODULE)
    (tmp_path / "broken.py").write_text("def (\n")
    (tmp_path / "lacking.py").write_text("import a_module_nobody_has\n")
    (tmp_path / "leaves.py").write_text("raise SystemExit\n")
    yield
    for name in ("theirs", "broken", "lacking", "leaves"):
        sys.modules.pop(name, None)


def test_a_class_in_the_current_folder_is_found_and_the_path_left_as_it_was(tmp_path):
    before = list(sys.path)
    assert ExternalClusterer(find_class("theirs:Ours"), 5, 7).make().told == (5, 7)
    assert sys.path == before
    assert str(tmp_path) not in sys.path


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("sklearn.cluster:SpectralClustering", "n_clusters"),  # it has n_components too
        ("sklearn.mixture:BayesianGaussianMixture", "n_components"),
        ("sklearn.cluster:HDBSCAN", None),
    ],
)
def test_the_number_of_clusters_goes_where_the_constructor_has_it(name, number):
    assert number_of_clusters(find_class(name)) == number
    model = ExternalClusterer(find_class(name), 4, 0).make()
    if number:
        assert getattr(model, number) == 4
    if number == "n_clusters":
        assert model.n_components is None
    assert getattr(model, "random_state", 0) == 0


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nowhere.at.all:X", "no module 'nowhere'"),
        ("sklearn.clusters:KMeans", "no module 'sklearn.clusters'"),
        ("sklearn.cluster:Kmeans", "did you mean KMeans"),
        ("sklearn:HDBSCAN", "Did you mean sklearn.cluster:HDBSCAN?"),
        ("hdbscan_of_nobody:HDBSCAN", "Did you mean sklearn.cluster:HDBSCAN?"),
        ("sklearn.clusters:Spectral", "Did you mean sklearn.cluster:SpectralClustering?"),
        ("theirs:Missing", "no 'Missing'"),
        ("theirs:number", "not a clusterer"),
        ("sklearn.linear_model:LogisticRegression", "asks for no labels"),
        ("sklearn.ensemble:IsolationForest", "not a clusterer"),
        ("broken:X", "SyntaxError"),
        ("lacking:X", "a_module_nobody_has"),
        ("leaves:X", "SystemExit"),
        ("theirs:NeedsMore", "defaults"),
        (":X", "module:Class"),
        ("a b:X", "module:Class"),
    ],
)
def test_what_cannot_be_had_is_a_sentence(name, words):
    with pytest.raises(InputError) as error:
        cluster_codes(name, TRAIN, TEST, 3, 0)
    assert words in str(error.value)
    assert "\n" not in str(error.value)
    assert str(error.value).endswith((".", "?"))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Fails", "RuntimeError: no luck today."),
        ("Exits", "SystemExit"),
        ("TooFew", "2 clusters for 90 training samples"),
        ("Words", "whole numbers"),
        ("Huge", "numbered from 0"),
    ],
)
def test_a_clusterer_that_fails_is_a_sentence(name, words):
    with pytest.raises(InputError) as error:
        cluster_codes(f"theirs:{name}", TRAIN, TEST, 3, 0)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_it_cannot_change_the_codes():
    found = cluster_codes("theirs:Overwrites", TRAIN, TRAIN + 1e-9, 3, 0)
    # Were they overwritten, all would be nearest to the first.
    assert np.array_equal(found.test, np.arange(len(TRAIN)) % 3)


def test_test_samples_are_predicted_or_get_the_cluster_of_the_nearest_train_code():
    predicted = cluster_codes("sklearn.cluster:MiniBatchKMeans", TRAIN, TEST, 3, 0)
    nearest = cluster_codes("sklearn.cluster:AgglomerativeClustering", TRAIN, TEST, 3, 0)
    assert predicted.predicts
    assert not nearest.predicts
    for found in (predicted, nearest):
        assert np.array_equal(found.test, found.train[::3])
        assert len({(a, b) for a, b in zip(found.train, LABELS, strict=True)}) == 3
        assert found.centers is None


def test_fit_and_predict_are_enough():
    found = cluster_codes("theirs:Ours", TRAIN, TEST, 3, 0)
    assert np.array_equal(found.train, (TRAIN[:, 0] > 0).astype(int))


def test_memberships_are_kept_where_there_are_some():
    found = cluster_codes("sklearn.mixture:BayesianGaussianMixture", TRAIN, TEST, 3, 0)
    np.testing.assert_allclose(found.soft_test.sum(axis=1), 1, atol=1e-5)
    assert np.array_equal(found.soft_test.argmax(axis=1), found.test)


def test_noise_stays_noise():
    far = np.vstack([TRAIN, [[1e3, 1e3, 1e3]]])
    found = cluster_codes("sklearn.cluster:HDBSCAN", far, far[-2:], None, 0)
    assert found.train[-1] == -1
    assert found.test.tolist() == [found.train[-2], -1]


@parametrize_with_checks(
    [ExternalClusterer(MiniBatchKMeans, 3, 0), ExternalClusterer(AgglomerativeClustering, 3, 0)]
)
def test_any_clusterer_becomes_an_estimator(estimator, check):
    check(estimator)


def test_an_estimator_of_what_cannot_predict_predicts_all_the_same():
    model = ExternalClusterer(AgglomerativeClustering, 3, 0).fit(TRAIN)
    assert not model.predicts
    assert not hasattr(model, "predict_proba")
    assert np.array_equal(model.predict(TRAIN), model.labels_)
    assert np.array_equal(model.predict(TEST), model.labels_[::3])
    assert np.array_equal(clone(model).fit_predict(TRAIN), model.labels_)


def test_training_samples_keep_the_clusters_that_fitting_gave_them():
    model = ExternalClusterer(find_class("theirs:Changes"), 3, 0).fit(TRAIN)
    assert np.array_equal(model.predict(TRAIN), np.ones(len(TRAIN)))
    assert np.array_equal(model.predict(TEST), np.zeros(len(TEST)))


def test_memberships_that_do_not_fit_the_clusters_are_left_out():
    model = ExternalClusterer(find_class("theirs:OneColumn"), 3, 0).fit(TRAIN)
    assert model.predict_proba(TEST).shape == (len(TEST), 1)
    assert cluster_codes("theirs:OneColumn", TRAIN, TEST, 3, 0).soft_test is None


def test_a_class_found_before_is_used_as_it_is():
    found = cluster_codes(AgglomerativeClustering, TRAIN, TEST, 3, 0)
    by_name = cluster_codes("sklearn.cluster:AgglomerativeClustering", TRAIN, TEST, 3, 0)
    assert np.array_equal(found.train, by_name.train)
