"""Several data sets and seeds by one command, and their table by another."""

import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ae_cluster.cli.main import main
from ae_cluster.common.errors import InputError
from ae_cluster.records.reading import read_run_config, read_scores
from ae_cluster.records.rows import tidy_row
from ae_cluster.reports import median_interval, paired_difference, summarize
from ae_cluster.reports.comparison import Run
from ae_cluster.reports.over_seeds import seed_summary

OWN = '''
import numpy as np


class Thirds:
    """Cut the first coordinate into parts of one size."""

    def __init__(self, n_clusters, random_state):
        self.n_clusters = n_clusters

    def fit_predict(self, X):
        order = np.argsort(np.argsort(X[:, 0]))
        return order * self.n_clusters // len(X)
'''
PLAIN = ["--features", "given", "--n-clusters", "3", "--budgets", "1", "--draws", "1"]
TWO = [*PLAIN, "--no-figures", "--method", "kmeans", "--method", "own_thirds:Thirds"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Give a folder with two data sets, a clusterer of one's own, and three seeds of runs."""
    folder = tmp_path_factory.mktemp("many")
    rng = np.random.default_rng(0)
    for name, spread in (("near", 2.0), ("far", 0.4)):
        y = np.arange(90) % 3
        np.savez(folder / f"{name}.npz", x=rng.normal(size=(90, 2)) * spread + 2 * y[:, None], y=y)
    (folder / "own_thirds.py").write_text(OWN)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main(["run", "near.npz", "far.npz", "--seeds", "3", "--out", "five", *TWO]) == 0
    return folder


@pytest.fixture(autouse=True)
def _there(place, monkeypatch):
    monkeypatch.chdir(place)


def compared(capsys, *words):
    """Return what a comparison prints."""
    capsys.readouterr()
    assert main(["compare", *words]) == 0
    return capsys.readouterr().out


def refused(capsys, *words):
    capsys.readouterr()
    assert main([*words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.strip()[-1] in ".?"
    return " ".join(err.split())


def test_a_run_for_each_data_set_and_seed_on_one_split():
    folders = sorted(path.name for path in Path("five").iterdir())
    assert folders == [f"{name}-seed{i}" for name in ("far", "near") for i in range(3)]
    prints = {name: {read_run_config(Path("five") / f"{name}-seed{i}")["fingerprint"]
                     for i in range(3)} for name in ("near", "far")}  # fmt: skip
    assert [len(found) for found in prints.values()] == [1, 1]
    assert [read_run_config(Path("five") / name)["arguments"]["seed"] for name in folders] == [
        *(0, 1, 2), *(0, 1, 2),
    ]  # fmt: skip


def test_finished_runs_are_left_and_missing_ones_made(capsys):
    before = {p: p.stat().st_mtime_ns for p in Path("five").glob("*/scores.csv")}
    words = ["run", "near.npz", "far.npz", "--out", "five", *TWO]
    assert "exists" in refused(capsys, *words, "--seeds", "3")
    assert main([*words, "--seeds", "3", "--resume"]) == 0
    out, err = capsys.readouterr()
    assert {p: p.stat().st_mtime_ns for p in before} == before
    assert "[6/6] far-seed2: best accuracy" in err
    assert "ae-cluster compare five" in out


def test_all_places_and_data_are_looked_at_before_the_first_run(capsys):
    assert "nowhere.npz" in refused(
        capsys, "run", "near.npz", "nowhere.npz", "--out", "six", "--seeds", "2", *TWO
    )
    Path("other").mkdir(exist_ok=True)
    Path("other/near.npz").write_bytes(Path("near.npz").read_bytes())
    said = refused(capsys, "run", "near.npz", "other/near.npz", "--out", "six", *TWO)
    assert "would both be written to" in said
    assert "say one" in refused(capsys, "run", "near.npz", "--seed", "1", "--seeds", "2", *TWO)
    assert not Path("six").exists()


def test_the_table_is_that_of_the_rows(capsys):
    table = pd.read_csv(io.StringIO(compared(capsys, "five", "--csv")))
    assert len(table) == 4  # two data sets, two methods; codes that are given have no baselines
    rows = pd.concat([read_scores(folder) for folder in Path("five").iterdir()])
    rows = rows[(rows["split"] == "test") & rows["budget"].isna()]
    for line in table.itertuples():
        here = rows[(rows["dataset"] == line.dataset) & (rows["method"] == line.method)]
        best = table[(table["dataset"] == line.dataset) & table["best"]].iloc[0]
        against = rows[(rows["dataset"] == line.dataset) & (rows["method"] == best["method"])]
        scores, others = (r.set_index("seed")["accuracy"] for r in (here, against))
        assert line.n == 3
        assert line.median == pytest.approx(np.median(scores), abs=1e-5)
        assert (line.low, line.high) == pytest.approx(median_interval(scores), abs=1e-5)
        n_pairs, difference, p = paired_difference(scores, others)
        assert (line.n_pairs, line.difference) == pytest.approx((n_pairs, difference), abs=1e-5)
        assert line.wilcoxon == pytest.approx(np.nan if line.best else p, nan_ok=True)


def test_every_format_tells_the_same_medians(capsys):
    medians = pd.read_csv(io.StringIO(compared(capsys, "five", "--csv")))["median"]
    for words in (["--markdown"], ["--latex"], []):
        text = compared(capsys, "five", *words)
        assert all(f"{median:.3f}" in text for median in medians)
        assert "Wilcoxon" in text
    told = json.loads(compared(capsys, "five", "--json"))
    assert [line["median"] for line in told["medians"]] == pytest.approx(list(medians), abs=1e-5)
    assert len(told["runs"]) == 6


def test_a_folder_of_runs_is_the_runs_in_it(capsys):
    named = sorted(str(path) for path in Path("five").iterdir())
    assert compared(capsys, *named, "--markdown") == compared(capsys, "five", "--markdown")


def test_tables_go_to_new_files_too(capsys, tmp_path):
    path = tmp_path / "table.tex"
    compared(capsys, "five", "--latex", str(path))
    assert path.read_text().count(r"\\") == 5
    assert "exists already" in refused(capsys, "compare", "five", "--latex", str(path))
    assert "--json" in refused(capsys, "compare", "five", "--latex", "--json")
    assert "cannot all be printed" in refused(capsys, "compare", "five", "--latex", "--csv")


def test_another_score_and_one_that_is_none(capsys):
    assert "median NMI" in compared(capsys, "five", "--score", "nmi").replace("nmi", "NMI")
    assert "accuracy_matched" in refused(capsys, "compare", "five", "--score", "accuracy_match")


def made_run(letter, seed, accuracy, **data_and_arguments):
    """Return a run of one row."""
    place = {"dataset": "d", "split": "test", "method": "kmeans", "features": "pca", "status": "ok"}
    config = {
        "data": {"name": "d", "fingerprint": data_and_arguments.pop("fingerprint", "a")},
        "arguments": {"seed": seed} | data_and_arguments,
    }
    rows = pd.DataFrame([tidy_row(**place, seed=seed, accuracy=accuracy, n_clusters=3)])
    return Run(letter, Path(letter), config, rows)


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"n_clusters": 4}, "n_clusters (3 and 4)"),
        ({"n_clusters": 3, "epochs": 9}, "epochs"),
        ({"n_clusters": 3, "fingerprint": "b"}, "fingerprint of data (a and b)"),
    ],
)
def test_runs_that_are_no_draws_of_one_thing_are_refused(other, words):
    runs = [made_run("A", 0, 0.5, n_clusters=3), made_run("B", 1, 0.6, **other)]
    with pytest.raises(InputError, match="no median") as error:
        seed_summary(runs)
    assert words in str(error.value)


