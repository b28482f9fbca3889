"""`SortingAutoEncoder`: codes that cluster, from an encoder that codes images it has never seen."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import pdist
from sklearn.base import ClusterMixin
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from ae_cluster.autoencoder import inference
from ae_cluster.autoencoder.estimator import AutoEncoder
from ae_cluster.autoencoder.inputs import (
    Allowed,
    check_parameters,
    flag,
    validate_samples,
    whole,
)
from ae_cluster.autoencoder.networks import initialize
from ae_cluster.clustering.codes import check_n_clusters
from ae_cluster.clustering.sorting import consistency
from ae_cluster.clustering.sorting.centers import neighborly, spread_centers
from ae_cluster.clustering.sorting.consistency import as_answers, learn_consistency
from ae_cluster.clustering.sorting.graph_clustering import (
    first_clusters,
    nearest_graph,
    nearest_neighbors,
)
from ae_cluster.clustering.sorting.information import edge_shares
from ae_cluster.clustering.sorting.networks import ConvSorter, SortingNetwork, dense_sorter
from ae_cluster.common.global_state import default_state
from ae_cluster.common.scalars import plain_parameters
from ae_cluster.training.diagnostics import HealthWarning, findings
from ae_cluster.training.fitting import seed_of
from ae_cluster.training.minibatch import MinibatchTrainer, in_chunks

OWN: Allowed = {
    name: (whole(least), f"a whole number of at least {least}")
    for name, least in {
        "n_clusters": 1,
        "n_neighbors": 2,
        "max_iter": 1,
        "decoder_max_iter": 1,
        "min_steps": 1,
    }.items()
} | {"image_prior": (flag, "True or False")}


RADIUS = 0.25  # of a style, in least distances between centers
REACHED = 10  # the neighbour whose distance measures a small step
IMAGE_SHARE = 1.25  # of the epochs, under changes of the image; fewer end farther from other seeds
LOOKED_AT = 5000  # samples for the health of the outcome


@dataclass(eq=False, repr=False)
class SortingAutoEncoder(ClusterMixin, AutoEncoder):  # type: ignore[misc]
    """An autoencoder whose code is a place: the centre of its cluster, and a style around it.

    Clusters come from the neighbour graph of the samples, then a network learns
    them, asked to give the same answer for a sample and for what differs little
    from it, then codes are laid out and a decoder learns to draw from them.
    KMeans and Gaussian mixtures find the clusters in the codes, and new samples
    are coded by the network alone.

    Parameters
    ----------
    n_clusters : int, default=8
    n_components : int, default=3
        Size of the code.
    image_prior : bool, default=False
        Images that are turned, sheared, scaled, moved or bent a little keep their
        cluster. Without it nothing is assumed, not even which pixels are neighbours.
    n_neighbors : int, default=15
        Of the graph; fewer where clusters must be small.
    hidden_layer_sizes : sequence of int, default=(400, 400)
        Of the network that sorts; with the image prior convolutions follow it.
    batch_size : int, default=256
    learning_rate_init : float, default=0.002
    max_iter : int, default=12
        Epochs of learning to agree under the worst small step; with the image prior,
        a quarter more, besides, under changes of the image.
    decoder_max_iter : int, default=5
        Epochs of the style and the decoder.
    min_steps : int, default=1000
        Minibatches that each of these trainings has at least, however few samples there are.
    image_shape, input_kind, random_state, verbose, device : as in `AutoEncoder`

    Attributes
    ----------
    labels_ : ndarray (n,)
        Cluster of each training sample.
    cluster_centers_ : ndarray (k, n_components)
    first_labels_ : ndarray (n,)
        The clusters of the graph, before any network.
    loss_curve_ : list of float
        Mean squared error of the decoder's epochs.
    network_, n_iter_, input_kind_, … : as in `AutoEncoder`

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> X = load_digits().data[:100] / 16
    >>> model = SortingAutoEncoder(10, max_iter=1, min_steps=20, random_state=0)
    >>> model.fit_transform(X).shape
    (100, 3)
    """

    n_clusters: int = 8
    n_components: int = 3
    _: KW_ONLY
    image_prior: bool = False
    n_neighbors: int = 15
    hidden_layer_sizes: Sequence[int] = (400, 400)
    batch_size: int = 256
    learning_rate_init: float = 0.002
    max_iter: int = 12
    decoder_max_iter: int = 5
    min_steps: int = 1000
    image_shape: Sequence[int] | None = None
    input_kind: str = "auto"
    random_state: int | np.random.RandomState | None = None
    verbose: bool = False
    device: str = "auto"
    network_: SortingNetwork = field(init=False)
    labels_: NDArray[np.int64] = field(init=False)

    @property
    def kind(self) -> str:  # type: ignore[override]
        """What `AutoEncoder` asks to know whether the shape of an image is needed."""
        return "conv" if self.image_prior else "dense"

    @default_state()
    def fit(self, X: ArrayLike, y: object = None) -> Self:  # noqa: ARG002
        """Learn clusters, codes and decoder from X; ``y`` is never read.

        Parameters
        ----------
        X : array of shape (n, n_features) or (n, h, w) or (n, h, w, channels)
            float in [0, 1], bytes, or a table of any numbers.
        y : ignored

        Raises
        ------
        InputError
            For a parameter or data that cannot be used.
        DivergedError
            When a loss is no longer a number; the last good weights are kept.
        """
        self._check_parameters()
        with plain_parameters(self):
            rows = validate_samples(self, X, reset=True)
            if self.n_clusters > 1:  # one is no clustering, and no error either
                check_n_clusters(self.n_clusters, rows)
            seed = seed_of(self.random_state)
            generator = torch.Generator().manual_seed(seed)
            x = in_chunks(self.scaling_, inference.as_tensor(rows))
            self._build()
            initialize(self.network_, generator)
            self._sort(x, seed, generator)
            self._draw(x, generator)
            self._report(x)
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """Return the cluster (n,) of each sample of X, seen or new."""
        return np.asarray(self.predict_proba(X).argmax(1), dtype=np.int64)

    @default_state()
    def predict_proba(self, X: ArrayLike) -> NDArray[Any]:
        """Return how much each sample belongs to each cluster (n, k); rows sum to 1."""
        check_is_fitted(self, "network_")
        rows = inference.as_tensor(validate_samples(self, X, reset=False))
        device = self.network_.centers.device
        return in_chunks(
            lambda part: self.network_.memberships(self.scaling_(part).to(device)), rows
        ).cpu().numpy()  # fmt: skip

    # ------------------------------------------------------------------ stages

    def _sort(self, x: Tensor, seed: int, generator: torch.Generator) -> None:
        """Find the first clusters and teach them to the network."""
        samples = x.numpy()
        # A neighbourhood as large as a cluster would tell nothing of clusters.
        most = max(2, len(samples) // (2 * self.n_clusters))
        neighbors = nearest_neighbors(samples, min(self.n_neighbors, most))
        self.first_labels_ = first_clusters(samples, neighbors, self.n_clusters, seed)
        x = x.to(self.network_.centers.device)
        farthest = neighbors[0][:, min(REACHED, neighbors[0].shape[1]) - 1]
        reach = torch.as_tensor(consistency.REACH * farthest, dtype=x.dtype)[:, None].to(x.device)
        answers = as_answers(self.first_labels_, self.n_clusters, x)
        sorter = self._dense_sorter(generator, x)
        perturb = consistency.adversarial(sorter, reach, generator)
        answers = self._teach(sorter, x, answers, perturb, self.max_iter, generator)
        if self.image_prior:
            assert self.image_shape_ is not None
            perturb = consistency.warped(self.image_shape_, generator)
            epochs = round(IMAGE_SHARE * self.max_iter)
            answers = self._teach(self.network_.sorter, x, answers, perturb, epochs, generator)
        self.labels_ = answers.argmax(1).cpu().numpy()
        alike = edge_shares(nearest_graph(neighbors[1]), self.labels_, self.n_clusters)
        centers = neighborly(spread_centers(self.n_clusters, self.n_components), alike)
        least = pdist(centers).min() if len(centers) > 1 else 1.0
        self.network_.centers.copy_(torch.as_tensor(centers))
        self.network_.radius.fill_(RADIUS * float(least))

    def _teach(
        self,
        sorter: nn.Module,
        x: Tensor,
        answers: Tensor,
        perturb: consistency.Perturbation,
        epochs: int,
        generator: torch.Generator,
    ) -> Tensor:
        """Return the answers (n, k) of a sorter that has learnt to agree with itself."""
        trainer = self._trainer(x, generator)
        trainer.warm_up(sorter, answers, self.learning_rate_init)
        clusters = answers.argmax(1)
        proportions = torch.bincount(clusters, minlength=self.n_clusters) / len(clusters)
        learn_consistency(
            trainer, sorter, proportions.to(x.dtype), epochs, self.learning_rate_init, perturb
        )
        return in_chunks(lambda part: torch.softmax(sorter(part), 1), x)

    def _draw(self, x: Tensor, generator: torch.Generator) -> None:
        """Teach style and decoder to draw each sample from its code."""
        network = self.network_
        x = x.to(network.centers.device)
        places = in_chunks(network.place, x)
        trainer = self._trainer(x, generator)
        self.loss_curve_ = trainer.reconstruct(
            lambda part, indices: places[indices] + network.styled(part),
            nn.ModuleList([network.style, network.decoder]),
            network.decode,
            self.decoder_max_iter,
        )
        self.n_iter_, self.validation_loss_curve_, self.snapshots_ = self.max_iter, None, None

    def _report(self, x: Tensor) -> None:
        """Warn of what the codes and clusters show to be wrong."""
        few = x[:LOOKED_AT].to(self.network_.centers.device)
        codes = in_chunks(self.network_.encode, few)
        drawn = in_chunks(self.network_.decode, codes)
        for sentence in findings(
            codes=codes.cpu().numpy(), clusters=self.labels_, n_clusters=self.n_clusters,
            images=few.cpu().numpy(), reconstructions=drawn.cpu().numpy(),
        ):  # fmt: skip
            warnings.warn(sentence, HealthWarning, stacklevel=4)

    # ------------------------------------------------------------------- parts

    def _trainer(self, x: Tensor, generator: torch.Generator) -> MinibatchTrainer:
        verbose = bool(self.verbose)
        return MinibatchTrainer(x, self.batch_size, self.min_steps, generator, self, verbose)

    def _dense_sorter(self, generator: torch.Generator, like: Tensor) -> nn.Module:
        if not self.image_prior:
            return self.network_.sorter
        sorter = dense_sorter(self.n_features_in_, self.hidden_layer_sizes, self.n_clusters)
        initialize(sorter, generator)
        return sorter.to(like)

    def _build(self) -> None:
        """Make the network, its weights still to be filled."""
        super()._build()
        self.network_.eval()

    def _new_network(self) -> SortingNetwork:
        if self.image_prior:
            assert self.image_shape_ is not None
            sorter: nn.Module = ConvSorter(self.image_shape_, self.n_clusters)
        else:
            sorter = dense_sorter(self.n_features_in_, self.hidden_layer_sizes, self.n_clusters)
        return SortingNetwork(
            sorter, self.n_features_in_, self.n_components, self.n_clusters,
            is_image=self.input_kind_ == "images",
        )  # fmt: skip

    def _check_parameters(self) -> None:
        check_parameters(self.get_params(), OWN)

    def _contents(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        tensors, description = super()._contents()
        return tensors | {"labels": torch.from_numpy(self.labels_)}, description

    def _restore(self, tensors: dict[str, Tensor], description: dict[str, Any]) -> None:
        self.labels_ = tensors.pop("labels").numpy()
        super()._restore(tensors, description)

    @property
    def cluster_centers_(self) -> NDArray[Any]:
        """The place (k, n_components) of each cluster in code space."""
        check_is_fitted(self, "network_")
        return self.network_.centers.cpu().numpy()
