"""One pass over a part of the samples, and what the next pass goes on from."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from numpy.typing import NDArray
from torch import Tensor

from ae_cluster.autoencoder import inference
from ae_cluster.autoencoder.reconstruction import reconstruction_step
from ae_cluster.training.fitting import Fitting, seed_of
from ae_cluster.training.loop import Progress
from ae_cluster.training.optimizer import Adam, flatten_parameters, release_gradients
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
    network, scaling = model.network_, model.scaling_
    data = inference.as_tensor(rows).to(next(network.parameters()).device)
    optimizer = Adam(flatten_parameters(network), model.learning_rate_init)
    if state is not None:
        optimizer.mean.copy_(state.mean)
        optimizer.mean_square.copy_(state.mean_square)
        optimizer.n_steps.copy_(state.n_steps)
    progress = Progress(1, math.ceil(len(data) / model.batch_size), model=model)
    few = data[: model.batch_size]
    fitting = Fitting(
        optimizer, generator, progress, lambda: inference.is_usable(network, scaling, few)
    )
    fitting.call(model.callbacks)
    step = reconstruction_step(
        network, data, scaling, optimizer, generator, model.noise_std, model.mask_fraction
    )
    try:
        with threads_for(network):
            fitting.run(step, len(data), model.batch_size, show_progress=bool(model.verbose))
    finally:
        release_gradients(network)
    loss = progress.loss_curve[0] if progress.loss_curve else math.nan  # Ctrl-C
    now = State(optimizer.mean, optimizer.mean_square, optimizer.n_steps, generator.get_state())
    return now, loss
