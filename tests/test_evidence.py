"""The experiments run whole in seconds, and what they publish can be drawn and checked."""

import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

from ae_cluster import InputError
from ae_cluster.common.terminal import exit_code
from ae_cluster.metrics.clustering import accuracy_matched

ROOT = Path(__file__).parents[1]

EXPERIMENTS = ("compare_clustering", "code_size", "training_curve", "label_budget")
FILES = ("compare_clustering", "code_size", "training_epochs", "training_images", "label_budget")
QUICK = ("autoencoder", "pca", "untrained", "pixels")
FEW_NUMBERS = QUICK[:2]  # of 64 pixels, self-training and mixtures take long


@pytest.fixture(scope="module")
def smoke(tmp_path_factory, load_experiment):
    """Give the folder in which every experiment wrote its results/, with one store for all."""
    folder = tmp_path_factory.mktemp("smoke")
    for name in EXPERIMENTS:
        assert load_experiment(name).main(smoke_arguments(name, folder)) == 0
    return folder


def smoke_arguments(name, folder):
    arguments = ["--smoke", "--out", f"{folder}/results", "--store", f"{folder}/store"]
    # What takes minutes is tested on its own.
    ways = {"compare_clustering": QUICK, "label_budget": FEW_NUMBERS}.get(name, ())
    arguments += [f"--features={way}" for way in ways]
    return arguments + ["--family=frozen"] * (name == "label_budget")


@pytest.fixture(scope="module")
def rows_of(smoke, load_experiment):
    published_rows = load_experiment("support.published").published_rows
    return {name: published_rows(smoke / "results", name) for name in FILES}


# Rows


@pytest.mark.parametrize("name", FILES)
def test_every_row_is_there_once_with_a_score(rows_of, name):
    rows = rows_of[name]
    assert (rows["status"] == "ok").all()
    assert rows["accuracy"].between(0, 1).all()
    assert set(rows["seed"]) == {0, 1}
    place = ["features", "method", "seed", "split", "n_components", "n_train", "epochs"]
    assert not rows.duplicated([*place, "budget", "draw", "clusterer_seed"]).any()
    assert rows[["seconds", "peak_mb", "uses_k", "tuned_on"]].notna().all(axis=None)


def test_every_way_has_every_seed(rows_of):
    assert len(rows_of["compare_clustering"]) == 7 * 2 * 2  # ways × seeds × splits


@pytest.mark.slow
def test_sorting_codes_join_the_rows_of_the_others(smoke, load_experiment, tmp_path):
    shutil.copytree(smoke / "store", tmp_path / "store")
    arguments = ["--smoke", "--features=sorting", "--features=sorting-images"]
    arguments += ["--out", str(tmp_path), "--store", str(tmp_path / "store")]
    assert load_experiment("compare_clustering").main(arguments) == 0
    rows = pd.read_csv(tmp_path / "compare_clustering-digits.csv")
    assert len(rows) == (7 + 4) * 2 * 2
    sorting = rows[rows["features"].str.startswith("sorting")]
    assert (sorting["status"] == "ok").all()
    assert sorting["mse"].between(0, 1).all()
    with_images = sorting["features"] == "sorting-images"
    assert (sorting["uses_augmentation"] == with_images).all()


def test_codes_of_every_size_beside_the_baselines(rows_of, load_experiment):
    rows = rows_of["code_size"].query("split == 'test'")
    sizes = rows.groupby(["features", "method"])["n_components"].unique().map(sorted)
    assert sizes.loc["pixels", "kmeans"] == [64]
    assert all(s == [2, 3, 32] for way, s in sizes.items() if way[0] != "pixels")
    assert len(sizes) == 7
    code_size = load_experiment("code_size")
    for features in ("autoencoder", "pca", "untrained"):
        assert code_size.sizes_of("digits", features) == (2, 3, 5, 10, 32)
    assert code_size.sizes_of("digits", "pixels") == (64,)


