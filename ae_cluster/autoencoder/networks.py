"""The torch modules: images in, codes in the middle, images out.

A network knows its layers and nothing of training. Both kinds offer ``encode``
and ``decode``; ``forward`` is one after the other.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from ae_cluster.common.errors import InputError
from ae_cluster.common.memory import total_memory

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "identity": lambda h: h,
    "logistic": torch.sigmoid,
    "relu": torch.relu,
    "tanh": torch.tanh,
}
# What a layer gives is written over where no gradient asks for it: new memory takes longer.
_IN_PLACE = ACTIVATIONS | {
    "logistic": torch.sigmoid_,
    "relu": torch.relu_,
    "tanh": torch.tanh_,
}


# Layers whose weights are not drawn yet; see `initialize`. PyTorch's skip_init
# would do the same, and load a library for symbolic mathematics on the way.


class UnfilledLinear(nn.Linear):
    """A linear layer; one that no memory holds is refused."""

    def __init__(self, n_in: int, n_out: int) -> None:
        n_bytes = 4 * n_in * n_out
        if n_bytes > total_memory():
            raise InputError(
                f"A layer from {n_in:,} to {n_out:,} units takes {n_bytes / 1e9:,.0f} GB, more "
                "than this machine's whole memory; ask for fewer."
            )
        super().__init__(n_in, n_out)

    def reset_parameters(self) -> None:
        """Leave the weights as they are."""


class UnfilledConv(nn.Conv2d):
    """A convolution."""

    def reset_parameters(self) -> None:
        """Leave the weights as they are."""


class UnfilledConvTranspose(nn.ConvTranspose2d):
    """A transposed convolution."""

    def reset_parameters(self) -> None:
        """Leave the weights as they are."""


class AutoEncoderNetwork(nn.Module, ABC):
    """What every kind of network offers; images travel flattened."""

    @abstractmethod
    def encode(self, x: Tensor) -> Tensor:
        """Return the codes (n, n_components) of images (n, n_features)."""

    @abstractmethod
    def decode(self, codes: Tensor) -> Tensor:
        """Return the images (n, n_features) of codes (n, n_components)."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the reconstructions (n, n_features)."""
        return self.decode(self.encode(x))


class DenseAutoEncoder(AutoEncoderNetwork):
    """A multilayer perceptron that narrows to a code and widens again.

    With its defaults the tutorial's network: 784-128-64-12-3 and back, tanh
    between the layers, none after the code, sigmoid at the end (219,891
    parameters).

    Parameters
    ----------
    n_features : int
        Size of a flattened image.
    n_components : int
        Size of the code.
    hidden_layer_sizes : sequence of int
        Sizes between image and code; the decoder mirrors them.
    activation, output_activation : {"tanh", "relu", "logistic", "identity"}
        Between the layers, and after the last one.
    """

    def __init__(
        self,
        n_features: int = 784,
        n_components: int = 3,
        hidden_layer_sizes: Sequence[int] = (128, 64, 12),
        activation: str = "tanh",
        output_activation: str = "logistic",
    ) -> None:
        super().__init__()
        inward = [n_features, *hidden_layer_sizes, n_components]
        sizes = inward + inward[-2::-1]
        self.n_encoder_layers = len(inward) - 1
        self.layers = nn.ModuleList(UnfilledLinear(n_in, n_out) for n_in, n_out in pairwise(sizes))
        between = [activation] * (self.n_encoder_layers - 1)
        # Read as a table: one name per layer, the code and the output set apart.
        self.activations = (*between, "identity", *between, output_activation)

    def encode(self, x: Tensor) -> Tensor:
        """Return the codes (n, n_components) of images (n, n_features)."""
        return self.apply_layers(x, 0, self.n_encoder_layers)

    def decode(self, codes: Tensor) -> Tensor:
        """Return the images (n, n_features) of codes (n, n_components)."""
        return self.apply_layers(codes, self.n_encoder_layers, len(self.layers))

    def linear_layers(self) -> list[nn.Linear]:
        """Return encoder and decoder as one list, first layer first."""
        return [layer for layer in self.layers if isinstance(layer, nn.Linear)]

    def apply_layers(self, h: Tensor, start: int, stop: int) -> Tensor:
        """Return what layers ``start`` to ``stop`` (exclusive) make of h (n, n_inputs)."""
        activate = ACTIVATIONS if torch.is_grad_enabled() else _IN_PLACE
        for i in range(start, stop):
            h = activate[self.activations[i]](self.layers[i](h))
        return h


