"""The stages of sorting, one function each: graph, consistency training, layout, decoder.

    neighbors_of → first_clusters → train_consistency (small steps, then changed images)
                 → layout_of → train_decoder

Each takes what it needs and returns what it found; what trains a network changes that
network alone. `SortingAutoEncoder` runs them one after the other.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.distance import pdist
from torch import Tensor, nn

from ae_cluster.clustering.sorting.candidates import nearest_graph, nearest_neighbors
from ae_cluster.clustering.sorting.centers import Centers, neighborly, spread_centers
from ae_cluster.clustering.sorting.consistency import (
    VAT_EPSILON,
    Perturbation,
    learn_consistency,
)
from ae_cluster.clustering.sorting.information import edge_shares
from ae_cluster.clustering.sorting.networks import SortingNetwork
from ae_cluster.clustering.sorting.shared_neighbors import shared_neighbors
from ae_cluster.graphs.umap import Neighbors
from ae_cluster.training.minibatch import MinibatchTrainer, in_chunks
from ae_cluster.training.ranks import here
from ae_cluster.training.shared_batches import SharedLoss

RADIUS = 0.25  # of a within-cluster offset, in least distances between centers
EPSILON_NEIGHBOR = 10  # the neighbour whose distance measures VAT's epsilon
GRAPH, SMALL_STEPS, CHANGED_IMAGES = "graph", "small steps", "changed images"
LEARNT = "learnt"  # the graph's clusters, without small steps


class Stage(NamedTuple):
    """What one stage leaves.

    Attributes
    ----------
    name : str
        ``GRAPH``, ``SMALL_STEPS`` (``LEARNT`` with little effort) or ``CHANGED_IMAGES``.
    head : nn.Module
        The cluster head: samples (n, n_features) to logits (n, k). After ``GRAPH`` it is
        the one to be trained next, as it is initialised.
    memberships : Tensor (n, k)
        Soft assignments of the training samples.
    x : Tensor (n, n_features)
        The training samples as the head takes them.
    """

    name: str
    head: nn.Module
    memberships: Tensor
    x: Tensor


def neighbors_of(
    samples: NDArray[Any], n_neighbors: int, n_clusters: int, is_exact: bool = True
) -> Neighbors:
    """Return distances and indices (n, at most n_neighbors) of each sample's nearest others."""
    # A neighbourhood as large as a cluster would tell nothing of clusters.
    most = max(2, len(samples) // (2 * n_clusters))
    ranks, k = here(), min(n_neighbors, most)
    if ranks is not None and is_exact:
        return shared_neighbors(ranks, samples, k)
    return nearest_neighbors(samples, k, is_exact)


def vat_epsilons(neighbors: Neighbors, like: Tensor) -> Tensor:
    """Return the length (n, 1) of each sample's small step, of the type of ``like``."""
    distances = neighbors[0]
    farthest = distances[:, min(EPSILON_NEIGHBOR, distances.shape[1]) - 1]
    return torch.as_tensor(VAT_EPSILON * farthest, dtype=like.dtype)[:, None].to(like.device)


def learn_clusters(
    trainer: MinibatchTrainer, head: nn.Module, memberships: Tensor, epochs: int, rate: float
) -> Tensor:
    """Train a cluster head on soft assignments (n, k), and return its own (n, k)."""
    trainer.learn(head, memberships, trainer.epochs(epochs), rate)
    return in_chunks(lambda part: torch.softmax(head(part), 1), trainer.x)


def train_consistency(
    trainer: MinibatchTrainer,
    head: nn.Module,
    memberships: Tensor,
    perturb: Perturbation,
    epochs: int,
    rate: float,
) -> Tensor:
    """Train a cluster head to keep its answer under perturbations.

    It learns the given memberships first, and keeps their clusters' proportions.

    Parameters
    ----------
    memberships : Tensor (n, k)
        Soft assignments to begin with.
    rate : float
        Learning rate.

    Returns
    -------
    Tensor (n, k)
        The soft assignments of the trained head.
    """
    x = trainer.x
    trainer.warm_up(head, memberships, rate)
    clusters = memberships.argmax(1)
    proportions = torch.bincount(clusters, minlength=memberships.shape[1]) / len(clusters)
    learn_consistency(trainer, head, proportions.to(x.dtype), epochs, rate, perturb)
    return in_chunks(lambda part: torch.softmax(head(part), 1), x)


def layout_of(
    neighbors: Neighbors, clusters: NDArray[np.int64], n_clusters: int, n_components: int
) -> tuple[Centers, float]:
    """Return the clusters' centers (k, n_components) in code space and the offsets' radius."""
    alike = edge_shares(nearest_graph(neighbors[1]), clusters, n_clusters)
    centers = neighborly(spread_centers(n_clusters, n_components), alike)
    least = pdist(centers).min() if len(centers) > 1 else 1.0
    return centers, RADIUS * float(least)


def train_decoder(trainer: MinibatchTrainer, network: SortingNetwork, epochs: int) -> list[float]:
    """Train within-cluster offsets and decoder to reconstruct; return the loss curve."""
    positions = in_chunks(network.position, trainer.x)
    learners = nn.ModuleList([network.offset_layers, network.decoder])
    return trainer.reconstruct(learners, _Reconstruction(network, positions), epochs)


class _Reconstruction(SharedLoss):
    """The mean squared error of samples drawn from positions (n, n_components) and offsets."""

    positions: Tensor

    def __init__(self, network: SortingNetwork, positions: Tensor) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("positions", positions)

    def forward(self, x: Tensor, indices: Tensor) -> Tensor:
        codes = self.positions[indices] + self.network.offset(x)
        return nn.functional.mse_loss(self.network.decode(codes), x)
