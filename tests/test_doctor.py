"""Whether an installation can do the work: what is wrong is found, and what to do is said."""

import json
from collections import namedtuple

import pytest

from ae_cluster.cli.main import main
from ae_cluster.datasets.named import FROM_TORCHVISION
from ae_cluster.runs import doctor
from ae_cluster.runs.doctor import Finding

Usage = namedtuple("Usage", "total used free")
LOW = doctor.GIGABYTE / 10


def problems(findings):
    """Return subject → what to do, of what is wrong."""
    wrong = [finding for finding in findings if not finding.is_fine]
    assert all(finding.to_do for finding in wrong)
    return {finding.subject: finding.to_do for finding in wrong}


@pytest.fixture
def quick(monkeypatch):
    """Leave the self-test out: it trains."""
    monkeypatch.setattr(doctor, "self_test", lambda: Finding("self-test", "digits", "left out"))


def test_this_installation_is_fine(capsys, monkeypatch):
    for name in doctor.THREADS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(doctor, "free_memory", lambda: 8e9)
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: Usage(9e10, 1e10, 8e10))
    code = main(["doctor", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert [f for f in told["findings"] if not f["is_fine"]] == []
    assert code == 0
    groups = list(dict.fromkeys(finding["group"] for finding in told["findings"]))
    assert groups == ["versions", "computing", "data", "space", "self-test"]
    subjects = {finding["subject"] for finding in told["findings"]}
    assert {"python", "torch", "numpy", "scikit-learn", "cores", "device", "mnist"} <= subjects
    accuracy = float(told["findings"][-1]["found"].split()[0])
    assert doctor.LEAST_ACCURACY <= accuracy <= 1


def test_a_version_below_the_lowest_is_a_problem(monkeypatch):
    real = doctor.version
    monkeypatch.setattr(doctor, "version", lambda name: "1.5" if name == "pandas" else real(name))
    monkeypatch.setattr(
        doctor,
        "requires",
        lambda _: ["pandas>=2.2", "numpy>=1.0", "none-such>=3", "x; extra == 't'"],
    )
    assert problems(doctor.version_findings()) == {
        "pandas": "pip install 'pandas>=2.2'",
        "none-such": "pip install 'none-such>=3'",
    }


def test_what_cannot_be_imported_is_a_problem(monkeypatch):
    def broken(_):
        raise OSError("libgomp.so.1: cannot open shared object file")

    monkeypatch.setattr(doctor, "import_module", broken)
    monkeypatch.setattr(doctor, "requires", lambda _: ["numpy>=1.0"])
    (found,) = [f for f in doctor.version_findings() if f.subject == "numpy"]
    assert "libgomp" in found.found
    assert problems([found]) == {"numpy": "pip install --force-reinstall numpy"}


def test_a_package_that_was_not_installed_is_said(monkeypatch):
    def absent(name):
        raise doctor.PackageNotFoundError(name)

    monkeypatch.setattr(doctor, "metadata", absent)
    assert problems(doctor.version_findings()) == {
        "ae-cluster": "install it, so that what it needs is known: pip install ."
    }


@pytest.mark.parametrize(("said", "is_fine"), [("2", True), ("99", False), ("all", False)])
def test_threads_must_fit_the_cores(monkeypatch, said, is_fine):
    monkeypatch.setattr(doctor, "usable_cores", lambda: 2)
    monkeypatch.setenv("OMP_NUM_THREADS", said)
    assert ("OMP_NUM_THREADS" not in problems(doctor.thread_findings())) == is_fine


def test_data_are_here_or_it_is_said_how_to_get_them(tmp_path):
    for file in FROM_TORCHVISION["kmnist"].source.files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    found = {finding.subject: finding for finding in doctor.data_findings(tmp_path)}
    assert found["kmnist"].found == "here"
    assert found["mnist"].found == "not here"
    assert found["mnist"].to_do == "ae-cluster run mnist downloads it"
    assert problems(found.values()) == {}
    (tmp_path / "file").touch()
    assert list(problems(doctor.data_findings(tmp_path / "file"))) == ["folder"]


def test_little_space_and_little_memory_are_problems(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: Usage(1e9, 1e9, LOW))
    assert len(problems(doctor.space_findings(tmp_path / "not" / "there"))) == 3
    monkeypatch.setattr(doctor, "free_memory", lambda: 0.5e9)
    assert list(problems([doctor.memory_finding()])) == ["memory"]
    monkeypatch.setattr(doctor, "free_memory", lambda: float("nan"))
    assert doctor.memory_finding().is_fine


@pytest.mark.parametrize("accuracy", [0.1, "raises"])
def test_a_self_test_that_fails_is_a_problem_and_exit_code_1(monkeypatch, capsys, accuracy):
    def computed():
        if accuracy == "raises":
            raise ImportError("numpy.core is broken")
        return accuracy

    monkeypatch.setattr(doctor, "_accuracy_on_digits", computed)
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "PROBLEM  digits" in out
    assert "to mend: " in out.splitlines()[-1]
    assert "digits" in out.splitlines()[-1]


@pytest.mark.usefixtures("quick")
def test_every_finding_is_a_line_with_its_way_out_below(capsys):
    main(["doctor", "--data-home", "nowhere"])
    lines = capsys.readouterr().out.splitlines()
    (place,) = [i for i, line in enumerate(lines) if line.split()[1:2] == ["mnist"]]
    assert lines[place + 1].strip() == "-> ae-cluster run mnist downloads it"
