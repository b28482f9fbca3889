"""M2's equations, held to loops, to integrals by a grid, and to a model that can be solved."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.stats import norm

from ae_cluster.clustering.deep.vade_equations import sampled
from ae_cluster.semi_supervised.finetuned.m2 import ClassAndStyle
from ae_cluster.semi_supervised.finetuned.m2_equations import (
    divergence_from_standard,
    gaussian_log_density,
    labelled_bound,
    objective,
    unlabelled_bound,
)


def draw(*shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape))


def test_the_density_is_scipys():
    x, means, logs = draw(7, 3), draw(7, 3, seed=1), draw(7, 3, seed=2)
    expected = norm.logpdf(x.numpy(), means.numpy(), np.exp(logs.numpy() / 2)).sum(axis=1)

    assert gaussian_log_density(x, means, logs).tolist() == pytest.approx(expected)


def test_the_divergence_is_the_integral():
    z = np.linspace(-12, 12, 20_001)
    for mean, log_variance in ((0.0, 0.0), (1.3, -1.0), (-0.4, 0.7)):
        q = norm.pdf(z, mean, math.exp(log_variance / 2))
        ratio = norm.logpdf(z, mean, math.exp(log_variance / 2)) - norm.logpdf(z)
        found = divergence_from_standard(torch.tensor([[mean]]), torch.tensor([[log_variance]]))
        assert float(found) == pytest.approx(np.trapezoid(q * ratio, z), abs=1e-6)


# A model whose evidence is known: x = a_y + b_y z + noise, so p(x | y) = N(a_y, b_y² + s²).
PRIORS = np.array([0.5, 0.3, 0.2])
SHIFTS, SLOPES, NOISE = np.array([-2.0, 0.5, 3.0]), np.array([1.0, 0.4, 2.0]), 0.6


def bound_of(x, y, mean, variance):
    """Return the mean of the labelled bound over draws of z, by quadrature in place of chance."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    noise = torch.from_numpy(nodes)[:, None]
    means, logs = torch.full((40, 1), mean), torch.full((40, 1), math.log(variance))
    z = sampled(means.double(), logs.double(), noise)
    likelihood = gaussian_log_density(
        torch.full((40, 1), x).double(), SHIFTS[y] + SLOPES[y] * z,
        torch.full((40, 1), 2 * math.log(NOISE)).double(),
    )  # fmt: skip
    prior = torch.full((40,), math.log(PRIORS[y])).double()
    bounds = labelled_bound(likelihood, prior, divergence_from_standard(means, logs))
    return float((torch.from_numpy(weights) * bounds).sum() / weights.sum())


def posterior(x, y):
    variance = 1 / (1 + SLOPES[y] ** 2 / NOISE**2)
    return variance * SLOPES[y] * (x - SHIFTS[y]) / NOISE**2, variance


def log_joint(x, y):
    return math.log(PRIORS[y]) + norm.logpdf(x, SHIFTS[y], math.hypot(SLOPES[y], NOISE))


@pytest.mark.parametrize("x", [-3.0, 0.2, 4.0])
@pytest.mark.parametrize("y", [0, 1, 2])
def test_the_labelled_bound_is_the_evidence_at_the_posterior_and_below_elsewhere(x, y):
    mean, variance = posterior(x, y)

    assert bound_of(x, y, mean, variance) == pytest.approx(log_joint(x, y), abs=1e-6)
    for away in ((mean + 0.5, variance), (mean, 2 * variance), (mean - 1, variance / 3)):
        assert bound_of(x, y, *away) < log_joint(x, y) - 0.01


@pytest.mark.parametrize("x", [-3.0, 0.2, 4.0])
def test_the_unlabelled_bound_is_the_evidence_at_the_posterior_and_below_elsewhere(x):
    logs = torch.tensor([[bound_of(x, y, *posterior(x, y)) for y in range(3)]]).double()
    evidence = math.log(sum(math.exp(log_joint(x, y)) for y in range(3)))

    assert float(unlabelled_bound(logs, logs.log_softmax(1))) == pytest.approx(evidence, abs=1e-5)
    for shares in ([0.4, 0.3, 0.3], [0.1, 0.8, 0.1]):
        assert float(unlabelled_bound(logs, torch.tensor([shares]).log())) < evidence - 0.01


def test_the_unlabelled_bound_is_the_papers_sum():
    bounds, log_shares = draw(5, 3), draw(5, 3, seed=1).log_softmax(1)

    for i, found in enumerate(unlabelled_bound(bounds, log_shares).tolist()):
        q = log_shares[i].exp().tolist()
        entropy = -sum(share * math.log(share) for share in q)
        assert found == pytest.approx(
            sum(share * float(b) for share, b in zip(q, bounds[i], strict=True)) + entropy
        )


def test_the_objective_is_the_papers_over_the_number_of_samples():
    labelled, unlabelled, log_shares = draw(4), draw(12, seed=1), draw(4, seed=2)
    of_paper = -float(labelled.sum() + unlabelled.sum()) - 0.1 * 16 * float(log_shares.mean())

    found = objective(labelled, unlabelled, log_shares, 4 / 16, 0.1)
    assert float(found) == pytest.approx(of_paper / 16)


def test_bounds_of_all_classes_are_those_of_each():
    model = ClassAndStyle(4, 3, 2, 8).double()
    for parameter in model.parameters():
        parameter.data = draw(*parameter.shape) / 3
    x, noise = draw(6, 4), draw(6, 2, seed=1)
    together = model.all_bounds(x, noise)

    assert together.shape == (6, 3)
    for y in range(3):
        each = model.bounds(x, torch.full((6,), y), noise)
        assert torch.allclose(together[:, y], each)
