"""DCN: reconstruction, KMeans' penalty, and centers moved in closed form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from ae_cluster.autoencoder.networks import AutoEncoderNetwork
from ae_cluster.clustering.deep.centers import CenterClustering, Centers
from ae_cluster.clustering.deep.equations import (
    distance_to_own_center,
    moved_centers,
    squared_distances,
)
from ae_cluster.clustering.deep.fine_tuning import Objective
from ae_cluster.training.optimizer import Adam

FIRST_COUNT = 100  # samples a center counts as having had before the first step, as DCN's code


class KMeansFriendly(Objective):
    """DCN's objective: the network by gradient, then clusters, then centers.

    Parameters
    ----------
    network, head, clusters : see `Objective`
    clustering_weight : float
        The paper's λ.
    """

    head: Centers

    def __init__(
        self,
        network: AutoEncoderNetwork,
        head: Centers,
        clusters: Tensor,
        clustering_weight: float,
    ) -> None:
        super().__init__(network, head, clusters)
        self.clustering_weight = clustering_weight
        self.counts = torch.full_like(head.centers.detach()[:, 0], FIRST_COUNT)

    def loss(self, x: Tensor, indices: Tensor) -> Tensor:
        """Return the mean of ``‖x − x̂‖² + λ/2 ‖z − μ‖²``."""
        codes = self.network.encode(x)
        of_images = (self.network.decode(codes) - x).square().sum(dim=1).mean()
        centers = self.head.centers.detach()
        penalty = distance_to_own_center(codes, centers, self.clusters[indices])
        return of_images + self.clustering_weight * penalty

    @torch.no_grad()
    def after_step(self, x: Tensor, indices: Tensor) -> None:
        """Give the minibatch's samples to their nearest centers, and move these."""
        codes, centers = self.network.encode(x), self.head.centers
        clusters = squared_distances(codes, centers).argmin(dim=1)
        self.clusters[indices] = clusters
        moved, self.counts = moved_centers(centers, self.counts, codes, clusters)
        centers.copy_(moved)


@dataclass(eq=False, repr=False, kw_only=True)
class DCN(CenterClustering):
    """Deep clustering network: codes that reconstruct and suit KMeans, which runs alongside.

    Yang, Fu, Sidiropoulos and Hong (ICML 2017). The network is trained on the
    reconstruction and on the distance of codes to their centers; after every
    step the minibatch's samples go to the nearest center, and each center to the
    mean of all samples it has had.

    Parameters
    ----------
    n_clusters : int or "auto", default=8
    autoencoder : AutoEncoder, default=None
        To start from, as for `DEC`.
    clustering_weight : float, default=0.05
        The paper's λ.
    max_iter : int, default=50
        Epochs, pretraining aside.
    batch_size : int, default=256
    learning_rate_init : float, default=0.001
        Of Adam; the paper took stochastic gradient descent.
    callbacks, scaling, random_state, verbose : as for `DEC`

    Attributes
    ----------
    labels_, cluster_centers_, autoencoder_, loss_curve_, n_iter_ : as for `DEC`
    """

    clustering_weight: float = 0.05

    def _objective(
        self,
        rows: NDArray[Any],
        optimizer: Adam,  # noqa: ARG002
        generator: torch.Generator,  # noqa: ARG002
    ) -> KMeansFriendly:
        clusters = self._on_device(self._clusters_of(self._encoded(rows)))
        return KMeansFriendly(
            self.autoencoder_.network_, self.head_, clusters, self.clustering_weight
        )
