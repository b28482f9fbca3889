"""Run folders, models and stores that are mutated, and all that reads them."""

import hashlib
import io
import json
import shutil
import sqlite3
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
from fuzz_mutators import (
    ANY,
    ARRAYS,
    JSON,
    TABLES,
    forged,
    npy_other,
    other_array,
)
from safetensors.numpy import load, save
from small_runs import make_small_run, small_images

from ae_cluster import (
    AutoEncoder,
    SortingAutoEncoder,
    VaDE,
    load_run,
    read_scores,
)
from ae_cluster.explorer import write_page
from ae_cluster.records.config import RunConfig, read_config
from ae_cluster.records.reading import method_names, read_codes
from ae_cluster.reports.comparison import comparison_report, read_runs
from ae_cluster.reports.html import write_report
from ae_cluster.reports.run import cluster_sizes, run_report
from ae_cluster.runs.assign import assign_file
from ae_cluster.runs.classify import classify
from ae_cluster.runs.label import take_answers
from ae_cluster.runs.samples import labels_for, samples_of_run
from ae_cluster.semi_supervised.active_learning import suggest_labels
from experiments.support.grid import make_task, run_grid
from experiments.support.store import Store


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
