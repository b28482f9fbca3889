"""One pass over a part of the samples, and what the next pass goes on from."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from numpy.typing import NDArray
from torch import Tensor

from ae_cluster.autoencoder import inference
from ae_cluster.autoencoder.reconstruction import reconstruction_fitting
from ae_cluster.training.fitting import seed_of
from ae_cluster.training.optimizer import release_gradients
from ae_cluster.training.threads import threads_for


class State(NamedTuple):
    """Where an optimiser and its random numbers stand between two passes."""

    mean: Tensor
    mean_square: Tensor
    n_steps: Tensor
    generator: Tensor


def generator_of(state: State | None, random_state: Any) -> torch.Generator:
    """Return the generator to go on with; at the beginning that of ``random_state``."""
    generator = torch.Generator()
    if state is None:
        return generator.manual_seed(seed_of(random_state))
    generator.set_state(state.generator)
    return generator


def pass_over(
    model: Any, rows: NDArray[Any], state: State | None, generator: torch.Generator
) -> tuple[State, float]:
    """Train a model's network for one pass over rows; return where it stands, and the loss.

    Raises
    ------
    DivergedError
        When the loss is no longer a number; the weights are those from before.
    """
    network = model.network_
    data = inference.as_tensor(rows).to(next(network.parameters()).device)
    fitting, step = reconstruction_fitting(model, data, 1, generator)
    optimizer, progress = fitting.optimizer, fitting.progress
    if state is not None:
        optimizer.mean.copy_(state.mean)
        optimizer.mean_square.copy_(state.mean_square)
        optimizer.n_steps.copy_(state.n_steps)
    fitting.call(model.callbacks)
    try:
        with threads_for(network):
            fitting.run(step, len(data), model.batch_size, show_progress=bool(model.verbose))
    finally:
        release_gradients(network)
    loss = progress.loss_curve[0] if progress.loss_curve else math.nan  # Ctrl-C
    now = State(optimizer.mean, optimizer.mean_square, optimizer.n_steps, generator.get_state())
    return now, loss
