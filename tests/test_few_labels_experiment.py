"""The few-label experiments write what they say, the same again, and keep their draws."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from ae_cluster import FineTunedClassifier
from ae_cluster.common.errors import InputError
from ae_cluster.records.rows import tidy_row
from ae_cluster.semi_supervised.budgets import LabelBudget
from ae_cluster.semi_supervised.methods import METHODS


@pytest.fixture(scope="module")
def cells(load_experiment):
    return load_experiment("support.cells")


@pytest.fixture(scope="module")
def label_budget(load_experiment):
    return load_experiment("label_budget")


def draws_in(path):
    return {one["draw"]: one["indices"] for one in json.loads(path.read_text())["draws"]}


def test_draws_are_kept_with_their_indices(label_budget, tmp_path, cells):
    label_budget.keep_draws("digits", 2, tmp_path, balanced=True)
    data = cells.data_of("digits")
    largest = draws_in(tmp_path / "label_budgets-digits.json")[11]  # a smaller one begins it
    indices = largest[: 50 * 10]

    assert indices == LabelBudget.from_name("digits.s11@50", data.y_train).indices.tolist()
    assert set(np.bincount(data.y_train[indices])) == {50}


def test_what_may_be_labelled_is_never_what_is_scored(label_budget, cells, tmp_path):
    label_budget.keep_draws("digits", 10, tmp_path, balanced=True)
    data = cells.data_of("digits")
    drawn = draws_in(tmp_path / "label_budgets-digits.json")
    assert list(drawn) == list(range(60))
    labelled = set(data.ids_train[np.concatenate(list(drawn.values()))].tolist())

    assert len(labelled) > 1000
    assert not labelled & set(data.ids_test.tolist())


@pytest.mark.heavy
def test_a_published_row_is_made_again_alone(label_budget, cells, tmp_path):
    store = cells.Store(tmp_path)
    told = {"methods": list(METHODS), "budgets": [1, 5, None], "draws": 3, "first_draw": 0}
    told |= {"family": "frozen codes", "clusterer_seeds": [0, 1], "balanced": True}
    cell = cells.encoder_cell("digits", "pca", 0) | told
    rows = pd.DataFrame(label_budget.score_cell(cell, store))

    assert len(rows) == (8 + 1) * (3 + 3 + 1)
    another_start = rows[rows["clusterer_seed"] == 1].sample(1, random_state=0)
    for row in pd.concat([rows.sample(8, random_state=0), another_start]).itertuples():
        (again,) = label_budget.score_cell(label_budget.cell_of_row(row), store)
        assert again["accuracy"] == pytest.approx(row.accuracy, abs=1e-3)
        assert (again["budget"], again["draw"], again["n_train"]) == (
            row.budget, row.draw, row.n_train,
        )  # fmt: skip


# ---- which cells


def cells_told(label_budget, *told):
    """Return every cell of a sweep of digits, and those that these arguments ask for."""
    seen = {}

    def carry_out(cells, arguments, name, work, shown):  # noqa: ARG001
        seen.update(chosen=cells, all=shown)
        return 0

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(label_budget, "carry_out", carry_out)
        patch.setattr(label_budget, "keep_draws", lambda *_, **__: None)
        assert label_budget.main(list(told)) == 0
    return seen["all"], seen["chosen"]


def test_both_families_have_their_own_budgets_seeds_and_draws(label_budget):
    everything, chosen = cells_told(label_budget)
    assert chosen == everything
    frozen = [c for c in everything if c["family"] == "frozen codes"]
    finetuned = [c for c in everything if c["family"] == "fine-tuned encoder"]

    assert len(frozen) == 10 * 6
    assert {(tuple(c["budgets"]), c["draws"]) for c in frozen} == {
        ((1, 2, 5, 10, 50, 100, None), 6)
    }
    assert len(frozen) + len(finetuned) == len(everything)
    assert len(finetuned) == 3 * 4 * 4  # seeds × methods × budgets
    assert {(c["methods"][0], c["features"], c["n_components"]) for c in finetuned} == {
        ("fine-tuned-autoencoder", "autoencoder", 3),
        ("m1-m2", "autoencoder", 10),
        ("fine-tuned-sorting", "sorting", 3),
        ("fine-tuned-sorting-images", "sorting-images", 3),
    }
    assert sorted({c["budgets"][0] for c in finetuned}) == [1, 5, 10, 100]
    assert {c["draws"] for c in finetuned} == {5}
    assert {c["first_draw"] for c in finetuned} == {0, 6, 12}


def test_sorting_codes_share_their_stage_with_the_clusterings(label_budget, cells):
    everything, _ = cells_told(label_budget)
    of_clustering = cells.make_cell("digits", "sorting-images", "kmeans", 1)
    stages = {c["stage"] for c in everything if c["features"] == "sorting-images"}

    assert of_clustering["stage"] in stages
    assert all(c["n_clusters"] == 10 for c in everything if c["features"].startswith("sorting"))
    assert not any("n_clusters" in c for c in everything if c["features"] == "autoencoder")


def test_some_features_or_one_family_can_be_asked_for(label_budget):
    everything, chosen = cells_told(label_budget, "--features=sorting", "--family=reshaping")
    assert {(c["methods"][0], c["features"]) for c in chosen} == {("fine-tuned-sorting", "sorting")}
    assert len(chosen) == 3 * 4
    assert everything == cells_told(label_budget)[0]  # what is published of the others stays


def test_a_table_has_no_image_prior_and_a_file_says_how_many_clusters(
    label_budget, tmp_path, assert_one_sentence
):
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "t.npz", x=rng.normal(size=(60, 5)), y=np.arange(60) % 3)
    told = ["--dataset", str(tmp_path / "t.npz"), "--smoke"]

    def features(*more):
        return {c["features"] for c in cells_told(label_budget, *told, *more)[0]}

    assert features() == {"autoencoder", "pca", "pixels", "untrained"}
    assert features("--n-clusters", "3") == {*features(), "sorting"}
    with pytest.raises(InputError) as error:
        features("--features=sorting")
    assert_one_sentence(error, "--n-clusters")


# ---- fine-tuning


def finetuned_cell(cells, method, features, **more):
    cell = cells.sorting_cell(cells.encoder_cell("digits", features, 0, epochs=1), 10)
    told = {"family": "fine-tuned encoder", "methods": [method], "budgets": [1]}
    return cell | told | {"first_draw": 0, "draws": 1, "balanced": True} | more


def test_a_fine_tuned_row_is_made_again_alone_and_its_encoder_only_once(
    label_budget, cells, tmp_path, monkeypatch
):
    monkeypatch.setitem(FineTunedClassifier.__init__.__kwdefaults__, "min_steps", 100)
    store = cells.Store(tmp_path)
    (row,) = label_budget.score_cell(
        finetuned_cell(cells, "fine-tuned-autoencoder", "autoencoder"), store
    )
    monkeypatch.setattr(cells, "_trained", None)  # what is kept is enough
    known = pd.DataFrame([tidy_row(**row)]).itertuples()
    cell = label_budget.cell_of_row(next(known))
    (again,) = label_budget.score_cell(cell, store)

    assert (row["family"], row["features"], row["n_components"]) == (
        "fine-tuned encoder", "autoencoder", 3,
    )  # fmt: skip
    assert again["accuracy"] == row["accuracy"] > 0.2
    assert 0 <= row["ece"] <= 1
    assert not row["uses_augmentation"]
    assert cell["stage"] == "digits-autoencoder-0-3-1347-1"


def test_a_kept_model_gives_the_codes_in_the_store(cells, tmp_path):
    store = cells.Store(tmp_path)
    cell = cells.encoder_cell("digits", "autoencoder", 0, epochs=1)
    codes = cells.codes_of(cell, store)
    (folder,) = (tmp_path / "models").iterdir()
    raw = cells.data_of("digits").raw_test

    assert cells.model_of(cell, store).transform(raw).tobytes() == codes["test"].tobytes()
    shutil.rmtree(folder)  # a store of before models were kept
    assert cells.model_of(cell, store).transform(raw).tobytes() == codes["test"].tobytes()
    assert folder.is_dir()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "features"),
    [("fine-tuned-sorting", "sorting"), ("fine-tuned-sorting-images", "sorting-images")],
)
def test_fine_tuned_sorting_learns_from_both(label_budget, cells, tmp_path, method, features):
    cell = finetuned_cell(cells, method, features, budgets=[10])
    (row,) = label_budget.score_cell(cell, cells.Store(tmp_path))

    assert row["accuracy"] > 0.9
    assert row["uses_augmentation"] == (features == "sorting-images")
    assert row["uses_balance"]  # of the draw
    assert row["n_clusters"] == 10


def test_each_family_has_a_figure_and_a_column_in_the_tables(load_experiment, tmp_path):
    place = {"dataset": "digits", "split": "test", "features": "autoencoder", "n_components": 3}
    rows = [
        tidy_row(**place, family=family, method=method, budget=budget, seed=seed, draw=seed,
                 accuracy=0.8 + 0.01 * seed, status="ok", uses_balance=True, ece=0.1)
        for family, method in (
            ("frozen codes", "knn"), ("fine-tuned encoder", "fine-tuned-autoencoder"),
        )
        for budget in (1, 10) for seed in (0, 1)
    ]  # fmt: skip
    table = pd.DataFrame(rows)
    names = [
        name
        for name, _ in load_experiment("figures").label_budgets("digits", table, pd.DataFrame())
    ]
    assert names == ["label-budget-digits", "label-budget-digits-fine-tuned"]

    table.to_csv(tmp_path / "label_budget-digits.csv.gz", index=False)
    assert load_experiment("tables").main(["--results", str(tmp_path), "--seeds", "2"]) == 0
    summary = pd.read_csv(tmp_path / "tables" / "label-budget-accuracy.csv")
    assert sorted(set(summary["family"])) == ["fine-tuned encoder", "frozen codes"]
    assert summary["best"].all()  # each is only compared with its own family


@pytest.mark.slow
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
