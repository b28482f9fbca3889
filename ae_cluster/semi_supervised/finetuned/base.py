"""What classifiers share that fine-tune an encoder: where they start, and what they learn."""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from ae_cluster.autoencoder import inference
from ae_cluster.autoencoder.estimator import AutoEncoder
from ae_cluster.autoencoder.inputs import (
    Allowed,
    check_parameters,
    positive,
    validate_samples,
    whole,
)
from ae_cluster.common.progress import progress_bar
from ae_cluster.common.validation import FloatArray
from ae_cluster.semi_supervised.base import FewLabelClassifier, Labeling, Scores
from ae_cluster.training.fitting import seed_of
from ae_cluster.training.minibatch import MinibatchTrainer, in_chunks

LABELS_AT_ONCE = 64  # of a minibatch
OWN: Allowed = {
    "max_iter": whole(1),
    "min_steps": whole(1),
    "hidden_size": whole(1),
    "alpha": positive,
    "reconstruction_weight": positive,
    "label_weight": positive,
}


class Start(NamedTuple):
    """A trained encoder, and the samples as it takes them.

    Attributes
    ----------
    model : AutoEncoder
        Fitted, and left as it is: what learns on is a copy of its network.
    x : Tensor (n, n_features)
    seed : int
        Of everything random in what follows.
    """

    model: AutoEncoder
    x: Tensor
    seed: int

    def generator(self) -> torch.Generator:
        """Return where the randomness of one training comes from, the same for each."""
        return torch.Generator().manual_seed(self.seed)


class Learnt(NamedTuple):
    """What was learnt from one labeling: samples go through ``model``'s scaling, then ``network``.

    Attributes
    ----------
    model : AutoEncoder
    network : nn.Module
        Scaled samples (n, n_features) to scores (n, n_classes).
    n_iter : int
        Epochs that it took.
    first_scores : ndarray (m, n_classes) or None
        Scores of the labelled samples before the training on their labels.
    """

    model: AutoEncoder
    network: nn.Module
    n_iter: int
    first_scores: NDArray[Any] | None = None

    def scores(self, X: ArrayLike) -> NDArray[Any]:
        """Return the scores (n, n_classes) of samples."""
        rows = inference.as_tensor(validate_samples(self.model, X, reset=False))
        device = next(self.network.parameters()).device
        return in_chunks(
            lambda part: self.network(self.model.scaling_(part).to(device)), rows
        ).cpu().numpy()  # fmt: skip


@dataclass(eq=False, repr=False, kw_only=True)
class BaseFineTunedClassifier(FewLabelClassifier):
    """A few-label classifier of the samples themselves, which an encoder learns to tell apart.

    The encoder is trained without labels, once for all labelings (or given, trained already),
    and a copy of it then learns on from each labeling and all samples.
    """

    max_iter: int = 5
    min_steps: int = 1000
    batch_size: int = 256
    learning_rate_init: float = 0.002
    random_state: int | np.random.RandomState | None = None
    verbose: bool = False
    _dtypes = (np.float64, np.float32, np.uint8)
    # One fold: each one more would take as long as the fit itself.
    _n_folds = 1

    @abstractmethod
    def _given(self) -> AutoEncoder | FrozenEstimator | None:
        """Return the model that was given to start from."""

    @abstractmethod
    def _default(self, n_classes: int) -> AutoEncoder:
        """Return the unfitted model to start from where none was given."""

    def _started(self, X: FloatArray, n_classes: int, seed: int) -> Start:
        """Return the model to start from, trained unless it came so, and the samples."""
        given = self._given()
        if isinstance(given, FrozenEstimator):
            given = cast(AutoEncoder, given.estimator)
        model = given
        if model is None or not hasattr(model, "network_"):
            model = self._default(n_classes) if model is None else copy.copy(model)
            if model.random_state is None:
                model.random_state = seed
            model.fit(X)
        rows = validate_samples(model, X, reset=False)
        device = next(model.network_.parameters()).device
        x = in_chunks(model.scaling_, inference.as_tensor(rows)).to(device)
        return Start(model, x, seed)

    def _learn_all(self, prepared: Any, labelings: Sequence[Labeling]) -> Iterator[Any]:
        """Return what is learnt from each labeling; each takes long, hence the bar."""
        silent = not self.verbose or len(labelings) == 1  # then its epochs are the bar
        with nullcontext() if silent else progress_bar(len(labelings), "labels", "fit") as bar:
            for labeling in labelings:
                learnt = self._learn(prepared, labeling)
                if bar is not None:
                    bar.update()
                yield learnt

    def _checked_seed(self) -> int:
        check_parameters(self.get_params(deep=False), OWN)
        return seed_of(self.random_state)

    def _trainer(self, x: Tensor, generator: torch.Generator) -> MinibatchTrainer:
        verbose = bool(self.verbose)
        return MinibatchTrainer(x, self.batch_size, self.min_steps, generator, self, verbose)

    def _scores(self, state: Learnt, X: FloatArray) -> Scores:
        return state.scores(X)

    @property
    def n_iter_(self) -> int:
        """Epochs over all samples that the labels were learnt in."""
        check_is_fitted(self, "_state")
        return int(self._state.n_iter)


def labels_of(labeling: Labeling, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return the indices (m,) of the labelled samples and their classes (m,)."""
    chosen = labeling.labelled
    return (
        torch.from_numpy(chosen).to(device),
        torch.from_numpy(labeling.columns[chosen].astype(np.int64)).to(device),
    )


def in_turns(n: int, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Yield ``size`` of n numbers at a time, in ever new orders; all of them where n is less."""
    while True:
        for part in torch.split(torch.randperm(n, generator=generator), size):
            if len(part) == min(n, size):  # a short rest would weigh as much as a whole part
                yield part
