"""Read mutated files, one after another, and print those that end in anything but they may.

``python tests/fuzz_worker.py 300 0``: so many files of this seed. A file may end in a result or
an `InputError`, in ten seconds, and a gigabyte beyond what the process had before.
"""

import bz2
import hashlib
import io
import json
import random
import resource
import shutil
import sqlite3
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
from fuzz_mutators import (
    ANY,
    ARRAYS,
    JSON,
    TABLES,
    arrow_bomb,
    arrow_other_table,
    csv_header,
    forged,
    idx_header,
    npy_other,
    npz_bomb,
    other_array,
    usps_lines,
)
from fuzz_pictures import picture_targets
from pyarrow import feather, parquet
from safetensors.numpy import load, save
from small_runs import make_small_run, small_images

from ae_cluster import (
    AutoEncoder,
    InputError,
    SortingAutoEncoder,
    VaDE,
    load_dataset,
    load_run,
    read_scores,
)
from ae_cluster.datasets.streaming import open_table
from ae_cluster.explorer import write_page
from ae_cluster.records.config import RunConfig, read_config
from ae_cluster.records.reading import method_names, read_codes
from ae_cluster.reports.comparison import comparison_report, read_runs
from ae_cluster.reports.html import write_report
from ae_cluster.reports.run import cluster_sizes, run_report
from ae_cluster.runs.assign import assign_file
from ae_cluster.runs.classify import classify, labels_for, samples_of_run
from ae_cluster.runs.label import take_answers
from ae_cluster.semi_supervised.active_learning import suggest_labels
from ae_cluster.semi_supervised.label_files import read_labels
from experiments.support.grid import make_task, run_grid
from experiments.support.store import Store

SECONDS, KILOBYTES, CHARACTERS = 10, 1_000_000, 1000
IDS = np.array([str(i) for i in range(30)])


# What is read


class Target:
    """A whole file, what it may be mutated by, and all that reads it."""

    def __init__(self, path, mutators, *uses, keep=None):
        self.path, self.mutators, self.uses = path, mutators, uses
        self.content = path.read_bytes()
        self.folder = keep  # put back as it was after each use
        if keep:
            self.kept = Path(tempfile.mkdtemp(dir=keep.parent)) / "whole"
            shutil.copytree(keep, self.kept)

    def put_back(self):
        if self.folder:
            shutil.rmtree(self.folder)
            shutil.copytree(self.kept, self.folder)
        self.path.write_bytes(self.content)


def run_targets(home):
    run = make_small_run(home)
    other = shutil.copytree(run, home / "OTHER")
    place = run / "methods" / "kmeans"
    answers = home / "answers.csv"
    answers.write_text("id,label\n" + "".join(f"{i},{i % 3}\n" for i in range(0, 30, 2)))
    own = run / "labels" / "labels.csv"
    own.parent.mkdir()
    shutil.copy(answers, own)

    def page():
        write_page(run)

    def compared():
        comparison_report(read_runs([run, other]))

    def reported():
        write_report(run)

    def classified():
        samples = samples_of_run(run)
        classify(samples, labels_for(samples, answers), "knn", 0)

    def suggested():
        suggest_labels(read_codes(run, method_names(run)[0])["codes_train"], 3)
        cluster_sizes(run)

    def taken():
        take_answers(run, answers)

    def configured():
        RunConfig.from_json(read_config(run / "config.json")["arguments"]).check()

    def scored():
        run_report(read_scores(run), run)

    def drawn():
        load_model(AutoEncoder, place / "model")

    def assigned():
        load_run(run).assign(images)

    def listed():
        assert len(load_run(run).clusters) == len(load_run(run).codes)

    images, _ = small_images()

    weights = (place / "model" / "weights.safetensors").read_bytes()
    return [
        Target(
            run / "config.json", (*ANY, *JSON * 2), page, compared, classified, configured,
            assigned,
        ),
        Target(run / "scores.csv", (*ANY, *TABLES * 2), page, compared, reported, scored),
        Target(
            place / "codes.npz", (*ANY, *ARRAYS * 2), page, classified, suggested, taken,
            assigned, listed,
        ),
        Target(place / "snapshots.npz", (*ANY, *ARRAYS), page),
        Target(own, (*ANY, *TABLES * 2), taken, assigned),
        Target(
            place / "model" / "model.json", (*JSON, *[forged(m, weights) for m in JSON * 3]), page,
            drawn,
        ),
        Target(place / "model" / "weights.safetensors", ANY, page, drawn),
        Target(answers, (*ANY, *TABLES * 2), taken, classified),
        Target(place / "clusterer.json", (*ANY, *JSON * 3), assigned),
        Target(place / "clusterer.npz", (*ANY, *ARRAYS * 2), assigned),
    ]  # fmt: skip


