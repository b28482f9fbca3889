"""The parts of `SortingAutoEncoder`, by hand and against naive second implementations."""

import itertools
import math

import numpy as np
import pytest
from scipy import sparse
from scipy.linalg import block_diag
from scipy.spatial.distance import pdist
from sklearn.datasets import load_digits, make_blobs
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import StandardScaler

from ae_cluster.clustering.sorting import SortingAutoEncoder, graph_clustering, information
from ae_cluster.clustering.sorting.candidates import (
    nearest_graph,
    nearest_neighbors,
    shared_neighbor_graph,
)
from ae_cluster.clustering.sorting.centers import neighborly, spread_centers
from ae_cluster.clustering.sorting.graph_clustering import effective_number, first_clusters
from ae_cluster.clustering.sorting.information import (
    deepest_cut,
    edge_shares,
    merged,
    merging_gains,
    neighbor_information,
    refined,
    tells_more,
)


def two_cliques():
    """Give two groups of four, all tied within their group and by one edge across."""
    weights = np.zeros((8, 8))
    weights[:4, :4] = weights[4:, 4:] = 1
    weights[3, 4] = weights[4, 3] = 1
    np.fill_diagonal(weights, 0)
    return sparse.csr_array(weights)


# Information between neighbours


def test_edges_between_clusters_are_counted_by_hand():
    shares = edge_shares(two_cliques(), np.repeat([0, 1], 4), 2)
    np.testing.assert_allclose(shares * 26, [[12, 1], [1, 12]])


def test_groups_without_an_edge_between_them_tell_everything():
    weights = two_cliques().toarray()
    weights[3, 4] = weights[4, 3] = 0
    information = neighbor_information(sparse.csr_array(weights), np.repeat([0, 1], 4), 2)
    assert information == pytest.approx(math.log(2))


def test_one_cluster_tells_nothing():
    assert neighbor_information(two_cliques(), np.zeros(8, dtype=int), 1) == pytest.approx(0)


def test_evenness_counts_the_entropy_of_the_shares_less():
    clusters = np.repeat([0, 1, 2], [4, 3, 1])
    ends = np.array([13, 10, 3]) / 26  # edges' ends, counted by hand
    entropy = -(ends * np.log(ends)).sum()
    whole, half = (neighbor_information(two_cliques(), clusters, 3, e) for e in (1, 0.5))
    assert whole - half == pytest.approx(entropy / 2)
    assert neighbor_information(two_cliques(), clusters, 3, 0) < 0  # what a cut costs


def test_the_deepest_cut_is_counted_by_hand():
    graph = two_cliques()
    assert deepest_cut(graph, np.repeat([0, 1], 4), 2) == pytest.approx(1 / 13)
    # 3 and 4 edges' ends of 9 of the fourth sample's lead to the other two clusters.
    clusters = np.repeat([0, 1, 2], [3, 1, 4])
    assert deepest_cut(graph, clusters, 3) == pytest.approx(3 / math.sqrt(9 * 4))
    assert deepest_cut(graph, np.zeros(8, dtype=int), 2) == 0  # an empty cluster is no cut


def test_the_gain_of_a_merging_is_the_difference_of_two_informations():
    rng = np.random.default_rng(0)
    weights = rng.random((40, 40)) ** 4
    graph, clusters = sparse.csr_array(weights + weights.T), rng.integers(0, 5, 40)
    gains = merging_gains(edge_shares(graph, clusters, 5), 0.3)
    before = neighbor_information(graph, clusters, 5, 0.3)
    for a, b in itertools.permutations(range(5), 2):
        together = np.where(clusters == a, b, clusters)
        after = neighbor_information(graph, together, 5, 0.3)
        assert gains[a, b] == pytest.approx(after - before)


def test_pieces_of_two_crowds_are_merged_into_these():
    weights = two_cliques()
    pieces = np.array([4, 0, 0, 2, 3, 1, 3, 1])
    clusters = merged(weights, pieces, 5, 2)
    assert adjusted_rand_score(np.repeat([0, 1], 4), clusters) == 1
    assert set(clusters) == {0, 1}
    np.testing.assert_array_equal(merged(weights, pieces, 5, 5), pieces)


def test_what_tells_more_depends_on_how_much_evenness_counts():
    # One crowd of 120 and one of 6: cutting the large one makes two of a size.
    ring = np.roll(np.eye(120), 1, axis=1)
    weights = block_diag(ring + ring.T, np.ones((6, 6)) - np.eye(6))
    graph, uneven = sparse.csr_array(weights), np.repeat([0, 1], [120, 6])
    even = np.repeat([0, 1, 1], [62, 58, 6])
    assert tells_more(graph, even, uneven, 2)
    assert tells_more(graph, uneven, even, 2, evenness=0.01)


