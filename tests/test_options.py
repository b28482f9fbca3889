"""Options by their whole names, and nothing that a received file names is run unasked."""

import ast
import json
import shutil
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from ae_cluster import load_run
from ae_cluster.cli.main import build_parser, main
from ae_cluster.common.errors import InputError
from ae_cluster.common.terminal import exit_code
from ae_cluster.records.config import RunConfig
from ae_cluster.runs.run import run

ROOT = Path(__file__).parents[1]
PLAIN = ["--epochs", "1", "--draws", "1", "--budgets", "1", "--no-figures"]


def small_file(path, n=60, seed=0):
    rng = np.random.default_rng(seed)
    np.savez(path, x=rng.random((n, 6)), y=np.arange(n) % 3)
    return path


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """Give the folder of a small run, and beside it the data."""
    here = tmp_path_factory.mktemp("given")
    small_file(here / "d.npz")
    config = RunConfig(str(here / "d.npz"), n_clusters=3, epochs=1, draws=1, budgets=(1,))
    run(config, here / "run", figures=False)
    return here


# Whole names of options


def test_no_parser_takes_abbreviations():
    made = [
        str(path)
        for folder in ("ae_cluster", "experiments")
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("ArgumentParser")
    ]
    assert made == []  # all are of ae_cluster.common.terminal.Parser
    (commands,) = [a for a in build_parser()._actions if a.dest == "command"]
    parsers = [build_parser(), *commands.choices.values()]
    assert [p.prog for p in parsers if p.allow_abbrev] == []


@pytest.mark.parametrize(
    "words",
    [
        ("explore", "RUN", "--data", "new.npz"),
        ("explore", "RUN", "--split=all", "--n-point=5"),
        ("run", "--see", "1"),
        ("compare", "RUN", "RUN", "--cs", "a.csv"),
        ("label", "RUN", "--answer", "a.csv"),
        ("classify", "a.npz", "--label", "a.csv"),
        ("methods", "--js"),
        ("--vers",),
    ],
)
def test_an_abbreviated_option_is_refused(words, capsys):
    with pytest.raises(SystemExit) as left:
        main([*words])
    assert left.value.code == 2
    assert "unrecognized arguments: --" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "make"), [("arguments", "grid_parser"), ("published", "redraw_parser")]
)
def test_an_experiment_refuses_an_abbreviated_option(load_experiment, name, make):
    parser = getattr(load_experiment(f"support.{name}"), make)("Claim")
    assert parser.parse_args(["--seeds", "3"]).seeds == 3
    with pytest.raises(SystemExit):
        parser.parse_args(["--seed", "3"])


# Code that a received file names

EVIL = """
from pathlib import Path
Path("was-imported").touch()
class Theirs:
    def __init__(self, n_clusters=2): pass
    def fit_predict(self, X): return [i % 2 for i in range(len(X))]
"""


@pytest.fixture
def received(given, tmp_path, monkeypatch):
    """Give a run folder in which every text that could name a method names somebody's code."""
    monkeypatch.chdir(tmp_path)
    Path("evil_module.py").write_text(EVIL)
    folder = tmp_path / "received"
    shutil.copytree(given / "run", folder)
    path = folder / "config.json"
    content = json.loads(path.read_text())
    content["arguments"]["methods"] = ["kmeans", "evil_module:Theirs"]
    content["settings"]["clusterers"] = ["evil_module:Theirs"]
    for way in content["methods"].values():
        way |= {"method": "evil_module:Theirs", "clusterer": "evil_module:Theirs"}
        way["model"] = way["features"] = "evil_module:Theirs"
    path.write_text(json.dumps(content))
    scores = folder / "scores.csv"
    scores.write_text(scores.read_text().replace(",kmeans,", ",evil_module:Theirs,"))
    for model in folder.glob("methods/*/model/model.json"):
        model.write_text(model.read_text().replace("AutoEncoder", "evil_module:Theirs"))
    yield folder
    sys.modules.pop("evil_module", None)


