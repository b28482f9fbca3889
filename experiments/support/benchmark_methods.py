"""The benchmark's methods: all samples of a data set in, the cluster of each out; all are told k.

``kmeans``     of the columns, the best of ten starts
``gmm``        full covariances; of more than 50 columns, of their first principal components
``ward``       agglomeration by Ward's criterion
``spectral``   normalised cuts of the graph of ten neighbours
``umap-gmm``   a mixture of Gaussians on a UMAP of k dimensions (N2D without its autoencoder)
``hdbscan``    of five least sizes of a cluster, the one that gives most nearly k clusters
``evoc``       EVoC, asked for about k clusters (extra ``compare``)
``dec``, ``idec``, ``n2d``   from one autoencoder of 10-D codes, the papers' network
``sorting``    the estimator with its defaults

The classical methods get images in [0, 1], and columns in units of their own standardised;
networks scale for themselves. Ward and HDBSCAN have no chance in them, so their seeds are alike.
"""

from __future__ import annotations

import importlib
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ae_cluster.clustering.codes import make_clusterer
from ae_cluster.common.errors import InputError
from ae_cluster.datasets.dataset import Dataset, assemble, numbered_ids
from ae_cluster.graphs.umap import umap_embedding
from experiments.support.benchmark_sets import BenchmarkSet

IntArray = NDArray[np.int64]
MOST_SQUARED = 20_000  # samples of a method whose memory goes with their square
MOST_COMPONENTS = 50  # of a mixture with full covariances
N_NEIGHBORS = 20  # of the UMAP, as N2D
EVOC_COMPONENTS = 4  # its default, which fails where there are fewer columns
LEAST_SIZES = (5, 10, 20, 40, 80)  # of a cluster of HDBSCAN
REPRESENTATION = 10  # numbers of the deep clusterings' codes, as in the papers
CODE = 3  # numbers of the codes of sorting
DEEP = ("dec", "idec", "n2d")
WITHOUT_CHANCE = ("ward", "hdbscan")
LEARNT = (*DEEP, "sorting")


@dataclass(frozen=True, eq=False)
class Samples:
    """One data set, loaded.

    Attributes
    ----------
    one : BenchmarkSet
    x : ndarray, images (n, h, w) or rows (n, columns), as the data set has them
    y : ndarray (n,)
    """

    one: BenchmarkSet
    x: NDArray[Any]
    y: IntArray

    @property
    def n_clusters(self) -> int:
        """The number of clusters that methods are told."""
        return self.one.shape[2]

    def rows(self) -> NDArray[np.float64]:
        """Return rows (n, columns) as the classical methods get them."""
        rows = self.x.reshape(len(self.x), -1).astype(np.float64)
        if self.x.dtype == np.uint8:
            return rows / 255
        if self.one.own_units:
            rows = (rows - rows.mean(axis=0)) / rows.std(axis=0)
        return rows

    def dataset(self) -> Dataset:
        """Return the samples as the package's estimators are made for them; train is all."""
        rows, n = self.x.reshape(len(self.x), -1), len(self.x)
        return assemble(
            self.one.name,
            (rows, rows),
            (self.y, self.y),
            (numbered_ids(n, "train-"), numbered_ids(n, "test-")),
            image_shape=self.x.shape[1:] if self.x.ndim > 2 else None,
            class_names=tuple(map(str, range(self.n_clusters))),
            n_clusters=self.n_clusters,
        )


def kmeans(samples: Samples, seed: int) -> IntArray:
    """Return clusters by KMeans."""
    return _predicted("kmeans", samples.rows(), samples.n_clusters, seed)


