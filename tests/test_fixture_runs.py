"""Runs of every format version load for ever: one folder of each stands in tests/fixtures.

That of version 1 was made in that folder, its page and the path of its data taken out, by

    ae-cluster run digits-100.npz --n-clusters 10 --epochs 5 --hidden-layer-sizes 16 --budgets 1
        --draws 1 --no-figures --method kmeans --method gmm --method pixels --out run-format-1

(digits-100.npz holds the first hundred of scikit-learn's digits, as bytes.) They are not made
again: a format that changes gets a new version, and a folder of its own.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ae_cluster import load_dataset, load_run
from ae_cluster.cli.main import main
from ae_cluster.explorer import write_page
from ae_cluster.records.clusterers import FORMAT_VERSION as CLUSTERER_VERSION
from ae_cluster.records.config import FORMAT_VERSION
from ae_cluster.reports.run import run_report

FIXTURES = Path(__file__).parent / "fixtures"
RUNS = sorted(FIXTURES.glob("run-format-*"))


def test_there_is_a_run_of_every_version():
    versions = range(1, max(FORMAT_VERSION, CLUSTERER_VERSION) + 1)
    assert [run.name for run in RUNS] == [f"run-format-{version}" for version in versions]


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.name)
def test_it_is_small_and_says_nothing_of_a_machine(run):
    files = [path for path in run.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 200_000
    listed = json.loads((run / "config.json").read_text())["files"]
    assert sorted(path.relative_to(run).as_posix() for path in files) == sorted(listed)
    assert json.loads((run / "config.json").read_text())["arguments"]["dataset"] == "digits-100.npz"


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.name)
def test_it_is_loaded_and_assigns_its_own_samples_to_its_clusters(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    kept, data = load_run(run), load_dataset(FIXTURES / "digits-100.npz")
    assert kept.methods == ("kmeans", "gmm", "pixels")
    assert len(kept.scores) == len(pd.read_csv(run / "scores.csv"))
    ids = np.concatenate([data.ids_train, data.ids_test])
    images = np.concatenate([data.raw_train, data.raw_test])
    for method in kept.methods:
        found = kept.assign(images, method)
        assert found["cluster"].tolist() == kept.clusters.loc[ids, method].tolist()
        assert found["outlier"].mean() < 0.2
    np.testing.assert_allclose(kept.model("gmm").transform(images), kept.codes.loc[ids], atol=1e-4)
    assert main(["assign", str(run), str(FIXTURES / "digits-100.npz"), "--out", "new.csv"]) == 0
    table = pd.read_csv("new.csv", dtype={"id": str}).set_index("id")
    assert table["cluster"].tolist() == kept.clusters.loc[table.index, "kmeans"].tolist()


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.name)
def test_its_reports_are_made(run, tmp_path, monkeypatch):
    monkeypatch.chdir(FIXTURES)
    copy = shutil.copytree(run, tmp_path / "RUN")
    assert "kmeans" in run_report(load_run(copy).scores, copy)
    assert write_page(copy).stat().st_size > 100_000
