"""A part of a grid can be carried out without losing, or doing again, what is published."""

import pandas as pd
import pytest

from ae_cluster.rows import COLUMNS, tidy_row


@pytest.fixture(scope="module")
def published(load_experiment):
    return load_experiment("published")


def cell(seed, method="kmeans", **more):
    names = {"n_components": 3, "n_train": 100, "epochs": 2, "n_clusters": 10}
    return {"dataset": "digits", "features": "pca", "method": method, "seed": seed} | names | more


def rows_of(cells, accuracy):
    rows = [
        tidy_row(**c, split=split, accuracy=accuracy, status="ok", uses_k=True)
        for c in cells
        for split in ("train", "test")
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def test_what_was_not_carried_out_stays_and_what_was_is_new(published, tmp_path):
    path = tmp_path / "compare_clustering-digits.csv"
    cells = [cell(seed, method) for method in ("kmeans", "gmm") for seed in (0, 1)]
    published.write_rows(rows_of([*cells, cell(7)], 0.25), path)

    merged = published.with_published(rows_of(cells[2:], 0.75), path, cells)
    published.write_rows(merged, path)

    found = pd.read_csv(path)
    assert found["method"].tolist() == ["kmeans"] * 4 + ["gmm"] * 4
    assert found["seed"].tolist() == [0, 0, 1, 1] * 2  # seed 7 is no longer asked for
    assert found["accuracy"].tolist() == [0.25] * 4 + [0.75] * 4
    again = published.with_published(rows_of(cells[2:], 0.75), path, cells)
    before = path.read_bytes()
    published.write_rows(again, path)
    assert path.read_bytes() == before


def test_rows_of_label_budgets_are_known_again(published, tmp_path):
    path = tmp_path / "label_budget-digits.csv.gz"
    cells = [cell(0, "knn", budget=b, draw=d) for b in ("1", "all") for d in (0, 1)]
    counted = [c | {"n_train": 17} for c in cells]  # of the row: how many are labelled
    published.write_rows(rows_of(counted, 0.5).drop(columns="n_clusters"), path)
    assert published.published_places(path) == {published.place_of(c) for c in cells}


def test_a_failed_row_is_not_there(published, tmp_path):
    path = tmp_path / "compare_clustering-digits.csv"
    rows = rows_of([cell(0), cell(1)], 0.5)
    rows.loc[rows["seed"] == 1, "status"] = "failed"
    published.write_rows(rows, path)
    assert published.published_places(path) == {published.place_of(cell(0))}
    assert published.published_places(tmp_path / "none.csv") == set()


def test_missing_leaves_out_what_is_there(load_experiment, tmp_path):
    compare = load_experiment("compare_clustering")
    asked = ["--smoke", "--features=pca", f"--out={tmp_path}", "--missing"]
    assert compare.main([*asked, f"--store={tmp_path / 'one'}"]) == 0
    before = (tmp_path / "compare_clustering-digits.csv").read_bytes()
    assert compare.main([*asked, f"--store={tmp_path / 'two'}"]) == 0
    assert (tmp_path / "compare_clustering-digits.csv").read_bytes() == before
    assert not compare.Store(tmp_path / "two").statuses()
