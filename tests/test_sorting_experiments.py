"""The grids of the sorting codes make the data they say they make, and run whole."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def robustness(load_experiment):
    return load_experiment("robustness")


def test_uneven_classes_fall_geometrically_from_ten_to_one(robustness):
    arrays = robustness.uneven("digits")

    sizes = np.bincount(arrays["y_train"])
    whole = np.bincount(robustness.data_of("digits").y_train)
    assert sizes[0] == whole.min()
    assert sizes[0] / sizes[-1] == pytest.approx(10, rel=0.1)
    assert sizes[:-1] / sizes[1:] == pytest.approx(10 ** (1 / 9), rel=0.1)
    assert len(arrays["x_test"]) == len(arrays["y_test"]) == np.bincount(arrays["y_test"]).sum()


def test_shuffled_pixels_are_the_same_pixels_in_one_other_order(robustness):
    arrays, data = robustness.shuffled("digits"), robustness.data_of("digits")

    for split in ("train", "test"):
        images = getattr(data, f"raw_{split}")
        found = arrays[f"x_{split}"].reshape(len(images), -1)
        assert (np.sort(found, 1) == np.sort(images, 1)).all()
        assert (found != images).any()
    # One order for all images: each column is a column there was, in both splits the same.
    order = [
        np.flatnonzero((data.raw_train == column[:, None]).all(0))
        for column in arrays["x_train"].reshape(len(data.raw_train), -1).T
    ]
    test = arrays["x_test"].reshape(len(data.raw_test), -1)
    for column, places in zip(test.T, order, strict=True):
        assert any((column == data.raw_test[:, place]).all() for place in places)


def test_cells_ask_few_seeds_of_mnist_and_a_baseline_of_tables(robustness, tmp_path):
    wine = robustness.file_of("wine", tmp_path)

    cells = robustness.cells_of("wine", wine, range(10), None)

    assert {(c["features"], c["method"]) for c in cells} == {
        ("sorting", "kmeans"), ("sorting", "gmm"), ("pixels", "kmeans"),
    }  # fmt: skip
    assert {c["n_clusters"] for c in cells} == {3}
    assert {c["seed"] for c in cells} == set(range(10))


def test_the_table_of_medians_follows_from_held_out_rows(load_experiment, tmp_path):
    row = {"dataset": "wine", "n_clusters": 3, "features": "sorting", "method": "kmeans"}
    row |= {"ami": 0.5, "status": "ok"}
    rows = [row | {"split": "test", "accuracy": a} for a in (0.2, 0.4, 0.9)]
    rows += [row | {"split": "train", "accuracy": 1.0}]
    rows += [row | {"split": "test", "status": "failed", "accuracy": float("nan")}]
    pd.DataFrame(rows).to_csv(tmp_path / "robustness-wine.csv")

    (path,) = load_experiment("support.medians").robustness_table(tmp_path)

    said = "| wine | sorting → kmeans | 3 | 3 | 0.400 (0.200–0.900) | 0.500 (0.500–0.500) |"
    assert said in path.read_text(encoding="utf-8").splitlines()


@pytest.mark.filterwarnings("ignore")  # of clusters that so short a training leaves empty
def test_the_ablation_sees_the_stages_of_a_plain_fit(load_experiment):
    ablation = load_experiment("ablation")
    raw = ablation.data_of("digits").raw_train
    data = SimpleNamespace(raw_train=raw[:120], raw_test=raw[120:160])
    parameters = {"image_prior": True, "max_iter": 1, "min_steps": 5, "image_shape": (8, 8)}
    models = [ablation.SortingAutoEncoder(3, random_state=0, **parameters) for _ in range(2)]

    watched = ablation.Watched(models[0], data)

    plain = models[1].fit(data.raw_train)
    assert tuple(watched.answers) == tuple(watched.seconds) == ablation.STAGES
    for found, x in (
        (watched.answers[ablation.STAGES[-1]], data.raw_train),
        (watched.held_out_answers[ablation.STAGES[-1]], data.raw_test),
    ):
        np.testing.assert_array_equal(found, plain.predict(x))
    np.testing.assert_array_equal(models[0].transform(raw), plain.transform(raw))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_smoke(run_experiment, tmp_path):
    places = ("--store", tmp_path / "store", "--out", tmp_path)
    done = run_experiment("robustness", "--smoke", "--setting", "wine", *places)
    assert done.returncode == 0, done.stderr
    rows = pd.read_csv(tmp_path / "robustness-wine.csv")
    assert len(rows) == 2 * 3 * 2  # seeds, ways, splits
    assert set(rows["dataset"]) == {"wine"}

    done = run_experiment("ablation", "--smoke", *places)
    assert done.returncode == 0, done.stderr
    rows = pd.read_csv(tmp_path / "ablation-digits.csv")
    assert len(rows) == 2 * 6 * 2  # seeds, stages, splits
    test = rows[rows["split"] == "test"].groupby("method")
    assert test["mse"].mean().notna().sum() == 2  # with the codes only there is something to draw
