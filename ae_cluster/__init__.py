"""Autoencoders for clustering: how far can a 3-D code be taken.

Images → autoencoder → 3-D codes → clusters (no labels) or a classifier (a few
labels) → honest scores on held-out labels → tables and figures.

The public names below are loaded on first use, so that ``import ae_cluster``
and the command line's ``--help`` do not wait for torch.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_HOME_OF = {
    "AutoEncoder": "autoencoder",
    "Callback": "training",
    "Dataset": "datasets",
    "InputError": "errors",
    "LabelBudget": "few_labels.budgets",
    "Progress": "training",
    "draw_budget": "few_labels.budgets",
    "load_dataset": "datasets",
    "read_codes": "run_reading",
    "read_scores": "run_reading",
    "run": "runs",
    "suggest_labels": "few_labels.suggesting",
    "RunConfig": "config",
    "DEC": "deep",
    "IDEC": "deep",
    "DCN": "deep",
    "VaDE": "deep",
    "N2D": "deep",
    "HealthWarning": "health",
    "SortingAutoEncoder": "sorting",
    "DeepGenerativeClassifier": "reshaping",
    "FineTunedClassifier": "reshaping",
    "SortingClassifier": "reshaping",
}

__all__ = [  # noqa: PLE0604 (computed: one list of names, not two)
    "__version__",
    *sorted(_HOME_OF),
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'ae_cluster' has no attribute {name!r}")
    return getattr(importlib.import_module(f"ae_cluster.{_HOME_OF[name]}"), name)


def __dir__() -> list[str]:
    return __all__
