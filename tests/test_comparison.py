"""Run folders side by side, as a newcomer meets them."""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

from ae_cluster import InputError, RunConfig, run
from ae_cluster.cli.main import main
from ae_cluster.reports.comparison import (
    compared_rows,
    comparison_report,
    described_config,
    read_runs,
)

QUICK = {"epochs": 1, "budgets": (1, 2), "draws": 1}


@pytest.fixture(scope="module")
def runs_folder(tmp_path_factory):
    """Give a folder of runs: two seeds, another k, other data without labels."""
    folder = tmp_path_factory.mktemp("runs")
    np.savez(folder / "mine.npz", x=(load_digits().images[:200] * 15).astype(np.uint8))
    for name, config in {
        "seed0": RunConfig(**QUICK),
        "seed1": RunConfig(seed=1, **QUICK),
        "k12": RunConfig(n_clusters=12, **QUICK),
        "mine": RunConfig(str(folder / "mine.npz"), n_clusters=4, **QUICK),
    }.items():
        run(config, folder / name, figures=False)
    return folder


@pytest.fixture
def run_copy(runs_folder, tmp_path):
    """Give a run folder that may be spoilt."""
    return shutil.copytree(runs_folder / "seed0", tmp_path / "copy")


def report(runs_folder, *names):
    return comparison_report(read_runs([runs_folder / name for name in names]))


def block(text, start):
    """Return the lines of the paragraph that starts so."""
    (found,) = [part for part in text.split("\n\n") if part.startswith(start)]
    return found.splitlines()


def test_every_score_shown_is_the_one_in_the_folder(runs_folder):
    text = report(runs_folder, "seed0", "seed1")
    header, *lines = block(text, "Held-out test scores")[1:]
    names = header.split()
    for i, letter in enumerate("AB"):
        rows = pd.read_csv(runs_folder / f"seed{i}" / "scores.csv").query("split == 'test'")
        rows = rows[rows["budget"].isna()].set_index(["features", "method"])
        for n, ((features, method), row) in enumerate(rows.iterrows()):
            line = lines[2 * n + i]
            assert f" {letter} " in line
            if i == 0:
                assert line.strip().startswith(f"{features} → {method}")
            shown = dict(zip(names, line.split()[-len(names) :], strict=True))
            assert shown["accuracy"] == f"{row['accuracy']:.3f}"
            assert shown["NMI"] == f"{row['nmi']:.3f}"
            assert shown["seconds"] == f"{row['seconds']:.3f}"


def test_means_over_draws_are_those_of_the_rows(runs_folder):
    lines = block(report(runs_folder, "seed0", "seed1"), "Test accuracy from so many labels")
    rows = pd.read_csv(runs_folder / "seed1" / "scores.csv")
    rows = rows.query("budget == 2 and features == 'pca' and method == 'knn'")
    (place,) = [i for i, line in enumerate(lines) if "pca → knn" in line]
    assert lines[place + 1].split() == [
        "B",
        lines[place + 1].split()[1],
        f"{rows.accuracy.mean():.3f}",
    ]


def test_only_what_differs_is_named(runs_folder):
    lines = block(report(runs_folder, "seed0", "seed1"), "What differs")
    assert [line.split() for line in lines[1:]] == [["A", "B"], ["seed", "0", "1"]]
    text = report(runs_folder, "seed0", "k12")
    assert [line.split() for line in block(text, "What differs")[2:]] == [
        ["n_clusters", "10", "12"]
    ]


def test_other_versions_and_settings_are_named(run_copy, runs_folder):
    content = json.loads((run_copy / "config.json").read_text())
    content["versions"]["torch"] = "0.0"
    content["settings"]["noise_std"] = 0.5
    (run_copy / "config.json").write_text(json.dumps(content))
    text = comparison_report(read_runs([runs_folder / "seed0", run_copy]))
    named = [" ".join(line.split()[:-2]) for line in block(text, "What differs")[2:]]
    assert sorted(named) == ["noise_std", "version of torch"]


def test_a_run_and_its_copy_do_not_differ(run_copy, runs_folder):
    text = comparison_report(read_runs([runs_folder / "seed0", run_copy]))
    assert "Nothing differs" in text
    assert "WARNING" not in text


def test_other_k_and_other_data_are_warned_of(runs_folder):
    assert "WARNING" not in report(runs_folder, "seed0", "seed1")
    assert "numbers of clusters differ (A: 10, B: 12)" in report(runs_folder, "seed0", "k12")
    text = report(runs_folder, "seed0", "seed1", "mine")
    assert "scored different data, A and B against C" in text
    assert "A/B: 10, C: 4" in text
    assert "C had no test labels" in text
    assert text.index("WARNING") < text.index("Held-out test scores")
    assert "silhouette" in block(text, "Held-out test scores")[1]


