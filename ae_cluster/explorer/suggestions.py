"""Which samples of a page are worth a label: typical ones, found when the page is written.

After these the page goes on with the samples of which a method is least sure; how sure it is
travels anyway.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ae_cluster.common.labels import NO_LABEL
from ae_cluster.explorer.encoding import Array
from ae_cluster.explorer.run_arrays import Run
from ae_cluster.explorer.samples import IntArray
from ae_cluster.semi_supervised.active_learning import suggest_in_rounds

LEAST_SUGGESTED, MOST_SUGGESTED = 80, 200  # typical samples, where there are as many
MOST_LOOKED_AT = 3_000  # samples; of more, as many at random stand for all


def typical_rows(codes: Array, n_clusters: int) -> IntArray:
    """Return the rows of codes (n, n_components) to label first, about two a cluster."""
    n = min(max(LEAST_SUGGESTED, 2 * n_clusters), MOST_SUGGESTED)
    rows = np.arange(len(codes))
    if len(codes) > MOST_LOOKED_AT:
        rows = np.sort(np.random.default_rng(0).permutation(len(codes))[:MOST_LOOKED_AT])
    return rows[suggest_in_rounds(codes[rows], n)]


def labelling(run: Run) -> dict[str, Any]:
    """Return what the page must know to write labels as they are read again.

    ``classes`` are the names that a label must be of, none where the data have no labels;
    ``none`` are the words that mean that no label is known.
    """
    data = run.config["data"]
    return {
        "run": str(run.config.get("run_id") or ""),
        "data": str(data.get("fingerprint") or "")[:12],
        "classes": [str(name) for name in data.get("class_names") or []],
        "none": sorted(NO_LABEL),
    }
