"""Minimise any loss of minibatches for so many epochs, each training a `Fitting`."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ae_cluster.common.chunks import slices
from ae_cluster.training.fitting import Fitting
from ae_cluster.training.loop import Callback, Progress
from ae_cluster.training.optimizer import Adam, flatten_parameters, release_gradients
from ae_cluster.training.threads import one_thread, threads_for

WARM_SHARE = 0.2  # of the least steps, for learning what is known already
DECODER_RATE = 0.001
DECODER_STEPS = 1000  # of fewer, each is as much larger, up to
LARGER = 4  # times


class MinibatchTrainer:
    """What the trainings have in common.

    Parameters
    ----------
    x : Tensor (n, n_features)
        All training samples as a network takes them.
    batch_size, min_steps : int
        Few samples are trained on for at least so many steps.
    generator : torch.Generator
        Where everything random comes from.
    model : object
        For the callbacks: what is being trained.
    verbose : bool
        Show progress bars.
    """

    def __init__(
        self,
        x: Tensor,
        batch_size: int,
        min_steps: int,
        generator: torch.Generator,
        model: Any,
        verbose: bool,
    ) -> None:
        self.x, self.generator, self.model, self.verbose = x, generator, model, verbose
        self.min_steps = min_steps
        # Batches of one size: a short last one would have statistics that mean nothing.
        self.batch_size = math.ceil(len(x) / max(1, round(len(x) / batch_size)))
        self.steps_per_epoch = math.ceil(len(x) / self.batch_size)

    def epochs(self, wanted: int, share: float = 1.0) -> int:
        """Return the epochs asked for, or as many as make (a share of) the least steps."""
        return max(wanted, math.ceil(share * self.min_steps / self.steps_per_epoch))

    def warm_up(self, head: nn.Module, memberships: Tensor, rate: float) -> None:
        """Train a cluster head on known soft assignments (n, k), to be trained on."""
        self.learn(head, memberships, self.epochs(1, WARM_SHARE), rate, lower=False)

    def learn(
        self, head: nn.Module, memberships: Tensor, epochs: int, rate: float, lower: bool = True
    ) -> None:
        """Train a cluster head on known soft assignments (n, k)."""

        def loss(indices: Tensor) -> Tensor:
            return nn.functional.cross_entropy(head(self.x[indices]), memberships[indices])

        self.fit(head, loss, epochs, rate, lower=lower, what="learning the known clusters")

    def reconstruct(
        self, encode: Callable[[Tensor, Tensor], Tensor], learners: nn.Module,
        decode: Callable[[Tensor], Tensor], epochs: int,
    ) -> list[float]:  # fmt: skip
        """Train ``learners`` to reconstruct from codes; return the curve of mean squared errors."""

        def loss(indices: Tensor) -> Tensor:
            x = self.x[indices]
            return nn.functional.mse_loss(decode(encode(x, indices)), x)

        epochs = self.epochs(epochs)
        larger = DECODER_STEPS / (epochs * self.steps_per_epoch)
        rate = DECODER_RATE * min(max(1.0, larger), LARGER)
        return self.fit(learners, loss, epochs, rate, what="decoder training")

    def fit(
        self,
        network: nn.Module,
        loss: Callable[[Tensor], Tensor],
        epochs: int,
        rate: float,
        *,
        lower: bool = True,
        callbacks: Sequence[Callback] = (),
        what: str = "training",
    ) -> list[float]:
        """Minimise a loss of minibatches with Adam and return each epoch's mean."""
        optimizer = Adam(flatten_parameters(network), rate)
        progress = Progress(epochs, self.steps_per_epoch, model=self.model)
        usable = optimizer.parameter
        fitting = Fitting(
            optimizer, self.generator, progress, lambda: bool(usable.isfinite().all())
        )
        if lower:
            fitting.lower_learning_rate()
        fitting.call(callbacks)
        network.train()
        try:
            with threads_for(network):
                fitting.run(
                    lambda indices: descend(loss(indices), optimizer),
                    len(self.x), self.batch_size, self.verbose, what,
                )  # fmt: skip
        finally:
            network.eval()
            release_gradients(network)
        return progress.loss_curve


def descend(loss: Tensor, optimizer: Adam) -> float:
    """Make one step of the optimiser down the gradient of a loss, and return the loss."""
    gradient = optimizer.parameter.grad
    assert gradient is not None
    gradient.zero_()
    torch.autograd.backward(loss)
    optimizer.step()
    return loss.item()


@torch.no_grad()
@one_thread()
def in_chunks(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Return ``function`` of all rows of x, one below the other."""
    return torch.cat([function(x[rows]) for rows in slices(len(x))])
