"""Clusterers by others, as ``module:Class``: found, and wrapped in one estimator."""

from __future__ import annotations

import importlib
import inspect
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    ClusterMixin,
    OutlierMixin,
    RegressorMixin,
)
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from ae_cluster.common.errors import InputError, nearest
from ae_cluster.common.sklearn_names import class_meant
from ae_cluster.common.validation import checked_labels
from ae_cluster.graphs.neighbors import NeighborSearch

NUMBERS_OF_CLUSTERS = ("n_clusters", "n_components")  # the first that a constructor has
_BROKEN = (Exception, SystemExit)  # what somebody's code may raise; Ctrl-C is ours


def find_class(name: str) -> type:
    """Return the clusterer behind ``module:Class``; modules in the current folder are found too.

    Raises
    ------
    InputError
        When there is no such module or class, or it is no clusterer.
    """
    module_name, _, class_name = name.rpartition(":")
    if not all(part.isidentifier() for part in [*module_name.split("."), class_name]):
        raise InputError(
            f"--method {name!r} is not of the form module:Class; write it like "
            "sklearn.cluster:AgglomerativeClustering."
        )
    found = getattr(_module(name, module_name), class_name, None)
    if found is None:
        known = [n for n, v in vars(sys.modules[module_name]).items() if _is_clusterer(v)]
        others = nearest(class_name, known) if known else f"it holds no clusterer.{_proposed(name)}"
        raise InputError(f"The module {module_name} has no {class_name!r}: {others}")
    if not _is_clusterer(found):
        raise InputError(
            f"{name} is not a clusterer: give a class with fit_predict(X), or with fit(X) and "
            "then predict(X), that asks for no labels."
        )
    return found  # type: ignore[no-any-return]


def _module(name: str, module_name: str) -> Any:
    try:
        with _current_folder_first():
            return importlib.import_module(module_name)
    except _BROKEN as error:
        missing = getattr(error, "name", None) if isinstance(error, ImportError) else None
        if isinstance(error, ModuleNotFoundError) and f"{module_name}.".startswith(f"{missing}."):
            raise InputError(
                f"--method {name}: there is no module {missing!r}, neither installed nor in this "
                f"folder; check the name, or go to the folder that holds it.{_proposed(name)}"
            ) from error
        raise InputError(
            f"--method {name}: the module {module_name} cannot be imported ({_in_words(error)}); "
            "mend it, or install what it needs."
        ) from error


def _proposed(name: str) -> str:
    """Return a question, to append, whether scikit-learn's class was meant; "" if not clear."""
    theirs = class_meant(name)
    return f" Did you mean {theirs}?" if theirs else ""


@contextmanager
def _current_folder_first() -> Iterator[None]:
    """Find the user's own modules, for the time of one import."""
    folder = str(Path.cwd())
    sys.path.insert(0, folder)
    try:
        importlib.invalidate_caches()
        yield
    finally:
        sys.path.remove(folder)


def _is_clusterer(found: Any) -> bool:
    if not inspect.isclass(found) or inspect.isabstract(found):
        return False
    if issubclass(found, ClassifierMixin | RegressorMixin | OutlierMixin):
        return False
    return hasattr(found, "fit_predict") or (hasattr(found, "fit") and hasattr(found, "predict"))


def number_of_clusters(found: type) -> str | None:
    """Return the name by which a constructor takes the number of clusters, if it does."""
    known = inspect.signature(found).parameters
    return next((name for name in NUMBERS_OF_CLUSTERS if name in known), None)


