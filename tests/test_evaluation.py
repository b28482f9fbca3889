"""Scores as laws, and against naive second implementations."""

from __future__ import annotations

import inspect
import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ae_cluster.metrics import class_errors, clustering
from ae_cluster.metrics.clustering import (
    accuracy,
    accuracy_matched,
    ami,
    ari,
    class_map,
    completeness,
    confusion_matrix,
    homogeneity,
    nmi,
    purity,
    v_measure,
)


def self_mapped_accuracy(labels_true, clusters):
    return accuracy(labels_true, clusters, class_map(labels_true, clusters))


# The scores of (labels_true, clusters); OTHERS have cases by hand or tests of their own.
SCORES = {
    "accuracy": self_mapped_accuracy,
    "accuracy_matched": accuracy_matched,
    "purity": purity,
    "nmi": nmi,
    "ami": ami,
    "ari": ari,
    "homogeneity": homogeneity,
    "completeness": completeness,
    "v_measure": v_measure,
}
COUNTED = {"accuracy", "accuracy_matched", "purity"}
OTHERS = {
    "apply_class_map",
    "class_map",
    "matched_columns",
    "matched_map",
    "confusion_matrix",
    "crosstab",
    "external_scores",
    "per_class_recall",
    "without_noise",
}
every_score = pytest.mark.parametrize("score", SCORES.values(), ids=SCORES)


def test_every_public_function_is_listed():
    public = {
        name
        for name, function in inspect.getmembers(clustering, inspect.isfunction)
        if function.__module__ == clustering.__name__ and not name.startswith("_")
    }

    assert public == SCORES.keys() | OTHERS


@st.composite
def clusterings(draw, smallest=0, max_size=40):
    """Labels and clusters of equal length; −1 among both when ``smallest`` is −1."""
    n = draw(st.integers(1, max_size))
    ids = st.lists(st.integers(smallest, 4), min_size=n, max_size=n)
    return np.array(draw(ids)), np.array(draw(ids))


def renamed(clusters, new_names):
    return np.array([-1 if c == -1 else new_names[c] for c in clusters])


repeated = settings(max_examples=25, deadline=None, derandomize=True)
RENAMING = st.permutations([0, 1, 2, 3, 4, 17, 250])

# ---- laws


@given(pair=clusterings())
@settings(max_examples=100, deadline=None, derandomize=True)
def test_what_is_neither_merged_nor_split_is_at_least_half_right(pair):
    labels, clusters = pair
    merged = class_errors.merged_classes(labels, clusters)
    if not merged and not class_errors.split_classes(labels, clusters):
        assert accuracy_matched(labels, clusters) >= 0.5


@every_score
@given(pair=clusterings(smallest=-1), new_names=RENAMING)
@repeated
def test_renaming_clusters_changes_no_score(score, pair, new_names):
    labels, clusters = pair
    before, after = score(labels, clusters), score(labels, renamed(clusters, new_names))

    assert after == pytest.approx(before, nan_ok=True)


@every_score
@given(pair=clusterings(smallest=-1), seed=st.integers(0, 99))
@repeated
def test_the_order_of_samples_changes_no_score(score, pair, seed):
    labels, clusters = pair
    order = np.random.default_rng(seed).permutation(len(labels))

    assert score(labels[order], clusters[order]) == pytest.approx(
        score(labels, clusters), nan_ok=True
    )


@every_score
@given(pair=clusterings(), new_names=RENAMING)
@repeated
def test_perfect_is_one(score, pair, new_names):
    labels, _ = pair

    assert score(labels, renamed(labels, new_names)) == pytest.approx(1)


@every_score
@given(pair=clusterings())
@repeated
def test_no_score_passes_one_and_only_adjusted_ones_pass_below_zero(score, pair):
    value = score(*pair)

    assert value <= 1 + 1e-9
    assert score in (ami, ari) or value >= 0


@pytest.mark.parametrize("score", [nmi, ami, ari, v_measure])
@given(pair=clusterings())
@repeated
def test_agreement_is_symmetric(score, pair):
    assert score(*pair) == pytest.approx(score(*reversed(pair)), abs=1e-9)


