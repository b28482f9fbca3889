"""Tables that are larger than memory: on the disk, and the same to the last bit."""

import errno
import io
import struct
import subprocess
import sys
import tempfile
import zipfile

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import StandardScaler

from ae_cluster import InputError, RunConfig, load_dataset
from ae_cluster.common import scaling
from ae_cluster.common.scaling import fit_scaling
from ae_cluster.datasets import preparation, room, text_tables
from ae_cluster.datasets.room import lies_on_disk
from ae_cluster.runs.run import run

N = 700
ROLES = {"label_column": "label", "id_column": "name"}
ALL = {**ROLES, "categorical": ("place", "number"), "drop": ("notes",), "impute": "median"}


def made_table(n=N):
    """Return a table with a column of each kind that tables have."""
    rng = np.random.default_rng(0)
    y = np.arange(n) % 3
    x = rng.normal(size=(n, 4)) + 8 * np.eye(3, 4)[y]
    table = pd.DataFrame(x, columns=list("abcd"))
    table.loc[rng.random(n) < 0.3, "b"] = np.nan
    labels = np.array(["u", "v", "w"])[y].astype(object)
    labels[rng.random(n) < 0.8] = None
    return table.assign(
        whole=rng.integers(0, 9, n),
        yes=rng.random(n) < 0.5,
        place=np.array(["Zürich", "Bern, BE", 'the "old" town'])[rng.integers(0, 3, n)],
        number=rng.integers(3, 6, n),
        notes=[f"note {i}" for i in range(n)],
        name=[f"s{i}" for i in range(n)],
        label=labels,
    )


def write(table, path, row_group=150):
    if path.suffix == ".csv":
        table.to_csv(path, index=False)
    elif path.suffix == ".feather":
        table.to_feather(path, chunksize=100)
    elif path.suffix == ".parquet":
        table.to_parquet(path, index=False, row_group_size=row_group)
    else:
        path.mkdir()
        for i in range(3):
            table[250 * i : 250 * (i + 1)].to_parquet(path / f"{i}.parquet", index=False)
    return path


@pytest.fixture
def little_memory(monkeypatch):
    """Have everything lie on the disk, and be looked at in small parts."""

    def begin():
        monkeypatch.setattr(room, "MOST_IN_MEMORY", 1000)
        monkeypatch.setattr(scaling, "LARGE", 100)
        monkeypatch.setattr(preparation, "_ROWS", 64)
        monkeypatch.setattr(text_tables, "_LARGE_BLOCK", 4096)

    return begin


@pytest.fixture
def laid_down(monkeypatch):
    """Give the tables that were laid down on the disk."""
    found = []

    def watched(batches, original=room.table_on_disk):
        found.append(original(batches))
        return found[-1]

    for name in ("arrow_files", "shards", "text_tables"):
        monkeypatch.setattr(f"ae_cluster.datasets.{name}.table_on_disk", watched)
    return found


def check_same(ours, theirs):
    assert lies_on_disk(ours.raw_train)
    assert not lies_on_disk(theirs.raw_train)
    assert ours.fingerprint == theirs.fingerprint
    assert ours.preparation == theirs.preparation
    for name in ("raw_train", "raw_test", "y_train", "y_test", "ids_train", "ids_test"):
        one, two = getattr(ours, name), getattr(theirs, name)
        assert (one is None) == (two is None)
        if one is not None:
            np.testing.assert_array_equal(one, two)
            assert one.dtype == two.dtype


@pytest.mark.parametrize("name", ["x.csv", "x.parquet", "x.feather", "shards"])
def test_a_large_table_is_the_same_on_the_disk(tmp_path, little_memory, laid_down, name):
    path = write(made_table(), tmp_path / name)
    theirs = load_dataset(path, **ALL)
    assert not laid_down
    little_memory()
    check_same(load_dataset(path, **ALL), theirs)
    assert len(laid_down) == 1


