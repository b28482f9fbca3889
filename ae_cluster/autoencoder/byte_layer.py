"""A network's first layer for images of bytes, by products of whole numbers: exact, and quicker.

Bytes less 128 are numbers of eight bits with a sign, which some processors multiply many times as
quickly as floats. A weight, rounded to 28 bits of the largest of its unit, is four such numbers of
seven bits each, ``((a · 128 + b) · 128 + c) · 128 + d``. So one product with four columns for each
unit, whose sums of whole numbers are exact, gives what the layer gives in float64 to eight digits.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

N_PARTS = 4  # of a weight
BASE = 128
_MOST_FEATURES = 2**31 // (128 * BASE // 2 * (BASE + 1))  # whose sums, two together, 32 bits hold
_LARGEST = 63 * BASE ** (N_PARTS - 1)  # of weights as whole numbers; its highest part is 63


def multiplies_bytes() -> bool:
    """Return whether the processor multiplies bytes quickly, as torch tells (since 2.11)."""
    capabilities: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return hasattr(torch, "_int_mm") and any(
        capabilities.get(name) for name in ("amx_int8", "avx512_vnni")
    )


class ByteLayer(nn.Linear):
    """A linear layer in float64 that takes bytes as they are; floats it takes as the layer does.

    Parameters
    ----------
    layer : Linear
        In float64, on the CPU, for numbers from 0 to 255.
    """

    parts: Tensor
    scale: Tensor
    shift: Tensor

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__(layer.in_features, layer.out_features, device="meta")
        self.weight, self.bias = layer.weight, layer.bias
        weight = layer.weight.detach()
        scale = weight.abs().amax(dim=1).clamp(min=torch.finfo(torch.float32).tiny) / _LARGEST
        self.register_buffer("parts", _in_parts((weight / scale[:, None]).round().long()))
        self.register_buffer("scale", scale)
        # What the 128 amounts to.
        self.register_buffer("shift", layer.bias.detach() + 128 * weight.sum(dim=1))

    @staticmethod
    def fits(layer: nn.Linear) -> bool:
        """Return whether sums of so many products fit into 32 bits."""
        return layer.in_features <= _MOST_FEATURES and layer.weight.device.type == "cpu"

    def forward(self, x: Tensor) -> Tensor:
        """Return outputs (n, n_units), before an activation, of rows x (n, n_features)."""
        if x.dtype != torch.uint8:
            return super().forward(x)
        signed = (x ^ 128).view(torch.int8)  # less 128
        a, b, c, d = torch._int_mm(signed, self.parts).chunk(N_PARTS, dim=1)
        high, low = torch.add(b, a, alpha=BASE).double(), torch.add(d, c, alpha=BASE).double()
        sums = low.add_(high, alpha=BASE * BASE)
        return torch.addcmul(self.shift, sums, self.scale, out=sums)


def _in_parts(whole: Tensor) -> Tensor:
    """Return whole numbers (n_units, n_features) as bytes (n_features, N_PARTS · n_units).

    The highest first. Each stands for −BASE / 2 to BASE / 2 − 1.
    """
    found: list[Tensor] = []
    for _ in range(N_PARTS):
        low = (whole + BASE // 2) % BASE - BASE // 2
        found.insert(0, low)
        whole = (whole - low) // BASE
    # A copy, since of one feature a view passes as contiguous, and its product is wrong.
    return torch.cat(found).to(torch.int8).T.clone(memory_format=torch.contiguous_format)
