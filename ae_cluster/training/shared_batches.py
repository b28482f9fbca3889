"""Minibatches of which each rank computes a part, as exactly as if one process computed all.

Most of a loss is a mean over samples: the weighted mean of the ranks' parts is that of the batch.
What looks at a batch as a whole asks for it here: normalisation by its statistics, the mean of
its soft assignments, and what is drawn at random, which every rank draws for the whole batch, to
take its own rows. Where nothing is shared, all is what PyTorch does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ae_cluster.common.chunks import part_of
from ae_cluster.training.ranks import Ranks


class SharedLoss(nn.Module):
    """The mean loss of samples x (b, n_features), of which their indices are told as well.

    What it needs are modules and buffers of it, so that other ranks can be sent all of it.
    """

    def __call__(self, x: Tensor, indices: Tensor) -> Tensor:
        """Return the loss."""
        loss: Tensor = super().__call__(x, indices)
        return loss


class _Part(NamedTuple):
    """What of the present batch is for this rank."""

    ranks: Ranks
    rows: slice
    n: int  # samples of the batch
    weight: float  # of this part's mean in that of the batch


_present: list[_Part] = []  # one at most


@contextmanager
def part_of_batch(ranks: Ranks | None, n: int) -> Iterator[slice]:
    """Share a batch of n samples: which rows are this rank's; without ranks all."""
    if ranks is None:
        yield slice(0, n)
        return
    rows = part_of(n, ranks.rank, ranks.n)
    part = _Part(ranks, rows, n, (rows.stop - rows.start) / n)
    if n < ranks.n:  # each computes all of it: a rank without samples could not take part
        part = _Part(ranks, slice(0, n), n, 1 / ranks.n)
    _present.append(part)
    try:
        yield part.rows
    finally:
        _present.clear()


Gradient = Callable[[Tensor, Tensor], float]


def sharing(gradient: Gradient, flat_gradient: Tensor) -> Gradient:
    """Return a gradient of batches of which each rank computes its part.

    Parameters
    ----------
    gradient : callable
        Takes samples and targets (b, n_features), returns their mean loss and leaves its
        gradient in ``flat_gradient``.
    flat_gradient : Tensor (n_parameters,)
    """
    sums = flat_gradient.new_empty(len(flat_gradient) + 1)

    def shared(x: Tensor, target: Tensor) -> float:
        sums[-1] = gradient(x, target)
        sums[:-1] = flat_gradient
        _present[0].ranks.sum(sums.mul_(_present[0].weight))
        flat_gradient.copy_(sums[:-1])
        return sums[-1].item()

    return shared


def share(loss: Tensor) -> Tensor:
    """Return the mean loss of a part as its share in that of the batch."""
    return loss * _present[0].weight if _present else loss


def batch_mean(x: Tensor) -> Tensor:
    """Return the mean over the rows of a batch, of which x may be a part."""
    mean: Tensor = x.mean(0)
    if _present:
        mean = _SumOverRanks.apply(mean * _present[0].weight)
    return mean


def drawn(draw: Callable[[int], Tensor], n: int) -> Tensor:
    """Return what ``draw(n)`` does for n samples; of a part, its rows of what all draw."""
    return draw(_present[0].n)[_present[0].rows] if _present else draw(n)


class _SumOverRanks(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.ranks = ranks = _present[0].ranks
        return ranks.sum(x.clone())

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        ranks: Ranks = ctx.ranks
        return ranks.sum(gradient.clone())  # every rank's loss depends on the sum


class _NormOverRanks(torch.autograd.Function):
    """Batch normalisation by the statistics (c,) of all parts, which it returns too."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, eps: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        part = _present[0]
        mean, square = _moments(x)
        found = part.ranks.sum(torch.stack([mean, square]) * part.weight)
        mean, var = found[0].to(x.dtype), (found[1] - found[0].square()).to(x.dtype)
        ctx.save_for_backward(x, weight, mean, var)
        ctx.part, ctx.eps = part, eps
        ctx.mark_non_differentiable(mean, var)
        return torch.native_batch_norm(x, weight, bias, mean, var, False, 0.0, eps)[0], mean, var

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, mean, var = ctx.saved_tensors
        is_last = x.dim() == 4 and x.is_contiguous(memory_format=torch.channels_last)
        layout = torch.channels_last if is_last else torch.contiguous_format
        gradient = gradients[0].contiguous(memory_format=layout)  # of another it would be slow
        of_x, of_weight, of_bias = torch.ops.aten.native_batch_norm_backward(
            gradient, x, weight, mean, var, None, None, False, ctx.eps, [True] * 3
        )
        # What the statistics pass on: the gradient less its mean, and less what goes with x.
        sums = ctx.part.ranks.sum(torch.stack([of_bias, of_weight]))
        sums = sums * (ctx.part.weight * x.shape[1] / x.numel())
        inverse = torch.rsqrt(var + ctx.eps)
        slope = -weight * sums[1] * inverse.square()
        shift = -weight * inverse * sums[0] - slope * mean
        shape = 1, -1, *[1] * (x.dim() - 2)
        of_x = of_x.add_(shift.view(shape)).addcmul_(x, slope.view(shape))
        return of_x, of_weight, of_bias, None


def _moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the means (c,) of the channels and of their squares, in double precision."""
    if x.dim() == 2:  # exactly
        x = x.double()
        return x.mean(0), x.square().mean(0)
    # By PyTorch's own sums: `torch.var_mean` takes four times as long.
    mean, var = (
        found.double() for found in torch.ops.aten.batch_norm_update_stats(x, None, None, 0)
    )
    return mean, var + mean.square()


class _SharedNorm(nn.modules.batchnorm._BatchNorm):
    def forward(self, x: Tensor) -> Tensor:
        """Return x normalised; while ranks share a batch, by the statistics of all of it."""
        if not (self.training and _present):
            return super().forward(x)
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        out, mean, var = _NormOverRanks.apply(x, self.weight, self.bias, self.eps)
        n = _present[0].n * x[0, 0].numel()
        self.num_batches_tracked.add_(1)
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(var * (n / max(n - 1, 1)), self.momentum)
        return out  # type: ignore[no-any-return]


class BatchNorm1d(_SharedNorm, nn.BatchNorm1d):
    """That of PyTorch, which ranks can share."""


class BatchNorm2d(_SharedNorm, nn.BatchNorm2d):
    """That of PyTorch, which ranks can share."""
