"""Arrays to the network's numbers and back, a chunk at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.preprocessing import StandardScaler
from torch import Tensor

CHUNK_ROWS = 4096  # coded at a time: large enough for the cores, small beside any data


class Scaling:
    """What a network is fed: images in [0, 1], or a table's standardised columns.

    Parameters
    ----------
    dtype : torch.dtype
        float32 or float64.
    mean, scale : Tensor (n_features,) or None
        Of a table's training columns; None for images.
    """

    def __init__(
        self, dtype: torch.dtype, mean: Tensor | None = None, scale: Tensor | None = None
    ) -> None:
        self.dtype, self.mean, self.scale = dtype, mean, scale

    @classmethod
    def of_table(cls, rows: NDArray[Any], dtype: torch.dtype) -> Self:
        """Learn the columns' means and standard deviations (1 where a column is constant)."""
        scaler = StandardScaler().fit(rows)
        mean, scale = (torch.from_numpy(v).to(dtype) for v in (scaler.mean_, scaler.scale_))
        return cls(dtype, mean, scale)

    def __call__(self, rows: Tensor) -> Tensor:
        """Return rows (n, n_features), bytes or floats, as the network takes them."""
        x = rows.to(self.dtype)
        if self.mean is not None and self.scale is not None:
            return (x - self.mean.to(x.device)) / self.scale.to(x.device)
        # As torchvision's ToTensor: a division, so the last bit agrees too.
        return x.div_(255) if rows.dtype == torch.uint8 else x

    def undo(self, outputs: Tensor) -> Tensor:
        """Return the network's outputs (n, n_features) in the data's own units."""
        if self.mean is not None and self.scale is not None:
            return outputs * self.scale.to(outputs.device) + self.mean.to(outputs.device)
        return outputs


def as_tensor(rows: NDArray[Any]) -> Tensor:
    """Return rows as a tensor, sharing memory where torch may write (it warns otherwise)."""
    return torch.from_numpy(rows if rows.flags.writeable else rows.copy())


def chunks(rows: NDArray[Any], device: torch.device) -> Iterator[Tensor]:
    """Yield an array's rows as tensors on a device, so that memory there does not grow with n."""
    for start in range(0, len(rows), CHUNK_ROWS):
        yield as_tensor(rows[start : start + CHUNK_ROWS]).to(device)


@torch.no_grad()
def filled(
    shape: tuple[int, int],
    dtype: str,
    function: Callable[[Tensor], Tensor],
    parts: Iterable[Tensor],
) -> NDArray[Any]:
    """Return ``function`` of every part, one below the other, in one array of ``shape``."""
    out = np.empty(shape, dtype=dtype)
    start = 0
    for part in parts:
        out[start : start + len(part)] = function(part).cpu().numpy()
        start += len(part)
    return out


@torch.no_grad()
def mean_squared_error(
    function: Callable[[Tensor], Tensor], scaling: Scaling, parts: Iterable[Tensor]
) -> float:
    """Return the mean of ``(function(x) - x)²`` over all values of all parts."""
    total, count = 0.0, 0
    for part in parts:
        x = scaling(part)
        total += torch.nn.functional.mse_loss(function(x), x, reduction="sum").item()
        count += x.numel()
    return total / count
