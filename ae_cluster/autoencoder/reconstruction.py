"""The mean squared error of a dense autoencoder and its gradient, by the chain rule.

Autograd would find the same numbers. Written out, a step is two dozen matrix
products into buffers that are already there: no graph is built, nothing is
compiled, and an epoch of the tutorial takes little longer than its products.
A test holds this room to autograd's gradients.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from ae_cluster.autoencoder import inference
from ae_cluster.autoencoder.networks import DenseAutoEncoder
from ae_cluster.common.chunks import part_of, slices
from ae_cluster.training.fitting import Fitting
from ae_cluster.training.loop import Progress
from ae_cluster.training.optimizer import Adam, flatten_parameters
from ae_cluster.training.ranks import Ranks
from ae_cluster.training.shared_batches import drawn, part_of_batch, sharing

aten = torch.ops.aten

# In place, from the layer's own output h: h ← f(h), and g ← g · f'.
_FORWARD: dict[str, Callable[[Tensor], Tensor]] = {
    "identity": lambda h: h,
    "logistic": torch.sigmoid_,
    "relu": torch.relu_,
    "tanh": torch.tanh_,
}
_BACKWARD: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "identity": lambda g, _: g,
    "logistic": lambda g, h: aten.sigmoid_backward.grad_input(g, h, grad_input=g),
    "relu": lambda g, h: aten.threshold_backward.grad_input(g, h, 0, grad_input=g),
    "tanh": lambda g, h: aten.tanh_backward.grad_input(g, h, grad_input=g),
}


class ReconstructionGradient:
    """Loss and gradient of ``mean((network(x) - target)²)`` for a dense network.

    Parameters
    ----------
    network : DenseAutoEncoder
        Its parameters must have ``.grad`` tensors: they are overwritten at
        every call, never accumulated.
    """

    def __init__(self, network: DenseAutoEncoder) -> None:
        self.network = network
        self.layers = [_with_gradients(layer) for layer in network.linear_layers()]
        self.buffers: dict[int, tuple[list[Tensor], list[Tensor]]] = {}

    @torch.no_grad()
    def __call__(self, x: Tensor, target: Tensor) -> float:
        """Return the loss of a batch (b, n_features) and leave its gradient in ``.grad``."""
        outputs, gradients = self._buffers_for(x)
        self._forward(x, outputs)
        error = torch.sub(outputs[-1], target, out=gradients[-1])
        loss = torch.dot(error.view(-1), error.view(-1)).item() / error.numel()
        error.mul_(2 / error.numel())  # d loss / d output
        self._backward(x, outputs, gradients)
        return loss

    def _forward(self, x: Tensor, outputs: list[Tensor]) -> None:
        h = x
        for (weight, bias, _, _), activation, out in zip(
            self.layers, self.network.activations, outputs, strict=True
        ):
            h = _FORWARD[activation](torch.addmm(bias, h, weight.t(), out=out))

    def _backward(self, x: Tensor, outputs: list[Tensor], gradients: list[Tensor]) -> None:
        for i in reversed(range(len(self.layers))):
            weight, _, weight_grad, bias_grad = self.layers[i]
            g = _BACKWARD[self.network.activations[i]](gradients[i], outputs[i])
            torch.mm(g.t(), outputs[i - 1] if i else x, out=weight_grad)
            torch.sum(g, 0, out=bias_grad)
            if i:
                torch.mm(g, weight, out=gradients[i - 1])

    def _buffers_for(self, x: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Return the layers' outputs and gradients, kept for each batch size (there are two)."""
        n = len(x)
        if n not in self.buffers:
            sizes = [len(bias) for _, bias, _, _ in self.layers]
            outputs = [x.new_empty(n, size) for size in sizes]
            self.buffers[n] = outputs, [torch.empty_like(h) for h in outputs]
        return self.buffers[n]


