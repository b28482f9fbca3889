"""A training that was cut off goes on, and ends with the same weights to the last bit."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors import safe_open

from ae_cluster import AutoEncoder, Callback, InputError
from ae_cluster.training import checkpoints, fitting
from ae_cluster.training.checkpoints import Checkpoint
from ae_cluster.training.loop import DivergedError

CONFIGURATIONS = {
    "plain": {},
    "early stopping": {"early_stopping": True, "n_iter_no_change": 6, "tol": 10.0},  # in epoch 7
    "cosine": {"learning_rate": "cosine"},
    "noise": {"noise_std": 0.2, "mask_fraction": 0.2},
    "snapshots": {"n_snapshots": 5},
    "conv": {"kind": "conv", "conv_channels": (3, 4)},
    "table": {"input_kind": "table"},
    "everything": {
        "early_stopping": True,
        "n_iter_no_change": 1000,
        "learning_rate": "cosine",
        "noise_std": 0.1,
        "mask_fraction": 0.1,
        "n_snapshots": 5,
    },
}
CHILD = """
import json, sys, time
import numpy as np
from ae_cluster import AutoEncoder, Callback

class Slow(Callback):
    def on_step(self, progress):
        time.sleep(0.01)

rows, checkpoint, parameters = sys.argv[1:]
model = AutoEncoder(checkpoint=checkpoint, callbacks=[Slow()], **json.loads(parameters))
model.fit(np.load(rows))
"""


class CutOff(BaseException):
    """What a killed process would not see either."""


class CutOffAt(Callback):
    """Ends everything at a step."""

    def __init__(self, step):
        self.step = step

    def on_step(self, progress):
        if progress.step == self.step:
            raise CutOff


class Epochs(Callback):
    """Writes down the epochs it saw."""

    def __init__(self):
        self.seen = []

    def on_epoch(self, progress):
        self.seen.append(progress.epoch)


@pytest.fixture
def rows(digit_rows):
    return digit_rows[:300]  # five steps an epoch


@pytest.fixture
def path(tmp_path):
    return tmp_path / "training.safetensors"


@pytest.fixture
def every_epoch(monkeypatch):
    """Write checkpoints after every epoch, however short."""
    monkeypatch.setattr(fitting, "Checkpoint", partial(Checkpoint, every=0))


def model(**parameters):
    parameters = {"hidden_layer_sizes": (8,), "max_iter": 8, "random_state": 0} | parameters
    return AutoEncoder(**parameters)


def cut_off(rows, path, step=33, **parameters):
    """Train until a step, and no further."""
    with pytest.raises(CutOff):
        model(checkpoint=path, callbacks=[CutOffAt(step)], **parameters).fit(rows)


def epoch_in(path):
    with safe_open(path, framework="pt") as file:
        return json.loads(file.metadata()["state"])["epoch"]


def assert_same(first, second, rows):
    """Everything training leaves behind is the same."""
    state = second.network_.state_dict()
    for name, weights in first.network_.state_dict().items():
        assert torch.equal(weights, state[name]), name
    assert first.n_iter_ == second.n_iter_
    assert first.loss_curve_ == second.loss_curve_
    assert first.validation_loss_curve_ == second.validation_loss_curve_
    assert np.array_equal(first.snapshots_, second.snapshots_)
    assert np.array_equal(first.transform(rows), second.transform(rows))


# ---- going on


@pytest.mark.parametrize(
    "configuration", [pytest.param("plain", marks=pytest.mark.slow), "everything"]
)
@pytest.mark.heavy
def test_a_killed_process_is_resumed_to_the_same_weights(rows, path, configuration):
    few = {"hidden_layer_sizes": (8,), "max_iter": 100, "random_state": 0}
    parameters = few | CONFIGURATIONS[configuration]  # 500 steps of ten milliseconds
    np.save(path.with_name("rows.npy"), rows)
    command = [sys.executable, "-c", CHILD, path.with_name("rows.npy"), path]
    child = subprocess.Popen([*command, json.dumps(parameters)], cwd=path.parent)
    try:
        while not path.exists() and child.poll() is None:
            time.sleep(0.005)
        time.sleep(random.uniform(0, 0.5))
        assert child.poll() is None
    finally:
        child.kill()
    assert child.wait() == -signal.SIGKILL
    assert 0 < epoch_in(path) < 100

    epochs = Epochs()
    resumed = AutoEncoder(checkpoint=path, callbacks=[epochs], **parameters)
    first_epoch = epoch_in(path) + 1
    resumed.fit(rows)

    assert epochs.seen == list(range(first_epoch, 101))
    assert_same(resumed, AutoEncoder(**parameters).fit(rows), rows)


@pytest.mark.usefixtures("every_epoch")
@pytest.mark.parametrize("configuration", CONFIGURATIONS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_configuration_goes_on_as_if_nothing_had_happened(rows, path, configuration, dtype):
    X, parameters = rows.astype(dtype), CONFIGURATIONS[configuration]
    for step in (13, 21, 22):  # cut off three times; what an unfinished epoch did is lost
        cut_off(X, path, step, **parameters)
    assert epoch_in(path) == 4

    resumed = model(checkpoint=path, **parameters).fit(X)

    assert_same(resumed, model(**parameters).fit(X), X)


@pytest.mark.usefixtures("every_epoch")
def test_a_training_that_had_stopped_early_does_not_go_on(rows, path):
    parameters = {"early_stopping": True, "n_iter_no_change": 2, "tol": 1.0}
    first = model(checkpoint=path, **parameters).fit(rows)
    epochs = Epochs()

    again = model(checkpoint=path, callbacks=[epochs], **parameters).fit(rows)

    assert epochs.seen == []
    assert again.n_iter_ == 3
    assert_same(again, first, rows)


def test_a_finished_training_is_read_and_not_repeated(rows, path):
    first = model(checkpoint=path, n_snapshots=3).fit(rows)
    epochs = Epochs()

    again = model(checkpoint=path, n_snapshots=3, callbacks=[epochs]).fit(rows)

    assert epochs.seen == []
    assert_same(again, first, rows)


@pytest.mark.usefixtures("every_epoch")
def test_ctrl_c_can_be_resumed_too(rows, path):
    class CtrlC(Callback):
        def on_step(self, progress):
            if progress.step == 23:
                signal.raise_signal(signal.SIGINT)

    with pytest.warns(UserWarning, match="interrupted after 4 finished epochs"):
        model(checkpoint=path, callbacks=[CtrlC()]).fit(rows)

    assert_same(model(checkpoint=path).fit(rows), model().fit(rows), rows)


@pytest.mark.usefixtures("every_epoch")
def test_a_resumed_training_that_diverges_goes_back_to_the_checkpoint(rows, path):
    cut_off(rows, path, 23)

    class Blow(Callback):
        def on_step(self, progress):
            for p in progress.model.network_.parameters():
                p.data.fill_(float("nan"))

    blown = model(checkpoint=path, callbacks=[Blow()])
    with pytest.raises(DivergedError, match=r"step 22 \(epoch 5\)"):
        blown.fit(rows)

    four_epochs = model(max_iter=4).fit(rows)
    assert np.array_equal(blown.transform(rows), four_epochs.transform(rows))


def test_it_is_written_at_most_once_in_a_second_and_at_the_end(rows, path, monkeypatch):
    written, write, clock = [], Checkpoint.write, SimpleNamespace(now=0.0)
    clock.monotonic = lambda: clock.now

    class HalfASecond(Callback):
        def on_epoch(self, progress):
            clock.now = progress.epoch / 2

    def counted(self, progress):
        written.append(progress.epoch)
        write(self, progress)

    monkeypatch.setattr(checkpoints, "time", clock)
    monkeypatch.setattr(Checkpoint, "write", counted)
    model(checkpoint=path, max_iter=7, callbacks=[HalfASecond()]).fit(rows)

    assert written == [2, 4, 6, 7]


# ---- what cannot be gone on from


@pytest.mark.usefixtures("every_epoch")
@pytest.mark.parametrize(
    "changed",
    [
        {"max_iter": 9},
        {"learning_rate_init": 0.01},
        {"random_state": 1},
        {"hidden_layer_sizes": (9,)},
        {"early_stopping": True},
        {"n_snapshots": 1},
        {"noise_std": 0.1},
    ],
)
def test_another_configuration_is_refused(rows, path, assert_one_sentence, changed):
    cut_off(rows, path)
    before = path.read_bytes()

    with pytest.raises(InputError) as error:
        model(checkpoint=path, **changed).fit(rows)

    assert_one_sentence(error, path, "another configuration", "delete it")
    assert path.read_bytes() == before


@pytest.mark.usefixtures("every_epoch")
def test_other_data_are_refused(rows, path, assert_one_sentence):
    cut_off(rows, path)
    changed = rows.copy()
    changed[17, 20] += 1e-3

    for other in (changed, rows[:-1], rows.astype(np.float64)):
        with pytest.raises(InputError) as error:
            model(checkpoint=path).fit(other)
        assert_one_sentence(error, path, "other data")


@pytest.mark.usefixtures("every_epoch")
def test_how_a_configuration_is_written_does_not_matter(rows, path):
    cut_off(rows, path)
    epochs = Epochs()

    model(
        checkpoint=str(path),
        hidden_layer_sizes=[np.int64(8)],
        random_state=np.int64(0),
        verbose=True,
        device="cpu",
        callbacks=[epochs],
    ).fit(rows)

    assert epochs.seen == [7, 8]


def flipped(content):
    """The same with one bit of the last tensor's bytes turned over."""
    return content[:-9] + bytes([content[-9] ^ 1]) + content[-8:]


