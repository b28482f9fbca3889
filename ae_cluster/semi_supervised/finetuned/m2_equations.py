"""M2's equations: a generative model whose causes are a class and a style.

Kingma, Rezende, Mohamed and Welling, "Semi-supervised learning with deep generative models"
(NeurIPS 2014); numbers are the paper's. x are samples (n, d), for M1+M2 the codes of M1;
y is the class, z the style (n, m). Gaussians are given by means and log variances.
"""

from __future__ import annotations

import math

from torch import Tensor


def gaussian_log_density(x: Tensor, means: Tensor, log_variances: Tensor) -> Tensor:
    """Return ``log N(x; μ, diag σ²)`` (…): the sum over the last axis; equation 2 of codes."""
    deviations = (x - means).square() / log_variances.exp()
    return -0.5 * (math.log(2 * math.pi) + log_variances + deviations).sum(dim=-1)


def divergence_from_standard(means: Tensor, log_variances: Tensor) -> Tensor:
    """Return ``KL(N(μ, diag σ²) ‖ N(0, I))`` (…), in closed form; appendix B."""
    return 0.5 * (means.square() + log_variances.exp() - 1 - log_variances).sum(dim=-1)


def labelled_bound(log_likelihood: Tensor, log_prior: Tensor, divergence: Tensor) -> Tensor:
    """Return ``−L(x, y) ≤ log p(x, y)`` (…), equation 6.

    ``log p(x | y, z) + log p(y) − KL(q(z | x, y) ‖ p(z))``, the first for a z drawn from q.
    """
    return log_likelihood + log_prior - divergence


def unlabelled_bound(bounds: Tensor, log_shares: Tensor) -> Tensor:
    """Return ``−U(x) ≤ log p(x)`` (n,), equation 7: the class summed out.

    ``Σ_y q(y | x) · (−L(x, y)) + H(q(y | x))``, with ``−L`` (n, k) as ``bounds`` and
    ``log q(y | x)`` (n, k) as ``log_shares``.
    """
    return (log_shares.exp() * (bounds - log_shares)).sum(dim=1)


def objective(
    labelled: Tensor, unlabelled: Tensor, log_shares_of_labels: Tensor, share: float, alpha: float
) -> Tensor:
    """Return J^α over the number of samples, equations 8 and 9, by minibatch means.

    Parameters
    ----------
    labelled : Tensor (l,)
        −L of labelled samples.
    unlabelled : Tensor (u,)
        −U of unlabelled ones.
    log_shares_of_labels : Tensor (l,)
        ``log q(y | x)`` of the true class.
    share : float
        Of the labelled among all samples.
    alpha : float
        Of the classification loss; the paper's α is this times the number of samples.
    """
    evidence = share * labelled.mean() + (1 - share) * unlabelled.mean()
    return -evidence - alpha * log_shares_of_labels.mean()
