"""The experiments run whole in seconds, and their results can be checked."""

import sqlite3

import pandas as pd
import pytest


@pytest.fixture(scope="module")
def smoke(tmp_path_factory, load_experiment):
    """Give the results folder of a small grid, with its tables and figures."""
    folder = tmp_path_factory.mktemp("smoke")
    compare = load_experiment("compare_clustering")
    out, store = str(folder / "results"), str(folder / "store")
    assert compare.main(["--smoke", "--out", out, "--store", store]) == 0
    return folder


def test_every_way_has_every_seed(smoke):
    rows = pd.read_csv(smoke / "results" / "compare_clustering-digits.csv")
    assert len(rows) == 7 * 2 * 2  # ways × seeds × splits
    assert (rows["status"] == "ok").all()
    assert set(rows["seed"]) == {0, 1}
    assert not rows.duplicated(["features", "method", "seed", "split"]).any()


def test_a_second_run_does_nothing_and_writes_the_same(smoke, load_experiment):
    path = smoke / "results" / "compare_clustering-digits.csv"
    before = path.read_bytes()
    arguments = ["--smoke", "--out", str(path.parent), "--store", str(smoke / "store")]
    assert load_experiment("compare_clustering").main(arguments) == 0
    assert path.read_bytes() == before


def test_one_encoder_serves_both_clusterers(smoke):
    assert len(list((smoke / "store" / "arrays").glob("*.npz"))) == 3 * 2  # features × seeds
    with sqlite3.connect(smoke / "store" / "cells.sqlite") as connection:
        (count,) = connection.execute("SELECT COUNT(*) FROM cells").fetchone()
    connection.close()
    assert count == 7 * 2


def test_tables_and_figures_follow_from_the_rows_without_torch(smoke, run_experiment):
    results = smoke / "results"
    for name in ("tables", "figures"):
        done = run_experiment(name, "--results", results, "--seeds", 2)
        assert done.returncode == 0, done.stderr
    table = (results / "tables" / "clustering-accuracy.md").read_text()
    assert table.count("| digits | test |") == 7
    assert (results / "figures" / "methods-digits.png").stat().st_size > 0
    before = (results / "tables" / "clustering-accuracy.csv").read_bytes()
    run_experiment("tables", "--results", results, "--seeds", 2)
    assert (results / "tables" / "clustering-accuracy.csv").read_bytes() == before


def test_a_missing_seed_is_shown(smoke, run_experiment, tmp_path):
    rows = pd.read_csv(smoke / "results" / "compare_clustering-digits.csv")
    rows.query("seed == 0").to_csv(tmp_path / "compare_clustering-digits.csv", index=False)
    run_experiment("tables", "--results", tmp_path, "--seeds", 2)
    assert "| 1/2 |" in (tmp_path / "tables" / "clustering-accuracy.md").read_text()


def test_verify_reproduces_and_notices_what_is_not(smoke, load_experiment, tmp_path, capsys):
    verify = load_experiment("verify")
    results = smoke / "results"
    assert verify.main(["--results", str(results), "--sample", "2"]) == 0
    assert capsys.readouterr().out.count(": reproduced") == 2
    rows = pd.read_csv(results / "compare_clustering-digits.csv")
    rows["accuracy"] += 0.02
    rows.to_csv(tmp_path / "compare_clustering-digits.csv", index=False)
    assert verify.main(["--results", str(tmp_path), "--sample", "1"]) == 1
    assert "not reproduced" in capsys.readouterr().out


def test_verdicts_by_hand(load_experiment):
    verdict = load_experiment("verify").verdict
    assert verdict(0.5, 0.5005) == "reproduced"
    assert verdict(0.5, 0.495) == "within tolerance"
    assert verdict(0.5, 0.52) == "not reproduced"


def test_a_sample_is_spread_over_ways(smoke, load_experiment):
    verify = load_experiment("verify")
    rows = verify.published_rows(smoke / "results", ["digits"])
    sample = verify.stratified(rows, 7)
    assert not sample.duplicated(["features", "method"]).any()
