"""Clusters are named by the likeliest way to give every class one; an odd label does no harm."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from ae_cluster.common.errors import InputError
from ae_cluster.semi_supervised.cluster_labels import evidence, likelihoods, one_to_one


def memberships(m, k, seed=0):
    return np.random.default_rng(seed).dirichlet(np.full(k, 0.3), m)


def test_evidence_is_the_sum_over_a_classs_samples():
    logs, columns = np.log(memberships(7, 3)), np.array([0, 1, 0, 2, 2, 2, 1])
    found = evidence(logs, columns, 3)

    for cluster, y in itertools.product(range(3), range(3)):
        by_hand = sum(logs[i, cluster] for i in range(7) if columns[i] == y)
        assert found[cluster, y] == pytest.approx(by_hand)


@pytest.mark.parametrize("seed", range(10))
def test_names_are_the_likeliest_of_all_ways(seed):
    columns = np.arange(5)
    found = evidence(np.log(memberships(5, 5, seed)), columns, 5)
    names = one_to_one(found)
    likeliest = max(
        itertools.permutations(range(5)), key=lambda way: sum(found[c, way[c]] for c in range(5))
    )

    assert names.tolist() == list(likeliest)


def test_one_odd_label_in_anothers_cluster_names_the_cluster_that_is_left():
    soft = np.full((4, 4), 0.01) + 0.96 * np.eye(4)
    soft[2] = [0.001, 0.9, 0.099, 0.0]  # class 2's only label lies in class 1's cluster
    soft[2] += 1e-9

    assert one_to_one(evidence(np.log(soft), np.arange(4), 4)).tolist() == [0, 1, 2, 3]


def test_a_cluster_more_than_classes_joins_the_least_unlike():
    soft = np.array([[0.8, 0.1, 0.06, 0.04], [0.02, 0.9, 0.02, 0.06], [0.02, 0.03, 0.9, 0.05]])
    names = one_to_one(evidence(np.log(soft), np.arange(3), 3))

    assert names.tolist() == [0, 1, 2, 1]


def test_fewer_clusters_than_classes_say_so(assert_one_sentence):
    with pytest.raises(InputError) as error:
        one_to_one(np.zeros((2, 3)))
    assert_one_sentence(error, "2 clusters", "3 classes")


def test_with_one_label_of_each_class_a_cluster_is_what_it_is_named():
    names = np.array([2, 0, 1])
    shares = likelihoods(memberships(3, 3), np.arange(3), names, 3, 1.0)

    assert shares.tolist() == np.eye(3)[names].tolist()


def test_many_labels_tell_a_cluster_of_two_classes_from_one_with_half_a_class():
    # Cluster 0 holds classes 0 and 1, clusters 1 and 2 half of class 2 each.
    clusters = np.repeat([0, 0, 1, 2], [10, 10, 5, 5])
    columns = np.repeat([0, 1, 2, 2], [10, 10, 5, 5])
    soft = 0.97 * np.eye(3)[clusters] + 0.01
    names = one_to_one(evidence(np.log(soft), columns, 3))
    shares = likelihoods(soft, columns, names, 3, 1.0)

    assert sorted(names.tolist()) == [0, 1, 2]
    assert shares[0, :2].min() > 0.4
    assert shares[1:].argmax(axis=1).tolist() == [2, 2]
    assert np.allclose(shares.sum(axis=1), 1)
