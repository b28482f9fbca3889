"""The measuring scripts run whole, and count what they say they count."""

import re

import pandas as pd
import pytest


@pytest.fixture
def speed(load_experiment):
    return load_experiment("speed")


def test_products_of_one_epoch_are_counted_by_hand(speed):
    weights = 2 * (784 * 128 + 128 * 64 + 64 * 12 + 12 * 3)
    # Forward and the weights' gradient for every layer; the input's gradient for all but the first.
    by_hand = 2 * 60_000 * (weights + weights + weights - 784 * 128)
    assert speed.gflop_per_epoch() == pytest.approx(by_hand / 1e9)


def test_summary_compares_within_one_run(speed):
    rounds = pd.DataFrame(
        [
            {"way": way, "round": i, "wall": wall + i, "epoch": epoch, "loss": 0.04, "peak_mb": 1.0}
            for i in range(2)
            for way, wall, epoch in (("tutorial", 70, 6), ("ours", 14, 1), ("products", 9, 0.5))
        ]
    )
    table = speed.summary(rounds)
    assert table.loc["ours", "tutorial_over_epoch_seconds"] == 6
    assert table.loc["ours", "epoch_over_products"] == 2
    assert table.loc["ours", "tutorial_over_fit_seconds_cold"] == 5
    assert table.loc["ours", "tutorial_over_fit_seconds_warm"] == pytest.approx(71 / 15)
    assert table.loc["products"].filter(like="fit_seconds").isna().all()


@pytest.mark.slow
@pytest.mark.mnist
def test_speed_smoke(run_experiment, mnist_home, tmp_path):
    done = run_experiment(
        "speed", "--smoke", "--data-home", mnist_home, "--out", tmp_path / "s.csv"
    )
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(tmp_path / "s.csv", index_col="way")
    assert list(table.index) == ["tutorial", "ours", "products"]
    assert (
        table.loc["ours", "tutorial_over_epoch_seconds"] > 1.5
    )  # far below the claim: a noisy machine


@pytest.mark.slow
@pytest.mark.mnist
def test_recipe_smoke_goes_on_where_it_stopped(run_experiment, mnist_home, tmp_path):
    out = tmp_path / "r.csv"
    done = run_experiment("recipe", "--smoke", "--data-home", mnist_home, "--out", out)
    assert done.returncode == 0, done.stderr
    rows = pd.read_csv(out)
    assert rows["seed"].tolist() == [0, 1]
    assert (rows["neighbors_codes"] > rows["neighbors_untrained"]).all()
    out.write_text("\n".join(out.read_text().splitlines()[:2]) + "\n")  # as if killed after one
    assert (
        run_experiment("recipe", "--smoke", "--data-home", mnist_home, "--out", out).returncode == 0
    )
    assert len(pd.read_csv(out)) == 2


def test_assigning_is_compared_with_its_network_alone(load_experiment):
    script = load_experiment("assign_speed")
    rounds = pd.DataFrame(
        [
            {"way": way, "rows": 9, "rows_per_second": pace - i, "cpu_seconds": cpu + i,
             "anonymous_mb": 100 + i}
            for i in range(2)
            for way, pace, cpu in ((script.PRODUCTS, 400, 2), ("kmeans to csv", 300, 3))
        ]
    )  # fmt: skip
    table = script.summary(rounds)
    assert table.loc["kmeans to csv", "share_of_network_alone"] == 0.75
    assert table.loc["kmeans to csv", "cpu_over_network_alone"] == 1.5
    assert table.loc["kmeans to csv", "anonymous_mb"] == 101


@pytest.mark.slow
def test_assign_speed_smoke(run_experiment, tmp_path):
    done = run_experiment("assign_speed", "--smoke", "--out", tmp_path / "s.csv")
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(tmp_path / "s.csv", index_col="way")
    assert list(table.index) == ["network alone", "kmeans to parquet", "kmeans to csv",
                                 "gmm to parquet"]  # fmt: skip
    assert (table["anonymous_mb"].dropna() < 600).all()


def test_the_quickest_round_counts_and_rows_of_other_runs_stay(load_experiment, tmp_path):
    script = load_experiment("profile")

    def one_round(seconds, method="kmeans"):
        return [
            {"dataset": "digits", "method": method, "stage": stage, "seconds": seconds * share,
             "share": share, "peak_mb": 100.0}
            for stage, share in ((script.WHOLE, 1.0), ("training", 0.75), ("other", 0.25))
        ]  # fmt: skip

    table = script.quickest([one_round(8), one_round(4), one_round(6)])
    assert table["seconds"].tolist() == [4, 3, 1]
    assert table["rounds"].tolist() == [3, 3, 3]
    path = tmp_path / "profile.csv"
    script.quickest([one_round(9, "sorting"), one_round(9, "sorting")]).to_csv(path, index=False)
    script.with_earlier(table, path).to_csv(path, index=False)
    again = script.with_earlier(script.quickest([one_round(2)]), path)
    assert again["method"].tolist() == ["kmeans"] * 3 + ["sorting"] * 3
    assert again["seconds"].tolist() == [2, 1.5, 0.5, 9, 6.75, 2.25]


@pytest.mark.slow
def test_a_profile_has_every_stage_of_a_run_and_they_add_up(run_experiment, tmp_path):
    out = tmp_path / "p.csv"
    done = run_experiment("profile", "digits", "--smoke", "--method", "kmeans", "--out", out)
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(out).set_index("stage")
    stages = {"loading torch", "reading", "training", "clustering", "few labels", "figures"}
    assert stages | {"faithfulness", "outliers", "page", "other", "whole run"} == set(table.index)
    parts, whole = table.drop("whole run"), table.loc["whole run"]
    assert parts["seconds"].sum() == pytest.approx(whole["seconds"], abs=0.01)
    assert parts["share"].sum() == pytest.approx(1, abs=0.01)
    assert whole["peak_mb"] == parts["peak_mb"].max() > 200
    assert table.loc["loading torch", "seconds"] > 0.3


@pytest.mark.slow
def test_a_grid_on_one_worker_and_on_two_is_measured(run_experiment):
    pytest.importorskip("distributed", reason="the extra cluster is not installed")
    done = run_experiment("cluster_speed", "--smoke")
    assert done.returncode == 0, done.stderr
    first, last = done.stdout.splitlines()
    told = re.match(r"round 1: 4 trainings ([\d.]+) s with one worker, ([\d.]+) with two", first)
    assert all(float(seconds) > 0 for seconds in told.groups())
    assert re.match(r"best [\d.]+ times, median [\d.]+; a cell costs [\d.]+ ms", last)
