"""Clusters given classes by a few labels, and their cluster head fine-tuned with both."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from functools import cache
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.frozen import FrozenEstimator
from torch import Tensor, nn

from ae_cluster.clustering.sorting import SortingAutoEncoder, consistency
from ae_cluster.clustering.sorting.candidates import nearest_neighbors
from ae_cluster.clustering.sorting.stages import EPSILON_NEIGHBOR
from ae_cluster.common.validation import FloatArray, IntArray
from ae_cluster.graphs.neighbors import NeighborSearch
from ae_cluster.semi_supervised.base import Labeling
from ae_cluster.semi_supervised.cluster_labels import evidence, likelihoods, one_to_one
from ae_cluster.semi_supervised.finetuned.base import (
    LABELS_AT_ONCE,
    BaseFineTunedClassifier,
    Learnt,
    Start,
    in_turns,
    labels_of,
)
from ae_cluster.semi_supervised.temperature import fit_temperature
from ae_cluster.training.minibatch import in_chunks

TRUST = 1.0  # labels that a cluster's matched class is worth
EXPECTED = 0.5  # labels that the temperature expected without them is worth
LEAST_CHANGED = 0.001  # of the samples: labels that would change fewer are outliers
BALANCE_WEIGHT = 1.0  # of the proportions: at .4, the sorting's, one outlier drew others along
N_NEIGHBORS = 20  # nearest samples whose memberships are averaged with a labelled one's


class ClassHead(nn.Module):
    """A cluster head with classes: samples (n, n_features) to log-probabilities of classes.

    Parameters
    ----------
    cluster_head : nn.Module
        To logits (n, k) of clusters.
    class_of : Tensor (k,)
        Class of each cluster; each class has one.
    n_classes : int
    """

    class_of: Tensor

    def __init__(self, cluster_head: nn.Module, class_of: Tensor, n_classes: int) -> None:
        super().__init__()
        self.cluster_head, self.n_classes = cluster_head, n_classes
        self.register_buffer("class_of", class_of)

    def forward(self, x: Tensor) -> Tensor:
        """Return log p(class | sample) (n, n_classes): the sum over a class's clusters."""
        logs = torch.log_softmax(self.cluster_head(x), 1)
        of_class = [torch.logsumexp(logs[:, self.class_of == c], 1) for c in range(self.n_classes)]
        return torch.stack(of_class, 1)


class _Clustered(NamedTuple):
    """A start, and what is known of its samples without a label.

    Attributes
    ----------
    logs : Tensor (n, k)
        Log-memberships.
    search : NeighborSearch
        Among the samples.
    epsilon : Tensor (n, 1) or None
        Lengths of the VAT steps; None with an image prior, which takes none.
    """

    start: Start
    logs: Tensor
    search: NeighborSearch
    epsilon: Tensor | None

    def neighborhood_logs(self, chosen: IntArray) -> NDArray[np.float64]:
        """Return the mean log-memberships (m, k) of some samples and those around them.

        A sample that lies in the wrong cluster has others of its kind near it more often than
        a sample that belongs there, which its own membership, near 0 or 1, does not tell.
        """
        n = min(N_NEIGHBORS, len(self.logs))
        _, around = self.search.nearest(self.start.x[chosen].cpu().numpy(), n)
        found: NDArray[np.float64] = self.logs.double().cpu().numpy()[around].mean(axis=1)
        return found


