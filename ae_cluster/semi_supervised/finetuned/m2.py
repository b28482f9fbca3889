"""M1+M2: a generative model of an autoencoder's codes in which the class is one of the causes."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import NamedTuple

import torch
from sklearn.frozen import FrozenEstimator
from torch import Tensor, nn

from ae_cluster.autoencoder.estimator import AutoEncoder
from ae_cluster.autoencoder.networks import AutoEncoderNetwork, UnfilledLinear, initialize
from ae_cluster.clustering.deep.vade_equations import sampled
from ae_cluster.common.validation import FloatArray
from ae_cluster.metrics.clustering import UNKNOWN
from ae_cluster.semi_supervised.base import Labeling
from ae_cluster.semi_supervised.finetuned.base import (
    LABELS_AT_ONCE,
    BaseFineTunedClassifier,
    Learnt,
    Start,
    in_turns,
    labels_of,
)
from ae_cluster.semi_supervised.finetuned.m2_equations import (
    divergence_from_standard,
    gaussian_log_density,
    labelled_bound,
    objective,
    unlabelled_bound,
)
from ae_cluster.training.minibatch import in_chunks

LOG_VARIANCES = (-6.0, 6.0)  # of a code's component, its variance over all samples being 1


class ClassAndStyle(nn.Module):
    """M2: q(y | x), q(z | x, y) and p(x | y, z), perceptrons with one hidden layer.

    Parameters
    ----------
    n_features, n_classes, n_styles, hidden_size : int
        Of x, y, z and the hidden layers.
    """

    def __init__(self, n_features: int, n_classes: int, n_styles: int, hidden_size: int) -> None:
        super().__init__()
        self.n_classes, self.n_styles = n_classes, n_styles
        self.classifier = _perceptron(n_features, hidden_size, n_classes)
        self.style_encoder = _perceptron(n_features + n_classes, hidden_size, 2 * n_styles)
        self.decoder = _perceptron(n_classes + n_styles, hidden_size, 2 * n_features)
        self.log_priors = nn.Parameter(torch.zeros(n_classes))

    def bounds(self, x: Tensor, classes: Tensor, noise: Tensor) -> Tensor:
        """Return −L(x, y) (n,) of samples x (n, d) with classes (n,), by noise (n, n_styles)."""
        y = nn.functional.one_hot(classes, self.n_classes).to(x)
        means, log_variances = self.style_encoder(torch.cat([x, y], 1)).chunk(2, 1)
        z = sampled(means, log_variances, noise)
        code_means, spread = self.decoder(torch.cat([y, z], 1)).chunk(2, 1)
        likelihood = gaussian_log_density(x, code_means, spread.clamp(*LOG_VARIANCES))
        prior = torch.log_softmax(self.log_priors, 0)[classes]
        return labelled_bound(likelihood, prior, divergence_from_standard(means, log_variances))

    def all_bounds(self, x: Tensor, noise: Tensor) -> Tensor:
        """Return −L(x, y) (n, k) of samples with each class, all by the same noise."""
        n, k = len(x), self.n_classes
        classes = torch.arange(k, device=x.device).repeat_interleave(n)
        return self.bounds(x.repeat(k, 1), classes, noise.repeat(k, 1)).reshape(k, n).T


class CodesAndClasses(nn.Module):
    """An encoder, its codes standardised, and q(y | code): samples to log-probabilities.

    Parameters
    ----------
    autoencoder : AutoEncoderNetwork
    mean, scale : Tensor (n_components,)
    classifier : nn.Module
    """

    mean: Tensor
    scale: Tensor

    def __init__(
        self, autoencoder: AutoEncoderNetwork, mean: Tensor, scale: Tensor, classifier: nn.Module
    ) -> None:
        super().__init__()
        self.autoencoder, self.classifier = autoencoder, classifier
        self.register_buffer("mean", mean)
        self.register_buffer("scale", scale)

    def codes(self, x: Tensor) -> Tensor:
        """Return the standardised codes (n, n_components)."""
        return (self.autoencoder.encode(x) - self.mean) / self.scale

    def forward(self, x: Tensor) -> Tensor:
        """Return log q(y | x) (n, n_classes)."""
        return torch.log_softmax(self.classifier(self.codes(x)), 1)


class _Codes(NamedTuple):
    start: Start
    codes: Tensor  # (n, n_components), standardised
    mean: Tensor
    scale: Tensor


@dataclass(eq=False, repr=False)
class DeepGenerativeClassifier(BaseFineTunedClassifier):
    """M1+M2: the class and a style are causes of an autoencoder's codes.

    M1 is the autoencoder, trained without labels. M2 explains its (standardised) codes by a
    class and a style, and learns what recognises both: with the class known where a sample is
    labelled, summed over where it is not. A sample is of the class with the largest q(y | x).
    The classes' shares p(y) are learnt with the rest.

    Parameters
    ----------
    autoencoder : AutoEncoder, FrozenEstimator or None
        M1. None: `AutoEncoder(10)`. One that is fitted is used as it is (frozen, it stays so in
        copies of this classifier).
    n_styles : int
        Size of the style.
    hidden_size : int
        Of M2's perceptrons.
    alpha : float
        Weight of the classification loss.
    max_iter : int
        Epochs over all samples.
    min_steps : int
        Minibatches at least.
    batch_size : int
    learning_rate_init : float
        Falls to 0 along half a cosine.
    random_state : int, RandomState or None
    verbose : bool

    References
    ----------
    Kingma, Rezende, Mohamed and Welling, "Semi-supervised learning with deep generative models"
    (NeurIPS 2014).
    """

    _expected_temperature = 1.0

    autoencoder: AutoEncoder | FrozenEstimator | None = None
    _: KW_ONLY
    n_styles: int = 5
    hidden_size: int = 100
    alpha: float = 10.0
    max_iter: int = 10
    min_steps: int = 600
    learning_rate_init: float = 0.003

    def _given(self) -> AutoEncoder | FrozenEstimator | None:
        return self.autoencoder

    def _default(self, n_classes: int) -> AutoEncoder:  # noqa: ARG002
        return AutoEncoder(10)

    def _prepare(self, X: FloatArray) -> _Codes:
        start = self._started(X, 0, self._checked_seed())
        codes = in_chunks(start.model.network_.encode, start.x)
        mean, scale = codes.mean(0), codes.std(0, correction=0)
        scale = torch.where(scale > 0, scale, 1)
        return _Codes(start, (codes - mean) / scale, mean, scale)

    def _learn(self, prepared: _Codes, labeling: Labeling) -> Learnt:
        codes, generator = prepared.codes, prepared.start.generator()
        network = ClassAndStyle(codes.shape[1], labeling.n_classes, self.n_styles, self.hidden_size)
        initialize(network, generator)
        network.to(codes)
        indices, classes = labels_of(labeling, codes.device)
        others = codes[torch.from_numpy(labeling.columns == UNKNOWN).to(codes.device)]
        others = others if len(others) else codes  # all are labelled: each once more without
        turns = in_turns(len(indices), LABELS_AT_ONCE, generator)
        share = len(indices) / len(codes)

        def noise(n: int) -> Tensor:
            return torch.randn(n, self.n_styles, generator=generator, dtype=codes.dtype).to(codes)

        def loss(chosen: Tensor) -> Tensor:
            x, turn = others[chosen.to(codes.device)], next(turns)
            known = codes[indices[turn]]
            log_shares = torch.log_softmax(network.classifier(torch.cat([x, known])), 1)
            of_labels = log_shares[len(x) :].gather(1, classes[turn][:, None])
            return objective(
                network.bounds(known, classes[turn], noise(len(known))),
                unlabelled_bound(network.all_bounds(x, noise(len(x))), log_shares[: len(x)]),
                of_labels,
                share,
                self.alpha,
            )

        trainer = self._trainer(others, generator)
        n_iter = trainer.epochs(self.max_iter)
        trainer.fit(network, loss, n_iter, self.learning_rate_init)
        whole = CodesAndClasses(
            prepared.start.model.network_, prepared.mean, prepared.scale, network.classifier
        )
        return Learnt(prepared.start.model, whole, n_iter)


def _perceptron(n_in: int, hidden_size: int, n_out: int) -> nn.Sequential:
    return nn.Sequential(
        UnfilledLinear(n_in, hidden_size), nn.Softplus(), UnfilledLinear(hidden_size, n_out)
    )
