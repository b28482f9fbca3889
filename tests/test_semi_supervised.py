"""Label budgets are balanced, nested and repeatable; classifiers see nothing beyond them."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from ae_cluster.errors import InputError
from ae_cluster.semi_supervised import (
    LabelBudget,
    budget_rows,
    draw_budget,
    few_label_classifiers,
    label_budget_rows,
)

COLUMNS = [
    *("dataset", "split", "method", "seed", "budget", "draw", "features"),
    *("n_components", "n_train", "accuracy", "status", "reason"),
]
METHODS = ["logistic-regression", "knn"]


@pytest.fixture(scope="module")
def digits():
    images, labels = load_digits(return_X_y=True)
    train, test, y_train, y_test = train_test_split(
        images / 16, labels, test_size=0.25, stratify=labels, random_state=0
    )
    return train, y_train, test, y_test


def blobs(n=60, n_classes=3, seed=0):
    """Three well separated classes; the k-th sample is of class k modulo ``n_classes``."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % n_classes
    return rng.normal(size=(n, 2)) + 20 * labels[:, None], labels


# ---- budgets


@given(
    labels=st.lists(st.integers(-1, 3), min_size=10, max_size=60),
    draw=st.integers(0, 50),
    data=st.data(),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_budgets_are_balanced_nested_and_of_known_samples_only(labels, draw, data):
    labels = np.array(labels)
    classes, sizes = np.unique(labels[labels >= 0], return_counts=True)
    assume(classes.size >= 2)
    large = data.draw(st.integers(1, int(sizes.min())))
    small = data.draw(st.integers(1, large))
    more, fewer = draw_budget(labels, large, draw), draw_budget(labels, small, draw)

    assert np.bincount(labels[more.indices])[classes].tolist() == [large] * classes.size
    assert np.unique(more.indices).size == large * classes.size
    assert set(fewer.indices.tolist()) <= set(more.indices.tolist())
    assert fewer.indices.tolist() == more.indices[: fewer.indices.size].tolist()


def test_a_draw_is_the_same_on_any_machine():
    labels = np.arange(40) % 4

    assert draw_budget(labels, 2, draw=3).indices.tolist() == [36, 17, 30, 3, 24, 5, 18, 7]


def test_draws_differ_and_every_sample_can_be_drawn():
    labels = np.arange(40) % 2
    drawn = [draw_budget(labels, 2, draw) for draw in range(200)]

    assert len({tuple(budget.indices.tolist()) for budget in drawn}) > 190
    assert set(np.concatenate([budget.indices for budget in drawn])) == set(range(40))


def test_the_samples_of_a_class_do_not_depend_on_the_other_classes():
    labels = np.arange(40) % 4
    without_third = np.where(labels == 3, -1, labels)
    whole, part = draw_budget(labels, 2, 5).indices, draw_budget(without_third, 2, 5).indices

    assert part.tolist() == [i for i in whole.tolist() if labels[i] != 3]


def test_a_budget_of_the_whole_class_is_everything():
    labels = np.arange(12) % 3

    assert sorted(draw_budget(labels, 4, 0).indices.tolist()) == list(range(12))


@pytest.mark.parametrize(
    ("labels", "per_class", "draw", "says"),
    [
        ([0, 0, 0, 1, 1], 3, 0, "budget of 3 per class is larger than class 1 with its 2"),
        ([-1, -1], 1, 0, "No label is known"),
        ([4, 4, -1], 1, 0, "All known labels are class 4"),
        ([0, 1], 0, 0, "budget of 0 per class"),
        ([0, 1], 1, -1, "draw -1"),
        ([], 1, 0, "labels is empty"),
        ([[0, 1]], 1, 0, "must be 1-D"),
    ],
)
def test_budgets_that_cannot_be_drawn_say_why_in_one_sentence(labels, per_class, draw, says):
    with pytest.raises(InputError, match=says) as caught:
        draw_budget(labels, per_class, draw)

    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")


def test_names_say_it_all():
    labels = np.arange(60) % 3
    budget = draw_budget(labels, 5, draw=3, dataset="mnist")

    assert budget.name == "mnist.s3@5"
    assert LabelBudget.parse("mnist.s3@5") == ("mnist", 3, 5)
    assert LabelBudget.from_name("mnist.s3@5", labels) == budget


@given(
    dataset=st.from_regex(r"[a-z0-9._@-]+", fullmatch=True),
    draw=st.integers(0, 10**6),
    per_class=st.integers(1, 10**6),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_any_name_parses_back(dataset, draw, per_class):
    assert LabelBudget.parse(f"{dataset}.s{draw}@{per_class}") == (dataset, draw, per_class)


@pytest.mark.parametrize(
    "name", ["mnist", "mnist@5", "mnist.s3", ".s3@5", "mnist.s-1@5", "mnist.s3@0", "mnist.s03@5"]
)
def test_a_name_of_no_budget_is_refused(name):
    with pytest.raises(InputError, match=r"names no label budget; write it like mnist\.s3@5"):
        LabelBudget.parse(name)


def test_a_budget_goes_through_json_and_back():
    budget = draw_budget(np.arange(60) % 3, np.int64(5), draw=np.int64(3), dataset="digits")
    read = LabelBudget.from_json(json.loads(json.dumps(budget.to_json())))

    assert read == budget
    assert hash(read) == hash(budget)
    assert read.indices.dtype == np.int64
    assert read != draw_budget(np.arange(60) % 3, 5, draw=4, dataset="digits")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"indices": None}, "needs 'indices' of type list"),
        ({"draw": "3"}, "needs 'draw' of type int"),
        ({"per_class": 0}, "is no label budget"),
        ({"draw": -1}, "is no label budget"),
        ({"dataset": ""}, "is no label budget"),
        ({"indices": [1, 1]}, "different and not negative"),
        ({"indices": [-1, 1]}, "different and not negative"),
        ({"indices": []}, "is empty"),
        ({"indices": [0.5, 1]}, "whole numbers"),
        ({"per_class": 3}, "lists only 2 indices"),
    ],
)
def test_a_damaged_saved_budget_is_refused(change, says):
    fields = {"dataset": "digits", "draw": 0, "per_class": 1, "indices": [4, 7]}
    LabelBudget.from_json(fields)

    with pytest.raises(InputError, match=says):
        LabelBudget.from_json({**fields, **change})


