"""N2D: the autoencoder's codes, unrolled by UMAP, clustered by a mixture of Gaussians."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KNeighborsRegressor
from torch import Tensor

from ae_cluster.clustering.deep.base import DeepClustering, fitted_quietly
from ae_cluster.common.global_state import default_state
from ae_cluster.graphs.neighbors import MOST_IN_A_GRAPH, sample_for_graph
from ae_cluster.graphs.umap import umap_embedding
from ae_cluster.training.callbacks import Diagnostics

_ARRAYS = ("manifold_", "memberships_", "cluster_centers_")


@dataclass(eq=False, repr=False, kw_only=True)
class N2D(DeepClustering):
    """Not too deep: UMAP of an autoencoder's codes, and a mixture of Gaussians on that.

    McConville, Santos-Rodríguez, Piechocki and Craddock (ICPR 2020). The
    autoencoder is not trained on. New samples belong to the clusters of the
    training samples with the nearest codes, weighted by one over the distance.
    UMAP's own ``transform`` gives 98 % of the digits the same cluster, but another
    position according to what else is asked about.

    Parameters
    ----------
    n_clusters : int or "auto", default=8
    autoencoder : AutoEncoder, default=None
        To start from, as for `DEC`.
    n_neighbors : int, default=20
        Of UMAP and of new samples; all others where there are fewer samples.
    n_manifold_components : int, default=None
        Dimensions of UMAP's result; None takes ``n_clusters`` as the paper.
    min_dist : float, default=0.0
        Of UMAP.
    random_state : int, RandomState or None, default=None

    Attributes
    ----------
    manifold_ : ndarray (m, n_manifold_components)
        UMAP's embedding of the training samples; of more than 100,000, so many at random.
    memberships_ : ndarray (m, k)
        The mixture's responsibilities for them.
    cluster_centers_ : ndarray (k, n_components)
        The mean code of each cluster's members, by their memberships.
    labels_, autoencoder_ : as for `DEC`
    """

    n_neighbors: int = 20
    n_manifold_components: int | None = None
    min_dist: float = 0.0

    _least_samples = 3  # of UMAP

    @default_state()
    def predict_proba(self, X: ArrayLike) -> NDArray[Any]:
        """Return the memberships (n, k) of images X; rows sum to 1."""
        return self._soft(self._codes(X))

    def _learn(self, rows: NDArray[Any], seed: int) -> None:
        encoded = self._encoded(rows)
        codes = encoded[
            sample_for_graph(len(rows), MOST_IN_A_GRAPH, seed, "the nearest of their codes")
        ]
        n_components = self.n_manifold_components or self.n_clusters_
        self.manifold_ = umap_embedding(
            codes, n_components, self.n_neighbors, seed, min_dist=self.min_dist
        )
        self.memberships_ = mixture_of(self.manifold_, self.n_clusters_, seed)
        self.cluster_centers_ = weighted_means(codes, self.memberships_)
        self._keep_neighbors(codes)
        self.labels_ = self._clusters_of(encoded)
        Diagnostics(dict).say(
            codes=codes,
            soft=self.memberships_,
            clusters=self.labels_,
            n_clusters=self.n_clusters_,
        )

    def _keep_neighbors(self, codes: NDArray[Any]) -> None:
        # A tree: exact distances, whatever else is asked about.
        n_neighbors = min(self.n_neighbors, len(codes))
        self.neighbors_ = KNeighborsRegressor(n_neighbors, weights="distance", algorithm="kd_tree")
        self.neighbors_.fit(codes, self.memberships_)

    def _soft(self, codes: NDArray[Any]) -> NDArray[Any]:
        soft: NDArray[Any] = self.neighbors_.predict(codes)
        soft /= soft.sum(axis=1, keepdims=True)  # rounding aside it is 1 already
        return soft

    def _clusters_of(self, codes: NDArray[Any]) -> NDArray[np.int64]:
        return np.asarray(self._soft(codes).argmax(axis=1))

    def _cluster_tensors(self) -> dict[str, Tensor]:
        arrays = {name: getattr(self, name) for name in _ARRAYS} | {"codes": self.neighbors_._fit_X}
        return {name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}

    def _restore_clusters(self, tensors: dict[str, Tensor]) -> None:
        for name in _ARRAYS:
            setattr(self, name, tensors[name].numpy())
        n = len(tensors["codes"])
        n_dimensions = self.n_manifold_components or self.n_clusters_
        if self.manifold_.shape != (n, n_dimensions) or self.memberships_.shape != (
            n,
            self.n_clusters_,
        ):
            raise ValueError(f"its embedding and memberships are not those of {n} samples")
        if n != min(len(self.labels_), MOST_IN_A_GRAPH):
            raise ValueError(f"it holds {n} codes of {len(self.labels_)} samples")
        self._keep_neighbors(tensors["codes"].numpy())


def mixture_of(embedding: NDArray[Any], n_clusters: int, seed: int) -> NDArray[Any]:
    """Return the responsibilities (n, k) of a mixture of Gaussians fitted to an embedding."""
    mixture = fitted_quietly(GaussianMixture(n_clusters, random_state=seed), embedding)
    soft: NDArray[Any] = mixture.predict_proba(embedding)
    return soft


def weighted_means(codes: NDArray[Any], soft: NDArray[Any]) -> NDArray[Any]:
    """Return each cluster's mean code (k, n_components), by its members' shares (n, k)."""
    sizes = np.maximum(soft.sum(axis=0), np.finfo(soft.dtype).tiny)
    means: NDArray[Any] = (soft / sizes).T @ codes
    return means.astype(codes.dtype)
