"""The data's own numbers to those a network is fed, and back."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from ae_cluster.common.errors import InputError


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
        """Learn the columns' means and standard deviations (1 where a column is constant).

        Raises
        ------
        InputError
            When a column's spread is too large a number for ``dtype``.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            scaler = StandardScaler().fit(rows)
        mean, scale = (torch.from_numpy(v).to(dtype) for v in (scaler.mean_, scaler.scale_))
        unusable = ~torch.isfinite(mean + scale)
        if unusable.any():
            column = int(unusable.nonzero()[0])
            raise InputError(
                f"Column {column} holds numbers as large as {np.abs(rows[:, column]).max():g}, "
                "whose squares are infinite; divide the column by some number."
            )
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