class ExternalClusterer(ClusterMixin, BaseEstimator):  # type: ignore[misc]
    """Any clusterer as an estimator that checks its clusters and can always predict.

    Parameters
    ----------
    clusterer : type
        Of `find_class`.
    n_clusters : int or None
        For the first of `NUMBERS_OF_CLUSTERS` that its constructor has.
    random_state : int or None
        Where its constructor has one.

    Attributes
    ----------
    estimator_ : object
        The clusterer, fitted.
    labels_ : ndarray (n,)
        Cluster of each training sample; −1 is noise.
    predicts : bool
        Whether the clusterer can predict; else a sample has the cluster of the nearest training
        sample.

    Raises
    ------
    InputError
        When the clusterer cannot be made, fails, or gives no clusters.
    """

    def __init__(
        self, clusterer: type, n_clusters: int | None = None, random_state: int | None = None
    ) -> None:
        self.clusterer = clusterer
        self.n_clusters = n_clusters
        self.random_state = random_state

    @property
    def predicts(self) -> bool:
        """Whether the clusterer itself predicts."""
        return self._has("predict")

    def make(self) -> Any:
        """Return the unfitted clusterer, given what its constructor asks for."""
        known = inspect.signature(self.clusterer).parameters
        offered: dict[str, Any] = {"random_state": self.random_state}
        if (number := number_of_clusters(self.clusterer)) is not None:
            offered[number] = self.n_clusters
        try:
            return self.clusterer(**{name: offered[name] for name in offered if name in known})
        except _BROKEN as error:
            raise InputError(
                f"{self.clusterer.__name__} cannot be made ({_in_words(error)}); all it is given "
                "is its number of clusters and random_state, so give its other parameters defaults."
            ) from error

    def fit(self, X: ArrayLike, y: Any = None) -> ExternalClusterer:  # noqa: ARG002
        """Cluster training samples (n, n_features)."""
        rows = validate_data(self, X, dtype=np.float64)
        self.estimator_ = self.make()
        with _as_input_error():  # which gets copies: some clusterers write into them
            if hasattr(self.estimator_, "fit_predict"):
                found = self.estimator_.fit_predict(rows.copy())
            else:
                self.estimator_.fit(rows.copy())
                found = self.estimator_.predict(rows.copy())
            self.labels_ = _checked(found, len(rows), "training")
        self._rows = rows
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """Return clusters (n,) of samples; those of the training samples are ``labels_``."""
        check_is_fitted(self)
        rows = validate_data(self, X, dtype=np.float64, reset=False)
        if np.array_equal(rows, self._rows):  # fitting and predicting may differ
            return self.labels_
        with _as_input_error():
            if self.predicts:
                return _checked(self.estimator_.predict(rows.copy()), len(rows), "test")
            nearest_ones = NeighborSearch(self._rows).nearest(rows, 1)[1][:, 0]
            return self.labels_[nearest_ones]

    @available_if(lambda self: self.predicts and self._has("predict_proba"))  # type: ignore[untyped-decorator]
    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return memberships (n, k) as the clusterer gives them, where it has any."""
        check_is_fitted(self)
        rows = validate_data(self, X, dtype=np.float64, reset=False)
        with _as_input_error():
            return np.asarray(self.estimator_.predict_proba(rows.copy()), dtype=np.float64)

    def _has(self, method: str) -> bool:
        return hasattr(getattr(self, "estimator_", self.clusterer), method)


@contextmanager
def _as_input_error() -> Iterator[None]:
    """Make one sentence of whatever somebody's code raises."""
    try:
        with warnings.catch_warnings():
            # What will change in a later version of theirs is for its authors to read.
            warnings.simplefilter("ignore", FutureWarning)
            yield
    except InputError:
        raise
    except _BROKEN as error:
        raise InputError(f"{_in_words(error)}.") from error


def _checked(clusters: Any, n: int, which: str) -> NDArray[np.int64]:
    """Return the cluster (n,) of each sample, numbered from 0, −1 for noise."""
    ids = checked_labels(clusters, f"its clusters of the {which} samples")
    if len(ids) != n:
        raise InputError(f"It gave {len(ids)} clusters for {n} {which} samples.")
    if ids.max() >= max(n, 1000):
        raise InputError(f"It numbers a cluster {ids.max()}; clusters are numbered from 0.")
    return ids


def _in_words(error: BaseException) -> str:
    said = " ".join(str(error).split()).rstrip(".")
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
