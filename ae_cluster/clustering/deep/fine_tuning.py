"""Training an autoencoder and its clusters together: what the gradient-trained methods share."""

from __future__ import annotations

import copy
import math
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ae_cluster.autoencoder import inference
from ae_cluster.autoencoder.inputs import resolve_device
from ae_cluster.autoencoder.networks import AutoEncoderNetwork, DenseAutoEncoder
from ae_cluster.autoencoder.restarts import CollapsedError
from ae_cluster.autoencoder.scaling import Scaling
from ae_cluster.clustering.deep.base import DeepClustering
from ae_cluster.training.callbacks import Diagnostics
from ae_cluster.training.diagnostics import DiagnosticsWarning
from ae_cluster.training.fitting import Fitting
from ae_cluster.training.loop import Callback, Progress
from ae_cluster.training.minibatch import descend
from ae_cluster.training.optimizer import Adam, flatten_parameters, release_gradients

BOUNDS = {"tanh": (-1.0, 1.0), "logistic": (0.0, 1.0), "relu": (0.0, np.inf)}


@torch.no_grad()
def hidden_layers(
    network: AutoEncoderNetwork, x: Tensor
) -> list[tuple[NDArray[np.floating[Any]], float, float]]:
    """Return the bounded hidden layers' outputs (n, units) for x, each with its bounds.

    Of a dense encoder; there are none of another kind.
    """
    if not isinstance(network, DenseAutoEncoder):
        return []
    seen = []
    for i, activation in enumerate(network.activations[: network.n_encoder_layers - 1]):
        x = network.apply_layers(x, i, i + 1)
        if activation in BOUNDS:
            seen.append((x.cpu().numpy(), *BOUNDS[activation]))
    return seen


DIAGNOSED_SAMPLES = 1000
SLOWER = 4  # a restart has a quarter of the rate before


class Objective(Callback, ABC):
    """What a minibatch costs; as a callback, what else its method does on the way.

    Parameters
    ----------
    network : AutoEncoderNetwork
    head : nn.Module
        What the clusters are made of.
    clusters : Tensor (n,)
        Of the training samples, as last known; `loss` keeps it up to date.
    """

    def __init__(self, network: AutoEncoderNetwork, head: nn.Module, clusters: Tensor) -> None:
        self.network, self.head, self.clusters = network, head, clusters

    @abstractmethod
    def loss(self, x: Tensor, indices: Tensor) -> Tensor:
        """Return the mean loss of a minibatch (b, n_features) of the samples at ``indices``."""

    def after_step(self, x: Tensor, indices: Tensor) -> None:
        """Do what follows the optimiser's step."""


