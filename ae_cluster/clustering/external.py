"""Clusterers by others, as ``module:Class``: found, made and fitted as they allow."""

from __future__ import annotations

import importlib
import inspect
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin, OutlierMixin, RegressorMixin

from ae_cluster.common.errors import InputError, nearest
from ae_cluster.common.sklearn_names import class_meant
from ae_cluster.common.validation import checked_labels
from ae_cluster.graphs.neighbors import NeighborSearch

NUMBERS_OF_CLUSTERS = ("n_clusters", "n_components")  # the first that a constructor has
_BROKEN = (Exception, SystemExit)  # what somebody's code may raise; Ctrl-C is ours


class Clusters(NamedTuple):
    """What somebody's clusterer made of codes; −1 is noise.

    Attributes
    ----------
    train, test : ndarray (n,)
    soft_train, soft_test : ndarray (n, k) or None
    predicts : bool
        False: each test sample has the cluster of the nearest training code.
    """

    train: NDArray[np.int64]
    test: NDArray[np.int64]
    soft_train: NDArray[np.float32] | None
    soft_test: NDArray[np.float32] | None
    predicts: bool


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


def make(name: str, n_clusters: int | None, seed: int) -> Any:
    """Return the unfitted clusterer, told what its constructor asks for.

    Raises
    ------
    InputError
        As `find_class`, and when it cannot be made.
    """
    found = find_class(name)
    arguments: dict[str, Any] = {}
    if (number := number_of_clusters(found)) is not None:
        arguments[number] = n_clusters
    if "random_state" in inspect.signature(found).parameters:
        arguments["random_state"] = seed
    try:
        return found(**arguments)
    except _BROKEN as error:
        raise InputError(
            f"{name} cannot be made ({_in_words(error)}); all it is told is its number of "
            "clusters and random_state, so give its other parameters defaults."
        ) from error


def cluster(model: Any, train: NDArray[Any], test: NDArray[Any]) -> Clusters:
    """Fit a clusterer to train codes (n, n_components) and apply it to test codes.

    Raises
    ------
    InputError
        When it fails, or gives no clusters.
    """
    try:
        with warnings.catch_warnings():
            # What will change in a later version of theirs is for its authors to read.
            warnings.simplefilter("ignore", (FutureWarning))
            return _cluster(model, train, test)
    except InputError:
        raise
    except _BROKEN as error:
        raise InputError(f"{_in_words(error)}.") from error


def _cluster(model: Any, train: NDArray[Any], test: NDArray[Any]) -> Clusters:
    # Copies: some clusterers write into what they are given.
    if hasattr(model, "fit_predict"):
        ids = _checked(model.fit_predict(train.copy()), len(train), "training")
    else:
        model.fit(train.copy())
        ids = _checked(model.predict(train.copy()), len(train), "training")
    if not hasattr(model, "predict"):
        nearest_ones = NeighborSearch(train).nearest(test, 1)[1][:, 0]
        return Clusters(ids, ids[nearest_ones], None, None, False)
    of_test = _checked(model.predict(test.copy()), len(test), "test")
    if not hasattr(model, "predict_proba"):
        return Clusters(ids, of_test, None, None, True)
    soft = [_soft(model.predict_proba(part.copy()), part, ids) for part in (train, test)]
    return Clusters(ids, of_test, soft[0], soft[1], True)


def _checked(clusters: Any, n: int, which: str) -> NDArray[np.int64]:
    """Return the cluster (n,) of each sample, numbered from 0, −1 for noise."""
    ids = checked_labels(clusters, f"its clusters of the {which} samples")
    if len(ids) != n:
        raise InputError(f"It gave {len(ids)} clusters for {n} {which} samples.")
    if ids.max() >= max(n, 1000):
        raise InputError(f"It numbers a cluster {ids.max()}; clusters are numbered from 0.")
    return ids


def _soft(given: Any, codes: NDArray[Any], ids: NDArray[np.int64]) -> NDArray[np.float32] | None:
    """Return memberships (n, k), or None where they do not fit the clusters."""
    soft = np.asarray(given, dtype=np.float32)
    fits = soft.ndim == 2 and len(soft) == len(codes) and ids.max() < soft.shape[1]
    return soft if fits and np.isfinite(soft).all() else None


def _in_words(error: BaseException) -> str:
    said = " ".join(str(error).split()).rstrip(".")
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
