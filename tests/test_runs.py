"""A run from configuration to run folder, on the bundled digits and on users' files."""

import itertools
import json
import re
import shutil
import signal

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits, load_wine

from ae_cluster import (
    AutoEncoder,
    InputError,
    RunConfig,
    load_dataset,
    read_codes,
    read_scores,
    run,
)
from ae_cluster.records.rows import COLUMNS, tidy_row

QUICK = {"epochs": 2, "budgets": (1, 200), "draws": 2}


@pytest.fixture(scope="module")
def digits_run(tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "digits"
    rows = run(RunConfig(seed=0, **QUICK), out)
    return out, rows


def quick_run(config, out, **options):
    return run(config, out, figures=False, **options)


def arrays_of(folder, method="kmeans"):
    found = read_codes(folder, method)
    return {k: v for k, v in found.items() if not k.startswith(("labels", "ids"))}


def same_arrays(first, second):
    return first.keys() == second.keys() and all(np.array_equal(first[k], second[k]) for k in first)


def write_npz(path, **arrays):
    np.savez(path, **arrays)
    return str(path)


def test_the_folder_is_what_the_design_says(digits_run):
    out, _ = digits_run
    parts = {"config.json", "scores.csv", "clusters.csv", "methods", "figures", "explorer.html"}
    assert {p.name for p in out.iterdir()} == parts
    for method in ("kmeans", "gmm"):
        names = {p.name for p in (out / "methods" / method).iterdir()}
        assert names == {
            "model", "codes.npz", "history.csv", "snapshots.npz", "classes.csv",
            "clusterer.npz", "clusterer.json",
        }  # fmt: skip
    assert not list(out.parent.glob("*partial*"))


def test_every_figure_has_a_caption(digits_run):
    figures = digits_run[0] / "figures"
    names = {p.stem for p in figures.glob("*.png")}
    assert names == {
        "reconstructions", "loss", "tiles", "label-budget", "codes-kmeans", "codes-gmm",
        "confusion-kmeans", "confusion-gmm", "clusters-kmeans", "clusters-gmm",
    }  # fmt: skip
    for name in names:
        assert (figures / f"{name}.svg").stat().st_size > 0
        assert len((figures / f"{name}.txt").read_text()) > 40


def test_rows_are_tidy(digits_run):
    out, rows = digits_run
    assert tuple(rows.columns) == COLUMNS
    pd.testing.assert_frame_equal(read_scores(out)[list(COLUMNS[:5])], rows[list(COLUMNS[:5])])
    clusterings = rows[rows["budget"].isna()]
    assert len(clusterings) == 3 * 2 * 2  # features × clusterers × splits
    assert set(clusterings["split"]) == {"train", "test"}
    assert clusterings["accuracy"].between(0.05, 1).all()
    assert (clusterings["n_clusters"] == 10).all()


def test_a_budget_larger_than_a_class_is_a_failed_row_without_a_score(digits_run):
    few = digits_run[1].query("budget == 200")
    assert len(few) == 3 * 2 * 2
    assert (few["status"] == "failed").all()
    assert few["accuracy"].isna().all()
    assert few["reason"].str.len().gt(20).all()


def test_saved_codes_fit_the_saved_model(digits_run):
    out, _ = digits_run
    saved = read_codes(out, "gmm")
    model = AutoEncoder.load(out / "methods" / "gmm" / "model")
    x = load_digits().data.astype(np.float32) / 16
    codes = model.transform(x[saved["ids_test"].astype(int)])
    np.testing.assert_allclose(codes, saved["codes_test"], atol=1e-5)
    np.testing.assert_allclose(saved["soft_test"].sum(axis=1), 1, atol=1e-5)
    assert np.array_equal(saved["soft_test"].argmax(axis=1), saved["clusters_test"])


def test_snapshots_end_with_the_codes(digits_run):
    out, _ = digits_run
    with np.load(out / "methods" / "kmeans" / "snapshots.npz") as snapshots:
        codes = read_codes(out, "kmeans")["codes_train"]
        assert snapshots["codes"].shape == (3, 1347, 3)
        np.testing.assert_array_equal(snapshots["codes"][-1], codes)


def test_config_says_everything_and_names_no_place(digits_run):
    content = json.loads((digits_run[0] / "config.json").read_text())
    assert content["format_version"] == 1
    assert content["settings"]["max_iter"] == 2
    assert content["arguments"]["seed"] == 0
    assert content["data"]["n_train"] == 1347
    assert {"python", "torch", "scikit-learn", "ae-cluster"} <= content["versions"].keys()
    assert str(digits_run[0]) not in json.dumps(content)


def test_same_seed_same_everything_other_seed_other(digits_run, tmp_path):
    out, rows = digits_run
    again = quick_run(RunConfig(seed=0, **QUICK), tmp_path / "again")
    other = quick_run(RunConfig(seed=1, **QUICK), tmp_path / "other")
    assert same_arrays(arrays_of(out), arrays_of(tmp_path / "again"))
    assert not same_arrays(arrays_of(out), arrays_of(tmp_path / "other"))
    free = [c for c in COLUMNS if c not in ("seconds", "peak_mb")]
    pd.testing.assert_frame_equal(rows[free], again[free])
    assert set(other["run_id"]).isdisjoint(rows["run_id"])


def test_preset_trains_the_digits_for_5000_steps():
    from ae_cluster.records.config import preset_epochs

    assert preset_epochs(60_000, 64) == 10
    assert preset_epochs(1347, 64) * 22 >= 5000
    assert preset_epochs(1347, 64) * 22 < 5000 + 22
    assert preset_epochs(1347, 64, 784) == preset_epochs(1347, 64)
    assert preset_epochs(800, 64, 32 * 32 * 3) == 99  # of 13 steps: 5,000 * 784 / 3,072
    assert preset_epochs(640, 64, 10**6) == 100
    assert preset_epochs(60_000, 64, 10**6) == 10


def test_permuted_training_labels_change_no_code_and_no_cluster(tmp_path):
    digits = load_digits()
    x = (digits.images * 15).astype(np.uint8)
    halves = {"x_train": x[:1000], "x_test": x[1000:], "y_test": digits.target[1000:]}
    for name, y in (("a", digits.target), ("b", np.random.default_rng(0).permutation(1000) % 10)):
        path = write_npz(tmp_path / f"{name}.npz", y_train=y[:1000], **halves)
        quick_run(RunConfig(path, n_clusters=10, **QUICK), tmp_path / name)
    for method in ("kmeans", "gmm"):
        a, b = (arrays_of(tmp_path / name, method) for name in "ab")
        assert all(a[k].tobytes() == b[k].tobytes() for k in a)


def test_without_labels_everything_but_external_scores(tmp_path):
    path = write_npz(tmp_path / "d.npz", x=(load_digits().images[:300] * 15).astype(np.uint8))
    rows = run(RunConfig(path, n_clusters=4, methods=("kmeans",), **QUICK), tmp_path / "out")
    assert rows["accuracy"].isna().all()
    assert rows["nmi"].isna().all()
    assert rows["silhouette"].between(-1, 1).all()
    assert rows["budget"].isna().all()
    assert (tmp_path / "out" / "figures" / "codes-kmeans.png").exists()


def test_a_table_is_standardised_and_scored(tmp_path):
    wine = load_wine()
    path = write_npz(tmp_path / "wine.npz", x=wine.data, y=wine.target)
    few = RunConfig(path, n_clusters=3, epochs=100, budgets=(1, 10), draws=2)
    rows = quick_run(few, tmp_path / "out")
    model = AutoEncoder.load(tmp_path / "out" / "methods" / "kmeans" / "model")
    assert model.input_kind_ == "table"
    best = rows.query("features == 'autoencoder' and split == 'test'")["accuracy"].max()
    assert best > 0.8  # proline alone is a thousand times the other columns


def test_half_labelled_data_are_scored_on_what_is_known(tmp_path):
    digits = load_digits()
    y = np.where(np.arange(1797) % 2, digits.target, -1)
    path = write_npz(tmp_path / "d.npz", x=(digits.images * 15).astype(np.uint8), y=y)
    rows = quick_run(RunConfig(path, n_clusters=10, **QUICK), tmp_path / "out")
    assert rows.query("budget.isna()")["accuracy"].between(0.05, 1).all()


def test_a_clusterer_that_fails_is_a_row_that_says_so(tmp_path, monkeypatch):
    from ae_cluster.clustering import codes as clustering

    def broken(name, *_):
        if name == "gmm":
            raise ValueError("ill-defined\ncovariance")
        return real(name, *_)

    real = clustering.make_clusterer
    monkeypatch.setattr(clustering, "make_clusterer", broken)
    rows = quick_run(RunConfig(**QUICK), tmp_path / "out")
    failed = rows.query("method == 'gmm' and budget.isna()")
    assert (failed["status"] == "failed").all()
    assert (failed["reason"] == "ill-defined covariance").all()
    assert failed["accuracy"].isna().all()
    assert (rows.query("method == 'kmeans'")["status"] == "ok").all()
    assert not (tmp_path / "out" / "methods" / "gmm").exists()


def test_an_error_before_anything_is_learnt_leaves_nothing_behind(tmp_path, monkeypatch):
    from ae_cluster.runs import run as runs

    def broken(*_):
        raise InputError("no codes.")

    monkeypatch.setattr(runs, "_carry_out", broken)
    with pytest.raises(InputError, match=r"^no codes.$"):
        quick_run(RunConfig(**QUICK), tmp_path / "a" / "out")
    assert list(tmp_path.iterdir()) == []


def test_two_runs_do_not_write_to_one_place(tmp_path, monkeypatch):
    from ae_cluster.runs import run as runs

    def second(*_):
        quick_run(RunConfig(**QUICK), tmp_path / "out", force=True)

    monkeypatch.setattr(runs, "write_config", second)
    with pytest.raises(InputError, match="Another run"):
        quick_run(RunConfig(**QUICK), tmp_path / "out")


def test_ctrl_c_while_training_keeps_the_run_for_resume(tmp_path, monkeypatch):
    from ae_cluster.runs import encoders

    whole = quick_run(RunConfig(**QUICK), tmp_path / "whole")

    class Stopping(encoders.Reconstructions):
        def on_step(self, progress):
            if progress.step == 30:  # in the second of two epochs
                raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(encoders, "Reconstructions", Stopping)
        with (
            pytest.warns(UserWarning, match="interrupted after 1"),
            pytest.raises(KeyboardInterrupt),
        ):
            quick_run(RunConfig(**QUICK), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    again = quick_run(RunConfig(**QUICK), tmp_path / "out", resume=True)
    free = [c for c in COLUMNS if c not in ("seconds", "peak_mb")]
    pd.testing.assert_frame_equal(whole[free], again[free])


@pytest.mark.heavy
def test_a_killed_run_goes_on_and_ends_the_same(command, tmp_path):
    # More than a second of training on a fast machine: the first checkpoint is in the midst of it.
    few = ["--epochs", "400", "--draws", "1", "--budgets", "1", "--method", "kmeans"]
    run_to = ["run", *few, "--no-figures", "--out"]
    checkpoint = tmp_path / "killed.partial" / "checkpoint.safetensors"
    for n in itertools.count(8, 2):  # the first is written when a second of training is over
        assert command(tmp_path, [*run_to, "killed"], kill_at=n)[0] == -signal.SIGKILL
        if checkpoint.exists():
            break
        shutil.rmtree(tmp_path / "killed.partial", ignore_errors=True)
    assert not (tmp_path / "killed").exists()

    status, said = command(tmp_path, [*run_to, "killed"])
    assert status == 2
    assert "--resume" in said
    status, said = command(tmp_path, [*run_to, "killed", "--resume"])
    assert status == 0
    assert 0 < int(re.search(r"Going on after epoch (\d+) of 400", said)[1]) < 400
    assert command(tmp_path, [*run_to, "whole"])[0] == 0
    assert same_arrays(arrays_of(tmp_path / "killed"), arrays_of(tmp_path / "whole"))
    assert not list(tmp_path.glob("*.partial"))


def test_resuming_with_another_configuration_keeps_what_was_done(tmp_path, monkeypatch):
    from ae_cluster.runs import run as runs

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(runs, "write_config", killed)
    with pytest.raises(KeyboardInterrupt):
        quick_run(RunConfig(**QUICK), tmp_path / "out")
    monkeypatch.undo()
    with pytest.raises(InputError, match="checkpoint"):
        quick_run(RunConfig(seed=5, **QUICK), tmp_path / "out", resume=True)
    quick_run(RunConfig(**QUICK), tmp_path / "out", resume=True)


def test_rows_refuse_unknown_columns():
    with pytest.raises(KeyError, match="acuracy"):
        tidy_row(acuracy=1.0)
    assert tuple(tidy_row(seed=0)) == COLUMNS


def some_of_mnist(home, few, idx_bytes):
    """Write MNIST's first tenth into a data folder, under its own name."""
    data, raw = load_dataset("mnist", data_home=home), few / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for half, split, n in (("train", "train", 6000), ("t10k", "test", 1000)):
        for kind, part in (("images-idx3", "raw"), ("labels-idx1", "y")):
            kept = getattr(data, f"{part}_{split}")[:n].astype(np.uint8)
            kept = kept.reshape(n, 28, 28) if part == "raw" else kept
            (raw / f"{half}-{kind}-ubyte").write_bytes(idx_bytes(kept))
    return few


@pytest.mark.mnist
@pytest.mark.heavy
def test_mnist_end_to_end(mnist_home, idx_bytes, tmp_path, monkeypatch):
    monkeypatch.setattr("ae_cluster.datasets.named.SHA256", {})  # those of the whole files
    home = some_of_mnist(mnist_home, tmp_path / "few", idx_bytes)
    few = RunConfig("mnist", epochs=10, draws=1, budgets=(1,), methods=("kmeans",))
    rows = quick_run(few, tmp_path / "out", data_home=home)
    test = rows.query("split == 'test' and budget.isna()").set_index(["features", "method"])
    assert test.loc[("autoencoder", "kmeans"), "neighbor_accuracy"] > max(
        test.loc[("pca", "kmeans"), "neighbor_accuracy"],
        test.loc[("untrained", "kmeans"), "neighbor_accuracy"],
    )
    assert test.loc[("autoencoder", "kmeans"), "mse"] < 0.055
