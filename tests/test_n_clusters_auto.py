"""``n_clusters="auto"``: chosen in estimators and runs, kept in their files, refused where none."""

import json

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_blobs

from ae_cluster import (
    DCN,
    DEC,
    N2D,
    AutoEncoder,
    InputError,
    RunConfig,
    SortingAutoEncoder,
    VaDE,
    run,
)
from ae_cluster.cli.main import main
from ae_cluster.runs import suggest_k

SMALL = AutoEncoder(3, (8,), max_iter=2, random_state=0)
QUICK = {"epochs": 1, "budgets": (1,), "draws": 1, "methods": ("kmeans",)}


@pytest.fixture(scope="module")
def blobs():
    return make_blobs(120, 5, centers=4, cluster_std=0.3, random_state=0)[0]


@pytest.fixture
def mine(blobs, tmp_path):
    np.savez(tmp_path / "mine.npz", x=blobs)
    return tmp_path / "mine.npz"


@pytest.mark.parametrize(
    "model",
    [
        SortingAutoEncoder("auto", max_iter=1, min_steps=5, random_state=0),
        DEC("auto", SMALL, max_iter=1, random_state=0),
        DCN("auto", SMALL, max_iter=1, random_state=0),
        VaDE("auto", SMALL, max_iter=1, random_state=0),
        N2D("auto", SMALL, random_state=0),
    ],
    ids=lambda model: type(model).__name__,
)
@pytest.mark.filterwarnings("ignore")  # so small a training is told to have failed
def test_an_estimator_chooses_and_its_file_keeps_it(model, blobs, tmp_path):
    model = clone(model).fit(blobs)
    assert model.n_clusters == "auto"
    assert model.n_clusters_ == 4
    assert model.cluster_centers_.shape[0] == 4
    model.save(tmp_path / "model")
    again = type(model).load(tmp_path / "model")
    assert (again.n_clusters, again.n_clusters_) == ("auto", 4)
    assert (again.predict(blobs) == model.predict(blobs)).all()


def test_a_number_that_is_said_is_that_of_the_fitted_model(blobs):
    model = SortingAutoEncoder(3, max_iter=1, min_steps=5, random_state=0).fit(blobs)
    assert model.n_clusters_ == 3


@pytest.mark.parametrize("word", ["many", 0])
def test_other_words_are_refused(blobs, word):
    for model in (SortingAutoEncoder(word), DEC(word)):
        with pytest.raises(InputError, match="or auto"):
            model.fit(blobs)


def test_a_run_says_what_it_chose_and_keeps_what_was_said(mine, tmp_path):
    said = []
    config = RunConfig(str(mine), n_clusters="auto", **QUICK)
    rows = run(config, tmp_path / "run", figures=False, say=said.append)
    assert (rows.loc[rows["budget"].isna(), "n_clusters"].dropna() == 4).all()
    assert any(line.startswith("--n-clusters auto: 4 clusters") for line in said)
    content = json.loads((tmp_path / "run" / "config.json").read_text())
    assert content["arguments"]["n_clusters"] == "auto"
    assert content["settings"]["n_clusters"] == 4
    assert RunConfig.from_json(content["arguments"]) == config


def test_a_run_that_goes_on_has_the_same_number(mine, tmp_path, monkeypatch):
    config = RunConfig(str(mine), n_clusters="auto", **QUICK)
    monkeypatch.setattr("ae_cluster.runs.run.write_clusters", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(config, tmp_path / "run", figures=False)
    monkeypatch.undo()
    rows = run(config, tmp_path / "run", figures=False, resume=True)
    assert (rows.loc[rows["budget"].isna(), "n_clusters"].dropna() == 4).all()
    monkeypatch.setattr(suggest_k, "suggest_n_clusters", interrupted)
    run(config, tmp_path / "run", figures=False, resume=True)  # finished: nothing is chosen again


def interrupted(*_, **__):
    raise KeyboardInterrupt


def test_a_run_of_one_cloud_is_refused_with_the_way_out(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    np.savez("cloud.npz", x=np.random.default_rng(0).normal(size=(200, 4)))
    words = ["cloud.npz", "--n-clusters", "auto", "--out", "run", "--no-figures", "--epochs", "1"]
    assert main(["run", *words]) == 2
    told = capsys.readouterr().err
    assert "no structure" in told
    assert "--n-clusters K" in told
    assert not (tmp_path / "run").exists()


def test_a_clusterer_that_takes_no_number_needs_no_choice(mine, tmp_path, monkeypatch):
    monkeypatch.setattr(suggest_k, "suggest_n_clusters", interrupted)
    methods = {"methods": ("sklearn.cluster:HDBSCAN",), "features": "given"}
    config = RunConfig(str(mine), n_clusters="auto", **(QUICK | methods))
    rows = run(config, tmp_path / "run", figures=False)
    assert rows["n_clusters"].iloc[0] == 4
