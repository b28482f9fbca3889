"""Every parameter arrives where it is used, and every way a training ends is a good one."""

from __future__ import annotations

import math
import signal
from contextlib import nullcontext

import numpy as np
import pytest
import torch

from ae_cluster import AutoEncoder, Callback
from ae_cluster.autoencoder.networks import ConvAutoEncoder, DenseAutoEncoder, initialize
from ae_cluster.autoencoder.reconstruction import AutogradGradient, ReconstructionGradient
from ae_cluster.training import fitting
from ae_cluster.training.callbacks import ProgressBar
from ae_cluster.training.loop import DivergedError
from ae_cluster.training.optimizer import Adam


def small(**parameters):
    parameters = {"hidden_layer_sizes": (16,), "max_iter": 2, "random_state": 0} | parameters
    return AutoEncoder(**parameters)


@pytest.fixture
def rates(monkeypatch):
    """The learning rate of every step that is made."""
    seen, step = [], Adam.step

    def recorded(self):
        seen.append(self.learning_rate)
        step(self)

    monkeypatch.setattr(Adam, "step", recorded)
    return seen


@pytest.fixture(params=["dense", "conv"])
def batches(request, monkeypatch):
    """The kind of network, and each (input, target) it is trained on."""
    seen = []
    gradient = {"dense": ReconstructionGradient, "conv": AutogradGradient}[request.param]
    call = gradient.__call__

    def recorded(self, x, target):
        seen.append((x.clone(), target.clone()))
        return call(self, x, target)

    monkeypatch.setattr(gradient, "__call__", recorded)
    return request.param, seen


class Epochs(Callback):
    """Counts steps and epochs, and stops after some."""

    def __init__(self, stop_after=math.inf):
        self.n_steps, self.epochs, self.stop_after = 0, [], stop_after

    def on_step(self, progress):  # noqa: ARG002
        self.n_steps += 1

    def on_epoch(self, progress):
        self.epochs.append(progress.epoch)
        progress.stop = progress.stop or progress.epoch == self.stop_after


# ---- the network


def test_the_dense_networks_parameters_arrive(digit_rows):
    network = (
        small(n_components=2, hidden_layer_sizes=(10, np.int64(5)), activation="relu")
        .fit(digit_rows)
        .network_
    )

    assert isinstance(network, DenseAutoEncoder)
    shapes = [(layer.in_features, layer.out_features) for layer in network.linear_layers()]
    assert shapes == [(64, 10), (10, 5), (5, 2), (2, 5), (5, 10), (10, 64)]
    assert network.activations == ("relu", "relu", "identity", "relu", "relu", "logistic")


def test_the_conv_networks_parameters_arrive(digit_rows):
    network = (
        small(
            kind="conv",
            n_components=2,
            conv_channels=(5, 7),
            image_shape=(4, 16),
            activation="logistic",
        )
        .fit(digit_rows)
        .network_
    )

    assert isinstance(network, ConvAutoEncoder)
    assert [layer.out_channels for layer in network.down] == [5, 7]
    assert network.to_code.out_features == 2
    assert network.image_shape == (4, 16, 1)
    assert (network.activation, network.output_activation) == ("logistic", "logistic")


@pytest.mark.parametrize("kind", ["dense", "conv"])
@pytest.mark.parametrize(
    ("input_kind", "shift", "found", "output"),
    [
        ("auto", 0, "images", "logistic"),
        ("auto", -1, "table", "identity"),
        ("auto", 0.5, "table", "identity"),
        ("images", 0, "images", "logistic"),
        ("table", 0, "table", "identity"),
    ],
)
def test_images_are_decoded_through_a_sigmoid_and_tables_linearly(
    digit_rows, kind, input_kind, shift, found, output
):
    model = small(kind=kind, input_kind=input_kind, max_iter=0).fit(digit_rows + shift)

    network = model.network_
    last = network.activations[-1] if kind == "dense" else network.output_activation
    assert (model.input_kind_, last) == (found, output)


# ---- the training


def test_batch_size_and_epochs_arrive(digit_rows):
    epochs = Epochs()
    model = small(batch_size=100, max_iter=3, callbacks=[epochs]).fit(digit_rows)

    assert epochs.epochs == [1, 2, 3]
    assert epochs.n_steps == 3 * 18
    assert model.n_iter_ == len(model.loss_curve_) == 3