def test_the_training_curve_starts_before_training(rows_of):
    epochs, images = rows_of["training_epochs"], rows_of["training_images"]
    assert sorted(set(epochs["epochs"])) == [0, 1, 2]
    assert set(epochs["n_train"]) == {1347}
    assert sorted(set(images["n_train"])) == [100, 300, 1000, 1347]
    untrained = rows_of["compare_clustering"].query("features == 'untrained'")
    columns = ["method", "seed", "split", "accuracy", "nmi"]
    assert (epochs.query("epochs == 0")[columns].sort_values(columns).to_numpy()
            == untrained[columns].sort_values(columns).to_numpy()).all()  # fmt: skip


def test_epochs_go_to_twice_the_preset(load_experiment):
    epochs_of = load_experiment("training_curve").epochs_of
    assert epochs_of("digits", None) == [0, 1, 2, 5, 10, 20, 50, 100, 228, 456]


def test_fewer_images_are_some_of_the_more_and_chosen_by_the_seed(load_experiment):
    cells = load_experiment("support.cells")
    data = cells.data_of("digits")

    def chosen(n, seed=0):
        return {row.tobytes() for row in cells._train_images(data, n, seed)}

    assert chosen(100) < chosen(300)
    assert chosen(100) != chosen(100, seed=1)
    assert cells._train_images(data, 1347, 0) is data.raw_train


def test_label_budgets_are_budgets_times_draws_of_every_seed(rows_of):
    rows = rows_of["label_budget"]
    # seeds × features × (methods, one with two more starts) × (budgets × draws, and all once)
    assert len(rows) == 2 * 2 * (8 + 2) * (2 * 2 + 1)
    of_clusters = rows["method"] == "cluster-then-label"
    assert set(rows.loc[of_clusters, "clusterer_seed"]) == {0, 1, 2}
    assert rows.loc[~of_clusters, "clusterer_seed"].isna().all()
    assert set(rows.query("seed == 1")["draw"]) == {6, 7}
    few = rows.query("n_train < 1347")
    assert (few["n_train"] == 10 * few["budget"]).all()
    assert len(rows) - len(few) == 2 * 2 * (8 + 2)
    assert set(rows["family"]) == {"frozen codes"}
    assert rows["ece"].between(0, 1).all()
    assert set(rows["features"]) == set(FEW_NUMBERS)
    assert_more_labels_help(rows, "pca")


def assert_more_labels_help(rows, features):
    of_neighbors = rows[(rows["features"] == features) & (rows["method"] == "knn")]
    assert of_neighbors.groupby("budget")["accuracy"].median().is_monotonic_increasing


@pytest.mark.slow
def test_label_budgets_of_pixels_join_the_rows_of_the_others(smoke, load_experiment, tmp_path):
    shutil.copytree(smoke / "store", tmp_path / "store")
    arguments = ["--smoke", "--family=frozen", *(f"--features={way}" for way in QUICK)]
    arguments += ["--out", str(tmp_path), "--store", str(tmp_path / "store")]
    assert load_experiment("label_budget").main(arguments) == 0
    rows = pd.read_csv(tmp_path / "label_budget-digits.csv.gz")
    assert len(rows) == 2 * 4 * (8 + 2) * (2 * 2 + 1)
    assert (rows["status"] == "ok").all()
    assert set(rows["features"]) == set(QUICK)
    assert_more_labels_help(rows, "pixels")


