"""Collapse is found where it is, and nowhere else."""

from __future__ import annotations

import time

import numpy as np
import pytest

from ae_cluster.training.diagnostics import (
    dead_dimensions,
    dominant_cluster,
    duplicate_clusters,
    empty_clusters,
    error_beside_mean_image,
    findings,
    is_unsure,
    saturated_units,
)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def healthy(rng):
    """Give everything a healthy training would show: four clusters of fifty."""
    clusters = np.repeat(np.arange(4), 50)
    centers = np.array([[0, 0, 0], [9, 0, 1], [0, 9, 2], [9, 9, 3]], dtype=float)
    images = rng.random((200, 16))
    return {
        "codes": centers[clusters] + rng.normal(size=(200, 3)),
        "activations": [(np.tanh(rng.normal(size=(200, 6))), -1, 1)],
        "clusters": clusters,
        "n_clusters": 4,
        "soft": np.eye(4)[clusters],
        "centers": centers,
        "images": images,
        "reconstructions": images + rng.normal(0, 0.1, images.shape),
    }


def test_nothing_is_said_of_what_is_well(healthy):
    assert findings(**healthy) == []
    assert findings() == []


def collapsed(healthy, name):
    """Return the arrays with one of them collapsed."""
    codes, images = healthy["codes"], healthy["images"]
    change = {
        "one dimension": {"codes": codes * [1, 0, 1]},
        "all dimensions": {"codes": np.full_like(codes, 3.7), "centers": None},
        "saturated": {"activations": [(np.sign(np.arange(6.0) - 2.5) * np.ones((200, 6)), -1, 1)]},
        "empty": {"clusters": np.minimum(healthy["clusters"], 2)},
        "eaten": {"clusters": np.r_[np.arange(4), np.zeros(196, int)]},
        "duplicate": {"centers": healthy["centers"][[0, 1, 0, 3]]},
        "unsure": {"soft": np.full((200, 4), 0.25)},
        "mean image": {"reconstructions": np.broadcast_to(images.mean(axis=0), images.shape)},
    }
    return healthy | change[name]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("one dimension", "Code dimension 1 is the same for every sample (dead)."),
        ("all dimensions", "All samples have the same code: the encoder tells nothing apart."),
        ("saturated", "Hidden layer 1 is saturated: 6 of its 6 units"),
        ("empty", "Cluster 3 is empty, of 4 asked for."),
        ("eaten", "Cluster 0 holds 98% of all samples."),
        ("duplicate", "Clusters 0 and 2 have the same center (duplicates)."),
        ("unsure", "Every sample belongs to all clusters alike: the clustering says nothing."),
        ("mean image", "Reconstructions are no better than the mean image (1.00 of its"),
    ],
)
def test_each_collapse_is_said_in_one_sentence(healthy, name, said, assert_one_sentence):
    (sentence,) = findings(**collapsed(healthy, name))

    assert sentence.startswith(said)
    assert_one_sentence(sentence)


@pytest.mark.parametrize(
    ("n_clusters", "said"),
    [
        (1, []),
        (2, ["Cluster 1 is empty, of 2 asked for."]),
        (4, ["Clusters 1, 2 and 3 are empty, of 4 asked for."]),
        (9, ["8 clusters (1, 2, 3, 4, 5, …) are empty, of 9 asked for."]),
    ],
)
def test_empty_clusters_are_named(n_clusters, said):
    sentences = findings(clusters=np.zeros(10, int), n_clusters=n_clusters)

    assert sentences[: len(said)] == said
    assert bool(said) == any("% of all samples" in sentence for sentence in sentences)


def test_many_duplicates_are_counted():
    (sentence,) = findings(codes=np.eye(3), centers=np.ones((5, 3)))

    assert "4 and 4" not in sentence
    assert "and 5 pairs more have the same center" in sentence


# ---- the signs, counted by hand


def test_a_dimension_far_narrower_than_the_widest_is_dead(rng):
    codes = rng.normal(size=(1000, 3)) * [1, 1e-4, 0.01]

    assert dead_dimensions(codes) == [1]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rounding_is_not_life(dtype):
    codes = np.full((100, 2), 1 / 3, dtype) + np.zeros((100, 2), dtype)
    codes[::2, 0] = np.nextafter(codes[0, 0], dtype(1))

    assert dead_dimensions(codes) == [0, 1]


def test_units_at_a_bound_are_saturated():
    tanh = np.array([[1, -1, 0.2, 0.999], [1, -1, -0.3, -0.999]])
    relu = np.array([[0, 0, 1.0, 0.1], [0, 5, 2.0, 0.1]])

    assert saturated_units(tanh, -1, 1) == [0, 1]
    assert saturated_units(relu, 0, np.inf) == [0]


def test_half_a_relu_layer_may_be_idle(rng):
    layer = np.maximum(rng.normal(size=(100, 20)), 0) * (np.arange(20) % 2)

    assert len(saturated_units(layer, 0, np.inf)) == 10
    assert findings(activations=[(layer, 0, np.inf)]) == []


@pytest.mark.parametrize(
    ("sizes", "found"),
    [
        ([90, 10], None),  # two clusters may well be uneven
        ([96, 4], (0, 0.96)),
        ([10, 51, 5, 5, 5, 5, 5, 5, 5, 4], (1, 0.51)),
        ([50, 10, 5, 5, 5, 5, 5, 5, 5, 5], None),
        ([100], None),
    ],
)
def test_a_cluster_that_eats_the_others(sizes, found):
    assert dominant_cluster(np.repeat(np.arange(len(sizes)), sizes), len(sizes)) == found


def test_noise_belongs_to_no_cluster():
    clusters = np.array([-1, -1, 0, 2])

    assert empty_clusters(clusters, 3) == [1]
    assert dominant_cluster(clusters, 3) is None


def test_duplicates_are_measured_by_the_spread_of_the_codes(rng):
    centers = np.array([[0.0, 0], [0.01, 0], [5, 5]])

    assert duplicate_clusters(centers, rng.normal(size=(100, 2))) == [(0, 1)]
    assert duplicate_clusters(centers, 1e-3 * rng.normal(size=(100, 2))) == []


def test_soft_assignments_of_one_cluster_are_not_unsure():
    assert not is_unsure(np.ones((5, 1)))
    assert not is_unsure(np.array([[0.6, 0.4], [0.1, 0.9]]))
    assert is_unsure(np.array([[0.51, 0.49], [0.5, 0.5]]))


def test_one_and_the_same_image_cannot_be_drawn_worse_than_its_mean():
    assert error_beside_mean_image(np.ones((4, 2)), np.zeros((4, 2))) == 0
    assert error_beside_mean_image(np.eye(2), np.eye(2)) == 0
    assert error_beside_mean_image(np.eye(2), np.full((2, 2), 0.5)) == 1


@pytest.mark.alone
def test_60_000_codes_are_examined_in_50_ms(rng):
    codes = rng.normal(size=(60_000, 3)).astype(np.float32)
    clusters = rng.integers(0, 10, 60_000)
    arrays = {"codes": codes, "clusters": clusters, "n_clusters": 10, "centers": codes[:10]}
    arrays["soft"] = rng.random((60_000, 10), dtype=np.float32)

    def seconds():
        start = time.perf_counter()
        findings(**arrays)
        return time.perf_counter() - start

    assert min(seconds() for _ in range(5)) < 0.05
