"""One optimiser on one flat parameter."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def flatten_parameters(network: nn.Module) -> nn.Parameter:
    """Turn all parameters, and their gradients, into views of one vector, and return it.

    One vector is one call for the optimiser, one array to save and one to
    compare.
    """
    parameters = list(network.parameters())
    flat = nn.Parameter(torch.cat([p.detach().reshape(-1) for p in parameters]))
    flat.grad = torch.zeros_like(flat)
    start = 0
    for p in parameters:
        stop = start + p.numel()
        p.data = flat.data[start:stop].view_as(p)
        p.grad = flat.grad[start:stop].view_as(p)
        start = stop
    return flat


def release_gradients(network: nn.Module) -> None:
    """Drop the gradients once training is over: they are as large as the weights."""
    for parameter in network.parameters():
        parameter.grad = None


class Adam:
    """Adam (Kingma and Ba, 2015) with PyTorch's defaults, on one flat parameter.

    The kernel is the one behind ``torch.optim.Adam(fused=True)``. That class
    itself loads PyTorch's compiler when constructed, which costs more seconds
    than two epochs of the tutorial.

    Parameters
    ----------
    parameter : Tensor (n,)
        Its ``.grad`` is read at every step.
    learning_rate : float
        May be changed between steps.
    """

    def __init__(self, parameter: Tensor, learning_rate: float) -> None:
        self.parameter = parameter
        self.learning_rate = learning_rate
        self.mean = torch.zeros_like(parameter.data)
        self.mean_square = torch.zeros_like(parameter.data)
        self.n_steps = torch.zeros((), dtype=torch.float32, device=parameter.device)

    def step(self) -> None:
        """Move the parameter once, by its present gradient."""
        assert self.parameter.grad is not None
        torch._fused_adam_(
            [self.parameter.data],
            [self.parameter.grad],
            [self.mean],
            [self.mean_square],
            [],
            [self.n_steps.add_(1)],
            lr=self.learning_rate,
            beta1=0.9,
            beta2=0.999,
            weight_decay=0.0,
            eps=1e-8,
            amsgrad=False,
            maximize=False,
        )
