"""UMAP is compiled once on a machine; where nothing can be kept on disk, in every process."""

import sys
from pathlib import Path

import numpy as np
import pytest

from ae_cluster.graphs import umap


@pytest.fixture(autouse=True)
def _forget():
    umap._umap_class.cache_clear()
    yield
    umap._umap_class.cache_clear()


def embedding():
    samples = np.random.default_rng(0).normal(size=(60, 5))
    return umap.umap_embedding(samples, 2, 10, seed=0, n_epochs=10)


def test_what_is_compiled_is_kept_on_disk():
    embedding()

    for module, name in umap.COMPILED:
        function = getattr(sys.modules[f"umap.{module}"], name)
        kept = Path(function.stats.cache_path).glob(f"*.{function.py_func.__name__}-*.nbi")
        assert list(kept), name


def test_a_folder_that_cannot_be_written_to_changes_nothing(monkeypatch):
    before = embedding()
    umap._umap_class.cache_clear()

    def refused(_):
        raise RuntimeError("cannot cache function: no locator available")

    numba = sys.modules["numba.core.dispatcher"]
    monkeypatch.setattr(numba.Dispatcher, "enable_caching", refused)

    assert np.array_equal(embedding(), before)
