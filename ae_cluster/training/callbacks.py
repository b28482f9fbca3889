"""What happens beside the training: early stopping, a schedule, snapshots, diagnostics, a bar."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ae_cluster.common.progress import ProgressLines, progress_bar
from ae_cluster.training.diagnostics import DiagnosticsWarning, findings
from ae_cluster.training.loop import Callback, Progress, diverged
from ae_cluster.training.optimizer import Adam


class EarlyStopping(Callback):
    """End training when a validation loss no longer falls, and go back to the best weights.

    Parameters
    ----------
    validation_loss : callable
        Takes nothing, returns the loss of samples held out of training.
    weights : Tensor (n,)
        The flat parameter.
    n_iter_no_change : int
        Epochs without an improvement of at least ``tol`` that are waited for.
    tol : float
        The least improvement that counts.
    """

    def __init__(
        self,
        validation_loss: Callable[[], float],
        weights: Tensor,
        n_iter_no_change: int,
        tol: float,
    ) -> None:
        self.validation_loss = validation_loss
        self.weights = weights
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.curve: list[float] = []
        self.best_loss = math.inf
        self.best_weights = weights.detach().clone()
        self.n_waited = 0

    def on_epoch(self, progress: Progress) -> None:
        """Score the held-out samples; stop when they have waited long enough."""
        loss = self.validation_loss()
        self.curve.append(loss)
        self.n_waited = 0 if loss < self.best_loss - self.tol else self.n_waited + 1
        if loss < self.best_loss:
            self.best_loss = loss
            self.best_weights.copy_(self.weights.detach())
        progress.stop = progress.stop or self.n_waited >= self.n_iter_no_change

    def restore_best(self) -> None:
        """Put the best epoch's weights back."""
        self.weights.data.copy_(self.best_weights)


class LastGoodWeights(Callback):
    """The weights of the last epoch that left a usable network, in case the next one does not.

    Parameters
    ----------
    weights : Tensor (n,)
        The flat parameter.
    is_usable : callable
        Takes nothing, returns whether the network's outputs are numbers. A
        minibatch's loss says so only of the weights before its step.
    """

    def __init__(self, weights: Tensor, is_usable: Callable[[], bool]) -> None:
        self.weights = weights
        self.is_usable = is_usable
        self.kept = weights.detach().clone()

    def on_epoch(self, progress: Progress) -> None:
        """Keep these weights, or raise `DivergedError`."""
        if not self.is_usable():
            raise diverged(progress, "The network's outputs were no longer finite")
        self.keep()

    def keep(self) -> None:
        """Keep the present weights."""
        self.kept.copy_(self.weights.detach())

    def restore(self) -> None:
        """Put them back."""
        self.weights.data.copy_(self.kept)


class LearningRateSchedule(Callback):
    """Lower the learning rate to zero over the epochs, along half a cosine.

    Loshchilov and Hutter, SGDR (2017), without restarts.
    """

    def __init__(self, optimizer: Adam) -> None:
        self.optimizer = optimizer
        self.initial = optimizer.learning_rate

    def on_epoch(self, progress: Progress) -> None:
        """Set the next epoch's learning rate."""
        self.optimizer.learning_rate = self.at(progress.epoch / progress.n_epochs)

    def at(self, fraction: float) -> float:
        """Return the learning rate when ``fraction`` of the epochs is done."""
        return self.initial * (1 + math.cos(math.pi * fraction)) / 2


class Snapshots(Callback):
    """The codes of a few samples before training and after every epoch.

    Parameters
    ----------
    encode : callable
        Takes nothing, returns the samples' present codes (m, n_components).
    """

    def __init__(self, encode: Callable[[], NDArray[Any]]) -> None:
        self.encode = encode
        self.codes = [encode()]

    def on_epoch(self, progress: Progress) -> None:  # noqa: ARG002
        """Keep one more set of codes."""
        self.codes.append(self.encode())


class ProgressBar(Callback):
    """A bar with the present loss on a terminal; in a log, a line now and then.

    Parameters
    ----------
    progress : Progress
    what : str
        What is done in these epochs.
    of : str
        On what: "482 samples".
    """

    def __init__(self, progress: Progress, what: str = "training", of: str = "") -> None:
        self.bar = progress_bar(
            progress.n_epochs, what, "epoch", initial=progress.epoch, of=of,
            leave=None,  # it goes when it stood below another bar
        )  # fmt: skip

    def on_step(self, progress: Progress) -> None:
        """Say in a log how far it is, an epoch may take long; a bar moves by epochs."""
        if isinstance(self.bar, ProgressLines):
            self.bar.update(progress.step / progress.steps_per_epoch - self.bar.n)

    def on_epoch(self, progress: Progress) -> None:
        """Move the bar."""
        self.bar.set_postfix_str(f"loss {progress.loss_curve[-1]:.5f}", refresh=False)
        if not isinstance(self.bar, ProgressLines):
            self.bar.update(progress.epoch - self.bar.n)

    def close(self) -> None:
        """Leave the bar as it is and go to the next line."""
        self.bar.close()


class Reconstructions(Callback):
    """What becomes of a few images at steps 1, 10, 30, 100, 300, … of a training."""

    MARKS = frozenset({1} | {m * 10**e for m in (1, 3) for e in range(1, 9)})

    def __init__(self, images: NDArray[Any]) -> None:
        self.images = images
        self.steps: list[int] = []
        self.frames: list[NDArray[Any]] = []

    def on_step(self, progress: Progress) -> None:
        """Draw the images when a mark is reached."""
        if progress.step in self.MARKS:
            self.draw(progress.model, progress.step)

    def draw(self, model: Any, step: int) -> None:
        """Keep what the model makes of the images after ``step`` steps, if it is numbers."""
        codes = model.transform(self.images)
        if step not in self.steps and np.isfinite(codes).all():  # else training says it diverged
            self.steps.append(step)
            self.frames.append(model.inverse_transform(codes))


class Diagnostics(Callback):
    """Warns after an epoch of everything `ae_cluster.training.diagnostics.findings` finds.

    Parameters
    ----------
    appearance : callable
        Takes nothing, returns the arrays to look at: arguments of ``findings``.
    """

    def __init__(self, appearance: Callable[[], dict[str, Any]]) -> None:
        self.appearance = appearance
        self.said: set[str] = set()
        self.epoch = 0

    def on_epoch(self, progress: Progress) -> None:
        """Look at the present state."""
        self.epoch = progress.epoch
        self.say(**self.appearance())

    def say(self, **arrays: Any) -> None:
        """Warn of what these arrays show; the same trouble with other numbers is not news."""
        for sentence in findings(**arrays):
            trouble = re.sub(r"[\d,. ]+|and|%", "", sentence)
            if trouble not in self.said:
                self.said.add(trouble)
                when = f"after epoch {self.epoch}" if self.epoch else "before training"
                warnings.warn(f"{sentence[:-1]} ({when}).", DiagnosticsWarning, stacklevel=2)
