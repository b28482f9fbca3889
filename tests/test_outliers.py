"""How far out a sample lies: one score for models, runs and files; and noise in training."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits, make_blobs
from sklearn.metrics import roc_auc_score

from ae_cluster import AutoEncoder, load_dataset, load_run
from ae_cluster.clustering.deep import DEC
from ae_cluster.clustering.outliers import FAR_OUT, OutlierScore, like_noise
from ae_cluster.clustering.sorting import SortingAutoEncoder
from ae_cluster.common.errors import InputError
from ae_cluster.explorer.run_arrays import read_run
from ae_cluster.graphs.neighbors import NeighborSearch
from ae_cluster.records.config import RunConfig
from ae_cluster.runs.run import run

RNG = np.random.default_rng(0)
DIGITS = (load_digits().data / 16).astype(np.float32)
NOISE = RNG.random((90, 64)).astype(np.float32)  # 5 %
BOTH = np.concatenate([DIGITS, NOISE])
IS_NOISE = np.arange(len(BOTH)) >= len(DIGITS)


def nearest_of(samples):
    return NeighborSearch(samples).nearest_others(15)[1]


# The score


def test_noise_among_the_training_images_lies_far_out():
    shares = OutlierScore.fit(BOTH).shares(BOTH)
    assert roc_auc_score(IS_NOISE, -shares) > 0.98


def test_noise_that_is_dense_in_the_plane_of_principal_components_lies_far_out():
    images = np.concatenate([np.kron(DIGITS[:1000], np.ones((1, 12))), RNG.random((50, 768))])
    is_noise = np.arange(1050) >= 1000
    nearest = NeighborSearch(images).nearest_others(15)[0].mean(axis=1)

    assert roc_auc_score(is_noise, nearest) < 0.5  # as a distance in the plane has it
    assert roc_auc_score(is_noise, -OutlierScore.fit(images).shares(images)) > 0.98


def test_scattered_points_of_a_table_lie_far_out():
    blobs = make_blobs(1000, 8, centers=6, random_state=0)[0]
    every = np.concatenate([blobs, RNG.uniform(blobs.min(0), blobs.max(0), (50, 8))])
    shares = OutlierScore.fit(every).shares(every)
    assert roc_auc_score(np.arange(1050) >= 1000, -shares) > 0.98


def test_the_score_is_the_share_of_training_samples_that_lie_farther_out():
    score = OutlierScore.fit(DIGITS)
    distances, shares = score.distances(DIGITS), score.shares(DIGITS)

    for i in range(0, 1797, 200):
        assert shares[i] == pytest.approx((distances > distances[i]).mean(), abs=0.005)
    assert (shares < FAR_OUT).mean() == pytest.approx(0.01, abs=0.003)
    assert score.shares(np.full((1, 64), 1e30, np.float32)).tolist() == [0]
    assert score.shares(score.center[None] + score.prototypes[:1] @ score.directions.T) == [1]


def test_the_distance_is_that_to_the_nearest_prototype_in_all_columns():
    score = OutlierScore.fit(DIGITS)
    prototypes = score.center + score.prototypes @ score.directions.T
    by_hand = np.linalg.norm(BOTH[:, None] - prototypes, axis=2).min(axis=1)
    np.testing.assert_allclose(score.distances(BOTH), by_hand, atol=1e-4)
    np.testing.assert_allclose(score.distances(BOTH.astype(np.float64)), by_hand, atol=1e-5)


def test_a_lonely_group_is_no_prototype_of_others():
    lonely = np.concatenate([RNG.normal(size=(600, 4)), np.full((3, 4), 30.0)])
    assert (OutlierScore.fit(lonely).shares(lonely)[-3:] < FAR_OUT).all()


def test_the_same_samples_give_the_same_score_and_few_or_equal_ones_give_one_too():
    first, again = OutlierScore.fit(DIGITS), OutlierScore.fit(DIGITS)
    assert (first.shares(BOTH) == again.shares(BOTH)).all()
    for few in (DIGITS[:1], DIGITS[:3], np.zeros((300, 5), np.float32)):
        assert np.isfinite(OutlierScore.fit(few).shares(few)).all()


def test_what_is_kept_of_it_is_checked_when_it_is_read():
    arrays = OutlierScore.fit(DIGITS).arrays()
    again = OutlierScore.from_arrays(arrays, 64)
    assert (again.shares(BOTH) == OutlierScore.fit(DIGITS).shares(BOTH)).all()
    for wrong in ({"levels": arrays["levels"][::-1]}, {"center": arrays["center"][1:]},
                  {"prototypes": arrays["prototypes"][:0]}):  # fmt: skip
        with pytest.raises(ValueError, match="score of outliers"):
            OutlierScore.from_arrays(arrays | wrong, 64)
    del arrays["levels"]
    with pytest.raises(ValueError, match="not whole"):
        OutlierScore.from_arrays(arrays, 64)


# Noise that is left out of the training


def test_five_percent_of_noise_are_told_from_images_and_none_where_there_are_none():
    assert not like_noise(DIGITS, nearest_of(DIGITS)).any()
    found = like_noise(BOTH, nearest_of(BOTH))
    assert found[IS_NOISE].mean() > 0.95
    assert found[~IS_NOISE].mean() < 0.005


@pytest.mark.parametrize("n_noise", [20, 500])
def test_too_few_for_a_cluster_or_enough_for_a_class_are_left_in(n_noise):
    every = np.concatenate([DIGITS, RNG.random((n_noise, 64)).astype(np.float32)])
    assert not like_noise(every, nearest_of(every)).any()


def test_a_table_of_few_columns_has_no_noise():
    table = np.concatenate([DIGITS[:, 10:40], 9 * NOISE[:, :30]])
    assert not like_noise(table, nearest_of(table)).any()


def test_a_wide_class_among_narrow_ones_is_no_noise():
    wide = np.concatenate([RNG.normal(size=(900, 80)), 2 * RNG.normal(size=(300, 80)) + 9])
    assert not like_noise(wide, nearest_of(wide)).any()


# Models


def small_sorting(seed=0):
    return SortingAutoEncoder(
        5, max_iter=1, decoder_max_iter=1, min_steps=20, random_state=seed, device="cpu"
    )


@pytest.fixture(scope="module")
def sorted_with_noise():
    some = np.concatenate([DIGITS[:600], NOISE[:30]])
    with pytest.warns(UserWarning, match=r"30 of 630 samples are like noise"):
        return small_sorting().fit(some), some


def test_sorting_learns_without_noise_and_assigns_it_nevertheless(sorted_with_noise):
    model, some = sorted_with_noise
    assert len(model.first_labels_) == 600
    assert len(model.labels_) == 630
    np.testing.assert_array_equal(model.labels_, model.predict(some))
    shares = model.score_samples(some)
    assert roc_auc_score(np.arange(630) >= 600, -shares) > 0.95


def test_sorting_without_noise_leaves_nothing_out_and_says_nothing():
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "samples are like noise")
        model = small_sorting().fit(DIGITS[:300])
    assert len(model.first_labels_) == 300


def test_a_saved_model_scores_as_before_and_one_of_an_earlier_version_says_so(
    sorted_with_noise, tmp_path
):
    model, some = sorted_with_noise
    model.save(tmp_path / "model")
    again = SortingAutoEncoder.load(tmp_path / "model")
    np.testing.assert_array_equal(again.score_samples(some), model.score_samples(some))

    again.outliers_ = None  # as of a file without it
    again.save(tmp_path / "old")
    old = SortingAutoEncoder.load(tmp_path / "old")
    np.testing.assert_array_equal(old.predict(some), model.predict(some))
    with pytest.raises(InputError, match="saved by an earlier version"):
        old.score_samples(some)


def test_all_methods_that_saw_the_same_samples_agree(sorted_with_noise, tmp_path):
    model, some = sorted_with_noise
    start = AutoEncoder(2, (8,), max_iter=1, random_state=0, device="cpu")
    deep = DEC(3, start, max_iter=1, random_state=0).fit(some)
    np.testing.assert_allclose(deep.score_samples(some), model.score_samples(some), atol=1e-5)
    deep.save(tmp_path / "deep")
    again = DEC.load(tmp_path / "deep")
    np.testing.assert_array_equal(again.score_samples(some), deep.score_samples(some))


# Runs


@pytest.fixture(scope="module")
def noisy_run(tmp_path_factory):
    place = tmp_path_factory.mktemp("noisy")
    images = np.concatenate([DIGITS[:300], NOISE[:15]])
    order = RNG.permutation(315)
    np.savez(place / "mine.npz", x=(255 * images[order]).astype(np.uint8).reshape(-1, 8, 8))
    config = RunConfig(
        dataset=str(place / "mine.npz"), epochs=2, n_clusters=3, n_components=2,
        hidden_layer_sizes=(8,), methods=("kmeans", "gmm", "pixels"),
    )  # fmt: skip
    run(config, place / "RUN", figures=False)
    return place / "RUN", load_dataset(place / "mine.npz"), order >= 300


@pytest.mark.parametrize("method", ["kmeans", "gmm", "pixels"])
def test_files_assignments_and_page_say_the_same_of_each_sample(noisy_run, method):
    folder, data, _ = noisy_run
    table = pd.read_csv(folder / "clusters.csv", dtype={"id": str}).set_index("id")
    kept = load_run(folder)
    for ids, rows in ((data.ids_train, data.raw_train), (data.ids_test, data.raw_test)):
        found = kept.assign(rows, method)
        for column in ("share_farther_out", "outlier"):
            np.testing.assert_allclose(found[column], table.loc[ids, column], atol=1e-5)
            np.testing.assert_allclose(found[column], kept.clusters.loc[ids, column], atol=1e-5)
    on_page = next(m for m in read_run(folder).methods if m.name == method).arrays
    shares = table.loc[data.ids_test, "share_farther_out"]
    np.testing.assert_allclose(on_page["share_farther_out_test"], shares, atol=1e-5)


def test_noise_in_a_file_stands_out_in_its_table_of_clusters(noisy_run):
    folder, _, is_noise = noisy_run
    table = pd.read_csv(folder / "clusters.csv").sort_values("id")
    assert roc_auc_score(is_noise, -table["share_farther_out"]) > 0.95
    train = table[table["split"] == "train"]
    assert train["outlier"].sum() == (train["share_farther_out"] < FAR_OUT).sum() > 0


def test_a_damaged_score_is_refused_in_a_sentence(noisy_run, tmp_path):
    import shutil

    folder = tmp_path / "RUN"
    shutil.copytree(noisy_run[0], folder)
    place = folder / "methods" / "kmeans" / "clusterer.npz"
    arrays = dict(np.load(place))
    np.savez(place, **arrays | {"outlier_levels": arrays["outlier_levels"][::-1]})
    with pytest.raises(InputError, match="levels of its score of outliers do not rise"):
        load_run(folder).assign(np.zeros((1, 8, 8), np.uint8))