def test_no_epochs_is_the_untrained_network(digit_rows):
    model = small(max_iter=0, random_state=5).fit(digit_rows)
    drawn = DenseAutoEncoder(64, 3, (16,))
    initialize(drawn, torch.Generator().manual_seed(5))

    assert model.loss_curve_ == []
    for ours, theirs in zip(model.network_.parameters(), drawn.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_the_learning_rate_is_constant_unless_asked(digit_rows, rates):
    small(learning_rate_init=0.02).fit(digit_rows)

    assert set(rates) == {0.02}
    assert len(rates) == 2 * 29


def test_the_cosine_schedule_arrives(digit_rows, rates):
    small(learning_rate="cosine", learning_rate_init=0.02, max_iter=4).fit(digit_rows)

    cosine = [0.01 * (1 + math.cos(math.pi * epoch / 4)) for epoch in range(4)]
    assert rates == pytest.approx(np.repeat(cosine, 29))


def test_without_noise_the_input_is_the_target(digit_rows, batches):
    kind, seen = batches
    small(kind=kind, max_iter=1).fit(digit_rows)

    assert all(torch.equal(x, target) for x, target in seen)


def test_noise_is_added_to_the_input_only(digit_rows, batches):
    kind, seen = batches
    small(kind=kind, noise_std=0.2, max_iter=1).fit(digit_rows)

    noise = torch.cat([x - target for x, target in seen])
    assert noise.std().item() == pytest.approx(0.2, rel=0.02)
    assert noise.mean().item() == pytest.approx(0, abs=0.005)
    assert_clean(seen, digit_rows)


def test_the_mask_zeroes_a_share_of_the_input_only(digit_rows, batches):
    kind, seen = batches
    small(kind=kind, mask_fraction=0.3, max_iter=1).fit(digit_rows)

    x, target = (torch.cat(parts) for parts in zip(*seen, strict=True))
    kept = x == target
    assert not x[~kept].any()
    assert (~kept)[target > 0].float().mean().item() == pytest.approx(0.3, abs=0.01)
    assert_clean(seen, digit_rows)


def assert_clean(seen, rows):
    """The targets of an epoch are the training samples, each once."""
    targets = torch.cat([target for _, target in seen]).numpy()
    assert sorted(map(bytes, targets)) == sorted(map(bytes, rows))


def test_noise_differs_from_step_to_step(digit_rows, batches):
    kind, seen = batches
    small(kind=kind, noise_std=0.2, batch_size=2000, max_iter=2).fit(digit_rows)

    first, second = (x - target for x, target in seen)
    assert not torch.allclose(first, second)


# ---- stopping


def held_out_rows(model, rows):
    """The samples a model held out, drawn again from its seed."""
    generator = torch.Generator().manual_seed(model.random_state)
    initialize(DenseAutoEncoder(64, 3, (16,)), generator)
    order = torch.randperm(len(rows), generator=generator)
    return rows[order[: round(model.validation_fraction * len(rows))]]


def test_early_stopping_stops_and_restores_the_best_weights(digit_rows):
    epochs = Epochs()
    model = small(
        early_stopping=True,
        validation_fraction=0.25,
        n_iter_no_change=3,
        learning_rate_init=0.3,  # restless: the best epoch is not the last
        max_iter=200,
        callbacks=[epochs],
    ).fit(digit_rows)

    curve = model.validation_loss_curve_
    assert model.n_iter_ == len(curve) == len(model.loss_curve_) == epochs.epochs[-1] < 200
    assert epochs.n_steps == model.n_iter_ * math.ceil(0.75 * 1797 / 64)
    assert np.argmin(curve) < len(curve) - 1
    assert -model.score(held_out_rows(model, digit_rows)) == pytest.approx(min(curve), rel=1e-6)


def test_the_least_improvement_and_the_patience_arrive(digit_rows):
    model = small(early_stopping=True, tol=10, n_iter_no_change=4, max_iter=50).fit(digit_rows)

    assert model.n_iter_ == 5  # the first epoch always improves on nothing


def test_held_out_samples_are_not_trained_on(digit_rows, batches):
    kind, seen = batches
    if kind == "dense":
        model = small(early_stopping=True, max_iter=1).fit(digit_rows)
        trained = {bytes(row) for _, target in seen for row in target.numpy()}

        held_out = {bytes(row) for row in held_out_rows(model, digit_rows)}
        assert len(held_out) == 180
        assert len(trained) == 1797 - 180
        assert not held_out & trained


def test_without_early_stopping_there_is_no_validation_curve(digit_rows):
    model = small(early_stopping=True, n_snapshots=2).fit(digit_rows)
    model.set_params(early_stopping=False, n_snapshots=0).fit(digit_rows)

    assert model.validation_loss_curve_ is None
    assert model.snapshots_ is None


def test_a_callback_can_stop_and_can_transform_on_the_way(digit_rows):
    class Watch(Epochs):
        def on_epoch(self, progress):
            super().on_epoch(progress)
            self.codes = progress.model.transform(digit_rows)

    watch = Watch(stop_after=3)
    model = small(max_iter=50, callbacks=[watch]).fit(digit_rows)

    assert model.n_iter_ == 3
    assert np.array_equal(watch.codes, model.transform(digit_rows))


def test_snapshots_are_the_first_samples_codes_at_every_epoch(digit_rows):
    model = small(n_snapshots=20, max_iter=3).fit(digit_rows)
    untrained = small(max_iter=0).fit(digit_rows)

    assert model.snapshots_.shape == (4, 20, 3)
    assert np.array_equal(model.snapshots_[0], untrained.transform(digit_rows[:20]))
    assert np.array_equal(model.snapshots_[-1], model.transform(digit_rows[:20]))
    assert (np.abs(np.diff(model.snapshots_, axis=0)).max(axis=(1, 2)) > 0).all()


def test_more_snapshots_than_samples_are_all_samples(digit_rows):
    model = small(n_snapshots=99).fit(digit_rows[:30])

    assert model.snapshots_.shape == (3, 30, 3)


@pytest.mark.parametrize(("verbose", "bars"), [(False, 0), (True, 1), (1, 1)])
@pytest.mark.parametrize("learning_rate_init", [0.005, 1e30])
def test_verbose_is_one_bar_that_is_closed_however_it_ends(
    digit_rows, monkeypatch, verbose, bars, learning_rate_init
):
    shown = []

    class Bar(ProgressBar):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            shown.append("opened")

        def close(self):
            super().close()
            shown.append("closed")

    monkeypatch.setattr(fitting, "ProgressBar", Bar)
    model = small(activation="relu", verbose=verbose, learning_rate_init=learning_rate_init)
    with nullcontext() if learning_rate_init < 1 else pytest.raises(DivergedError):
        model.fit(digit_rows - 1)

    assert shown == ["opened", "closed"] * bars


# ---- ends before its time


def test_ctrl_c_leaves_a_usable_model_and_says_so(digit_rows):
    class CtrlC(Callback):
        def on_step(self, progress):
            if progress.step == 70:  # in the third epoch
                signal.raise_signal(signal.SIGINT)

    model = small(max_iter=100, n_snapshots=4, early_stopping=True, callbacks=[CtrlC()])

    with pytest.warns(UserWarning, match="interrupted after 2 finished epochs") as caught:
        model.fit(digit_rows)

    assert caught[0].filename == __file__
    assert model.n_iter_ == len(model.loss_curve_) == len(model.validation_loss_curve_) == 2
    assert model.snapshots_.shape == (3, 4, 3)
    assert np.isfinite(model.transform(digit_rows)).all()
    untrained = small(max_iter=0).fit(digit_rows)
    assert model.score(digit_rows) > untrained.score(digit_rows)


@pytest.mark.parametrize("batch_size", [64, 5000])  # within an epoch, and between two
@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_training_that_diverges_says_so_and_leaves_usable_weights(batch_size, early_stopping):
    table = np.random.default_rng(0).normal(size=(200, 6)).astype(np.float32)
    model = small(
        activation="relu",
        learning_rate_init=1e30,
        batch_size=batch_size,
        early_stopping=early_stopping,
        max_iter=20,
    )

    with pytest.raises(DivergedError, match=r"at step \d+ \(epoch 1\).*learning_rate_init"):
        model.fit(table)

    assert all(p.isfinite().all() for p in model.network_.parameters())
    assert np.isfinite(model.transform(table)).all()
    assert np.isfinite(model.score(table))


def test_a_training_that_diverges_late_keeps_the_last_good_epoch(digit_rows):
    class Blow(Callback):
        def on_epoch(self, progress):
            self.codes = progress.model.transform(digit_rows)

        def on_step(self, progress):
            if progress.step == 70:  # in the third epoch
                for p in progress.model.network_.parameters():
                    p.data.fill_(math.nan)

    blow = Blow()
    model = small(max_iter=5, callbacks=[blow])

    with pytest.raises(DivergedError, match=r"became nan at step 71 \(epoch 3\)"):
        model.fit(digit_rows)

    assert model.n_iter_ == 2
    assert np.array_equal(model.transform(digit_rows), blow.codes)
