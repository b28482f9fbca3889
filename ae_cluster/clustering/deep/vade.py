"""VaDE: a variational autoencoder with a mixture of Gaussians as prior."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.mixture import GaussianMixture
from torch import Tensor, nn

from ae_cluster.autoencoder import inference
from ae_cluster.autoencoder.networks import DenseAutoEncoder, UnfilledLinear
from ae_cluster.autoencoder.restarts import CollapseWatch
from ae_cluster.clustering.deep.base import fitted_quietly
from ae_cluster.clustering.deep.fine_tuning import FineTunedClustering, Objective
from ae_cluster.clustering.deep.vade_equations import (
    bernoulli_surprise,
    gaussian_surprise,
    log_responsibilities,
    prior_divergence,
    sampled,
)
from ae_cluster.common.errors import InputError
from ae_cluster.common.global_state import default_state
from ae_cluster.training.diagnostics import effective_clusters
from ae_cluster.training.loop import Callback, Progress
from ae_cluster.training.optimizer import Adam
from ae_cluster.training.threads import one_thread

N_INIT = 3  # of the mixture that clusters start from
FIRST_NOISE = 0.1
LEAST_NOISE = 0.01  # variance of a scaled column
LEAST_LEFT = 0.8  # of the clusters at the start, counted as `effective_clusters` does
FIRST_EPOCHS, FIRST_STEPS = 10, 500  # as long as either lasts, a collapse starts training again
# The first steps of Adam move every weight by the whole rate, and wreck a pretrained code. In a
# long training it recovers; one of fewer steps than LONG, and one on a table, warms up.
WARM_UP, LONG = 50, 2000
EPOCHS_PER_DECAY, DECAY = 10, 0.9  # of the learning rate, as the paper on MNIST


class Mixture(nn.Module):
    """The prior (k components with diagonal covariance), and the encoder's second head.

    Parameters
    ----------
    n_clusters, n_components : int
    n_hidden : int
        Units of the encoder's last hidden layer, from which a code's variance is told.
    """

    def __init__(self, n_clusters: int, n_components: int, n_hidden: int) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(n_clusters))
        self.means = nn.Parameter(torch.zeros(n_clusters, n_components))
        self.log_variances = nn.Parameter(torch.zeros(n_clusters, n_components))
        self.code_log_variance = UnfilledLinear(n_hidden, n_components)

    @torch.no_grad()
    def start(self, weights: Tensor, means: Tensor, variances: Tensor) -> None:
        """Become the mixture of these weights (k,), means and variances (k, n_components).

        Codes are given a tenth of the variance within their clusters.
        """
        self.to(means.dtype)
        self.logits.copy_(weights.log())
        self.means.copy_(means)
        self.log_variances.copy_(variances.log())
        self.code_log_variance.weight.zero_()
        within = (weights[:, None] * variances).sum(dim=0)
        self.code_log_variance.bias.copy_((FIRST_NOISE * within).log())

    def prior(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return log weights (k,), means and log variances (k, n_components)."""
        return self.logits.log_softmax(dim=0), self.means, self.log_variances