@pytest.mark.usefixtures("every_epoch")
@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[: len(content) // 2],
        lambda content: content[:5],
        lambda content: content[:0],
        lambda content: b"not a checkpoint" + content,
        lambda content: content + b"\0",
        flipped,
        lambda content: content.replace(b"epoch", b"hcope", 1),
        lambda content: content.replace(b'\\"epoch\\": 6', b'\\"epoch\\": 7'),
    ],
)
def test_a_damaged_checkpoint_is_refused(rows, path, assert_one_sentence, damage):
    cut_off(rows, path)
    assert epoch_in(path) == 6
    damaged = damage(path.read_bytes())
    assert damaged != path.read_bytes()
    path.write_bytes(damaged)

    with pytest.raises(InputError) as error:
        model(checkpoint=path).fit(rows)

    assert_one_sentence(error, path, "damaged", "delete it to start anew")
    assert path.read_bytes() == damaged


def test_a_folder_is_no_checkpoint(rows, tmp_path, assert_one_sentence):
    with pytest.raises(InputError) as error:
        model(checkpoint=tmp_path).fit(rows)

    assert_one_sentence(error, tmp_path)


# ---- writing


def test_a_place_that_cannot_be_written_is_named(rows, tmp_path, assert_one_sentence):
    (tmp_path / "file").touch()

    with pytest.raises(InputError) as error:
        model(checkpoint=tmp_path / "file" / "training").fit(rows)

    assert_one_sentence(error, tmp_path / "file", "choose another place")


@pytest.mark.usefixtures("every_epoch")
def test_a_full_disk_leaves_the_checkpoint_before(rows, path, assert_one_sentence, monkeypatch):
    cut_off(rows, path)
    before = path.read_bytes()

    def full(self, content):
        with Path.open(self, "wb") as file:
            file.write(content[:100])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(InputError) as error:
        model(checkpoint=path).fit(rows)

    assert_one_sentence(error, path, "No space left on device")
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]