def test_a_budget_larger_than_a_class_is_a_row_that_says_so(load_experiment, tmp_path):
    label_budget = load_experiment("label_budget")
    store = load_experiment("support.cells").Store(tmp_path)
    cell = load_experiment("support.cells").encoder_cell("digits", "pixels", 0)
    cell |= {"methods": ["knn"], "budgets": [132], "first_draw": 0, "draws": 2, "balanced": True}
    cell |= {"family": "frozen codes", "clusterer_seeds": [0]}
    rows = label_budget.score_cell(cell, store)
    assert [row["status"] for row in rows] == ["failed", "failed"]
    assert "131" in rows[0]["reason"]
    assert rows[0]["method"] == "knn"


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_what_cannot_be_used_is_one_sentence_and_code_2(
    load_experiment, tmp_path, capsys, assert_one_sentence, name
):
    main = load_experiment(name).main
    told = ["--dataset", "didgits", "--out", str(tmp_path), "--store", str(tmp_path)]
    assert exit_code(lambda: main(told)) == 2
    assert_one_sentence(capsys.readouterr().err.strip(), "didgits")


def test_smoke_never_takes_the_place_of_published_rows(load_experiment):
    grids = load_experiment("support.arguments")
    for told, folder in (([], "results"), (["--smoke"], "runs/smoke"), (["--out", "a"], "a")):
        arguments = grids.grid_parser("Claim").parse_args(told)
        assert grids.prepare(arguments) == ["digits"]
        assert arguments.out == Path(folder)


def test_rows_of_ones_own_data_never_go_where_the_published_ones_are(load_experiment):
    grids = load_experiment("support.arguments")

    def out_of(*told):
        arguments = grids.grid_parser("Claim").parse_args(told)
        grids.prepare(arguments)
        return arguments.out

    assert out_of("--dataset", "mine.npz") == Path("runs/experiments")
    assert out_of("--dataset", "MNIST", "--dataset", "mine.npz") == Path("runs/experiments")
    assert out_of("--dataset", "mine.npz", "--smoke") == Path("runs/smoke")
    assert out_of("--dataset", "mine.npz", "--out", "a") == Path("a")
    published = str(ROOT / "runs" / ".." / "results")
    assert out_of("--dataset", "digits", "--out", published) == Path(published)
    with pytest.raises(InputError, match=r"mine\.npz is data of your own.*runs/experiments"):
        out_of("--dataset", "mine.npz", "--out", published)
    with pytest.raises(InputError, match="would be written to the same files"):
        out_of("--dataset", "a/mine.npz", "--dataset", "b/mine.npz")


def test_rows_of_another_file_of_the_same_name_are_not_overwritten(load_experiment, tmp_path):
    grids = load_experiment("support.arguments")
    path = tmp_path / "code_size-mine.csv"
    path.write_text("dataset,accuracy\na/mine.npz,0.5\n")
    grids.refuse_rows_of_another(path, "a/mine.npz")
    with pytest.raises(InputError, match=r"holds rows of a/mine\.npz"):
        grids.refuse_rows_of_another(path, "b/mine.npz")


def test_reasons_of_rows_without_a_score_are_counted(load_experiment):
    without_score = load_experiment("support.arguments").without_score
    rows = pd.DataFrame({"status": ["ok", *["failed"] * 9], "reason": [None, *"aabcdefg", None]})
    assert without_score(rows[:1]) == ""
    first, *lines = without_score(rows).splitlines()
    assert first == " 9 of them have no score:"
    assert lines[0] == "  2 × a"
    assert len(lines) == 6
    assert lines[-1] == "  3 × one of 3 other reasons (column reason)"
    long = pd.DataFrame({"status": ["failed"], "reason": ["word " * 1000]})
    assert len(without_score(long).splitlines()[1]) < 210


@pytest.mark.slow
def test_an_experiment_on_a_users_own_data_counts_the_reasons_of_rows_without_a_score(
    run_experiment, tmp_path
):
    images, labels = small_digits()
    np.savez(tmp_path / "mine.npz", x=images, y=labels)
    before = sorted((ROOT / "results").rglob("*"))
    told = ["--dataset", "mine.npz", "--n-clusters", "3", "--family", "frozen"]
    # A class has 40 samples: ten each can be drawn, all can, fifty cannot.
    done = run_experiment("label_budget", *told, "--features", "pca", "--seeds", "1")
    assert done.returncode == 0, done.stderr
    path = Path("runs/experiments/label_budget-mine.csv.gz")
    rows = pd.read_csv(tmp_path / path)
    lost = rows[rows["status"] != "ok"]
    assert f"written to {path}. {len(lost)} of them have no score:" in done.stdout
    for reason, n in lost["reason"].value_counts().items():
        assert f"  {n} × {reason}" in done.stdout
    assert set(lost["budget"]) == {50, 100}
    assert not (tmp_path / "results").exists()
    assert sorted((ROOT / "results").rglob("*")) == before


