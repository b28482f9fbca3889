"""The methods that learn codes and clusters together: the estimator behind each name."""

from __future__ import annotations

import inspect
import math
from typing import TYPE_CHECKING, Any

from ae_cluster.clustering.codes import Clustering
from ae_cluster.datasets import Dataset
from ae_cluster.graphs.neighbors import MOST_IN_A_GRAPH
from ae_cluster.graphs.umap import is_compiled
from ae_cluster.methods import BY_NAME, DEEP, SORTERS

if TYPE_CHECKING:
    from ae_cluster.autoencoder.estimator import AutoEncoder
    from ae_cluster.clustering.deep import DeepClustering
    from ae_cluster.clustering.sorting import SortingAutoEncoder
    from ae_cluster.clustering.sorting.estimator import Sizes

WITH_UMAP = ("sorting", "sorting-images", "n2d")  # `sorting-fast` does without
LEAST_STEPS = 2000  # of a deep clustering: more epochs than MNIST's where samples are few
MEASURED_SAMPLES, MEASURED_FEATURES = 10_000, 784  # of `methods.COST`


def make_sorting(
    name: str, n_clusters: int, n_components: int, data: Dataset, seed: int, **changes: Any
) -> SortingAutoEncoder:
    """Return the unfitted estimator behind the name of a sorting for these data."""
    method = BY_NAME[name]
    model: SortingAutoEncoder = class_of(name)(
        n_clusters,
        n_components,
        input_kind="table" if data.is_table else "images",
        image_shape=data.image_shape if method.needs_images else None,
        random_state=seed,
        **dict(method.parameters) | changes,
    )
    return model


def sorting_epochs(name: str) -> int:
    """Return the epochs of a sorting where none are said."""
    return _usual_sizes(name, 1).max_iter


def steps_of(epochs: int, n_train: int, batch_size: int = 256) -> int:
    """Return how many minibatches so many epochs have."""
    return epochs * math.ceil(n_train / batch_size)


def deep_epochs(name: str, n_train: int) -> int:
    """Return the epochs of a deep clustering where none are said."""
    return max(math.ceil(LEAST_STEPS / steps_of(1, n_train)), BY_NAME[name].epochs)


def make_deep(
    name: str,
    n_clusters: int,
    start: AutoEncoder,
    seed: int,
    max_iter: int,
    n_manifold_components: int | None = None,
    *,
    verbose: bool = False,
) -> DeepClustering:
    """Return the unfitted deep clustering behind a name, which goes on from an autoencoder.

    It is given those of ``max_iter``, a learning rate, ``verbose`` and ``n_manifold_components``
    that its constructor has.
    """
    found = class_of(name)
    offered = {
        "learning_rate_init": 0.001,
        "max_iter": max_iter,
        "verbose": verbose,
        "n_manifold_components": n_manifold_components,
    }
    taken = inspect.signature(found).parameters
    own = {parameter: value for parameter, value in offered.items() if parameter in taken}
    model: DeepClustering = found(n_clusters, start, random_state=seed, **own)
    return model


def estimated_seconds(name: str, n_train: int, n_features: int, epochs: int | None) -> float:
    """Return about what learning costs on one core, from what was measured and these data's size.

    Roughly: time goes with the steps, and that of a step mostly with the numbers of a sample. What
    learns from a sample of many takes the time of that sample.
    """
    measured = BY_NAME[name].seconds
    some = graph_samples(name, n_train)
    steps = _steps(name, n_train if some is None else some, epochs) / _steps(
        name, MEASURED_SAMPLES, None
    )
    return (measured or math.nan) * steps * (0.3 + 0.7 * n_features / MEASURED_FEATURES)


def note_on_compiling(name: str, n_train: int) -> str:
    """Return what to add to a method's seconds where UMAP has not been compiled yet."""
    from ae_cluster.clustering.sorting.graph_clustering import UMAP_UP_TO

    goes_without = name == "sorting" and n_train > UMAP_UP_TO
    if name not in WITH_UMAP or goes_without or is_compiled():
        return ""
    return "; in a new environment up to a minute more, once, while UMAP is compiled"


def graph_samples(name: str, n_train: int) -> int | None:
    """Return of how many samples a method's neighbour graph is made; None where it has none."""
    return min(n_train, MOST_IN_A_GRAPH) if name in (*SORTERS, "n2d") else None


def _steps(name: str, n_train: int, epochs: int | None) -> float:
    method = BY_NAME[name]
    if method.kind == DEEP and not method.epochs:  # its time goes with the samples
        return n_train
    if name in SORTERS:
        usual = _usual_sizes(name, n_train)
        steps = steps_of(epochs or usual.max_iter, n_train, usual.batch)
        return steps if epochs else max(usual.min_steps, steps)
    return steps_of(epochs or deep_epochs(name, n_train), n_train)


def _usual_sizes(name: str, n_train: int) -> Sizes:
    from ae_cluster.clustering.sorting.estimator import FULL, usual_sizes

    return usual_sizes(n_train, BY_NAME[name].parameters.get("effort", FULL))


def class_of(name: str) -> Any:
    """Return the class behind a name, to make it or to load what it saved."""
    return BY_NAME[name].load_class()


def own_clusters(model: Any, data: Dataset, seconds: float) -> Clustering:
    """Return what a fitted method makes of both splits, memberships where it has them."""
    soft = getattr(model, "predict_proba", None)
    return Clustering(
        train=model.predict(data.raw_train),
        test=model.predict(data.raw_test),
        soft_train=soft(data.raw_train).astype("float32") if soft else None,
        soft_test=soft(data.raw_test).astype("float32") if soft else None,
        centers=model.cluster_centers_,
        seconds=seconds,
    )


def reconstruction_errors(model: Any, data: Dataset) -> tuple[float, float]:
    """Return the mean squared errors of the train and the test samples drawn from their codes."""
    network = getattr(model, "autoencoder_", model)
    return -network.score(data.raw_train), -network.score(data.raw_test)
