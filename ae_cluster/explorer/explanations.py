"""What a page says of clusters and doubtful samples, as ``ae-cluster describe`` does of all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ae_cluster.clustering.descriptions.clusters import describe_clusters
from ae_cluster.clustering.descriptions.columns import distinguishing_columns, moments
from ae_cluster.clustering.descriptions.duplicates import near_duplicates
from ae_cluster.clustering.descriptions.label_errors import likely_label_errors
from ae_cluster.datasets import Dataset
from ae_cluster.explorer.images import cloud_rows, image_sheets
from ae_cluster.explorer.run_arrays import Method
from ae_cluster.explorer.samples import Cloud, IntArray, confidence

MOST_LISTED = 100  # doubtful labels and pairs that travel
MOST_SEARCHED = 3_000  # samples for pairs: of more, as many at random, so that a page is quick
MOST_PICTURED = 300  # clusters whose mean image travels
LARGEST_SIDE = 32  # pixels of such an image
_DIGITS = 5
Tree = dict[str, Any]


def explanation(
    method: Method, cloud: Cloud, labels: IntArray | None, data: Dataset | None
) -> Tree:
    """Return what is said of a method's clusters among the samples of a cloud, and of its labels.

    Parameters
    ----------
    method : Method
    cloud : Cloud
    labels : ndarray (n,) or None
        Of the cloud; −1 where unknown.
    data : Dataset or None
        What the samples look like.
    """
    codes = cloud.of(method.arrays, "codes")
    clusters = cloud.of(method.arrays, "clusters").astype(np.int64)
    sure = confidence(method, cloud)
    has_shares = "share_farther_out_train" in method.arrays
    described = describe_clusters(
        codes,
        clusters,
        sure=None if sure is None else sure[1],
        shares=cloud.of(method.arrays, "share_farther_out") if has_shares else None,
    )
    found = {
        "clusters": [
            {
                "id": of.cluster,
                "typical": of.typical.tolist(),
                "borderline": of.borderline.tolist(),
                "outliers": of.outliers.tolist(),
                "nearest": [[other, _short(distance)] for other, distance in of.nearest],
            }
            for of in described
        ],
        "doubtful": _doubtful(codes, labels),
    }
    return found | ({} if data is None else _of_samples(cloud_rows(data, cloud), clusters, data))


def close_pairs(data: Dataset | None, cloud: Cloud) -> list[list[float | None]]:
    """Return rows, and the distance, of pairs of samples of a cloud that are nearly the same."""
    if data is None:
        return []
    rows = cloud_rows(data, cloud)
    found = near_duplicates(rows, is_table=data.is_table, most=MOST_SEARCHED)
    pairs = zip(found.first, found.second, found.distance, strict=True)
    return [[int(a), int(b), _short(distance)] for a, b, distance in pairs][:MOST_LISTED]


def _doubtful(codes: NDArray[Any], labels: IntArray | None) -> list[list[float | None]]:
    """Return row, suggested class, and probabilities of the label and of that class."""
    if labels is None:
        return []
    found = likely_label_errors(codes, labels)
    rows: Sequence[tuple[Any, ...]] = [*zip(*found, strict=True)][:MOST_LISTED]
    return [[int(r), int(c), _short(own), _short(other)] for r, c, own, other in rows]


def _of_samples(rows: NDArray[Any], clusters: IntArray, data: Dataset) -> Tree:
    """Return mean and standard deviation of a cluster's images, or a table's telling columns."""
    found = moments(rows / np.float32(255) if rows.dtype == np.uint8 else rows, clusters)
    if data.image_shape is None:
        return {
            "columns": {
                group: [
                    [d.column, *map(_short, (d.difference, d.low, d.high, d.mean, d.rest))]
                    for d in differences
                ]
                for group, differences in distinguishing_columns(found).items()
            }
        }
    if len(found.ids) > MOST_PICTURED:
        return {}
    spread = np.sqrt(found.variances)
    images = np.concatenate([found.means, spread / (spread.max() or 1.0)])
    height, width, depth = (*data.image_shape, 1)[:3]
    shrink = min(1.0, LARGEST_SIDE / max(height, width))
    shape = (max(1, round(height * shrink)), max(1, round(width * shrink)), 3 if depth >= 3 else 1)
    sheets = image_sheets(images, (height, width, depth), shape)
    return {"means": {"shape": list(shape), "n": len(found.ids), "sheets": sheets}}


def _short(value: float) -> float | None:
    """Return a number in few digits; JSON has no infinity, so that one is None."""
    return float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else None
