"""Training an autoencoder on anybody's data: one that collapses starts again, more slowly."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from numpy.typing import NDArray

from ae_cluster.autoencoder.estimator import PLATEAU_STEPS, AutoEncoder
from ae_cluster.autoencoder.inference import collapse_of
from ae_cluster.autoencoder.inputs import check_parameters
from ae_cluster.training.checkpoints import learning_rate_of
from ae_cluster.training.diagnostics import HealthWarning
from ae_cluster.training.loop import Callback, Progress

RESTARTS, SLOWER = 2, 5  # at most; each with a fifth of the rate before
LOOKS = 5  # during a training, evenly spread; the last one is at its end


class Trained(NamedTuple):
    """An autoencoder, and what had to be done for it.

    Attributes
    ----------
    model : AutoEncoder
    collapsed_at : list of float
        The learning rates at which the code collapsed, in the order they were tried.
    collapse : str
        How the model itself is collapsed, as a sentence; "" when it is not.
    """

    model: AutoEncoder
    collapsed_at: list[float]
    collapse: str


class CollapsedError(ArithmeticError):
    """A training was ended because its autoencoder has collapsed; the message says how."""


class CollapseWatch(Callback):
    """Raises `CollapsedError` in the course of a training.

    Parameters
    ----------
    look : callable
        Takes the progress, returns what is wrong as a sentence; "" when nothing is.
    """

    def __init__(self, look: Callable[[Progress], str]) -> None:
        self.look = look

    def on_epoch(self, progress: Progress) -> None:
        """Look at the present state."""
        if found := self.look(progress):  # raised, so that no checkpoint is written of it
            raise CollapsedError(found)


def watch_over(rows: NDArray[Any]) -> CollapseWatch:
    """Return what looks at an autoencoder a few times while it learns training rows."""

    def look(progress: Progress) -> str:
        times = {math.ceil(progress.n_epochs * i / LOOKS) for i in range(1, LOOKS)}
        if progress.step < PLATEAU_STEPS or progress.epoch not in times:
            return ""
        return collapse_of(progress.model.network_, progress.model.scaling_, rows)

    return CollapseWatch(look)


def rates_from(rate: float, *, keep_recipe: bool) -> list[float]:
    """Return the learning rates to try in turn; only the first where the recipe is to be kept."""
    check_parameters({"learning_rate_init": rate})
    return [rate / SLOWER**i for i in range(1 if keep_recipe else RESTARTS + 1)]


def fit_alive(
    make: Callable[[float], AutoEncoder],
    rows: NDArray[Any],
    rates: Sequence[float],
    say: Callable[[str], None],
) -> Trained:
    """Train an autoencoder, again at the next rate as long as it collapses.

    A checkpoint is of the rate that is being tried: a training that was killed goes on at it.

    Parameters
    ----------
    make : callable
        Takes a learning rate and returns the unfitted model.
    rows : ndarray (n, n_features)
        Training samples.
    rates : sequence of float
        Of `rates_from`; one alone is never given up early.
    say : callable
        Takes a sentence at each new start.
    """
    models = [make(rate) for rate in rates]
    path = models[0].checkpoint
    earlier = learning_rate_of(path) if path else None
    start = rates.index(earlier) if earlier in rates else 0
    for i, model in enumerate(models[start:], start=start):
        is_last = i + 1 == len(models)
        found = _fit(model, rows, watched=not is_last)
        if not found or is_last:
            return Trained(model, list(rates[:i]), found)
        say(
            f"The code collapsed at learning_rate_init={rates[i]:g} ({found[:-1]}); training "
            f"starts again at {rates[i + 1]:g}."
        )
        if path:
            Path(path).unlink(missing_ok=True)
    raise AssertionError("rates is empty")


def _fit(model: AutoEncoder, rows: NDArray[Any], *, watched: bool) -> str:
    """Fit a model; return how it has collapsed, "" when it has not or Ctrl-C ended it."""
    given = model.callbacks
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", HealthWarning
            )  # what is returned is for the caller to say
            model.set_params(callbacks=[*given, watch_over(rows)] if watched else given).fit(rows)
    except CollapsedError as error:
        return str(error)
    finally:
        model.set_params(callbacks=given)
    return model.collapse_
