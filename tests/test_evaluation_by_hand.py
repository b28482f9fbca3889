"""Scores of cases that can be counted by hand, and the sentence for each bad input."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ae_cluster.common.errors import InputError
from ae_cluster.metrics.class_errors import (
    lost_classes,
    merged_classes,
    mixed_classes,
    split_classes,
)
from ae_cluster.metrics.clustering import (
    accuracy,
    accuracy_matched,
    ami,
    apply_class_map,
    ari,
    class_map,
    completeness,
    confusion_matrix,
    external_scores,
    homogeneity,
    matched_map,
    nmi,
    per_class_recall,
    purity,
    v_measure,
)

WITHOUT_MAP = (accuracy_matched, purity, nmi, ami, ari, homogeneity, completeness, v_measure)
COLUMNS = ["accuracy", *(score.__name__ for score in WITHOUT_MAP)]
# Class 0 fills cluster 5 and half of 7; class 1 the rest of 7; class 2 is cluster 9.
LABELS = [0, 0, 0, 0, 1, 1, 2, 2, 2, 2]
CLUSTERS = [5, 5, 7, 7, 7, 7, 9, 9, 9, 5]


def test_a_hand_counted_case():
    table = confusion_matrix(LABELS, CLUSTERS)
    assert table.clusters.tolist() == [7, 5, 9]  # those of class 0 together, the largest first
    assert table.counts.tolist() == [[2, 2, 0], [2, 0, 0], [0, 1, 3]]
    assert class_map(LABELS, CLUSTERS) == {5: 0, 7: 0, 9: 2}
    assert purity(LABELS, CLUSTERS) == 0.7
    assert accuracy_matched(LABELS, CLUSTERS) == 0.7
    assert per_class_recall(LABELS, CLUSTERS, {5: 0, 7: 0, 9: 2}) == {0: 1, 1: 0, 2: 0.75}


def test_two_clusters_of_one_class_count_once_when_matched():
    labels, clusters = [0, 0, 0, 0, 1, 1], [0, 0, 0, 1, 2, 2]

    assert purity(labels, clusters) == 1
    assert accuracy_matched(labels, clusters) == pytest.approx(5 / 6)


def test_fewer_clusters_than_classes_is_legal():
    assert accuracy_matched([0, 0, 1, 1, 2, 2], [0] * 6) == pytest.approx(1 / 3)


def test_the_class_map_of_train_is_what_scores_test():
    mapping = class_map([0, 0, 1, 1], [3, 3, 4, 4])

    assert accuracy([1, 1, 0], [3, 3, 4], mapping) == 0
    assert accuracy_matched([1, 1, 0], [3, 3, 4]) == 1


def test_matching_gives_each_class_one_cluster():
    labels, clusters = [0, 0, 0, 0, 1, 1, 1], [5, 5, 5, 8, 8, 8, 9]

    assert class_map(labels, clusters) == {5: 0, 8: 1, 9: 1}
    assert matched_map(labels, clusters) == {5: 0, 8: 1}
    assert accuracy([0, 1, 1, 1], [5, 8, 9, 5], matched_map(labels, clusters)) == 0.5


def test_a_tie_in_the_matching_is_not_broken_by_names():
    labels, clusters = [0, 1, 0, 1, 2], [0, 0, 1, 1, 1]
    held_out = [0, 0, 1]
    first = accuracy(held_out, [0, 0, 1], matched_map(labels, clusters))
    swapped = accuracy(held_out, [1, 1, 0], matched_map(labels, [1 - c for c in clusters]))

    assert first == swapped


def test_matching_needs_a_label():
    assert matched_map([-1, -1], [0, 1]) == {}


def test_ties_go_to_the_smaller_class():
    assert class_map([8, 3, 3, 8], [0, 0, 0, 0]) == {0: 3}


def test_a_cluster_unknown_to_the_map_has_no_class():
    mapping = class_map([0, 0, 1, -1, 0], [0, 0, 1, 2, -1])

    assert mapping == {0: 0, 1: 1}
    assert apply_class_map([1, 2, 0, -1, 77], mapping).tolist() == [1, -1, 0, -1, -1]
    assert accuracy([0, 0], [0, 77], mapping) == 0.5


def test_without_known_labels_maps_and_tables_are_empty():
    assert class_map([-1, -1], [0, 1]) == {}
    assert per_class_recall([-1], [0], {0: 0}) == {}
    assert confusion_matrix([-1], [0]).counts.shape == (0, 0)
    assert merged_classes([-1], [0]) == split_classes([-1], [0]) == {}
    assert lost_classes([-1], [0]) == ()


def test_confusion_matrix_orders_clusters_by_class_then_size_then_noise():
    labels = [0, 0, 0, 1, 1, 1, 1, 1, 2, 2]
    clusters = [8, 8, -1, 4, 6, 6, 6, -1, 1, 1]
    table = confusion_matrix(labels, clusters)

    assert table.classes.tolist() == [0, 1, 2]
    assert table.clusters.tolist() == [8, 6, 4, 1, -1]
    assert table.counts.tolist() == [[2, 0, 0, 0, 1], [0, 3, 1, 0, 1], [0, 0, 0, 2, 0]]


def test_confusion_matrix_follows_the_mapping_of_train():
    table = confusion_matrix([0, 0, 1, 2, 2, 2], [5, 5, 6, 9, -1, -1], {5: 1, 6: 0})

    assert table.clusters.tolist() == [6, 5, 9, -1]  # 9 has no class in the map


def test_clusters_alike_in_class_and_size_are_ordered_by_their_counts():
    labels, first = [0, 0, 1, 0, 0, 2], [0, 0, 0, 1, 1, 1]
    swapped = [1, 1, 1, 0, 0, 0]

    for clusters in (first, swapped):
        assert confusion_matrix(labels, clusters).counts.tolist() == [[2, 2], [1, 0], [0, 1]]


def test_merged_and_split_classes():
    labels = [0] * 4 + [1] * 4 + [2] * 4
    clusters = [7, 7, 7, 3, 7, 7, 7, 7, 1, 1, 2, 2]

    assert merged_classes(labels, clusters) == {7: (0, 1)}
    assert split_classes(labels, clusters) == {0: (7, 3), 2: (1, 2)}
    assert split_classes(labels, clusters, share=0.3) == {2: (1, 2)}
    assert merged_classes(labels, clusters, share=0.8) == {}


def test_a_class_in_many_small_clusters_is_split():
    labels = np.repeat([0, 1, 2], 100)
    clusters = np.concatenate([np.arange(100) % 33, 33 + np.arange(100) % 33, np.full(100, 99)])
    assert split_classes(labels, clusters) == {0: (0, 1), 1: (33, 34)}
    assert merged_classes(labels, clusters) == {}
    almost = [0] * 49 + [1] * 17 + [2] * 17 + [3] * 17  # no second quarter, no half
    assert split_classes([0] * 100, almost) == {0: (0, 1)}
    assert split_classes([0] * 100, [0] * 2 + almost[:-2]) == {}  # 51 in one


def test_classes_spread_alike_over_clusters_are_mixed():
    # Each of 0 and 1 has two samples in each of four clusters; 2 has four clusters of its own.
    labels = np.repeat([0, 1, 2], 8)
    clusters = np.concatenate([np.tile([0, 1, 2, 3], 4), np.tile([4, 5, 6, 7], 2)])
    assert mixed_classes(labels, clusters) == {0: (1,), 1: (0,)}
    assert merged_classes(labels, clusters) == {}
    # 6 and 4 of ten in one, 4 and 6 in the other: they share 4 + 4 tenths. Sizes do not matter.
    labels = [0] * 10 + [1] * 10 + [1] * 10
    clusters = [0] * 6 + [1] * 4 + ([0] * 4 + [1] * 6) * 2
    assert mixed_classes(labels, clusters) == {0: (1,), 1: (0,)}
    assert mixed_classes(labels, clusters, share=0.4) == {}  # then both clusters merge them
    assert mixed_classes(labels, clusters, share=0.9) == {}


def test_classes_are_mixed_by_half_of_each_or_more():
    # Of ten samples each, tenths in ten clusters: five of these are shared, or four.
    labels = np.repeat([0, 1], 10)
    assert mixed_classes(labels, [*range(10), *range(5, 15)]) == {0: (1,), 1: (0,)}
    assert mixed_classes(labels, [*range(10), *range(6, 16)]) == {}
    noisy = [*range(4), *[-1] * 6, *range(4), *[-1] * 6]
    assert mixed_classes(labels, noisy) == {}  # mostly noise: lost


def test_noise_is_no_home_and_a_class_mostly_noise_is_lost():
    labels = [0] * 4 + [1] * 4

    assert merged_classes(labels, [-1] * 8) == split_classes(labels, [-1] * 8) == {}
    assert merged_classes(labels, [3, -1, -1, -1, 3, 3, 3, 3]) == {}
    assert split_classes(labels, [0, -1, -1, -1, 1, 1, 2, 2]) == {1: (1, 2)}
    assert lost_classes(labels, [0, -1, -1, -1, 1, 1, 2, 2]) == (0,)
    assert lost_classes(labels, [0, 0, -1, -1, 1, 1, 2, -1]) == ()
    # Half of each in a cluster, and all of that in one.
    assert merged_classes(labels, [3, 3, -1, -1, 3, 3, -1, -1]) == {3: (0, 1)}


def test_a_perfect_clustering_has_nothing_merged_or_split():
    assert merged_classes([0, 1, 1], [4, 2, 2]) == split_classes([0, 1, 1], [4, 2, 2]) == {}


@pytest.mark.parametrize("share", [0, -0.1, 1.1, float("nan")])
@pytest.mark.parametrize("find", [merged_classes, mixed_classes, split_classes])
def test_a_share_outside_its_range_is_refused(find, share):
    with pytest.raises(InputError, match="share is"):
        find(LABELS, CLUSTERS, share)


def test_external_scores_hold_every_score_under_its_column():
    scores = external_scores(LABELS, CLUSTERS, {5: 0, 7: 1, 9: 2})

    assert list(scores) == COLUMNS
    assert scores.pop("accuracy") == 0.7
    assert scores == {score.__name__: score(LABELS, CLUSTERS) for score in WITHOUT_MAP}


def test_external_scores_without_labels_are_all_nan():
    scores = external_scores([-1, -1], [0, 1], {})

    assert all(math.isnan(value) for value in scores.values())
    assert list(scores) == COLUMNS


def test_many_small_clusters_raise_no_warning():
    labels, clusters = np.arange(60) % 40, np.arange(60)

    assert external_scores(labels, clusters, class_map(labels, clusters))["purity"] == 1


# ---- bad input


TAKES_LABELS_AND_CLUSTERS = [
    *WITHOUT_MAP,
    class_map,
    confusion_matrix,
    merged_classes,
    mixed_classes,
    split_classes,
    lost_classes,
    lambda labels, clusters: accuracy(labels, clusters, {}),
    lambda labels, clusters: per_class_recall(labels, clusters, {}),
    lambda labels, clusters: external_scores(labels, clusters, {}),
]


@pytest.mark.parametrize("call", TAKES_LABELS_AND_CLUSTERS)
@pytest.mark.parametrize(
    ("labels", "clusters", "says"),
    [
        ([0, 1, 1], [0, 1], "labels_true has 3 samples and clusters has 2"),
        ([], [], "labels_true is empty"),
        ([[0, 1]], [[0, 1]], "must be 1-D"),
        ([0, 1], [0.5, 1], "clusters must hold whole numbers"),
        ([0, -3], [0, 1], "labels_true holds -3"),
    ],
)
def test_bad_input_is_named_in_one_sentence(call, labels, clusters, says):
    with pytest.raises(InputError, match=says) as caught:
        call(labels, clusters)

    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")
