"""The command line as a newcomer meets it: sentences, exit codes, nothing left behind."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from ae_cluster.cli.arguments import parse_sizes
from ae_cluster.cli.main import build_parser, main
from ae_cluster.common.errors import InputError
from ae_cluster.records.config import RunConfig, preset_epochs, read_config
from ae_cluster.records.run_folders import free_folder

IMAGES = (load_digits().images[:200] * 15).astype(np.uint8)
PLAIN = ["--epochs", "1", "--draws", "1", "--budgets", "1,2"]
QUICK = [*PLAIN, "--no-figures"]


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def refused(capsys, *arguments):
    """Return the sentence a command is refused with; nothing may be left but what was there."""
    before = sorted(Path().rglob("*"))
    try:
        code = main([*map(str, arguments)])
    except SystemExit as exit_:  # argparse's own refusals
        code = exit_.code
    out, err = capsys.readouterr()
    assert code == 2
    assert "Traceback" not in err + out
    assert sorted(Path().rglob("*")) == before
    return err.strip()


def test_run_prints_scores_files_and_how_to_read_them(capsys):
    assert main(["run", "--out", "first", "--method", "kmeans", *PLAIN]) == 0
    out, err = capsys.readouterr()
    for words in ("autoencoder → kmeans", "How to read it", "labels per class",
                  "first/figures/codes-kmeans.png"):  # fmt: skip
        assert words in out
    assert "1,347 training and 450 test images" in err
    assert "epoch/s" not in err  # no progress bar in a log


def test_the_default_folder_never_collides(capsys):
    main(["run", *QUICK])
    main(["run", *QUICK])
    assert "runs/digits-seed0-2" in capsys.readouterr().out


@pytest.mark.heavy
def test_config_does_it_again_and_what_is_said_beside_it_wins():
    main(["run", "--out", "a", "--seed", "3", "--method", "gmm", *QUICK])
    main(["run", "--out", "b", "--config", "a/config.json", "--no-figures"])
    main(["run", "--out", "c", "--config", "a/config.json", "--seed", "0", "--no-figures"])
    configs = {n: json.loads(Path(f"{n}/config.json").read_text()) for n in "abc"}
    assert configs["a"]["arguments"] == configs["b"]["arguments"]
    assert configs["c"]["arguments"] == configs["a"]["arguments"] | {"seed": 0}
    codes = {n: np.load(f"{n}/methods/gmm/codes.npz")["codes_test"] for n in "abc"}
    assert np.array_equal(codes["a"], codes["b"])
    assert not np.array_equal(codes["a"], codes["c"])


def test_config_notices_other_data(capsys):
    np.savez("d.npz", x=IMAGES)
    main(["run", "d.npz", "--n-clusters", "3", "--out", "a", *QUICK])
    np.savez("d.npz", x=IMAGES[::-1])
    said = refused(capsys, "run", "--config", "a/config.json", "--out", "b")
    assert "fingerprint" in said


def npz(**arrays):
    np.savez("bad.npz", **arrays)
    return ["run", "bad.npz", "--n-clusters", "3"]


def with_nan():
    x = np.random.default_rng(0).random((50, 4))
    x[3, 2] = np.nan
    return npz(x=x)


def truncated():
    np.savez("bad.npz", x=IMAGES)
    content = Path("bad.npz").read_bytes()
    Path("bad.npz").write_bytes(content[: len(content) // 2])
    return ["run", "bad.npz", "--n-clusters", "3"]


def existing():
    np.savez("bad.npz", x=IMAGES)
    return ["run", "--out", "bad.npz"]


def with_a_text_for_the_rate():
    arguments = {"dataset": "digits", "learning_rate_init": "0.005"}
    data = {"name": "digits", "fingerprint": ""}
    content = {"format_version": 1, "arguments": arguments, "data": data}
    Path("config.json").write_text(json.dumps(content))
    return ["run", "digits", "--config", "config.json"]


BAD = {
    "unknown name": (lambda: ["run", "mnits"], "mnist"),
    "missing file": (lambda: ["run", "none.npz", "--n-clusters", "3"], "none.npz"),
    "k unknown": (lambda: npz(x=IMAGES)[:2], "--n-clusters"),
    "k too large": (lambda: [*npz(x=IMAGES)[:2], "--n-clusters", "500"], "500"),
    "k too small": (lambda: [*npz(x=IMAGES)[:2], "--n-clusters", "1"], "1"),
    "budget of none": (lambda: ["run", "--budgets", "0"], "--budgets"),
    "test size": (lambda: ["run", "--test-size", "2"], "--test-size 2"),
    "seed too large": (lambda: ["run", "--seed", "99999999999"], "99999999999"),
    "a name too long": (lambda: ["run", "--out", "x" * 300], "too long"),
    "words for a number": (lambda: ["run", "--budgets", "a"], "'a'"),
    "device": (lambda: ["run", "--device", "nonsense"], "nonsense"),
    "k above distinct": (lambda: npz(x=np.repeat(IMAGES[:2], 50, axis=0)), "2 distinct"),
    "nan": (with_nan, "NaN"),
    "out of range": (lambda: npz(x=IMAGES - 300.0), "from -300 to"),
    "empty": (lambda: npz(x=IMAGES[:0]), "nothing"),
    "one sample": (lambda: npz(x=IMAGES[:1]), "1"),
    "constant": (lambda: npz(x=np.zeros((20, 5, 5), np.uint8)), "same"),
    "labels too few": (lambda: npz(x=IMAGES, y=np.zeros(7, int)), "7"),
    "objects": (lambda: npz(x=np.array([{}, 1], dtype=object)), "tolist()"),
    "no x": (lambda: npz(images=IMAGES), "images"),
    "truncated": (truncated, "bad.npz"),
    "config missing": (lambda: ["run", "--config", "no.json"], "no.json"),
    "out is a file": (existing, "bad.npz"),
    "out unwritable": (lambda: ["run", "--out", "/proc/nowhere/run"], "/proc/nowhere"),
    "seed negative": (lambda: ["run", "--seed", "-1"], "-1"),
    "a rate in quotation marks": (with_a_text_for_the_rate, "learning_rate_init='0.005'"),
    "a count too large": (lambda: ["run", "--n-components", "9" * 30], "2**31 - 1"),
    "sizes too large": (lambda: ["run", "--hidden-layer-sizes", "8," + "9" * 30], "2**31 - 1"),
    "a layer too large": (lambda: ["run", "--n-components", "2000000000"], "whole memory"),
    "draws without end": (lambda: ["run", "--draws", "9" * 30], "from 1 to 1,000"),
    "learning rate": (lambda: ["run", "--learning-rate-init", "0"], "learning_rate_init"),
    "mnist absent": (
        lambda: ["run", "mnist", "--data-home", "nowhere", "--no-download"],
        "nowhere",
    ),
    "image shape": (lambda: [*npz(x=np.arange(54.0).reshape(9, 6)), "--image-shape", "4x4"], "6"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence_and_exit_code_2(case, capsys):
    make, words = BAD[case]
    said = refused(capsys, *make())
    last = said.splitlines()[-1]
    assert words in last
    assert last.startswith("ae-cluster")


def test_no_command_prints_help(capsys):
    assert main([]) == 0
    assert "examples:" in capsys.readouterr().out


def test_help_states_the_defaults_that_hold():
    (run,) = [
        action.choices["run"]
        for action in build_parser()._actions
        if action.dest == "command"
    ]  # fmt: skip
    text = " ".join(run.format_help().split())
    d = RunConfig()
    for said in (f"default: {d.seed}", f"size of the code; default: {d.n_components}",
                 f"default: {d.batch_size}", f"default: {d.learning_rate_init}",
                 "default: " + ",".join(map(str, d.budgets)),
                 "default: " + ",".join(map(str, d.hidden_layer_sizes))):  # fmt: skip
        assert said in text


def test_no_flag_is_of_type_bool():
    (commands,) = [a for a in build_parser()._actions if a.dest == "command"]
    for parser in commands.choices.values():
        assert all(action.type is not bool for action in parser._actions)


def test_datasets_lists_the_known_names(capsys):
    assert main(["datasets"]) == 0
    assert "fashion-mnist" in capsys.readouterr().out.split()


def test_the_console_script_is_installed():
    done = subprocess.run(
        [sys.executable, "-m", "ae_cluster.cli", "--version"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.startswith("ae-cluster ")


def test_sizes():
    assert parse_sizes("28x28") == (28, 28)
    assert parse_sizes("128, 64,12") == (128, 64, 12)
    with pytest.raises(InputError, match="28by28"):
        parse_sizes("28by28")


def test_free_folder(tmp_path):
    assert free_folder("digits", 0, tmp_path) == tmp_path / "digits-seed0"
    (tmp_path / "digits-seed0").mkdir()
    assert free_folder("digits", 0, tmp_path) == tmp_path / "digits-seed0-2"
    assert free_folder("some/My.npz", 1, tmp_path) == tmp_path / "my-seed1"


@pytest.mark.parametrize(
    ("content", "words"),
    [("{", "config"), ("[]", "config"), ("[" * 100_000, "config"),
     ('{"format_version": 99, "arguments": {}}', "newer"),
     ('{"format_version": 1, "arguments": {}, "data": []}', "config"),
     ('{"format_version": 1}', "config")],
)  # fmt: skip
def test_a_config_that_is_none(content, words, tmp_path):
    path = tmp_path / "config.json"
    path.write_text(content)
    with pytest.raises(InputError, match=words):
        read_config(path)


def test_config_round_trip_and_unknown_argument():
    config = RunConfig(seed=4, image_shape=(8, 8))
    assert RunConfig.from_json(json.loads(json.dumps(config.to_json()))) == config
    with pytest.raises(InputError, match="did you mean seed"):
        RunConfig.from_json({"sed": 1})


@pytest.mark.parametrize(
    "edited",
    [{"seed": "a"}, {"seed": True}, {"draws": 0}, {"budgets": 3}, {"test_size": "x"},
     {"epochs": 1.5}, {"dataset": None}, {"n_clusters": "ten"}],
)  # fmt: skip
def test_a_config_edited_by_hand_is_checked(edited):
    (name,) = edited
    with pytest.raises(InputError, match=name.replace("_", "-")):
        RunConfig.from_json(edited).check()


def test_preset():
    assert preset_epochs(10, 64) == 5000
