"""Few-label rows are tidy and honest; classifiers see nothing beyond their budget."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from ae_cluster.common.errors import InputError
from ae_cluster.methods import FROZEN
from ae_cluster.semi_supervised.evaluation import (
    ALL,
    LabelBudget,
    budget_rows,
    draw_budget,
    few_label_classifiers,
    label_budget_rows,
)
from ae_cluster.semi_supervised.methods import METHODS

COLUMNS = [
    *("dataset", "split", "method", "family", "seed", "budget", "draw", "features"),
    *("n_components", "uses_k", "uses_balance", "uses_augmentation", "tuned_on", "n_train"),
    *("accuracy", "ece", "status", "reason", "seconds"),
]
QUICK = ["logistic-regression", "knn"]


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


# ---- classifiers


def test_classifiers_are_fresh_and_carry_the_seed():
    first, second = few_label_classifiers(7), few_label_classifiers(7)

    assert list(first) == list(METHODS)
    assert first["svm"] is not second["svm"]
    assert first["svm"].random_state == first["cluster-then-label"].random_state == 7


# ---- rows


def without_seconds(rows):
    return [{k: v for k, v in row.items() if k != "seconds"} for row in rows]


def test_rows_are_tidy_and_cover_every_budget_draw_and_method():
    codes, labels = blobs()
    rows = label_budget_rows(
        codes, labels, codes, labels, (1, 5), 3, dataset="blobs", features="raw", seed=4
    )

    assert all(list(row) == COLUMNS for row in rows)
    assert [(row["budget"], row["draw"], row["method"]) for row in rows] == [
        (budget, draw, method) for budget in (1, 5) for draw in range(3) for method in QUICK
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

    assert without_seconds(first) == without_seconds(second)


@pytest.mark.parametrize("method", METHODS)
def test_labels_outside_the_budget_change_nothing(method):
    rng = np.random.default_rng(0)
    codes, labels, test = rng.normal(size=(90, 3)), np.arange(90) % 3, rng.normal(size=(50, 3))
    truth = np.arange(50) % 3
    budget = draw_budget(labels, 4, draw=0)
    outside = np.setdiff1d(np.arange(90), budget.indices)

    def rows_with(labels):
        return without_seconds(
            budget_rows(budget, codes, labels, test, truth, features="f", methods=[method])
        )

    permuted = labels.copy()
    permuted[outside] = rng.permutation(permuted[outside])
    hidden = np.where(np.isin(np.arange(90), outside), -1, labels)

    assert not np.array_equal(permuted, labels)
    assert rows_with(permuted) == rows_with(hidden) == rows_with(labels)


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
    assert [row["method"] for row in failed] == QUICK * 2
    for row in failed:
        assert set(row) == set(COLUMNS)
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


def test_every_method_is_in_a_family_and_fitted_on_the_same_draws():
    codes, labels = blobs(120)
    rows = label_budget_rows(
        codes, labels, codes, labels, [2, 5], 2, dataset="d", features="f", methods=METHODS
    )

    assert [(r["budget"], r["draw"], r["method"]) for r in rows] == [
        (budget, draw, method) for budget in (2, 5) for draw in (0, 1) for method in METHODS
    ]
    assert {row["family"] for row in rows} == {FROZEN}
    assert min(row["accuracy"] for row in rows) > 0.95
    assert all(0 <= row["ece"] < 0.5 and row["seconds"] >= 0 for row in rows)


def test_all_labels_are_drawn_once_and_stand_at_the_mean_per_class():
    codes, labels = blobs(60)
    rows = label_budget_rows(
        codes, labels, codes, labels, [1, ALL], 3, dataset="d", features="f", methods=["knn"]
    )

    assert [(row["budget"], row["n_train"]) for row in rows] == [(1, 3)] * 3 + [(20, 60)]


def test_random_draws_say_so_and_name_the_missing_classes():
    codes, labels = blobs(200, 10)
    rows = label_budget_rows(
        codes, labels, codes, labels, [1], 3, dataset="d", features="f",
        methods=["knn", "poisson-priors"], balanced=False,
    )  # fmt: skip

    assert {(row["method"], row["uses_balance"]) for row in rows} == {
        ("knn", False),
        ("poisson-priors", True),
    }
    for row in rows:
        n_missing = row["reason"].count(",") + 1
        assert row["reason"].startswith("no label of class ")
        assert row["accuracy"] <= 1 - n_missing / 10 + 1e-9


def test_priors_alone_or_after_plain_poisson_give_the_same():
    codes, labels = np.random.default_rng(0).normal(size=(300, 3)), np.arange(300) % 3
    told = {"dataset": "d", "features": "f"}
    halves = codes, labels, codes, labels
    both = label_budget_rows(*halves, [3], 2, **told, methods=["poisson", "poisson-priors"])
    alone = label_budget_rows(*halves, [3], 2, **told, methods=["poisson-priors"])

    assert without_seconds(both[1::2]) == without_seconds(alone)
    assert both[0]["ece"] != both[1]["ece"]


def test_accuracy_on_digits_rises_with_the_budget(digits):
    rows = label_budget_rows(*digits, [1, 5, 20, 100], 5, dataset="digits", features="pixels")

    for method in QUICK:
        means = [
            np.mean([r["accuracy"] for r in rows if (r["method"], r["budget"]) == (method, b)])
            for b in (1, 5, 20, 100)
        ]
        assert means == sorted(means)
        assert 0.4 < means[0] < 0.75
        assert means[-1] > 0.93