def test_a_budget_cannot_be_changed():
    mine = np.array([4, 7])
    budget = LabelBudget("digits", 0, 1, mine)
    mine[0] = 99

    assert budget.indices.tolist() == [4, 7]
    with pytest.raises(ValueError, match="read-only"):
        budget.indices[0] = 1


# ---- classifiers


@pytest.mark.parametrize("per_class", [1, 2, 3, 5, 10, 50, 100, 5000])
def test_nearest_neighbors_never_ask_more_labels_than_there_are(per_class):
    knn = few_label_classifiers(0, per_class)["knn"]

    assert 1 <= knn.n_neighbors <= per_class


def test_classifiers_are_fresh_and_carry_the_seed():
    first, second = few_label_classifiers(7), few_label_classifiers(7)

    assert list(first) == METHODS
    assert first["knn"] is not second["knn"]
    assert first["logistic-regression"][-1].random_state == 7


# ---- rows


def test_rows_are_tidy_and_cover_every_budget_draw_and_method():
    codes, labels = blobs()
    rows = label_budget_rows(
        codes, labels, codes, labels, (1, 5), 3, dataset="blobs", features="raw", seed=4
    )

    assert all(list(row) == COLUMNS for row in rows)
    assert [(row["budget"], row["draw"], row["method"]) for row in rows] == [
        (budget, draw, method) for budget in (1, 5) for draw in range(3) for method in METHODS
    ]
    assert {(r["dataset"], r["split"], r["features"], r["seed"]) for r in rows} == {
        ("blobs", "test", "raw", 4)
    }
    assert {row["n_components"] for row in rows} == {2}
    assert all(row["n_train"] == 3 * row["budget"] for row in rows)
    assert {(row["status"], row["reason"]) for row in rows} == {("ok", "")}


def test_separate_classes_need_one_label_each():
    codes, labels = blobs()
    test, truth = blobs(seed=1)
    rows = label_budget_rows(codes, labels, test, truth, [1], 2, dataset="b", features="raw")

    assert [row["accuracy"] for row in rows] == [1, 1, 1, 1]


def test_accuracy_counted_by_hand():
    budget = LabelBudget("hand", 0, 1, np.array([0, 1]))
    rows = budget_rows(
        budget, [[0.0], [1.0]], [0, 1], [[0.1], [0.9], [0.8], [0.2]], [0, 1, 0, -1], features="x"
    )

    assert [row["accuracy"] for row in rows] == pytest.approx([2 / 3, 2 / 3])
    assert [row["n_train"] for row in rows] == [2, 2]


def test_same_arguments_give_the_same_rows():
    codes, labels = np.random.default_rng(0).normal(size=(80, 3)), np.arange(80) % 4
    first, second = (
        label_budget_rows(codes, labels, codes, labels, [1, 3], 2, dataset="d", features="f")
        for _ in range(2)
    )

    assert first == second


def test_labels_and_codes_outside_the_budget_change_nothing():
    rng = np.random.default_rng(0)
    codes, labels, test = rng.normal(size=(90, 3)), np.arange(90) % 3, rng.normal(size=(50, 3))
    truth = np.arange(50) % 3
    budget = draw_budget(labels, 4, draw=0)
    outside = np.setdiff1d(np.arange(90), budget.indices)
    expected = budget_rows(budget, codes, labels, test, truth, features="f")

    permuted, moved = labels.copy(), codes.copy()
    permuted[outside] = rng.permutation(permuted[outside])
    moved[outside] += 5
    hidden = np.where(np.isin(np.arange(90), outside), -1, labels)

    assert not np.array_equal(permuted, labels)
    assert budget_rows(budget, codes, permuted, test, truth, features="f") == expected
    assert budget_rows(budget, codes, hidden, test, truth, features="f") == expected
    assert budget_rows(budget, moved, labels, test, truth, features="f") == expected


