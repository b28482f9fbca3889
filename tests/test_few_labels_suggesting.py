"""Suggested samples are typical, far apart, and worth more than random ones."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits, make_blobs
from sklearn.decomposition import PCA

from ae_cluster import suggest_labels
from ae_cluster.common.errors import InputError
from ae_cluster.semi_supervised.active_learning import suggest_in_rounds
from ae_cluster.semi_supervised.frozen.graph import GraphSpreading


def test_each_blob_gets_one_from_its_middle_the_largest_first():
    codes, part = make_blobs([100, 300, 200], centers=[[0, 0], [20, 0], [0, 20]], random_state=0)
    chosen = suggest_labels(codes, 3)

    assert part[chosen].tolist() == [1, 2, 0]
    for i in chosen:
        middle = codes[part == part[i]].mean(axis=0)
        assert np.linalg.norm(codes[i] - middle) < 1


def test_what_is_labelled_is_not_suggested_again():
    codes, part = make_blobs(300, centers=[[0, 0], [20, 0], [0, 20]], random_state=0)
    first = suggest_labels(codes, 2)
    more = suggest_labels(codes, 1, labelled=first)

    assert set(part[[*first, *more]]) == {0, 1, 2}


@pytest.mark.parametrize("n", [1, 7, 12])
def test_there_are_always_as_many_as_asked_and_all_different(n):
    codes = np.repeat(np.arange(4.0), 3)[:, None]

    assert np.unique(suggest_labels(codes, n)).size == n


def test_the_same_codes_give_the_same_suggestions():
    codes = np.random.default_rng(0).normal(size=(500, 3))

    assert np.array_equal(suggest_labels(codes, 60), suggest_labels(codes, 60))


def test_each_round_suggests_what_would_come_after_the_ones_before():
    codes = np.random.default_rng(0).normal(size=(200, 3))
    order = suggest_in_rounds(codes, 16, first=4)

    assert order[:4].tolist() == suggest_labels(codes, 4).tolist()
    assert order[4:8].tolist() == suggest_labels(codes, 4, labelled=order[:4]).tolist()
    assert order[8:].tolist() == suggest_labels(codes, 8, labelled=order[:8]).tolist()
    assert sorted(suggest_in_rounds(codes[:7], 40)) == list(range(7))


@pytest.mark.parametrize(("n", "labelled"), [(0, []), (11, []), (9, [0, 1])])
def test_too_many_or_none_are_refused(n, labelled):
    with pytest.raises(InputError, match=f"{n} samples to label cannot be suggested; ask for 1 to"):
        suggest_labels(np.eye(10), n, labelled=labelled)


def test_ten_suggested_digits_teach_more_than_ten_random_ones():
    images, truth = load_digits(return_X_y=True)
    codes = PCA(8, random_state=0).fit_transform(images)
    rng = np.random.default_rng(0)
    choices = [suggest_labels(codes, 10), *(rng.choice(len(codes), 10, replace=False)
               for _ in range(10))]  # fmt: skip
    labelings = [np.where(np.isin(np.arange(len(codes)), c), truth, -1) for c in choices]
    suggested, *random = [
        model.score(codes, truth) for model in GraphSpreading().fit_many(codes, labelings)
    ]

    assert suggested > np.mean(random) + 0.1