@dataclass(eq=False, repr=False)
class SortingClassifier(BaseFineTunedClassifier):
    """Clusters of a `SortingAutoEncoder` matched with classes, then fine-tuned with the labels.

    1. *Matching.* Each class is given one cluster: the likeliest one-to-one matching for the
       labelled samples and those around them. With several labels of a class, what else a
       cluster holds is counted too; where that changes the class of more than an outlier, the
       head is first trained on the resulting soft assignments.
    2. *Consistency training.* A copy of the cluster head learns the labels by cross-entropy and,
       on all samples, to predict the same for what differs little
       (`clustering.sorting.consistency`); with the sorting's image prior that is the image
       turned, sheared, scaled, moved and bent.

    Assumes no shares of the classes: the proportions that the predictions are held to are those
    of the matched clusters.

    Parameters
    ----------
    sorting : SortingAutoEncoder, FrozenEstimator or None
        To start from. None: `SortingAutoEncoder(n_classes)`, no image prior. One that is fitted
        is used as it is (frozen, it stays so in copies of this classifier).
    label_weight : float
        Of the cross-entropy.
    max_iter : int
        Epochs over all samples.
    min_steps : int
        Minibatches at least.
    batch_size : int
    learning_rate_init : float
    random_state : int, RandomState or None
    verbose : bool
    """

    _n_folds = 0  # see `_calibrate`

    sorting: SortingAutoEncoder | FrozenEstimator | None = None
    _: KW_ONLY
    label_weight: float = 1.0
    max_iter: int = 3
    min_steps: int = 400
    learning_rate_init: float = 0.001

    def _given(self) -> SortingAutoEncoder | FrozenEstimator | None:
        return self.sorting

    def _default(self, n_classes: int) -> SortingAutoEncoder:
        return SortingAutoEncoder(n_classes)

    def _prepare(self, X: FloatArray) -> Callable[[int], _Clustered]:
        seed = self._checked_seed()

        @cache
        def clustered_into(n_classes: int) -> _Clustered:
            start = self._started(X, n_classes, seed)
            model = _sorting(start)
            logs = in_chunks(
                lambda x: torch.log_softmax(model.network_.cluster_head(x), 1), start.x
            )
            # Not its labels_: it may have been fitted to other samples.
            clusters = logs.argmax(1).cpu().numpy()
            epsilon = None if model.image_prior else vat_steps(start.x, clusters)
            return _Clustered(start, logs, NeighborSearch(start.x.cpu().numpy()), epsilon)

        return clustered_into

    def _learn(self, prepared: Callable[[int], _Clustered], labeling: Labeling) -> Learnt:
        known = prepared(labeling.n_classes)
        start, epsilon, generator = known.start, known.epsilon, known.start.generator()
        network, targets = with_classes(known, labeling)
        indices, classes = labels_of(labeling, start.x.device)
        first_scores = in_chunks(network, start.x[indices]).cpu().numpy()
        if epsilon is None:
            assert start.model.image_shape_ is not None
            perturb = consistency.warped(start.model.image_shape_, generator)
        else:
            perturb = consistency.adversarial(network, epsilon, generator)
        trainer = self._trainer(start.x, generator)
        turns = in_turns(len(indices), LABELS_AT_ONCE, generator)
        predicted = in_chunks(network, start.x)
        changed = targets.argmax(1).ne(predicted.argmax(1)).double().mean()
        if changed < LEAST_CHANGED:
            targets = predicted.exp()
        else:
            trainer.warm_up(network, targets, self.learning_rate_init)
        proportions = targets.mean(0)

        def loss(unlabelled: Tensor) -> Tensor:
            turn = next(turns)
            both = torch.cat([unlabelled.to(indices.device), indices[turn]])
            logits = network(start.x[both])
            disturbed = network(perturb(start.x[both], both, logits))
            inconsistency = consistency.consistency_loss(
                logits, disturbed, proportions, BALANCE_WEIGHT
            )
            learnt = sum(
                nn.functional.cross_entropy(part[-len(turn) :], classes[turn])
                for part in (logits, disturbed)
            )
            return inconsistency + self.label_weight * learnt / 2

        n_iter = trainer.epochs(self.max_iter)
        trainer.fit(network, loss, n_iter, self.learning_rate_init)
        return Learnt(start.model, network, n_iter, first_scores)

    def _calibrate(self, _: FloatArray, labeling: Labeling, __: list[tuple[IntArray, Any]]) -> None:
        """Set the temperature by the scores of the labelled before the training on their labels.

        These labels only chose the classes of the clusters, so that is as good as held out.
        """
        assert self._state.first_scores is not None
        truth = labeling.columns[labeling.labelled]
        self.temperature_ = fit_temperature(
            self._state.first_scores, truth, self._expected_temperature, EXPECTED
        )


def with_classes(known: _Clustered, labeling: Labeling) -> tuple[ClassHead, Tensor]:
    """Return the cluster head with classes, and what the labels say of all samples (n, k)."""
    chosen, n_classes = labeling.labelled, labeling.n_classes
    columns = labeling.columns[chosen]
    class_of = one_to_one(evidence(known.neighborhood_logs(chosen), columns, n_classes))
    memberships = known.logs.exp()
    of_labelled = memberships[chosen].double().cpu().numpy()
    shares = likelihoods(of_labelled, columns, class_of, n_classes, TRUST)
    head: nn.Module = copy.deepcopy(_sorting(known.start).network_.cluster_head)
    network = ClassHead(head, torch.from_numpy(class_of).to(memberships.device), n_classes)
    return network.eval(), memberships @ torch.from_numpy(shares).to(memberships)


def _sorting(start: Start) -> SortingAutoEncoder:
    return cast(SortingAutoEncoder, start.model)


def vat_steps(x: Tensor, clusters: NDArray[np.int64]) -> Tensor:
    """Return the length (n, 1) of the VAT step from each sample, as the sorting measures it.

    Neighbours are looked for within a sample's cluster, which takes a fraction of the time and
    hardly misses any.
    """
    samples, lengths = x.cpu().numpy(), np.zeros((len(x), 1))
    for cluster in np.unique(clusters):
        inside = np.flatnonzero(clusters == cluster)
        if len(inside) > 1:
            distances, _ = nearest_neighbors(samples[inside], EPSILON_NEIGHBOR)
            lengths[inside] = consistency.VAT_EPSILON * distances[:, -1:]
    return torch.from_numpy(lengths).to(x)
