"""Internal scores and neighbour accuracy: scores that look at the codes."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest

from ae_cluster.common.errors import InputError
from ae_cluster.metrics.codes import internal_scores, neighbor_accuracy


def two_blobs(n=60, apart=10.0, seed=0):
    rng = np.random.default_rng(seed)
    ids = np.arange(n) % 2
    return rng.normal(size=(n, 3)) + apart * ids[:, None], ids


def naive_silhouette(points, ids):
    scores = []
    for i, point in enumerate(points):
        far = np.linalg.norm(points - point, axis=1)
        own = (ids == ids[i]) & (np.arange(len(ids)) != i)
        if not own.any():
            scores.append(0.0)
            continue
        inside = far[own].mean()
        outside = min(far[ids == c].mean() for c in set(ids) - {ids[i]})
        scores.append((outside - inside) / max(inside, outside))
    return np.mean(scores)


def naive_davies_bouldin(points, ids):
    groups = [points[ids == c] for c in np.unique(ids)]
    centers = [g.mean(axis=0) for g in groups]
    widths = [np.linalg.norm(g - m, axis=1).mean() for g, m in zip(groups, centers, strict=True)]
    k = range(len(groups))
    worst = [
        max((widths[i] + widths[j]) / np.linalg.norm(centers[i] - centers[j]) for j in k if j != i)
        for i in k
    ]
    return np.mean(worst)


def naive_calinski_harabasz(points, ids):
    between = within = 0.0
    for c in np.unique(ids):
        group = points[ids == c]
        between += len(group) * np.sum((group.mean(axis=0) - points.mean(axis=0)) ** 2)
        within += np.sum((group - group.mean(axis=0)) ** 2)
    k = len(np.unique(ids))
    return between / within * (len(ids) - k) / (k - 1)


def test_internal_scores_agree_with_naive_ones():
    points = np.random.default_rng(0).normal(size=(50, 3)) * [1, 5, 20] + 100
    ids = np.random.default_rng(1).integers(-1, 4, 50)
    scores = internal_scores(points, ids)

    assert scores["silhouette"] == pytest.approx(naive_silhouette(points, ids))
    assert scores["davies_bouldin"] == pytest.approx(naive_davies_bouldin(points, ids))
    assert scores["calinski_harabasz"] == pytest.approx(naive_calinski_harabasz(points, ids))


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e9])
def test_internal_scores_do_not_depend_on_the_unit_of_the_codes(scale):
    points, ids = two_blobs()

    assert internal_scores(points * scale, ids) == pytest.approx(internal_scores(points, ids))


def test_internal_scores_prefer_the_true_blobs_to_a_random_cut():
    points, ids = two_blobs()
    good = internal_scores(points, ids)
    bad = internal_scores(points, np.random.default_rng(0).permutation(ids))

    assert good["silhouette"] > 0.7 > 0.1 > bad["silhouette"]
    assert good["davies_bouldin"] < bad["davies_bouldin"]
    assert good["calinski_harabasz"] > bad["calinski_harabasz"]


@pytest.mark.parametrize(
    ("points", "ids"),
    [
        (two_blobs()[0], np.zeros(60, int)),
        (two_blobs()[0], np.full(60, -1)),
        (two_blobs()[0], np.arange(60)),
        (np.full((60, 3), 0.1), two_blobs()[1]),
        (np.zeros((1, 3)), np.zeros(1, int)),
    ],
    ids=["one cluster", "all noise", "each its own", "constant codes", "one sample"],
)
def test_internal_scores_of_a_degenerate_clustering_are_nan(points, ids):
    scores = internal_scores(points, ids)

    assert list(scores) == ["silhouette", "davies_bouldin", "calinski_harabasz"]
    assert all(math.isnan(value) for value in scores.values())


def test_a_silhouette_sample_that_misses_all_but_one_cluster_is_nan_not_an_error():
    points, ids = two_blobs(200)
    ids = np.zeros_like(ids)
    ids[17] = 1

    assert math.isnan(internal_scores(points, ids, sample_size=3)["silhouette"])


def test_the_silhouette_sample_is_seeded_and_close_to_the_whole():
    points, ids = two_blobs(3000, apart=2)
    whole = internal_scores(points, ids)["silhouette"]
    first, again, other = (
        internal_scores(points, ids, sample_size=500, random_state=s)["silhouette"]
        for s in (0, 0, 1)
    )

    assert first == again != other
    assert first == pytest.approx(whole, abs=0.05)


@pytest.mark.parametrize(
    ("codes", "clusters", "says"),
    [
        (np.zeros((3, 2)), [0, 1], "codes has 3 samples and clusters has 2"),
        (np.zeros(3), [0, 1, 1], "n_components"),
        ([[0.0], [np.nan]], [0, 1], "NaN or infinite"),
        (np.zeros((0, 3)), [], "empty"),
    ],
)
def test_internal_scores_name_bad_input(codes, clusters, says):
    with pytest.raises(InputError, match=says):
        internal_scores(codes, clusters)


def naive_neighbor_accuracy(train, labels, test, truth, n_neighbors):
    right = 0
    for point, true in zip(test, truth, strict=True):
        nearest = np.argsort(np.linalg.norm(train - point, axis=1))[:n_neighbors]
        right += np.bincount(labels[nearest]).argmax() == true
    return right / len(truth)


def test_neighbor_accuracy_agrees_with_a_naive_vote():
    train, labels = two_blobs(80, apart=1)
    test, truth = two_blobs(60, apart=1, seed=1)

    assert neighbor_accuracy(train, labels, test, truth) == pytest.approx(
        naive_neighbor_accuracy(train, labels, test, truth, 10)
    )
    assert neighbor_accuracy(train, labels, train, labels, n_neighbors=1) == 1


def test_neighbor_accuracy_leaves_out_unknown_labels_on_both_sides():
    train, labels = [[0.0], [1.0], [0.05]], [0, 1, -1]

    assert neighbor_accuracy(train, labels, [[0.1], [0.9], [0.2]], [0, 1, -1], 1) == 1
    assert math.isnan(neighbor_accuracy(train, [-1, -1, -1], [[0.0]], [0]))
    assert math.isnan(neighbor_accuracy(train, labels, [[0.0]], [-1]))


def test_neighbor_accuracy_asks_no_more_neighbors_than_there_are():
    assert neighbor_accuracy([[0.0], [1.0], [1.1]], [0, 1, 1], [[0.0]], [1]) == 1


def test_neighbor_accuracy_with_few_samples_per_class_raises_no_warning():
    codes = np.arange(30.0)[:, None]

    assert neighbor_accuracy(codes, np.arange(30), codes, np.arange(30), n_neighbors=1) == 1


def test_neighbor_accuracy_of_mnist_sized_codes_is_fast():
    rng = np.random.default_rng(0)
    train, test = rng.normal(size=(60_000, 3)), rng.normal(size=(10_000, 3))
    start = time.process_time()
    value = neighbor_accuracy(train, train[:, 0] > 0, test, test[:, 0] > 0)

    assert time.process_time() - start < 2  # brute force takes many times that
    assert value > 0.9
