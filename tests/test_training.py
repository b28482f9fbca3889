"""The loop visits every sample once an epoch, tells its callbacks, and ends when it should."""

from __future__ import annotations

import math
from itertools import chain

import pytest
import torch

from ae_cluster.training.loop import Callback, DivergedError, Progress, minibatches, train


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


class Recorder(Callback):
    """Writes down what it is told, and stops after ``stop_after`` epochs."""

    def __init__(self, calls, name="", stop_after=math.inf):
        self.calls, self.name, self.stop_after = calls, name, stop_after

    def on_step(self, progress):
        self.calls.append((f"{self.name}step", progress.step, progress.loss))

    def on_epoch(self, progress):
        self.calls.append((f"{self.name}epoch", progress.epoch, progress.loss_curve[-1]))
        progress.stop = progress.stop or progress.epoch >= self.stop_after


class OnlyEpochs(Callback):
    """Does not listen to steps."""

    def __init__(self, calls):
        self.calls = calls

    def on_epoch(self, progress):
        self.calls.append(progress.epoch)


def run(n_samples=10, batch_size=4, n_epochs=3, step=None, callbacks=(), progress=None):
    """Train on nothing; return the progress and the minibatches that were seen."""
    seen = []
    progress = progress or Progress(n_epochs, math.ceil(n_samples / batch_size))

    def remember(indices):
        seen.append(indices.tolist())
        return float(len(seen)) if step is None else step(len(seen))

    train(
        remember,
        n_samples,
        batch_size=batch_size,
        generator=seeded(),
        progress=progress,
        callbacks=callbacks,
    )
    return progress, seen


def test_sixty_thousand_images_are_938_steps_and_the_last_has_32():
    sizes = [len(batch) for batch in minibatches(60_000, 64, seeded())]

    assert len(sizes) == 938
    assert sizes == [64] * 937 + [32]


def test_every_epoch_visits_every_sample_once_in_a_new_order():
    _, seen = run(n_samples=10, batch_size=4, n_epochs=3)

    epochs = [list(chain(*seen[i : i + 3])) for i in (0, 3, 6)]
    assert [len(batch) for batch in seen] == [4, 4, 2] * 3
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2] != epochs[0]


def test_the_order_is_that_of_randperm_of_the_given_generator():
    _, seen = run(n_samples=10, batch_size=4, n_epochs=2)

    generator = seeded()
    expected = [torch.randperm(10, generator=generator).tolist() for _ in range(2)]
    assert [list(chain(*seen[:3])), list(chain(*seen[3:]))] == expected


def test_a_minibatch_larger_than_the_data_is_the_data():
    _, seen = run(n_samples=3, batch_size=100, n_epochs=2)

    assert [sorted(batch) for batch in seen] == [[0, 1, 2]] * 2


def test_an_epochs_loss_is_the_mean_over_samples_not_over_minibatches():
    progress, _ = run(n_samples=10, batch_size=4, n_epochs=2)

    assert progress.loss_curve == [
        pytest.approx((4 * 1 + 4 * 2 + 2 * 3) / 10),
        pytest.approx((4 * 4 + 4 * 5 + 2 * 6) / 10),
    ]


def test_callbacks_are_called_after_each_step_and_epoch_in_their_order():
    calls = []

    run(n_samples=5, batch_size=4, n_epochs=2, callbacks=[Recorder(calls, "a"), Recorder(calls)])

    assert [call[:2] for call in calls] == [
        *[("astep", 1), ("step", 1), ("astep", 2), ("step", 2), ("aepoch", 1), ("epoch", 1)],
        *[("astep", 3), ("step", 3), ("astep", 4), ("step", 4), ("aepoch", 2), ("epoch", 2)],
    ]
    assert [loss for what, _, loss in calls if what == "step"] == [1, 2, 3, 4]


def test_a_callback_that_ignores_steps_still_hears_of_epochs():
    calls = []
    run(n_epochs=3, callbacks=[OnlyEpochs(calls)])

    assert calls == [1, 2, 3]


def test_stop_ends_training_after_the_present_epoch():
    calls = []
    progress, seen = run(n_epochs=50, callbacks=[Recorder(calls, stop_after=2)])

    assert progress.epoch == 2
    assert progress.step == len(seen) == 6


def test_training_goes_on_from_where_progress_stands():
    progress = Progress(5, 3, epoch=3, step=9, loss_curve=[0.3, 0.2, 0.1])
    run(progress=progress)

    assert (progress.epoch, progress.step, len(progress.loss_curve)) == (5, 15, 5)


@pytest.mark.parametrize("progress", [Progress(0, 3), Progress(9, 3, stop=True)])
def test_nothing_to_do_is_nothing_done(progress):
    _, seen = run(progress=progress)

    assert seen == []


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_loss_that_is_no_number_ends_training_at_once(loss):
    progress = Progress(9, 3)

    with pytest.raises(DivergedError, match=rf"became {loss} at step 5 \(epoch 2\).*learning_rate"):
        run(progress=progress, step=lambda k: loss if k == 5 else 0.1)

    assert (progress.epoch, progress.step) == (1, 5)
