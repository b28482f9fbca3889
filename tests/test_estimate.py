"""``run --plan``: what a run will take is said, nothing is done, and it is about right."""

import json
import time

import numpy as np
import pandas as pd
import pytest

from ae_cluster import RunConfig, run
from ae_cluster.cli.main import main
from ae_cluster.runs.estimate import estimate


def planned(capsys, *words):
    assert main(["run", *map(str, words), "--plan", "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def steps_of(plan):
    return {step["name"]: step for step in plan["steps"]}


def test_it_says_rows_bytes_memory_and_steps_and_writes_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(50, 4)), columns=list("abcd"))
    frame.to_csv("mine.csv", index=False)
    (plan,) = planned(capsys, "mine.csv", "--n-clusters", "3")["plans"]
    assert (plan["n_train"], plan["n_test"], plan["n_features"]) == (40, 10, 4)
    assert plan["bytes_read"] == (tmp_path / "mine.csv").stat().st_size
    assert plan["seconds"] == pytest.approx(sum(s["seconds"] for s in plan["steps"]), abs=1)
    assert plan["memory_mb"] > 100
    assert "classifiers from a few labels" not in steps_of(plan)  # there are no labels
    assert [path.name for path in tmp_path.iterdir()] == ["mine.csv"]

    assert main(["run", "mine.csv", "--n-clusters", "3", "--plan"]) == 0
    said = capsys.readouterr().out
    assert "40 training and 10 test samples of 4 numbers" in said
    assert "training the autoencoder: all 40 training samples" in said


def test_more_epochs_take_longer_and_no_figures_less():
    def seconds(figures=True, **changes):
        return estimate(RunConfig(**changes), figures=figures)["seconds"]

    assert seconds(epochs=1) < seconds() < seconds(epochs=1000)
    assert seconds(figures=False) < seconds()
    assert seconds(methods=("kmeans",)) < seconds(methods=("kmeans", "sorting"))


def test_it_says_which_steps_are_on_a_sample(tmp_path, capsys):
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(150_000, 2)).astype("f4"))
    words = (tmp_path / "x.npy", "--n-clusters", "3", "--method", "sorting")
    (plan,) = planned(capsys, *words)["plans"]
    assert steps_of(plan)["sorting"]["of"].startswith("a neighbour graph of 100,000 of 120,000")
    (plan,) = planned(capsys, tmp_path / "x.npy", "--n-clusters", "auto")["plans"]
    assert steps_of(plan)["number of clusters"]["of"] == "at most 2,000 training samples"


def test_what_a_run_would_refuse_is_refused(tmp_path, capsys, assert_one_sentence):
    np.save(tmp_path / "x.npy", np.zeros((5, 2)) + np.arange(5)[:, None])
    assert main(["run", str(tmp_path / "x.npy"), "--plan"]) == 2
    assert_one_sentence(capsys.readouterr().err.strip(), "--n-clusters")


def test_several_runs_are_added_up(capsys):
    assert main(["run", "digits", "--seeds", "3", "--plan"]) == 0
    assert "3 runs: about" in capsys.readouterr().out.splitlines()[-1]


@pytest.mark.slow
@pytest.mark.alone
def test_it_is_right_within_a_factor_of_three(tmp_path):
    config = RunConfig()
    began = time.perf_counter()
    run(config, tmp_path / "run")
    taken = time.perf_counter() - began
    assert taken / 3 < estimate(config)["seconds"] < taken * 3