def test_information_against_a_sum_over_all_edges():
    rng = np.random.default_rng(0)
    weights = rng.random((30, 30))
    weights += weights.T
    clusters = rng.integers(0, 3, 30)
    joint = np.zeros((3, 3))
    for i in range(30):
        for j in range(30):
            joint[clusters[i], clusters[j]] += weights[i, j] / weights.sum()
    expected = sum(
        joint[a, b] * math.log(joint[a, b] / joint[a].sum() / joint[:, b].sum())
        for a in range(3)
        for b in range(3)
    )
    found = neighbor_information(sparse.csr_array(weights), clusters, 3)
    assert found == pytest.approx(expected)
    renamed = np.array([2, 0, 1])[clusters]
    assert neighbor_information(sparse.csr_array(weights), renamed, 3) == pytest.approx(found)


def test_a_sample_among_strangers_is_moved_home():
    astray = np.repeat([0, 1], 4)
    astray[0] = 1
    np.testing.assert_array_equal(refined(two_cliques(), astray, 2).clusters, np.repeat([0, 1], 4))


def test_refining_tells_how_it_ended(monkeypatch):
    astray = np.repeat([0, 1], 4)
    astray[0] = 1

    found = refined(two_cliques(), astray, 2)
    assert found.converged
    assert found.n_iter == 1
    assert refined(two_cliques(), found.clusters, 2).n_iter == 0
    monkeypatch.setattr(information, "MAX_ITER", 1)
    assert not refined(two_cliques(), astray, 2).converged


@pytest.mark.heavy
@pytest.mark.filterwarnings("ignore::ae_cluster.HealthWarning")  # so short a training
def test_a_fit_in_stages_is_the_same_fit():
    x, _ = load_digits(return_X_y=True)
    x = x[:120] / 16
    parameters = {"image_prior": True, "max_iter": 1, "min_steps": 5, "random_state": 0}
    whole = SortingAutoEncoder(3, **parameters).fit(x)
    model = SortingAutoEncoder(3, **parameters)

    stages = list(model.fit_stages(x))

    assert [stage.name for stage in stages] == ["graph", "small steps", "changed images"]
    np.testing.assert_array_equal(stages[0].memberships.argmax(1), whole.first_labels_)
    np.testing.assert_array_equal(stages[2].memberships.argmax(1), whole.labels_)
    np.testing.assert_array_equal(model.transform(x), whole.transform(x))


def test_a_sure_gain_is_told_from_a_lucky_one():
    apart = sparse.block_diag([two_cliques()] * 20, format="csr")
    right, astray = np.tile(np.repeat([0, 1], 4), 20), np.tile(np.repeat([0, 1], 4), 20)
    astray[0] = 1  # one sample of 160: no more than chance
    assert not tells_more(apart, right, astray, 2)
    assert tells_more(apart, right, np.tile([0, 1], 80), 2)
    assert not tells_more(apart, np.tile([0, 1], 80), right, 2)
    assert not tells_more(apart, right, 1 - right, 2)
    # Six samples astray: surer than two standard errors of 160, less sure than ten.
    astray[:6] = 1 - right[:6]
    assert tells_more(apart, right, astray, 2)
    assert not tells_more(apart, right, astray, 2, sure=10)


def test_polishing_never_loses_information():
    rng = np.random.default_rng(1)
    graph = shared_neighbor_graph(nearest_neighbors(rng.normal(size=(200, 3)), 10)[1])
    clusters = rng.integers(0, 4, 200)
    before = neighbor_information(graph, clusters, 4)
    assert neighbor_information(graph, refined(graph, clusters, 4).clusters, 4) >= before


# Graphs


@pytest.fixture(scope="module")
def neighbors():
    return nearest_neighbors(np.random.default_rng(2).normal(size=(40, 3)), 6)


def test_shared_neighbors_against_sets(neighbors):
    lists = [{i, *row} for i, row in enumerate(neighbors[1].tolist())]
    graph = shared_neighbor_graph(neighbors[1]).toarray()
    for i in range(40):
        for j in set(range(40)) - {i}:
            tied = j in lists[i] or i in lists[j]
            expected = len(lists[i] & lists[j]) / len(lists[i] | lists[j]) if tied else 0
            assert graph[i, j] == pytest.approx(expected)


def test_nearest_graph_counts_both_ways(neighbors):
    lists = [set(row) for row in neighbors[1].tolist()]
    graph = nearest_graph(neighbors[1]).toarray()
    expected = [[(j in lists[i]) + (i in lists[j]) for j in range(40)] for i in range(40)]
    np.testing.assert_array_equal(graph, expected)


def test_crowds_that_kmeans_cannot_tell_are_told():
    angle = np.random.default_rng(3).uniform(0, 2 * np.pi, 400)
    radius = np.repeat([1.0, 4.0], 200)[:, None]
    rings = radius * np.stack([np.cos(angle), np.sin(angle)], 1)
    found = nearest_neighbors(rings, 10)
    clusters = first_clusters(rings, found, 2, seed=0)
    assert len(set(clusters[:200])) == len(set(clusters[200:])) == 1
    assert clusters[0] != clusters[-1]


def test_unequal_crowds_are_looked_for_among_duplicates_too():
    rng = np.random.default_rng(0)
    samples = rng.random((6, 4))[rng.choice(6, 150, p=[0.5, 0.3, 0.1, 0.05, 0.03, 0.02])]
    clusters = first_clusters(samples, nearest_neighbors(samples, 15), 5, seed=0)
    assert set(clusters) <= set(range(5))


