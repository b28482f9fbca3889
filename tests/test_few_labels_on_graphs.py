"""The graph is exact, whole and shared; what is solved on it is the textbook's solution."""

from __future__ import annotations

import copy
import time

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from sklearn.datasets import load_digits, make_blobs, make_moons
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.neighbors import NearestNeighbors
from sklearn.semi_supervised import LabelSpreading

from ae_cluster.common.errors import InputError
from ae_cluster.graphs import knn_graph as graph_module
from ae_cluster.graphs import solver
from ae_cluster.graphs.knn_graph import TIE, neighbor_graph
from ae_cluster.semi_supervised.base import Labeling
from ae_cluster.semi_supervised.frozen.graph import GraphSpreading, PoissonLearning


def moons(n=300, n_labelled=6, seed=0):
    codes, truth = make_moons(n, noise=0.08, random_state=seed)
    y = np.full(n, -1)
    chosen = np.concatenate([np.flatnonzero(truth == c)[: n_labelled // 2] for c in (0, 1)])
    y[chosen] = truth[chosen]
    return codes, y, truth


# ---- the graph


@pytest.mark.parametrize("width", [3, 30])
def test_weights_are_those_of_the_paper(width):
    codes = np.random.default_rng(0).normal(size=(60, width))
    graph = neighbor_graph(codes, 5)
    distances = np.linalg.norm(codes[:, None] - codes, axis=2)
    expected = np.zeros((60, 60))
    for i, row in enumerate(distances):
        nearest = np.argsort(row)[1:6]
        expected[i, nearest] = np.exp(-4 * row[nearest] ** 2 / row[nearest[-1]] ** 2)

    assert np.allclose(graph.weights.toarray(), (expected + expected.T) / 2)
    assert np.allclose(graph.degrees, graph.weights.toarray().sum(axis=1))


def test_islands_are_tied_by_one_weak_edge_where_they_are_near():
    codes, part = make_blobs(90, centers=[[0, 0], [100, 0], [200, 0]], random_state=0)
    graph = neighbor_graph(codes, 5)
    between = sparse.coo_array(sparse.triu(graph.weights))
    crossing = part[between.row] != part[between.col]
    pairs = {frozenset((part[i], part[j])) for i, j in zip(between.row[crossing],
             between.col[crossing], strict=True)}  # fmt: skip

    assert connected_components(graph.weights)[0] == 1
    assert crossing.sum() == 2
    assert pairs == {frozenset((0, 1)), frozenset((1, 2))}
    assert np.allclose(between.data[crossing], TIE)


def test_many_islands_of_equal_samples_are_one_graph():
    codes = np.repeat(np.random.default_rng(0).normal(size=(400, 2)), 12, axis=0)
    graph = neighbor_graph(codes, 5)

    assert connected_components(graph.weights)[0] == 1
    assert graph.degrees.min() > 0
    assert np.isfinite(graph.weights.data).all()


def test_new_samples_are_attached_to_their_nearest():
    codes = np.random.default_rng(0).normal(size=(80, 3))
    new = np.random.default_rng(1).normal(size=(7, 3))
    ties = neighbor_graph(codes, 4).attach(new)
    nearest = NearestNeighbors(n_neighbors=4).fit(codes).kneighbors(new, return_distance=False)

    assert ties.shape == (7, 80)
    assert np.allclose(ties.sum(axis=1), 1)
    assert [set(ties[[i]].indices) for i in range(7)] == [set(row) for row in nearest]


def test_wide_codes_are_compared_in_their_principal_components():
    codes = np.random.default_rng(0).normal(size=(200, 80)) * np.r_[np.ones(40), np.zeros(40)]

    assert neighbor_graph(codes).search.positions.shape == (200, 50)
    same = neighbor_graph(codes[:, :40]).weights - neighbor_graph(codes).weights
    assert np.abs(same.toarray()).max() < 1e-8


def test_copies_of_a_classifier_share_the_graph():
    graph = neighbor_graph(np.eye(4))

    assert copy.deepcopy(graph) is graph


@pytest.mark.parametrize(
    ("codes", "k", "says"),
    [
        (np.ones((1, 2)), 5, "A graph of 1 sample"),
        (np.eye(3), 0, "with 0 neighbours"),
        (np.array([[np.nan], [1]]), 1, "NaN or infinite"),
    ],
)
def test_a_graph_that_cannot_be_made_says_why(codes, k, says):
    with pytest.raises(InputError, match=says):
        neighbor_graph(codes, k)


# ---- what is solved on it


def dense_poisson(graph, y):
    """Return u of L u = Σ (yⱼ − ȳ) δⱼ with Σ dᵢ uᵢ = 0, by a pseudo-inverse."""
    weights, d = graph.weights.toarray(), graph.degrees
    sources = np.zeros((len(y), y.max() + 1))
    sources[y >= 0] = np.eye(y.max() + 1)[y[y >= 0]]
    sources[y >= 0] -= sources[y >= 0].mean(axis=0)
    u = np.linalg.pinv(np.diag(d) - weights) @ sources
    return u - d @ u / d.sum()


def test_poisson_is_the_dense_solution():
    codes, y, _ = moons()
    model = PoissonLearning(tol=1e-6).fit(codes, y)
    expected = dense_poisson(model.graph_, y)
    found = model._state.scores
    factor = (expected * found).sum() / (found**2).sum()

    assert np.abs(found * factor - expected).max() < 1e-3 * np.abs(expected).max()
    assert (model.transduction_ == expected.argmax(axis=1)).all()
    assert np.abs(model.graph_.degrees @ found).max() < 1e-2 * np.abs(found).max()


def test_poisson_agrees_with_graphlearning():
    gl = pytest.importorskip("graphlearning", reason="the graphlearning package is not installed")
    images, truth = load_digits(return_X_y=True)
    codes = PCA(8, random_state=0).fit_transform(images[:900])
    truth = truth[:900]
    y = np.full(900, -1)
    for c in range(10):
        y[np.flatnonzero(truth == c)[:2]] = c
    ours = PoissonLearning(tol=1e-5).fit(codes, y)
    theirs = gl.ssl.poisson(sparse.csr_matrix(ours.graph_.weights), tol=1e-6)
    labelled = np.flatnonzero(y >= 0)

    assert (theirs.fit_predict(labelled, y[labelled]) == ours.transduction_).mean() > 0.995


def test_spreading_is_the_dense_solution():
    codes, y, _ = moons()
    model = GraphSpreading(alpha=0.99, tol=1e-6).fit(codes, y)
    roots = np.sqrt(model.graph_.degrees)
    similar = model.graph_.weights.toarray() / np.outer(roots, roots)
    one_hot = Labeling(y, 2).one_hot()
    expected = 0.01 * np.linalg.inv(np.eye(len(y)) - 0.99 * similar) @ one_hot
    expected /= expected.sum(axis=1, keepdims=True)

    assert np.abs(model._state.scores - expected).max() < 5e-3


def test_spreading_is_neither_worse_nor_slower_than_scikit_learns_on_the_same_graph():
    images, truth = load_digits(return_X_y=True)
    codes = np.tile(PCA(3, random_state=0).fit_transform(images), (4, 1))
    codes = codes + np.random.default_rng(0).normal(scale=0.3, size=codes.shape)
    truth = np.tile(truth, 4)
    y = np.full(len(truth), -1)
    for c in range(10):
        y[np.flatnonzero(truth == c)[:10]] = c
    graph = neighbor_graph(codes)
    ours = GraphSpreading(alpha=0.99, graph=graph)
    theirs = LabelSpreading(
        kernel=lambda _, __: sparse.csr_matrix(graph.weights), alpha=0.99, max_iter=3000
    )
    seconds, right = {}, {}
    for name, model in (("ours", ours), ("theirs", theirs)):
        start = time.process_time()
        model.fit(codes, y)
        seconds[name] = time.process_time() - start
        right[name] = (model.transduction_ == truth).mean()

    assert right["ours"] > right["theirs"] - 0.005
    assert seconds["ours"] < seconds["theirs"]


def test_all_draws_are_solved_in_one_go(monkeypatch):
    codes, y, _ = moons()
    calls = []

    def counted(*given):
        calls.append(given[1].shape[1])
        return solver.solve(*given)

    monkeypatch.setattr("ae_cluster.semi_supervised.frozen.graph.solve", counted)
    PoissonLearning().fit_many(codes, [y] * 5)

    assert calls == [5 * 2 * 2]  # five labelings, each with one held out, of two classes


def test_two_levels_take_far_fewer_steps_than_one():
    codes = np.random.default_rng(0).uniform(size=(4000, 2))
    system = solver.graph_system(neighbor_graph(codes))
    sides = np.zeros((4000, 1), np.float32)
    sides[[0, 1], 0] = np.array([1, -1]) / np.sqrt(neighbor_graph(codes).degrees[:2])
    _, steps = solver.solve(system, sides, 1e-3, 1000)
    plain = system._replace(coarse_inverse=np.zeros_like(system.coarse_inverse))
    _, plain_steps = solver.solve(plain, sides, 1e-3, 1000)

    assert 2 * steps < plain_steps


def test_too_few_steps_are_a_warning():
    codes, y, _ = moons()

    with pytest.warns(ConvergenceWarning, match="not settled after 2 steps; raise max_iter or tol"):
        PoissonLearning(max_iter=2).fit(codes, y)


def test_given_shares_of_the_classes_are_met():
    codes, y, truth = moons(400)
    keep = (truth == 0) | (np.arange(400) % 4 == 0)  # four to one
    codes, y, truth = codes[keep], y[keep], truth[keep]
    shares = np.bincount(truth) / len(truth)
    told = PoissonLearning(class_priors=shares).fit(codes, y)

    assert np.allclose(told.label_distributions_.mean(axis=0), shares, atol=0.01)
    assert (told.transduction_ == truth).mean() > 0.95


def test_a_label_reaches_every_island():
    codes, truth = make_blobs(300, centers=[[0, 0], [40, 0], [80, 0]], random_state=0)
    y = np.full(300, -1)
    for c in (0, 2):
        y[np.flatnonzero(truth == c)[0]] = c
    for model in (PoissonLearning(), GraphSpreading()):
        shares = model.fit(codes, y).label_distributions_
        assert np.isfinite(shares).all()
        assert (model.transduction_[truth != 1] == truth[truth != 1]).all()


def test_scipys_graph_routines_are_given_short_indices(monkeypatch):
    given = []
    for name in ("connected_components", "minimum_spanning_tree"):
        routine = getattr(graph_module, name)

        def spy(weights, *rest, routine=routine, **options):
            given.append((routine.__name__, weights.indices.dtype, weights.indptr.dtype))
            return routine(weights, *rest, **options)

        monkeypatch.setattr(graph_module, name, spy)
    codes, _ = make_blobs(300, centers=[[0, 0], [40, 0], [80, 0]], random_state=0)
    neighbor_graph(codes)

    # scipy 1.12 to 1.17.0 end in "Buffer dtype mismatch" with int64.
    assert {name for name, *_ in given} == {"connected_components", "minimum_spanning_tree"}
    assert {dtype for _, *dtypes in given for dtype in dtypes} == {np.dtype(np.int32)}


def equal_rows(n_rows, n=1000):
    """Return samples of which there are few distinct ones, each a class with one label."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, n_rows, n)
    y = np.full(n, -1)
    y[[np.flatnonzero(truth == c)[0] for c in range(n_rows)]] = np.arange(n_rows)
    return rng.normal(size=(n_rows, 5))[truth], y, truth


@pytest.mark.parametrize("n_rows", [2, 3, 7, 20])
@pytest.mark.parametrize("priors", [None, "balanced"])
def test_labels_cross_from_one_heap_of_equal_rows_to_the_next(n_rows, priors):
    codes, y, truth = equal_rows(n_rows)
    model = PoissonLearning(class_priors=priors).fit(codes, y)  # a warning would be an error

    assert (model.predict(codes) == truth).all()


def test_what_single_precision_cannot_tell_is_still_the_dense_solution():
    codes, y, _ = equal_rows(7)
    model = PoissonLearning().fit(codes, y)
    expected, found = dense_poisson(model.graph_, y), model._state.scores
    factor = (expected * found).sum() / (found**2).sum()

    assert np.abs(found * factor - expected).max() < 0.01 * np.abs(expected).max()
