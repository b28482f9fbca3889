"""What all deep clusterings share: the autoencoder they start from, codes, clusters, files."""

from __future__ import annotations

import copy
import math
import warnings
from abc import abstractmethod
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, ClassVar, Self, TypeVar, cast

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn import config_context
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    ClusterMixin,
    TransformerMixin,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from ae_cluster.autoencoder import inference, saving
from ae_cluster.autoencoder.estimator import AutoEncoder
from ae_cluster.autoencoder.inputs import (
    Allowed,
    check_parameters,
    n_clusters_or_auto,
    validate_samples,
    whole,
)
from ae_cluster.autoencoder.saving import jsonable, unjsoned
from ae_cluster.autoencoder.scaling import UNIT
from ae_cluster.clustering.codes import check_n_clusters
from ae_cluster.clustering.number_of_clusters import resolved
from ae_cluster.clustering.outlier_scores import ScoresOutliers
from ae_cluster.common.errors import InputError
from ae_cluster.common.global_state import default_state
from ae_cluster.common.scalars import plain_parameters
from ae_cluster.common.table_options import ASKED
from ae_cluster.training.fitting import seed_of
from ae_cluster.training.threads import threads_for


def _not_negative(v: Any) -> bool:
    is_number = isinstance(v, int | float) and not isinstance(v, bool)
    return is_number and bool(0 <= v < math.inf)


def _autoencoder(v: Any) -> bool:
    inside = v.estimator if isinstance(v, FrozenEstimator) else v
    return inside is None or isinstance(inside, AutoEncoder)


# parameter: (what is allowed, in words for the error)
OWN: Allowed = {
    "n_clusters": n_clusters_or_auto,
    "autoencoder": (_autoencoder, "None or an AutoEncoder, fitted or not"),
    "clustering_weight": (_not_negative, "a number of at least 0"),
    "update_interval": whole(1, " (steps)"),
    "n_neighbors": whole(2),
    "n_manifold_components": (
        lambda v: v is None or whole(1)[0](v),
        f"None or {whole(1)[1]}",
    ),
    "min_dist": (_not_negative, "a number of at least 0"),
    "scaling": (
        lambda v: v is None or v in [*ASKED],
        f"None or one of {', '.join(ASKED)}",
    ),
}


Model = TypeVar("Model")


def fitted_quietly(model: Model, rows: NDArray[Any]) -> Model:
    """Return a scikit-learn model fitted to rows (n, d), which are NumPy's whatever X was."""
    with warnings.catch_warnings(), config_context(array_api_dispatch=False):
        # Fewer distinct codes than clusters: our own diagnostics say so.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(rows)  # type: ignore[attr-defined, no-any-return]


def paper_autoencoder(n_components: int = 10, **changes: Any) -> AutoEncoder:
    """Return the unfitted autoencoder that the papers pretrain: 784-500-500-2000-10, ReLU.

    Batches of 256, Adam at 0.001, 50 epochs; ``changes`` are further parameters
    of `AutoEncoder`.
    """
    parameters = {"batch_size": 256, "learning_rate_init": 0.001, "max_iter": 50} | changes
    return AutoEncoder(n_components, (500, 500, 2000), "relu", **parameters)


