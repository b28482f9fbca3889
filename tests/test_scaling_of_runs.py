"""A run says how a table's columns are scaled, keeps it, and new samples are scaled alike."""

import json

import numpy as np
import pytest

from ae_cluster import load_run, read_codes
from ae_cluster.cli.main import main
from ae_cluster.common.table_options import SCALINGS
from ae_cluster.records.config import RunConfig

SMALL = ["--n-clusters", "2", "--epochs", "2", "--n-components", "2", "--draws", "1"]
SMALL += ["--budgets", "1", "--no-figures"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Go where counts.npz holds how often six words stand in sixty texts of two kinds."""
    monkeypatch.chdir(tmp_path)
    rates = np.repeat([[9.0, 9, 1, 0.2, 0.2, 40], [1, 0.2, 9, 9, 0.2, 40]], 30, axis=0)
    np.savez("counts.npz", x=np.random.default_rng(0).poisson(rates), y=np.repeat([0, 1], 30))
    return tmp_path


def config_of(folder):
    return json.loads((folder / "config.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("kind", "method"), [("log", "kmeans"), ("robust", "pixels")])
@pytest.mark.filterwarnings("ignore::ae_cluster.HealthWarning")
def test_a_run_keeps_its_scaling_and_assigns_and_exports_alike(here, kind, method, capsys):
    options = ["--scaling", kind, "--method", method, *SMALL, "--out", "a"]
    assert main(["run", "counts.npz", *options]) == 0
    assert f"Scaling {kind} ({SCALINGS[kind]}): " in capsys.readouterr().err

    config = config_of(here / "a")
    assert config["arguments"]["scaling"] == kind
    assert config["settings"]["scaling"] == kind
    kept = read_codes(here / "a", method)
    x = np.load("counts.npz")["x"][kept["ids_test"].astype(int)]
    found = load_run(here / "a").assign(x, method)
    assert np.array_equal(found["cluster"], kept["clusters_test"])
    # This fails where ONNX Runtime differs from the run.
    assert main(["export", "a", "--method", method, "--out", "a.onnx"]) == 0


def test_a_config_from_before_there_was_a_choice_is_standard():
    arguments = RunConfig(scaling="log").to_json()
    del arguments["scaling"]

    assert RunConfig.from_json(arguments).scaling == "standard"


def test_images_and_given_codes_are_not_scaled(here, capsys):
    images = np.random.default_rng(0).integers(0, 255, (30, 6, 6), dtype=np.uint8)
    np.savez("images.npz", x=images, y=np.arange(30) % 2)
    given = ["counts.npz", "--features", "given"]
    for i, data in enumerate((["images.npz"], given)):
        assert main(["run", *data, "--scaling", "log", *SMALL, "--out", f"{i}"]) == 0
        assert f"--scaling log is said, but {data[0]} is taken as it is" in capsys.readouterr().err
        assert "scaling" not in config_of(here / f"{i}")["settings"]


def test_classify_scales_as_it_is_told(here, capsys):
    tables, labels = [], np.where(np.arange(60) % 3 == 0, np.repeat([0, 1], 30), -1)
    np.savez("few.npz", x=np.load("counts.npz")["x"], y=labels)
    for kind in ("standard", "log"):
        words = ["classify", "few.npz", "--scaling", kind, "--epochs", "3", "--json"]
        assert main([*words, "--out", f"{kind}.csv"]) == 0
        tables.append((here / f"{kind}.csv").read_text(encoding="utf-8"))
    assert tables[0] != tables[1]
    capsys.readouterr()


def test_negative_counts_are_refused_in_a_sentence(here, capsys):
    np.savez("table.npz", x=np.random.default_rng(0).normal(size=(40, 3)))
    assert main(["run", "table.npz", "--scaling", "log", *SMALL, "--out", "a"]) == 2
    assert "takes no negative number" in capsys.readouterr().err
    assert not (here / "a").exists()
