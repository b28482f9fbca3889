"""The chain rule written out finds what autograd finds."""

from __future__ import annotations

import pytest
import torch

from ae_cluster.autoencoder.networks import ConvAutoEncoder, DenseAutoEncoder, initialize
from ae_cluster.autoencoder.reconstruction import (
    AutogradGradient,
    ReconstructionGradient,
    reconstruction_step,
)
from ae_cluster.training.optimizer import Adam, flatten_parameters

ACTIVATIONS = ["identity", "logistic", "relu", "tanh"]
DEPTHS = [(), (6,), (7, 5), (9, 7, 5, 4)]


def network_and_batch(hidden=(7, 5), activation="tanh", output="logistic", dtype=torch.float64):
    """A network with its flat parameter, and a noisy batch with its clean target."""
    generator = torch.Generator().manual_seed(0)
    network = DenseAutoEncoder(11, 3, hidden, activation, output)
    initialize(network, generator)
    network = network.to(dtype)
    target = torch.rand(13, 11, generator=generator, dtype=dtype)
    noise = 0.3 * torch.randn(13, 11, generator=generator, dtype=dtype)
    return network, flatten_parameters(network), target + noise, target


def autograd(network, x, target):
    """Loss and gradient, one vector, as PyTorch finds them."""
    loss = ((network(x) - target) ** 2).mean()
    gradients = torch.autograd.grad(loss, list(network.parameters()))
    return loss.item(), torch.cat([g.reshape(-1) for g in gradients])


@pytest.mark.parametrize("hidden", DEPTHS)
@pytest.mark.parametrize("output", ACTIVATIONS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_loss_and_gradient_are_autograds(activation, output, hidden):
    network, flat, x, target = network_and_batch(hidden, activation, output)
    loss, gradient = autograd(network, x, target)

    assert ReconstructionGradient(network)(x, target) == pytest.approx(loss, rel=1e-13)
    assert gradient.abs().max() > 1e-4
    assert torch.allclose(flat.grad, gradient, rtol=0, atol=1e-12)


def test_float32_agrees_to_float32s_precision():
    network, flat, x, target = network_and_batch(dtype=torch.float32)
    loss, gradient = autograd(network, x, target)

    assert ReconstructionGradient(network)(x, target) == pytest.approx(loss, rel=1e-6)
    assert torch.allclose(flat.grad, gradient, rtol=0, atol=1e-7)


def test_gradients_are_overwritten_and_not_accumulated():
    network, flat, x, target = network_and_batch()
    gradient = ReconstructionGradient(network)

    gradient(x, target)
    first = flat.grad.clone()
    gradient(x, target)

    assert torch.equal(flat.grad, first)


def test_batches_of_several_sizes_take_turns():
    network, flat, x, target = network_and_batch()
    gradient = ReconstructionGradient(network)

    for n in (13, 4, 1, 13, 4):
        loss, expected = autograd(network, x[:n], target[:n])
        assert gradient(x[:n], target[:n]) == pytest.approx(loss, rel=1e-13)
        assert torch.allclose(flat.grad, expected, rtol=0, atol=1e-12)


def test_moved_weights_are_seen():
    network, flat, x, target = network_and_batch()
    gradient = ReconstructionGradient(network)
    gradient(x, target)

    flat.data.mul_(1.5)
    loss, expected = autograd(network, x, target)

    assert gradient(x, target) == pytest.approx(loss, rel=1e-13)
    assert torch.allclose(flat.grad, expected, rtol=0, atol=1e-12)


def test_input_and_target_are_left_alone():
    network, _, x, target = network_and_batch()
    before = x.clone(), target.clone()

    ReconstructionGradient(network)(x, target)
    ReconstructionGradient(network)(target, target)

    assert torch.equal(x, before[0])
    assert torch.equal(target, before[1])


def test_the_gradient_is_the_slope_of_the_loss():
    network, flat, x, target = network_and_batch()
    gradient = ReconstructionGradient(network)
    loss = gradient(x, target)
    slope = flat.grad.clone()

    flat.data.sub_(1e-6 * slope)

    fall = loss - gradient(x, target)
    assert fall == pytest.approx(1e-6 * slope.dot(slope).item(), rel=1e-4)


def test_any_other_network_gets_autograds_gradient_anew_each_time():
    network = ConvAutoEncoder((5, 4), 2, (3,))
    initialize(network, torch.Generator().manual_seed(0))
    network = network.to(torch.float64)
    flat = flatten_parameters(network)
    x, target = torch.rand(2, 7, 20, dtype=torch.float64)
    loss, expected = autograd(network, x, target)
    gradient = AutogradGradient(network, flat.grad)

    for _ in range(2):
        assert gradient(x, target) == pytest.approx(loss, rel=1e-13)
        assert torch.allclose(flat.grad, expected, rtol=0, atol=1e-12)


def test_centered_steps_are_those_of_a_network_whose_inputs_are_centered():
    network, flat, _, data = network_and_batch()
    mean = data.mean(0)
    other, other_flat, _, _ = network_and_batch()
    first, other_first = (n.linear_layers()[0] for n in (network, other))
    with torch.no_grad():
        other_first.bias.add_(other_first.weight @ mean)
    adam, generator = Adam(other_flat, 0.01), torch.Generator()
    step = reconstruction_step(
        network, data, lambda x: x, Adam(flat, 0.01), generator, center_inputs=True
    )

    for indices in torch.arange(13).split(5) * 4:
        target = data[indices]
        loss, other_flat.grad[:] = autograd(other, target - mean, target)
        adam.step()
        assert step(indices) == pytest.approx(loss, rel=1e-10)

    for ours, theirs in zip(network.linear_layers(), other.linear_layers(), strict=True):
        assert torch.allclose(ours.weight, theirs.weight, rtol=0, atol=1e-9)
    assert torch.allclose(first.bias, other_first.bias - other_first.weight @ mean, atol=1e-9)
