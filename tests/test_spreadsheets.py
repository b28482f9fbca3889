"""No text of a CSV is a formula to a spreadsheet, and every text is read back as it was."""

import ast
import csv
import io
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ae_cluster.cli.main import main
from ae_cluster.common.spreadsheets import original_cell, original_table, safe_cell, safe_table
from ae_cluster.records.config import RunConfig
from ae_cluster.records.reading import read_scores
from ae_cluster.runs.run import run
from ae_cluster.semi_supervised.label_files import read_labels, write_labels

ROOT = Path(__file__).parents[1]
FORMULAS = ('=HYPERLINK("http://a.b","x")', "+cat", "-dog", "@owl", "\ttab", "-1-1", " =1", "＝1")
PLAIN = ("cat", "-1", "-1.5", "+3", "-2e-05", "'", "it's", "a=b", "", "–", "'cat")
TEXTS = st.text(st.sampled_from("='+-@\t\r 1.e\n\"a,＝"), max_size=6)


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_written_as_text(text):
    assert safe_cell(text) == "'" + text
    assert original_cell(safe_cell(text)) == text
    assert original_cell(safe_cell("'" + text)) == "'" + text


@pytest.mark.parametrize("cell", [*PLAIN, -1, -1.5, None, True])
def test_numbers_and_other_texts_stay_as_they_are(cell):
    assert safe_cell(cell) is cell
    assert original_cell(cell) is cell


@given(TEXTS)
@settings(max_examples=300, deadline=None)
def test_what_is_written_is_what_is_read(text):
    assert original_cell(safe_cell(text)) == text
    assert safe_cell(safe_cell(text)).count("'") >= safe_cell(text).count("'")


def test_tables_with_texts_numbers_gaps_and_odd_headers_come_back():
    table = pd.DataFrame({"=a": ["=1", np.nan, "x"], "b": [-1.5, 2.0, np.nan], "c": [-1, 0, 1]})
    text = safe_table(table).to_csv(index=False)
    assert list(csv.reader(io.StringIO(text)))[1] == ["'=1", "-1.5", "-1"]
    pd.testing.assert_frame_equal(original_table(pd.read_csv(io.StringIO(text))), table)


def test_every_csv_goes_through_it():
    numbers_only = {  # history; two benchmarks
        "ae_cluster/records/writing.py": 1,
        "experiments/recipe.py": 1,
        "experiments/speed.py": 1,
    }
    unsafe = {}
    for path in [*(ROOT / "ae_cluster").rglob("*.py"), *(ROOT / "experiments").rglob("*.py")]:
        name = path.relative_to(ROOT).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                of = ast.unparse(node.func.value)
                if node.func.attr == "to_csv" and not of.startswith("safe_table("):
                    unsafe[name] = unsafe.get(name, 0) + 1
                assert node.func.attr != "writer" or path.name == "label_files.py"
    assert unsafe == numbers_only


# The files that commands write


@pytest.fixture(scope="module")
def run_of_formulas(tmp_path_factory):
    """Give a folder with data whose ids and classes are formulas, and a run of them."""
    here = tmp_path_factory.mktemp("formulas")
    y = np.array([["=1+1", "-dog", "@owl"][i % 3] for i in range(60)])
    x = np.random.default_rng(0).random((60, 6)) + (np.arange(60) % 3)[:, None]
    np.savez(here / "=d.npz", x=x, y=y, ids=[f"=SUM({i})" for i in range(60)])
    config = RunConfig(str(here / "=d.npz"), n_clusters=3, epochs=1, draws=1, budgets=(1,))
    run(config, here / "run", figures=False)
    return here


def cells_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return [cell for row in csv.reader(file) for cell in row]


def test_no_command_writes_a_formula(run_of_formulas, tmp_path, monkeypatch):
    folder = str(run_of_formulas / "run")
    labels, table, both = (tmp_path / name for name in ("labels.csv", "table.csv", "both.csv"))
    ids = [f"=SUM({i})" for i in range(12)]
    write_labels(labels, ids, [["=1+1", "-dog", "@owl"][i % 3] for i in range(12)])
    told = ["classify", folder, "--labels", str(labels), "--method", "knn", "--out", str(table)]
    assert main(told) == 0
    assert main(["label", folder, "--n-labels", "3"]) == 0
    shutil.copytree(folder, tmp_path / "=again")
    monkeypatch.chdir(tmp_path)
    assert main(["compare", folder, "=again", "--csv", str(both)]) == 0
    written = [table, labels, both, run_of_formulas / "run/labels/to_label.csv"]
    written += [*run_of_formulas.glob("run/**/*.csv")]
    assert len(written) >= 6
    for path in written:
        for cell in cells_of(path):
            assert safe_cell(original_cell(cell)) == cell, (path, cell)
    assert "'@owl" in cells_of(table)
    assert "'=again" in cells_of(both)


def test_our_readers_give_the_texts_back(run_of_formulas, tmp_path):
    assert set(read_scores(run_of_formulas / "run")["dataset"]) == {"=d.npz"}
    ids = np.array([f"=SUM({i})" for i in range(3)])
    names = ("-dog", "=1+1", "@owl")
    write_labels(tmp_path / "a.csv", ids.tolist(), ["@owl", "-dog", ""])
    found = read_labels(tmp_path / "a.csv", ids, names)
    assert [names[i] if i >= 0 else "" for i in found.columns] == ["@owl", "-dog", ""]


def test_answers_may_be_formulas_and_stay_what_they_were(run_of_formulas, capsys):
    folder = run_of_formulas / "run"
    answers = run_of_formulas / "answers.csv"
    write_labels(answers, ["=SUM(1)", "=SUM(2)"], ["-dog", "@owl"])
    for _ in range(2):  # the second time the earlier answers are read back, and agree
        assert main(["label", str(folder), "--answers", str(answers)]) == 0
    assert "2 labels" in capsys.readouterr().out
