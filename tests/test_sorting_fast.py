"""`SortingAutoEncoder(effort="fast")`, and the approximate neighbours that it asks for."""

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits, make_blobs
from sklearn.metrics import adjusted_rand_score
from sklearn.neighbors import NearestNeighbors

from ae_cluster import InputError, SortingAutoEncoder
from ae_cluster.clustering.estimators import make_sorting, sorting_epochs
from ae_cluster.clustering.sorting import candidates, estimator, stages
from ae_cluster.clustering.sorting.estimator import usual_sizes
from ae_cluster.datasets import load_dataset
from ae_cluster.graphs.near_cells import SEARCHED, near_in_cells
from ae_cluster.methods import BY_NAME

QUICK = {"effort": "fast", "hidden_layer_sizes": (30,), "min_steps": 60, "random_state": 0}


@pytest.fixture
def no_umap(monkeypatch):
    def refuse(*_args, **_options):
        raise AssertionError("a UMAP was asked for")

    monkeypatch.setattr(candidates, "umap_embedding", refuse)


def test_nearly_all_neighbours_are_found_in_the_cells_around():
    X = make_blobs(12_000, 10, centers=40, cluster_std=4.0, random_state=0)[0].astype(np.float32)
    distances, indices = near_in_cells(X, 10)
    exact = NearestNeighbors(algorithm="brute").fit(X).kneighbors(n_neighbors=10)[1]
    shared = [len(set(a) & set(b)) for a, b in zip(indices, exact, strict=True)]
    assert np.mean(shared) / 10 >= 0.98
    assert (np.diff(distances) >= 0).all()
    assert (indices != np.arange(len(X))[:, None]).all()
    measured = np.linalg.norm(X[:, None] - X[indices], axis=2)
    np.testing.assert_allclose(distances, measured, rtol=1e-3, atol=1e-2)


def test_where_all_cells_are_looked_into_none_is_missed():
    X = np.random.default_rng(0).normal(size=(SEARCHED**2, 3)).astype(np.float32)
    exact = NearestNeighbors(algorithm="brute").fit(X).kneighbors(n_neighbors=5)[1]
    assert (near_in_cells(X, 5)[1] == exact).mean() > 0.999  # ties by rounding


@pytest.mark.filterwarnings("ignore:Number of distinct clusters")
@pytest.mark.parametrize("n_different", [1, 3, 200])
def test_duplicates_have_as_many_others_beside_them(n_different):
    X = np.repeat(np.eye(n_different, 200, dtype=np.float32), 6000 // n_different, axis=0)
    distances, indices = near_in_cells(X, 20)
    assert indices.shape == (len(X), 20)
    assert (indices != np.arange(len(X))[:, None]).all()
    assert all(len(set(row)) == 20 for row in indices[::97])
    assert distances.max() < 1e-2


def test_a_cell_of_one_far_sample_finds_enough_others():
    X = np.random.default_rng(0).normal(size=(400, 2)).astype(np.float32)
    X[:19] += 1e4 * np.arange(1, 20)[:, None]
    indices = near_in_cells(X, 300)[1]
    assert all(len(set(row)) == 300 for row in indices)


def test_kmeans_of_a_part_gives_every_sample_its_nearest_centre():
    X, y = make_blobs(900, 5, centers=3, random_state=1)
    found = candidates.kmeans(X, 3, seed=0, part=100)
    part = X[np.random.RandomState(0).choice(900, 100, replace=False)]
    naive = KMeans(3, n_init=1, random_state=0).fit(part).predict(X)
    assert (found == naive).all()
    assert adjusted_rand_score(y, found) == 1
    whole = candidates.kmeans(X, 3, seed=0)
    assert (candidates.kmeans(X, 3, seed=0, part=900) == whole).all()


@pytest.mark.usefixtures("no_umap")
def test_crowds_are_found_without_a_umap_and_the_file_keeps_how(tmp_path):
    X, y = make_blobs(800, 20, centers=4, cluster_std=2.0, random_state=0)
    model = SortingAutoEncoder(4, **QUICK).fit(X[:600])
    assert adjusted_rand_score(y[:600], model.labels_) == 1
    assert adjusted_rand_score(y[600:], model.predict(X[600:])) == 1
    assert model.n_iter_ == usual_sizes(600, "fast").max_iter
    model.save(tmp_path / "model")
    again = SortingAutoEncoder.load(tmp_path / "model")
    assert again.effort == "fast"
    assert (again.predict(X) == model.predict(X)).all()


@pytest.mark.usefixtures("no_umap")
def test_many_samples_ask_for_nearly_all_neighbours_and_few_for_all(monkeypatch):
    asked = []
    spied = stages.nearest_neighbors

    def spy(samples, k, is_exact):
        asked.append((k, is_exact))
        return spied(samples, k, is_exact)

    monkeypatch.setattr(stages, "nearest_neighbors", spy)
    X, y = make_blobs(10_500, 6, centers=5, random_state=3)
    model = SortingAutoEncoder(5, **QUICK | {"max_iter": 1}).fit(X)
    SortingAutoEncoder(5, **QUICK | {"max_iter": 1}).fit(X[:500])
    SortingAutoEncoder(5, **QUICK | {"max_iter": 1, "n_neighbors": 4}).fit(X[:500])
    assert asked == [(10, False), (10, True), (4, True)]
    assert adjusted_rand_score(y, model.labels_) > 0.99


@pytest.mark.filterwarnings("ignore::ae_cluster.training.diagnostics.DiagnosticsWarning")
@pytest.mark.usefixtures("no_umap")
def test_an_image_prior_comes_after_learning_the_clusters():
    X = load_digits().data[:300] / 16
    model = SortingAutoEncoder(
        10, image_prior=True, image_shape=(8, 8), **QUICK | {"min_steps": 5, "max_iter": 1}
    )
    assert [stage.name for stage in model.fit_stages(X)] == [
        stages.GRAPH, stages.LEARNT, stages.CHANGED_IMAGES
    ]  # fmt: skip


def test_another_effort_is_refused_with_the_two_there_are():
    with pytest.raises(InputError, match=r"effort.*full or fast"):
        SortingAutoEncoder(3, effort="quick").fit(np.eye(9))


def test_the_method_is_that_effort_with_its_own_epochs():
    assert BY_NAME["sorting-fast"].parameters == {"effort": "fast"}
    model = make_sorting("sorting-fast", 10, 3, load_dataset("digits"), 0)
    assert isinstance(model, estimator.SortingAutoEncoder)
    assert model.effort == "fast"
    assert [sorting_epochs(name) for name in ("sorting", "sorting-images", "sorting-fast")] == [
        12, 12, 3
    ]  # fmt: skip


@pytest.mark.usefixtures("no_umap")
def test_digits_are_sorted_as_well_as_their_graph_says():
    X, y = load_digits(return_X_y=True)
    model = SortingAutoEncoder(10, effort="fast", random_state=0).fit(X / 16)
    counts = np.zeros((10, 10), int)
    np.add.at(counts, (model.labels_, y), 1)
    assert counts.max(axis=1).sum() / len(y) > 0.9  # purity; KMeans of the pixels has .79
