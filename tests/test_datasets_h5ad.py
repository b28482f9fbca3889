"""AnnData's .h5ad: counts, sparse or dense, a layer, labels and ids of obs; bad files."""

import struct
import sys

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from ae_cluster import load_dataset
from ae_cluster.common.errors import InputError
from ae_cluster.common.memory import forget_peak, peak_mb
from ae_cluster.datasets.streaming import open_table

N, GENES = 60, [f"G{i}" for i in range(8)]


def counts():
    return np.random.default_rng(0).poisson(0.4, size=(N, len(GENES))).astype(np.float32)


@pytest.fixture
def anndata():
    found = pytest.importorskip("anndata", reason="the extra bio is not installed")
    pytest.importorskip("h5py")
    return found


@pytest.fixture(params=["csr", "csc", "dense"])
def file(request, anndata, tmp_path):
    x = counts()
    stored = {"csr": sp.csr_matrix, "csc": sp.csc_matrix, "dense": np.asarray}[request.param]
    kind = pd.Categorical(np.tile(["T", "B", "NK"], N // 3))
    obs = pd.DataFrame({"kind": kind, "depth": np.arange(N)}, index=[f"c{i}" for i in range(N)])
    obs.index = obs.index.astype(object)
    var = pd.DataFrame(index=pd.Index(GENES, dtype=object))
    made = anndata.AnnData(stored(x), obs=obs, var=var, layers={"twice": stored(2 * x)})
    made.write_h5ad(tmp_path / "cells.h5ad")
    return tmp_path / "cells.h5ad"


@pytest.mark.filterwarnings("ignore")
def test_genes_are_columns_and_cells_rows(file):
    data = load_dataset(file, label_column="kind", drop=["G3"])
    kept = [i for i in range(8) if i != 3]
    rows = [int(name[1:]) for name in data.ids_train]
    assert data.column_names == tuple(GENES[i] for i in kept)
    assert data.class_names == ("B", "NK", "T")
    np.testing.assert_array_equal(data.raw_train, counts()[rows][:, kept])
    ids, parts = (
        np.concatenate(p) for p in zip(*open_table(file, data.preparation, 7), strict=True)
    )
    assert ids.tolist() == [f"c{i}" for i in range(N)]
    np.testing.assert_array_equal(parts, counts()[:, kept])


@pytest.mark.filterwarnings("ignore")
def test_a_layer_in_place_of_x(file):
    data = load_dataset(file, layer="twice")
    assert data.raw_train.max() == 2 * counts().max()
    assert data.preparation.layer == "twice"
    with pytest.raises(InputError, match=r"no layer 'twise': did you mean twice\?"):
        load_dataset(file, layer="twise")
    with pytest.raises(InputError, match=r"'kin' \(--label-column\): did you mean kind"):
        load_dataset(file, label_column="kin")


@pytest.mark.filterwarnings("ignore")
def test_files_that_lead_elsewhere_or_are_damaged(file):
    import h5py

    whole = file.read_bytes()
    for content in (whole[: len(whole) // 2], b"", b"\x89HDF\r\n\x1a\n" + b"1" * 99):
        file.write_bytes(content)
        with pytest.raises(InputError, match="damaged"):
            load_dataset(file)
    file.write_bytes(whole)
    with h5py.File(file, "r+") as opened:
        del opened["X"]
        opened["X"] = h5py.ExternalLink("/etc/passwd", "X")
    with pytest.raises(InputError, match=r"leads out of the file|damaged"):
        load_dataset(file)


def test_a_text_that_is_said_to_be_long_is_refused_in_little_memory(file):
    content = file.read_bytes()
    heap = content.index(b"GCOL")  # where texts lie; a text is its length, the heap, its number
    length = struct.pack("<I", len("G0"))
    broken = content.replace(length + struct.pack("<Q", heap), struct.pack("<IQ", 3 * 10**9, heap))
    assert broken != content
    file.write_bytes(broken)
    forget_peak()
    before = peak_mb()
    with pytest.raises(InputError, match="damaged one"):
        load_dataset(file)
    assert peak_mb() - before < 500


def test_without_anndata_the_way_to_it_is_told(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "anndata", None)
    (tmp_path / "cells.h5ad").write_bytes(b"\x89HDF")
    with pytest.raises(InputError, match=r'pip install "ae-cluster\[bio\]"'):
        load_dataset(tmp_path / "cells.h5ad")
