"""Trustworthiness, continuity and neighbour recall: what codes keep of their samples."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from sklearn.manifold import trustworthiness
from sklearn.preprocessing import StandardScaler
from small_runs import make_small_run

from ae_cluster import load_dataset, load_run
from ae_cluster.common.errors import InputError
from ae_cluster.common.scaling import fit_scaling
from ae_cluster.common.table_options import STANDARD
from ae_cluster.metrics.clustering import METRICS
from ae_cluster.metrics.faithfulness import (
    NAMES,
    Neighborhoods,
    evaluation_sample,
    faithfulness,
)
from ae_cluster.records.reading import read_scores
from ae_cluster.reports.html import write_report
from ae_cluster.reports.run import faithfulness_line, run_report
from ae_cluster.runs.faithful import FaithfulTo
from experiments.support import cells
from experiments.support.store import Store

RNG = np.random.default_rng(0)
SAMPLES = RNG.normal(size=(150, 8))
CODES = SAMPLES[:, :2] + RNG.normal(scale=0.3, size=(150, 2))


def nearest_of(points, k):
    distances = np.linalg.norm(points[:, None] - points, axis=2)
    np.fill_diagonal(distances, np.inf)
    return [set(row) for row in np.argsort(distances, axis=1)[:, :k].tolist()]


def test_trustworthiness_is_that_of_scikit_learn_and_continuity_that_with_the_roles_exchanged():
    found = faithfulness(SAMPLES, CODES)

    assert found["trustworthiness"] == pytest.approx(
        trustworthiness(SAMPLES, CODES, n_neighbors=15)
    )
    assert found["continuity"] == pytest.approx(trustworthiness(CODES, SAMPLES, n_neighbors=15))
    assert found["trustworthiness"] != pytest.approx(found["continuity"], abs=1e-3)


def test_recall_is_the_mean_share_of_the_nearest_samples_among_the_nearest_codes():
    shared = [a & b for a, b in zip(nearest_of(SAMPLES, 4), nearest_of(CODES, 4), strict=True)]

    found = faithfulness(SAMPLES, CODES, n_neighbors=4)["neighbor_recall"]
    assert found == pytest.approx(np.mean([len(both) / 4 for both in shared]))
    assert 0.05 < found < 0.9


def test_codes_that_move_and_scale_the_samples_are_perfect():
    assert faithfulness(SAMPLES, 1e6 * SAMPLES - 3) == dict.fromkeys(NAMES, 1.0)


def test_codes_by_chance_are_about_a_half_and_recall_nothing():
    found = faithfulness(RNG.normal(size=(600, 8)), RNG.normal(size=(600, 3)))

    assert found["trustworthiness"] == pytest.approx(0.5, abs=0.03)
    assert found["continuity"] == pytest.approx(0.5, abs=0.03)
    assert found["neighbor_recall"] == pytest.approx(15 / 600, abs=0.01)


def test_codes_that_tear_a_class_apart_lose_continuity_and_codes_that_merge_two_lose_trust():
    one = RNG.normal(size=(200, 3))
    halves = np.arange(200) % 2
    torn, two = one + 100 * halves[:, None], one + 100 * halves[:, None]

    apart = faithfulness(one, torn)
    assert apart["trustworthiness"] > apart["continuity"] + 0.02
    merged = faithfulness(two, one)
    assert merged["continuity"] > merged["trustworthiness"] + 0.02


def test_of_many_samples_the_same_are_always_looked_at():
    some = evaluation_sample(5000, 100)
    assert len(np.unique(some)) == 100
    assert (np.diff(some) > 0).all()
    samples, codes = RNG.normal(size=(5000, 4)), RNG.normal(size=(5000, 2))

    found = faithfulness(samples, codes, sample_size=100)
    assert found == faithfulness(samples, codes, sample_size=100)
    assert found == Neighborhoods(samples[some]).scores(codes[some])
    assert found != faithfulness(samples, codes, sample_size=100, random_state=1)


def test_few_samples_have_fewer_neighbours_and_two_have_no_score():
    few = RNG.normal(size=(7, 3))
    expected = trustworthiness(few, few[:, :1], n_neighbors=3)
    assert faithfulness(few, few[:, :1])["trustworthiness"] == pytest.approx(expected)
    assert all(math.isnan(score) for score in faithfulness(few[:2], few[:2]).values())


def test_codes_all_the_same_are_scored_without_a_warning():
    found = faithfulness(SAMPLES, np.zeros((150, 2)))
    assert 0 <= found["neighbor_recall"] < 0.3


def test_wrong_input_is_refused_in_a_sentence():
    with pytest.raises(InputError, match="150 samples and codes has 149"):
        faithfulness(SAMPLES, CODES[1:])
    with pytest.raises(InputError, match="n_neighbors is 0"):
        faithfulness(SAMPLES, CODES, 0)
    with pytest.raises(InputError, match="samples holds NaN"):
        faithfulness(SAMPLES * np.nan, CODES)


def test_a_run_scores_its_codes_once_and_says_so_at_its_end_and_in_its_report(
    tmp_path, monkeypatch
):
    scored = []
    whole = Neighborhoods.scores
    monkeypatch.setattr(Neighborhoods, "scores", lambda s, c: scored.append(c) or whole(s, c))
    folder = make_small_run(tmp_path, ("kmeans", "gmm"))

    rows = read_scores(folder)
    of_codes = rows[rows["budget"].isna() & (rows["features"] != "pixels")]
    assert of_codes[list(NAMES)].notna().all(axis=None)
    assert len(scored) == 2 * of_codes["features"].nunique()  # not of each clusterer
    given, kept = load_dataset(tmp_path / "mine.npz"), load_run(folder).codes
    codes = kept.loc[given.ids_test].to_numpy()
    first = of_codes[(of_codes["features"] == "autoencoder") & (of_codes["split"] == "test")]
    assert first[list(NAMES)].iloc[0].to_dict() == pytest.approx(faithfulness(given.x_test, codes))
    line = faithfulness_line(rows)
    assert f"autoencoder {first['trustworthiness'].iloc[0]:.3f}, " in line
    assert line in run_report(rows, folder)
    assert line in write_report(folder).path.read_text(encoding="utf-8")


def test_rows_of_an_earlier_version_stay_readable_and_say_nothing_of_it():
    rows = read_scores(Path(__file__).parent / "fixtures" / "run-format-1")
    assert rows[list(NAMES)].isna().all(axis=None)
    assert faithfulness_line(rows) == ""


def test_the_rows_of_an_experiment_have_them(tmp_path):
    cell = cells.make_cell("digits", "pca", "kmeans", 0)
    _, row = cells.cluster_cell(cell, Store(tmp_path))
    data = load_dataset("digits")
    codes = cells.codes_of(cell, Store(tmp_path))["test"]
    assert {n: row[n] for n in NAMES} == pytest.approx(faithfulness(data.x_test, codes))


def test_a_table_is_compared_as_methods_see_it_each_column_in_its_own_spread(tmp_path):
    rows = RNG.normal(size=(60, 3)) * [1, 1, 1e4]
    np.savez(tmp_path / "mine.npz", x=rows)
    data = load_dataset(tmp_path / "mine.npz")
    scaler = StandardScaler().fit(data.x_train)
    halves = scaler.transform(data.x_train)[:, :2], scaler.transform(data.x_test)[:, :2]

    found = FaithfulTo(data, fit_scaling(data.raw_train, STANDARD)).scores(*halves)
    assert found[0] == pytest.approx(faithfulness(scaler.transform(data.x_train), halves[0]))
    assert found[0]["trustworthiness"] > 0.8


def test_the_table_of_metrics_has_them():
    assert set(NAMES) < {metric.name for metric in METRICS}
    assert all(metric.at_most_1 and not metric.lower_is_better
               for metric in METRICS if metric.name in NAMES)  # fmt: skip
