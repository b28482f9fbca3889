"""Minimise any loss of minibatches for so many epochs, each training a `Fitting`."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ae_cluster.common.chunks import CHUNK_ROWS, slices
from ae_cluster.training.fitting import Fitting
from ae_cluster.training.loop import Callback, Progress
from ae_cluster.training.optimizer import Adam, flatten_parameters, release_gradients
from ae_cluster.training.ranks import Ranks, here
from ae_cluster.training.shared_batches import SharedLoss, part_of_batch, share
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
        self.min_steps, self._asked_size = min_steps, batch_size
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
        loss = _Learning(head, memberships)
        self.fit(head, loss, epochs, rate, lower=lower, what="learning the known clusters")

    def reconstruct(self, learners: nn.Module, loss: SharedLoss, epochs: int) -> list[float]:
        """Train ``learners`` to reconstruct from codes; return the curve of their loss."""
        epochs = self.epochs(epochs)
        larger = DECODER_STEPS / (epochs * self.steps_per_epoch)
        rate = DECODER_RATE * min(max(1.0, larger), LARGER)
        return self.fit(learners, loss, epochs, rate, what="decoder training")

    def fit(
        self,
        network: nn.Module,
        loss: Callable[[Tensor], Tensor] | SharedLoss,
        epochs: int,
        rate: float,
        *,
        lower: bool = True,
        callbacks: Sequence[Callback] = (),
        what: str = "training",
    ) -> list[float]:
        """Minimise a loss of minibatches with Adam and return each epoch's mean.

        A loss takes the samples' indices; a `SharedLoss` is minimised by all ranks together.
        """
        ranks = here() if isinstance(loss, SharedLoss) else None
        if ranks is not None and ranks.rank == 0:
            self._announce(ranks, (network, loss, self.generator), epochs, rate)
        optimizer = Adam(flatten_parameters(network), rate)
        progress = Progress(epochs, self.steps_per_epoch, model=self.model)
        usable = optimizer.parameter
        fitting = Fitting(
            optimizer, self.generator, progress, lambda: bool(usable.isfinite().all()), ranks
        )
        if lower:
            fitting.lower_learning_rate()
        fitting.call(callbacks)
        network.train()
        try:
            with threads_for(network):
                step = self._step(loss, optimizer, ranks)
                fitting.run(step, len(self.x), self.batch_size, self.verbose, what)
        finally:
            network.eval()
            release_gradients(network)
        return progress.loss_curve

    def _step(
        self,
        loss: Callable[[Tensor], Tensor] | SharedLoss,
        optimizer: Adam,
        ranks: Ranks | None,
    ) -> Callable[[Tensor], float]:
        def value(indices: Tensor) -> Tensor:
            if isinstance(loss, SharedLoss):
                return share(loss(self.x[indices], indices))
            return loss(indices)

        def step(indices: Tensor) -> float:
            with part_of_batch(ranks, len(indices)) as rows:
                return descend(value(indices[rows]), optimizer, ranks)

        return step

    def _announce(self, ranks: Ranks, parts: tuple[Any, ...], epochs: int, rate: float) -> None:
        network, loss, generator = copy.deepcopy(parts)  # at once: they share modules
        told = network.cpu(), loss.cpu(), generator, self.x.device.type
        ranks.announce(_follow, (*told, self._asked_size, epochs, rate), self.x.cpu().contiguous())


def _follow(
    network: nn.Module,
    loss: SharedLoss,
    generator: torch.Generator,
    device: str,
    batch_size: int,
    epochs: int,
    rate: float,
    rows: Tensor,
) -> None:
    """Train with rank 0, on another one."""
    trainer = MinibatchTrainer(rows.to(device), batch_size, 1, generator, None, verbose=False)
    trainer.fit(network.to(device), loss.to(device), epochs, rate)


class _Learning(SharedLoss):
    """The cross-entropy of a cluster head and known soft assignments (n, k)."""

    memberships: Tensor

    def __init__(self, head: nn.Module, memberships: Tensor) -> None:
        super().__init__()
        self.head = head
        self.register_buffer("memberships", memberships)

    def forward(self, x: Tensor, indices: Tensor) -> Tensor:
        return nn.functional.cross_entropy(self.head(x), self.memberships[indices])


def descend(loss: Tensor, optimizer: Adam, ranks: Ranks | None = None) -> float:
    """Make one step of the optimiser down the gradient of a loss, and return the loss.

    Of ranks, each has a share of the loss; theirs are added up.
    """
    gradient = optimizer.parameter.grad
    assert gradient is not None
    gradient.zero_()
    torch.autograd.backward(loss)
    if ranks is not None:
        total = ranks.sum(torch.cat([gradient, loss.detach().reshape(1)]))
        gradient.copy_(total[:-1])
        loss = total[-1]
    optimizer.step()
    return loss.item()


@torch.no_grad()
@one_thread()
def in_chunks(function: Callable[[Tensor], Tensor], x: Tensor, size: int = CHUNK_ROWS) -> Tensor:
    """Return ``function`` of all rows of x, so many at a time, one below the other."""
    return torch.cat([function(x[rows]) for rows in slices(len(x), size)])
