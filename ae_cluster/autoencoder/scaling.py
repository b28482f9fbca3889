"""The data's own numbers to those a network is fed, and back."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ae_cluster.common.errors import InputError
from ae_cluster.common.scaling import fit_scaling
from ae_cluster.common.table_options import LOG, STANDARD

UNIT = "unit"  # images, in [0, 1]


class Scaling:
    """What a network is fed: images in [0, 1], or a table's scaled columns.

    Parameters
    ----------
    dtype : torch.dtype
        float32 or float64.
    mean, scale : Tensor (n_features,) or None
        Of a table's training columns; None for images.
    kind : str
        Of `common.table_options.SCALINGS`; "unit" of images.
    why : str
        Why it is this one, in a sentence.
    """

    def __init__(
        self,
        dtype: torch.dtype,
        mean: Tensor | None = None,
        scale: Tensor | None = None,
        kind: str = STANDARD,
        why: str = "",
    ) -> None:
        self.dtype, self.mean, self.scale = dtype, mean, scale
        self.kind, self.why = UNIT if mean is None else kind, why

    @classmethod
    def of_table(cls, rows: NDArray[Any], dtype: torch.dtype, scaling: str = STANDARD) -> Self:
        """Learn how the columns are scaled.

        Raises
        ------
        InputError
            When a column's spread is too large a number for ``dtype``, or for the scaling.
        """
        fitted = fit_scaling(rows, scaling)
        mean, scale = (torch.from_numpy(v).to(dtype) for v in (fitted.mean, fitted.scale))
        unusable = ~torch.isfinite(mean + scale)
        if unusable.any():
            column = int(np.abs(rows).max(axis=0).argmax())
            raise InputError(
                f"Column {column} holds numbers as large as {np.abs(rows[:, column]).max():g}, "
                "whose squares are infinite; divide the column by some number."
            )
        return cls(dtype, mean, scale, fitted.kind, fitted.why)

    def to(self, dtype: torch.dtype) -> Self:
        """Return the same, computed in another type."""
        mean, scale = (None if v is None else v.to(dtype) for v in (self.mean, self.scale))
        return type(self)(dtype, mean, scale, self.kind, self.why)

    def __call__(self, rows: Tensor) -> Tensor:
        """Return rows (n, n_features), bytes or floats, as the network takes them."""
        x = rows.to(self.dtype)
        if self.mean is not None and self.scale is not None:
            if self.kind == LOG:
                x = x.sign() * x.abs().log1p()
            return (x - self.mean.to(x.device)) / self.scale.to(x.device)
        # As torchvision's ToTensor: a division, so the last bit agrees too.
        return x.div_(255) if rows.dtype == torch.uint8 else x

    def undo(self, outputs: Tensor) -> Tensor:
        """Return the network's outputs (n, n_features) in the data's own units."""
        if self.mean is None or self.scale is None:
            return outputs
        x = outputs * self.scale.to(outputs.device) + self.mean.to(outputs.device)
        return x.sign() * x.abs().expm1() if self.kind == LOG else x
