"""Read mutated files, one after another, and print those that end in anything but they may.

``python tests/fuzz_worker.py 300 0``: so many files of this seed; with ``h5ad`` behind it, of
this format alone, which needs anndata. A file may end in a result or
an `InputError`, in ten seconds, and a gigabyte beyond what the process had before.
"""

import bz2
import json
import random
import shutil
import struct
import sys
import tempfile
import time
import traceback
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from fuzz_h5ad import h5ad_targets
from fuzz_mutators import (
    ANY,
    ARRAYS,
    TABLES,
    arrow_bomb,
    arrow_other_table,
    csv_header,
    idx_header,
    npy_other,
    npz_bomb,
    usps_lines,
)
from fuzz_pictures import picture_targets
from fuzz_targets import Target, mixture_targets, model_targets, run_targets, store_targets
from pyarrow import feather, parquet
from small_runs import small_images

from ae_cluster import (
    InputError,
    load_dataset,
)
from ae_cluster.common.memory import forget_peak, peak_mb
from ae_cluster.datasets.streaming import open_table
from ae_cluster.semi_supervised.label_files import read_labels

SECONDS, MEGABYTES, CHARACTERS = 10, 1000, 1000
IDS = np.array([str(i) for i in range(30)])


# What is read


def idx(array):
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    return header + array.tobytes()


def data_targets(home):
    data = home / "data"
    raw = data / "KMNIST" / "raw"
    raw.mkdir(parents=True)
    images = np.random.default_rng(0).integers(0, 256, (12, 28, 28), dtype=np.uint8)
    labels = np.arange(12, dtype=np.uint8) % 10
    for half, part in (("train", slice(0, 8)), ("t10k", slice(8, 12))):
        (raw / f"{half}-images-idx3-ubyte").write_bytes(idx(images[part]))
        (raw / f"{half}-labels-idx1-ubyte").write_bytes(idx(labels[part]))
    line = " ".join(f"{i}:{v:.4f}" for i, v in enumerate(np.linspace(-1, 1, 256), 1))
    for name in ("usps.bz2", "usps.t.bz2"):
        (data / name).write_bytes(bz2.compress(f"3 {line}\n4 {line}\n".encode()))
    small, y = small_images()
    table = np.random.default_rng(0).normal(size=(30, 4)) + y[:, None]
    np.savez(home / "whole.npz", x=small, y=y, ids=IDS)
    np.savez_compressed(
        home / "halves.npz", x_train=table[:20], x_test=table[20:], y_train=y[:20].astype(str),
    )  # fmt: skip

    def named(name):
        return lambda: load_dataset(name, data_home=data)

    def own(path):
        return lambda: load_dataset(path).x_train

    return [
        Target(raw / "train-images-idx3-ubyte", (*ANY, *[idx_header] * 4), named("kmnist")),
        Target(raw / "t10k-labels-idx1-ubyte", (*ANY, *[idx_header] * 4), named("kmnist")),
        Target(data / "usps.bz2", (*ANY, *[usps_lines] * 4), named("usps")),
        Target(home / "whole.npz", (*ANY, *ARRAYS * 2, npz_bomb), own(home / "whole.npz")),
        Target(home / "halves.npz", (*ANY, *ARRAYS * 2, npz_bomb), own(home / "halves.npz")),
    ]


def table_targets(home):
    """Give a table of every format, which is read whole and in parts."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(30, 3)), columns=["u", "v", "w"])
    frame["kind"] = np.tile(["a", "b", ""], 10)
    frame["name"] = [f"s{i}" for i in range(30)]
    frame["colour"] = np.tile(["red", "blue", "red"], 10)
    frame.loc[3, "u"] = np.nan
    said = {"label_column": "kind", "id_column": "name", "categorical": ["colour"],
            "impute": "median"}  # fmt: skip
    frame.to_csv(home / "table.csv", index=False)
    frame.to_csv(home / "table.tsv", index=False, sep="\t")
    frame.to_parquet(home / "table.parquet")
    frame.to_feather(home / "table.feather")
    np.save(home / "table.npy", frame[["v", "w"]].to_numpy())
    prepared = load_dataset(home / "table.csv", **said).preparation

    def read(path):
        def whole():
            load_dataset(path, **said)

        def bare():
            load_dataset(path, drop=["kind", "name", "colour"], impute="median")

        def parts():
            for _ in open_table(path, prepared, 7):
                pass

        return whole, bare, parts

    def array(path):
        return lambda: load_dataset(path), lambda: list(open_table(path, None, 7))

    texts = (*ANY, *TABLES * 2, *[csv_header] * 2)
    made = {
        ".csv": texts,
        ".tsv": texts,
        ".parquet": arrow_mutators(parquet.write_table),
        ".feather": arrow_mutators(feather.write_feather),
    }
    targets = [Target(home / f"table{e}", m, *read(home / f"table{e}")) for e, m in made.items()]
    npy = home / "table.npy"
    return [*targets, Target(npy, (*ANY, *[npy_other] * 8), *array(npy))]


def arrow_mutators(write):
    others = [partial(m, write=write) for m in (*[arrow_other_table] * 6, arrow_bomb)]
    return (*ANY, *ANY, *others)


def label_targets(home):
    table, array = home / "labels.csv", home / "labels.npy"
    table.write_text("id,label\n" + "".join(f"{i},{'ab'[i % 2]}\n" for i in range(20)))
    np.save(array, np.arange(30) % 3 - 1)
    return [
        Target(table, (*ANY, *TABLES * 2), lambda: read_labels(table, IDS, ())),
        Target(array, (*ANY, *[npy_other] * 8), lambda: read_labels(array, IDS, ())),
    ]


MAKERS = {
    (): (
        run_targets,
        mixture_targets,
        model_targets,
        store_targets,
        data_targets,
        table_targets,
        label_targets,
        partial(picture_targets, target=Target),
    ),
    ("h5ad",): (h5ad_targets,),
}


# The loop


def failure_of(use):
    """Return what a use ended in that it may not end in, or None."""
    start = time.perf_counter()
    try:
        use()
    except InputError as error:
        if len(str(error)) > CHARACTERS:
            return f"a message of {len(str(error))} characters"
        if "\n" in str(error):
            return f"a message of several lines: {error}"
    except Exception:
        return traceback.format_exc(limit=-6)
    seconds = time.perf_counter() - start
    return f"{seconds:.1f} seconds" if seconds > SECONDS else None


def main(n, seed, *only):
    warnings.simplefilter("ignore")
    home = Path(tempfile.mkdtemp())
    try:
        targets = [target for make in MAKERS[only] for target in make(home)]
        for target in targets:  # whole files are read, and the process is as large as it must be
            for use in target.uses:
                use()
            target.put_back()
        print(json.dumps(fuzzed(targets, n, seed)))
    finally:
        shutil.rmtree(home, ignore_errors=True)


def fuzzed(targets, n, seed):
    """Return what was wrong with which of ``n`` files."""
    failures = []
    for i in range(n):
        target = targets[i % len(targets)]
        rng = random.Random(f"{seed}-{i}")
        mutator = rng.choice(target.mutators)
        name = f"{i} {target.path.name} {getattr(mutator, '__name__', mutator)}"
        target.path.write_bytes(mutator(target.content, rng))
        mutated = target.path.read_bytes()
        for use in target.uses:
            target.path.write_bytes(mutated)
            forget_peak()
            before = peak_mb()
            found = failure_of(use)
            grown = peak_mb() - before
            if grown > MEGABYTES:
                found = f"{grown:.0f} MB"
            if found:
                failures.append([f"{name} {use.__name__}", found])
        target.put_back()
    return failures


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
