"""The equations of DEC, IDEC and DCN, as functions of codes and centers.

Everything is a torch tensor, so that autograd can take the gradients;
codes are (n, d), centers (k, d), soft assignments (n, k).
"""

from __future__ import annotations

import torch
from torch import Tensor


def squared_distances(codes: Tensor, centers: Tensor) -> Tensor:
    """Return ``‖z_i − μ_j‖²`` as (n, k)."""
    # Not by ‖z‖² − 2zμ + ‖μ‖²: that loses the digits of near neighbours, and its
    # last bit depends on how many samples are asked about at once.
    return torch.cdist(codes, centers, compute_mode="donot_use_mm_for_euclid_dist").square()


def student_t(codes: Tensor, centers: Tensor) -> Tensor:
    """Return DEC's soft assignments q (n, k), by a Student's t kernel of one degree of freedom.

    Xie, Girshick and Farhadi, Unsupervised deep embedding for clustering
    analysis (ICML 2016), equation 1 with α = 1.
    """
    kernel = 1 / (1 + squared_distances(codes, centers))
    return kernel / kernel.sum(dim=1, keepdim=True)


def target_distribution(soft: Tensor) -> Tensor:
    """Return DEC's target p (n, k): q squared, over the clusters' frequencies (equation 3)."""
    weight = soft.square() / soft.sum(dim=0).clamp_min(torch.finfo(soft.dtype).tiny)
    return weight / weight.sum(dim=1, keepdim=True)


def kl_divergence(target: Tensor, soft: Tensor) -> Tensor:
    """Return ``KL(p ‖ q)``, the mean over the samples (equation 2, over n)."""
    return (torch.xlogy(target, target) - torch.xlogy(target, soft)).sum(dim=1).mean()


def changed_share(before: Tensor, after: Tensor) -> float:
    """Return the share of samples whose cluster (n,) is another than before."""
    return float((before != after).double().mean())


def distance_to_own_center(codes: Tensor, centers: Tensor, clusters: Tensor) -> Tensor:
    """Return DCN's clustering penalty: the mean of ``½ ‖z_i − μ_s(i)‖²``.

    Yang, Fu, Sidiropoulos and Hong, Towards k-means-friendly spaces (ICML
    2017), without its λ.
    """
    return (codes - centers[clusters]).square().sum(dim=1).mean() / 2


def moved_centers(
    centers: Tensor, counts: Tensor, codes: Tensor, clusters: Tensor
) -> tuple[Tensor, Tensor]:
    """Return DCN's centers (k, d) and counts (k,) after a minibatch of codes.

    The paper moves a center to each of its samples in turn, by one over the
    number of samples it has had. The steps telescope: a center is
    always the mean of all it has had, which is computed here at once.
    """
    received = torch.zeros_like(counts).index_add_(0, clusters, torch.ones_like(codes[:, 0]))
    sums = torch.zeros_like(centers).index_add_(0, clusters, codes)
    after = counts + received
    return centers + (sums - received[:, None] * centers) / after[:, None], after
