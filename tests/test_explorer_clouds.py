"""Which samples the explorer shows, where, how sure of them, and how they travel."""

from pathlib import Path

import numpy as np
import pytest
from explorer_page import unpacked

from ae_cluster.explorer.encoding import packed, packed_ids, packed_places
from ae_cluster.explorer.projection import space_of
from ae_cluster.explorer.run_arrays import Method, Run
from ae_cluster.explorer.samples import Cloud, choose_clouds, confidence, smallest_budgets
from ae_cluster.semi_supervised.evaluation import draw_budget


def run_of(n_train, n_test, frames=None, labels=None):
    arrays = {
        "ids_train": np.arange(n_train).astype(str),
        "ids_test": np.arange(n_test).astype(str),
        "labels_train": labels,
    }
    method = Method("m", {k: v for k, v in arrays.items() if v is not None}, None, frames, Path())
    return Run({}, [method], None)


def test_all_or_as_many_test_samples_as_asked_for_always_the_same_ones():
    run = run_of(5, 20)
    (cloud,) = choose_clouds(run, "test", 30, None)
    assert cloud.rows["test"].tolist() == list(range(20))
    few = [choose_clouds(run, "test", 7, None)[0].rows["test"] for _ in range(2)]
    assert len(few[0]) == 7
    assert (few[0] == few[1]).all()
    assert (np.diff(few[0]) > 0).all()


def test_training_samples_with_saved_epochs_come_first_then_those_with_a_label():
    budget = np.zeros(9, dtype=int)
    budget[[1, 7]] = 5
    run = run_of(9, 4, frames=np.zeros((2, 3, 3)))
    test, train = choose_clouds(run, "test", 10, budget)
    assert train.rows["train"].tolist() == [0, 1, 2, 7]
    assert (len(test), len(train), train.n_in_run) == (4, 4, 9)
    assert test.choice == ""
    assert train.choice.startswith("those whose codes were kept at every epoch")
    (both,) = choose_clouds(run, "all", 2, budget)
    assert set(both.rows["train"]) >= {0, 1, 2, 7}


def test_a_budget_is_the_one_that_was_drawn():
    labels = np.arange(60) % 3
    smallest = smallest_budgets(labels, (1, 5, 500))
    assert set(np.flatnonzero(smallest == 1)) == set(draw_budget(labels, 1, 0).indices)
    assert set(np.flatnonzero(smallest)) == set(draw_budget(labels, 5, 0).indices)
    assert set(smallest) == {0, 1, 5}
    assert smallest_budgets(None, (1,)) is None
    assert smallest_budgets(np.full(4, -1), (1,)) is None


def test_confidence_is_membership_or_the_margin_between_centres():
    rows = {"train": np.arange(0), "test": np.arange(2)}
    cloud = Cloud("test", rows, 2)
    codes = {"codes_train": np.empty((0, 2)), "codes_test": np.array([[0.0, 0], [2, 0]])}
    centers = {"centers": np.array([[0.0, 0], [4, 0]])}
    kind, margin = confidence(Method("m", codes | centers, None, None, Path()), cloud)
    assert (kind, margin.tolist()) == ("margin", [1.0, 0.0])
    soft = {"soft_train": np.empty((0, 2)), "soft_test": np.array([[0.9, 0.1], [0.4, 0.6]])}
    kind, share = confidence(Method("m", codes | soft, None, None, Path()), cloud)
    assert kind == "membership"
    assert share.tolist() == pytest.approx([0.9, 0.6])
    assert confidence(Method("m", codes, None, None, Path()), cloud) is None


@pytest.mark.parametrize("size", [1, 2, 3])
def test_small_codes_are_shown_as_they_are(size):
    codes = np.random.default_rng(0).normal(size=(20, size))
    space = space_of(codes)
    assert (space.places(codes)[:, :size] == codes).all()
    assert (space.note == "") == (size == 3)


def test_larger_codes_are_shown_by_their_principal_axes():
    rng = np.random.default_rng(0)
    codes = rng.normal(size=(200, 6)) * [1, 9, 1, 5, 3, 0.1] + 7
    space = space_of(codes)
    places = space.places(codes)
    values = np.linalg.svd(codes - codes.mean(axis=0), compute_uv=False)
    assert np.linalg.norm(places, axis=0) == pytest.approx(values[:3])
    assert np.allclose(space.directions.T @ space.directions, np.eye(3))
    assert f"{(values[:3] ** 2).sum() / (values**2).sum():.0%} of the variance" in space.note


def test_packing_loses_nothing_and_places_next_to_nothing():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(4, 5)).astype(np.float32)
    assert (unpacked(packed(values, "f4")) == values).all()
    for ids, size in (([-1, 9], 1), ([-128, 127], 1), ([-1, 128], 2), ([-1, 70_000], 4)):
        small = packed_ids(np.array(ids))
        assert (unpacked(small) == ids).all()
        assert small["kind"] == f"i{size}"
    places = rng.normal(size=(3, 7, 3))
    places[..., 2] = 4  # a flat picture
    box = packed_places(places)
    back = np.array(box["low"]) + unpacked(box["steps"]) / 65_535 * np.array(box["extent"])
    assert np.abs(back - places).max() < 1e-4