def gmm(samples: Samples, seed: int) -> IntArray:
    """Return clusters by a mixture of Gaussians with full covariances."""
    from sklearn.decomposition import PCA

    rows = samples.rows()
    if rows.shape[1] > MOST_COMPONENTS:
        # Of few samples fewer components, lest a covariance have nothing to be estimated from.
        n_components = min(MOST_COMPONENTS, len(rows) // 10)
        rows = PCA(n_components, random_state=seed).fit_transform(rows)
    return _predicted("gmm", rows, samples.n_clusters, seed)


def ward(samples: Samples, seed: int) -> IntArray:  # noqa: ARG001
    """Return clusters by Ward's agglomeration."""
    from sklearn.cluster import AgglomerativeClustering

    _refuse_many(samples)
    clusters = AgglomerativeClustering(samples.n_clusters).fit_predict(samples.rows())
    return clusters.astype(np.int64)


def spectral(samples: Samples, seed: int) -> IntArray:
    """Return clusters by normalised cuts of the neighbour graph."""
    from sklearn.cluster import SpectralClustering

    _refuse_many(samples)
    model = SpectralClustering(
        samples.n_clusters, affinity="nearest_neighbors", random_state=seed, n_jobs=1
    )
    return model.fit_predict(samples.rows()).astype(np.int64)


def umap_gmm(samples: Samples, seed: int) -> IntArray:
    """Return clusters by a mixture of Gaussians on a UMAP."""
    k = samples.n_clusters
    return _predicted("gmm", umap_embedding(samples.rows(), k, N_NEIGHBORS, seed), k, seed)


def hdbscan(samples: Samples, seed: int) -> IntArray:  # noqa: ARG001
    """Return clusters by HDBSCAN, as nearly k as its least size can make them; −1 is noise."""
    from sklearn.cluster import HDBSCAN
    from sklearn.metrics import pairwise_distances

    _refuse_many(samples)
    distances = pairwise_distances(samples.rows())
    found = [
        HDBSCAN(min_cluster_size=size, metric="precomputed", copy=True).fit_predict(distances)
        for size in LEAST_SIZES
        if size <= len(distances) // 2
    ]
    k = samples.n_clusters
    best = min(found, key=lambda ids: (abs(n_found(ids) - k), (ids < 0).sum()))
    return best.astype(np.int64)


def evoc(samples: Samples, seed: int) -> IntArray:
    """Return clusters by EVoC, as nearly k as it can make them; −1 is noise."""
    found = importlib.import_module("evoc").EVoC  # slow to import: it compiles
    rows = samples.rows().astype(np.float32)
    model = found(
        approx_n_clusters=samples.n_clusters,
        node_embedding_dim=min(EVOC_COMPONENTS, rows.shape[1]),
        random_state=seed,
    )
    return np.asarray(model.fit_predict(rows), dtype=np.int64)


CLASSICAL: dict[str, Callable[[Samples, int], IntArray]] = {
    "kmeans": kmeans,
    "gmm": gmm,
    "ward": ward,
    "spectral": spectral,
    "umap-gmm": umap_gmm,
    "hdbscan": hdbscan,
    "evoc": evoc,
}
METHODS = (*CLASSICAL, *LEARNT)


def is_here(method: str) -> bool:
    """Return whether the package that a method needs is installed."""
    return method != "evoc" or find_spec("evoc") is not None


def cluster(
    method: str, samples: Samples, seed: int, start: Any = None, epochs: int | None = None
) -> tuple[IntArray, float]:
    """Return the cluster of each sample by a method, and the seconds it took.

    Parameters
    ----------
    start : AutoEncoder
        Fitted; what a deep clustering goes on from.
    epochs : int, optional
        Of a network; by default each method's own.
    """
    _compiled(method)
    began = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a graph in pieces, a mixture not settled: it is scored
        if method in CLASSICAL:
            clusters = CLASSICAL[method](samples, seed)
        else:
            clusters = _learnt(method, samples, seed, start, epochs)
    return clusters, time.perf_counter() - began


def pretrain(samples: Samples, seed: int, epochs: int | None = None) -> Any:
    """Return the fitted autoencoder that a seed's deep clusterings start from."""
    from ae_cluster.clustering.deep import paper_autoencoder
    from ae_cluster.records.config import preset_epochs

    data = samples.dataset()
    model = paper_autoencoder(
        REPRESENTATION,
        max_iter=epochs or max(50, preset_epochs(len(samples.x), 256)),
        input_kind="table" if data.is_table else "images",
        random_state=seed,
    )
    return model.fit(data.raw_train)


def _learnt(method: str, samples: Samples, seed: int, start: Any, epochs: int | None) -> IntArray:
    from ae_cluster.clustering.estimators import deep_epochs, make_deep, make_sorting

    data, k = samples.dataset(), samples.n_clusters
    if method in DEEP:
        model = make_deep(method, k, start, seed, epochs or deep_epochs(method, len(samples.x)))
    else:
        changes = {"max_iter": epochs} if epochs else {}
        model = make_sorting(method, k, CODE, data, seed, **changes)
    return np.asarray(model.fit(data.raw_train).predict(data.raw_train), dtype=np.int64)


def n_found(clusters: IntArray) -> int:
    """Return the number of clusters that have samples, noise left out."""
    return len(np.unique(clusters[clusters >= 0]))


def _predicted(name: str, rows: NDArray[Any], k: int, seed: int) -> IntArray:
    return np.asarray(make_clusterer(name, k, seed).fit(rows).predict(rows), dtype=np.int64)


def _refuse_many(samples: Samples) -> None:
    if len(samples.x) > MOST_SQUARED:
        raise InputError(
            f"its memory goes with the square of the samples: it is given {MOST_SQUARED:,} at most"
        )


@cache
def _compiled(method: str) -> None:
    """Have numba compile before a method's seconds are taken, once in a process."""
    few = np.random.default_rng(0).normal(size=(200, 5))
    if method in ("umap-gmm", "n2d"):
        umap_embedding(few, 2, N_NEIGHBORS, 0)
    elif method == "evoc":
        one = BenchmarkSet(
            "few", "made", lambda: (few, np.zeros(200, np.int64)), (200, 5, 2), (200, 200), ""
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            evoc(Samples(one, *one.load()), 0)
