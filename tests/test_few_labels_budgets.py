"""Label budgets are balanced or by chance, nested, repeatable, and safe in files."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ae_cluster.common.errors import InputError
from ae_cluster.semi_supervised.budgets import (
    LabelBudget,
    all_labels,
    draw_budget,
    draw_random_budget,
    write_budgets,
)


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
    assert LabelBudget.parse("mnist.s3@5") == ("mnist", 3, 5, True)
    assert LabelBudget.from_name("mnist.s3@5", labels) == budget


@given(
    dataset=st.from_regex(r"[a-z0-9._@-]+", fullmatch=True),
    draw=st.integers(0, 10**6),
    per_class=st.integers(1, 10**6),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_any_name_parses_back(dataset, draw, per_class):
    assert LabelBudget.parse(f"{dataset}.s{draw}@{per_class}") == (dataset, draw, per_class, True)


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


def test_random_draws_are_nested_of_known_samples_and_not_balanced():
    labels = np.where(np.arange(200) % 5 == 4, -1, np.arange(200) % 5)
    more, fewer = draw_random_budget(labels, 10, 3), draw_random_budget(labels, 2, 3)

    assert (more.indices.size, fewer.indices.size) == (40, 8)
    assert fewer.indices.tolist() == more.indices[:8].tolist()
    assert labels[more.indices].min() == 0
    assert np.unique(np.bincount(labels[more.indices])).size > 1
    assert more.name == "data.s3~10"
    assert LabelBudget.from_name("data.s3~10", labels) == more


def test_a_class_may_be_missing_and_is_reported():
    labels = np.arange(100) % 10
    budget = draw_random_budget(labels, 1, 0)
    shown = np.unique(labels[budget.indices])
    missing = np.setdiff1d(range(10), shown)

    assert missing.size
    said = budget.described(labels)
    assert said.startswith(f"data.s0~1: 10 labels of {shown.size} of 10 classes, 1 to ")
    assert said.endswith(f"; none of class {', '.join(map(str, missing))}.")
    assert "none" not in draw_budget(labels, 1, 0).described(labels)


def test_random_draws_that_cannot_be_learnt_from_say_why():
    with pytest.raises(InputError, match="are all of class 0; ask for more"):
        draw_random_budget([0] * 99 + [1], 1, 0)
    with pytest.raises(InputError, match="larger than the 4 that are known; ask for at most 2"):
        draw_random_budget([0, 0, 1, 1, -1], 3, 0)


def test_all_labels_are_all_that_are_known():
    budget = all_labels([0, 1, -1, 1, 1, 0, 1], dataset="d")

    assert budget.indices.tolist() == [0, 1, 3, 4, 5, 6]
    assert (budget.per_class, budget.balanced) == (3, False)


@pytest.mark.parametrize("how", [draw_budget, draw_random_budget])
def test_a_file_keeps_every_budget_and_only_the_largest_indices(tmp_path, how):
    labels = np.arange(300) % 3
    budgets = [how(labels, n, draw, "d") for n in (1, 5, 2) for draw in (0, 7)]
    path = tmp_path / "new" / "budgets.json"
    write_budgets(path, budgets, "f" * 64)

    content = json.loads(path.read_text())
    assert path.read_text().count("\n") == 1
    assert content["balanced"] is budgets[0].balanced
    assert [(one["draw"], one["per_class"]) for one in content["draws"]] == [(0, 5), (7, 5)]
    kept = {one["draw"]: one["indices"] for one in content["draws"]}
    for budget in budgets:
        assert kept[budget.draw][: budget.indices.size] == budget.indices.tolist()
