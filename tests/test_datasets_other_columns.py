"""The columns of a table that are not clustered, read again for the samples of a data set."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from ae_cluster import load_dataset
from ae_cluster.datasets.other_columns import read_other_columns

N = 40
NUMBERS = np.arange(N)
DROPPED = ["text", "when", "is", "gap"]


def table():
    return pd.DataFrame(
        {
            "name": [f"r{i}" for i in NUMBERS],
            "a": NUMBERS * 0.5,
            "b": NUMBERS[::-1] * 0.25,
            "text": [None if i == 3 else f"note {i}" for i in NUMBERS],
            "when": pd.date_range("2020-01-01", periods=N),
            "is": NUMBERS % 3 == 0,
            "gap": np.where(NUMBERS % 4 == 0, np.nan, NUMBERS),
        }
    )


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_each_value_stays_with_its_sample(tmp_path, ending):
    path = tmp_path / f"table{ending}"
    if ending == ".csv":
        table().to_csv(path, index=False)
    else:
        table().to_parquet(path)
    data = load_dataset(path, id_column="name", drop=DROPPED)
    found = read_other_columns(path, data)
    assert set(found) == set(DROPPED)
    expected = table().set_index("name")
    for ids, half in ((data.ids_train, 0), (data.ids_test, 1)):
        rows = expected.loc[ids]
        assert found["text"][half].tolist() == rows["text"].fillna("").tolist()
        assert found["is"][half].tolist() == rows["is"].astype(str).tolist()
        np.testing.assert_array_equal(found["gap"][half], rows["gap"])
        assert [when[:10] for when in found["when"][half]] == rows["when"].astype(str).tolist()
    path.unlink()
    assert read_other_columns(path, data) == {}


def test_arrays_and_other_files_have_none(tmp_path):
    np.savez(tmp_path / "x.npz", x=np.random.default_rng(0).normal(size=(20, 3)))
    assert read_other_columns(tmp_path / "x.npz", load_dataset(tmp_path / "x.npz")) == {}
    table().to_csv(tmp_path / "table.csv", index=False)
    data = load_dataset(tmp_path / "table.csv", id_column="name", drop=DROPPED)
    table()[: N - 1].to_csv(tmp_path / "table.csv", index=False)
    assert read_other_columns(tmp_path / "table.csv", data) == {}
    assert read_other_columns(tmp_path / "none.csv", data) == {}


@pytest.mark.filterwarnings("ignore")
def test_what_is_said_of_cells_comes_along(tmp_path):
    anndata = pytest.importorskip("anndata", reason="the extra bio is not installed")
    x = np.random.default_rng(0).poisson(0.4, size=(N, 5)).astype(np.float32)
    donors = [f"d{i % 3}" for i in NUMBERS]
    obs = pd.DataFrame({"kind": ["T", "B"] * (N // 2), "donor": donors}, dtype="category")
    obs.index = pd.Index([f"c{i}" for i in NUMBERS], dtype=object)
    var = pd.DataFrame(index=pd.Index([f"G{i}" for i in range(5)], dtype=object))
    anndata.AnnData(sp.csr_matrix(x), obs=obs, var=var).write_h5ad(tmp_path / "cells.h5ad")
    data = load_dataset(tmp_path / "cells.h5ad", label_column="kind")
    found = read_other_columns(tmp_path / "cells.h5ad", data)
    assert list(found) == ["donor"]
    assert found["donor"][0].tolist() == obs.loc[data.ids_train, "donor"].tolist()
