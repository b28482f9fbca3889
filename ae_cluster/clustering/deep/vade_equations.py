"""VaDE's equations: a variational autoencoder whose prior is a mixture of Gaussians.

Jiang, Zheng, Tan, Tang and Zhou, Variational deep embedding (IJCAI 2017).
Codes z and their means are (n, d); a mixture has weights (k,) and, for each
component, means (k, d) and variances (k, d), all given as logarithms where
they are positive.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def log_component_densities(codes: Tensor, means: Tensor, log_variances: Tensor) -> Tensor:
    """Return ``log N(z_i; μ_c, σ²_c)`` as (n, k)."""
    deviations = (codes[:, None] - means).square() / log_variances.exp()
    return -0.5 * (math.log(2 * math.pi) + log_variances + deviations).sum(dim=2)


def log_responsibilities(
    codes: Tensor, log_weights: Tensor, means: Tensor, log_variances: Tensor
) -> Tensor:
    """Return ``log γ`` (n, k), the components' shares in each code.

    As logarithms, since a share may be too small for a float and still have a gradient.
    """
    joint = log_weights + log_component_densities(codes, means, log_variances)
    return joint.log_softmax(dim=1)


def sampled(code_means: Tensor, code_log_variances: Tensor, noise: Tensor) -> Tensor:
    """Return codes drawn around their means, by standard normal noise (n, d)."""
    return code_means + (code_log_variances / 2).exp() * noise


def prior_divergence(
    code_means: Tensor,
    code_log_variances: Tensor,
    log_shares: Tensor,
    log_weights: Tensor,
    means: Tensor,
    log_variances: Tensor,
) -> Tensor:
    """Return ``KL(q(z, c | x) ‖ p(z, c))`` of each sample (n,), in closed form.

    It is minus the terms of the bound after the first, with γ
    (``log_shares``) as ``q(c | x)``.
    """
    shares = log_shares.exp()
    spread = code_log_variances.exp()[:, None] + (code_means[:, None] - means).square()
    cross_entropies = (log_variances + spread / log_variances.exp()).sum(dim=2) / 2
    of_codes = (shares * cross_entropies).sum(dim=1) - (1 + code_log_variances).sum(dim=1) / 2
    of_components = (shares * (log_shares - log_weights)).sum(dim=1)
    return of_codes + of_components


def bernoulli_surprise(images: Tensor, outputs: Tensor) -> Tensor:
    """Return ``−log p(x | z)`` of each image (n,), each pixel a coin of the output's bias."""
    # By hand, since torch's own stops at an output that is no number and does not say when.
    least = torch.finfo(outputs.dtype).eps
    ones = torch.xlogy(images, outputs.clamp_min(least))
    zeros = torch.xlogy(1 - images, (1 - outputs).clamp_min(least))
    return -(ones + zeros).sum(dim=1)


def gaussian_surprise(rows: Tensor, outputs: Tensor, variance: float = 1.0) -> Tensor:
    """Return ``−log p(x | z)`` of each row (n,) up to a constant, with noise of this variance."""
    return (rows - outputs).square().sum(dim=1) / (2 * variance)
