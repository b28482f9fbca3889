"""``classify`` reads tables, folders of pictures and embeddings as ``run`` does."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from picture_folders import COLOURS, fruits
from sklearn.datasets import load_digits

from ae_cluster.cli.main import main

DIGITS = load_digits()
IMAGES, TRUTH = (DIGITS.images[:60] * 15).astype(np.uint8), DIGITS.target[:60]
FEW = np.where(np.arange(60) < 20, TRUTH, -1)  # the digits in turn: two of each


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def refused(capsys, *arguments):
    assert main([*map(str, arguments)]) == 2
    return capsys.readouterr().err.strip().splitlines()[-1]


def test_a_table_is_classified_in_its_order_its_columns_read_as_said():
    rng = np.random.default_rng(0)
    cells = pd.DataFrame(rng.normal(size=(120, 5)).round(3), columns=list("abcde"))
    kinds = np.array(["T", "B"])[np.arange(120) % 2]
    cells.loc[kinds == "B", ["a", "b"]] += 4
    cells.loc[::7, "c"] = np.nan
    cells.insert(0, "cell", [f"c-{i}" for i in range(120)])
    cells["batch"] = "2026-01-01"
    cells["kind"] = np.where(np.arange(120) < 8, kinds, "")
    cells.to_csv("cells.csv", index=False)
    columns = ["--id-column", "cell", "--drop", "batch", "--impute", "median"]
    told = ["--label-column", "kind", "--epochs", "30", "--method", "knn"]
    assert main(["classify", "cells.csv", *columns, *told]) == 0
    table = pd.read_csv("predictions.csv")

    assert table["id"].tolist() == cells["cell"].tolist()
    assert table["label"].notna().sum() == 8
    assert (table["prediction"] == kinds).mean() > 0.9


@pytest.mark.filterwarnings("default:1 of 40 picture")
def test_a_folder_of_pictures_is_classified_by_its_folders_names(capsys):
    fruits(Path("fruits"), 40, broken={3})
    size = ["--image-size", "8x8"]
    assert "cannot be read" in refused(capsys, "classify", "fruits", *size)
    told = ["--skip-unreadable", "--epochs", "5", "--method", "knn"]
    assert main(["classify", "fruits", *size, *told]) == 0
    assert "1 of 40 picture(s) cannot be read" in capsys.readouterr().err
    table = pd.read_csv("predictions.csv")

    assert len(table) == 39
    assert set(table["prediction"]) == set(COLOURS)
    assert table["label"].isna().sum() == sum("unlabelled" in name for name in table["id"])


def test_embeddings_of_ones_own_are_classified_in_place_of_the_samples(capsys):
    np.savez("mine.npz", x=IMAGES, y=FEW)
    embeddings = np.eye(10)[TRUTH] + np.arange(60)[:, None] / 1e4
    np.savez("e.npz", x=embeddings[::-1], ids=np.arange(60)[::-1])
    told = ["--method", "knn", "--epochs", "200"]
    assert main(["classify", "mine.npz", "--features", "e.npz", *told]) == 0
    of_embeddings = pd.read_csv("predictions.csv")
    np.savez("codes.npz", x=embeddings, y=FEW)
    assert main(["classify", "codes.npz", "--features", "given", "--out", "o.csv", *told]) == 0
    capsys.readouterr()

    assert (of_embeddings["prediction"] == TRUTH).mean() > 0.8
    assert (pd.read_csv("o.csv")["prediction"] == TRUTH).all()
    told = ["--features", "given", "--method", "fine-tuned-sorting", "--out", "p.csv"]
    assert "these are codes" in refused(capsys, "classify", "codes.npz", *told)


def test_a_run_has_read_its_data_so_nothing_can_be_said_of_how(capsys):
    run = Path(__file__).parent / "fixtures" / "run-format-1"
    told = refused(capsys, "classify", run, "--impute", "median")
    assert "is a run, which has read its data: leave --impute out" in told