class EvidenceBound(Objective):
    """VaDE's objective: minus the evidence lower bound, by one draw of every code.

    Parameters
    ----------
    network, head, clusters : see `Objective`
    optimizer : Adam
        Its learning rate falls by a tenth every ten epochs.
    generator : torch.Generator
        Where the draws come from.
    noise : float or None
        Variance of a table's values about what is drawn; None: pixels, which are coins.
    warm_up : int
        Steps over which the learning rate rises to its height.
    """

    network: DenseAutoEncoder
    head: Mixture

    def __init__(
        self,
        network: DenseAutoEncoder,
        head: Mixture,
        clusters: Tensor,
        optimizer: Adam,
        generator: torch.Generator,
        noise: float | None,
        warm_up: int,
    ) -> None:
        super().__init__(network, head, clusters)
        self.optimizer, self.first_rate = optimizer, optimizer.learning_rate
        self.generator = generator
        self.noise, self.warm_up, self.n_steps = noise, warm_up, 0

    def loss(self, x: Tensor, indices: Tensor) -> Tensor:
        """Return ``−log p(x | z) + KL(q(z, c | x) ‖ p(z, c))``, in nats a sample."""
        if self.n_steps < self.warm_up:
            self.n_steps += 1
            self.optimizer.learning_rate = self.first_rate * self.n_steps / self.warm_up
        means, log_variances = self._heads(x)
        noise = torch.empty(means.shape, dtype=means.dtype).normal_(generator=self.generator)
        codes = sampled(means, log_variances, noise.to(means.device))
        prior = self.head.prior()
        log_shares = log_responsibilities(codes, *prior)
        self.clusters[indices] = log_shares.detach().argmax(dim=1)
        divergence = prior_divergence(means, log_variances, log_shares, *prior)
        return (self._surprise(x, self.network.decode(codes)) + divergence).mean()

    def _surprise(self, x: Tensor, outputs: Tensor) -> Tensor:
        if self.noise is None:
            return bernoulli_surprise(x, outputs)
        return gaussian_surprise(x, outputs, self.noise)

    def on_epoch(self, progress: Progress) -> None:
        """Lower the learning rate when it is time."""
        if self.n_steps < self.warm_up:
            return
        self.optimizer.learning_rate = self.first_rate * DECAY ** (
            progress.epoch // EPOCHS_PER_DECAY
        )

    def _heads(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the codes' means and log variances (b, n_components)."""
        code_layer = self.network.n_encoder_layers - 1
        hidden = self.network.apply_layers(x, 0, code_layer)
        return self.network.layers[code_layer](hidden), self.head.code_log_variance(hidden)


@dataclass(eq=False, repr=False, kw_only=True)
class VaDE(FineTunedClustering):
    """Variational deep embedding: clusters are the components of a generative model's prior.

    Jiang, Zheng, Tan, Tang and Zhou (IJCAI 2017). The encoder gives a mean (the
    code) and a variance, the decoder the image's pixels as coins (a table's
    values with Gaussian noise, as large as the pretrained network's errors), the
    prior is a mixture of k Gaussians that starts as the mixture of the pretrained
    codes. The learning rate falls by a tenth every ten epochs. On a table, and in
    trainings of fewer than 2,000 steps, it rises to its height over the first 50.
    Should clusters merge in the first epochs nevertheless, training starts again at
    a quarter of the rate, three times at most, and says so.

    Parameters
    ----------
    n_clusters : int or "auto", default=8
    autoencoder : AutoEncoder, default=None
        To start from, as for `DEC`; of the dense kind.
    max_iter : int, default=50
        Epochs, pretraining aside (the paper: 300).
    batch_size : int, default=256
        The paper: 100.
    learning_rate_init : float, default=0.002
    callbacks, scaling, random_state, verbose : as for `DEC`

    Attributes
    ----------
    cluster_centers_ : ndarray (k, n_components)
        The components' means.
    head_ : Mixture
    loss_curve_ : list of float
        Minus the evidence lower bound, in nats a sample.
    learning_rate_ : float
        The rate it was trained at, smaller than ``learning_rate_init`` after a restart.
    collapse_ : str
        How the clusters have collapsed nevertheless, as a sentence; "" when they have not.
    labels_, autoencoder_, n_iter_ : as for `DEC`
    """

    head_: Mixture = field(init=False)
    _fitted = ("n_iter_", "loss_curve_", "learning_rate_", "collapse_")
    _later: ClassVar[dict[str, Any]] = {"learning_rate_": None, "collapse_": ""}
    _n_restarts = 3

    learning_rate_init: float = 0.002

    @default_state()
    def predict_proba(self, X: ArrayLike) -> NDArray[Any]:
        """Return the components' responsibilities (n, k) for the codes of X; rows sum to 1."""
        return self._soft(self._codes(X)).cpu().numpy()

    @property
    def cluster_centers_(self) -> NDArray[Any]:
        """The components' means (k, n_components), in the space of the codes."""
        return self.head_.means.detach().cpu().numpy().copy()

    def memberships(self, codes: Tensor) -> Tensor:
        """Return the responsibilities (n, k) for codes on the model's device; rows sum to 1."""
        return log_responsibilities(codes, *self.head_.prior()).exp()

    def clusters(self, codes: Tensor) -> Tensor:
        """Return the likeliest component (n,) of codes on the model's device."""
        return self.memberships(codes).argmax(dim=1)

    @torch.no_grad()
    @one_thread()
    def _soft(self, codes: NDArray[Any]) -> Tensor:
        return self.memberships(self._on_device(codes))

    def _clusters_of(self, codes: NDArray[Any]) -> NDArray[np.int64]:
        return self._soft(codes).argmax(dim=1).cpu().numpy()

    def _look_at(self, codes: NDArray[Any]) -> dict[str, NDArray[Any]]:
        return {"centers": self.cluster_centers_, "soft": self._soft(codes).cpu().numpy()}

    def _make_head(self, codes: NDArray[Any], seed: int) -> Mixture:
        model = GaussianMixture(
            self.n_clusters_, covariance_type="diag", n_init=N_INIT, random_state=seed
        )
        fitted_quietly(model, codes.astype(np.float64))
        parameters = (model.weights_, model.means_, model.covariances_)
        weights, means, variances = (torch.from_numpy(p.astype(codes.dtype)) for p in parameters)
        head = Mixture(self.n_clusters_, means.shape[1], self._n_hidden())
        head.start(weights, means, variances)
        return head

    def _head_of(self, tensors: dict[str, Tensor]) -> Mixture:
        n_clusters, n_components = tensors["means"].shape
        head = Mixture(n_clusters, n_components, self._n_hidden())
        head.to(tensors["means"].dtype).load_state_dict(tensors)
        return head

    def _start(self, X: ArrayLike, seed: int) -> NDArray[Any]:
        given = self._given()
        if given is not None and given.kind != "dense":
            raise InputError(
                f"VaDE needs a dense autoencoder and was given one of kind={given.kind!r}; "
                "give one with kind='dense'."
            )
        return super()._start(X, seed)

    def _n_hidden(self) -> int:
        """Return how many numbers the encoder's last layer takes."""
        network = self._dense_network()
        return network.linear_layers()[network.n_encoder_layers - 1].in_features

    def _dense_network(self) -> DenseAutoEncoder:
        network = self.autoencoder_.network_
        assert isinstance(network, DenseAutoEncoder)
        return network

    def _objective(
        self, rows: NDArray[Any], optimizer: Adam, generator: torch.Generator
    ) -> EvidenceBound:
        clusters = self._on_device(self._clusters_of(self._encoded(rows)))
        is_table = self.autoencoder_.input_kind_ == "table"
        n_steps = self.max_iter * math.ceil(len(rows) / self.batch_size)
        return EvidenceBound(
            self._dense_network(), self.head_, clusters, optimizer, generator,
            self._noise(rows) if is_table else None,
            WARM_UP if is_table or n_steps < LONG else 0,
        )  # fmt: skip

    def _noise(self, rows: NDArray[Any]) -> float:
        """Return the variance that the pretrained autoencoder leaves in scaled columns."""
        model = self.autoencoder_
        return max(
            LEAST_NOISE, inference.reconstruction_error(model.network_, model.scaling_, rows)
        )

    def _watches(self, objective: Objective) -> list[Callback]:
        first = effective_clusters(objective.clusters.cpu().numpy())

        def look(progress: Progress) -> str:
            if progress.epoch > FIRST_EPOCHS and progress.step > FIRST_STEPS:
                return ""
            left = effective_clusters(objective.clusters.cpu().numpy())
            if left >= LEAST_LEFT * first:
                return ""
            return (
                f"The clusters collapsed (by their sizes {first:.1f} clusters became {left:.1f})."
            )

        return [CollapseWatch(look)]
