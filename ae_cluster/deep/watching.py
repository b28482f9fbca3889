"""Collapse is noticed while it happens: the health of a training, said once per trouble."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ae_cluster.health import HealthWarning, findings
from ae_cluster.networks import AutoEncoderNetwork, DenseAutoEncoder
from ae_cluster.training import Callback, Progress

BOUNDS = {"tanh": (-1.0, 1.0), "logistic": (0.0, 1.0), "relu": (0.0, np.inf)}


class HealthWatch(Callback):
    """Warns after an epoch of everything `ae_cluster.health.findings` finds.

    Parameters
    ----------
    appearance : callable
        Takes nothing, returns the arrays to look at: arguments of ``findings``.
    """

    def __init__(self, appearance: Callable[[], dict[str, Any]]) -> None:
        self.appearance = appearance
        self.said: set[str] = set()
        self.epoch = 0

    def on_epoch(self, progress: Progress) -> None:
        """Look at the present state."""
        self.epoch = progress.epoch
        self.say(**self.appearance())

    def say(self, **arrays: Any) -> None:
        """Warn of what these arrays show; the same trouble with other numbers is not news."""
        for sentence in findings(**arrays):
            trouble = re.sub(r"[\d,. ]+|and|%", "", sentence)
            if trouble not in self.said:
                self.said.add(trouble)
                when = f"after epoch {self.epoch}" if self.epoch else "before training"
                warnings.warn(f"{sentence[:-1]} ({when}).", HealthWarning, stacklevel=2)


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