def small_digits():
    """Return 120 images of three classes."""
    images, labels = load_digits(n_class=3, return_X_y=True)
    kept = np.concatenate([np.flatnonzero(labels == c)[:40] for c in range(3)])
    return (images[kept] * 15).astype(np.uint8).reshape(-1, 8, 8), labels[kept]


# The store


def test_a_second_run_does_nothing_and_writes_the_same(smoke, load_experiment):
    before = {path: path.read_bytes() for path in (smoke / "results").rglob("*.*")}
    n_before = len(list((smoke / "store" / "arrays").iterdir()))
    for name in EXPERIMENTS:
        assert load_experiment(name).main(smoke_arguments(name, smoke)) == 0
    assert {path: path.read_bytes() for path in before} == before
    assert len(list((smoke / "store" / "arrays").iterdir())) == n_before


def test_one_encoder_serves_every_clusterer_budget_and_experiment(smoke, rows_of):
    clusterings = pd.concat(rows_of[name] for name in FILES if name != "label_budget")
    trained = clusterings[clusterings["features"] != "pixels"]
    encoder = ["features", "seed", "n_components", "n_train", "epochs"]
    way = [*encoder, "method"]
    n_arrays = len(trained.drop_duplicates(encoder)) + len(clusterings.drop_duplicates(way))
    assert len(list((smoke / "store" / "arrays").glob("*.npz"))) == n_arrays
    with sqlite3.connect(smoke / "store" / "cells.sqlite") as connection:
        (count,) = connection.execute("SELECT COUNT(*) FROM cells").fetchone()
    connection.close()
    assert count == len(clusterings.drop_duplicates(way)) + len(FEW_NUMBERS) * 2  # features × seeds


# Tables and figures


