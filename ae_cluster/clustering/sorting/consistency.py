"""Consistency training: the same soft assignments for a sample and for the sample perturbed.

The perturbation is the only prior. Without an image prior it is virtual adversarial: the
small step that changes the assignment most (Miyato and others, "Virtual Adversarial
Training", 2018), with an epsilon of a quarter of the distance to the tenth neighbour (Hu
and others, "IMSAT", 2017). With one, it is a random affine change of the image and a
smooth elastic deformation (Simard and others, "Best practices", 2003). The rest of the
loss wants assignments of low entropy, in the proportions that the first clusters had, so
nothing asks for classes of equal size.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ae_cluster.training.callbacks import Diagnostics
from ae_cluster.training.minibatch import MinibatchTrainer
from ae_cluster.training.shared_batches import SharedLoss, batch_mean, drawn, share

SURENESS = 0.2  # weight of the soft assignments' entropy
PROPORTIONS = 0.4  # weight of how far batches stray from the clusters' first sizes
VAT_EPSILON = 0.25  # of the distance to the tenth neighbour
VAT_XI = 0.1  # of epsilon: how far to look for the worst direction
TINY = 1e-8
Perturbation = Callable[[Tensor, Tensor, Tensor], Tensor]


def divergence(p: Tensor, log_q: Tensor) -> Tensor:
    """Return the mean Kullback–Leibler divergence of rows p (n, k) from rows exp(log_q)."""
    return (p * (torch.log(p + TINY) - log_q)).sum(1).mean()


def consistency_loss(
    logits: Tensor, perturbed_logits: Tensor, proportions: Tensor, held: float = PROPORTIONS
) -> Tensor:
    """Return the loss of the logits of a batch and of the batch perturbed.

    Parameters
    ----------
    logits, perturbed_logits : Tensor (b, k)
    proportions : Tensor (k,)
        Share of the samples that each cluster should have; sums to 1.
    held : float
        How firmly: weight of the proportions.
    """
    p = torch.softmax(logits, 1)
    apart = divergence(p.detach(), torch.log_softmax(perturbed_logits, 1))
    unsure = -(p * torch.log(p + TINY)).sum(1).mean()
    mean = batch_mean(p)
    strayed = (mean * torch.log((mean + TINY) / (proportions + TINY))).sum()
    return apart + SURENESS * unsure + held * strayed


def adversarial(head: nn.Module, epsilons: Tensor, generator: torch.Generator) -> Perturbation:
    """Return the perturbation by the worst small step; no prior on the data.

    Parameters
    ----------
    epsilons : Tensor (n, 1)
        Length of each training sample's step.
    """
    return _Adversarial(head, epsilons, generator)


class _Adversarial(nn.Module):
    epsilons: Tensor

    def __init__(self, head: nn.Module, epsilons: Tensor, generator: torch.Generator) -> None:
        super().__init__()
        self.head, self.generator = head, generator
        self.register_buffer("epsilons", epsilons)

    def forward(self, x: Tensor, indices: Tensor, logits: Tensor) -> Tensor:
        p = torch.softmax(logits.detach(), 1)
        length = self.epsilons[indices]
        probe = _normal(x.shape, self.generator, x.dtype).to(x)
        probe = (VAT_XI * length * _unit(probe)).requires_grad_()
        change = share(divergence(p, torch.log_softmax(self.head(x + probe), 1)))
        (slope,) = torch.autograd.grad(change, probe)
        return x + length * _unit(slope)


def warped(image_shape: Sequence[int], generator: torch.Generator) -> Perturbation:
    """Return the perturbation by a random affine change of the image and a smooth bending."""
    return _Warped(image_shape, generator)


class _Warped(nn.Module):
    def __init__(self, image_shape: Sequence[int], generator: torch.Generator) -> None:
        super().__init__()
        self.image_shape, self.generator = (*image_shape, 1)[:3], generator

    def forward(self, x: Tensor, indices: Tensor, logits: Tensor) -> Tensor:  # noqa: ARG002
        height, width, depth = self.image_shape
        maps = x.reshape(-1, height, width, depth).permute(0, 3, 1, 2)
        size = len(maps), 2, height, width
        affine = random_affine(len(maps), self.generator, x.dtype).to(x)
        grid = nn.functional.affine_grid(affine, list(size), align_corners=False)
        grid = grid + random_bending(size, self.generator, x.dtype).to(x)
        moved = nn.functional.grid_sample(maps, grid, align_corners=False)
        return moved.permute(0, 2, 3, 1).reshape(x.shape)


ROTATION, SHEAR, LOG_SIZE, SHIFT = 0.25, 0.25, 0.15, 0.1  # at most; radians, …, half images


def random_affine(n: int, generator: torch.Generator, dtype: torch.dtype) -> Tensor:
    """Return n random affine maps (n, 2, 3) near the identity, in coordinates of [−1, 1]."""

    def uniform(most: float) -> Tensor:
        share_of_one = drawn(lambda m: torch.rand(m, generator=generator, dtype=dtype), n)
        return (share_of_one * 2 - 1) * most

    angle, shear = uniform(ROTATION), uniform(SHEAR)
    size = torch.exp(uniform(LOG_SIZE))
    stretch = size * torch.exp(uniform(LOG_SIZE / 2))
    cos, sin = torch.cos(angle), torch.sin(angle)
    first = torch.stack([size * cos, size * (shear * cos - sin), uniform(SHIFT)], 1)
    second = torch.stack([stretch * sin, stretch * (shear * sin + cos), uniform(SHIFT)], 1)
    return torch.stack([first, second], 1)


BENDING, STRIDE = 0.05, 4  # half images, standard deviation; pixels between what moves freely


def random_bending(
    size: tuple[int, int, int, int], generator: torch.Generator, dtype: torch.dtype
) -> Tensor:
    """Return smooth random shifts (n, height, width, 2), in coordinates of [−1, 1]."""
    n, _, height, width = size
    coarse = n, 2, max(2, round(height / STRIDE)), max(2, round(width / STRIDE))
    free = BENDING * _normal(coarse, generator, dtype)
    smooth = nn.functional.interpolate(free, (height, width), mode="bicubic")
    return smooth.permute(0, 2, 3, 1)


def _normal(shape: Sequence[int], generator: torch.Generator, dtype: torch.dtype) -> Tensor:
    def draw(n: int) -> Tensor:
        return torch.randn((n, *shape[1:]), generator=generator, dtype=dtype)

    return drawn(draw, shape[0])


def _unit(x: Tensor) -> Tensor:
    length: Tensor = torch.linalg.vector_norm(x, dim=1, keepdim=True)
    return x / (length + 1e-12)


def learn_consistency(
    trainer: MinibatchTrainer,
    head: nn.Module,
    proportions: Tensor,
    epochs: int,
    rate: float,
    perturb: Perturbation,
) -> None:
    """Train a cluster head to give perturbed samples the same soft assignments."""
    loss = _Consistency(head, perturb, proportions, len(trainer.x))
    watch = Diagnostics(lambda: {"clusters": loss.seen(), "n_clusters": len(proportions)})
    what = "consistency training"
    trainer.fit(head, loss, trainer.epochs(epochs), rate, callbacks=[watch], what=what)


class _Consistency(SharedLoss):
    """The `consistency_loss` of a cluster head, which keeps the clusters it has met."""

    proportions: Tensor

    def __init__(
        self, head: nn.Module, perturb: Perturbation, proportions: Tensor, n_samples: int
    ) -> None:
        super().__init__()
        self.head, self.perturb = head, perturb
        self.register_buffer("proportions", proportions)
        self.clusters = np.full(n_samples, -1)

    def forward(self, x: Tensor, indices: Tensor) -> Tensor:
        logits = self.head(x)
        self.clusters[indices.numpy()] = logits.detach().argmax(1).cpu().numpy()
        perturbed_logits = self.head(self.perturb(x, indices, logits))
        return consistency_loss(logits, perturbed_logits, self.proportions)

    def seen(self) -> NDArray[np.int64]:
        """Return the clusters of the samples met; other ranks meet others."""
        return self.clusters[self.clusters >= 0]


def one_hot(clusters: np.ndarray[Any, Any], n_clusters: int, like: Tensor) -> Tensor:
    """Return clusters (n,) as rows of one 1 (n, k), of the type and device of ``like``."""
    return nn.functional.one_hot(torch.as_tensor(clusters), n_clusters).to(like)