@pytest.mark.parametrize("name", ["x.csv", "x.parquet"])
def test_a_large_table_of_numbers_alone_is_the_same(tmp_path, little_memory, laid_down, name):
    path = write(made_table()[["a", "c", "d"]], tmp_path / name)
    theirs = load_dataset(path)
    little_memory()
    check_same(load_dataset(path), theirs)
    assert len(laid_down) == 1


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int16])
def test_a_large_npz_is_the_same_on_the_disk(tmp_path, little_memory, save, dtype):
    table = made_table()
    x = (table[list("acd")].to_numpy() * 100).astype(dtype)
    save(tmp_path / "x.npz", x=x, y=table["whole"].to_numpy(), ids=table["name"].to_numpy(str))
    theirs = load_dataset(tmp_path / "x.npz")
    little_memory()
    check_same(load_dataset(tmp_path / "x.npz"), theirs)


def test_what_only_later_lines_tell_is_found(tmp_path, little_memory, laid_down):
    """Types are taken from the first lines: of which some hold nothing, or another kind."""
    table = made_table(6000)[["a", "c", "name", "label"]]
    table["late"] = np.where(np.arange(6000) < 5500, np.nan, 1.5 + np.arange(6000) % 7)
    table["kind"] = np.where(np.arange(6000) < 5500, "7", "seven")
    path = write(table, tmp_path / "x.csv")
    options = ROLES | {"impute": "median"}
    theirs = load_dataset(path, **options, categorical=("kind",))
    with pytest.raises(InputError) as in_memory:
        load_dataset(path, **options)
    little_memory()
    check_same(load_dataset(path, **options, categorical=("kind",)), theirs)
    with pytest.raises(InputError) as on_disk:
        load_dataset(path, **options)
    assert "'kind' (text)" in str(on_disk.value)
    assert str(on_disk.value) == str(in_memory.value)
    assert len(laid_down) == 2


BAD = {
    "missing": ({"b": [1.0, None] * 350}, {}),
    "infinite": ({"a": [*range(699), np.inf], "c": [1e300, *range(699)]}, {}),
    "large": ({"a": [*range(699), 1e39]}, {}),
    "nothing": ({"a": [np.nan] * 700}, {"impute": "median"}),
    "no id": ({"name": [*"ab", None, *map(str, range(697))]}, ROLES),
    "one value": ({"a": [1e9, 1e9 + 1] * 350}, {}),
}


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("name", ["x.csv", "x.parquet"])
def test_a_large_table_is_refused_in_the_same_words(
    tmp_path, little_memory, laid_down, name, kind, assert_one_sentence
):
    columns, options = BAD[kind]
    table = made_table()[["a", "c", "d", "name", "label"]].assign(**columns)
    path = write(table, tmp_path / name)
    options = {"label_column": "label", "id_column": "name"} | options
    with pytest.raises(InputError) as theirs:
        load_dataset(path, **options)
    little_memory()
    with pytest.raises(InputError) as ours:
        load_dataset(path, **options)
    assert str(ours.value) == str(theirs.value)
    assert_one_sentence(ours)
    assert laid_down


def test_a_file_cut_off_is_refused(tmp_path, little_memory, assert_one_sentence):
    path = write(made_table(), tmp_path / "x.parquet")
    little_memory()
    content = path.read_bytes()
    path.write_bytes(content[:4] + b"\xff" * 3000 + content[3004:])
    with pytest.raises(InputError) as error:
        load_dataset(path, **ALL)
    assert_one_sentence(error, "damaged")


def test_a_full_disk_is_told(tmp_path, little_memory, monkeypatch, assert_one_sentence):
    class Full:
        def __init__(self, file):
            self._file = file

        def __getattr__(self, name):
            return getattr(self._file, name)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self._file.close()

        def write(self, content):
            if self._file.tell() > 3000:
                raise OSError(errno.ENOSPC, "No space left on device")
            return self._file.write(content)

    path = write(made_table(), tmp_path / "x.csv")
    little_memory()
    original = tempfile.TemporaryFile
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **options: Full(original(**options)))
    with pytest.raises(InputError) as error:
        load_dataset(path, **ALL)
    assert_one_sentence(error, "say another folder with TMPDIR")


