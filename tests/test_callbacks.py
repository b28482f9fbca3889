"""What happens beside the training, each by itself."""

from __future__ import annotations

import math
import os
import termios

import numpy as np
import pytest
import torch
from torch import nn

from ae_cluster.training.callbacks import (
    EarlyStopping,
    LastGoodWeights,
    LearningRateSchedule,
    ProgressBar,
    Reconstructions,
    Snapshots,
)
from ae_cluster.training.loop import DivergedError, Progress
from ae_cluster.training.optimizer import Adam


@pytest.fixture
def weights():
    return nn.Parameter(torch.zeros(3))


def stopped_early(weights, losses, n_iter_no_change=2, tol=0.0):
    """Play validation losses, one an epoch; weights are the epoch's number."""
    queue = iter(losses)
    stopping = EarlyStopping(lambda: next(queue), weights, n_iter_no_change, tol)
    progress = Progress(len(losses), 1)
    while progress.epoch < progress.n_epochs and not progress.stop:
        progress.epoch += 1
        weights.data.fill_(progress.epoch)
        stopping.on_epoch(progress)
    return stopping, progress


@pytest.mark.parametrize(
    ("losses", "n_iter_no_change", "tol", "epochs", "best"),
    [
        ([5, 4, 3, 2, 1], 1, 0, 5, 5),  # it falls all the way
        ([5, 4, 4, 4, 1], 2, 0, 4, 2),  # two epochs without an improvement
        ([5, 4, 6, 3, 6, 6], 2, 0, 6, 4),  # an improvement starts the wait anew
        ([5, 4.9, 4.8, 4.7], 2, 0.5, 3, 3),  # too little to wait for, but still better
        ([5, 5, 1], 1, 0, 2, 1),
    ],
)
def test_early_stopping_waits_and_remembers_the_best(
    weights, losses, n_iter_no_change, tol, epochs, best
):
    stopping, progress = stopped_early(weights, losses, n_iter_no_change, tol)

    assert progress.epoch == epochs
    assert stopping.curve == losses[:epochs]
    stopping.restore_best()
    assert weights.tolist() == [best] * 3


def test_early_stopping_does_not_take_back_a_stop_of_somebody_else(weights):
    progress = Progress(9, 1, stop=True)
    EarlyStopping(lambda: 1.0, weights, 5, 0.0).on_epoch(progress)

    assert progress.stop


def test_the_last_good_weights_come_back(weights):
    usable = True
    last_good = LastGoodWeights(weights, lambda: usable)
    weights.data.fill_(1)
    last_good.on_epoch(Progress(9, 4, epoch=1, step=4))
    weights.data.fill_(math.nan)
    usable = False

    with pytest.raises(DivergedError, match=r"no longer finite at step 8 \(epoch 2\)"):
        last_good.on_epoch(Progress(9, 4, epoch=2, step=8))

    last_good.restore()
    assert weights.tolist() == [1, 1, 1]


def test_the_cosine_starts_high_ends_at_zero_and_is_half_in_the_middle(weights):
    optimizer = Adam(weights, 0.04)
    schedule = LearningRateSchedule(optimizer)
    rates = []

    for epoch in range(1, 9):
        schedule.on_epoch(Progress(8, 1, epoch=epoch))
        rates.append(optimizer.learning_rate)

    assert schedule.at(0) == 0.04
    assert rates == sorted(rates, reverse=True)
    assert rates[3] == pytest.approx(0.02)
    assert rates[7] == pytest.approx(0, abs=1e-12)
    assert rates[1] == pytest.approx(0.04 * (1 + math.sqrt(0.5)) / 2)


def test_snapshots_are_taken_before_training_and_after_each_epoch():
    states = iter([np.array([0]), np.array([1]), np.array([2])])
    snapshots = Snapshots(lambda: next(states))

    for epoch in (1, 2):
        snapshots.on_epoch(Progress(2, 1, epoch=epoch))

    assert np.concatenate(snapshots.codes).tolist() == [0, 1, 2]


def shown_on(monkeypatch, read, write):
    """What a progress bar over three epochs, begun after one, writes to a file descriptor."""
    with os.fdopen(write, "w") as stream:
        monkeypatch.setattr("sys.stderr", stream)
        bar = ProgressBar(Progress(3, 1, epoch=1))
        for epoch in (2, 3):
            bar.on_epoch(Progress(3, 1, epoch=epoch, loss_curve=[0.125]))
        bar.close()
        monkeypatch.undo()
    return b"".join(iter(lambda: until_closed(read), b"")).decode()


def until_closed(descriptor):
    """The next bytes, or none: a terminal whose other side was closed ends with an error."""
    try:
        return os.read(descriptor, 1000)
    except OSError:
        return b""


def test_a_terminal_shows_a_bar_with_the_loss(monkeypatch):
    ours, theirs = os.openpty()
    termios.tcsetwinsize(theirs, (24, 100))

    shown = shown_on(monkeypatch, ours, theirs)

    assert "training" in shown
    assert "3/3" in shown
    assert "loss 0.12500" in shown


def test_a_pipe_shows_nothing_of_what_is_over_at_once(monkeypatch):
    assert shown_on(monkeypatch, *os.pipe()) == ""


def test_reconstructions_are_drawn_at_steps_further_and_further_apart():
    class Model:
        def transform(self, images):
            return images[:, :1]

        def inverse_transform(self, codes):
            return codes + self.step

    images, model = np.zeros((2, 3)), Model()
    reconstructions = Reconstructions(images)

    for model.step in range(1, 400):
        reconstructions.on_step(Progress(1, 400, step=model.step, model=model))
    reconstructions.draw(model, 399)
    reconstructions.draw(model, 399)

    assert reconstructions.steps == [1, 10, 30, 100, 300, 399]
    assert [frame[0, 0] for frame in reconstructions.frames] == reconstructions.steps
