"""Mistakes found in other systems, one test for each: whose it was stands in its docstring."""

import ast
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics
from sklearn.datasets import load_digits

from ae_cluster import AutoEncoder, Callback, InputError, RunConfig, load_dataset, read_codes, run
from ae_cluster.cli.main import build_parser
from ae_cluster.clustering.codes import cluster_codes
from ae_cluster.metrics import clustering as score
from ae_cluster.records.rows import COLUMNS, LATER, tidy_row
from ae_cluster.reports import summarize, to_markdown
from ae_cluster.runs.encoders import Codes
from ae_cluster.runs.scoring import clustering_rows

ROOT = Path(__file__).parents[1]
PLACE = {
    "dataset": "digits", "split": "test", "method": "kmeans", "features": "pca", "n_clusters": 10,
    "n_components": 3, "n_train": 100, "epochs": 0, "status": "ok",
}  # fmt: skip
BYTES = (load_digits().images[:300] * 15).astype(np.uint8)
LABELS = load_digits().target[:300]


def rows_of(scores, column="accuracy", **place):
    rows = [
        tidy_row(**PLACE | place | {"seed": seed, column: value})
        for seed, value in enumerate(scores)
    ]
    return pd.DataFrame(rows)


def quick_run(folder, name, config=None, **arrays):
    np.savez(folder / "d.npz", **arrays)
    config = config or RunConfig(
        str(folder / "d.npz"), n_clusters=4, epochs=1, budgets=(1,), draws=1
    )
    return run(config, folder / name, figures=False)


def test_01_a_failed_run_is_no_zero_in_the_mean():
    """ClustPy's evaluate_dataset leaves it at 0.0."""
    rows = rows_of([0.8, 0.0, 0.9])
    rows.loc[1, ["status", "reason"]] = ["failed", "singular"]
    (line,) = summarize(rows, n_seeds=3).itertuples()
    assert (line.n, line.n_failed) == (2, 1)
    assert line.median == pytest.approx(0.85)
    assert line.min == 0.8
    assert "seed 1 failed (singular)" in to_markdown(summarize(rows, n_seeds=3))


def test_02_early_stopping_stops():
    """ClustPy prints "Stop training" and goes on."""
    steps = []

    class Counting(Callback):
        def on_step(self, progress):
            steps.append(progress.step)

    model = AutoEncoder(3, (8,), max_iter=50, early_stopping=True, n_iter_no_change=2, tol=100.0,
                        callbacks=[Counting()], random_state=0).fit(BYTES)  # fmt: skip
    assert model.n_iter_ == 3  # the first epoch beats infinity, then two are waited for
    assert len(model.loss_curve_) == 3
    assert len(steps) == 3 * math.ceil(270 / 64)  # a tenth is held out


def test_03_transform_takes_a_chunk_at_a_time_and_keeps_no_gradients():
    """ClustPy puts the whole data set on the device at once, with gradients on."""
    import torch

    model = AutoEncoder(3, (8,), max_iter=0, random_state=0).fit(BYTES)
    seen = []
    encode = model.network_.encode
    model.network_.encode = lambda x: seen.append((len(x), torch.is_grad_enabled())) or encode(x)
    codes = model.transform(np.concatenate([BYTES] * 40).reshape(-1, 64))
    assert codes.shape == (12_000, 3)
    assert max(n for n, _ in seen) <= 4096 < len(codes)
    assert not any(with_gradients for _, with_gradients in seen)


def test_04_k_is_never_filled_in_from_the_labels(tmp_path):
    """ClustPy's runner and DEC-keras count np.unique(y); pt-dec's train() needs labels."""
    config = RunConfig(str(tmp_path / "d.npz"), epochs=1)
    with pytest.raises(InputError, match="--n-clusters"):
        quick_run(tmp_path, "out", config, x=BYTES, y=LABELS)
    assert load_dataset(tmp_path / "d.npz").n_clusters is None
    found = quick_run(tmp_path, "out", x=BYTES, y=LABELS)  # 4 are asked for, 10 classes are there
    assert set(found.loc[found["budget"].isna(), "n_clusters"]) == {4}
    assert len(read_codes(tmp_path / "out", "kmeans")["centers"]) == 4
    assert (quick_run(tmp_path, "unlabelled", x=BYTES)["status"] == "ok").all()


