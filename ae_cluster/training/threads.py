"""How many threads torch computes with: one, unless a network is large.

A small network's step takes a millisecond or less, and its threads spend much of that waiting
for each other; where other work runs beside, they were seen to wait for twenty times as long.
One thread also gives the same bits however many there are: with several, a product's sums
are split by their number.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

LARGE = 250_000  # multiply-adds of one sample; the tutorial's network has 219,648


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute with one thread, as ``with one_thread():`` or above a function."""
    threads = torch.get_num_threads()
    if threads > 1:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        if threads > 1:
            torch.set_num_threads(threads)


@contextmanager
def threads_for(network: nn.Module) -> Iterator[None]:
    """Compute with one thread for a small network, else with as many as torch was told."""
    if multiply_adds(network) > LARGE:
        yield
    else:
        with one_thread():
            yield


def multiply_adds(network: nn.Module) -> int:
    """Return what the layers of a network multiply and add for one sample."""
    shapes: Iterator[Any] = (m.image_shape for m in network.modules() if hasattr(m, "image_shape"))
    pixels, total = math.prod(next(shapes, (1, 1))[:2]), 0
    for layer in network.modules():  # in the order in which a sample passes them
        if isinstance(layer, nn.Conv2d):
            pixels = math.ceil(pixels / math.prod(layer.stride))
            total += layer.weight.numel() * pixels
        elif isinstance(layer, nn.ConvTranspose2d):
            total += layer.weight.numel() * pixels
            pixels *= math.prod(layer.stride)
        elif isinstance(layer, nn.Linear):
            total += layer.weight.numel()
    return total
