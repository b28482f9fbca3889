"""The lowest versions that setup.cfg allows are installed and carry the toolkit."""

import csv
import os
import re
import subprocess
import sys
import sysconfig
from configparser import ConfigParser
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GIGABYTES = ("torch", "torchvision")  # left at the installed version


def floors():
    """Return package → lowest version, as setup.cfg declares them."""
    config = ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    lines = config["options"]["install_requires"].split()
    return dict(line.split(">=") for line in lines)


def _numbers(text):
    return tuple(map(int, re.findall(r"\d+", text)))


def test_nothing_is_installed_below_its_floor():
    assert [
        name for name, least in floors().items() if _numbers(version(name)) < _numbers(least)
    ] == []


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """Give the Python of an environment with every floor, torch's and torchvision's aside.

    Those two are found where this Python has them: they are gigabytes, and what is installed
    is often a build for the machine that no index has. Wheels only: what would have to be
    compiled is no floor that anybody can install.
    """
    folder = tmp_path_factory.mktemp("lowest")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = folder / "bin" / "python"
    wanted = [f"{name}=={least}" for name, least in floors().items() if name not in GIGABYTES]
    pip = [python, "-m", "pip", "install", "--quiet", "--only-binary=:all:", *wanted]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    where = 'import sysconfig; print(sysconfig.get_path("purelib"))'
    inside = subprocess.run([python, "-c", where], capture_output=True, text=True, check=True)
    last = Path(inside.stdout.strip()) / "zz_installed_here.pth"  # after the environment's own
    last.write_text(sysconfig.get_path("purelib") + "\n")
    return python


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("work")


@pytest.fixture(scope="module")
def command(python, folder):
    """Give the function that carries out a command in that environment and returns its output."""

    def carry_out(*words):
        done = subprocess.run(
            [python, *words], cwd=folder, capture_output=True, text=True, timeout=900, check=False,
            env=os.environ | {"PYTHONPATH": str(ROOT), "MPLBACKEND": "agg"},
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout

    return carry_out


VERSIONS = """
from importlib.metadata import version
for name in {names}: print(name, version(name))
"""
TRUTH = """
import csv, sys
from ae_cluster import load_dataset
data = load_dataset("digits")
ids, labels = [*data.ids_train, *data.ids_test], [*data.y_train, *data.y_test]
table = csv.writer(sys.stdout)
table.writerows([["id", "label"], *zip(ids, labels)])
"""


def _column(text, name):
    return {row["id"]: row[name] for row in csv.DictReader(text.splitlines())}


@pytest.mark.slow
@pytest.mark.skipif(sys.version_info >= (3, 13), reason="some floors have no wheel for it")
def test_main_job_label_classify_and_compare_with_the_lowest_versions(command, folder):
    names = [name for name in floors() if name not in GIGABYTES]
    found = dict(line.split() for line in command("-c", VERSIONS.format(names=names)).splitlines())
    for name in names:
        least = _numbers(floors()[name])
        assert _numbers(found[name])[: len(least)] == least, name
    cli = ("-m", "ae_cluster.cli")
    few = ("--epochs", "100", "--draws", "1", "--budgets", "1,5")
    methods = ("--method", "kmeans", "--method", "gmm", "--method", "n2d")
    table = command(*cli, "run", *few, *methods, "--out", "first")
    assert "autoencoder → kmeans" in table
    command(*cli, "run", *few, "--seed", "1", "--no-figures", "--out", "second")
    assert "second" in command(*cli, "compare", "first", "second")
    command(*cli, "label", "first", "--n-labels", "30")
    truth = _column(command("-c", TRUTH), "label")
    asked = folder / "first" / "labels" / "to_label.csv"
    answers = [f"{name},{truth[name]}" for name in _column(asked.read_text(), "id")]
    (folder / "answers.csv").write_text("\n".join(["id,label", *answers]))
    command(*cli, "label", "first", "--answers", "answers.csv")
    for method in ("label-spreading", "poisson", "cluster-then-label"):
        words = ("--labels", "first/labels/labels.csv", "--method", method, "--force")
        command(*cli, "classify", "first", *words, "--out", "classes.csv")
        predicted = _column((folder / "classes.csv").read_text(), "prediction")
        assert len(predicted) == 1797
        assert sum(predicted[name] == truth[name] for name in truth) / 1797 > 0.6, method