class ConvAutoEncoder(AutoEncoderNetwork):
    """Strided convolutions down to a code, transposed ones back up.

    Parameters
    ----------
    image_shape : (h, w) or (h, w, channels)
        Shape of an image; images travel flattened, as everywhere else.
    n_components : int
        Size of the code.
    channels : sequence of int
        Feature maps of each halving of height and width.
    activation, output_activation : str
        As in `DenseAutoEncoder`.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        n_components: int = 3,
        channels: Sequence[int] = (16, 32),
        activation: str = "relu",
        output_activation: str = "logistic",
    ) -> None:
        super().__init__()
        height, width, depth = (*image_shape, 1)[:3]
        self.image_shape = (height, width, depth)
        self.activation, self.output_activation = activation, output_activation
        stride = 2 ** len(channels)
        self.padded = tuple(math.ceil(side / stride) * stride for side in (height, width))
        self.grid = (channels[-1], self.padded[0] // stride, self.padded[1] // stride)
        n_grid = math.prod(self.grid)
        maps = [depth, *channels]
        self.down = nn.ModuleList(
            UnfilledConv(a, b, kernel_size=3, stride=2, padding=1) for a, b in pairwise(maps)
        )
        self.to_code = UnfilledLinear(n_grid, n_components)
        self.from_code = UnfilledLinear(n_components, n_grid)
        self.up = nn.ModuleList(
            UnfilledConvTranspose(b, a, kernel_size=4, stride=2, padding=1)
            for b, a in pairwise(maps[::-1])
        )

    def encode(self, x: Tensor) -> Tensor:
        """Return the codes (n, n_components) of images (n, n_features)."""
        height, width, _ = self.image_shape
        h = x.reshape(-1, *self.image_shape).permute(0, 3, 1, 2)  # (n, channels, h, w)
        h = nn.functional.pad(h, (0, self.padded[1] - width, 0, self.padded[0] - height))
        for layer in self.down:
            h = ACTIVATIONS[self.activation](layer(h))
        code: Tensor = self.to_code(h.flatten(1))
        return code

    def decode(self, codes: Tensor) -> Tensor:
        """Return the images (n, n_features) of codes (n, n_components)."""
        height, width, _ = self.image_shape
        h = ACTIVATIONS[self.activation](self.from_code(codes)).reshape(-1, *self.grid)
        for i, layer in enumerate(self.up):
            is_last = i == len(self.up) - 1
            h = ACTIVATIONS[self.output_activation if is_last else self.activation](layer(h))
        return h[:, :, :height, :width].permute(0, 2, 3, 1).flatten(1)


def new_network(
    inputs: int | Sequence[int],
    n_components: int,
    layers: Sequence[int],
    activations: tuple[str, str],
) -> AutoEncoderNetwork:
    """Return a network, its weights still to be filled.

    It is dense with a number of features as its inputs and sizes of layers, and of convolutions
    with the shape of an image and feature maps.
    """
    if isinstance(inputs, int):
        return DenseAutoEncoder(inputs, n_components, layers, *activations)
    return ConvAutoEncoder(inputs, n_components, layers, *activations)


def initialize(network: nn.Module, generator: torch.Generator) -> None:
    """Draw weights and biases as PyTorch's own layers do, from ``generator``.

    The same draws in the same order as constructing the layers after
    ``torch.manual_seed``, but the global generator is left alone. They are drawn
    where the generator is, so a network on a GPU starts from the very same numbers.
    """
    with torch.no_grad():
        for layer in network.modules():
            if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
                weight = torch.empty_like(layer.weight, device=generator.device)
                nn.init.kaiming_uniform_(weight, a=math.sqrt(5), generator=generator)
                layer.weight.copy_(weight)
                bound = 1 / math.sqrt(weight[0].numel())  # fan-in
                if layer.bias is not None:
                    bias = torch.empty_like(layer.bias, device=generator.device)
                    layer.bias.copy_(nn.init.uniform_(bias, -bound, bound, generator=generator))