@pytest.fixture(scope="module")
def drawn(smoke):
    """Have tables and figures made, in a process of its own, since this one has loaded torch."""
    code = f"""
import sys
sys.path.append({str(ROOT)!r})
from experiments import figures, tables
for script in (tables, figures):
    assert script.main(["--results", {str(smoke / "results")!r}, "--seeds", "2"]) == 0
assert "torch" not in sys.modules
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=smoke, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return smoke / "results"


def test_tables_and_figures_follow_from_results_alone_without_torch(drawn):
    tables = {path.stem for path in (drawn / "tables").glob("*.md")}
    kinds = ("clustering", "code-size", "training-epochs", "training-images")
    assert tables == {f"{k}-{s}" for k in kinds for s in ("accuracy", "nmi")} | {
        "label-budget-accuracy",
        "label-budget-draws",
    }
    figures = {path.stem for path in (drawn / "figures").glob("*.png")}
    assert figures == {
        *("methods", "pareto", "code-size", "training-epochs", "training-images"),
        *("label-budget-digits", "codes-digits-autoencoder-kmeans"),
        *("confusion-digits-autoencoder-kmeans", "clusters-digits-autoencoder-kmeans"),
    }
    table = (drawn / "tables" / "clustering-accuracy.md").read_text()
    assert table.count("| digits | test |") == 7


def test_tables_are_the_same_bytes_again(drawn, load_experiment, tmp_path):
    results = shutil.copytree(drawn, tmp_path / "results")
    shutil.rmtree(results / "tables")
    assert load_experiment("tables").main(["--results", str(results), "--seeds", "2"]) == 0
    first, again = (
        {path.name: path.read_bytes() for path in (folder / "tables").iterdir()}
        for folder in (drawn, results)
    )
    assert first == again


def test_a_missing_seed_is_shown(smoke, load_experiment, tmp_path):
    rows = pd.read_csv(smoke / "results" / "compare_clustering-digits.csv")
    rows.query("seed == 0").to_csv(tmp_path / "compare_clustering-digits.csv", index=False)
    load_experiment("tables").main(["--results", str(tmp_path), "--seeds", "2"])
    assert "| 1/2 |" in (tmp_path / "tables" / "clustering-accuracy.md").read_text()


def test_pictures_are_of_the_clusters_in_the_rows(smoke, rows_of, load_experiment):
    data = load_experiment("support.cells").data_of("digits")
    with np.load(smoke / "results" / "arrays" / "digits-autoencoder-kmeans.npz") as kept:
        assert (kept["images"] == data.raw_test[kept["shown"]]).all()
        assert (kept["labels"] == data.y_test).all()
        matched = accuracy_matched(kept["labels"], kept["clusters"])
    first = "features == 'autoencoder' and method == 'kmeans' and seed == 0 and split == 'test'"
    row = rows_of["compare_clustering"].query(first)
    assert row["accuracy_matched"].item() == pytest.approx(matched, abs=1e-6)


@pytest.mark.parametrize("name", ["tables", "figures", "verify"])
def test_an_empty_folder_is_told_of(load_experiment, tmp_path, capsys, name):
    assert load_experiment(name).main(["--results", str(tmp_path)]) == 2
    assert "holds no rows" in "".join(capsys.readouterr())


# Verify


def test_verify_reproduces_rows_of_every_experiment(smoke, load_experiment, capsys):
    verify = load_experiment("verify")
    rows = verify.stratified(verify.finished_rows(smoke / "results", []), None)
    one_each = rows.drop_duplicates("experiment", keep="last")  # the dearest of each
    assert set(one_each["experiment"]) == set(FILES)
    assert verify.compare(one_each, max_minutes=5) == 0
    assert capsys.readouterr().out.count(": reproduced") == len(FILES)


def test_verify_notices_what_is_not(smoke, load_experiment, tmp_path, capsys):
    rows = pd.read_csv(smoke / "results" / "compare_clustering-digits.csv")
    rows["accuracy"] += 0.02
    rows.to_csv(tmp_path / "compare_clustering-digits.csv", index=False)
    verify = load_experiment("verify")
    assert verify.main(["--results", str(tmp_path), "--sample", "1"]) == 1
    assert "1 not reproduced" in capsys.readouterr().out
    assert verify.main(["--results", str(tmp_path), "--max-minutes", "0"]) == 1  # nothing checked
    assert "Stopped" in capsys.readouterr().out


def test_verdicts_by_hand(load_experiment):
    verdict = load_experiment("verify").verdict
    assert verdict(0.5, 0.5005) == "reproduced"
    assert verdict(0.5, 0.495) == "within tolerance"
    assert verdict(0.5, 0.52) == "not reproduced"
    assert verdict(0.5, float("nan")) == "not reproduced"


def test_a_sample_is_spread_over_ways_the_quickest_first(smoke, load_experiment):
    verify = load_experiment("verify")
    rows = verify.finished_rows(smoke / "results", ["digits"])
    # As long as on real data, where what trains takes longest; here a training takes no time.
    seconds = {"pixels": 1.0, "pca": 2.0, "untrained": 3.0}
    rows["seconds"] = [seconds.get(features, 9.0) for features in rows["features"]]
    n_strata = len(rows.drop_duplicates(verify.STRATA))
    sample = verify.stratified(rows, n_strata)
    assert not sample.duplicated(verify.STRATA).any()
    assert sample["seconds"].is_monotonic_increasing
    assert set(sample.head(2)["features"]) <= {"pixels", "pca", "untrained"}  # the same anywhere
