"""What a run will take, as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ae_cluster.common.progress import in_words

_MEGABYTE = 1e6


def plan_report(plan: Mapping[str, Any]) -> str:
    """Return in lines what `ae_cluster.runs.estimate.estimate` found."""
    read = plan["bytes_read"] / _MEGABYTE
    lines = [
        f"{plan['data']}: {plan['n_train']:,} training and {plan['n_test']:,} test samples of "
        f"{plan['n_features']:,} numbers; {read:,.1f} MB are read.",
        f"Memory: about {plan['memory_mb']:,} MB. Time: about {in_words(plan['seconds'])}, from "
        "rates of two cores of an x86-64 CPU with nothing else running; machines differ by a "
        "factor of two or more.",
    ]
    lines += [
        f"  {in_words(step['seconds']):>7}  {step['name']}{': ' * bool(step['of'])}{step['of']}"
        for step in plan["steps"]
    ]
    return "\n".join(lines)
