"""Arrays through a network, a chunk at a time: images to codes, codes to images, errors.

Nothing here keeps gradients, and what is on the device does not grow with the
number of samples.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ae_cluster.autoencoder.networks import AutoEncoderNetwork
from ae_cluster.autoencoder.scaling import Scaling
from ae_cluster.common.chunks import CHUNK_ROWS, slices
from ae_cluster.training.diagnostics import collapse
from ae_cluster.training.threads import threads_for

CHUNK_VALUES = 2**22  # at a time, of wide rows
IN_CACHE = 2048  # rows of float64 at a time, fewer make more calls, more leave a cache
SMALL = 2**25  # bytes
LOOKED_AT = 1000  # samples, evenly spread, that show a collapse


def encode(network: AutoEncoderNetwork, scaling: Scaling, rows: NDArray[Any]) -> NDArray[Any]:
    """Return the codes (n, n_components) of rows (n, n_features)."""
    return _mapped(lambda part: network.encode(scaling(part)), rows, network)


def decode(network: AutoEncoderNetwork, scaling: Scaling, codes: NDArray[Any]) -> NDArray[Any]:
    """Return the rows (n, n_features), in the data's units, of codes (n, n_components)."""
    return _mapped(lambda part: scaling.undo(network.decode(part)), codes, network)


@torch.no_grad()
def reconstruction_error(
    network: AutoEncoderNetwork, scaling: Scaling, rows: NDArray[Any] | Tensor
) -> float:
    """Return the mean of ``(network(x) - x)²`` over all values of rows (n, n_features)."""
    total = 0.0
    with threads_for(network):
        for part in chunks(rows, network):
            x = scaling(part)
            total += torch.nn.functional.mse_loss(network(x), x, reduction="sum").item()
    return total / (rows.shape[0] * rows.shape[1])


@torch.no_grad()
def is_usable(network: AutoEncoderNetwork, scaling: Scaling, rows: Tensor) -> bool:
    """Return whether the codes and reconstructions of a few rows are finite numbers."""
    codes = network.encode(scaling(rows))
    return bool(codes.isfinite().all() and network.decode(codes).isfinite().all())


@torch.no_grad()
def collapse_of(network: AutoEncoderNetwork, scaling: Scaling, rows: NDArray[Any]) -> str:
    """Return how a network has collapsed on training rows, "" when it has not."""
    some = rows[:: math.ceil(len(rows) / LOOKED_AT)]
    codes, images, drawn = [], [], []
    for part in chunks(some.reshape(len(some), -1), network):
        images.append(scaling(part))
        codes.append(network.encode(images[-1]))
        drawn.append(network.decode(codes[-1]))
    seen = (torch.cat(parts).cpu().numpy() for parts in (codes, images, drawn))
    return collapse(*seen)


@torch.no_grad()
def _mapped(
    function: Callable[[Tensor], Tensor], rows: NDArray[Any], network: AutoEncoderNetwork
) -> NDArray[Any]:
    """Return ``function`` of all rows, one below the other."""
    out: NDArray[Any] | None = None
    start = 0
    with threads_for(network):
        for part in chunks(rows, network):
            values = function(part).cpu().numpy()
            if out is None:
                out = np.empty((len(rows), values.shape[1]), values.dtype)
            out[start : start + len(values)] = values
            start += len(values)
    assert out is not None  # never empty: arrays are checked before
    return out


def chunks(rows: NDArray[Any] | Tensor, network: AutoEncoderNetwork) -> Iterator[Tensor]:
    """Yield rows (n, n_features) as tensors on the network's device."""
    device = next(network.parameters()).device
    size = min(rows_at_once(network), max(1, CHUNK_VALUES // rows.shape[1]))
    for part in slices(len(rows), size):
        yield as_tensor(rows[part]).to(device)


def rows_at_once(network: nn.Module) -> int:
    """Return how many rows of usual width go through a network at a time."""
    like = next(network.parameters())
    is_slow = like.dtype == torch.float64 and like.device.type == "cpu"
    return IN_CACHE if is_slow else CHUNK_ROWS


def as_tensor(rows: NDArray[Any] | Tensor) -> Tensor:
    """Return rows as a tensor in C order; those of a file that lies in memory are not copied.

    Nothing here writes into rows, so torch's warning of arrays that may not be written to is
    left out. Small ones are copied: that costs less than to set a filter of warnings.
    """
    if isinstance(rows, Tensor):
        return rows
    if rows.flags.c_contiguous and rows.flags.writeable:
        return torch.from_numpy(rows)
    if not rows.flags.c_contiguous or rows.nbytes <= SMALL:
        return torch.from_numpy(rows.copy())
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")
        return torch.from_numpy(rows)