@dataclass(eq=False, repr=False)
class DeepClustering(
    ScoresOutliers,
    ClassNamePrefixFeaturesOutMixin,  # type: ignore[misc]
    TransformerMixin,  # type: ignore[misc]
    ClusterMixin,  # type: ignore[misc]
    BaseEstimator,  # type: ignore[misc]
    saving.SavedModel,
):
    """The scikit-learn side of a deep clustering; a method fills in `_learn` and what follows it.

    Attributes
    ----------
    n_clusters_ : int
        ``n_clusters``, or for "auto" the first of `ae_cluster.suggest_n_clusters`, of the samples
        as the network is fed them.
    autoencoder_ : AutoEncoder
        Fitted: codes and images go through it.
    labels_ : ndarray (n,)
        Cluster of each training sample.
    outliers_ : OutlierScore or None
        What `score_samples` asks; None in a model that an earlier version saved.
    """

    n_clusters: int | str = 8
    autoencoder: AutoEncoder | FrozenEstimator | None = None
    _: KW_ONLY
    scaling: str | None = None
    random_state: int | np.random.RandomState | None = None
    autoencoder_: AutoEncoder = field(init=False)
    labels_: NDArray[np.int64] = field(init=False)
    n_clusters_: int = field(init=False)
    # Attributes of plain numbers or text that a method has.
    _fitted: ClassVar[tuple[str, ...]] = ()
    _later: ClassVar[dict[str, Any]] = {}  # those not in files written before there were such
    _least_samples = 2

    @default_state()
    def fit(self, X: ArrayLike, y: object = None) -> Self:  # noqa: ARG002
        """Learn codes and clusters of X; ``y`` is there for scikit-learn and never read.

        Parameters
        ----------
        X : array of shape (n, n_features) or (n, h, w) or (n, h, w, channels)
            As for `AutoEncoder`.
        y : ignored

        Raises
        ------
        InputError
            For a parameter or data that cannot be used.
        DivergedError
            When the loss is no longer a number; the last good weights are kept.
        """
        check_parameters(self.get_params(deep=False), OWN)
        with plain_parameters(self):
            seed = seed_of(self.random_state)
            rows = self._start(X, seed)
            with threads_for(self.autoencoder_.network_):
                self._learn(rows, seed)
            self._learn_outliers(rows)
        return self

    @default_state()
    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """Return the cluster (n,) of each image of X, seen or new."""
        return self._clusters_of(self._codes(X))

    @default_state()
    def transform(self, X: ArrayLike) -> NDArray[Any]:
        """Return the codes (n, n_components) of images X, a chunk at a time."""
        return self._codes(X)

    @default_state()
    def inverse_transform(self, X: ArrayLike) -> NDArray[Any]:
        """Return the images (n, n_features) that codes X (n, n_components) stand for."""
        check_is_fitted(self, "autoencoder_")
        return self.autoencoder_.inverse_transform(X)

    # ------------------------------------------------------ what a method fills in

    @abstractmethod
    def _learn(self, rows: NDArray[Any], seed: int) -> None:
        """Learn from training rows, starting from the pretrained ``autoencoder_``."""

    @abstractmethod
    def _clusters_of(self, codes: NDArray[Any]) -> NDArray[np.int64]:
        """Return the cluster of each code (n, n_components)."""

    @abstractmethod
    def _cluster_tensors(self) -> dict[str, Tensor]:
        """Return what the clusters are made of, to be kept in a file."""

    @abstractmethod
    def _restore_clusters(self, tensors: dict[str, Tensor]) -> None:
        """Take back what `_cluster_tensors` gave."""

    # -------------------------------------------------------------- the start

    def _start(self, X: ArrayLike, seed: int) -> NDArray[Any]:
        """Set ``autoencoder_``, trained unless it came fitted, and return X as its rows."""
        given = self._given()
        if given is not None and hasattr(given, "network_"):
            self._check_scaling(given)
            model = copy.copy(given)
            model.network_ = copy.deepcopy(given.network_)  # theirs stays as it is
            rows = validate_samples(model, X, reset=False)
            self._check_rows(rows)
        else:
            model = paper_autoencoder() if given is None else _unfitted(given)
            if model.random_state is None:
                model.random_state = seed
            model.scaling = self.scaling or model.scaling
            check_parameters(model.get_params())
            rows = validate_samples(model, X, reset=True, quiet=True)  # `fit` says it
            self._check_rows(rows)  # before a long training, not after it
            model.fit(X)
        self._take(model)
        self.n_clusters_ = resolved(self.n_clusters, rows, self._scaled, seed)
        return rows

    def _check_scaling(self, fitted: AutoEncoder) -> None:
        found = fitted.scaling_.kind
        if found != UNIT and self.scaling not in (None, fitted.scaling, found):
            raise InputError(
                f"scaling={self.scaling!r} cannot be used with an autoencoder that was trained on "
                f"columns scaled by {found!r}; leave it out, or give an autoencoder that is not "
                "fitted."
            )

    def _check_rows(self, rows: NDArray[Any]) -> None:
        if len(rows) < self._least_samples:
            raise InputError(
                f"{type(self).__name__} cannot learn from {len(rows)} sample(s); give at least "
                f"{self._least_samples}."
            )
        # One cluster is no use but sound, and scikit-learn asks for it.
        if isinstance(self.n_clusters, int) and self.n_clusters > 1:
            check_n_clusters(self.n_clusters, rows)

    def _given(self) -> AutoEncoder | None:
        """Return the autoencoder to start from, if one was given."""
        if isinstance(self.autoencoder, FrozenEstimator):
            return cast(AutoEncoder, self.autoencoder.estimator)
        return self.autoencoder

    def _take(self, model: AutoEncoder) -> None:
        self.autoencoder_ = model
        self.n_features_in_ = model.n_features_in_
        if hasattr(model, "feature_names_in_"):
            self.feature_names_in_ = model.feature_names_in_

    def _scaled(self, rows: NDArray[Any]) -> NDArray[Any]:
        return self.autoencoder_.scaling_(inference.as_tensor(rows)).cpu().numpy()

    def _codes(self, X: ArrayLike) -> NDArray[Any]:
        check_is_fitted(self, "autoencoder_")
        return self._encoded(validate_samples(self.autoencoder_, X, reset=False))

    def _encoded(self, rows: NDArray[Any]) -> NDArray[Any]:
        return inference.encode(self.autoencoder_.network_, self.autoencoder_.scaling_, rows)

    # -------------------------------------------------------------- files, tags

    def _contents(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        check_is_fitted(self, "labels_")
        tensors = {f"clusters.{name}": tensor for name, tensor in self._cluster_tensors().items()}
        tensors |= {"labels": torch.from_numpy(self.labels_)} | self._outlier_tensors()
        return tensors | saving.tensors_of(self.autoencoder_), self._description()

    def _description(self) -> dict[str, Any]:
        parameters = self.get_params(deep=False) | {"callbacks": ()}
        is_default = parameters.pop("autoencoder") is None
        if "callbacks" not in self.get_params(deep=False):
            del parameters["callbacks"]
        if isinstance(self.random_state, np.random.RandomState):
            parameters["random_state"] = None
        return {
            "parameters": jsonable(parameters),
            "fitted": {name: getattr(self, name) for name in ("n_clusters_", *self._fitted)},
            "autoencoder": saving.description_of(self.autoencoder_) | {"is_default": is_default},
        }

    def _restore(self, tensors: dict[str, Tensor], description: dict[str, Any]) -> None:
        check_parameters(self.get_params(deep=False), OWN)
        of_autoencoder = description["autoencoder"]
        model = AutoEncoder(**unjsoned(of_autoencoder["parameters"]))
        check_parameters(model.get_params())
        self.labels_ = tensors.pop("labels").numpy()
        self._restore_outliers(tensors, of_autoencoder["fitted"]["n_features_in_"])
        clusters = {name: tensors.pop(name) for name in list(tensors) if name[:9] == "clusters."}
        saving.restore(model, tensors, of_autoencoder["fitted"])
        self.autoencoder = None if of_autoencoder["is_default"] else _unfitted(model)
        self._take(model)
        fitted = {"n_clusters_": self.n_clusters} | self._later | description["fitted"]
        for name in ("n_clusters_", *self._fitted):
            setattr(self, name, fitted[name])
        self._restore_clusters({name[9:]: tensor for name, tensor in clusters.items()})

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    @property
    def _n_features_out(self) -> int:
        return self.autoencoder_.n_components


def _unfitted(model: AutoEncoder) -> AutoEncoder:
    """Return another with the same parameters; not `clone`, which would copy the callbacks."""
    return AutoEncoder(**model.get_params(deep=False))