def test_what_was_got_twice_counts_once_and_what_differs_is_refused():
    twice = [made_run(letter, seed, 0.5) for letter, seed in (("A", 0), ("B", 0), ("C", 1))]
    assert seed_summary(twice)["n"].tolist() == [2]
    with pytest.raises(InputError, match="several rows"):
        seed_summary([*twice, made_run("D", 1, 0.6)])


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="of Linux")
def test_each_run_has_a_peak_of_its_own():
    """In a process of its own: that of the tests has freed memory which is used again."""
    code = (
        "import numpy as np\n"
        "from ae_cluster.common.memory import forget_peak, peak_mb\n"
        "forget_peak()\nbefore = peak_mb()\nmuch = np.ones(60_000_000)\n"
        "assert peak_mb() > before + 300\n"
        "del much\nforget_peak()\nassert peak_mb() < before + 300\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_seed_that_others_have_is_missing_and_named():
    rows = pd.DataFrame(
        [tidy_row(dataset="d", split="test", method=method, seed=seed, accuracy=0.5, status="ok",
                  n_clusters=3) for method, seed in (("a", 3), ("a", 7), ("b", 7))]
    )  # fmt: skip
    summary = summarize(rows, seeds=[3, 7]).set_index("method")
    assert summary["n"].to_dict() == {"a": 2, "b": 1}
    assert summary.loc["b", "lost"] == "seed 3 is missing"
