"""The benchmark: ranks and tests that can be counted by hand, its table, and a grid of two sets."""

import math

import numpy as np
import pandas as pd
import pytest

from ae_cluster.common.errors import InputError
from ae_cluster.figures import caption_of, plot_ranks
from ae_cluster.reports.ranks import (
    against,
    critical_difference,
    friedman,
    holm,
    indistinct,
    ranks,
)
from experiments import benchmark
from experiments.support import benchmark_methods
from experiments.support.benchmark_methods import Samples, cluster, n_found
from experiments.support.benchmark_sets import BenchmarkSet, find_set
from experiments.support.benchmark_tables import half_table, in_order, medians_of

NAN = math.nan
SCORES = pd.DataFrame(
    {"kmeans": [0.5, 0.5, 0.2], "ward": [0.5, 0.7, 0.1], "evoc": [0.9, NAN, 0.3]},
    index=["coil20", "rings", "cars"],
)


def test_ranks_share_places_and_a_method_that_gave_nothing_is_last():
    assert ranks(SCORES).to_numpy().tolist() == [[2.5, 2.5, 1], [2, 1, 3], [2, 3, 1]]


def test_scores_that_read_alike_are_tied():
    assert ranks(pd.DataFrame({"a": [0.5004], "b": [0.5001]})).to_numpy().tolist() == [[1.5, 1.5]]


@pytest.mark.parametrize(
    ("n_methods", "q"), [(2, 1.960), (3, 2.343), (5, 2.728), (10, 3.164)]
)  # Demšar (2006), table 5
def test_critical_difference_is_that_of_the_published_table(n_methods, q):
    by_hand = q * math.sqrt(n_methods * (n_methods + 1) / (6 * 14))
    assert critical_difference(n_methods, 14) == pytest.approx(by_hand, rel=1e-3)


def test_friedman_is_scipys_with_ties_and_sees_no_difference_where_all_are_tied():
    from scipy.stats import friedmanchisquare

    scores = pd.DataFrame(np.random.default_rng(0).integers(0, 4, (12, 5)) / 10)
    expected = friedmanchisquare(*scores.to_numpy().T)
    assert friedman(scores) == pytest.approx((expected.statistic, expected.pvalue))
    assert friedman(pd.DataFrame(np.ones((4, 3)))) == (0.0, 1.0)
    assert math.isnan(friedman(scores.iloc[:1]).p_value)


def test_holms_steps_by_hand():
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([0.5, NAN, 0.9])[::2] == pytest.approx([1.0, 1.0])
    assert math.isnan(holm([0.5, NAN])[1])


def test_bars_join_what_lies_within_the_distance_and_none_lies_inside_another():
    assert indistinct([1, 1.5, 3, 3.2, 5], 1) == [(0, 1), (2, 3)]
    assert indistinct([3, 1, 2], 2) == [(0, 2)]
    assert indistinct([1, 2, 3], 1) == [(0, 1), (1, 2)]
    assert indistinct([1, 3, 5], 1) == []


def test_wins_and_losses_count_a_method_that_gave_nothing_as_lost():
    found = against(SCORES, "kmeans")
    assert found.loc["ward", ["wins", "losses", "ties"]].tolist() == [1, 1, 1]
    assert found.loc["evoc", ["wins", "losses", "ties"]].tolist() == [2, 1, 0]
    assert found.loc["evoc", "difference"] == pytest.approx(0.25)
    assert found.loc["ward", "worst"] == pytest.approx(-0.1)


def test_a_method_that_is_always_better_is_so_by_wilcoxon():
    base = np.linspace(0.1, 0.8, 8)
    found = against(pd.DataFrame({"kmeans": base, "other": base + np.arange(1, 9) / 100}), "kmeans")
    assert found.loc["other", "p"] == pytest.approx(2 / 2**8)


def test_the_figure_names_every_method_with_its_mean_rank():
    figure = plot_ranks(SCORES, score="AMI", title="Ranks")
    texts = " ".join(text.get_text() for text in figure.axes[0].texts)
    for name, rank in (("kmeans", "2.17"), ("ward", "2.17"), ("evoc", "1.67")):
        assert name in texts
        assert rank in texts
    assert f"{critical_difference(3, 3):.2f}" in caption_of(figure)


def rows_of(scores):
    return pd.DataFrame(
        [
            {"dataset": dataset, "method": method, "seed": seed, "ami": ami, "seconds": 1.0}
            for (dataset, method), amis in scores.items()
            for seed, ami in enumerate(amis)
        ]
    )


def test_medians_are_of_one_half_and_leave_out_what_not_every_method_tried():
    rows = rows_of(
        {
            ("rings", "kmeans"): [0.1, 0.3, 0.2],
            ("rings", "ward"): [0.4, 0.4, 0.4],
            ("cars", "kmeans"): [0.5],
            ("moons", "kmeans"): [0.9],
            ("moons", "ward"): [0.9],
        }
    )
    found = medians_of(rows, "reporting")
    assert found.to_dict("index") == {"rings": {"kmeans": pytest.approx(0.2), "ward": 0.4}}
    assert medians_of(rows, "tuning").index.tolist() == ["moons"]


def test_the_table_marks_the_best_and_shows_losses():
    rows = rows_of({(d, m): [SCORES.loc[d, m]] for d in SCORES.index for m in SCORES})
    text = "\n".join(half_table(SCORES, SCORES * 0 + 2, rows))
    assert "| rings | 1,000 | 2 | 2 | 0.500 | **0.700** | – |" in text
    assert "| evoc | 1.0 | 1.67 | 2 | 1 | 0.250 | 0.100 |" in text


