"""The grid of deep clusterings runs whole, shares its starts, and puts others' numbers beside."""

from __future__ import annotations

import pandas as pd
import pytest


@pytest.fixture
def experiment(load_experiment):
    return load_experiment("deep_clusterings")


def test_methods_of_a_seed_share_their_start(experiment):
    cells = [
        experiment.method_cell("digits", features, method, seed, 2, None)
        for features in ("paper-autoencoder", "autoencoder")
        for seed in (0, 1)
        for method in experiment.METHODS
    ]

    assert len({cell["stage"] for cell in cells}) == 4
    assert {(c["features"], c["n_components"]) for c in cells} == {
        ("paper-autoencoder", 10),
        ("autoencoder", 3),
    }


@pytest.mark.mnist
def test_mnist_is_pretrained_as_announced(experiment, mnist_home):  # noqa: ARG001
    epochs = {
        features: experiment.method_cell("mnist", features, "dec", 0, None, None)["epochs"]
        for features in ("paper-autoencoder", "autoencoder")
    }

    assert epochs == {"paper-autoencoder": 50, "autoencoder": 10}


def test_the_table_shows_median_and_range_beside_others(load_experiment, tmp_path):
    row = {"dataset": "mnist", "split": "test", "status": "ok", "n_components": 3, "method": "dec"}
    row |= {"nmi": 0.5, "mse": 0.04, "seconds": 60.2}
    failed = row | {"status": "failed", "accuracy_matched": float("nan")}
    rows = [row | {"accuracy_matched": acc} for acc in (0.4, 0.5, 0.7)]
    train = row | {"split": "train", "accuracy_matched": 1.0}

    other = row | {"dataset": "digits", "accuracy_matched": 0.9}
    made = pd.DataFrame([*rows, failed, train, other])
    made.to_csv(tmp_path / "deep_clusterings-mnist.csv", index=False)

    (path,) = load_experiment("support.medians").deep_table(tmp_path)

    ours, theirs = "0.500 (0.400–0.700) | 0.500 | 0.040 | 60", ".422 (ClustPy, measured, test)"
    assert path.read_text().splitlines()[2:] == [
        f"| mnist | 3-D | dec | 3 | {ours} | {theirs} |",
        "| digits | 3-D | dec | 1 | 0.900 (0.900–0.900) | 0.500 | 0.040 | 60 | – |",
    ]


@pytest.mark.slow
def test_smoke(run_experiment, tmp_path):
    arguments = ("--smoke", "--store", tmp_path / "store", "--out", tmp_path)
    done = run_experiment("deep_clusterings", *arguments)

    assert done.returncode == 0, done.stderr
    rows = pd.read_csv(tmp_path / "deep_clusterings-digits.csv")
    assert len(rows) == 2 * 2 * 6 * 2  # sizes, seeds, methods, splits
    assert set(rows["status"]) == {"ok"}
