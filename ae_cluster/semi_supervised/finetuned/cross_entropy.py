"""An autoencoder's encoder, fine-tuned to the labels while it goes on reconstructing."""

from __future__ import annotations

import copy
from dataclasses import KW_ONLY, dataclass

import torch
from sklearn.frozen import FrozenEstimator
from torch import Tensor, nn

from ae_cluster.autoencoder.estimator import AutoEncoder
from ae_cluster.autoencoder.networks import AutoEncoderNetwork, UnfilledLinear, initialize
from ae_cluster.common.validation import FloatArray
from ae_cluster.semi_supervised.base import Labeling
from ae_cluster.semi_supervised.finetuned.base import (
    LABELS_AT_ONCE,
    BaseFineTunedClassifier,
    Learnt,
    Start,
    in_turns,
    labels_of,
)


class EncoderWithHead(nn.Module):
    """An encoder and a small perceptron on its code: samples (n, n_features) to scores.

    Parameters
    ----------
    autoencoder : AutoEncoderNetwork
        Its decoder is trained too, and asked nothing here.
    n_components, hidden_size, n_classes : int
    """

    def __init__(
        self, autoencoder: AutoEncoderNetwork, n_components: int, hidden_size: int, n_classes: int
    ) -> None:
        super().__init__()
        self.autoencoder = autoencoder
        self.head = nn.Sequential(
            UnfilledLinear(n_components, hidden_size), nn.ReLU(),
            UnfilledLinear(hidden_size, n_classes),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        """Return the scores (n, n_classes)."""
        scores: Tensor = self.head(self.autoencoder.encode(x))
        return scores


@dataclass(eq=False, repr=False)
class FineTunedClassifier(BaseFineTunedClassifier):
    """A trained autoencoder whose encoder learns on from both kinds of samples.

    Minimises the cross-entropy of the labelled samples, by a small perceptron on the code, plus
    the mean squared reconstruction error of all of them, so that the code cannot forget what
    the unlabelled ones look like.

    Parameters
    ----------
    autoencoder : AutoEncoder, FrozenEstimator or None
        To start from. None: `AutoEncoder()`. One that is fitted is used as it is (frozen, it
        stays so in copies of this classifier).
    hidden_size : int
        Of the perceptron on the code.
    reconstruction_weight : float
        Of the reconstruction error, in units of the error at the start: at 1 both losses
        begin at about the same size.
    max_iter : int
        Epochs over all samples.
    min_steps : int
        Minibatches at least.
    batch_size : int
    learning_rate_init : float
        Falls to 0 along half a cosine.
    random_state : int, RandomState or None
    verbose : bool
    """

    _expected_temperature = 1.0

    autoencoder: AutoEncoder | FrozenEstimator | None = None
    _: KW_ONLY
    hidden_size: int = 64
    reconstruction_weight: float = 50.0

    def _given(self) -> AutoEncoder | FrozenEstimator | None:
        return self.autoencoder

    def _default(self, n_classes: int) -> AutoEncoder:  # noqa: ARG002
        return AutoEncoder()

    def _prepare(self, X: FloatArray) -> Start:
        return self._started(X, 0, self._checked_seed())

    def _learn(self, prepared: Start, labeling: Labeling) -> Learnt:
        x, generator = prepared.x, prepared.generator()
        network = self._with_head(prepared, labeling.n_classes, generator)
        indices, classes = labels_of(labeling, x.device)
        turns = in_turns(len(indices), LABELS_AT_ONCE, generator)
        with torch.no_grad():
            some = x[: 10 * self.batch_size]
            unit = max(float((network.autoencoder(some) - some).square().mean()), 1e-12)
        weight = self.reconstruction_weight / unit

        def loss(chosen: Tensor) -> Tensor:
            turn = next(turns)
            seen = x[chosen.to(x.device)]
            error = nn.functional.mse_loss(network.autoencoder(seen), seen)
            learnt = nn.functional.cross_entropy(network(x[indices[turn]]), classes[turn])
            return learnt + weight * error

        trainer = self._trainer(x, generator)
        n_iter = trainer.epochs(self.max_iter)
        trainer.fit(network, loss, n_iter, self.learning_rate_init)
        return Learnt(prepared.model, network, n_iter)

    def _with_head(
        self, start: Start, n_classes: int, generator: torch.Generator
    ) -> EncoderWithHead:
        autoencoder = copy.deepcopy(start.model.network_)
        network = EncoderWithHead(
            autoencoder, start.model.n_components, self.hidden_size, n_classes
        )
        initialize(network.head, generator)
        return network.to(start.x)
