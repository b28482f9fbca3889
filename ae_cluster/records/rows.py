"""The tidy row: one line of every table, the same columns everywhere."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ae_cluster.methods import OLD_NAMES

if TYPE_CHECKING:
    import pandas as pd

from ae_cluster.metrics.clustering import METRICS

COLUMNS = (
    "dataset",
    "split",
    "method",
    "seed",
    "n_clusters",
    "budget",
    "draw",
    "features",
    "n_components",
    "n_train",
    "epochs",
    *(metric.name for metric in METRICS),
    "seconds",
    "peak_mb",
    "uses_k",
    "uses_balance",
    "uses_augmentation",
    "tuned_on",
    "status",
    "reason",
    "family",
    "ece",
    "clusterer_seed",
    "run_id",
)
SCORES = (*(metric.name for metric in METRICS), "ece")
OK, FAILED, COLLAPSED = "ok", "failed", "collapsed"  # of a row's status
TEXTS = {
    *("dataset", "split", "method", "features", "tuned_on", "status", "reason", "family"),
    "run_id",
}
# Not in files written before there were such columns; of the metrics only accuracy always was.
LATER = {*("family", "clusterer_seed"), *SCORES} - {"accuracy"}


def tidy_row(**known: Any) -> dict[str, Any]:
    """Return a row with every column, empty (NaN or "") where nothing is known.

    Raises
    ------
    KeyError
        For a column that does not exist.
    """
    unknown = known.keys() - set(COLUMNS)
    if unknown:
        raise KeyError(f"no such column: {', '.join(sorted(unknown))}")
    return {name: known.get(name, "" if name in TEXTS else math.nan) for name in COLUMNS}


def without_scores(row: dict[str, Any], reason: str) -> dict[str, Any]:
    """Return a row of codes that have collapsed: what it is and cost, and no score."""
    nothing = {name: math.nan for name in SCORES if name in row}
    return row | nothing | {"status": COLLAPSED, "reason": reason}


def with_current_names(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows, as they were read, with the names that methods and families have now."""
    # Only where there is an old one: pandas 2 warns of a column of nothing but NaN.
    old = [
        name for name in ("method", "family") if name in rows and rows[name].isin(OLD_NAMES).any()
    ]
    return rows.assign(**{name: rows[name].replace(OLD_NAMES) for name in old})


def pipeline_name(features: str, method: str) -> str:
    """Return how tables call a pipeline from samples to clusters."""
    return features if features == method else f"{features} → {method}"
