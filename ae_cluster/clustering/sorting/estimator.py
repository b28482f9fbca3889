"""`SortingAutoEncoder`: codes that cluster, from an encoder that codes images it has never seen."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClusterMixin
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from ae_cluster.autoencoder import inference
from ae_cluster.autoencoder.estimator import AutoEncoder
from ae_cluster.autoencoder.inputs import (
    Allowed,
    check_parameters,
    flag,
    layer_sizes,
    n_clusters_or_auto,
    one_of,
    or_none,
    validate_samples,
    whole,
)
from ae_cluster.autoencoder.networks import initialize
from ae_cluster.clustering.codes import check_n_clusters
from ae_cluster.clustering.number_of_clusters import resolved
from ae_cluster.clustering.outlier_scores import ScoresOutliers
from ae_cluster.clustering.outliers import like_noise
from ae_cluster.clustering.sorting import consistency
from ae_cluster.clustering.sorting.candidates import CUT
from ae_cluster.clustering.sorting.consistency import one_hot
from ae_cluster.clustering.sorting.graph_clustering import MANY, first_clusters, quick_clusters
from ae_cluster.clustering.sorting.networks import (
    ConvHead,
    SortingNetwork,
    dense_head,
    with_current_names,
)
from ae_cluster.clustering.sorting.stages import (
    CHANGED_IMAGES,
    GRAPH,
    LEARNT,
    SMALL_STEPS,
    Stage,
    layout_of,
    learn_clusters,
    neighbors_of,
    train_consistency,
    train_decoder,
    vat_epsilons,
)
from ae_cluster.common.global_state import default_state
from ae_cluster.common.scalars import plain_parameters
from ae_cluster.common.table_options import AUTO
from ae_cluster.graphs.neighbors import MOST_IN_A_GRAPH, sample_for_graph
from ae_cluster.graphs.umap import Neighbors
from ae_cluster.training.diagnostics import DiagnosticsWarning, findings
from ae_cluster.training.fitting import seed_of
from ae_cluster.training.minibatch import MinibatchTrainer, in_chunks
from ae_cluster.training.threads import one_thread

FULL, FAST = "full", "fast"  # effort
OWN: Allowed = {
    name: whole(least)
    for name, least in {
        "n_neighbors": 2,
        "max_samples": 2,
    }.items()
} | {
    "image_prior": (flag, "True or False"),
    "effort": (one_of(FULL, FAST), f"{FULL} or {FAST}"),
    "n_clusters": n_clusters_or_auto,
    "hidden_layer_sizes": or_none(layer_sizes),
    "batch_size": or_none(whole(1)),
    "min_steps": or_none(whole(1)),
    "max_iter": or_none(whole(1)),
    "decoder_max_iter": or_none(whole(1)),
}


class Sizes(NamedTuple):
    """Sizes of a cluster head and its trainings where nothing else is asked for.

    Few samples tell a wide head apart no better, and are gone through in fewer steps.
    """

    hidden: tuple[int, int]
    batch: int
    min_steps: int
    max_iter: int = 12
    decoder_max_iter: int = 5


def usual_sizes(n_samples: int, effort: str = FULL) -> Sizes:
    """Return the sizes for so many training samples."""
    if effort == FAST:
        return Sizes((200, 200), 128 if n_samples <= MANY else 512, 100, 3, 1)
    return Sizes((200, 200), 128, 300) if n_samples <= MANY else Sizes((400, 400), 256, 1000)


IMAGE_SHARE = 1.25  # of the epochs, under changes of the image; fewer end farther from other seeds
LOOKED_AT = 5000  # samples for the diagnostics of the outcome


@dataclass(eq=False, repr=False)
class SortingAutoEncoder(ScoresOutliers, ClusterMixin, AutoEncoder):  # type: ignore[misc]
    """Graph-initialised consistency clustering with a structured code.

    Clusters come from the k-nearest-neighbour graph of the samples. A cluster head learns
    them and is trained for consistency: its soft assignments of a sample and of the sample
    perturbed must agree. A code is the center of its cluster plus a within-cluster offset,
    from which a decoder reconstructs. KMeans and Gaussian mixtures find the clusters in the
    codes, and new samples are coded by the network alone.

    Parameters
    ----------
    n_clusters : int or "auto", default=8
        "auto": the first of `ae_cluster.suggest_n_clusters`, of the samples as the network is
        fed them.
    n_components : int, default=3
        Size of the code.
    image_prior : bool, default=False
        Images that are turned, sheared, scaled, moved or bent a little keep their
        cluster. Without it nothing is assumed, not even which pixels are neighbours.
    n_neighbors : int, default=15
        Of the graph; fewer where clusters must be small.
    hidden_layer_sizes : sequence of int, optional
        Of the cluster head; with the image prior a convolutional one follows it. By default
        (200, 200) for up to 10,000 samples, (400, 400) for more; with little effort (200, 200).
    batch_size : int, optional
        By default 128 for up to 10,000 samples, 256 for more, or 512 with little effort.
    learning_rate_init : float, default=0.002
    max_iter : int, optional
        Epochs of consistency training under the worst small step, by default 12; with the image
        prior, besides, a quarter more under changes of the image. With little effort, epochs of
        learning the first clusters, by default 3.
    decoder_max_iter : int, optional
        Epochs of the within-cluster offsets and the decoder; by default 5, with little effort 1.
    min_steps : int, optional
        Minibatches that each of these trainings has at least. By default 300 for up to 10,000
        samples, 1,000 for more; with little effort 100.
    effort : "full" or "fast", default="full"
        "fast": the clusters are the best spectral ones, or KMeans', and the head learns them
        without small steps; of more than 10,000 samples nearly all neighbours are found.
    max_samples : int, default=100_000
        The graph and the trainings are of at most so many samples, drawn at random; the network
        assigns the rest.
    image_shape, input_kind, scaling, random_state, verbose, device : as in `AutoEncoder`

    Attributes
    ----------
    n_clusters_ : int
        ``n_clusters``, or what "auto" found.
    labels_ : ndarray (n,)
        Cluster of each training sample.
    cluster_centers_ : ndarray (k, n_components)
    hidden_layer_sizes_ : sequence of int
        What was taken.
    first_labels_ : ndarray (min(n, max_samples),)
        The clusters of the graph, before any network; of samples that are like noise none.
    loss_curve_ : list of float
        Mean squared error of the decoder's epochs.
    outliers_ : OutlierScore or None
        What `score_samples` asks; None in a model that an earlier version saved.
    network_, n_iter_, input_kind_, … : as in `AutoEncoder`

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> X = load_digits().data[:100] / 16
    >>> model = SortingAutoEncoder(10, max_iter=1, min_steps=20, random_state=0)
    >>> model.fit_transform(X).shape
    (100, 3)
    """

    n_clusters: int | str = 8
    n_components: int = 3
    _: KW_ONLY
    image_prior: bool = False
    n_neighbors: int = 15
    hidden_layer_sizes: Sequence[int] | None = None  # type: ignore[assignment]
    batch_size: int | None = None  # type: ignore[assignment]
    learning_rate_init: float = 0.002
    max_iter: int | None = None  # type: ignore[assignment]
    decoder_max_iter: int | None = None
    min_steps: int | None = None
    effort: str = FULL
    max_samples: int = MOST_IN_A_GRAPH
    image_shape: Sequence[int] | None = None
    input_kind: str = "auto"
    scaling: str = "auto"
    random_state: int | np.random.RandomState | None = None
    verbose: bool = False
    device: str = "auto"
    network_: SortingNetwork = field(init=False)
    hidden_layer_sizes_: Sequence[int] = field(init=False)
    labels_: NDArray[np.int64] = field(init=False)
    n_clusters_: int = field(init=False)

    @property
    def kind(self) -> str:  # type: ignore[override]
        """What `AutoEncoder` asks to know whether the shape of an image is needed."""
        return "conv" if self.image_prior else "dense"

    def fit(self, X: ArrayLike, y: object = None) -> Self:  # noqa: ARG002
        """Learn clusters, codes and decoder from X, as of `AutoEncoder.fit`; ``y`` is never read.

        Raises
        ------
        InputError
            For a parameter or data that cannot be used.
        DivergedError
            When a loss is no longer a number; the last good weights are kept.
        """
        for _ in self.fit_stages(X):
            pass
        return self

    @property
    def partial_fit(self) -> Any:
        """There is none: the graph is of all samples at once."""
        raise AttributeError("SortingAutoEncoder has no partial_fit: its graph needs all samples.")

    def fit_stages(self, X: ArrayLike) -> Iterator[Stage]:
        """Fit to X and yield every stage of the clusters when it is done; see `fit`.

        The model is fitted once there are no more.
        """
        self._check_parameters()
        with default_state(), plain_parameters(self):
            rows = validate_samples(self, X, reset=True)
            seed = seed_of(self.random_state)
            self.n_clusters_ = resolved(self.n_clusters, rows, self._scaled, seed)
            if self.n_clusters_ > 1:  # one is no clustering, and no error either
                check_n_clusters(self.n_clusters_, rows)
            generator = torch.Generator().manual_seed(seed)
            some = sample_for_graph(len(rows), self.max_samples, seed, "the network")
            learnt = rows[some] if len(some) < len(rows) else rows
            x = in_chunks(self.scaling_, inference.as_tensor(learnt))
            usual = usual_sizes(len(x), self.effort)
            given = self.hidden_layer_sizes
            self.hidden_layer_sizes_ = usual.hidden if given is None else given
            self.n_iter_ = self.max_iter or usual.max_iter
            self._build()
            initialize(self.network_, generator)
            neighbors = self._neighbors(x)
            if (noise := like_noise(x.numpy(), neighbors[1])).any():
                warnings.warn(
                    f"{noise.sum():,} of {len(x):,} samples are like noise, far from all others in "
                    "all directions; clusters are learnt without them, then they are assigned.",
                    stacklevel=4,
                )
                some, x = some[~noise], x[torch.from_numpy(~noise)]
                neighbors = self._neighbors(x)
            self.first_labels_ = self._first_clusters(x, neighbors, seed)
            x = x.to(self.network_.centers.device)
            for stage in self._cluster(x, neighbors, generator):
                yield stage
            self.labels_ = stage.memberships.argmax(1).cpu().numpy()
            self._lay_out(neighbors)
            trainer = self.trainer(x, generator)
            epochs = self.decoder_max_iter or usual.decoder_max_iter
            with one_thread() if self.effort == FAST else nullcontext():  # as quick, if it is short
                self.loss_curve_ = train_decoder(trainer, self.network_, epochs)
            self.validation_loss_curve_, self.snapshots_ = None, None
            self._report(x)
            if len(some) < len(rows):
                self.labels_ = self.predict(rows)
            self._learn_outliers(rows)

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """Return the cluster (n,) of each sample of X, seen or new."""
        return np.asarray(self.predict_proba(X).argmax(1), dtype=np.int64)

    @default_state()
    def predict_proba(self, X: ArrayLike) -> NDArray[Any]:
        """Return how much each sample belongs to each cluster (n, k); rows sum to 1."""
        check_is_fitted(self, "network_")
        rows = inference.as_tensor(validate_samples(self, X, reset=False))
        network, size = self.network_, inference.rows_at_once(self.network_)
        device = network.centers.device
        soft = in_chunks(lambda x: network.memberships(self.scaling_(x).to(device)), rows, size)
        return soft.cpu().numpy()

    # ------------------------------------------------------------------ stages

    def _neighbors(self, x: Tensor) -> Neighbors:
        if self.effort == FULL:
            return neighbors_of(x.numpy(), self.n_neighbors, self.n_clusters_)
        most = min(self.n_neighbors, CUT[0])
        return neighbors_of(x.numpy(), most, self.n_clusters_, is_exact=len(x) <= MANY)

    def _first_clusters(self, x: Tensor, neighbors: Neighbors, seed: int) -> NDArray[np.int64]:
        if self.effort == FAST:
            return quick_clusters(x.numpy(), neighbors, self.n_clusters_, seed)
        return first_clusters(x.numpy(), neighbors, self.n_clusters_, seed, self.image_prior)

    def _cluster(
        self, x: Tensor, neighbors: Neighbors, generator: torch.Generator
    ) -> Iterator[Stage]:
        """Yield the clusters of the graph, and those of a head trained under perturbations."""
        rate = self.learning_rate_init
        memberships = one_hot(self.first_labels_, self.n_clusters_, x)
        head = self._dense_head(generator, x)
        yield Stage(GRAPH, head, memberships, x)
        trainer = self.trainer(x, generator)
        if self.effort == FAST:
            memberships = learn_clusters(trainer, head, memberships, self.n_iter_, rate)
            yield Stage(LEARNT, head, memberships, x)
        else:
            perturb = consistency.adversarial(head, vat_epsilons(neighbors, x), generator)
            memberships = train_consistency(trainer, head, memberships, perturb, self.n_iter_, rate)
            yield Stage(SMALL_STEPS, head, memberships, x)
        if self.image_prior:
            assert self.image_shape_ is not None
            perturb = consistency.warped(self.image_shape_, generator)
            epochs, head = round(IMAGE_SHARE * self.n_iter_), self.network_.cluster_head
            memberships = train_consistency(trainer, head, memberships, perturb, epochs, rate)
            yield Stage(CHANGED_IMAGES, head, memberships, x)

    def _lay_out(self, neighbors: Neighbors) -> None:
        centers, radius = layout_of(neighbors, self.labels_, self.n_clusters_, self.n_components)
        self.network_.centers.copy_(torch.as_tensor(centers))
        self.network_.radius.fill_(radius)

    def _report(self, x: Tensor) -> None:
        """Warn of what the codes and clusters show to be wrong."""
        few = x[:LOOKED_AT].to(self.network_.centers.device)
        codes = in_chunks(self.network_.encode, few)
        drawn = in_chunks(self.network_.decode, codes)
        for sentence in findings(
            codes=codes.cpu().numpy(), clusters=self.labels_, n_clusters=self.n_clusters_,
            images=few.cpu().numpy(), reconstructions=drawn.cpu().numpy(),
        ):  # fmt: skip
            warnings.warn(sentence, DiagnosticsWarning, stacklevel=4)

    # ------------------------------------------------------------------- parts

    def trainer(self, x: Tensor, generator: torch.Generator) -> MinibatchTrainer:
        """Return what trains a network on samples x (n, n_features) by this model's parameters."""
        usual, verbose = usual_sizes(len(x), self.effort), bool(self.verbose)
        size, steps = self.batch_size or usual.batch, self.min_steps or usual.min_steps
        return MinibatchTrainer(x, size, steps, generator, self, verbose)

    def _dense_head(self, generator: torch.Generator, like: Tensor) -> nn.Module:
        if not self.image_prior:
            return self.network_.cluster_head
        head = dense_head(self.n_features_in_, self.hidden_layer_sizes_, self.n_clusters_)
        initialize(head, generator)
        return head.to(like)

    def _scaled(self, rows: NDArray[Any]) -> NDArray[Any]:
        return in_chunks(self.scaling_, inference.as_tensor(rows)).numpy()

    def _build(self) -> None:
        """Make the network, its weights still to be filled."""
        super()._build()
        self.network_.eval()

    def _new_network(self) -> SortingNetwork:
        if self.image_prior:
            assert self.image_shape_ is not None
            head: nn.Module = ConvHead(self.image_shape_, self.n_clusters_)
        else:
            head = dense_head(self.n_features_in_, self.hidden_layer_sizes_, self.n_clusters_)
        return SortingNetwork(
            head, self.n_features_in_, self.n_components, self.n_clusters_,
            is_image=self.input_kind_ == "images",
        )  # fmt: skip

    def _check_parameters(self) -> None:
        check_parameters(self.get_params(), OWN)

    def _contents(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        tensors, description = super()._contents()
        tensors |= {"labels": torch.from_numpy(self.labels_)} | self._outlier_tensors()
        return tensors, description

    def _restore(self, tensors: dict[str, Tensor], description: dict[str, Any]) -> None:
        self.labels_ = tensors.pop("labels").numpy()
        # One network, one center for each cluster: as many as "auto" found.
        is_auto = self.n_clusters == AUTO
        self.n_clusters_ = len(tensors["network.centers"]) if is_auto else int(self.n_clusters)
        self._restore_outliers(tensors, description["fitted"]["n_features_in_"])
        if self.hidden_layer_sizes is not None:  # an earlier version kept it there alone
            self.hidden_layer_sizes_ = self.hidden_layer_sizes
        super()._restore(with_current_names(tensors), description)

    @property
    def cluster_centers_(self) -> NDArray[Any]:
        """The position (k, n_components) of each cluster in code space."""
        check_is_fitted(self, "network_")
        return self.network_.centers.cpu().numpy()
