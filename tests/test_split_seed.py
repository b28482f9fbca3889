"""Runs of several seeds on a user's own x are tested on the same samples."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from made_arrays import rng

from ae_cluster.cli.main import main
from ae_cluster.datasets import load_dataset
from ae_cluster.records.config import RunConfig, read_config
from ae_cluster.records.reading import load_samples

QUICK = ["--epochs", "1", "--no-figures", "--budgets", "1", "--draws", "1", "--n-clusters", "2"]
IMAGES = rng.integers(0, 256, (40, 4, 4), dtype=np.uint8)


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("mine.npz", x=IMAGES)


def ran(out, *arguments):
    assert main(["run", "--out", out, *arguments]) == 0
    return json.loads(Path(out, "config.json").read_text())


def held_out(out):
    return np.load(f"{out}/methods/kmeans/codes.npz")["ids_test"].tolist()


def as_before_split_seeds(out, seed):
    """Make a run's config what it was when the seed of everything split the samples too."""
    config = json.loads(Path(out, "config.json").read_text())
    del config["arguments"]["split_seed"]
    assert config["arguments"]["seed"] == seed
    Path(out, "config.json").write_text(json.dumps(config))


def test_seeds_share_a_split_until_another_is_asked_for():
    first = ran("a", "mine.npz", "--seed", "0", *QUICK)
    ran("b", "mine.npz", "--seed", "3", *QUICK)
    other = ran("c", "mine.npz", "--split-seed", "3", *QUICK)

    assert held_out("a") == held_out("b") != held_out("c")
    assert held_out("c") == load_dataset("mine.npz", seed=3).ids_test.tolist()
    assert first["arguments"]["split_seed"] == 0
    assert other["arguments"]["split_seed"] == 3
    codes = [np.load(f"{out}/methods/kmeans/codes.npz")["codes_test"] for out in "ab"]
    assert not np.array_equal(*codes)


def test_a_config_from_before_splits_by_its_seed():
    ran("old", "mine.npz", "--seed", "3", "--split-seed", "3", *QUICK)
    as_before_split_seeds("old", 3)

    again = ran("again", "--config", "old/config.json", "--no-figures")
    reseeded = ran("reseeded", "--config", "old/config.json", "--seed", "5", "--no-figures")

    assert again["arguments"]["split_seed"] == 3
    assert (reseeded["arguments"]["seed"], reseeded["arguments"]["split_seed"]) == (5, 3)
    assert held_out("again") == held_out("reseeded") == held_out("old")
    config = read_config(Path("old/config.json"))
    sizes = (config["data"]["n_train"], config["data"]["n_test"])
    data, note = load_samples(config, sizes, None)
    assert note == ""
    assert data.ids_test.tolist() == held_out("old")
    assert RunConfig.from_json({"seed": 3}).split_seed == 3


@pytest.mark.parametrize(
    "said", [["--split-seed", "1"], ["--test-size", "0.5"], ["--image-shape", "4x4"]]
)
def test_a_config_with_another_split_is_no_change_of_the_data(said):
    ran("a", "mine.npz", *QUICK)
    ran("b", "--config", "a/config.json", "--no-figures", *said)
    assert (held_out("a") == held_out("b")) == (said[0] == "--image-shape")


@pytest.mark.heavy
def test_a_split_seed_changes_no_run_of_data_with_halves():
    first = ran("a", "digits", *QUICK[:-2])
    assert ran("b", "digits", "--split-seed", "1", *QUICK[:-2])["run_id"] == first["run_id"]


@pytest.mark.parametrize("seed", ["-1", "4294967296", "x"])
def test_a_split_seed_that_is_none(seed, capsys):
    with pytest.raises(SystemExit) if seed != "4294967296" else pytest.MonkeyPatch.context():
        assert main(["run", "mine.npz", "--split-seed", seed, *QUICK]) == 2
    assert "--split-seed" in capsys.readouterr().err
