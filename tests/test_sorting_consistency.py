"""The perturbations, the loss and the codes of `SortingAutoEncoder`, by hand."""

import numpy as np
import pytest
import torch

from ae_cluster.clustering.sorting.consistency import (
    adversarial,
    consistency_loss,
    divergence,
    learn_consistency,
    random_bending,
    warped,
)
from ae_cluster.clustering.sorting.networks import SortingNetwork, dense_head
from ae_cluster.training.diagnostics import HealthWarning
from ae_cluster.training.minibatch import MinibatchTrainer


@pytest.fixture
def head():
    torch.manual_seed(0)
    network = dense_head(12, (16,), 3)
    for layer in network:
        if isinstance(layer, torch.nn.Linear):
            torch.nn.init.normal_(layer.weight, std=0.3)
            torch.nn.init.zeros_(layer.bias)
    return network.eval()


def test_the_worst_step_is_as_long_as_told_and_worse_than_chance(head):
    generator = torch.Generator().manual_seed(0)
    x, reach = torch.randn(50, 12), torch.full((50, 1), 0.1)
    logits = head(x)
    moved = adversarial(head, reach, generator)(x, torch.arange(50), logits)
    step = moved - x
    torch.testing.assert_close(step.norm(dim=1), reach[:, 0], rtol=1e-4, atol=1e-5)
    by_chance = torch.randn(50, 12)
    by_chance *= 0.1 / by_chance.norm(dim=1, keepdim=True)
    p = torch.softmax(logits, 1)
    worst, random = (
        divergence(p, torch.log_softmax(head(x + way), 1)).item() for way in (step, by_chance)
    )
    assert worst > 2 * random


def test_a_warp_moves_ink_but_makes_none():
    images = torch.zeros(20, 9, 9)
    images[:, 3:6, 3:6] = 1
    moved = warped((9, 9), torch.Generator().manual_seed(0))(images.flatten(1), None, None)
    assert moved.shape == (20, 81)
    assert moved.min() >= 0
    assert moved.max() <= 1.0001
    assert (moved - images.flatten(1)).abs().sum() > 1
    mass = moved.sum(1) / 9
    assert 0.5 < mass.min() < mass.max() < 1.7


def test_a_bending_is_smooth_and_other_for_every_image():
    bent = random_bending((50, 1, 28, 28), torch.Generator().manual_seed(0), torch.float64)
    assert bent.shape == (50, 28, 28, 2)
    assert 0.01 < bent.std() < 0.1
    assert bent.diff(dim=1).abs().mean() < bent.abs().mean() / 2
    assert not torch.allclose(bent[0], bent[1])


def test_sure_and_equal_answers_in_the_told_proportions_cost_nothing():
    logits = 50 * torch.eye(3).repeat(4, 1)
    even = torch.full((3,), 1 / 3)
    assert consistency_loss(logits, logits, even).item() == pytest.approx(0, abs=1e-5)
    uneven = torch.tensor([0.8, 0.1, 0.1])
    assert consistency_loss(logits, logits, uneven).item() > 0.1
    assert consistency_loss(logits, logits.roll(1, 0), even).item() > 1
    assert consistency_loss(0 * logits, 0 * logits, even).item() > 0.1
    # The divergence of even from uneven shares, by hand, as often as they are held.
    strayed = np.log(1 / 3) - (np.log(0.8) + 2 * np.log(0.1)) / 3
    for held in (0.4, 1.0):
        loss = consistency_loss(logits, logits, uneven, held)
        assert loss.item() == pytest.approx(held * strayed, rel=1e-4)


def test_a_code_is_a_center_and_an_offset(head):
    network = SortingNetwork(head, 12, 2, 3, is_image=False).eval()
    for p in network.offset_layers.parameters():
        torch.nn.init.normal_(p)
    network.centers.copy_(torch.tensor([[0.0, 0], [4, 0], [0, 4]]))
    network.radius.fill_(0.5)
    x = torch.randn(40, 12) * 20
    way = network.encode(x) - network.centers[network.cluster_head(x).argmax(1)]
    sure = network.memberships(x).max(1).values > 0.99
    assert sure.sum() > 10
    assert way[sure].norm(dim=1).max() < 0.5 + 1e-3


def test_a_cluster_that_eats_the_others_is_said_after_its_epoch():
    x = torch.randn(40, 3)
    head = torch.nn.Linear(3, 4)
    with torch.no_grad():
        head.weight.zero_()
        head.bias.copy_(torch.tensor([9.0, 0, 0, 0]))
    teacher = MinibatchTrainer(x, 20, 1, torch.Generator().manual_seed(0), None, verbose=False)
    emptied = pytest.warns(HealthWarning, match="Clusters 1, 2 and 3 are empty")
    eaten = pytest.warns(HealthWarning, match=r"Cluster 0 holds 100%.*\(after epoch 1\)")
    with emptied, eaten:
        learn_consistency(teacher, head, torch.full((4,), 0.25), 1, 1e-9, lambda x, *_: x)
