"""Models, pages and tables take the place of their like only."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from own_files import contents, here

from ae_cluster import AutoEncoder, InputError
from ae_cluster.cli.main import main


def test_a_model_is_replaced_and_nothing_beside_it(tmp_path):
    rng = np.random.default_rng(0)
    model = AutoEncoder(2, (4,), max_iter=1, random_state=0).fit(rng.random((20, 5)))
    model.save(tmp_path / "model")
    (tmp_path / "model" / "notes.txt").write_text("mine")
    model.set_params(tol=1.0).save(tmp_path / "model", force=True)
    assert AutoEncoder.load(tmp_path / "model").tol == 1.0
    assert (tmp_path / "model" / "notes.txt").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model"]


@pytest.mark.parametrize("name", ["thesis.txt", "model.json", "weights.safetensors", "X"])
def test_a_folder_that_is_no_model_is_refused(tmp_path, assert_one_sentence, name):
    rng = np.random.default_rng(0)
    model = AutoEncoder(2, (4,), max_iter=1, random_state=0).fit(rng.random((20, 5)))
    place = tmp_path / "mine"
    place.mkdir()
    (place / name).write_text('{"model_type": "bert"}')
    before = contents(tmp_path)
    with pytest.raises(InputError) as error:
        model.save(place, force=True)
    assert_one_sentence(error, place, name)
    assert contents(tmp_path) == before


def test_only_pages_are_replaced_by_pages(states, tmp_path, monkeypatch, capsys):
    here(states, tmp_path, "finished")
    shutil.rmtree(tmp_path / "X" / "methods" / "mine")
    monkeypatch.chdir(tmp_path)
    assert main(["explore", "X"]) == 0
    assert main(["explore", "X", "--out", "page.html"]) == 0
    assert main(["explore", "X", "--out", "page.html"]) == 0
    (tmp_path / "X" / "explorer.html").write_text("mine")
    before = contents(tmp_path)
    for arguments in (["--out", "thesis.txt"], [], ["--out", "X/config.json"]):
        assert main(["explore", "X", *arguments]) == 2
        assert "is no page that ae-cluster wrote" in capsys.readouterr().err
    assert contents(tmp_path) == before


def test_force_replaces_tables_of_predictions_only(states, tmp_path, monkeypatch, capsys):
    here(states, tmp_path, "finished")
    shutil.rmtree(tmp_path / "X" / "methods" / "mine")
    monkeypatch.chdir(tmp_path)
    np.save("y.npy", np.r_[0, 1, 0, 1, np.full(36, -1)])
    arguments = ["classify", "X", "--labels", "y.npy", "--force", "--out"]
    before = contents(tmp_path)
    for name in ("thesis.txt", "X/scores.csv", "X"):
        assert main([*arguments, name]) == 2
        assert "is no table" in (said := capsys.readouterr().err) or "is a folder" in said
    assert contents(tmp_path) == before
    assert main([*arguments, "p.csv"]) == main([*arguments, "p.csv"]) == 0


def test_labels_that_were_filled_in_are_not_lost_to_a_new_table(
    states, tmp_path, monkeypatch, capsys
):
    here(states, tmp_path, "finished")
    shutil.rmtree(tmp_path / "X" / "methods" / "mine")
    monkeypatch.chdir(tmp_path)
    shutil.rmtree("X/labels")
    assert main(["label", "X", "--n-labels", "4"]) == 0
    assert main(["label", "X", "--n-labels", "4", "--force"]) == 0
    table = Path("X/labels/to_label.csv")
    lines = table.read_text().splitlines()
    table.write_text("\n".join([lines[0], f"{lines[1]}0", f"{lines[2]}1", *lines[3:], ""]))
    before = contents(tmp_path)
    assert main(["label", "X", "--n-labels", "4", "--force"]) == 2
    assert "holds labels that were not read yet" in capsys.readouterr().err
    assert contents(tmp_path) == before
    assert main(["label", "X", "--answers", str(table)]) == 0
    assert main(["label", "X", "--n-labels", "4", "--force"]) == 0
    table.write_text("my own\n")
    assert main(["label", "X", "--n-labels", "4", "--force"]) == 2
    assert table.read_text() == "my own\n"