def test_parts_are_scaled_as_the_whole(monkeypatch):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(20_000, 6)) * [1, 1e-3, 900, 2, 3, 0] + [0, 5, 1e4, 3, 0, 7.1]
    counts = rng.poisson(0.3, (20_000, 6)).astype(np.float32)
    for dtype in (np.float32, np.float64):
        for x, kinds in ((rows.astype(dtype), ("auto", "standard", "none", "robust")),
                         (counts.astype(dtype), ("auto", "log"))):  # fmt: skip
            for kind in kinds:
                monkeypatch.setattr(scaling, "LARGE", 2**24)
                theirs = fit_scaling(x, kind)
                monkeypatch.setattr(scaling, "LARGE", 100)
                ours = fit_scaling(x, kind)
                np.testing.assert_array_equal(ours.mean, theirs.mean)
                np.testing.assert_array_equal(ours.scale, theirs.scale)
                assert (ours.kind, ours.why) == (theirs.kind, theirs.why)
    by_sklearn = StandardScaler().fit(rows)
    np.testing.assert_array_equal(fit_scaling(rows, "standard").scale, by_sklearn.scale_)


def test_a_run_of_a_large_table_has_the_same_clusters(tmp_path, little_memory):
    path = write(made_table(), tmp_path / "x.parquet")
    config = RunConfig(
        dataset=str(path), methods=("kmeans",), epochs=2, n_clusters=3, n_components=2, draws=1,
        budgets=(1,), hidden_layer_sizes=(8,), **ALL,
    )  # fmt: skip
    run(config, tmp_path / "memory", figures=False)
    little_memory()
    run(config, tmp_path / "disk", figures=False)
    one, two = (pd.read_csv(tmp_path / name / "clusters.csv") for name in ("memory", "disk"))
    pd.testing.assert_frame_equal(one, two)


MEMORY = """
import re, sys, threading, time
from pathlib import Path
from ae_cluster import load_dataset
from ae_cluster.datasets import room

def resident():  # of what is no file's
    return int(re.search(r"RssAnon:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024

def watch():
    while True:
        most.append(resident())
        time.sleep(0.005)

room.MOST_IN_MEMORY = 2**20
most = []
threading.Thread(target=watch, daemon=True).start()
load_dataset(sys.argv[1])
print(max(most))
"""


@pytest.mark.heavy
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_the_memory_of_a_large_table_does_not_grow_with_it(tmp_path, ending):
    rows = np.random.default_rng(0).normal(size=(240_000, 100)).round(3)
    table = pd.DataFrame(rows, columns=[f"c{i}" for i in range(100)])
    peaks = []
    for n in (80_000, 240_000):  # of which the larger has 128 MB more as float64, 64 as float32
        path = write(table[:n], tmp_path / f"{n}.{ending}", row_group=2**20)
        command = [sys.executable, "-c", MEMORY, str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        peaks.append(float(done.stdout))
    assert peaks[1] - peaks[0] < 50


@pytest.mark.parametrize("n_there", [0, 1, 700])
def test_an_archive_that_says_more_than_it_holds_is_refused(tmp_path, n_there, assert_one_sentence):
    content = io.BytesIO()
    np.save(content, np.arange(1000, dtype=np.uint8).reshape(100, 10))
    whole = content.getvalue()
    path = tmp_path / "x.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", whole[: len(whole) - 1000 + n_there])
    short, full = (struct.pack("<L", len(whole) - 1000 + n) for n in (n_there, 1000))
    path.write_bytes(path.read_bytes().replace(short, full))  # what its directory says
    with pytest.raises(InputError) as error:
        load_dataset(path)
    assert_one_sentence(error, "the array x cannot be read")
