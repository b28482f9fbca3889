"""One step of learning to reconstruct: a minibatch in, the weights moved, the loss out."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ae_cluster.adam import Adam
from ae_cluster.backprop import AutogradGradient, ReconstructionGradient
from ae_cluster.networks import DenseAutoEncoder


def reconstruction_step(
    network: nn.Module,
    data: Tensor,
    scaled: Callable[[Tensor], Tensor],
    optimizer: Adam,
    generator: torch.Generator,
    noise_std: float = 0.0,
    mask_fraction: float = 0.0,
) -> Callable[[Tensor], float]:
    """Return a function that makes one step on the samples of given indices.

    Parameters
    ----------
    network : nn.Module
        Its parameters are views of the optimiser's.
    data : Tensor (n, n_features)
        All training samples, on the network's device.
    scaled : callable
        Brings rows of ``data`` to the network's numbers (bytes to [0, 1]).
    optimizer : Adam
    generator : torch.Generator
        Where the noise comes from.
    noise_std, mask_fraction : float
        What is done to the input, never to what it is compared with.
    """
    flat_gradient = optimizer.parameter.grad
    assert flat_gradient is not None
    gradient: Callable[[Tensor, Tensor], float] = (
        ReconstructionGradient(network)
        if isinstance(network, DenseAutoEncoder)
        else AutogradGradient(network, flat_gradient)
    )

    def step(indices: Tensor) -> float:
        target = scaled(data.index_select(0, indices.to(data.device)))
        x = corrupted(target, noise_std, mask_fraction, generator)
        loss = gradient(x, target)
        optimizer.step()
        return loss

    return step


def corrupted(
    x: Tensor, noise_std: float, mask_fraction: float, generator: torch.Generator
) -> Tensor:
    """Return x (b, n_features) with Gaussian noise added and a share of its values set to zero."""
    if noise_std:
        noise = torch.empty(x.shape, dtype=x.dtype).normal_(0, noise_std, generator=generator)
        x = x + noise.to(x.device)
    if mask_fraction:
        x = x * (torch.rand(x.shape, generator=generator) >= mask_fraction).to(x)
    return x
