"""Autoencoders for clustering: how far can a 3-D code be taken.

Images → autoencoder → 3-D codes → clusters (no labels) or a classifier (a few
labels) → honest scores on held-out labels → tables and figures.

The public names below are loaded on first use, so that ``import ae_cluster``
and the command line's ``--help`` do not wait for torch.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.2.0"

_HOME_OF = {
    "AutoEncoder": "autoencoder.estimator",
    "Callback": "training.loop",
    "Dataset": "datasets",
    "InputError": "common.errors",
    "LabelBudget": "semi_supervised.budgets",
    "Progress": "training.loop",
    "draw_budget": "semi_supervised.budgets",
    "load_dataset": "datasets",
    "load_run": "runs.loaded",
    "read_codes": "records.reading",
    "read_scores": "records.reading",
    "run": "runs.run",
    "suggest_n_clusters": "clustering.number_of_clusters",
    "suggest_labels": "semi_supervised.active_learning",
    "RunConfig": "records.config",
    "DEC": "clustering.deep",
    "IDEC": "clustering.deep",
    "DCN": "clustering.deep",
    "VaDE": "clustering.deep",
    "N2D": "clustering.deep",
    "DiagnosticsWarning": "training.diagnostics",
    "HealthWarning": "training.diagnostics",
    "SortingAutoEncoder": "clustering.sorting",
    "DeepGenerativeClassifier": "semi_supervised.finetuned",
    "FineTunedClassifier": "semi_supervised.finetuned",
    "SortingClassifier": "semi_supervised.finetuned",
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
