"""What is tested is what was installed; what is imported is light."""

import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

import pytest

import ae_cluster

ROOT = Path(__file__).parents[1]
INSTALLED = Path(ae_cluster.__file__).parent


def test_the_installed_package_is_the_source_file_for_file():
    def content(folder):
        return {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file() and "__pycache__" not in path.parts and path != folder / "README.md"
        }

    assert content(INSTALLED) == content(ROOT / "ae_cluster"), "install again: pip install ."


def test_versions_agree():
    assert ae_cluster.__version__ == importlib.metadata.version("ae-cluster")


def test_typing_marker_is_installed():
    assert (INSTALLED / "py.typed").is_file()


@pytest.mark.parametrize("name", sorted(set(ae_cluster.__all__) - {"__version__"}))
def test_every_public_name_is_there_and_documented(name):
    assert getattr(ae_cluster, name).__doc__


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="autoencoder_"):
        ae_cluster.autoencoder_  # noqa: B018


def loaded_by(code):
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint(*sys.modules)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(done.stdout.splitlines()[-1].split())


def test_importing_the_package_loads_nothing_heavy():
    assert not {"torch", "sklearn", "numpy", "pandas", "matplotlib"} & loaded_by(
        "import ae_cluster"
    )


def loaded_by_command(*words):
    return loaded_by(
        f"from ae_cluster.cli.main import main\ntry: main({list(words)})\n"
        "except SystemExit: print()\nprint()\n"
    )


@pytest.mark.parametrize("words", [["--help"], [], ["--version"], ["run", "--help"]], ids=" ".join)
def test_help_loads_nothing_heavy(words):
    loaded = loaded_by_command(*words)
    assert not {"torch", "sklearn", "scipy", "numpy", "pandas", "matplotlib"} & loaded
    if "run" not in words:  # what only a command needs
        assert not {"dataclasses", "inspect", "ae_cluster.methods", "ae_cluster.cli.run"} & loaded


@pytest.mark.alone
def test_help_takes_a_tenth_of_a_second_more_than_python_at_most():
    def seconds(*words):  # of the processor: the clock would measure what else the machine does
        start = os.times()
        subprocess.run([sys.executable, *words], check=True, capture_output=True)
        end = os.times()
        return end.children_user + end.children_system - start.children_user - start.children_system

    of_python = min(seconds("-c", "pass") for _ in range(5))
    assert min(seconds("-m", "ae_cluster.cli", "--help") for _ in range(5)) <= of_python + 0.1


@pytest.mark.parametrize(
    "module", ["figures", "reports.run", "semi_supervised.evaluation", "records.reading"]
)
def test_reading_rooms_do_not_load_torch(module):
    assert "torch" not in loaded_by(f"import ae_cluster.{module}")
