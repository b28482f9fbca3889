"""``--json``: one JSON value on standard output from every command that prints, messages beside."""

import json
import shutil

import numpy as np
import pytest
from small_runs import make_small_run

from ae_cluster.cli.main import build_parser, main
from ae_cluster.cli.output import plain_json
from ae_cluster.records.reading import read_codes
from ae_cluster.runs import doctor, tutorial

PLAIN = ("--features", "given", "--n-clusters", "3", "--budgets", "1", "--draws", "1")
# Words of a call for each command, in a folder with mine.npz, RUN and its copy AGAIN.
CALLS = {
    "run": [("table.npz", "--out", "one", "--no-figures", *PLAIN),
            ("table.npz", "--seeds", "2", "--out", "two", "--no-figures", *PLAIN)],
    "suggest-k": [("table.npz", "--max-clusters", "4")],
    "methods": [()],
    "datasets": [()],
    "compare": [("RUN", "AGAIN")],
    "explore": [("RUN", "--out", "page.html")],
    "label": [("RUN", "--n-labels", "3", "--force")],
    "classify": [("RUN", "--labels", "few.csv", "--out", "p.csv")],
    "assign": [("RUN", "mine.npz", "--out", "assigned.csv")],
    "export": [("RUN", "--out", "run.onnx")],
    "describe": [("RUN", "--out", "d.csv")],
    "report": [("RUN", "--out", "r.html")],
    "doctor": [()],
    "tutorial": [("digits",)],
}  # fmt: skip
PRINTS_A_SCRIPT = {"completion"}


def parsers():
    """Return every subcommand's parser by name."""
    (commands,) = [action for action in build_parser()._actions if action.dest == "command"]
    return commands.choices


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("json")
    run_folder = make_small_run(folder)
    shutil.copytree(run_folder, folder / "AGAIN")
    arrays = read_codes(run_folder, "kmeans")
    few = zip(arrays["ids_train"][:9], arrays["labels_train"][:9], strict=True)
    lines = ["id,label", *(f"{name},{label}" for name, label in few)]
    (folder / "few.csv").write_text("\n".join(lines))
    x = np.random.default_rng(0).normal(size=(40, 2))
    np.savez(folder / "table.npz", x=x, y=np.arange(40) % 2)
    return folder


@pytest.mark.parametrize("name", [*parsers()])
def test_every_command_that_prints_has_it(name):
    words = parsers()[name]._option_string_actions
    assert ("--json" in words) == (name not in PRINTS_A_SCRIPT)
    assert name in CALLS or name in PRINTS_A_SCRIPT, f"{name} has no call in CALLS"


@pytest.mark.parametrize(
    ("name", "words"), [(name, words) for name, calls in CALLS.items() for words in calls]
)
def test_it_prints_one_json_value_and_nothing_else(place, monkeypatch, capfd, name, words):
    def carried_out(arguments):
        print("1. The data")
        return [arguments.out / "a.png"]

    monkeypatch.chdir(place)
    monkeypatch.setattr(doctor, "examine", lambda _: [doctor.Finding("data", "mnist", "here")])
    monkeypatch.setattr(tutorial, "carry_out", carried_out)
    capfd.readouterr()
    assert main([name, *words, "--json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert isinstance(told, list if name == "methods" else dict)
    assert told


@pytest.mark.parametrize("words", [("run", "nowhere.npz"), ("compare", "a", "b"), ("report", "a")])
def test_bad_input_leaves_standard_output_empty(place, monkeypatch, capsys, words):
    monkeypatch.chdir(place)
    assert main([*words, "--json"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("ae-cluster: ")


def test_what_json_has_not_is_null_or_text(tmp_path):
    value = {"a": float("nan"), "b": np.int64(3), "c": (np.float32("inf"), tmp_path), 4: None}
    assert plain_json(value) == {"a": None, "b": 3, "c": [None, str(tmp_path)], "4": None}
