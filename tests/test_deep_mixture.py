"""VaDE's equations, held to scipy, to scikit-learn's mixture and to averages over many draws."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.mixture import GaussianMixture

from ae_cluster.clustering.deep.vade_equations import (
    bernoulli_surprise,
    gaussian_surprise,
    log_component_densities,
    log_responsibilities,
    prior_divergence,
    sampled,
)


@pytest.fixture
def mixture():
    rng = np.random.default_rng(0)
    weights = rng.dirichlet(np.ones(4))
    arrays = (np.log(weights), rng.normal(size=(4, 2)), 0.5 * rng.normal(size=(4, 2)))
    return tuple(map(torch.from_numpy, arrays))


@pytest.fixture
def codes():
    return torch.from_numpy(np.random.default_rng(1).normal(size=(30, 2)))


def test_densities_are_scipys(codes, mixture):
    _, means, log_variances = mixture
    densities = log_component_densities(codes, means, log_variances).numpy()

    for c in range(4):
        covariance = np.diag(np.exp(log_variances[c].numpy()))
        normal = stats.multivariate_normal(means[c].numpy(), covariance)
        assert densities[:, c] == pytest.approx(normal.logpdf(codes.numpy()))


def test_responsibilities_are_a_gaussian_mixtures(codes):
    model = GaussianMixture(3, covariance_type="diag", random_state=0).fit(codes.numpy())
    parameters = (np.log(model.weights_), model.means_, np.log(model.covariances_))

    shares = log_responsibilities(codes, *map(torch.from_numpy, parameters)).exp()

    assert shares.numpy() == pytest.approx(model.predict_proba(codes.numpy()))


def test_far_codes_have_responsibilities_too(mixture):
    far = torch.full((1, 2), 1e4, dtype=torch.float64)

    assert float(log_responsibilities(far, *mixture).exp().sum()) == pytest.approx(1)


def test_draws_have_the_mean_and_variance_asked_for():
    noise = torch.randn(100_000, 1, generator=torch.Generator().manual_seed(0))
    drawn = sampled(torch.tensor([[3.0]]), torch.tensor([[math.log(4.0)]]), noise)

    assert float(drawn.mean()) == pytest.approx(3, abs=0.05)
    assert float(drawn.std()) == pytest.approx(2, abs=0.05)


def test_divergence_is_the_average_over_draws(mixture):
    """KL(q(z) q(c) ‖ p(z, c)) = E[log q(z) + log q(c) − log p(c) − log p(z | c)]."""
    log_weights, means, log_variances = mixture
    mean, log_variance = torch.tensor([[[0.3, -0.8]], [[-1.0, 0.2]]], dtype=torch.float64)
    shares = torch.tensor([[0.1, 0.2, 0.3, 0.4]], dtype=torch.float64)

    rng = np.random.default_rng(0)
    n = 400_000
    sd = np.exp(log_variance.numpy() / 2)
    z = mean.numpy() + sd * rng.normal(size=(n, 2))
    c = rng.choice(4, size=n, p=shares[0].numpy())
    log_q = stats.norm(mean.numpy(), sd).logpdf(z).sum(axis=1) + np.log(shares[0].numpy())[c]
    of_components = log_component_densities(torch.from_numpy(z), means, log_variances).numpy()
    log_p = log_weights.numpy()[c] + of_components[np.arange(n), c]

    closed = prior_divergence(mean, log_variance, shares.log(), *mixture)
    assert float(closed) == pytest.approx(np.mean(log_q - log_p), abs=0.02)


def test_divergence_with_one_component_is_the_vaes():
    mean, log_variance = torch.tensor([[0.5, -1.0]]), torch.tensor([[0.1, -0.3]])
    sure = torch.zeros(1, 1)
    standard = (torch.zeros(1), torch.zeros(1, 2), torch.zeros(1, 2))

    by_kingma = -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum()
    closed = prior_divergence(mean, log_variance, sure, *standard)
    assert float(closed) == pytest.approx(float(by_kingma))


def test_divergence_is_never_negative(codes, mixture):
    log_variance = torch.full_like(codes, -0.4)
    log_shares = log_responsibilities(codes, *mixture)

    assert (prior_divergence(codes, log_variance, log_shares, *mixture) >= 0).all()


def test_shares_too_small_for_a_float_have_a_gradient():
    means = torch.tensor([[0.0], [100.0]], requires_grad=True)
    prior = (torch.zeros(2), means, torch.zeros(2, 1))
    code = torch.zeros(1, 1)
    log_shares = log_responsibilities(code, *prior)
    prior_divergence(code, code, log_shares, *prior).sum().backward()

    assert log_shares.exp().tolist() == [[1, 0]]
    assert torch.isfinite(means.grad).all()


def test_surprises_by_hand():
    x = torch.tensor([[1.0, 0.0], [0.5, 0.5]])
    outputs = torch.tensor([[0.5, 0.5], [0.5, 0.25]])

    coins = [2 * math.log(2), math.log(2) - 0.5 * math.log(0.25 * 0.75)]
    assert bernoulli_surprise(x, outputs).tolist() == pytest.approx(coins)
    assert gaussian_surprise(x, outputs).tolist() == pytest.approx([0.25, 0.03125])


def test_an_impossible_pixel_is_a_finite_surprise():
    surprise = bernoulli_surprise(torch.ones(1, 1), torch.zeros(1, 1))

    assert torch.isfinite(surprise).all()


def test_an_output_that_is_no_number_gives_a_surprise_that_is_none():
    assert bernoulli_surprise(torch.ones(1, 1), torch.full((1, 1), np.nan)).isnan().all()
