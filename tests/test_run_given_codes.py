"""Runs on codes that are given: no encoder is trained."""

import numpy as np
import pytest
from explorer_page import content_of, unpacked

from ae_cluster import read_codes, read_scores
from ae_cluster.cli.main import main
from ae_cluster.explorer.projection import space_of

BUDGET = ["--draws", "1", "--budgets", "1"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Go where codes.npz holds 90 codes of 70 numbers, without any crowds."""
    monkeypatch.chdir(tmp_path)
    np.savez("codes.npz", x=np.random.default_rng(0).normal(size=(90, 70)), y=np.arange(90) % 3)
    return tmp_path


@pytest.mark.heavy
def test_given_codes_are_clustered_as_they_are(here, capsys):
    options = ["--features", "given", "--n-clusters", "3", "--n-components", "9", "--out", "a"]
    methods = ["--method", "gmm", "--method", "kmeans"]
    assert main(["run", "codes.npz", *options, *methods, *BUDGET]) == 0
    out, err = capsys.readouterr()
    assert "not standardised" in err
    assert "--n-components is said, but no autoencoder is trained" in err
    assert "Training an autoencoder" not in err
    found = read_codes(here / "a", "gmm")
    with np.load("codes.npz") as given:
        rows_of_file = given["x"][found["ids_test"].astype(int)].astype(np.float32)
    assert np.array_equal(found["codes_test"], rows_of_file)
    rows = read_scores(here / "a")
    assert set(rows["features"]) == {"given"}
    assert set(rows.loc[rows["budget"].isna(), "tuned_on"]) == {"not known"}
    assert "what training must beat" not in out
    assert {path.stem for path in (here / "a" / "figures").glob("*.png")} == {
        "tiles", "label-budget", "codes-gmm", "codes-kmeans", "confusion-gmm", "confusion-kmeans",
        "clusters-gmm", "clusters-kmeans",
    }  # fmt: skip
    assert not (here / "a" / "methods" / "gmm" / "model").exists()
    assert main(["label", "a", "--n-labels", "3"]) == 0


def test_the_page_of_wide_given_codes_carries_fifty_numbers_of_each(here, capsys):
    options = ["--features", "given", "--n-clusters", "3", "--out", "a"]
    assert main(["run", "codes.npz", *options, *BUDGET, "--no-figures"]) == 0
    content = content_of(here / "a" / "explorer.html")
    (space,) = content["spaces"]
    assert space["codes"][0]["shape"] == [18, 50]
    assert "The codes have 70 numbers" in space["note"]
    carried = unpacked(space["codes"][0])
    whole = read_codes(here / "a", "kmeans")
    expected = space_of(whole["codes_train"]).places(whole["codes_test"])
    np.testing.assert_allclose(carried[:, :3], expected, atol=1e-4)
    assert all(method["decoder"] is None for method in content["methods"])
    capsys.readouterr()
