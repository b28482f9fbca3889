"""One training with all that accompanies it, and every way it can end."""

from __future__ import annotations

import secrets
import warnings
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ae_cluster.common.errors import InputError
from ae_cluster.common.stage_times import stage
from ae_cluster.training.callbacks import (
    EarlyStopping,
    LastGoodWeights,
    LearningRateSchedule,
    ProgressBar,
    Snapshots,
)
from ae_cluster.training.checkpoints import Checkpoint
from ae_cluster.training.loop import Callback, DivergedError, Progress, train
from ae_cluster.training.optimizer import Adam
from ae_cluster.training.ranks import Ranks


class Fitting:
    """A training that is put together first and run once.

    Callbacks are called in the order they were added in: a checkpoint comes
    after everything whose state it keeps.

    Parameters
    ----------
    optimizer : Adam
        Of the network's flat parameter.
    generator : torch.Generator
        Where everything random comes from.
    progress : Progress
        How long to train; kept up to date.
    is_usable : callable
        Takes nothing, returns whether the network's outputs are numbers.
    ranks : Ranks or None
        The processes that make every step together; on all but the first no callback is called.

    Attributes
    ----------
    early_stopping, snapshots : callbacks, or None where not asked for
    """

    def __init__(
        self,
        optimizer: Adam,
        generator: torch.Generator,
        progress: Progress,
        is_usable: Callable[[], bool],
        ranks: Ranks | None = None,
    ) -> None:
        self.optimizer, self.generator, self.progress = optimizer, generator, progress
        self.ranks = ranks
        self.last_good = LastGoodWeights(optimizer.parameter, is_usable)
        self.early_stopping: EarlyStopping | None = None
        self.snapshots: Snapshots | None = None
        self.callbacks: list[Callback] = [self.last_good]

    def stop_early(
        self, validation_loss: Callable[[], float], n_iter_no_change: int, tol: float
    ) -> None:
        """End when the validation loss no longer falls, with the best weights."""
        self.early_stopping = EarlyStopping(
            validation_loss, self.optimizer.parameter, n_iter_no_change, tol
        )
        self.callbacks.append(self.early_stopping)

    def take_snapshots(self, encode: Callable[[], NDArray[Any]]) -> None:
        """Keep the codes that ``encode`` returns, now and after every epoch."""
        self.snapshots = Snapshots(encode)
        self.callbacks.append(self.snapshots)

    def lower_learning_rate(self) -> None:
        """Let the learning rate fall to zero along half a cosine."""
        self.callbacks.append(LearningRateSchedule(self.optimizer))

    def call(self, callbacks: Iterable[Callback]) -> None:
        """Call the user's own callbacks too."""
        self.callbacks.extend(callbacks)

    def go_on_from(self, path: Path, key: str) -> None:
        """Bring everything to where a checkpoint left it, if there is one; keep writing it."""
        checkpoint = Checkpoint(
            path, key, self.optimizer, self.generator, self.early_stopping, self.snapshots
        )
        checkpoint.resume(self.progress)
        self.last_good.keep()
        self.callbacks.append(checkpoint)

    @property
    def validation_curve(self) -> list[float] | None:
        """The validation loss of each epoch, or None without early stopping."""
        return self.early_stopping.curve if self.early_stopping else None

    @property
    def snapshot_codes(self) -> NDArray[Any] | None:
        """The codes (n_epochs + 1, m, n_components) that were kept, or None."""
        return np.stack(self.snapshots.codes) if self.snapshots else None

    def run(
        self,
        step: Callable[[Tensor], float],
        n_samples: int,
        batch_size: int,
        show_progress: bool = False,
        what: str = "training",
    ) -> None:
        """Train; whatever happens, leave weights that can be used.

        Raises
        ------
        DivergedError
            When the loss is no longer a number; the last good weights are back.
        """
        of = f"{n_samples:,} samples"
        bar = [ProgressBar(self.progress, what, of)] if show_progress else []
        try:
            with stage(what):
                self._train(step, n_samples, batch_size, [*self.callbacks, *bar])
        except DivergedError:
            self.last_good.restore()
            raise
        except KeyboardInterrupt:
            if self.ranks is not None:  # the others have no more to go on with
                raise
            warnings.warn(
                f"Training was interrupted after {self.progress.epoch} finished epoch"
                f"{'s' * (self.progress.epoch != 1)}; the model is usable as it stands.",
                stacklevel=5,  # whoever called fit
            )
        finally:
            for callback in bar:
                callback.close()
            if self.early_stopping:
                self.early_stopping.restore_best()

    def _train(
        self,
        step: Callable[[Tensor], float],
        n_samples: int,
        batch_size: int,
        callbacks: Sequence[Callback],
    ) -> None:
        together: AbstractContextManager[None] = nullcontext()
        if self.ranks is not None:
            together = self.ranks.training(self.optimizer, self.generator, self.progress)
            callbacks = [self.ranks.in_step(self.optimizer, callbacks)]
        with together:
            train(
                step,
                n_samples,
                batch_size=batch_size,
                generator=self.generator,
                progress=self.progress,
                callbacks=callbacks,
            )


def seed_of(random_state: int | np.random.RandomState | None) -> int:
    """Return the seed of one fit: the number itself, or one drawn by the state or by chance."""
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31))
    return secrets.randbits(31) if random_state is None else int(random_state)


def held_out_split(
    data: Tensor, fraction: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Return the samples to train on, and a random share of ``fraction`` to stop by.

    Raises
    ------
    InputError
        When none would be left to train on.
    """
    n_held_out = max(1, round(fraction * len(data)))
    if n_held_out >= len(data):
        raise InputError(
            f"validation_fraction={fraction} of {len(data)} samples leaves none to train on; "
            "lower it, or turn early_stopping off."
        )
    order = torch.randperm(len(data), generator=generator).to(data.device)
    return data[order[n_held_out:]], data[order[:n_held_out]]
