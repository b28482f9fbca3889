"""What a dense encoder's hidden layers say, for whoever watches their health."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ae_cluster.networks import AutoEncoderNetwork, DenseAutoEncoder

BOUNDS = {"tanh": (-1.0, 1.0), "logistic": (0.0, 1.0), "relu": (0.0, np.inf)}


@torch.no_grad()
def hidden_layers(
    network: AutoEncoderNetwork, x: Tensor
) -> list[tuple[NDArray[np.floating[Any]], float, float]]:
    """Return the bounded hidden layers' outputs (n, units) for x, each with its bounds.

    Of a dense encoder; there are none of another kind.
    """
    if not isinstance(network, DenseAutoEncoder):
        return []
    seen = []
    for i, activation in enumerate(network.activations[: network.n_encoder_layers - 1]):
        x = network._apply_layers(x, i, i + 1)
        if activation in BOUNDS:
            seen.append((x.cpu().numpy(), *BOUNDS[activation]))
    return seen
