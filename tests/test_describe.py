"""What clusters of a run are like: numbers countable by hand, on every kind of run."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from picture_folders import save
from small_runs import make_small_run

from ae_cluster import InputError, load_run
from ae_cluster.cli.main import main
from ae_cluster.clustering.descriptions.clusters import describe_clusters
from ae_cluster.clustering.descriptions.columns import (
    distinguishing_columns,
    image_facts,
    moments,
)
from ae_cluster.clustering.descriptions.duplicates import near_duplicates
from ae_cluster.clustering.descriptions.label_errors import likely_label_errors
from ae_cluster.common.spreadsheets import original_cell
from ae_cluster.records.config import RunConfig
from ae_cluster.records.reading import read_codes
from ae_cluster.runs.describe import describe_run
from ae_cluster.runs.run import run

EVIL = "=cmd|' /c'!A1 | <b>"


# Clusters, by hand


def test_typical_borderline_and_nearest_are_those_of_a_line_of_codes():
    codes = np.array([[0.0], [1.0], [2.0], [10.0], [11.0], [14.0], [30.0], [32.0], [99.0]])
    clusters = np.array([0, 0, 0, 1, 1, 1, 2, 2, -1])
    labels = np.array([5, 5, 7, 7, 7, -1, -1, -1, 5])
    noise, a, b, c = describe_clusters(codes, clusters, labels=labels, n_shown=2)
    assert (noise.cluster, noise.size, noise.classes) == (-1, 1, [(5, 1)])
    assert noise.typical.size == noise.borderline.size == len(noise.nearest) == 0
    assert a.typical.tolist() == [1, 0]
    assert a.borderline[0] == 2  # 1 from its own center, and the nearest to the other
    assert b.borderline[0] == 3  # 5/3 of 9; sample 5 is 7/3 of 13
    assert b.outliers[0] == 5
    assert b.nearest == [(0, pytest.approx(32 / 3)), (2, pytest.approx(31 - 35 / 3))]
    assert (a.classes, a.purity) == ([(5, 2), (7, 1)], pytest.approx(2 / 3))
    assert c.classes == []
    assert np.isnan(c.purity)


def test_a_methods_own_certainty_and_the_score_of_outliers_go_first():
    codes = np.array([[0.0], [1.0], [2.0], [9.0], [9.5]])
    clusters = np.array([0, 0, 0, 1, 1])
    sure = np.array([0.4, 0.9, 0.8, 0.9, 0.9])
    shares = np.array([0.5, 0.1, 0.7, 0.2, 0.1])
    first = describe_clusters(codes, clusters, sure=sure, shares=shares)[0]
    assert first.borderline.tolist() == [0, 2, 1]
    assert first.outliers.tolist() == [1, 0, 2]


def test_differences_of_columns_are_hedges_g_as_by_the_books():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(50, 4)) + 1000
    groups = np.repeat([0, 1, 2], [20, 15, 15])
    rows[:20, 2] += 3
    rows[:, 3] = 7  # constant: it tells nothing
    found = distinguishing_columns(moments(rows, groups))[0]
    assert found[0].column == 2
    assert 3 not in [d.column for d in found]
    a, b = rows[:20, 2], rows[20:, 2]
    pooled = np.sqrt((19 * a.var(ddof=1) + 29 * b.var(ddof=1)) / 48)
    g = (a.mean() - b.mean()) / pooled * (1 - 3 / (4 * 48 - 1))
    error = np.sqrt(50 / (20 * 30) + g**2 / 100)
    assert found[0].difference == pytest.approx(g)
    assert (found[0].low, found[0].high) == pytest.approx(
        (g - 1.96 * error, g + 1.96 * error), 1e-4
    )
    assert (found[0].mean, found[0].rest) == pytest.approx((a.mean(), b.mean()))


def test_the_interval_covers_the_true_difference_about_as_often_as_it_says():
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(60, 400))
    groups = np.repeat([0, 1], 30)
    rows[:30] += 0.8
    found = distinguishing_columns(moments(rows, groups), most=400)[0]
    assert 0.91 < np.mean([d.low < 0.8 < d.high for d in found]) < 0.98


def test_a_column_without_spread_differs_infinitely_and_lone_samples_not_at_all():
    rows = np.array([[1.0, 0.1], [1.0, 0.3], [2.0, 0.2], [2.0, 0.2], [2.0, 0.3]])
    found = distinguishing_columns(moments(rows, np.array([0, 0, 1, 1, 1])))
    assert (found[0][0].column, found[0][0].difference) == (0, -np.inf)
    assert 0 not in distinguishing_columns(moments(rows, np.array([0, 1, 1, 1, 1])))


@pytest.mark.parametrize("n", [30, 211, 1000])
def test_a_constant_column_is_one_whatever_rounding_leaves_of_its_variance(n):
    groups = (np.random.default_rng(0).random(n) < 0.37).astype(int)
    rows = np.column_stack([groups * 0.1 + 0.7, 1e6 + 0.3 * groups])
    found = distinguishing_columns(moments(rows, groups))[1]
    assert [column.difference for column in found] == [np.inf, np.inf]


def test_images_that_are_all_one_vary_by_nothing():
    rows = np.array([[0.0, 1.0], [0.0, 1.0], [0.0, 0.0], [1.0, 1.0]])
    facts = image_facts(moments(rows, np.array([0, 0, 1, 1])))
    assert facts[0] == (0.5, 0.0)
    assert facts[1] == (0.5, pytest.approx(0.25 / np.mean([3 / 16, 3 / 16])))


# Doubtful labels and duplicates


def test_labels_that_were_changed_are_found_and_few_others():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], 100)
    codes = rng.normal(size=(300, 3)) + 5 * np.eye(3)[labels]
    given = labels.copy()
    changed = rng.choice(300, 15, replace=False)
    given[changed] = (labels[changed] + 1) % 3
    given[[7, 8]] = -1
    found = likely_label_errors(codes, given)
    is_wrong = np.isin(found.rows, changed)
    assert is_wrong.sum() >= 9
    assert is_wrong.mean() > 0.9
    assert (found.suggested[is_wrong] == labels[found.rows[is_wrong]]).all()
    assert (np.diff(found.own - found.other) >= 0).all()


def test_codes_that_know_nothing_accuse_few():
    rng = np.random.default_rng(0)
    found = likely_label_errors(rng.normal(size=(400, 3)), rng.integers(0, 4, 400))
    assert len(found.rows) < 40


@pytest.mark.parametrize("labels", [[-1, -1, -1], [0, -1, -1], [0, 0, 0]])
def test_without_two_labels_nothing_is_accused(labels):
    assert not len(likely_label_errors(np.eye(3), np.array(labels)).rows)


@pytest.mark.parametrize("is_table", [True, False])
def test_equal_samples_come_first_then_close_ones(is_table):
    rng = np.random.default_rng(0)
    rows = rng.random((300, 60)).astype(np.float32)
    rows[40] = rows[12]
    rows[41] = rows[12]
    rows[99] = rows[98] + 0.001
    rows[3, 0], rows[40, 1], rows[12, 1], rows[41, 1] = 0.5, 0.0, -0.0, 0.0
    found = near_duplicates(rows, is_table=is_table)
    pairs = list(zip(found.first.tolist(), found.second.tolist(), strict=True))
    assert pairs[:3] == [(12, 40), (12, 41), (98, 99)]
    assert found.n_exact == 2
    assert found.distance[:2].tolist() == [0, 0]
    assert found.distance[2] < 0.1 * found.usual
    assert len(pairs) <= 2 + 3  # one in a hundred


def test_columns_of_large_numbers_do_not_hide_the_others():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(200, 3)) * [1e6, 1, 1]
    rows[7] = rows[8] + [1e3, 0, 0]  # far in its units, near in standard deviations
    found = near_duplicates(rows, is_table=True)
    assert (found.first[0], found.second[0]) == (7, 8)


# Runs


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("described")
    make_small_run(folder, methods=("kmeans", "sklearn.cluster:HDBSCAN"))
    return folder


def table_run(folder, **more):
    rng = np.random.default_rng(0)
    y = np.arange(60) % 3
    frame = pd.DataFrame(rng.normal(size=(60, 3)), columns=["a", EVIL, "c"])
    frame[EVIL] += 9 * y
    frame["sample"] = [f"=s{i}" for i in range(60)]
    if more.pop("labels", True):
        frame["kind"] = np.array(["=x", "y|<i>", "z"])[y]
        more["label_column"] = "kind"
    frame.to_csv(folder / "t.csv", index=False)
    config = RunConfig(
        str(folder / "t.csv"), n_clusters=3, features="given", id_column="sample",
        methods=("kmeans",), draws=1, budgets=(1,), **more,
    )  # fmt: skip
    run(config, folder / "T", figures=False)
    return folder / "T"


def test_a_run_of_images_is_described_whole(place, capsys):
    assert main(["describe", str(place / "RUN"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    arrays = read_codes(place / "RUN", "kmeans")
    clusters = np.r_[arrays["clusters_train"], arrays["clusters_test"]]
    labels = np.r_[arrays["labels_train"], arrays["labels_test"]]
    ids = np.r_[arrays["ids_train"], arrays["ids_test"]]
    assert told["n_samples"] == sum(row["n"] for row in told["clusters"]) == 30
    for row in told["clusters"]:
        inside = clusters == row["cluster"]
        assert row["n"] == inside.sum()
        assert row["purity"] == pytest.approx(np.bincount(labels[inside]).max() / inside.sum())
        assert set(row["typical"]) | set(row["outliers"]) <= set(ids[inside])
        assert 0 < row["brightness"] < 1
    assert told["columns"] == []


def test_noise_is_a_row_of_its_own(place):
    path = place / "N"
    shutil.copytree(place / "RUN", path)
    codes = path / "methods" / "kmeans" / "codes.npz"
    with np.load(codes) as arrays:
        kept = dict(arrays)
    kept["clusters_train"][:4] = -1
    np.savez(codes, **kept)
    frame = load_run(path).describe()
    assert frame.loc[-1, "n"] == 4
    assert frame.loc[-1, "name"] == "noise"
    assert frame.loc[-1, "typical"] == frame.loc[-1, "nearest"] == ()
    assert load_run(path).describe("HDBSCAN")["n"].sum() == 30


def test_a_table_says_which_column_tells_and_no_cell_is_a_formula(tmp_path, capsys):
    folder = table_run(tmp_path)
    found = describe_run(folder)
    first = found.columns.groupby("cluster").first()
    assert set(first["column"]) >= {EVIL}
    assert (found.columns.groupby("cluster").size() <= 5).all()
    out = tmp_path / "d.csv"
    assert main(["describe", str(folder), "--out", str(out)]) == 0
    back = pd.read_csv(out)
    assert back["n"].sum() == 60
    assert not [cell for cell in back.to_numpy().ravel() if str(cell).startswith("=")]
    assert original_cell(back["typical"][0]) == "; ".join(found.clusters["typical"][0])
    assert main(["describe", str(folder), "--out", str(tmp_path / "d.md")]) == 0
    text = (tmp_path / "d.md").read_text()
    assert "<b>" not in text.replace("\\<b>", "")
    assert "Hedges" in text
    columns = tmp_path / "c.csv"
    assert main(["describe", str(folder), "--out", str(columns), "--table", "columns"]) == 0
    assert len(pd.read_csv(columns)) == len(found.columns)
    capsys.readouterr()


def test_without_labels_there_is_no_purity_and_no_label_error(tmp_path):
    found = describe_run(table_run(tmp_path, labels=False))
    assert {"purity", "classes"}.isdisjoint(found.clusters)
    assert found.label_errors.empty
    assert len(found.clusters) == 3


def test_a_folder_of_pictures_is_told_by_file_names(tmp_path):
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 255, (24, 6, 6, 3), dtype=np.uint8)
    pictures[5] = pictures[17]
    for i, pixels in enumerate(pictures):
        save(tmp_path / "photos" / f"{i:02}.png", pixels)
    config = RunConfig(
        str(tmp_path / "photos"), epochs=1, n_clusters=2, hidden_layer_sizes=(4,), n_components=2,
        image_size=(6, 6), methods=("kmeans",), draws=1, budgets=(1,),
    )  # fmt: skip
    run(config, tmp_path / "P", figures=False)
    found = describe_run(tmp_path / "P")
    assert found.duplicates["distance"][0] == 0
    assert {name.rpartition(".")[2] for name in found.clusters["typical"][0]} == {"png"}


def test_data_that_are_gone_are_said_and_the_rest_is_told(place, tmp_path, capsys):
    folder = tmp_path / "G"
    shutil.copytree(place / "RUN", folder)
    config = json.loads((folder / "config.json").read_text())
    config["arguments"]["dataset"] = str(tmp_path / "gone.npz")
    (folder / "config.json").write_text(json.dumps(config))
    assert main(["describe", str(folder)]) == 0
    out, err = capsys.readouterr()
    assert "--data-home" in err
    assert "Cluster 0" in out
    assert "brightness" not in out


def test_names_of_a_user_are_shown_and_wrong_ones_refused(place, tmp_path, assert_one_sentence):
    path = tmp_path / "names.csv"
    path.write_text("cluster,name\n0,round\n2,'=odd\n")
    names = describe_run(place / "RUN", names=path).clusters["name"].tolist()
    assert names == ["round", "", "=odd"]
    for text, told in (("cluster,name\n9,x\n", "no cluster"), ("a,b\n1,2\n", "first line"),
                       ("", "first line")):  # fmt: skip
        path.write_text(text)
        with pytest.raises(InputError) as error:
            describe_run(place / "RUN", names=path)
        assert_one_sentence(error, told)


def test_only_a_description_is_replaced(place, tmp_path, capsys):
    out = tmp_path / "d.md"
    words = ["describe", str(place / "RUN"), "--out", str(out)]
    assert main(words) == 0
    assert main(words) == 2
    assert main([*words, "--force"]) == 0
    out.write_text("mine")
    assert main([*words, "--force"]) == 2
    assert out.read_text() == "mine"
    assert main(["describe", str(place / "RUN"), "--out", str(tmp_path / "d.txt")]) == 2
    assert main(["describe", str(place / "RUN"), "--method", "gmm"]) == 2
    capsys.readouterr()


def test_lists_are_bounded_and_say_so(place, capsys):
    folder = place / "D"
    shutil.copytree(place / "RUN", folder)
    path = folder / "methods" / "kmeans" / "codes.npz"
    with np.load(path) as arrays:
        kept = dict(arrays)
    for split in ("train", "test"):
        kept[f"codes_{split}"] = np.eye(3, 2, dtype=np.float32)[kept[f"labels_{split}"]]
    kept["labels_train"][:3] = (kept["labels_train"][:3] + 1) % 3
    np.savez(path, **kept)
    assert main(["describe", str(folder), "--n-listed", "1"]) == 0
    assert "Likely label errors: 1 of 3\n" in capsys.readouterr().out
