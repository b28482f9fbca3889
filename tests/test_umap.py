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


def test_it_is_known_whether_an_earlier_process_has_compiled(monkeypatch, tmp_path):
    embedding()
    assert umap.is_compiled()

    (tmp_path / "umap" / "__pycache__").mkdir(parents=True)
    (tmp_path / "umap" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "umap"]:
        monkeypatch.delitem(sys.modules, name)
    assert not umap.is_compiled()
    (tmp_path / "umap" / "__pycache__" / "umap_.smooth_knn_dist-144.py311.nbi").touch()
    assert umap.is_compiled()
