"""Samples that do not fit into memory lie on the disk, and a run of them gives what it gave."""

import errno
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.decomposition import PCA

from ae_cluster import InputError, RunConfig, load_dataset, run
from ae_cluster.datasets import room
from ae_cluster.runs import plan, principal_codes

RNG = np.random.default_rng(0)
X = RNG.integers(0, 256, (200, 8, 8), np.uint8)
LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


@pytest.fixture
def small_memory(monkeypatch, tmp_path):
    """Give a function after which arrays above 1,000 bytes are large, and their folder."""
    (tmp_path / "tmp").mkdir()

    def begin():
        monkeypatch.setattr(room, "MOST_IN_MEMORY", 1000)
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))

    return begin


def written(folder, kind):
    if kind == "file":
        np.save(folder / "x.npy", X)
        return folder / "x.npy"
    if kind == "table":
        np.save(folder / "t.npy", X.reshape(200, 64).astype(np.float32))
        return folder / "t.npy"
    (folder / kind).mkdir()
    for i, part in enumerate(np.array_split(X, 5) if kind == "shards" else X):
        if kind == "shards":
            np.save(folder / kind / f"{i}.npy", part)
        else:
            Image.fromarray(part).save(folder / kind / f"{i}.png")
    return folder / kind


@pytest.mark.parametrize("kind", ["file", "table", "shards", "pictures"])
def test_samples_on_the_disk_are_those_in_memory(kind, tmp_path, small_memory):
    path = written(tmp_path, kind)
    before = load_dataset(path)
    small_memory()
    data = load_dataset(path)

    assert not room.lies_on_disk(before.raw_train)
    assert room.lies_on_disk(data.raw_train)
    assert room.lies_on_disk(data.raw_test)
    assert np.array_equal(data.raw_train, before.raw_train)
    assert data.fingerprint == before.fingerprint
    assert not list((tmp_path / "tmp").iterdir())  # a killed process would leave nothing


def test_a_run_on_the_disk_gives_the_scores_of_one_in_memory(tmp_path, small_memory):
    path = written(tmp_path, "file")
    config = RunConfig(
        dataset=str(path), methods=("minibatch-kmeans", "pixels"), epochs=2, n_clusters=3
    )
    before = run(config, tmp_path / "A", figures=False)
    small_memory()
    after = run(config, tmp_path / "B", figures=False)

    def scores(table):  # of all but the principal components, which differ by their rounding
        return table[table["features"] != "pca"].drop(columns=["seconds", "peak_mb"])

    assert scores(after).equals(scores(before))
    for name in ("minibatch-kmeans", "pixels"):
        one, two = (np.load(tmp_path / x / "methods" / name / "codes.npz") for x in "AB")
        assert np.array_equal(one["codes_test"], two["codes_test"])
        assert np.array_equal(one["clusters_train"], two["clusters_train"])


@pytest.mark.parametrize("wide", [1000, 10])
def test_principal_codes_in_parts_are_scikit_learns(wide, monkeypatch):
    monkeypatch.setattr(principal_codes, "WIDE", wide)
    monkeypatch.setattr(principal_codes, "_AT_ONCE", 1000)
    rows = X.reshape(200, 64) // np.arange(1, 65, dtype=np.uint8)
    ours = principal_codes.principal_codes(rows[:150], rows[150:], 3)
    pca = PCA(3, random_state=0).fit(rows[:150] / np.float32(255))

    for codes, half in zip(ours, (rows[:150], rows[150:]), strict=True):
        np.testing.assert_allclose(codes, pca.transform(half / np.float32(255)), atol=1e-4)


def test_a_disk_without_room_is_told(tmp_path, small_memory, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    path = written(tmp_path, "file")
    small_memory()
    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    with pytest.raises(InputError, match=r"no room for them in .*tmp: say another .* TMPDIR"):
        load_dataset(path)


def test_samples_are_not_clustered_themselves_where_memory_is_too_small(tmp_path, monkeypatch):
    path = written(tmp_path, "file")
    monkeypatch.setattr(plan, "total_memory", lambda: 90_000.0)
    config = RunConfig(dataset=str(path), methods=("pixels",), n_clusters=3)
    with pytest.raises(InputError, match="more than the memory; leave it out"):
        run(config, tmp_path / "RUN", figures=False)


MEMORY = """
import re, sys
from pathlib import Path
from ae_cluster import load_dataset
from ae_cluster.datasets import room

def anonymous():
    return int(re.search(r"RssAnon:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024

load_dataset("digits")
room.MOST_IN_MEMORY = 2**20
before = anonymous()
data = load_dataset(sys.argv[1])
assert len(data.raw_train) == 80_000
print(anonymous() - before)
"""


@LINUX
def test_reading_takes_no_memory_for_samples_on_the_disk(tmp_path):
    np.save(tmp_path / "x.npy", RNG.integers(0, 256, (100_000, 28, 28), np.uint8))  # 78 MB
    command = [sys.executable, "-c", MEMORY, str(tmp_path / "x.npy")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert float(done.stdout) < 25  # ids and places


def peak_of_a_run(folder, n):
    """Return the most anonymous memory, in MB, that a run of n images takes."""
    rows = np.lib.format.open_memmap(folder / f"{n}.npy", "w+", np.uint8, (n, 28, 28))
    for start in range(0, n, 10_000):
        rows[start : start + 10_000] = RNG.integers(0, 256, (10_000, 28, 28), np.uint8)
    words = f"run {n}.npy --epochs 1 --batch-size 2048 --n-clusters 10 --method minibatch-kmeans"
    words += f" --no-figures --out {n}"
    command = [sys.executable, "-m", "ae_cluster", *words.split()]
    peak = 0
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
            found = re.search(r"RssAnon:\s+(\d+)", status)
            peak = max(peak, int(found[1]) // 1024 if found else 0)
    assert process.returncode == 0
    return peak


@LINUX
@pytest.mark.slow
def test_a_run_takes_memory_for_codes_and_clusters_and_none_for_samples(tmp_path):
    few, many = (peak_of_a_run(tmp_path, n) for n in (220_000, 440_000))
    assert many - few < 170  # MB, as many as the images would take; of ids, codes and tables