def test_labels_inside_the_budget_do_matter():
    codes, labels = blobs()
    budget = draw_budget(labels, 4, draw=0)
    swapped = labels.copy()
    swapped[budget.indices] = (labels[budget.indices] + 1) % 3
    rows = budget_rows(budget, codes, swapped, codes, labels, features="f")

    assert [row["accuracy"] for row in rows] == [0, 0]


def test_test_labels_only_score():
    codes, labels = blobs()
    first = label_budget_rows(codes, labels, codes, labels, [2], 2, dataset="d", features="f")
    wrong = (labels + 1) % 3
    second = label_budget_rows(codes, labels, codes, wrong, [2], 2, dataset="d", features="f")

    assert {row["accuracy"] for row in first} == {1}
    assert {row["accuracy"] for row in second} == {0}


@pytest.mark.parametrize(
    ("y_train", "says"),
    [
        (np.array([0] * 57 + [1] * 3), "larger than class 1 with its 3 known labels"),
        (np.full(60, -1), "No label is known"),
        (np.zeros(60, int), "All known labels are class 0"),
    ],
)
def test_a_budget_that_cannot_be_drawn_is_a_failed_row_beside_the_others(y_train, says):
    codes, truth = blobs()
    rows = label_budget_rows(codes, y_train, codes, truth, [2, 5], 2, dataset="d", features="f")
    failed = [row for row in rows if row["budget"] == 5]

    assert len(rows) == 8
    assert [row["method"] for row in failed] == METHODS * 2
    for row in failed:
        assert list(row) == COLUMNS
        assert (row["status"], row["n_train"]) == ("failed", 0)
        assert math.isnan(row["accuracy"])
        assert says in row["reason"]
    if says.startswith("larger"):
        assert {row["status"] for row in rows if row["budget"] == 2} == {"ok"}


def test_without_known_test_labels_every_row_says_so():
    codes, labels = blobs()
    rows = label_budget_rows(
        codes, labels, codes, np.full(60, -1), [1], 1, dataset="d", features="f"
    )

    assert {(row["status"], row["reason"]) for row in rows} == {
        ("failed", "No label of a test sample is known.")
    }
    assert all(math.isnan(row["accuracy"]) for row in rows)


def test_many_classes_with_one_label_each_raise_no_warning():
    codes = np.arange(80.0)[:, None] % 40
    labels = np.arange(80) % 40
    rows = label_budget_rows(codes, labels, codes, labels, [1], 1, dataset="d", features="f")

    assert rows[1]["accuracy"] == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"budgets": [0]}, "must each be at least 1"),
        ({"draws": 0}, "must each be at least 1"),
        ({"y_train": [0, 1]}, "codes_train has 60 samples and y_train has 2"),
        ({"codes_test": np.zeros((60, 5))}, "codes of the same encoder"),
        ({"codes_train": np.full((60, 2), np.nan)}, "NaN or infinite"),
    ],
)
def test_arguments_that_do_not_fit_are_refused_at_once(change, says):
    codes, labels = blobs()
    halves = {"codes_train": codes, "y_train": labels, "codes_test": codes, "y_test": labels}
    arguments = {**halves, "budgets": [1], "draws": 1, "dataset": "d", "features": "f"}

    with pytest.raises(InputError, match=says):
        label_budget_rows(**{**arguments, **change})


@pytest.mark.parametrize(
    ("indices", "says"),
    [
        ([0, 61], "points past the 60 train samples"),
        ([0, 3], "one class only"),
        ([0, 1], "an unknown label"),
    ],
)
def test_a_budget_of_other_labels_is_refused(indices, says):
    codes, labels = blobs()
    labels = np.where(np.arange(60) == 1, -1, labels)

    with pytest.raises(InputError, match=says):
        budget_rows(
            LabelBudget("other", 0, 1, np.array(indices)),
            codes,
            labels,
            codes,
            labels,
            features="f",
        )


def test_accuracy_on_digits_rises_with_the_budget(digits):
    rows = label_budget_rows(*digits, [1, 5, 20, 100], 5, dataset="digits", features="pixels")

    for method in METHODS:
        means = [
            np.mean([r["accuracy"] for r in rows if (r["method"], r["budget"]) == (method, b)])
            for b in (1, 5, 20, 100)
        ]
        assert means == sorted(means)
        assert 0.4 < means[0] < 0.75
        assert means[-1] > 0.93