def mixture_targets(home):
    """Give a mixture that assigns, and the samples that it is given."""
    (home / "mixture").mkdir()
    run = make_small_run(home / "mixture", methods=("gmm",))
    place = run / "methods" / "gmm"
    new = home / "new.npy"
    np.save(new, small_images()[0])

    def assigned():
        assign_file(run, str(new), home / "new.parquet", force=True)

    return [
        Target(place / "clusterer.json", (*ANY, *JSON * 3), assigned),
        Target(place / "clusterer.npz", (*ANY, *ARRAYS * 2), assigned),
        Target(new, (*ANY, *[npy_other] * 8), assigned),
    ]


def load_model(kind, folder):
    model = kind.load(folder)
    rows = np.zeros((2, model.n_features_in_), np.float32)
    model.inverse_transform(model.transform(rows))
    if kind is not AutoEncoder:
        model.predict(rows)


def model_targets(home):
    """Give models whose tensors are of another shape, under a checksum that fits."""
    images, _ = small_images()
    rows = images.reshape(30, -1)
    start = AutoEncoder(2, (9,), max_iter=1, random_state=0)
    models = [
        start.fit(rows / np.float32(255)),
        VaDE(3, start, max_iter=1, random_state=0).fit(rows / np.float32(255)),
        SortingAutoEncoder(
            3, 2, max_iter=1, min_steps=1, decoder_max_iter=1, random_state=0
        ).fit(rows / np.float32(255)),
    ]  # fmt: skip
    targets = []
    for model in models:
        folder = home / type(model).__name__
        model.save(folder)
        path = folder / "weights.safetensors"

        def tensors_changed(content, rng, folder=folder):
            tensors = load(content)
            for name in rng.sample(sorted(tensors), rng.choice((1, 2))):
                try:
                    file = other_array(tensors[name], rng, lies=0)
                    tensors[name] = np.load(io.BytesIO(file))
                    changed = save(tensors)
                except Exception:
                    return content[:100]
            described = json.loads((folder / "model.json").read_text())
            described.pop("checksum", None)
            text = json.dumps(described, sort_keys=True).encode()
            digest = hashlib.sha256(text + hashlib.sha256(changed).digest()).hexdigest()
            (folder / "model.json").write_text(json.dumps(described | {"checksum": digest}))
            return changed

        loaded = partial(load_model, type(model), folder)
        loaded.__name__ = "loaded"
        targets.append(Target(path, (tensors_changed,), loaded, keep=folder))
    return targets


def worked(cell, store):
    codes = store.arrays("stage", lambda: {"x": np.arange(3)})
    return [{"seed": cell["seed"], "accuracy": float(codes["x"].sum()), "reason": "none"}]


def store_targets(home):
    folder = home / "store"
    tasks = [make_task(worked, {"seed": seed}, "data") for seed in range(8)]
    store = Store(folder)
    run_grid(tasks, store)
    store._connection().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()
    for rest in folder.glob("cells.sqlite-*"):
        rest.unlink()

    def gridded():
        again = Store(folder)
        assert run_grid(tasks, again) == []
        rows = again.rows([task.key for task in tasks])
        again.close()
        assert len(rows) == 8

    def record(_, rng):
        connection = sqlite3.connect(folder / "cells.sqlite", isolation_level=None)
        value = rng.choice(("[", "[]]", "{}", '[{"x": 1}]', None, b"\xff", 5, "[" * 10**5, "[[1]]"))
        column = rng.choice(("rows", "rows", "cell", "status"))
        connection.execute(f"UPDATE OR IGNORE cells SET {column} = ?", (value,))
        connection.close()
        return (folder / "cells.sqlite").read_bytes()

    return [
        Target(folder / "cells.sqlite", (*ANY, record, record), gridded, keep=folder),
        Target(folder / "arrays" / "stage.npz", (*ANY, *ARRAYS[-3:]), gridded, keep=folder),
    ]


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


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main(n, seed):
    warnings.simplefilter("ignore")
    home = Path(tempfile.mkdtemp())
    try:
        makers = (
            run_targets,
            mixture_targets,
            model_targets,
            store_targets,
            data_targets,
            table_targets,
            label_targets,
            partial(picture_targets, target=Target),
        )
        targets = [target for make in makers for target in make(home)]
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
            before = peak()
            found = failure_of(use)
            grown = peak() - before
            if grown > KILOBYTES:
                found = f"{grown // 1000} MB"
            if found:
                failures.append([f"{name} {use.__name__}", found])
        target.put_back()
    return failures


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
