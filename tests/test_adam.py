"""Our Adam is PyTorch's, on one vector that holds all the weights."""

from __future__ import annotations

import inspect

import pytest
import torch
from torch import nn

from ae_cluster.autoencoder.networks import DenseAutoEncoder, initialize
from ae_cluster.training.optimizer import Adam, flatten_parameters, release_gradients


@pytest.fixture
def network():
    network = DenseAutoEncoder(20, 2, (8, 5))
    initialize(network, torch.Generator().manual_seed(0))
    return network


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_many_steps_agree_with_pytorchs_adam(dtype):
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(500, generator=generator, dtype=dtype)
    ours, theirs = nn.Parameter(start.clone()), nn.Parameter(start.clone())
    optimizer, reference = Adam(ours, 0.005), torch.optim.Adam([theirs], lr=0.005)

    for k in range(300):
        scale = 10.0 ** (k % 7 - 5)  # large and vanishing gradients alike
        gradient = scale * torch.randn(500, generator=generator, dtype=dtype)
        ours.grad, theirs.grad = gradient.clone(), gradient.clone()
        optimizer.step()
        reference.step()

    tolerance = 1e-6 if dtype == torch.float32 else 1e-14
    assert (start - ours).abs().mean() > 0.03
    assert torch.allclose(ours, theirs, rtol=0, atol=tolerance)


def test_the_learning_rate_may_change_between_steps():
    parameter = nn.Parameter(torch.ones(3, dtype=torch.float64))
    parameter.grad = torch.ones(3, dtype=torch.float64)
    optimizer = Adam(parameter, 0.1)

    optimizer.step()
    optimizer.learning_rate = 0.01
    optimizer.step()

    # Under a constant gradient every step of Adam is as long as its learning rate.
    assert torch.allclose(parameter, torch.full_like(parameter, 1 - 0.1 - 0.01), atol=1e-8)


def test_pytorchs_defaults_are_still_the_ones_we_took():
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(torch.optim.Adam).parameters.items()
    }

    assert defaults["betas"] == (0.9, 0.999)
    assert defaults["eps"] == 1e-8
    assert defaults["weight_decay"] == 0
    assert defaults["amsgrad"] is False


def test_flattening_changes_no_output_and_ties_the_weights_to_one_vector(network):
    x = torch.rand(4, 20)
    before = network(x)

    flat = flatten_parameters(network)

    assert torch.equal(network(x), before)
    assert flat.numel() == sum(p.numel() for p in network.parameters())
    flat.data.zero_()
    assert all(not p.any() for p in network.parameters())


def test_gradients_are_views_of_one_vector_until_they_are_released(network):
    flat = flatten_parameters(network)

    network(torch.rand(4, 20)).sum().backward()

    together = torch.cat([p.grad.reshape(-1) for p in network.parameters()])
    assert together.any()
    assert torch.equal(flat.grad, together)
    release_gradients(network)
    assert all(p.grad is None for p in network.parameters())
