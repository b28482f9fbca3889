"""The papers' equations, held to loops over samples and to cases countable by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from ae_cluster.clustering.deep.equations import (
    changed_share,
    distance_to_own_center,
    kl_divergence,
    moved_centers,
    squared_distances,
    student_t,
    target_distribution,
)


def draw(*shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape))


@pytest.fixture
def codes():
    return draw(40, 3)


@pytest.fixture
def centers():
    return draw(5, 3, seed=1)


# ---- DEC


def test_soft_assignments_are_the_papers_quotient(codes, centers):
    soft = student_t(codes, centers)

    for i in range(40):
        kernel = [1 / (1 + float(((codes[i] - mu) ** 2).sum())) for mu in centers]
        assert soft[i].tolist() == pytest.approx([value / sum(kernel) for value in kernel])


def test_soft_assignments_by_hand():
    # Distances² 0 and 1: kernels 1 and 1/2.
    soft = student_t(torch.tensor([[0.0]]), torch.tensor([[0.0], [1.0]]))

    assert soft.tolist() == [pytest.approx([2 / 3, 1 / 3])]


def test_the_target_is_the_papers_quotient(codes, centers):
    soft = student_t(codes, centers).numpy()
    target = target_distribution(torch.from_numpy(soft)).numpy()

    frequency = soft.sum(axis=0)
    for i in range(40):
        weights = [soft[i, j] ** 2 / frequency[j] for j in range(5)]
        assert target[i] == pytest.approx(np.array(weights) / sum(weights))


def test_the_target_by_hand():
    # Frequencies 1 and 1; squares .64 and .04.
    soft = torch.tensor([[0.8, 0.2], [0.2, 0.8]], dtype=torch.float64)

    assert target_distribution(soft)[0].tolist() == pytest.approx([0.64 / 0.68, 0.04 / 0.68])


def test_the_target_is_surer_and_a_cluster_nobody_wants_harms_nothing(codes, centers):
    soft = student_t(codes, centers)
    assert (target_distribution(soft).max(dim=1).values >= soft.max(dim=1).values - 0.05).all()

    deserted = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    assert target_distribution(deserted).tolist() == [[1, 0], [1, 0]]


def test_divergence_is_the_papers_sum(codes, centers):
    soft = student_t(codes, centers)
    target = target_distribution(soft)

    by_hand = sum(
        float(target[i, j]) * math.log(float(target[i, j]) / float(soft[i, j]))
        for i in range(40)
        for j in range(5)
    )
    assert float(kl_divergence(target, soft)) == pytest.approx(by_hand / 40)


def test_divergence_is_zero_for_equals_and_takes_zero_targets():
    sure = torch.tensor([[1.0, 0.0]])

    assert float(kl_divergence(sure, sure)) == 0
    assert float(kl_divergence(sure, torch.tensor([[0.5, 0.5]]))) == pytest.approx(math.log(2))


def test_the_gradient_is_the_one_in_the_paper(codes, centers):
    codes.requires_grad_()
    centers.requires_grad_()
    target = target_distribution(student_t(codes, centers).detach())
    kl_divergence(target, student_t(codes, centers)).backward()

    with torch.no_grad():  # equations 4 and 5 with α = 1, over n for the mean
        soft = student_t(codes, centers)
        pull = (target - soft) / (1 + squared_distances(codes, centers))
        apart = codes[:, None] - centers
        of_codes = 2 * (pull[:, :, None] * apart).sum(dim=1) / 40
        of_centers = -2 * (pull[:, :, None] * apart).sum(dim=0) / 40
    assert torch.allclose(codes.grad, of_codes)
    assert torch.allclose(centers.grad, of_centers)


def test_distances_of_near_neighbours_keep_their_digits():
    far = torch.tensor([[1000.0, 0.0]])

    assert float(squared_distances(far, far + torch.tensor([0.0, 1e-3]))) == pytest.approx(1e-6)


def test_a_code_on_its_center_has_a_gradient():
    codes = torch.zeros(1, 2, requires_grad=True)
    student_t(codes, torch.tensor([[0.0, 0.0], [1.0, 1.0]]))[0, 0].backward()

    assert torch.isfinite(codes.grad).all()


def test_changed_share_counts():
    before, after = torch.tensor([0, 1, 2, 3]), torch.tensor([0, 1, 3, 3])

    assert changed_share(before, after) == 0.25
    assert changed_share(before, before) == 0


# ---- DCN


def test_penalty_is_half_the_mean_squared_distance(codes, centers):
    clusters = torch.arange(40) % 5

    by_hand = [float(((codes[i] - centers[i % 5]) ** 2).sum()) / 2 for i in range(40)]
    penalty = distance_to_own_center(codes, centers, clusters)
    assert float(penalty) == pytest.approx(np.mean(by_hand))


def one_by_one(centers, counts, codes, clusters):
    """Move the centers as the paper does, sample by sample."""
    centers, counts = centers.clone(), counts.clone()
    for code, j in zip(codes, clusters.tolist(), strict=True):
        counts[j] += 1
        centers[j] -= (centers[j] - code) / counts[j]
    return centers, counts


def test_centers_move_as_sample_by_sample(codes, centers):
    clusters = torch.from_numpy(np.random.default_rng(2).integers(0, 4, 40))  # 4 gets none
    counts = torch.tensor([1.0, 2, 30, 100, 7], dtype=torch.float64)

    moved, after = moved_centers(centers, counts, codes, clusters)

    expected, expected_counts = one_by_one(centers, counts, codes, clusters)
    assert torch.allclose(moved, expected)
    assert torch.equal(after, expected_counts)
    assert torch.equal(moved[4], centers[4])


def test_a_center_is_the_mean_of_all_it_had():
    moved, counts = moved_centers(
        torch.tensor([[1.0], [5.0]]),
        torch.tensor([2.0, 1.0]),
        torch.tensor([[4.0], [9.0]]),
        torch.tensor([0, 1]),
    )

    assert moved.tolist() == [[2.0], [7.0]]  # (1 + 1 + 4) / 3 and (5 + 9) / 2
    assert counts.tolist() == [3, 2]
