"""A grid that was killed, or carried out in parallel, or told wrong labels, gives the same."""

import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

ROOT = Path(__file__).parents[1]
SCRIPT = f"""
import sys
sys.path.append({str(ROOT)!r})
from experiments.compare_clustering import main
main()
"""


QUICK = ("autoencoder", "pca", "untrained", "pixels")
FEW = QUICK[:2]  # of two clusterers and two seeds each: eight cells


def arguments_of(folder, *more, features=FEW):
    told = [f"--features={name}" for name in features]
    return ["--smoke", *told, "--out", str(folder), "--store", str(folder / "store"), *more]


def start(folder, *more):
    command = [sys.executable, "-c", SCRIPT, *arguments_of(folder, *more)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def published(folder):
    """Return what a grid wrote for people, but for seconds and memory, as text."""
    rows = pd.read_csv(folder / "compare_clustering-digits.csv")
    kept = {path.name: path.read_bytes() for path in sorted((folder / "arrays").iterdir())}
    return rows.drop(columns=["seconds", "peak_mb"]).to_csv(index=False), kept


def n_cells(folder):
    file = folder / "store" / "cells.sqlite"
    if not file.exists():
        return 0
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        try:
            return connection.execute("SELECT COUNT(*) FROM cells").fetchone()[0]
        except sqlite3.OperationalError:  # it is just being made
            return 0


@pytest.fixture(scope="module")
def whole(tmp_path_factory, load_experiment):
    """Give what one process that is left alone publishes."""
    folder = tmp_path_factory.mktemp("whole")
    assert load_experiment("compare_clustering").main(arguments_of(folder)) == 0
    return published(folder)


@pytest.mark.heavy
def test_a_grid_killed_twice_publishes_the_same_bytes(whole, load_experiment, tmp_path):
    for n_done in (1, 4):
        process = start(tmp_path)
        while n_cells(tmp_path) < n_done and process.poll() is None:
            time.sleep(0.005)
        process.kill()
        process.wait()
    assert 4 <= n_cells(tmp_path) <= 8
    assert load_experiment("compare_clustering").main(arguments_of(tmp_path)) == 0
    assert published(tmp_path) == whole


@pytest.mark.slow
def test_two_jobs_publish_the_same_bytes(whole, tmp_path):
    process = start(tmp_path, "--jobs", "2")
    assert process.wait(timeout=300) == 0
    assert published(tmp_path) == whole


@pytest.mark.heavy
def test_training_labels_leave_codes_and_clusters_as_they_are(load_experiment, tmp_path):
    """Carry out the whole grid twice: with the training labels, and with them permuted."""
    images, labels = load_digits(return_X_y=True)
    images = (images / 16).astype(np.float32).reshape(-1, 8, 8)
    kept = {"x_train": images[:1000], "x_test": images[1000:], "y_test": labels[1000:]}
    permuted = np.random.default_rng(0).permutation(labels[:1000])
    compare, cells = load_experiment("compare_clustering"), load_experiment("support.cells")
    made, rows = [], []
    for name, y_train in (("told", labels[:1000]), ("permuted", permuted)):
        path, out = tmp_path / f"{name}.npz", tmp_path / name
        np.savez(path, y_train=y_train, **kept)
        told = arguments_of(out, "--dataset", str(path), "--n-clusters", "10", features=QUICK)
        assert compare.main(told) == 0
        made.append(everything_of(compare.QUICK_PIPELINES, str(path), cells, out / "store"))
        rows.append(pd.read_csv(out / f"compare_clustering-{name}.csv"))
    assert len(made[0]) == 7 * 2 * 5
    assert made[0] == made[1]
    assert (rows[0]["accuracy"] != rows[1]["accuracy"]).all()  # the labels did change


def everything_of(ways, dataset, cells, folder):
    """Return the bytes of codes and clusters of every cell of a finished grid."""
    store, found = cells.Store(folder), {}
    for features, method in ways:
        for seed in (0, 1):
            cell = cells.make_cell(dataset, features, method, seed, epochs=2, n_clusters=10)
            fingerprint = cells.data_of(dataset).fingerprint
            assert cells.cell_key(cell, fingerprint, cells.VERSION) in store.statuses()
            codes, clusters = cells.codes_of(cell, store), cells.clusters_of(cell, store)
            parts = codes["train"], codes["test"], clusters.train, clusters.test, clusters.centers
            found |= {(features, method, seed, i): p.tobytes() for i, p in enumerate(parts)}
    return found