def test_05_internal_scores_are_of_the_codes_and_of_the_same_codes_only():
    """Others compute them on the input, or rank different embeddings by them."""
    data = load_dataset("digits")
    rng = np.random.default_rng(0)
    train, test = (rng.normal(size=(len(x), 3)) for x in (data.raw_train, data.raw_test))
    result = cluster_codes("kmeans", train, test, 10, 0)
    (_, row) = clustering_rows({}, data, Codes("random", train, test), result)
    of_codes = metrics.silhouette_score(test, result.test)
    assert row["silhouette"] == pytest.approx(of_codes, abs=1e-6)
    assert abs(row["silhouette"] - metrics.silhouette_score(data.x_test, result.test)) > 0.1

    rows = [
        rows_of([0.3, 0.3], "silhouette", features=features, method=method)
        for features in ("pca", "autoencoder")
        for method in ("kmeans", "gmm")
    ]
    rows[2]["silhouette"] = 0.9  # the autoencoder's kmeans: high, and no better than pca for it
    summary = summarize(pd.concat(rows), "silhouette", n_seeds=2)
    assert summary.groupby("features")["best"].sum().tolist() == [1, 1]
    assert (summary.loc[summary["features"] == "pca", "difference"] == 0).all()


@pytest.mark.parametrize("k", [3, 10, 14])
def test_06_renaming_clusters_changes_no_accuracy(k):
    """SCAN's ran from .365 to .544 with k other than the number of classes."""
    rng = np.random.default_rng(k)
    labels, clusters = rng.integers(10, size=500), rng.integers(k, size=500)
    found = score.accuracy_matched(labels, clusters)
    for _ in range(5):
        names = rng.permutation(100)[:k]
        assert score.accuracy_matched(labels, names[clusters]) == found
        mapping = score.matched_map(labels, names[clusters])
        assert score.accuracy(labels, names[clusters], mapping) == found


def test_07_purity_never_stands_without_k():
    """Random clusters go from .13 to .51 as k goes from 10 to 1,000."""
    rng = np.random.default_rng(0)
    labels = rng.integers(10, size=2000)
    few, many = (rng.integers(k, size=2000) for k in (10, 1000))
    assert score.purity(labels, few) < 0.2 < 0.5 < score.purity(labels, many)
    assert abs(score.ami(labels, many)) < 0.05
    rows = pd.concat([rows_of([0.13], "purity"), rows_of([0.51], "purity", n_clusters=1000)])
    summary = summarize(rows, "purity", n_seeds=1)
    assert "| k |" in to_markdown(summary)
    assert summary["best"].all()  # each in its own contest
    with pytest.raises(InputError, match="add n_clusters"):
        summarize(rows, "purity", ("dataset", "split", "method"), n_seeds=1)


def test_08_nothing_stops_or_is_picked_by_labels():
    """DynAE's log peaks at .983 and ends at .973; others publish the best of five runs."""

    class Untouchable:
        def __getattribute__(self, name):
            raise AssertionError(f"y.{name} was read")

    parameters = {"max_iter": 3, "early_stopping": True, "random_state": 0}
    blind = AutoEncoder(3, (8,), **parameters).fit(BYTES)
    model = AutoEncoder(3, (8,), **parameters).fit(BYTES, Untouchable())
    assert np.array_equal(model.transform(BYTES), blind.transform(BYTES))
    (line,) = summarize(rows_of([0.5, 0.99, 0.51]), n_seeds=3).itertuples()
    assert line.median == 0.51
    with pytest.raises(InputError, match="seed 7"):  # a lucky seed beside 0, 1, 2
        summarize(rows_of([0.5, 0.5, 0.5]).assign(seed=[0, 1, 7]), n_seeds=3)


def test_09_test_samples_are_never_trained_on(tmp_path):
    """N2D, DEC-keras and VaDE concatenate train and test; ClustPy's MNIST is "all"."""
    train, test = BYTES[:200], BYTES[200:]
    rows = quick_run(tmp_path, "a", x_train=train, x_test=test, y_train=LABELS[:200],
                     y_test=LABELS[200:])  # fmt: skip
    quick_run(tmp_path, "b", x_train=train, x_test=test[::-1] // 2)
    for method in ("kmeans", "gmm"):
        a, b = (read_codes(tmp_path / name, method) for name in "ab")
        assert a["codes_train"].tobytes() == b["codes_train"].tobytes()
        assert a["centers"].tobytes() == b["centers"].tobytes()
    assert set(rows.loc[rows["budget"].isna(), "split"]) == {"train", "test"}
    assert set(rows.loc[rows["budget"].isna(), "n_train"]) == {200}


def test_10_flags_defaults_and_seed_0_mean_what_they_say(tmp_path):
    """DeepDPM has type=bool, help that contradicts the default, and ignores seed 0."""
    (commands,) = [a for a in build_parser()._actions if a.dest == "command"]
    for parser in commands.choices.values():
        assert all(action.type is not bool for action in parser._actions)
    d, text = RunConfig(), " ".join(commands.choices["run"].format_help().split())
    for said in (f"random; default: {d.seed}", f"code; default: {d.n_components}",
                 f"DRAWS random label splits of every budget; default: {d.draws}"):  # fmt: skip
        assert said in text
    config = {"n_clusters": 4, "epochs": 1, "budgets": (1,), "draws": 1}
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        np.savez(tmp_path / "d.npz", x_train=BYTES[:200], x_test=BYTES[200:])
        run(RunConfig(str(tmp_path / "d.npz"), seed, **config), tmp_path / name, figures=False)
    a, b, c = (read_codes(tmp_path / name, "kmeans")["codes_test"] for name in "abc")
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)


