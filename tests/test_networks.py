"""The networks are the ones they say they are, and begin as PyTorch's own layers do."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import nn

from ae_cluster.autoencoder.networks import ConvAutoEncoder, DenseAutoEncoder, initialize


def n_parameters(network):
    return sum(p.numel() for p in network.parameters())


def drawn(network, seed=0):
    """The network with its weights drawn."""
    initialize(network, torch.Generator().manual_seed(seed))
    return network


def test_the_default_is_the_tutorials_network():
    network = DenseAutoEncoder()

    shapes = [(layer.in_features, layer.out_features) for layer in network.linear_layers()]
    inward = [(784, 128), (128, 64), (64, 12), (12, 3)]
    assert shapes == inward + [(b, a) for a, b in reversed(inward)]
    assert network.activations == (*["tanh"] * 3, "identity", *["tanh"] * 3, "logistic")
    assert n_parameters(network) == 219_891


def test_a_dense_network_is_linear_layers_with_activations_between():
    network = drawn(DenseAutoEncoder(6, 2, (5, 4), "relu", "identity"))
    x = torch.rand(7, 6)
    a, b, c, d, e, f = network.linear_layers()

    codes = c(b(a(x).relu()).relu())
    assert torch.equal(network.encode(x), codes)
    assert torch.equal(network(x), f(e(d(codes).relu()).relu()))


def test_without_hidden_layers_encoder_and_decoder_are_one_layer_each():
    network = drawn(DenseAutoEncoder(6, 2, ()))

    assert [tuple(layer.weight.shape) for layer in network.linear_layers()] == [(2, 6), (6, 2)]
    assert network.activations == ("identity", "logistic")


def test_dense_weights_are_drawn_as_pytorch_draws_them():
    torch.manual_seed(7)
    sizes = (784, 128, 64, 12, 3, 12, 64, 128, 784)
    theirs = [nn.Linear(a, b) for a, b in pairwise(sizes)]

    ours = drawn(DenseAutoEncoder(), seed=7).linear_layers()

    for mine, other in zip(ours, theirs, strict=True):
        assert torch.equal(mine.weight, other.weight)
        assert torch.equal(mine.bias, other.bias)


def test_convolutions_are_drawn_as_pytorch_draws_them():
    torch.manual_seed(7)
    theirs = nn.Sequential(
        nn.Conv2d(1, 4, 3, 2, 1),
        nn.Conv2d(4, 6, 3, 2, 1),
        nn.Linear(24, 3),
        nn.Linear(3, 24),
        nn.ConvTranspose2d(6, 4, 4, 2, 1),
        nn.ConvTranspose2d(4, 1, 4, 2, 1),
    )

    ours = drawn(ConvAutoEncoder((8, 8), 3, (4, 6)), seed=7)

    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(mine, other)


def test_drawing_weights_leaves_the_global_generator_alone():
    state = torch.get_rng_state()

    drawn(DenseAutoEncoder())
    drawn(ConvAutoEncoder((8, 8)))

    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    ("image_shape", "channels"),
    [
        ((8, 8), (4, 6)),
        ((7, 9), (4, 6)),
        ((5, 3, 3), (4, 6)),
        ((1, 1), (4,)),
        ((1, 6, 2), (2, 3, 4)),
        ((28, 28), (16, 32)),
    ],
)
def test_images_of_any_size_come_back_in_their_own_shape(image_shape, channels):
    n_features = torch.Size(image_shape).numel()
    network = drawn(ConvAutoEncoder(image_shape, 3, channels))
    x = torch.rand(5, n_features)

    assert network.encode(x).shape == (5, 3)
    assert network(x).shape == (5, n_features)
    assert network(x).min() > 0
    assert network(x).max() < 1


def test_a_convolution_sees_flattened_images_in_row_order():
    network = drawn(ConvAutoEncoder((3, 4, 2), 3, (5,)))
    images = torch.rand(6, 3, 4, 2)  # as a user has them: channels last
    first = network.down[0]

    padded = nn.functional.pad(images.permute(0, 3, 1, 2), (0, 0, 0, 1))
    codes = network.to_code(first(padded).relu().flatten(1))

    assert torch.allclose(network.encode(images.flatten(1)), codes, atol=1e-6)


@pytest.mark.parametrize("output_activation", ["identity", "logistic"])
def test_a_conv_decoder_ends_with_its_output_activation(output_activation):
    network = drawn(ConvAutoEncoder((8, 8), output_activation=output_activation))
    images = network.decode(100 * torch.randn(50, 3))

    leaves_the_unit_interval = bool((images < 0).any() or (images > 1).any())
    assert leaves_the_unit_interval == (output_activation == "identity")
