"""An .h5ad that is mutated as a file and by what it holds, and all that reads it."""

import io
import warnings

import numpy as np
import pandas as pd
import scipy.sparse as sp
from fuzz_mutators import ANY
from fuzz_targets import Target

from ae_cluster import load_dataset
from ae_cluster.datasets.streaming import open_table

OTHERS = (
    np.zeros((0,)),
    np.zeros((3, 2)),
    np.int64(7),
    np.full(40, -5),
    np.full(25, 2**62),
    np.array([np.nan, np.inf, 1e308]),
    np.array([b"\xff\xfe", b"g"]),
    np.array(["x" * 5000], dtype=object),
)
ATTRIBUTES = ("encoding-type", "encoding-version", "_index", "shape", "column-order", "h5sparse")


def h5ad_other(content, rng):
    """Put another array in the place of one, take a part away, or change an attribute."""
    import h5py

    file = io.BytesIO(content)
    with h5py.File(file, "r+") as opened:
        names = []
        opened.visit(names.append)
        name = rng.choice(sorted(names))
        how = rng.choice(("other", "other", "gone", "attribute", "attribute"))
        if how == "attribute":
            value = rng.choice(("", "csr_matrix", "dataframe", -1, 2**62, [3, 10**12], "no", 1.5))
            opened[name].attrs[rng.choice(ATTRIBUTES)] = value
            return _written(opened, file)
        kept = dict(opened[name].attrs)
        del opened[name]
        if how == "other":
            opened[name] = OTHERS[rng.randrange(len(OTHERS))]
            opened[name].attrs.update(kept)
        return _written(opened, file)


def _written(opened, file):
    opened.flush()
    return file.getvalue()


def h5ad_targets(home):
    """Give cells by genes, sparse and dense, with a layer and a label."""
    import anndata

    rng = np.random.default_rng(0)
    obs = pd.DataFrame(
        {"kind": pd.Categorical(np.tile(["T", "B", "NK"], 10)), "depth": rng.normal(size=30)},
        index=pd.Index([f"c{i}" for i in range(30)], dtype=object),
    )
    var = pd.DataFrame(index=pd.Index([f"G{i}" for i in range(6)], dtype=object))
    targets = []
    for name, stored in (("csr", sp.csr_matrix), ("csc", sp.csc_matrix), ("dense", np.asarray)):
        counts = stored(rng.poisson(0.7, size=(30, 6)).astype(np.float32))
        path = home / f"{name}.h5ad"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            anndata.AnnData(counts, obs=obs, var=var, layers={"raw": counts}).write_h5ad(path)
        targets.append(Target(path, (*ANY, *[h5ad_other] * 9), *_reads(path)))
    return targets


def _reads(path):
    prepared = load_dataset(path, label_column="kind").preparation

    def whole():
        load_dataset(path, label_column="kind")

    def layer():
        load_dataset(path, layer="raw")

    def parts():
        for _ in open_table(path, prepared, 7):
            pass

    return whole, layer, parts
