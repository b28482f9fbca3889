"""Numbers as text for people, the same in every table and message."""

from __future__ import annotations

import math

NOTHING = "–"  # where there is no number


def number(value: float, decimals: int = 3, *, leading_zero: bool = True) -> str:
    """Return a number with so many decimals, `NOTHING` for NaN.

    >>> number(0.98765), number(0.98765, leading_zero=False), number(12, 1), number(math.nan)
    ('0.988', '.988', '12.0', '–')
    """
    if math.isnan(value):
        return NOTHING
    text = f"{value:z.{decimals}f}"
    return text if leading_zero else text.removeprefix("0")