def test_a_config_never_runs_code_unless_the_command_line_says_so_too(received, capsys):
    again = ["run", "--config", str(received / "config.json"), "--out", "out", *PLAIN]
    assert main(again) == 2
    said = capsys.readouterr().err
    assert "evil_module:Theirs" in said
    assert "--trust-config" in said
    assert not Path("was-imported").exists()
    assert not Path("out").exists()
    assert main([*again, "--trust-config"]) == 0
    assert Path("was-imported").exists()


def test_naming_the_class_is_enough(received):
    config = str(received / "config.json")
    named = ["--method", "evil_module:Theirs"]
    assert main(["run", "--config", config, "--out", "out", *named, *PLAIN]) == 0
    assert Path("was-imported").exists()


def test_naming_others_runs_others(received):
    config = str(received / "config.json")
    assert main(["run", "--config", config, "--out", "out", "--method", "kmeans", *PLAIN]) == 0
    assert not Path("was-imported").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("explore", "RUN", "--split", "all"),
        ("compare", "RUN", "GIVEN", "--csv", "rows.csv"),
        ("label", "RUN", "--n-labels", "3"),
        ("classify", "RUN", "--labels", "labels.csv", "--method", "knn"),
        ("assign", "RUN", "d.npz", "--out", "new.csv"),
        ("export", "RUN", "--out", "run.onnx"),
        ("describe", "RUN", "--out", "run.md"),
        ("report", "RUN", "--out", "run.html"),
    ],
)
def test_no_other_command_imports_what_a_run_folder_names(received, given, words, capsys):
    ids = np.load(received / "methods/kmeans/codes.npz")["ids_train"][:4]
    lines = [f"{name},{i % 2}" for i, name in enumerate(ids)]
    Path("labels.csv").write_text("\n".join(["id,label", *lines]) + "\n")
    places = {"RUN": str(received), "GIVEN": str(given / "run")}
    small_file(Path("d.npz"))
    main([places.get(word, word) for word in words])
    assert "Traceback" not in capsys.readouterr().err
    assert not Path("was-imported").exists()


def test_a_run_in_python_imports_nothing_that_its_folder_names(received):
    with suppress(InputError):
        load_run(received).assign(np.zeros((3, 6)))
    assert not Path("was-imported").exists()


def test_every_command_of_a_run_has_been_tried():
    (tried,) = (
        mark.args[1] for mark in test_no_other_command_imports_what_a_run_folder_names.pytestmark
    )
    (commands,) = [a for a in build_parser()._actions if a.dest == "command"]
    takes_a_run = {
        name
        for name, parser in commands.choices.items()
        if {"run", "runs"} & {action.dest for action in parser._actions}
    }
    assert takes_a_run - {"run"} == {words[0] for words in tried} - {"classify"}


@pytest.mark.usefixtures("received")
def test_rows_never_name_code_to_verify(load_experiment, capsys):
    results = Path("results")
    results.mkdir()
    rows = (ROOT / "results/compare_clustering-digits.csv").read_text().splitlines()
    here = [line for line in rows if ",kmeans," in line and ",pixels," in line][:2]
    text = "\n".join([rows[0], *here]) + "\n"
    (results / "compare_clustering-digits.csv").write_text(
        text.replace(",kmeans,", ",evil_module:Theirs,")
    )
    main = load_experiment("verify").main
    assert exit_code(lambda: main(["--results", str(results)])) == 2
    assert "evil_module:Theirs" in capsys.readouterr().err
    assert not Path("was-imported").exists()


# Other data than a configuration's


def test_a_run_on_other_data_says_that_it_is_no_prediction(given, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    small_file(tmp_path / "new.npz", seed=1)
    config = given / "run" / "config.json"
    told = ["run", "new.npz", "--config", str(config), "--out", "a", *PLAIN]
    assert main(told) == 0
    said = capsys.readouterr().err
    assert "new.npz is not the data of" in said
    assert "a new model is trained" in said
    model = given / "run" / "methods" / "kmeans" / "model"
    assert f"AutoEncoder.load({str(model)!r})" in said


def test_the_same_data_elsewhere_are_the_same(given, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    shutil.copy(given / "d.npz", "moved.npz")
    config = str(given / "run" / "config.json")
    assert main(["run", "moved.npz", "--config", config, "--out", "a", *PLAIN]) == 0
    assert "is not the data of" not in capsys.readouterr().err
