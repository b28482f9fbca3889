"""DEC and IDEC: self-training towards surer soft assignments, without and with reconstruction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor
from torch.nn.functional import mse_loss

from ae_cluster.autoencoder.networks import AutoEncoderNetwork
from ae_cluster.clustering.deep.centers import CenterClustering, Centers
from ae_cluster.clustering.deep.equations import (
    changed_share,
    kl_divergence,
    student_t,
    target_distribution,
)
from ae_cluster.clustering.deep.fine_tuning import Objective
from ae_cluster.common.global_state import default_state
from ae_cluster.training.loop import Progress
from ae_cluster.training.optimizer import Adam
from ae_cluster.training.threads import one_thread


class SelfTraining(Objective):
    """DEC's objective, or IDEC's where there is a weight for the reconstruction.

    Parameters
    ----------
    network, head, clusters : see `Objective`
    soft : callable
        Takes nothing, returns the soft assignments (n, k) of all samples.
    weights : (float, float)
        Of the reconstruction, and of the clustering.
    update_interval : int
        Steps between two targets.
    tol : float
        The end is near when fewer than this share changed their cluster.
    """

    head: Centers

    def __init__(
        self,
        network: AutoEncoderNetwork,
        head: Centers,
        soft: Callable[[], Tensor],
        weights: tuple[float, float],
        update_interval: int,
        tol: float,
    ) -> None:
        self.soft, self.weights = soft, weights
        self.update_interval, self.tol = update_interval, tol
        self.changed: list[float] = []
        self.target, at_update = self._targets()
        self.at_update = at_update
        super().__init__(network, head, at_update.clone())

    def loss(self, x: Tensor, indices: Tensor) -> Tensor:
        """Return ``w_r · mse + w_c · KL(p ‖ q)``."""
        for_images, for_clusters = self.weights
        codes = self.network.encode(x)
        soft = student_t(codes, self.head.centers)
        self.clusters[indices] = soft.detach().argmax(dim=1)
        loss = for_clusters * kl_divergence(self.target[indices], soft)
        if for_images:
            loss = loss + for_images * mse_loss(self.network.decode(codes), x)
        return loss

    def on_step(self, progress: Progress) -> None:
        """Set new targets when it is time, and end when assignments have settled."""
        if progress.step % self.update_interval == 0:
            before = self.at_update
            self.target, self.at_update = self._targets()
            self.changed.append(changed_share(before, self.at_update))
            progress.stop = progress.stop or self.changed[-1] < self.tol

    def _targets(self) -> tuple[Tensor, Tensor]:
        soft = self.soft()
        return target_distribution(soft), soft.argmax(dim=1)


@dataclass(eq=False, repr=False, kw_only=True)
class _SelfTrained(CenterClustering):
    """What DEC and IDEC share; see there."""

    tol: float = 1e-3
    update_interval: int = 140
    max_iter: int = 100
    _fitted = (*CenterClustering._fitted, "changed_curve_")

    @default_state()
    def predict_proba(self, X: ArrayLike) -> NDArray[Any]:
        """Return the soft assignments (n, k) of images X; rows sum to 1."""
        return self._soft(self._codes(X)).cpu().numpy()

    def memberships(self, codes: Tensor) -> Tensor:
        """Return the soft assignments (n, k) of codes on the model's device; rows sum to 1."""
        return student_t(codes, self.head_.centers)

    @torch.no_grad()
    @one_thread()
    def _soft(self, codes: NDArray[Any]) -> Tensor:
        return self.memberships(self._on_device(codes))

    def _weights(self) -> tuple[float, float]:
        """Return the weights of reconstruction and clustering."""
        return 0.0, 1.0

    def _objective(
        self,
        rows: NDArray[Any],
        optimizer: Adam,  # noqa: ARG002
        generator: torch.Generator,  # noqa: ARG002
    ) -> SelfTraining:
        return SelfTraining(
            self.autoencoder_.network_,
            self.head_,
            lambda: self._soft(self._encoded(rows)),
            self._weights(),
            self.update_interval,
            self.tol,
        )

    def _look_at(self, codes: NDArray[Any]) -> dict[str, NDArray[Any]]:
        return super()._look_at(codes) | {"soft": self._soft(codes).cpu().numpy()}

    def _keep_records(self, rows: NDArray[Any], progress: Progress, objective: Objective) -> None:
        super()._keep_records(rows, progress, objective)
        assert isinstance(objective, SelfTraining)
        self.changed_curve_ = objective.changed


class DEC(_SelfTrained):
    """Deep embedded clustering: codes move towards the centers they are already nearest to.

    Xie, Girshick and Farhadi (ICML 2016). Soft assignments by a Student's t
    kernel around k centers (KMeans of the pretrained codes to begin with) are
    pulled towards a surer target made of themselves; the decoder is not trained
    on, so that images drawn from codes grow poor. Training ends when fewer than
    ``tol`` of the samples changed their cluster between two targets.

    Parameters
    ----------
    n_clusters : int or "auto", default=8
    autoencoder : AutoEncoder, default=None
        To start from. Fitted: it is copied, and not trained again (scikit-learn's
        `clone` forgets a fit; wrap it in `sklearn.frozen.FrozenEstimator` where
        this is cloned). Not fitted: trained first, from this ``random_state`` where
        it has none. None: the papers', see `paper_autoencoder`.
    scaling : str, default=None
        Of a table's columns, as for `AutoEncoder`; None: as ``autoencoder`` says.
    tol : float, default=0.001
    update_interval : int, default=140
        Steps between two targets. The epoch in which the end is reached is finished.
    max_iter : int, default=100
        Epochs at most, pretraining aside.
    batch_size : int, default=256
    learning_rate_init : float, default=0.001
        Of Adam; the paper took stochastic gradient descent at 0.01.
    callbacks : sequence of Callback, default=()
        Called during this training; ``progress.model`` is this estimator.
    random_state : int, RandomState or None, default=None
    verbose : bool, default=False

    Attributes
    ----------
    labels_ : ndarray (n,)
    cluster_centers_ : ndarray (k, n_components)
    autoencoder_ : AutoEncoder
    changed_curve_ : list of float
        Share of samples that changed their cluster, at each new target.
    loss_curve_ : list of float
    n_iter_ : int
    n_features_in_, feature_names_in_ : as everywhere in scikit-learn

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from ae_cluster import AutoEncoder
    >>> X = load_digits().data / 16
    >>> start = AutoEncoder(max_iter=1, random_state=0).fit(X)
    >>> DEC(10, start, max_iter=1, random_state=0).fit(X).predict_proba(X).shape
    (1797, 10)
    """

    _reconstructs = False


@dataclass(eq=False, repr=False, kw_only=True)
class IDEC(_SelfTrained):
    """DEC that goes on reconstructing, so that codes keep the shape of the data.

    Guo, Gao, Liu and Yin (IJCAI 2017): the mean squared error of reconstruction
    plus ``clustering_weight`` times DEC's divergence.

    Parameters
    ----------
    n_clusters : int or "auto", default=8
    autoencoder : AutoEncoder, default=None
        To start from, as for `DEC`.
    clustering_weight : float, default=0.1
        The paper's γ.
    tol, update_interval, max_iter, batch_size, learning_rate_init, callbacks, \
scaling, random_state, verbose : as for `DEC`

    Attributes
    ----------
    labels_, cluster_centers_, autoencoder_, changed_curve_, loss_curve_, n_iter_ : as for `DEC`
    """

    clustering_weight: float = 0.1

    def _weights(self) -> tuple[float, float]:
        return 1.0, self.clustering_weight