def test_purity_and_accuracy_are_not_symmetric():
    one_class, two_clusters = [0, 0, 0, 0], [0, 0, 1, 1]

    assert purity(one_class, two_clusters) == 1
    assert purity(two_clusters, one_class) == 0.5


@given(pair=clusterings(smallest=-1))
@repeated
def test_matched_never_passes_purity_which_is_the_accuracy_of_a_map_learnt_in_place(pair):
    labels, clusters = pair
    assume((labels != -1).any())

    assert accuracy_matched(labels, clusters) <= purity(labels, clusters)
    assert self_mapped_accuracy(labels, clusters) == pytest.approx(purity(labels, clusters))


@given(pair=clusterings())
@repeated
def test_homogeneity_and_completeness_swap_and_meet_in_v_measure(pair):
    labels, clusters = pair
    h, c = homogeneity(labels, clusters), completeness(labels, clusters)

    assert homogeneity(clusters, labels) == pytest.approx(c)
    assert v_measure(labels, clusters) == pytest.approx(2 * h * c / (h + c) if h + c else 0)
    assert nmi(labels, clusters) == pytest.approx(v_measure(labels, clusters), abs=1e-9)


def test_of_random_clusters_purity_and_nmi_rise_with_k_and_adjusted_scores_stay_near_zero():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, 2000)
    random = {k: rng.integers(0, k, 2000) for k in (10, 100, 1000)}

    for score in (purity, nmi):
        values = [score(labels, clusters) for clusters in random.values()]
        assert values == sorted(values)
        assert values[-1] > values[0] + 0.3
    for score in (ami, ari):
        assert [score(labels, c) for c in random.values()] == pytest.approx([0] * 3, abs=0.02)


def test_matched_accuracy_of_random_clusters_does_not_gain_from_more_clusters():
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 10, 5000)

    assert accuracy_matched(labels, rng.integers(0, 10, 5000)) == pytest.approx(0.12, abs=0.02)
    assert accuracy_matched(labels, rng.integers(0, 1000, 5000)) < 0.05


# ---- noise and unknown labels


@every_score
@given(pair=clusterings(smallest=-1), unknown=st.lists(st.integers(-1, 9), max_size=9))
@repeated
def test_samples_of_unknown_class_are_left_out(score, pair, unknown):
    labels, clusters = pair
    more_labels = np.concatenate([labels, np.full(len(unknown), -1)])
    more_clusters = np.concatenate([clusters, np.array(unknown, dtype=int)])

    assert score(more_labels, more_clusters) == pytest.approx(score(labels, clusters), nan_ok=True)


@every_score
def test_without_any_known_label_the_score_is_nan(score):
    assert math.isnan(score([-1, -1, -1], [0, 1, 1]))


@pytest.mark.parametrize("score", sorted(COUNTED))
def test_noise_is_always_wrong(score):
    labels = np.array([0, 0, 0, 1, 1, 1])

    assert SCORES[score](labels, [0, 0, 0, 1, 1, -1]) == pytest.approx(5 / 6)
    assert SCORES[score](labels, [-1] * 6) == 0
    assert SCORES[score](labels, [-1, -1, -1, 1, 1, 1]) == 0.5


@pytest.mark.parametrize("score", sorted(SCORES.keys() - COUNTED))
@given(pair=clusterings(smallest=-1))
@repeated
def test_noise_is_one_more_cluster_for_the_other_scores(score, pair):
    labels, clusters = pair
    as_cluster = np.where(clusters == -1, 99, clusters)

    assert SCORES[score](labels, clusters) == pytest.approx(
        SCORES[score](labels, as_cluster), nan_ok=True
    )


def test_dropping_noise_would_have_looked_better():
    labels, clusters = np.array([0, 0, 0, 1, 1, 1]), np.array([0, 0, -1, 1, 1, -1])
    kept = clusters != -1

    for score in SCORES.values():
        assert score(labels, clusters) < score(labels[kept], clusters[kept]) == 1


def test_noise_stays_wrong_even_if_a_mapping_names_it():
    assert accuracy([0, 0], [-1, -1], {-1: 0}) == 0


