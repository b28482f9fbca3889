"""``ae-cluster assign`` and `load_run`: files in, tables out, and a run in Python."""

import errno
import json
import re
import shutil
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from small_runs import small_images

import ae_cluster
from ae_cluster import InputError, RunConfig, load_dataset, load_run, read_codes
from ae_cluster.cli.main import main
from ae_cluster.common.spreadsheets import original_table
from ae_cluster.runs import assign
from ae_cluster.runs.assigned_tables import TableWriter
from ae_cluster.runs.run import run


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Give a folder with a file of images with ids and labels, and a run of two methods on it."""
    folder = tmp_path_factory.mktemp("files")
    images, y = small_images(60)
    ids = np.array([f"=cat, {i}" for i in range(60)])
    np.savez(folder / "images.npz", x=images, y=np.array(["bar", "-cat", "dog"])[y], ids=ids)
    np.save(folder / "new.npy", images)
    config = RunConfig(
        dataset=str(folder / "images.npz"), methods=("kmeans", "gmm", "pixels"), epochs=20,
        n_clusters=3, n_components=2, draws=1, budgets=(1,), hidden_layer_sizes=(8,),
    )  # fmt: skip
    run(config, folder / "RUN", figures=False)
    return folder


@pytest.fixture
def here(place, tmp_path, monkeypatch):
    """Go to an empty folder, and give the path of the run."""
    monkeypatch.chdir(tmp_path)
    return place / "RUN"


def read(path):
    is_csv = path.endswith(".csv")
    table = pd.read_csv(path, dtype={"id": str}) if is_csv else pd.read_parquet(path)
    return original_table(table) if is_csv else table


@pytest.mark.parametrize("out", ["new.csv", "new.parquet"])
@pytest.mark.parametrize("method", ["kmeans", "gmm", "pixels"])
def test_the_file_of_the_run_gives_the_clusters_of_the_run(here, place, monkeypatch, out, method):
    monkeypatch.setattr(assign, "CHUNK_ROWS", 7)  # many parts, the last of them smaller
    assert (
        main(["assign", str(here), str(place / "images.npz"), "--out", out, "--method", method])
        == 0
    )
    table = read(out).set_index("id")
    arrays = read_codes(here, method)
    for split in ("train", "test"):
        own = table.loc[arrays[f"ids_{split}"]]
        np.testing.assert_array_equal(own["cluster"], arrays[f"clusters_{split}"])
    assert table.index.tolist() == [f"=cat, {i}" for i in range(60)]
    columns = ["cluster", "class", "p_0", "p_1", "p_2", "distance", "share_farther_out", "outlier"]
    assert list(table.columns) == columns
    np.testing.assert_allclose(table[["p_0", "p_1", "p_2"]].sum(axis=1), 1, atol=1e-5)
    assert (table["outlier"] == (table["share_farther_out"] < 0.01)).all()


def test_texts_of_a_csv_are_no_formulas(here, place):
    assert main(["assign", str(here), str(place / "images.npz"), "--out", "new.csv"]) == 0
    head, first, *_ = Path("new.csv").read_text().splitlines()
    assert head.startswith("id,cluster,class,")
    assert first.startswith('"\'=cat, 0",')
    assert ',"\'-cat",' in Path("new.csv").read_text()


def test_an_array_is_numbered_and_the_summary_is_json(here, place, capsys):
    argv = ["assign", str(here), str(place / "new.npy"), "--out", "n.parquet", "--json"]
    assert main(argv) == 0
    said = capsys.readouterr()
    found = json.loads(said.out)
    table = read("n.parquet")
    assert table["id"].tolist() == [str(i) for i in range(60)]
    assert (found["n_rows"], found["method"]) == (60, "kmeans")
    assert found["clusters"] == {
        str(k): int(n) for k, n in table["cluster"].value_counts().sort_index().items()
    }
    assert found["n_outliers"] == table["outlier"].sum()
    assert "taken is kmeans, the first" in said.err
    assert "the labels of the run's data" in said.err


def test_columns_of_a_table_are_found_by_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(60, 3)), columns=["a", "b", "c"])
    table.loc[:20, "a"] += 9
    table["kind"] = np.where(table["a"] > 5, "x", "y")
    table.loc[3, "b"] = np.nan
    table.to_csv("t.csv", index=False)
    argv = ["run", "t.csv", "--n-clusters", "2", "--epochs", "2", "--no-figures", "--out", "R"]
    assert main([*argv, "--method", "kmeans", "--categorical", "kind", "--impute", "median"]) == 0
    table[["kind", "c", "a", "b"]].to_parquet("other.parquet")
    for data, out in (("t.csv", "1.csv"), ("other.parquet", "2.csv")):
        assert main(["assign", "R", data, "--out", out]) == 0
    pd.testing.assert_frame_equal(read("1.csv"), read("2.csv"))
    kept = load_run("R")
    assert read("1.csv")["cluster"].tolist() == kept.clusters["kmeans"].tolist()
    assert kept.assign(table[["b", "a", "c", "kind"]])["cluster"].tolist() == (
        kept.clusters["kmeans"].tolist()
    )


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (np.zeros((3, 35), np.uint8), "new.npy has 35 columns, and the run's samples have 36"),
        (np.zeros((3, 9, 4), np.uint8), "new.npy holds images of 9 × 4, and the run is of images"),
        (np.zeros((0, 36), np.uint8), "give a row per sample, and at least one"),
        (np.full((3, 36), np.nan), "NaN"),
        (np.full((3, 36), 999.0), "images are bytes"),
        (np.array(["a"]), "new.npy"),
    ],
)  # fmt: skip
def test_other_samples_than_the_runs_are_refused_in_a_sentence(here, x, words, capsys):
    np.save("new.npy", x)
    assert main(["assign", str(here), "new.npy", "--out", "new.csv"]) == 2
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert words in said
    assert said.count(". ") == 0


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["nothing.npy", "--out", "n.csv"], "there is no such file"),
        (["new.npy", "--out", "n.txt"], "must end in .csv or .parquet"),
        (["new.npy", "--out", "no/n.csv"], "There is no folder"),
        (["new.npy", "--out", "n.csv", "--method", "kmean"], "kmeans"),
        (["new.npy", "--out", "thesis.csv", "--force"], "is no table that ae-cluster assign wrote"),
        (["new.npy", "--out", "thesis.parquet", "--force"], "is no table that ae-cluster assign"),
        (["new.npy", "--out", "thesis.csv"], "exists already"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_a_sentence_and_nothing_is_written(here, place, argv, words, capsys):
    shutil.copy(place / "new.npy", "new.npy")
    for name in ("thesis.csv", "thesis.parquet"):
        Path(name).write_text("mine")
    assert main(["assign", str(here), *argv]) == 2
    assert words in capsys.readouterr().err
    assert {Path(name).read_text() for name in ("thesis.csv", "thesis.parquet")} == {"mine"}


@pytest.mark.parametrize("out", ["n.csv", "n.parquet"])
def test_force_replaces_a_table_of_this_kind(here, place, out):
    argv = ["assign", str(here), str(place / "new.npy"), "--out", out]
    assert main(argv) == 0
    assert main(argv) == 2
    assert main([*argv, "--force"]) == 0


def test_a_file_that_ends_in_an_error_leaves_no_table(here, place, tmp_path):
    x = np.load(place / "new.npy").astype(np.float32) / 255
    x[-1, 0, 0] = np.nan
    np.save("bad.npy", x)
    before = sorted(path.name for path in tmp_path.iterdir())
    assert main(["assign", str(here), "bad.npy", "--out", "n.csv"]) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == before


# In Python


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
@pytest.mark.parametrize("n_parts", [1, 9])
def test_a_disk_that_is_full_at_the_end_of_a_table_ends_it(ending, n_parts):
    said = []

    def write():
        try:
            with TableWriter(Path("/dev/full"), ending) as writer:
                for _ in range(n_parts):
                    writer.write(pa.table({"id": ["a"], "cluster": [0]}))
        except OSError as error:
            said.append(error.errno)

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    thread.join(timeout=10)  # it waited for ever
    assert said == [errno.ENOSPC]


def test_a_run_is_an_object(place):
    kept = load_run(place / "RUN")
    data = load_dataset(place / "images.npz")
    assert kept.methods == ("kmeans", "gmm", "pixels")
    table = original_table(pd.read_csv(place / "RUN" / "clusters.csv")).set_index("id")
    pd.testing.assert_frame_equal(kept.clusters, table, check_dtype=False, rtol=1e-6)
    assert kept.codes.index.tolist() == table.index.tolist()
    np.testing.assert_allclose(kept.codes["code_1"], table["code_1"], rtol=1e-6)
    np.testing.assert_allclose(
        kept.codes.loc[data.ids_test], kept.model("gmm").transform(data.raw_test), atol=1e-6
    )
    assert len(kept.scores) > 0
    found = kept.assign(data.raw_test, "gmm")
    assert found["cluster"].tolist() == kept.clusters.loc[data.ids_test, "gmm"].tolist()
    with pytest.raises(InputError, match="keeps no model of pixels"):
        kept.model("pixels")
    with pytest.raises(InputError, match="has no method 'gm'"):
        kept.assign(data.raw_test, "gm")


def test_eight_threads_get_the_same(place):
    images = np.load(place / "new.npy")
    alone = load_run(place / "RUN").assign(images, "gmm")
    kept = load_run(place / "RUN")
    with ThreadPoolExecutor(8) as pool:
        tables = list(pool.map(lambda _: kept.assign(images, "gmm"), range(16)))
        models = list(pool.map(lambda _: kept.model("gmm"), range(8)))
    for table in tables:
        pd.testing.assert_frame_equal(table, alone)
    assert len(set(map(id, models))) == 1


def test_a_run_of_an_earlier_version_loads(place, tmp_path):
    folder = shutil.copytree(place / "RUN", tmp_path / "RUN")
    for path in (*folder.glob("methods/*/clusterer.*"), folder / "clusters.csv"):
        path.unlink()
    kept, now = load_run(folder), load_run(place / "RUN")
    pd.testing.assert_frame_equal(kept.clusters, now.clusters, check_exact=False, rtol=1e-5)
    images = np.load(place / "new.npy")
    assert kept.assign(images)["cluster"].tolist() == now.assign(images)["cluster"].tolist()
    with pytest.raises(InputError, match="the covariances of its mixture"):
        kept.assign(images, "gmm")


def test_warnings_of_the_process_are_as_before(place):
    images = np.load(place / "new.npy")
    before = list(warnings.filters)
    load_run(place / "RUN").assign(images)
    assert list(warnings.filters) == before


def test_the_lines_of_the_readme_run(place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(place / "RUN", tmp_path / "runs" / "digits-seed0")
    page = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    lines = re.findall(r"^    ((?:run|table) = .*)$", page, re.M)
    assert len(lines) == 2
    names = {"ae_cluster": ae_cluster, "images": np.load(place / "new.npy")}
    exec("\n".join(lines), names)
    assert len(names["table"]) == 60


@pytest.mark.filterwarnings("ignore:features.npy holds no ids")
def test_new_features_are_assigned_to_clusters_of_features(place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    features = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
    features[::2] += 5
    np.save("features.npy", features)
    argv = ["run", str(place / "new.npy"), "--features", "features.npy", "--n-clusters", "2"]
    assert main([*argv, "--method", "gmm", "--no-figures", "--out", "R"]) == 0
    assert main(["assign", "R", "features.npy", "--out", "new.csv"]) == 0
    assert read("new.csv")["cluster"].tolist() == load_run("R").clusters["gmm"].tolist()
    assert main(["assign", "R", str(place / "new.npy"), "--out", "no.csv"]) == 2