def _with_gradients(layer: nn.Linear) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return weight, bias, and where their gradients go."""
    weight, bias = layer.weight, layer.bias
    assert weight.grad is not None
    assert bias.grad is not None
    return weight.detach(), bias.detach(), weight.grad, bias.grad


class AutogradGradient:
    """The same call for a network of any kind, with PyTorch's autograd.

    Parameters
    ----------
    network : nn.Module
        Its parameters must have ``.grad`` tensors: views of ``flat_gradient``.
    flat_gradient : Tensor (n_parameters,)
        Cleared before every call.
    """

    def __init__(self, network: nn.Module, flat_gradient: Tensor) -> None:
        self.network = network
        self.flat_gradient = flat_gradient

    def __call__(self, x: Tensor, target: Tensor) -> float:
        """Return the loss of a batch (b, n_features) and leave its gradient in ``.grad``."""
        self.flat_gradient.zero_()
        loss = nn.functional.mse_loss(self.network(x), target)
        torch.autograd.backward(loss)
        return loss.item()


def reconstruction_fitting(
    model: Any, data: Tensor, n_epochs: int, generator: torch.Generator, ranks: Ranks | None = None
) -> tuple[Fitting, Callable[[Tensor], float]]:
    """Return the training of an `AutoEncoder`'s network on data, still to be run, and its step.

    Parameters
    ----------
    model : AutoEncoder
        With its network and scaling.
    data : Tensor (n, n_features)
        All training samples, on the network's device.
    n_epochs : int
    generator : torch.Generator
        Where everything random comes from.
    ranks : Ranks or None
        The processes that share its batches.
    """
    network, scaling, few = model.network_, model.scaling_, data[: model.batch_size]
    optimizer = Adam(flatten_parameters(network), model.learning_rate_init)
    fitting = Fitting(
        optimizer,
        generator,
        Progress(n_epochs, math.ceil(len(data) / model.batch_size), model=model),
        lambda: inference.is_usable(network, scaling, few),
        ranks,
    )
    center = model.center_inputs and model.input_kind_ == "images"
    step = reconstruction_step(
        network,
        data,
        scaling,
        optimizer,
        generator,
        model.noise_std,
        model.mask_fraction,
        center,
        ranks,
    )
    return fitting, step


def reconstruction_step(
    network: nn.Module,
    data: Tensor,
    scaled: Callable[[Tensor], Tensor],
    optimizer: Adam,
    generator: torch.Generator,
    noise_std: float = 0.0,
    mask_fraction: float = 0.0,
    center_inputs: bool = False,
    ranks: Ranks | None = None,
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
    center_inputs : bool
        Of a dense network: see `centered`.
    ranks : Ranks or None
        The processes of which each computes a part of the gradient.
    """
    flat_gradient = optimizer.parameter.grad
    assert flat_gradient is not None
    gradient: Callable[[Tensor, Tensor], float] = (
        ReconstructionGradient(network)
        if isinstance(network, DenseAutoEncoder)
        else AutogradGradient(network, flat_gradient)
    )
    if ranks is not None:
        gradient = sharing(gradient, flat_gradient)

    move = optimizer.step
    if center_inputs and isinstance(network, DenseAutoEncoder):
        move = centered(move, network.linear_layers()[0], _mean_of(data, scaled, ranks))

    def step(indices: Tensor) -> float:
        with part_of_batch(ranks, len(indices)) as rows:
            target = scaled(data.index_select(0, indices[rows].to(data.device)))
            x = corrupted(target, noise_std, mask_fraction, generator)
            loss = gradient(x, target)
        move()
        return loss

    return step


def centered(move: Callable[[], None], layer: nn.Linear, mean: Tensor) -> Callable[[], None]:
    """Return a step that moves a layer as if ``mean`` (n_inputs,) were taken off its inputs.

    Pixels are never negative, so one step of Adam moves all weights of a unit of the first layer
    in the same direction, and its sum by up to the rate times all pixels: the tanh of bright or
    wide images is saturated after a few steps, and stays so. W x + b is W (x − m) + c with
    c = b + W m. The gradient of W at a fixed c is δᵀ (x − m), and what a step does to W m is
    taken off b, so that the layer takes its inputs as they are.
    """

    @torch.no_grad()
    def step() -> None:
        weight, bias = layer.weight, layer.bias
        assert weight.grad is not None
        assert bias.grad is not None
        weight.grad.addr_(bias.grad, mean, alpha=-1)
        before = weight @ mean
        move()
        bias.sub_(weight @ mean - before)

    return step


def _mean_of(data: Tensor, scaled: Callable[[Tensor], Tensor], ranks: Ranks | None) -> Tensor:
    """Return the mean (n_features,) of rows as the network takes them, a part at a time."""
    own = data if ranks is None else data[part_of(len(data), ranks.rank, ranks.n)]
    total = torch.zeros(data.shape[1], dtype=torch.float64, device=data.device)
    for rows in slices(len(own)):
        total += scaled(own[rows]).sum(0, dtype=torch.float64)
    if ranks is not None:
        with ranks.together():
            ranks.sum(total)
    return (total / len(data)).to(scaled(data[:1]).dtype)


def corrupted(
    x: Tensor, noise_std: float, mask_fraction: float, generator: torch.Generator
) -> Tensor:
    """Return x (b, n_features) with Gaussian noise added and a share of its values set to zero."""
    size = x.shape[1:]
    if noise_std:
        noise = drawn(
            lambda n: torch.empty(n, *size, dtype=x.dtype).normal_(
                0, noise_std, generator=generator
            ),
            len(x),
        )
        x = x + noise.to(x.device)
    if mask_fraction:
        kept = drawn(lambda n: torch.rand(n, *size, generator=generator) >= mask_fraction, len(x))
        x = x * kept.to(x)
    return x
