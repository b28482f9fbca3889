"""How sure a summary is, against naive copies; who is best; what others report."""

import itertools
import math
import statistics

import numpy as np
import pandas as pd
import pytest
from made_rows import only, rows_of, table_of

from ae_cluster.clustering.codes import CLUSTERERS
from ae_cluster.datasets import known_datasets
from ae_cluster.records.rows import tidy_row
from ae_cluster.reports import median_interval, paired_difference, summarize
from ae_cluster.reports.literature import LITERATURE, literature_text

# The interval


def naive_interval(values, seed):
    """Resample, take each resample's median, and read the 2.5th and 97.5th percentile off."""
    values, n = sorted(values), len(values)
    draws = np.random.default_rng(seed).integers(n, size=(10_000, n)).tolist()
    medians = sorted(statistics.median(values[i] for i in draw) for draw in draws)

    def percentile(share):
        place = share * (len(medians) - 1)
        below, part = int(place), place % 1
        return medians[below] * (1 - part) + medians[below + 1] * part

    return percentile(0.025), percentile(0.975)


@pytest.mark.parametrize("n", [2, 5, 10])
def test_interval_against_a_naive_bootstrap(n):
    values = np.random.default_rng(n).random(n)
    assert median_interval(values, seed=n) == pytest.approx(naive_interval(values, n), abs=1e-12)


def test_interval_is_the_same_each_time_and_in_any_order():
    values = np.random.default_rng(3).random(10)
    assert median_interval(values) == median_interval(values[::-1]) == median_interval(values)
    assert median_interval(values) != median_interval(values, seed=1)


def test_interval_moves_and_scales_with_the_values():
    values = np.random.default_rng(4).random(9)
    low, high = median_interval(values)
    assert median_interval(10 * values - 3) == pytest.approx((10 * low - 3, 10 * high - 3))
    assert median_interval([0.5] * 10) == (0.5, 0.5)


def test_interval_holds_the_true_median_about_as_often_as_it_says():
    rng = np.random.default_rng(5)
    intervals = [median_interval(rng.normal(size=20)) for _ in range(300)]
    assert 0.90 < np.mean([low <= 0 <= high for low, high in intervals]) < 0.99


def test_one_value_has_no_interval():
    assert np.isnan(median_interval([0.5])).all()
    assert np.isnan(median_interval([])).all()


# Against the best


def naive_signed_rank(differences):
    """Count over all signs how often the rank sum is as extreme; midranks for ties."""
    d = [x for x in differences if x != 0]
    sizes = [abs(x) for x in d]
    ranks = [sum(s < x for s in sizes) + (sum(s == x for s in sizes) + 1) / 2 for x in sizes]
    observed = abs(sum(rank * np.sign(x) for rank, x in zip(ranks, d, strict=True)))
    sums = [abs(np.dot(ranks, signs)) for signs in itertools.product((-1, 1), repeat=len(d))]
    return np.mean(np.array(sums) >= observed - 1e-9)


@pytest.mark.parametrize(
    "differences",
    [
        [0.1, 0.2],
        [0.1, -0.2, 0.3, 0.4, 0.5],
        [-0.01, -0.02, -0.03, -0.04, -0.05, -0.06, -0.07, -0.08, -0.09, -0.1],
        [0.1, 0.1, -0.1, 0.2, 0.2, 0.3],
        [0.0, 0.1, 0.0, -0.2, 0.3],
    ],
)
def test_paired_test_against_counting_all_signs(differences):
    reference = pd.Series(np.linspace(0.3, 0.6, len(differences)))
    n, median, p = paired_difference(reference + differences, reference)
    assert n == len(differences)
    assert median == pytest.approx(np.median(differences))
    assert p == pytest.approx(naive_signed_rank(differences))


def test_ways_that_never_differ_are_not_told_apart():
    scores = pd.Series([0.1, 0.2, 0.3])
    assert paired_difference(scores, scores) == (3, 0, 1)


