"""In a log, long work says at most every half minute how far it is, and early how long it takes."""

import re
import time

import numpy as np
import pytest
from sklearn.datasets import load_digits

from ae_cluster.cli.main import main
from ae_cluster.clustering import estimators
from ae_cluster.common import progress
from ae_cluster.methods import LEARNERS, METHODS


def lines_of(capsys, total, seconds_each, steps=1, initial=0):
    """Return the lines, each with its second, of work on a clock of its own."""
    now, said = [0.0], []
    lines = progress.ProgressLines(
        total, "training", "epoch", initial=initial, of="482 samples", clock=lambda: now[0]
    )
    for _ in range(int((total - initial) * steps)):
        now[0] += seconds_each / steps
        lines.update(1 / steps)
        said += [(now[0], line) for line in capsys.readouterr().err.splitlines()]
    return said


def test_short_work_says_nothing(capsys):
    assert lines_of(capsys, 10, 2.9) == []


def test_long_work_is_estimated_early_and_then_told_of_every_half_minute(capsys):
    said = lines_of(capsys, 25, 11.0, steps=100)
    seconds = np.array([second for second, _ in said])
    assert said[0][0] == pytest.approx(5, abs=0.2)
    assert said[0][1] == "training on 482 samples: about 275 s in all"
    assert said[1][1] == "training: epoch 4 of 25, 35 s so far, about 240 s to go"
    assert np.diff(seconds) == pytest.approx(30, abs=0.3)
    assert len(said) in (9, 10)


def test_an_epoch_of_minutes_is_told_of_at_its_end_only_where_steps_are_not_counted(capsys):
    said = lines_of(capsys, 3, 100.0)
    assert [line for _, line in said] == [
        "training: epoch 2 of 3, 100 s so far, about 200 s to go",
        "training: epoch 3 of 3, 200 s so far, about 100 s to go",
        "training: epoch 3 of 3, 300 s so far, about 0 s to go",
    ]


def test_work_that_goes_on_is_estimated_from_what_it_did_now(capsys):
    said = lines_of(capsys, 100, 10.0, initial=90)
    assert said[0][1] == "training on 482 samples: about 100 s in all"
    assert said[1][1] == "training: epoch 95 of 100, 40 s so far, about 60 s to go"


def test_work_of_unknown_length_tells_what_is_done(capsys):
    now = [0.0]
    lines = progress.ProgressLines(None, "assigning", "row", clock=lambda: now[0])
    lines.set_postfix_str("100 rows per second")
    for _ in range(5):
        now[0] += 10.0
        lines.update(1000)
    said = capsys.readouterr().err.splitlines()
    assert said == ["assigning: 3,000 rows, 30 s so far (100 rows per second)"]


@pytest.fixture
def _impatient(monkeypatch):
    """Let lines come after hundredths of seconds."""
    monkeypatch.setattr(progress, "EVERY", 0.004)
    monkeypatch.setattr(progress, "FIRST", 0.0)


@pytest.fixture
def digits_file(tmp_path):
    images, labels = load_digits(return_X_y=True)
    np.savez(tmp_path / "d.npz", x=(images[:300] * 15).astype(np.uint8).reshape(-1, 8, 8),
             y=labels[:300])  # fmt: skip
    return tmp_path / "d.npz"


@pytest.mark.parametrize(("name", "n_train", "compiled", "is_told"), [
    ("sorting", 30_000, False, True), ("sorting", 30_000, True, False),
    ("sorting", 60_000, False, False), ("sorting-images", 60_000, False, True),
    ("sorting-fast", 100, False, False), ("dec", 100, False, False),
])  # fmt: skip
def test_a_first_umap_is_told_of(monkeypatch, name, n_train, compiled, is_told):
    monkeypatch.setattr(estimators, "is_compiled", lambda: compiled)
    assert ("while UMAP is compiled" in estimators.note_on_compiling(name, n_train)) == is_told


@pytest.mark.usefixtures("_impatient")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("method", "stages"),
    [
        ("dec", ["training"]),
        pytest.param("sorting", ["consistency training", "decoder training"],
                     marks=pytest.mark.slow),
    ],
)  # fmt: skip
def test_every_training_of_a_run_is_told_of_in_a_log(digits_file, capsys, method, stages):
    told = ["--epochs", "3", "--n-clusters", "10", "--no-figures", "--budgets", "1", "--draws", "1"]
    out = digits_file.parent / "run"
    assert main(["run", str(digits_file), "--method", method, *told, "--out", str(out)]) == 0
    err = capsys.readouterr().err
    before, after = err.split(f"Learning {method} … (about 1 s on one core for 240 samples of 64")
    if method == "dec":
        assert re.search(r"^training( on 240 samples)?: ", before, re.MULTILINE)
    for stage in stages:
        assert re.search(rf"^{stage}( on 240 samples)?: ", after, re.MULTILINE)
    assert f"Trying classifiers from a few labels on the {method} codes …" in after
    assert "epoch/s" not in err  # no bar


@pytest.mark.usefixtures("_impatient")
@pytest.mark.filterwarnings("ignore")
def test_cross_validation_of_a_few_labels_is_told_of(digits_file, capsys):
    labels = np.load(digits_file)["y"]
    (digits_file.parent / "l.csv").write_text(
        "id,label\n" + "".join(f"{i},{labels[i]}\n" for i in range(60))
    )
    told = ["--labels", str(digits_file.parent / "l.csv"), "--epochs", "1"]
    out = digits_file.parent / "p.csv"
    assert main(["classify", str(digits_file), *told, "--out", str(out)]) == 0
    assert "still at it: d.npz: 300 samples; learning (" in capsys.readouterr().err


def test_a_stage_that_counts_nothing_is_spoken_of(monkeypatch, capsys):
    monkeypatch.setattr(progress, "EVERY", 0.02)
    with progress.spoken_of("ae-cluster run"):
        time.sleep(0.1)
        progress.say("Clustering the codes …")
        time.sleep(0.1)
    time.sleep(0.1)
    lines = capsys.readouterr().err.splitlines()
    begins = lines.index("Clustering the codes …")
    assert begins > 0
    assert set(lines[:begins]) == {"still at it: ae-cluster run (0 s so far)"}
    assert set(lines[begins + 1 :]) == {"still at it: Clustering the codes (0 s so far)"}
    assert len(lines) < 12  # and none after its end


def test_the_estimate_of_learning_goes_with_the_datas_size():
    for method in METHODS:
        if method.name in LEARNERS:
            usual = estimators.estimated_seconds(method.name, 10_000, 784, None)
            assert usual == pytest.approx(method.seconds)
            assert estimators.estimated_seconds(method.name, 70_000, 784, None) > 1.5 * usual
            assert estimators.estimated_seconds(method.name, 10_000, 3072, None) > 2 * usual
    # Of more than 100,000 samples it learns from so many.
    of_many = [estimators.estimated_seconds("sorting", n, 64, None) for n in (100_000, 1_000_000)]
    assert of_many[0] == of_many[1]
    # 482 pictures of 32 x 32 took 73 s on one core beside other work.
    assert estimators.estimated_seconds("sorting-images", 482, 1024, None) == pytest.approx(
        73, rel=0.2
    )
