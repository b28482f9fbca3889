"""A part of a grid can be carried out without losing, or doing again, what is published."""

import argparse
import math
from pathlib import Path

import pandas as pd
import pytest

from ae_cluster.common.bounded_arrays import read_npz
from ae_cluster.methods import FINETUNED, FROZEN, classifier_facts, row_facts
from ae_cluster.records.rows import COLUMNS, tidy_row, with_current_names
from experiments.support.benchmark_methods import CLASSICAL

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def published(load_experiment):
    return load_experiment("support.published")


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


def rows_of_budgets(cell, accuracy):
    """Return rows as a cell of the real grid gives them: of every method, budget and draw."""
    place = {name: cell[name] for name in ("dataset", "features", "seed", "family", "epochs")}
    rows = [
        tidy_row(
            **place, method=method, budget=budget or 132, draw=draw,
            n_components=cell["n_components"], n_train=17, n_clusters=10, split="test",
            accuracy=accuracy, status="ok",
        )
        for method in cell["methods"]
        for budget in cell["budgets"]  # of all labels, None: rows say how many that is
        for draw in range(cell["draws"])
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(COLUMNS))


def test_a_part_of_the_label_budgets_keeps_the_rest(published, load_experiment, tmp_path):
    grid = load_experiment("label_budget")
    asked = argparse.Namespace(
        seeds=2, smoke=False, features=["sorting"], n_clusters=10, by_chance=False
    )
    cells = grid.cells_of("digits", asked)
    frozen = [cell for cell in cells if cell["family"] == FROZEN]
    first, *others = [cell for cell in cells if cell["family"] == FINETUNED]
    assert frozen
    assert others
    path = tmp_path / "label_budget-digits.csv.gz"
    before = pd.concat([rows_of_budgets(cell, 0.25) for cell in (*frozen, first)])
    published.write_rows(before, path)
    assert published.published_places(path) == {published.place_of(c) for c in (*frozen, first)}

    new = pd.concat([rows_of_budgets(cell, 0.75) for cell in others])
    published.write_rows(published.with_published(new, path, cells), path)

    found = pd.read_csv(path)
    assert (found["accuracy"] == 0.25).sum() == len(before)
    assert (found["accuracy"] == 0.75).sum() == len(new)
    assert published.published_places(path) == {published.place_of(cell) for cell in cells}


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


def test_the_arrays_that_figures_are_drawn_from_can_be_read():
    paths = sorted((ROOT / "results" / "arrays").glob("*.npz"))
    assert paths
    for path in paths:
        assert {"codes", "clusters", "examples"} <= read_npz(path).keys()


def test_published_rows_say_what_they_assume_as_a_new_row_would():
    """Clusterings and few-label classifiers: one rule for runs, experiments and results/."""
    names = ["uses_k", "uses_augmentation", "tuned_on"]
    for path in sorted((ROOT / "results").glob("*.csv*")):
        rows = pd.read_csv(path, low_memory=False)
        if "tuned_on" not in rows or path.name.startswith("ablation"):  # whose stages differ
            continue
        rows = with_current_names(rows)
        for row in rows[["features", "method", "budget", *names]].drop_duplicates().itertuples():
            if path.name == "benchmark.csv" and row.method in CLASSICAL:  # told k, all of them
                facts = {"uses_k": True, "uses_augmentation": False, "tuned_on": "nothing"}
            else:
                facts = (row_facts if math.isnan(row.budget) else classifier_facts)(*row[1:3])
            assert {n: getattr(row, n) for n in names} == {n: facts[n] for n in names}, (path, row)
