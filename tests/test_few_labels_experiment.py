"""The few-label experiments write what they say, the same again, and keep their draws."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ae_cluster.few_labels.budgets import read_budget
from ae_cluster.few_labels.methods import METHODS


@pytest.fixture(scope="module")
def cells(load_experiment):
    return load_experiment("cells")


@pytest.fixture(scope="module")
def label_budget(load_experiment):
    return load_experiment("label_budget")


def test_draws_are_kept_with_their_indices(label_budget, tmp_path, cells):
    label_budget.keep_draws("digits", 2, tmp_path, balanced=True)
    data = cells.data_of("digits")
    budget = read_budget(tmp_path / "label_budgets-digits.json", "digits.s11@50")

    assert budget == type(budget).from_name("digits.s11@50", data.y_train)
    assert set(np.bincount(data.y_train[budget.indices])) == {50}


def test_a_published_row_is_made_again_alone(label_budget, cells, tmp_path):
    store = cells.Store(tmp_path)
    told = {"methods": list(METHODS), "budgets": [1, 5, None], "draws": 3, "first_draw": 0}
    cell = cells.encoder_cell("digits", "pca", 0) | told | {"balanced": True}
    rows = pd.DataFrame(label_budget.score_cell(cell, store))

    assert len(rows) == 8 * (3 + 3 + 1)
    for row in rows.sample(8, random_state=0).itertuples():
        (again,) = label_budget.score_cell(label_budget.cell_of_row(row), store)
        assert again["accuracy"] == pytest.approx(row.accuracy, abs=1e-3)
        assert (again["budget"], again["draw"], again["n_train"]) == (
            row.budget, row.draw, row.n_train,
        )  # fmt: skip


def test_suggestions_are_compared_with_both_kinds_of_chance(load_experiment, tmp_path, capsys):
    which = load_experiment("which_to_label")
    arguments = ["--smoke", "--out", f"{tmp_path}/out", "--store", f"{tmp_path}/store"]
    assert which.main(arguments) == 0
    rows = pd.read_csv(tmp_path / "out" / "which_to_label-digits.csv")

    counts = rows.groupby("chosen").size().to_dict()
    assert counts == {"suggested": 2 * 4 * 3, "chance": 2 * 4 * 3 * 6, "balanced": 2 * 4 * 3 * 6}
    assert set(rows.query("chosen == 'balanced'")["n_classes"]) == {10}
    assert rows.query("chosen == 'chance' and n_labels == 10")["n_classes"].max() < 10
    assert "rows, written to" in capsys.readouterr().out
