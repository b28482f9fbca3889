"""Clusters that are one center each, in the space of the codes: DEC, IDEC and DCN."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from torch import Tensor, nn

from ae_cluster.clustering.deep.base import fitted_quietly
from ae_cluster.clustering.deep.equations import squared_distances
from ae_cluster.clustering.deep.fine_tuning import FineTunedClustering
from ae_cluster.training.threads import one_thread

N_INIT = 20  # of KMeans, as DEC's paper


class Centers(nn.Module):
    """The centers (k, n_components), learnt with the network or moved by the method."""

    def __init__(self, centers: Tensor) -> None:
        super().__init__()
        self.centers = nn.Parameter(centers)


class CenterClustering(FineTunedClustering):
    """A deep clustering whose samples belong to the nearest of k centers.

    Attributes
    ----------
    cluster_centers_ : ndarray (k, n_components)
        ``inverse_transform`` draws them.
    """

    head_: Centers

    @property
    def cluster_centers_(self) -> NDArray[Any]:
        """The centers (k, n_components), in the space of the codes."""
        return self.head_.centers.detach().cpu().numpy().copy()

    def _make_head(self, codes: NDArray[Any], seed: int) -> Centers:
        model = KMeans(self.n_clusters_, n_init=N_INIT, random_state=seed)
        fitted_quietly(model, codes)
        return Centers(torch.from_numpy(model.cluster_centers_.astype(codes.dtype)))

    def _head_of(self, tensors: dict[str, Tensor]) -> Centers:
        return Centers(tensors["centers"])

    def clusters(self, codes: Tensor) -> Tensor:
        """Return the nearest center (n,) of codes (n, n_components) on the model's device."""
        return squared_distances(codes, self.head_.centers).argmin(dim=1)

    @torch.no_grad()
    @one_thread()
    def _clusters_of(self, codes: NDArray[Any]) -> NDArray[np.int64]:
        return self.clusters(self._on_device(codes)).cpu().numpy()

    def _look_at(self, codes: NDArray[Any]) -> dict[str, NDArray[Any]]:  # noqa: ARG002
        return {"centers": self.cluster_centers_}
