"""The default training is the tutorial's: a plain PyTorch copy takes the same steps."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn

from ae_cluster import AutoEncoder, Callback, load_dataset


class Losses(Callback):
    """Writes down the loss of every step."""

    def __init__(self):
        self.losses = []

    def on_step(self, progress):
        self.losses.append(progress.loss)


def tutorial_losses(images, seed, n_epochs):
    """The tutorial in plain PyTorch: its network, loss, optimiser and shuffled batches of 64."""
    torch.manual_seed(seed)
    network = nn.Sequential(
        nn.Linear(784, 128),
        nn.Tanh(),
        nn.Linear(128, 64),
        nn.Tanh(),
        nn.Linear(64, 12),
        nn.Tanh(),
        nn.Linear(12, 3),
        nn.Linear(3, 12),
        nn.Tanh(),
        nn.Linear(12, 64),
        nn.Tanh(),
        nn.Linear(64, 128),
        nn.Tanh(),
        nn.Linear(128, 784),
        nn.Sigmoid(),
    )
    optimizer = torch.optim.Adam(network.parameters(), lr=0.005)
    losses = []
    for _ in range(n_epochs):
        for batch in torch.randperm(len(images)).split(64):
            x = images[batch]
            loss = nn.functional.mse_loss(network(x), x)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return losses


def our_losses(images, seed, n_epochs):
    record = Losses()
    AutoEncoder(random_state=seed, max_iter=n_epochs, callbacks=[record]).fit(images)
    return record.losses


def digits_784():
    """scikit-learn's 1,797 digits, enlarged and framed to 28 × 28: 29 steps an epoch."""
    small = load_digits().images.astype(np.float32) / 16
    large = np.pad(small.repeat(3, axis=1).repeat(3, axis=2), ((0, 0), (2, 2), (2, 2)))
    return large.reshape(len(large), 784)


@pytest.mark.parametrize("seed", [0, 1])
def test_two_hundred_steps_on_digits_have_the_tutorials_losses(seed):
    images = digits_784()

    theirs = tutorial_losses(torch.from_numpy(images), seed, n_epochs=7)
    ours = our_losses(images, seed, n_epochs=7)

    assert len(ours) == 7 * 29 == 203
    assert ours[-1] < 0.8 * ours[0]
    assert ours == pytest.approx(theirs, rel=0, abs=1e-5)


@pytest.mark.mnist
def test_two_hundred_steps_on_mnist_have_the_tutorials_losses(mnist_home):
    pixels = load_dataset("mnist", data_home=mnist_home).raw_train[: 100 * 64 + 32]

    theirs = tutorial_losses(torch.from_numpy(pixels).float() / 255, seed=0, n_epochs=2)
    ours = our_losses(pixels, seed=0, n_epochs=2)

    assert len(ours) == 202
    assert ours[-1] < 0.8 * ours[0]
    assert ours == pytest.approx(theirs, rel=0, abs=1e-5)


def test_the_defaults_are_the_tutorials():
    model = AutoEncoder(max_iter=0, random_state=0).fit(digits_784())

    assert AutoEncoder().max_iter == 10
    assert AutoEncoder().batch_size == 64
    assert sum(p.numel() for p in model.network_.parameters()) == 219_891


def test_sixty_thousand_samples_are_938_steps_an_epoch():
    record = Losses()
    X = np.random.default_rng(0).random((60_000, 2), dtype=np.float32)

    AutoEncoder(1, (), max_iter=1, callbacks=[record], random_state=0).fit(X)

    assert len(record.losses) == 938
