"""UMAP as everything here uses it: reproducible, quiet, and without a trace in the process."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ae_cluster.common.errors import InputError
from ae_cluster.common.global_state import numba_is_lost
from ae_cluster.common.stage_times import stage

COMPILED = (
    ("utils", "fast_knn_indices"),
    ("umap_", "smooth_knn_dist"),
    ("umap_", "compute_membership_strengths"),
    ("layouts", "_nb_optimize_layout_euclidean_single_epoch"),
)
Neighbors = tuple[NDArray[np.float64], NDArray[np.int64]]


@stage("UMAP")
def umap_embedding(
    samples: NDArray[Any],
    n_components: int,
    n_neighbors: int,
    seed: int,
    *,
    min_dist: float = 0.0,
    neighbors: Neighbors | None = None,
    n_epochs: int | None = None,
) -> NDArray[np.float64]:
    """Return a UMAP (n, n_components) of samples (n, d), the same for the same seed.

    Parameters
    ----------
    n_neighbors : int
        Each sample itself counts as one, as in umap-learn; cut to what there is.
    neighbors : (distances, indices), each (n, n_neighbors − 1), optional
        Where they are known: of each sample's nearest others, nearest first.
    n_epochs : int, optional
        By default UMAP's own: 500 for up to 10,000 samples, 200 for more.

    Raises
    ------
    InputError
        When UMAP finds no position for some sample.
    RuntimeError
        In a process made by fork after another UMAP: numba would end it without a word.
    """
    if numba_is_lost():
        raise RuntimeError(
            "UMAP cannot be computed in a process made by fork after one was computed in its "
            "parent, since its threads stayed there; start the process with "
            "multiprocessing.get_context('spawn'), or with joblib's loky."
        )
    n_neighbors = max(2, min(n_neighbors, len(samples) - 1))
    few = len(samples) <= 10 * n_components  # the spectral start needs more than it finds
    with torch_threads_kept(), warnings.catch_warnings():
        # That tensorflow is missing, one thread, no transform, graphs in pieces: all meant.
        warnings.simplefilter("ignore")
        layout = _umap_class()(
            n_neighbors=n_neighbors,
            n_components=n_components,
            min_dist=min_dist,
            init="random" if few else "spectral",
            n_epochs=n_epochs,
            precomputed_knn=_with_self(neighbors) if neighbors else (None, None, None),
            random_state=seed,
            n_jobs=1,
        )
        embedding = np.asarray(layout.fit_transform(samples), dtype=np.float64)
    if not np.isfinite(embedding).all():
        raise InputError(
            f"UMAP found no position for {np.isnan(embedding).any(axis=1).sum()} of {len(samples)} "
            f"samples with n_neighbors={n_neighbors}; raise n_neighbors, or remove duplicates."
        )
    return embedding


@cache
def _umap_class() -> Any:
    """Return umap-learn's `UMAP`, whose compiled functions are kept on disk, as numba's own are.

    Compiling them takes ten seconds in every process; reading them takes half a second. numba
    keeps them beside umap-learn or in the user's cache folder; NUMBA_CACHE_DIR names another.
    """
    from umap import UMAP  # type: ignore[import-untyped]  # takes seconds to load

    for module, name in COMPILED:
        # Another version may not have it, numba may be switched off, no folder be writable.
        with suppress(AttributeError, KeyError, RuntimeError, OSError):
            getattr(sys.modules[f"umap.{module}"], name).enable_caching()
    return UMAP


def is_compiled() -> bool:
    """Return whether an earlier process kept what UMAP compiles, as far as a look can tell.

    It looks beside umap-learn, where numba keeps it unless it is told another folder or may not
    write there.
    """
    found = find_spec("umap")
    if found is None or found.origin is None or "NUMBA_CACHE_DIR" in os.environ:
        return True
    folder = Path(found.origin).parent / "__pycache__"
    is_kept = any(folder.glob("umap_.smooth_knn_dist-*.nbi"))
    return is_kept or not os.access(folder if folder.is_dir() else folder.parent, os.W_OK)


def _with_self(neighbors: Neighbors) -> tuple[NDArray[Any], NDArray[np.float32], None]:
    distances, indices = neighbors
    n = len(indices)
    return (
        np.column_stack([np.arange(n), indices]),
        np.column_stack([np.zeros(n), distances]).astype(np.float32),
        None,
    )


@contextmanager
def torch_threads_kept() -> Iterator[None]:
    """Give torch its number of threads back: numba sets OpenMP's for the whole process.

    Two threads where one was asked for wait for each other on a busy machine,
    which was seen to make a training twenty times slower.
    """
    torch = sys.modules.get("torch")
    threads = torch.get_num_threads() if torch else 0
    try:
        yield
    finally:
        if torch:
            torch.set_num_threads(threads)