def test_of_clusterings_that_tell_as_much_the_simple_one_stays():
    graph = sparse.block_diag([two_cliques()] * 20, format="csr")
    right = np.tile(np.repeat([0, 1], 4), 20)
    lucky = right.copy()
    lucky[0] = 1  # and back by refining: the same information
    mixed = np.tile([0, 1], 80)
    chosen = graph_clustering._best_of_few(graph, [mixed, right], [lucky], 2)
    np.testing.assert_array_equal(chosen, right)
    chosen = graph_clustering._best_of_few(graph, [mixed], [lucky], 2)
    np.testing.assert_array_equal(chosen, right)


def test_clusters_of_a_gap_stay_beside_any_of_more_information():
    sizes = [40, 4, 4]  # cliques, with nothing between them
    graph = sparse.csr_array(block_diag(*[1 - np.eye(n) for n in sizes]))
    gaps = np.repeat([0, 1, 2], sizes)
    cut = np.repeat([0, 1, 2], [20, 20, 8])  # halves the dense region: of sizes more alike
    assert neighbor_information(graph, gaps, 3) < neighbor_information(graph, cut, 3) + 0.6
    chosen = graph_clustering._best_of_few(graph, [cut], [gaps], 3)
    np.testing.assert_array_equal(chosen, gaps)


def test_one_cluster_less_is_no_gap():
    graph = sparse.csr_array(two_cliques())
    whole, halves = np.zeros(8, dtype=int), np.repeat([0, 1], 4)
    np.testing.assert_array_equal(
        graph_clustering._best_of_few(graph, [whole], [halves], 2), halves
    )


def test_three_samples_make_two_clusters_without_a_warning():
    samples = np.random.default_rng(0).normal(size=(3, 3))
    clusters = first_clusters(samples, nearest_neighbors(samples, 2), 2, seed=0)
    assert set(clusters) == {0, 1}


@pytest.mark.parametrize("sizes", [(900, 90, 60), (1000, 100, 100, 100)])
@pytest.mark.heavy
def test_a_large_crowd_beside_small_ones_is_not_cut(sizes):
    centers = np.zeros((len(sizes), 5))
    centers[1:, 0] = 14
    centers[1:, 1:] += 5 * np.eye(len(sizes) - 1, 4)
    crowds, truth = make_blobs(sizes, centers=centers, random_state=0)
    for samples in (crowds, StandardScaler().fit_transform(crowds)):
        neighbors = nearest_neighbors(samples, 15)
        clusters = first_clusters(samples, neighbors, len(sizes), seed=0)
        assert adjusted_rand_score(truth, clusters) > 0.99


@pytest.mark.parametrize("is_thorough", [False, True])
@pytest.mark.parametrize("sizes", [(6200,) * 5, (20000, 6000, 3000, 1400, 700)])
@pytest.mark.heavy
def test_crowds_of_very_many_samples_are_told_from_some_thousand(sizes, is_thorough):
    crowds, truth = make_blobs(sizes, centers=6 * np.eye(5, 6), random_state=0)
    assert len(crowds) > graph_clustering.UMAP_UP_TO
    neighbors = nearest_neighbors(crowds, 15)
    clusters = first_clusters(crowds, neighbors, 5, 0, is_thorough)
    assert adjusted_rand_score(truth, clusters) > 0.99


def test_classes_of_one_size_stay_so_though_deep_cuts_lead_through_few_samples():
    images = load_digits().data[np.random.default_rng(0).permutation(1797)[:400]] / 16
    neighbors = nearest_neighbors(images, 15)
    clusters = first_clusters(images, neighbors, 10, seed=0)
    assert deepest_cut(nearest_graph(neighbors[1][:, :5]), clusters, 10) > 0.03
    assert effective_number(clusters) > 9.5


def test_the_effective_number_of_clusters_of_one_size_is_their_number():
    assert effective_number(np.repeat(range(4), 5)) == pytest.approx(4)
    # By hand: 1/2, 1/4, 1/4 has an entropy of 1.5 bits.
    assert effective_number(np.array([0, 0, 1, 3])) == pytest.approx(2**1.5)


# Places


@pytest.mark.parametrize(("k", "edge"), [(2, 2.0), (4, math.sqrt(8 / 3)), (6, math.sqrt(2))])
def test_a_few_centers_make_the_known_solids(k, edge):
    centers = spread_centers(k, 3)
    np.testing.assert_allclose(np.linalg.norm(centers, axis=1), 1)
    assert pdist(centers).min() == pytest.approx(edge, abs=1e-3)


def test_on_a_line_centers_keep_equal_steps():
    np.testing.assert_allclose(spread_centers(5, 1).ravel(), [-1, -0.5, 0, 0.5, 1])


def test_alike_clusters_become_neighbors():
    alike = np.zeros((5, 5))
    alike[0, 4] = alike[4, 0] = 1
    line = spread_centers(5, 1)
    ordered = neighborly(line, alike)
    assert abs(ordered[0] - ordered[4]) == pytest.approx(0.5)
    np.testing.assert_allclose(np.sort(ordered, axis=0), line)
