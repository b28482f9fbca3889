"""A user's own data, from the file to the page, to clusters.csv and to new samples."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ae_cluster import load_run
from ae_cluster.cli.main import main

N, GENES, TYPES = 3000, 200, np.array(["B", "NK", "T"])
RUN = ["--n-clusters", "3", "--budgets", "1", "--draws", "1", "--no-figures", "--out", "RUN"]


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def cells():
    """Return cells by genes with names, values missing and 95 % of labels empty; and the truth."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, N)
    levels = rng.gamma(2, 1, (3, GENES))[truth] + rng.normal(0, 0.5, (N, GENES))
    levels[rng.random((N, GENES)) < 0.01] = np.nan
    table = pd.DataFrame(levels.round(3), columns=[f"gene-{i}" for i in range(GENES)])
    table.insert(0, "cell", [f"AAC-{i}" for i in rng.permutation(N)])
    table["type"] = np.where(rng.random(N) < 0.05, TYPES[truth], "")
    return table, truth


@pytest.mark.heavy
def test_a_table_of_cells_becomes_a_page_clusters_and_the_clusters_of_new_cells():
    table, truth = cells()
    table.to_csv("cells.csv", index=False)
    columns = ["--id-column", "cell", "--label-column", "type", "--impute", "median"]

    assert main(["run", "cells.csv", *columns, *RUN, "--epochs", "8"]) == 0
    table[:500].drop(columns="type").to_csv("new.csv", index=False)
    assert main(["assign", "RUN", "new.csv", "--method", "kmeans", "--out", "found.csv"]) == 0

    kept = pd.read_csv("RUN/clusters.csv").set_index("id").loc[table["cell"]]
    by_type = pd.crosstab(kept["kmeans"].to_numpy(), truth)
    assert by_type.max(axis=1).sum() > 0.9 * N
    found = pd.read_csv("found.csv")
    assert found["id"].tolist() == table["cell"][:500].tolist()
    assert (found["cluster"].to_numpy() == kept["kmeans"].to_numpy()[:500]).all()
    assert set(found["class"]) <= set(TYPES)
    assert (found["class"] == TYPES[truth[:500]]).mean() > 0.9
    page = Path("RUN/explorer.html").read_text(encoding="utf-8")
    assert "gene-7" in page
    scores = pd.read_csv("RUN/scores.csv")
    assert scores.loc[scores["budget"].isna(), "accuracy"].notna().any()


def test_an_unlabelled_npz_becomes_a_page_clusters_and_a_run_in_python():
    rng = np.random.default_rng(0)
    truth = np.arange(300) % 3
    x = (rng.normal(size=(3, 12)) * 3)[truth] + rng.normal(size=(300, 12))
    np.savez("mine.npz", x=x.astype(np.float32))

    assert main(["run", "mine.npz", *RUN, "--epochs", "60"]) == 0

    assert Path("RUN/explorer.html").stat().st_size > 10_000
    assert json.loads(Path("RUN/config.json").read_text())["data"]["class_names"] == []
    kept = pd.read_csv("RUN/clusters.csv").sort_values("id")
    assert kept["id"].tolist() == list(range(300))
    found = load_run("RUN").assign(x)["cluster"].to_numpy()
    assert (found == kept["kmeans"].to_numpy()).all()
    assert pd.crosstab(found, truth).max(axis=1).sum() > 270
    scores = pd.read_csv("RUN/scores.csv")
    assert scores["accuracy"].isna().all()
    assert scores["silhouette"].notna().any()


def test_a_run_of_the_first_format_has_a_report():
    run = Path(__file__).parent / "fixtures" / "run-format-1"

    assert main(["report", str(run), "--out", "report.html"]) == 0

    page = Path("report.html").read_text(encoding="utf-8")
    scores = pd.read_csv(run / "scores.csv")
    assert "kmeans" in page
    assert str(int(scores["n_train"].iloc[0])) in page
