"""The networks of `SortingAutoEncoder`: cluster head, within-cluster offset and decoder."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from ae_cluster.autoencoder.networks import AutoEncoderNetwork, UnfilledConv, UnfilledLinear
from ae_cluster.training.shared_batches import BatchNorm1d, BatchNorm2d

SHARPNESS = 4.0  # of the softmax in a code: unclear samples lie between the centers of two clusters
OFFSET_SIZES = (256, 64)
DECODER_SIZES = (128, 256, 512)
OLD_NAMES = {"sorter": "cluster_head", "style": "offset_layers"}  # of parts, in model files once
OLD_PART = re.compile(rf"^network\.({'|'.join(OLD_NAMES)})\.")


def dense_head(n_features: int, hidden_layer_sizes: Sequence[int], n_clusters: int) -> nn.Module:
    """Return a perceptron from samples (n, n_features) to the logits (n, k) of their clusters."""
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise([n_features, *hidden_layer_sizes]):
        layers += [UnfilledLinear(n_in, n_out), BatchNorm1d(n_out), nn.ReLU()]
    return nn.Sequential(*layers, UnfilledLinear([n_features, *hidden_layer_sizes][-1], n_clusters))


class ConvHead(nn.Module):
    """Convolutions from flattened images (n, n_features) to the logits (n, k) of their clusters."""

    def __init__(
        self, image_shape: Sequence[int], n_clusters: int, channels: Sequence[int] = (16, 32, 64)
    ) -> None:
        super().__init__()
        height, width, depth = (*image_shape, 1)[:3]
        self.image_shape = (height, width, depth)
        maps: list[nn.Module] = []
        for n_in, n_out, stride in zip(
            [depth, *channels[:-1]], channels, self._strides(height, width), strict=True
        ):
            conv = UnfilledConv(n_in, n_out, kernel_size=3, stride=stride, padding=1, bias=False)
            maps += [conv, BatchNorm2d(n_out), nn.ReLU()]
            height, width = math.ceil(height / stride), math.ceil(width / stride)
        flat = UnfilledLinear(channels[-1] * height * width, 128)
        self.layers = nn.Sequential(
            *maps, nn.Flatten(), flat, BatchNorm1d(128), nn.ReLU(),
            UnfilledLinear(128, n_clusters),
        )  # fmt: skip

    @staticmethod
    def _strides(height: int, width: int) -> tuple[int, int, int]:
        """Return steps that leave maps of about 7 × 7: small images are not halved away."""
        side = min(height, width)
        return (2 if side >= 12 else 1, 2 if side >= 24 else 1, 2 if side >= 48 else 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits (n, k)."""
        logits: Tensor = self.layers(as_maps(x, self.image_shape))
        return logits


def as_maps(x: Tensor, image_shape: tuple[int, int, int]) -> Tensor:
    """Return flattened images (n, n_features) as maps (n, channels, height, width)."""
    return x.reshape(-1, *image_shape).permute(0, 3, 1, 2)


class SortingNetwork(AutoEncoderNetwork):
    """Codes that are the center of the sample's cluster plus a within-cluster offset.

    Parameters
    ----------
    cluster_head : nn.Module
        Samples (n, n_features) to logits (n, k).
    n_features, n_components, n_clusters : int
    is_image : bool
        Whether outputs lie in [0, 1].

    Attributes
    ----------
    centers : Tensor (k, n_components)
    radius : Tensor ()
        How long an offset may be.
    """

    centers: Tensor
    radius: Tensor

    def __init__(
        self,
        cluster_head: nn.Module,
        n_features: int,
        n_components: int,
        n_clusters: int,
        *,
        is_image: bool,
    ) -> None:
        super().__init__()
        self.cluster_head = cluster_head
        self.offset_layers = _perceptron([n_features, *OFFSET_SIZES, n_components])
        ending = [nn.Sigmoid()] if is_image else []
        self.decoder = nn.Sequential(
            *_perceptron([n_components, *DECODER_SIZES, n_features]), *ending
        )
        self.register_buffer("centers", torch.zeros(n_clusters, n_components))
        self.register_buffer("radius", torch.ones(()))

    def memberships(self, x: Tensor) -> Tensor:
        """Return the soft assignments (n, k); rows sum to 1."""
        return torch.softmax(self.cluster_head(x), 1)

    def position(self, x: Tensor) -> Tensor:
        """Return the mean (n, n_components) of the centers, by sharpened soft assignments."""
        return torch.softmax(SHARPNESS * self.cluster_head(x), 1) @ self.centers

    def offset(self, x: Tensor) -> Tensor:
        """Return the within-cluster offset (n, n_components), shorter than the radius."""
        free: Tensor = self.offset_layers(x)
        return self.radius * free / torch.sqrt(1 + free.square().sum(1, keepdim=True))

    def encode(self, x: Tensor) -> Tensor:
        """Return the codes (n, n_components) of samples (n, n_features)."""
        return self.position(x) + self.offset(x)

    def decode(self, codes: Tensor) -> Tensor:
        """Return the samples (n, n_features) of codes (n, n_components)."""
        decoded: Tensor = self.decoder(codes / self.radius)
        return decoded


def with_current_names(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return a model file's weights under the names that the parts have today."""
    return {
        OLD_PART.sub(lambda old: f"network.{OLD_NAMES[old[1]]}.", name): tensor
        for name, tensor in weights.items()
    }


def _perceptron(sizes: Sequence[int]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(sizes):
        layers += [UnfilledLinear(n_in, n_out), nn.ReLU()]
    return nn.Sequential(*layers[:-1])
