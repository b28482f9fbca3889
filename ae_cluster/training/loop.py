"""A minibatch loop that knows nothing of images, codes or clusters.

`train` calls ``step(indices)`` for every minibatch of every epoch; what a step
does is the caller's business. Whatever else happens on the way (a progress
bar, early stopping, snapshots) is a `Callback`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor


@dataclass
class Progress:
    """How far training has come; callbacks read it, and may set ``stop``.

    Attributes
    ----------
    n_epochs, steps_per_epoch : int
        What training is meant to be.
    epoch, step : int
        Finished epochs and steps.
    loss : float
        The last minibatch's loss.
    loss_curve : list of float
        Mean loss of each finished epoch.
    stop : bool
        Set it to end training after the present epoch.
    model : object
        What is being trained; an estimator can already transform.
    """

    n_epochs: int
    steps_per_epoch: int
    epoch: int = 0
    step: int = 0
    loss: float = math.nan
    loss_curve: list[float] = field(default_factory=list)
    stop: bool = False
    model: Any = None


class Callback:
    """Something that wants to know how training goes; override what you need."""

    def on_step(self, progress: Progress) -> None:
        """Be called after every minibatch."""

    def on_epoch(self, progress: Progress) -> None:
        """Be called after every epoch."""


class DivergedError(FloatingPointError):
    """The loss is no longer a number; the message names the step and the likely cause."""


def minibatches(n_samples: int, batch_size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Yield the indices of each minibatch of one epoch, freshly shuffled; the last may be short."""
    yield from torch.split(torch.randperm(n_samples, generator=generator), batch_size)


def train(
    step: Callable[[Tensor], float],
    n_samples: int,
    *,
    batch_size: int,
    generator: torch.Generator,
    progress: Progress,
    callbacks: Sequence[Callback] = (),
) -> None:
    """Run ``step`` over minibatches until ``progress`` says it is enough.

    Parameters
    ----------
    step : callable
        Takes the indices of a minibatch (b,), makes one step of the optimiser
        and returns the minibatch's mean loss.
    n_samples, batch_size : int
        Size of the training set and of a minibatch.
    generator : torch.Generator
        Where the shuffling comes from.
    progress : Progress
        Where to start, and when to end; kept up to date.
    callbacks : sequence of Callback
        Called in this order.

    Raises
    ------
    DivergedError
        As soon as a loss is not finite; callbacks may raise it too.
    """
    on_step = [c.on_step for c in callbacks if type(c).on_step is not Callback.on_step]
    while progress.epoch < progress.n_epochs and not progress.stop:
        total = 0.0
        for indices in minibatches(n_samples, batch_size, generator):
            progress.loss = step(indices)
            progress.step += 1
            if not math.isfinite(progress.loss):
                raise diverged(progress, f"The loss became {progress.loss}")
            total += progress.loss * len(indices)
            for call in on_step:
                call(progress)
        progress.epoch += 1
        progress.loss_curve.append(total / n_samples)
        for callback in callbacks:
            callback.on_epoch(progress)


def diverged(progress: Progress, what: str) -> DivergedError:
    """Return the error that says what happened, at which step, and what to do."""
    epoch = math.ceil(progress.step / progress.steps_per_epoch)
    return DivergedError(
        f"{what} at step {progress.step} (epoch {epoch}): most likely learning_rate_init is too "
        "large, so lower it; the weights of the last good epoch are kept."
    )