@dataclass(eq=False, repr=False, kw_only=True)
class FineTunedClustering(DeepClustering):
    """A deep clustering that trains its autoencoder on, with a ``head_`` of clusters.

    Attributes
    ----------
    head_ : nn.Module
    loss_curve_ : list of float
        Mean loss of each epoch after the pretraining.
    n_iter_ : int
        Finished epochs after the pretraining.
    learning_rate_ : float
        The rate it was trained at: smaller than ``learning_rate_init`` where that let the
        clusters collapse.
    collapse_ : str
        How they have collapsed nevertheless, as a sentence; "" when they have not.
    """

    max_iter: int = 50
    batch_size: int = 256
    learning_rate_init: float = 0.001
    callbacks: Sequence[Callback] = ()
    verbose: bool = False
    head_: nn.Module = field(init=False)
    learning_rate_: float = field(init=False)
    collapse_: str = field(init=False)
    _fitted: ClassVar[tuple[str, ...]] = ("n_iter_", "loss_curve_")
    _n_restarts = 0  # of a training that has collapsed, each at a smaller rate
    _reconstructs = True

    @abstractmethod
    def _make_head(self, codes: NDArray[Any], seed: int) -> nn.Module:
        """Return the clusters to start from, given the pretrained codes (n, n_components)."""

    @abstractmethod
    def _head_of(self, tensors: dict[str, Tensor]) -> nn.Module:
        """Return the clusters that were saved."""

    @abstractmethod
    def _objective(
        self, rows: NDArray[Any], optimizer: Adam, generator: torch.Generator
    ) -> Objective:
        """Return what is to be minimised."""

    @abstractmethod
    def clusters(self, codes: Tensor) -> Tensor:
        """Return the cluster (n,) of codes (n, n_components) on the model's device."""

    def memberships(self, codes: Tensor) -> Tensor | None:  # noqa: ARG002
        """Return the soft assignments (n, k) of codes, rows sum to 1; None: it has none."""
        return None

    @abstractmethod
    def _look_at(self, codes: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Return what `diagnostics.findings` should see of the clusters, given codes."""

    def _learn(self, rows: NDArray[Any], seed: int) -> None:
        pretrained = self.autoencoder_.network_
        rates = [self.learning_rate_init / SLOWER**i for i in range(self._n_restarts + 1)]
        for rate in rates:
            self.learning_rate_, self.collapse_ = rate, ""
            if self._n_restarts:
                self.autoencoder_.network_ = copy.deepcopy(pretrained)
            try:
                self._train(rows, seed)
            except CollapsedError as error:
                self.collapse_ = str(error)
            if not self.collapse_:
                return
            is_last = rate == rates[-1]
            warnings.warn(self._collapse_message(is_last), DiagnosticsWarning, stacklevel=3)

    def _collapse_message(self, is_last: bool) -> str:
        told = f"{self.collapse_[:-1]} at learning_rate_init={self.learning_rate_:g}"
        if not is_last:
            return f"{told}; training starts again at {self.learning_rate_ / SLOWER:g}."
        return (
            f"{told}, and training ends after epoch {self.n_iter_}; lower learning_rate_init, ask "
            "for fewer clusters, or give an autoencoder that is trained longer."
        )

    def _train(self, rows: NDArray[Any], seed: int) -> None:
        network, scaling = self.autoencoder_.network_, self.autoencoder_.scaling_
        device = resolve_device(self.autoencoder_.device)
        head = self._make_head(self._encoded(rows), seed).to(device, scaling.dtype)
        self.head_ = head
        weights = flatten_parameters(nn.ModuleList([network, head]))
        optimizer = Adam(weights, self.learning_rate_)
        generator = torch.Generator().manual_seed(seed)
        objective = self._objective(rows, optimizer, generator)
        watch = Diagnostics(lambda: self._appearance(rows, objective))
        progress = Progress(self.max_iter, math.ceil(len(rows) / self.batch_size), model=self)
        few = inference.as_tensor(rows[: self.batch_size]).to(device)
        fitting = Fitting(
            optimizer, generator, progress,
            lambda: inference.is_usable(network, scaling, few) and bool(weights.isfinite().all()),
        )  # fmt: skip
        fitting.call([objective, *self._watches(objective), watch, *self.callbacks])
        step = objective_step(objective, inference.as_tensor(rows).to(device), scaling, optimizer)
        try:
            fitting.run(step, len(rows), self.batch_size, show_progress=bool(self.verbose))
        finally:
            release_gradients(nn.ModuleList([network, head]))
            self._keep_records(rows, progress, objective)
        watch.say(clusters=self.labels_, n_clusters=self.n_clusters_)

    def _watches(self, objective: Objective) -> list[Callback]:  # noqa: ARG002
        """Return what may end a training that has collapsed, by `CollapsedError`."""
        return []

    def _keep_records(
        self,
        rows: NDArray[Any],
        progress: Progress,
        objective: Objective,  # noqa: ARG002 (a method may have more to keep)
    ) -> None:
        self.n_iter_, self.loss_curve_ = progress.epoch, progress.loss_curve
        self.labels_ = self._clusters_of(self._encoded(rows))

    def _appearance(self, rows: NDArray[Any], objective: Objective) -> dict[str, Any]:
        """Return what diagnostics look at, on up to a thousand samples."""
        some = rows[:: math.ceil(len(rows) / DIAGNOSED_SAMPLES)]
        codes = self._encoded(some)
        seen = {"codes": codes, "n_clusters": self.n_clusters_} | self._look_at(codes)
        # Of all samples: a thousand may well miss a small cluster.
        seen["clusters"] = objective.clusters.cpu().numpy()
        network, scaling = self.autoencoder_.network_, self.autoencoder_.scaling_
        x = scaling(next(inference.chunks(some, network)))
        seen["activations"] = hidden_layers(network, x)
        if self._reconstructs:
            seen["images"] = x.cpu().numpy()
            with torch.no_grad():
                seen["reconstructions"] = network(x).cpu().numpy()
        return seen

    def _on_device(self, codes: NDArray[Any]) -> Tensor:
        return inference.as_tensor(codes).to(next(self.head_.parameters()).device)

    def _cluster_tensors(self) -> dict[str, Tensor]:
        return self.head_.state_dict()

    def _restore_clusters(self, tensors: dict[str, Tensor]) -> None:
        self.head_ = self._head_of(tensors).to(resolve_device(self.autoencoder_.device))


def objective_step(
    objective: Objective, data: Tensor, scaling: Scaling, optimizer: Adam
) -> Callable[[Tensor], float]:
    """Return a step on the samples of given indices, with what its objective does after it."""

    def step(indices: Tensor) -> float:
        indices = indices.to(data.device)
        x = scaling(data.index_select(0, indices))
        value = descend(objective.loss(x, indices), optimizer)
        objective.after_step(x, indices)
        return value

    return step