def test_new_rows_take_the_place_of_old_ones_and_others_stay(tmp_path):
    path = tmp_path / "benchmark.csv"
    rows_of({("moons", "ward"): [0.1], ("iris", "ward"): [0.2]}).to_csv(path, index=False)
    merged = in_order(rows_of({("moons", "ward"): [0.9], ("moons", "kmeans"): [0.3]}), path)
    assert merged[["dataset", "method", "ami"]].to_numpy().tolist() == [
        ["iris", "ward", 0.2],
        ["moons", "kmeans", 0.3],
        ["moons", "ward", 0.9],
    ]


@pytest.mark.parametrize("method", ["kmeans", "gmm", "ward", "spectral", "hdbscan"])
def test_methods_find_three_blobs_that_lie_apart(method):
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(3), 40)
    x = rng.normal(size=(120, 60)) + 20 * np.eye(60)[y]
    samples = Samples(
        BenchmarkSet("apart", "made", lambda: (x, y), (120, 60, 3), (40, 40), ""), x, y
    )
    clusters, seconds = cluster(method, samples, 0)
    assert n_found(clusters) == 3
    assert len({(a, b) for a, b in zip(y, clusters, strict=True) if b >= 0}) == 3
    assert seconds > 0


def test_rows_are_scaled_only_where_columns_have_units_of_their_own():
    for name, is_scaled in (("wine", True), ("iris", False)):
        one = find_set(name)
        samples = Samples(one, *one.load())
        assert np.allclose(samples.rows().std(axis=0), 1) == is_scaled


def test_methods_whose_memory_is_squared_refuse_what_is_too_much(monkeypatch):
    one = find_set("moons")
    monkeypatch.setattr(benchmark_methods, "MOST_SQUARED", 999)
    with pytest.raises(InputError, match="999 at most"):
        cluster("ward", Samples(one, *one.load()), 0)


def test_the_grid_writes_rows_and_goes_on_where_it_stopped(tmp_path):
    arguments = ["--smoke", "--methods", "kmeans", "ward", "--out", str(tmp_path / "out")]
    arguments += ["--store", str(tmp_path / "store")]
    assert benchmark.main(arguments) == 0
    rows = pd.read_csv(tmp_path / "out" / "benchmark.csv")
    assert len(rows) == 2 * 2 * 2
    assert set(rows["status"]) == {"ok"}
    of_ward = rows[(rows["dataset"] == "iris") & (rows["method"] == "ward")]
    assert of_ward["ami"].nunique() == 1
    assert of_ward["seconds"].nunique() == 1  # made once: it has no chance in it
    assert rows.loc[rows["dataset"] == "iris", "n_clusters"].unique().tolist() == [3]
    assert benchmark.main([*arguments, "--half", "tuning"]) == 0
    assert pd.read_csv(tmp_path / "out" / "benchmark.csv").equals(rows)


def test_a_set_whose_package_is_missing_is_left_out_with_a_sentence(tmp_path, capsys, monkeypatch):
    from experiments.support import bundled_files

    monkeypatch.setattr(bundled_files, "find_spec", lambda _: None)
    benchmark.samples_of.cache_clear()
    benchmark.fingerprint_of.cache_clear()
    code = benchmark.main(
        ["--sets", "trace", "moons", "--methods", "kmeans", "--seeds", "1",
         "--out", str(tmp_path), "--store", str(tmp_path / "store")]
    )  # fmt: skip
    assert code == 0
    assert "trace is left out: The package tslearn is not installed" in capsys.readouterr().err
    assert pd.read_csv(tmp_path / "benchmark.csv")["dataset"].tolist() == ["moons"]


def test_a_method_whose_package_is_missing_is_left_out_with_a_sentence(
    tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(benchmark_methods, "find_spec", lambda _: None)
    arguments = ["--sets", "iris", "--methods", "evoc", "kmeans", "--seeds", "1"]
    code = benchmark.main([*arguments, "--out", str(tmp_path), "--store", str(tmp_path / "store")])
    assert code == 0
    assert "evoc is left out" in capsys.readouterr().err
    assert pd.read_csv(tmp_path / "benchmark.csv")["method"].tolist() == ["kmeans"]


def test_rows_are_made_again_where_their_data_and_methods_are_here(tmp_path, capsys, monkeypatch):
    from experiments import verify

    arguments = ["--sets", "iris", "--methods", "kmeans", "ward", "--seeds", "1"]
    benchmark.main([*arguments, "--out", str(tmp_path), "--store", str(tmp_path / "store")])
    assert verify.main(["--results", str(tmp_path)]) == 0
    assert "2 of 2 rows re-run, 0 not reproduced" in capsys.readouterr().out
    monkeypatch.setattr(verify, "is_here", lambda method: method == "ward")
    rows = pd.read_csv(tmp_path / "benchmark.csv")
    rows.assign(accuracy=rows["accuracy"] - 0.1).to_csv(tmp_path / "benchmark.csv", index=False)
    assert verify.main(["--results", str(tmp_path)]) == 1
    assert "1 of 1 rows re-run, 1 not reproduced" in capsys.readouterr().out


@pytest.mark.slow
def test_the_smoke_runs_every_method_that_needs_no_compiler(tmp_path):
    out, store = str(tmp_path / "out"), str(tmp_path / "store")
    assert benchmark.main(["--smoke", "--sets", "iris", "--out", out, "--store", store]) == 0
    rows = pd.read_csv(tmp_path / "out" / "benchmark.csv")
    assert rows["status"].tolist() == ["ok"] * 2 * 10
    assert rows["method"].nunique() == 10
