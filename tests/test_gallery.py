"""Every script of the gallery runs on bundled data and prints what it promises."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

GALLERY = Path(__file__).parents[1] / "experiments" / "gallery"
SCRIPTS = sorted(GALLERY.glob("*.py"))

# What a script's output must hold, in this order.
PROMISED = {
    "01_redo_the_tutorial": (
        r"1347 training and 450 test images of \(8, 8\)",
        r"codes: \(450, 3\)",
        r"accuracy \(matched\) 0\.[678]\d\d",
        r"AMI +0\.[678]\d\d",
        r"01-codes\.png",
        r"01-tiles\.png",
    ),
    "02_cluster_a_table": (
        r"KMeans of the table: accuracy 0\.9",
        r"KMeans of 3-D codes: accuracy \d",
        r"sorting \(3-D codes\): accuracy (0\.9|1\.0)",
    ),
    "03_choose_k": (
        r" k  silhouette  stability",
        *(rf"{k:2d} +0\.\d{{3}} +[01]\.\d{{3}}" for k in range(2, 16)),
    ),
    "04_label_ten_images": (
        r"label these images first: (\d+, ){9}\d+",
        r"ten suggested: accuracy 0\.[789]",
        r"ten by chance: median 0\.\d{3}, 10 to 90 %: 0\.\d{3} to 0\.\d{3}, of 20 draws",
    ),
    "05_compare_three_clusterers": (
        r"median of 5 seeds",
        *(rf"{name} +0\.\d{{3}} \(0\.\d{{3}} to" for name in ("gmm", "kmeans", "ward")),
        *(rf"{name} − kmeans [+-]0\.\d{{3}} \([+-]" for name in ("gmm", "ward")),
    ),
    "06_add_a_method": (
        r"autoencoder +kmeans +0\.\d+ +0\.\d+",
        r"autoencoder +FarthestFirst +0\.\d+ +0\.\d+",
        r"not there: 0 scores",
    ),
    "07_read_a_run_folder": (
        r"\d+ rows, \{'ok': \d+\}",
        r"autoencoder +kmeans",
        r"arrays of kmeans: .*codes_test \(450, 3\)",
        *(rf"cluster {i}: \d+ test samples, typical: \S+, \S+, \S+" for i in range(3)),
    ),
    "08_embeddings_of_your_own": (
        r"kmeans +0\.[678]",
        r"gmm +0\.[678]",
        *(r"sample \S+: cluster \d",) * 5,
    ),
}  # fmt: skip


def test_every_script_promises_something_and_is_read_in_a_minute():
    assert [path.stem for path in SCRIPTS] == sorted(PROMISED)
    lengths = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in SCRIPTS}
    assert {name: n for name, n in lengths.items() if not 30 <= n <= 60} == {}


@pytest.mark.slow  # two minutes together; .ci/run has a step for them
@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_it_prints_what_it_promises(path, tmp_path):
    done = subprocess.run(
        [sys.executable, path],
        cwd=tmp_path,
        env=os.environ | {"MPLBACKEND": "agg", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    at = 0
    for pattern in PROMISED[path.stem]:
        found = re.compile(pattern).search(done.stdout, at)
        assert found, f"{pattern!r} is not in:\n{done.stdout}"
        at = found.end()
    written = [p.relative_to(tmp_path).parts[:2] for p in tmp_path.rglob("*") if p.is_file()]
    assert set(written) <= {("runs", "gallery")}
