"""The table in results/README.md follows from the rows, whatever ways and data sets they hold."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from ae_cluster.common.errors import InputError
from ae_cluster.datasets import known_datasets
from ae_cluster.records.rows import tidy_row
from ae_cluster.reports.literature import PUBLISHED

ROOT = Path(__file__).parents[1]
PLACE = {
    "split": "test", "method": "kmeans", "features": "autoencoder", "n_clusters": 10,
    "n_components": 3, "n_train": 60_000, "epochs": 10, "seconds": 20.0, "uses_k": True,
    "uses_balance": False, "uses_augmentation": False, "tuned_on": "nothing", "status": "ok",
}  # fmt: skip


@pytest.fixture(scope="module")
def headline(load_experiment):
    return load_experiment("headline")


def rows_of(dataset, scores, **place):
    return [
        tidy_row(**PLACE | {"dataset": dataset, "seed": i, "accuracy": a} | place)
        for i, a in enumerate(scores)
    ]


def lines_of(block):
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in block.splitlines()
        if line.startswith("|")
    ]


def test_page_and_results_have_not_drifted_apart(headline):
    page = (ROOT / "results" / "README.md").read_text(encoding="utf-8")
    block = headline.headline(headline.read_rows(ROOT / "results"))
    assert headline.with_headline(page, block) == page, "run python -m experiments.headline"


def test_a_changed_row_is_noticed_and_mended(headline, tmp_path, capsys):
    page = shutil.copy(ROOT / "results" / "README.md", tmp_path)
    (path,) = [shutil.copy(ROOT / "results" / "compare_clustering-digits.csv", tmp_path)]
    arguments = ["--results", str(tmp_path), "--page", str(page)]
    assert headline.main(arguments) == 0
    assert headline.main([*arguments, "--check"]) == 0
    rows = pd.read_csv(path)
    rows.loc[rows["method"] == "gmm", "accuracy"] += 0.01
    rows.to_csv(path, index=False)
    assert headline.main([*arguments, "--check"]) == 1
    assert "drifted apart" in capsys.readouterr().out
    assert headline.main(arguments) == 0
    assert headline.main([*arguments, "--check"]) == 0


def test_numbers_by_hand(headline):
    block = headline.headline(pd.DataFrame(rows_of("mnist", [0.5, 0.7, 0.6])), n_seeds=3)
    line = dict(zip(headline.COLUMNS, lines_of(block)[2], strict=True))
    assert line["n"] == "3"
    assert line["median accuracy"] == ".600"
    assert line["min – max"] == ".500 – .700"
    assert line["seconds"] == "20.0"
    assert line["assumes"] == "k"
    assert line["same pipeline, by others"] == "ACC 0.465 (measured, test)"


def test_a_new_method_and_a_new_data_set_show_by_themselves(headline):
    rows = (
        rows_of("zoo", [0.5, 0.5])
        + rows_of("digits", [0.2, 0.2])
        + rows_of("digits", [0.9, 0.9], method="flagship", uses_augmentation=True)
        + rows_of("mnist", [0.5, 0.5])
    )
    block = headline.headline(pd.DataFrame(rows), n_seeds=2)
    heads = [line.split(",")[0] for line in block.splitlines() if line.startswith("**")]
    assert heads == ["**mnist**", "**digits**", "**zoo**"]
    ways = [line[0] for line in lines_of(block)]
    assert ways.index("autoencoder → flagship") < ways.index(
        "autoencoder → kmeans", ways.index("autoencoder → flagship")
    )
    (flagship,) = [line for line in lines_of(block) if line[0] == "autoencoder → flagship"]
    assert flagship[7] == "k, augmentation"


def test_lost_seeds_are_said(headline):
    rows = rows_of("digits", [0.5, 0.7])
    rows[1] |= {"status": "failed", "reason": "singular", "accuracy": float("nan")}
    block = headline.headline(pd.DataFrame(rows), n_seeds=3)
    assert lines_of(block)[2][2] == "1/3"
    assert "* autoencoder → kmeans: seed 1 failed (singular); seed 2 is missing" in block


def test_another_k_is_another_table(headline):
    rows = rows_of("digits", [0.5]) + rows_of("digits", [0.9], n_clusters=20)
    block = headline.headline(pd.DataFrame(rows), n_seeds=1)
    assert "k = 10" in block
    assert "k = 20" in block


def test_a_page_without_marks_and_a_folder_without_rows_are_said(headline, tmp_path, capsys):
    with pytest.raises(InputError, match="put them back"):
        headline.with_headline("no marks", "block")
    page = str(ROOT / "results" / "README.md")
    assert headline.main(["--results", str(tmp_path), "--page", page]) == 2
    assert "make some" in capsys.readouterr().err
    assert headline.main(["--page", str(tmp_path / "none.md")]) == 2


def test_published_ways_name_known_data_and_their_source(headline):
    for one in PUBLISHED:
        assert one.dataset in known_datasets()
        assert one.scored in ("train", "test", "all")
        assert all((one.pipeline, one.code_size, one.image_prior, one.acc, one.source))
        assert one.acc.count("·") == one.pipeline.split(":")[-1].count("·")
    block = headline.headline(pd.DataFrame(rows_of("mnist", [0.5])), n_seeds=1)
    assert "N2D" in block
    assert "RL-DAC" not in block