@pytest.mark.parametrize("path", sorted((ROOT / "results").glob("*.csv")), ids=lambda p: p.stem)
def test_11_results_files_are_tidy_rows_only(path):
    """DEC-keras has header rows and unnamed rows of means inside."""
    rows = pd.read_csv(path)
    assert not any(str(name).startswith("Unnamed") for name in rows.columns)
    header = path.read_text().splitlines()[0]
    assert path.read_text().splitlines().count(header) == 1
    if not {"status", "accuracy"} <= set(
        rows
    ):  # other tables, of seconds or of numbers of clusters
        return
    expected = [name for name in COLUMNS if name in rows or name not in LATER]
    assert list(rows.columns) == expected
    assert rows["dataset"].notna().all()
    assert (rows["seed"] == rows["seed"].astype(int)).all()
    place = ["dataset", "split", "method", "seed", "n_clusters", "budget", "draw", "features",
             "n_components", "n_train", "epochs"]  # fmt: skip
    assert not rows.duplicated(place).any()
    assert pd.api.types.is_numeric_dtype(rows["accuracy"])


def test_12_priors_are_said_and_noise_is_wrong(tmp_path):
    """Others use true class priors without saying so, and drop HDBSCAN's noise from the score."""
    rows = quick_run(tmp_path, "out", x=BYTES, y=LABELS)
    few, clusterings = rows[rows["budget"].notna()], rows[rows["budget"].isna()]
    assert few["uses_balance"].astype(bool).all()  # as many labels of each class
    assert not clusterings["uses_balance"].astype(bool).any()
    assert clusterings["uses_k"].astype(bool).all()
    one = rows_of([0.5]).assign(uses_k=True, uses_balance=True, uses_augmentation=math.nan)
    assert summarize(one, n_seeds=1)["priors"].item() == "k, balance, augmentation?"

    labels, clusters = np.repeat([0, 1], 50), np.repeat([0, 1], 50)
    clusters[::2] = -1
    assert score.accuracy_matched(labels, clusters) == 0.5
    assert score.accuracy(labels, clusters, {0: 0, 1: 1}) == 0.5
    assert score.purity(labels, clusters) == 0.5
    assert score.ami(labels, clusters) < 0.75


def test_13_a_checkpoint_can_be_resumed(tmp_path):
    """pythae's cannot."""

    class CutOff(Callback):
        def on_step(self, progress):
            if progress.step == 8:  # in the second epoch
                raise RuntimeError("cut off")

    def model(**more):
        return AutoEncoder(3, (8,), max_iter=3, random_state=0, **more)

    path = tmp_path / "c.safetensors"
    with pytest.raises(RuntimeError, match="cut off"):
        model(checkpoint=path, callbacks=[CutOff()]).fit(BYTES)
    resumed = model(checkpoint=path).fit(BYTES)
    whole = model().fit(BYTES)
    assert resumed.loss_curve_ == whole.loss_curve_
    assert np.array_equal(resumed.transform(BYTES), whole.transform(BYTES))


def test_14_a_cluster_is_named_by_a_vote_and_not_by_its_medoid():
    """One medoid of UMAP as its cluster's label: an outlier medoid cost 9 points."""
    labels, clusters = np.repeat([0, 1], 50), np.repeat([5, 6], 50)
    codes = np.random.default_rng(0).normal(size=(100, 3))
    members = np.flatnonzero(clusters == 5)
    medoid = members[np.argmin(metrics.pairwise_distances(codes[members]).sum(axis=1))]
    labels[medoid] = 1  # the outlier
    for name in (score.class_map, score.matched_map):
        assert name(labels, clusters) == {5: 0, 6: 1}
    assert score.accuracy_matched(labels, clusters) == 0.99


def test_15_no_label_spreading_over_a_dense_kernel():
    """With an rbf kernel it takes O(n²) memory: 29 GB at 60,000."""
    files = [*(ROOT / "ae_cluster").rglob("*.py"), *(ROOT / "experiments").glob("*.py")]
    calls = [
        node
        for path in files
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", getattr(node.func, "attr", ""))
        in ("LabelSpreading", "LabelPropagation", "rbf_kernel")
    ]
    for call in calls:
        said = {k.arg: ast.literal_eval(k.value) for k in call.keywords if k.arg == "kernel"}
        assert said == {"kernel": "knn"}, ast.unparse(call)
