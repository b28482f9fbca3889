"""The neighbours of all samples, of which each rank looks for those of its part."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ae_cluster.common.chunks import part_of
from ae_cluster.common.stage_times import stage
from ae_cluster.common.validation import FloatArray, IntArray
from ae_cluster.graphs.neighbors import NeighborSearch
from ae_cluster.graphs.umap import Neighbors
from ae_cluster.training.ranks import Ranks, here


@stage("neighbours")
def shared_neighbors(ranks: Ranks, samples: NDArray[Any], n_neighbors: int) -> Neighbors:
    """Return distances and indices (n, k) of each sample's nearest others, exactly; on rank 0.

    In the first 50 principal components where there are more columns, which rank 0 computes.
    """
    k = min(n_neighbors, len(samples) - 1)
    positions = NeighborSearch(np.asarray(samples, dtype=np.float64)).positions
    ranks.announce(_follow, (k,), positions)
    with ranks.together():
        return _of_parts(ranks, positions, k)


def _follow(k: int, rows: Tensor) -> None:
    ranks = here()
    assert ranks is not None
    _of_parts(ranks, rows.numpy(), k)


def _of_parts(ranks: Ranks, positions: FloatArray, k: int) -> Neighbors:
    n = len(positions)
    part = part_of(n, ranks.rank, ranks.n)
    gathered = np.zeros((2, n, k))
    if len(own := np.arange(n)[part]):
        distances, indices = NeighborSearch(positions).nearest(positions[own], k + 1)
        gathered[:, part] = _without_itself(distances, indices, own)
    distances, indices = ranks.total(gathered)
    return distances, indices.astype(np.int64)


def _without_itself(distances: FloatArray, indices: IntArray, own: IntArray) -> FloatArray:
    """Return distances and indices (2, m, k) without each sample's own, or else its twin's."""
    is_itself = indices == own[:, None]
    is_itself[~is_itself.any(axis=1), 0] = True  # among its duplicates it may not be found
    shape = len(own), -1
    return np.stack([distances[~is_itself].reshape(shape), indices[~is_itself].reshape(shape)])