def test_a_failed_method_is_said_and_not_a_zero(run_copy, runs_folder):
    rows = pd.read_csv(run_copy / "scores.csv", dtype={"reason": "str"})
    gone = (rows["method"] == "gmm") & (rows["features"] == "autoencoder")
    rows.loc[gone, ["accuracy", "accuracy_matched", "nmi"]] = np.nan
    rows.loc[gone, ["status", "reason"]] = ["failed", "ill-defined covariance"]
    rows.to_csv(run_copy / "scores.csv", index=False)
    text = comparison_report(read_runs([runs_folder / "seed0", run_copy]))
    assert "B autoencoder → gmm failed: ill-defined covariance" in text
    lines = block(text, "Held-out test scores")
    (place,) = [i for i, line in enumerate(lines) if "autoencoder → gmm    A" in line]
    assert lines[place + 1].split()[:2] == ["B", "–"]


def test_rows_of_all_runs_in_one_file(runs_folder, tmp_path, capsys):
    path = tmp_path / "both.csv"
    folders = [str(runs_folder / name) for name in ("seed0", "seed1")]
    assert main(["compare", *folders, "--csv", str(path)]) == 0
    assert str(path) in capsys.readouterr().out
    rows = pd.read_csv(path)
    assert rows.columns[0] == "run"
    for folder in folders:
        own = rows[rows["run"] == folder].drop(columns="run").reset_index(drop=True)
        pd.testing.assert_frame_equal(own, pd.read_csv(Path(folder) / "scores.csv"))


def no_scores(folder):
    (folder / "scores.csv").unlink()


def half_scores(folder):
    (folder / "scores.csv").write_text("dataset,split\ndigits,test\n")


def empty_scores(folder):
    (folder / "scores.csv").write_text("")


def words_for_scores(folder):
    text = (folder / "scores.csv").read_text().splitlines()
    cells = text[1].split(",")
    cells[text[0].split(",").index("accuracy")] = "good"
    (folder / "scores.csv").write_text("\n".join([text[0], ",".join(cells)]))


def no_config(folder):
    (folder / "config.json").unlink()


def bad_config(folder):
    (folder / "config.json").write_text("[]")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [(no_scores, "no scores.csv"), (half_scores, "it lacks the column method"),
     (empty_scores, "cannot be read"), (words_for_scores, "accuracy that is no number"),
     (no_config, "no config.json"), (bad_config, "not the config")],
)  # fmt: skip
def test_a_spoilt_run_is_refused_in_a_sentence(
    spoil, words, run_copy, runs_folder, assert_one_sentence
):
    spoil(run_copy)
    with pytest.raises(InputError) as error:
        read_runs([runs_folder / "seed0", run_copy])
    assert_one_sentence(error, run_copy, words)


def test_what_is_no_run_is_refused_with_a_next_step(runs_folder, tmp_path, capsys):
    first = str(runs_folder / "seed0")
    (tmp_path / "x.partial").mkdir()
    for other, words in {
        "nowhere": "no folder",
        str(runs_folder / "seed1" / "config.json"): f"give {runs_folder / 'seed1'}",
        str(runs_folder): "it holds runs: k12, mine, seed0, seed1",
        str(tmp_path / "x.partial"): "--resume",
        first + "/": "named twice",
    }.items():
        assert main(["compare", first, other]) == 2
        said = capsys.readouterr().err.strip()
        assert words in said
        assert said.endswith(".")
        assert "\n" not in said
    assert main(["compare", first]) == 2
    assert "two or more" in capsys.readouterr().err


def test_an_existing_csv_is_never_replaced(runs_folder, tmp_path, capsys):
    folders = [str(runs_folder / name) for name in ("seed0", "seed1")]
    path = runs_folder / "seed0" / "scores.csv"
    before = path.read_bytes()
    assert main(["compare", *folders, "--csv", str(path)]) == 2
    assert path.read_bytes() == before
    assert main(["compare", *folders, "--csv", str(tmp_path / "none" / "x.csv")]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_compared_rows_keep_all_columns(runs_folder):
    runs = read_runs([runs_folder / "seed0", runs_folder / "mine"])
    assert len(compared_rows(runs)) == sum(len(one.rows) for one in runs)


def test_a_config_is_described_by_the_names_of_the_command_line():
    described = described_config(
        {"arguments": {"epochs": None, "seed": 3, "hidden_layer_sizes": [8, 4]},
         "settings": {"max_iter": 7, "random_state": 3, "n_clusters": 10},
         "data": {"name": "digits", "fingerprint": "ab" * 32}}
    )  # fmt: skip
    assert described["epochs"] == "7"
    assert described["hidden_layer_sizes"] == "8,4"
    assert "random_state" not in described


@pytest.mark.alone
def test_comparing_takes_a_second_and_no_torch(runs_folder):
    code = (
        "import sys; from ae_cluster.cli.main import main; "
        f"main(['compare', {str(runs_folder / 'seed0')!r}, {str(runs_folder / 'seed1')!r}]); "
        "print(*({'torch', 'sklearn', 'matplotlib'} & set(sys.modules)) or ['nothing'])"
    )
    best = 9.0
    for _ in range(3):
        start = time.perf_counter()
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                              check=True)  # fmt: skip
        best = min(best, time.perf_counter() - start)
    assert done.stdout.splitlines()[-1] == "nothing"
    assert best <= 1.5  # half a second on a quiet machine