@given(pair=clusterings(smallest=-1), new_names=RENAMING)
@repeated
def test_the_confusion_counts_do_not_depend_on_names(pair, new_names):
    labels, clusters = pair
    before = confusion_matrix(labels, clusters)
    after = confusion_matrix(labels, renamed(clusters, new_names))

    assert np.array_equal(before.counts, after.counts)


# ---- naive second implementations


def naive_matched(labels, clusters):
    """Try every one-to-one naming; spare names stand for classes without a cluster."""
    classes, ids = sorted(set(labels)), sorted(set(clusters) - {-1})
    names = classes + ["none"] * len(ids)
    best = 0
    for chosen in set(itertools.permutations(names, len(ids))):
        naming = dict(zip(ids, chosen, strict=True))
        right = sum(naming.get(c) == t for t, c in zip(labels, clusters, strict=True))
        best = max(best, right)
    return best / len(labels)


def naive_purity(labels, clusters):
    right = 0
    for c in set(clusters) - {-1}:
        members = [t for t, d in zip(labels, clusters, strict=True) if d == c]
        right += max(members.count(t) for t in set(members))
    return right / len(labels)


def naive_entropy(ids):
    shares = [ids.count(i) / len(ids) for i in set(ids)]
    return -sum(p * math.log(p) for p in shares)


def naive_information(labels, clusters):
    pairs = list(zip(labels, clusters, strict=True))
    return naive_entropy(labels) + naive_entropy(clusters) - naive_entropy(pairs)


def naive_nmi(labels, clusters):
    scale = (naive_entropy(labels) + naive_entropy(clusters)) / 2
    return naive_information(labels, clusters) / scale if scale else 1.0


def naive_homogeneity(labels, clusters):
    entropy = naive_entropy(labels)
    return naive_information(labels, clusters) / entropy if entropy else 1.0


def naive_ari(labels, clusters):
    both = true = pred = total = 0
    for i, j in itertools.combinations(range(len(labels)), 2):
        same_class, same_cluster = labels[i] == labels[j], clusters[i] == clusters[j]
        both, total = both + (same_class and same_cluster), total + 1
        true, pred = true + same_class, pred + same_cluster
    expected = true * pred / total if total else 0
    best = (true + pred) / 2
    return (both - expected) / (best - expected) if best != expected else 1.0


@pytest.mark.parametrize(
    ("score", "naive"),
    [
        (accuracy_matched, naive_matched),
        (purity, naive_purity),
        (self_mapped_accuracy, naive_purity),
        (nmi, naive_nmi),
        (homogeneity, naive_homogeneity),
        (completeness, lambda labels, clusters: naive_homogeneity(clusters, labels)),
        (ari, naive_ari),
    ],
    ids=lambda function: getattr(function, "__name__", ""),
)
@given(data=st.data())
@repeated
def test_agrees_with_a_naive_second_implementation(score, naive, data):
    n = data.draw(st.integers(1, 14))
    labels = data.draw(st.lists(st.integers(0, 2), min_size=n, max_size=n))
    clusters = data.draw(st.lists(st.integers(-1, 3), min_size=n, max_size=n))

    assert score(labels, clusters) == pytest.approx(naive(labels, clusters), abs=1e-9)


def test_ami_agrees_with_the_mean_over_shuffles():
    rng = np.random.default_rng(0)
    labels, clusters = rng.integers(0, 3, 30).tolist(), rng.integers(0, 5, 30).tolist()
    clusters[:15] = labels[:15]
    by_chance = np.mean(
        [naive_information(labels, rng.permutation(clusters).tolist()) for _ in range(4000)]
    )
    scale = (naive_entropy(labels) + naive_entropy(clusters)) / 2
    expected = (naive_information(labels, clusters) - by_chance) / (scale - by_chance)

    assert ami(labels, clusters) == pytest.approx(expected, abs=0.01)


@given(pair=clusterings(smallest=-1))
@repeated
def test_the_confusion_matrix_counts_each_cell(pair):
    labels, clusters = pair
    known = labels != -1
    classes, ids = np.unique(labels[known]), np.unique(clusters[known])
    naive = [[int(np.sum((labels == t) & (clusters == c))) for c in ids] for t in classes]

    table = confusion_matrix(labels, clusters)
    assert table.counts[:, np.argsort(table.clusters)].tolist() == naive
