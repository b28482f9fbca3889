"""From many small clusters to a few, by what neighbours tell: the pair that costs least first.

The agglomerative information bottleneck (Slonim and Tishby, 2000) of a walk along an
edge. KMeans prefers crowds of one size and splits a large one; small clusters leave
the sizes open, and merging them finds large and small crowds alike.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import entr

from ae_cluster.sorting.information import Clusters, edge_shares


def merged(
    weights: sparse.csr_array,
    clusters: Clusters,
    n_clusters: int,
    n_wanted: int,
    evenness: float = 1.0,
) -> Clusters:
    """Return the clusters after merging pairs until ``n_wanted`` are left.

    Each time the two are merged that leave the most `neighbor_information`.

    Parameters
    ----------
    weights : sparse array (n, n)
        Symmetric.
    clusters : ndarray (n,)
        In 0 … ``n_clusters`` − 1; the result is in 0 … ``n_wanted`` − 1.
    evenness : float
        As of `neighbor_information`.
    """
    shares = edge_shares(weights, clusters, n_clusters)
    place = np.arange(n_clusters)  # of each cluster among those that are left
    while len(shares) > n_wanted:
        gains = merging_gains(shares, evenness)
        kept, lost = sorted(divmod(int(gains.argmax()), len(shares)))
        shares[kept] += shares[lost]
        shares[:, kept] += shares[:, lost]
        shares = np.delete(np.delete(shares, lost, 0), lost, 1)
        place[place == lost] = kept
        place[place > lost] -= 1
    return np.asarray(place[clusters])


def merging_gains(shares: NDArray[Any], evenness: float) -> NDArray[Any]:
    """Return what `neighbor_information` gains (k, k), mostly loses, by merging two clusters.

    −inf on the diagonal.
    """
    ends, inner, own = shares.sum(axis=1), shares.diagonal(), entr(shares)
    size = entr(ends[:, None] + ends) - entr(ends)[:, None] - entr(ends)
    # Edges to all clusters, less those to the two themselves, which lie inside once merged.
    outside = entr(shares[:, None] + shares).sum(axis=2)
    outside -= entr(inner[:, None] + shares) + entr(shares + inner)
    before = own.sum(axis=1) - own.diagonal()
    outside -= before[:, None] + before - 2 * own
    inside = entr(inner[:, None] + inner + 2 * shares)
    inside -= own.diagonal()[:, None] + own.diagonal() + 2 * own
    gains = (1 + evenness) * size - (2 * outside + inside)
    np.fill_diagonal(gains, -np.inf)
    return np.asarray(gains)