def test_only_shared_seeds_are_compared():
    ours = pd.Series([0.5, 0.6, 0.9], index=[0, 1, 2])
    theirs = pd.Series([0.4, 0.1, 0.7], index=[1, 3, 0])
    n, median, _ = paired_difference(ours, theirs)
    assert (n, median) == (2, pytest.approx(0.0))  # −0.2 and +0.2
    n, median, p = paired_difference(ours, theirs.loc[[1]])
    assert (n, median) == (1, pytest.approx(0.2))
    assert math.isnan(p)
    n, median, p = paired_difference(ours, theirs.loc[[3]])
    assert n == 0
    assert np.isnan([median, p]).all()


def test_differences_are_to_the_best_of_the_same_data_on_the_same_seeds():
    summary = summarize(
        table_of(
            rows_of([0.5, 0.6, 0.7]),
            rows_of([0.9, 0.8, 0.7], method="gmm"),
            rows_of([0.99] * 3, dataset="digits"),
            rows_of([0.99] * 3, split="train"),
            rows_of([0.99] * 3, n_clusters=20),
        ),
        n_seeds=3,
    )
    best = only(summary, dataset="mnist", split="test", method="gmm")
    assert (best["best"], best["n_pairs"], best["difference"]) == (True, 3, 0)
    assert math.isnan(best["wilcoxon"])
    other = only(summary, dataset="mnist", split="test", n_clusters=10, method="kmeans")
    assert (other["best"], other["n_pairs"]) == (False, 3)
    assert other["difference"] == pytest.approx(-0.2)  # of −0.4, −0.2 and 0
    assert other["wilcoxon"] == pytest.approx(0.5)
    assert summary["best"].sum() == 4


def test_one_lucky_seed_is_not_the_best():
    rows = table_of(rows_of([0.5, 0.6, 0.7]), rows_of([0.9], method="gmm"))
    summary = summarize(rows, n_seeds=3)
    assert only(summary, best=True)["method"] == "kmeans"
    assert only(summary, method="gmm")["difference"] == pytest.approx(0.4)


def test_the_smallest_error_is_the_best():
    rows = table_of(rows_of([0.5, 0.6]), rows_of([0.5, 0.6], method="gmm"))
    rows["mse"] = [0.3, 0.2, 0.1, 0.2]
    assert only(summarize(rows, "mse", n_seeds=2), best=True)["method"] == "gmm"


# Numbers by others


def test_a_number_by_others_stands_beside_the_same_pipeline_only():
    def reference(**place):
        return only(summarize(table_of(rows_of([0.5, 0.6], **place)), n_seeds=2))["literature"]

    assert reference() == "ACC 0.465 (measured, test)"
    assert reference(method="gmm") == "ACC 0.475 (measured, test)"
    for other in (
        {"split": "train"},
        {"epochs": 20},
        {"n_clusters": 20},
        {"n_train": 1000},
        {"n_components": 10},
        {"features": "pca"},
        {"dataset": "digits"},
    ):
        assert reference(**other) == "", other


def test_a_number_by_others_on_all_samples_stands_beside_both_splits():
    pixels = {"features": "pixels", "n_components": 784, "epochs": 0}
    rows = table_of(rows_of([0.5], **pixels), rows_of([0.5], split="train", **pixels))
    summary = summarize(rows, n_seeds=1)
    assert set(summary["literature"]) == {"ACC 0.53–0.55 (published, all)"}
    assert set(summary["literature_source"]) == {"several papers"}
    rows["nmi"] = rows["ari"] = 0.4
    assert set(summarize(rows, "nmi", n_seeds=1)["literature"]) == {"NMI 0.50 (published, all)"}
    assert set(summarize(rows, "ari", n_seeds=1)["literature"]) == {""}


def test_numbers_by_others_name_what_exists_and_where_they_come_from():
    for (dataset, method, _, n_components), reference in LITERATURE.items():
        assert dataset in known_datasets()
        assert method in CLUSTERERS
        assert n_components > 0
        assert reference.kind in {"measured", "published", "memory"}
        assert reference.scored in {"train", "test", "all"}
        assert reference.source
        assert set(reference.conditions) <= set(tidy_row())
        assert reference.conditions["n_clusters"]
        assert all(0 < low <= high < 1 for low, high in reference.scores.values())
        assert (
            literature_text(reference, "accuracy")
            == literature_text(reference, "accuracy_matched")
            != ""
        )
