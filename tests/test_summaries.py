"""From rows to summaries and tables: by hand, against naive copies, and as laws."""

import csv
import io
import itertools
import math
import re
import statistics

import numpy as np
import pandas as pd
import pytest

from ae_cluster.anchors import ANCHORS, anchor_text
from ae_cluster.clustering import CLUSTERERS
from ae_cluster.datasets import known_datasets
from ae_cluster.errors import InputError
from ae_cluster.rows import tidy_row
from ae_cluster.summaries import (
    GROUP,
    comparable_rows,
    median_interval,
    paired_difference,
    summarize,
    to_csv,
    to_latex,
    to_markdown,
    write_tables,
)

PLACE = {
    "dataset": "mnist",
    "split": "test",
    "method": "kmeans",
    "features": "autoencoder",
    "n_components": 3,
    "n_clusters": 10,
    "n_train": 60_000,
    "epochs": 10,
    "seconds": 20.0,
    "peak_mb": 500.0,
    "uses_k": True,
    "uses_balance": False,
    "uses_augmentation": False,
    "tuned_on": "nothing",
    "status": "ok",
}


def rows_of(scores, **place):
    """Rows of seeds 0, 1, … with these accuracies; None is a seed that failed."""
    failed = {"status": "failed", "reason": "ValueError: singular"}
    return [
        tidy_row(**PLACE | place | {"seed": seed} | (failed if a is None else {"accuracy": a}))
        for seed, a in enumerate(scores)
    ]


def table_of(*groups):
    return pd.DataFrame(list(itertools.chain(*groups)))


def only(summary, **where):
    for column, value in where.items():
        summary = summary[summary[column] == value]
    assert len(summary) == 1
    return summary.iloc[0]


def random_rows(seed=0, n_seeds=10):
    """Rows of eight ways on two splits, about one in seven failed or not there."""
    rng = np.random.default_rng(seed)
    rows = []
    for dataset, method, features in itertools.product(
        ("digits", "mnist"), ("kmeans", "gmm"), ("pca", "autoencoder")
    ):
        for split in ("train", "test"):
            scores = np.where(rng.random(n_seeds) < 0.07, None, rng.random(n_seeds))
            place = {"dataset": dataset, "split": split, "method": method, "features": features}
            rows += [row for row in rows_of(scores, **place) if rng.random() > 0.07]
    return pd.DataFrame(rows)


# Seeds


def test_median_and_extremes_by_hand():
    line = only(summarize(table_of(rows_of([0.5, 0.1, 0.4, 0.2, 0.3])), n_seeds=5))
    assert (line["n"], line["median"], line["min"], line["max"]) == (5, 0.3, 0.1, 0.5)
    assert line["score"] == "accuracy"
    assert line["lost"] == ""


def test_a_failed_seed_is_counted_and_never_averaged_over():
    rows = table_of(rows_of([0.5, 0.1, None, 0.2, 0.3]))
    rows.loc[2, "accuracy"] = 0.0  # the mistake of others
    line = only(summarize(rows, n_seeds=5))
    assert (line["n"], line["n_missing"], line["n_failed"]) == (4, 0, 1)
    assert line["median"] == pytest.approx(0.25)
    assert line["min"] == 0.1
    assert line["lost"] == "seed 2 failed (ValueError: singular)"


def test_a_missing_seed_is_counted_and_named():
    rows = table_of(rows_of([0.5, 0.1, 0.4])).query("seed != 1")
    line = only(summarize(rows, n_seeds=4))
    assert (line["n"], line["n_missing"], line["n_failed"]) == (2, 2, 0)
    assert line["lost"] == "seed 1 is missing; seed 3 is missing"


def test_a_seed_without_a_score_has_failed():
    line = only(summarize(table_of(rows_of([0.5, math.nan])), n_seeds=2))
    assert (line["n"], line["n_failed"], line["lost"]) == (1, 1, "seed 1 failed (no score)")


@pytest.mark.parametrize("seed", range(3))
def test_every_expected_seed_is_accounted_for(seed):
    rows = random_rows(seed)
    summary = summarize(rows)
    assert (summary[["n", "n_missing", "n_failed"]].sum(axis=1) == 10).all()
    assert summary["n"].sum() == (rows["status"] == "ok").sum()
    assert summary["n_failed"].sum() == (rows["status"] != "ok").sum() > 0
    finished = summary[summary["n"] > 1]
    assert (finished["min"] <= finished["low"]).all()
    assert (finished["low"] <= finished["median"]).all()
    assert (finished["median"] <= finished["high"]).all()
    assert (finished["high"] <= finished["max"]).all()


def test_a_way_that_always_failed_keeps_its_line():
    line = only(summarize(table_of(rows_of([None, None])), n_seeds=2))
    assert (line["n"], line["n_failed"], line["best"]) == (0, 2, False)
    assert line[["median", "min", "max", "low", "high", "difference", "wilcoxon"]].isna().all()
    assert line["priors"] == "k"


def test_a_failure_that_knows_no_split_stands_on_each():
    early = tidy_row(**PLACE | {"split": "", "seed": 1, "status": "failed", "reason": "early"})
    rows = table_of(rows_of([0.5]), rows_of([0.6], split="train"), [early])
    summary = summarize(rows, n_seeds=2)
    assert list(summary["split"]) == ["test", "train"]
    assert list(summary["lost"]) == ["seed 1 failed (early)"] * 2
    assert only(summarize(table_of([early]), n_seeds=2))["split"] == "test"


def test_costs_and_priors_are_those_of_finished_seeds():
    rows = table_of(rows_of([0.5, 0.4, None, 0.3]))
    rows["seconds"], rows["peak_mb"] = [1.0, 3.0, 100.0, 5.0], [7.0, 9.0, 100.0, 8.0]
    rows["uses_balance"] = [math.nan, math.nan, True, math.nan]
    rows["uses_augmentation"] = [False, True, False, False]
    line = only(summarize(rows, n_seeds=4))
    assert (line["seconds"], line["peak_mb"]) == (3, 9)
    assert line["priors"] == "k, balance?, augmentation"
    rows[["uses_k", "uses_balance", "uses_augmentation"]] = False
    assert only(summarize(rows, n_seeds=4))["priors"] == "none"


def test_rows_read_from_a_file_give_the_same_summary():
    rows = random_rows()
    read = pd.read_csv(io.StringIO(rows.to_csv(index=False)))
    pd.testing.assert_frame_equal(summarize(read), summarize(rows))


def test_no_rows_no_lines():
    summary = summarize(table_of(rows_of([0.5])).iloc[:0])
    assert summary.empty
    assert len(to_markdown(summary).splitlines()) > 3


# Budgets


def budget_rows(scores):
    """Rows of label budgets, one list of draws per seed."""
    return [
        row | {"seed": seed, "draw": row["seed"]}
        for seed, draws in enumerate(scores)
        for row in rows_of(draws, budget=5, n_clusters=math.nan)
    ]


def test_draws_of_a_seed_count_once_and_the_worst_draw_is_seen():
    rows = table_of(budget_rows([[0.2, 0.4], [0.9, 0.5], [0.5, 0.5]]))
    line = only(summarize(rows, by=(*GROUP, "budget"), n_seeds=3))
    assert (line["n"], line["median"]) == (3, 0.5)  # of 0.3, 0.7 and 0.5
    assert (line["min"], line["max"]) == (0.2, 0.9)
    assert line["budget"] == 5


def test_a_seed_with_a_failed_draw_has_failed():
    rows = table_of(budget_rows([[0.2, None], [0.9, 0.5]]))
    line = only(summarize(rows, by=(*GROUP, "budget"), n_seeds=2))
    assert (line["n"], line["n_failed"], line["min"]) == (1, 1, 0.5)


def test_budgets_and_clusterings_are_never_mixed():
    rows = table_of(rows_of([0.5]), budget_rows([[0.9]]))
    assert only(summarize(rows, n_seeds=1))["median"] == 0.5
    assert only(summarize(rows, by=(*GROUP, "budget"), n_seeds=1))["median"] == 0.9


# The interval


def naive_interval(values, seed):
    """Resample, take each resample's median, and read the 2.5th and 97.5th percentile off."""
    values, n = sorted(values), len(values)
    draws = np.random.default_rng(seed).integers(n, size=(10_000, n)).tolist()
    medians = sorted(statistics.median(values[i] for i in draw) for draw in draws)

    def percentile(share):
        place = share * (len(medians) - 1)
        below, part = int(place), place % 1
        return medians[below] * (1 - part) + medians[below + 1] * part

    return percentile(0.025), percentile(0.975)


@pytest.mark.parametrize("n", [2, 5, 10])
def test_interval_against_a_naive_bootstrap(n):
    values = np.random.default_rng(n).random(n)
    assert median_interval(values, seed=n) == pytest.approx(naive_interval(values, n), abs=1e-12)


def test_interval_is_the_same_each_time_and_in_any_order():
    values = np.random.default_rng(3).random(10)
    assert median_interval(values) == median_interval(values[::-1]) == median_interval(values)
    assert median_interval(values) != median_interval(values, seed=1)


def test_interval_moves_and_scales_with_the_values():
    values = np.random.default_rng(4).random(9)
    low, high = median_interval(values)
    assert median_interval(10 * values - 3) == pytest.approx((10 * low - 3, 10 * high - 3))
    assert median_interval([0.5] * 10) == (0.5, 0.5)


def test_interval_holds_the_true_median_about_as_often_as_it_says():
    rng = np.random.default_rng(5)
    intervals = [median_interval(rng.normal(size=20)) for _ in range(300)]
    assert 0.90 < np.mean([low <= 0 <= high for low, high in intervals]) < 0.99


def test_one_value_has_no_interval():
    assert np.isnan(median_interval([0.5])).all()
    assert np.isnan(median_interval([])).all()


# Against the best


def naive_signed_rank(differences):
    """Count over all signs how often the rank sum is as extreme; midranks for ties."""
    d = [x for x in differences if x != 0]
    sizes = [abs(x) for x in d]
    ranks = [sum(s < x for s in sizes) + (sum(s == x for s in sizes) + 1) / 2 for x in sizes]
    observed = abs(sum(rank * np.sign(x) for rank, x in zip(ranks, d, strict=True)))
    sums = [abs(np.dot(ranks, signs)) for signs in itertools.product((-1, 1), repeat=len(d))]
    return np.mean(np.array(sums) >= observed - 1e-9)


@pytest.mark.parametrize(
    "differences",
    [
        [0.1, 0.2],
        [0.1, -0.2, 0.3, 0.4, 0.5],
        [-0.01, -0.02, -0.03, -0.04, -0.05, -0.06, -0.07, -0.08, -0.09, -0.1],
        [0.1, 0.1, -0.1, 0.2, 0.2, 0.3],
        [0.0, 0.1, 0.0, -0.2, 0.3],
    ],
)
def test_paired_test_against_counting_all_signs(differences):
    reference = pd.Series(np.linspace(0.3, 0.6, len(differences)))
    n, median, p = paired_difference(reference + differences, reference)
    assert n == len(differences)
    assert median == pytest.approx(np.median(differences))
    assert p == pytest.approx(naive_signed_rank(differences))


def test_ways_that_never_differ_are_not_told_apart():
    scores = pd.Series([0.1, 0.2, 0.3])
    assert paired_difference(scores, scores) == (3, 0, 1)


def test_only_shared_seeds_are_compared():
    ours = pd.Series([0.5, 0.6, 0.9], index=[0, 1, 2])
    theirs = pd.Series([0.4, 0.1, 0.7], index=[1, 3, 0])
    n, median, _ = paired_difference(ours, theirs)
    assert (n, median) == (2, pytest.approx(0.0))  # −0.2 and +0.2
    n, median, p = paired_difference(ours, theirs.loc[[1]])
    assert (n, median) == (1, pytest.approx(0.2))
    assert math.isnan(p)
    n, median, p = paired_difference(ours, theirs.loc[[3]])
    assert n == 0
    assert np.isnan([median, p]).all()


def test_differences_are_to_the_best_of_the_same_data_on_the_same_seeds():
    summary = summarize(
        table_of(
            rows_of([0.5, 0.6, 0.7]),
            rows_of([0.9, 0.8, 0.7], method="gmm"),
            rows_of([0.99] * 3, dataset="digits"),
            rows_of([0.99] * 3, split="train"),
            rows_of([0.99] * 3, n_clusters=20),
        ),
        n_seeds=3,
    )
    best = only(summary, dataset="mnist", split="test", method="gmm")
    assert (best["best"], best["n_pairs"], best["difference"]) == (True, 3, 0)
    assert math.isnan(best["wilcoxon"])
    other = only(summary, dataset="mnist", split="test", n_clusters=10, method="kmeans")
    assert (other["best"], other["n_pairs"]) == (False, 3)
    assert other["difference"] == pytest.approx(-0.2)  # of −0.4, −0.2 and 0
    assert other["wilcoxon"] == pytest.approx(0.5)
    assert summary["best"].sum() == 4


def test_one_lucky_seed_is_not_the_best():
    rows = table_of(rows_of([0.5, 0.6, 0.7]), rows_of([0.9], method="gmm"))
    summary = summarize(rows, n_seeds=3)
    assert only(summary, best=True)["method"] == "kmeans"
    assert only(summary, method="gmm")["difference"] == pytest.approx(0.4)


def test_the_smallest_error_is_the_best():
    rows = table_of(rows_of([0.5, 0.6]), rows_of([0.5, 0.6], method="gmm"))
    rows["mse"] = [0.3, 0.2, 0.1, 0.2]
    assert only(summarize(rows, "mse", n_seeds=2), best=True)["method"] == "gmm"


# Unlike things


def test_rows_that_differ_in_more_than_their_seed_are_refused(assert_one_sentence):
    rows = table_of(rows_of([0.5, 0.6]), rows_of([0.7, 0.8], epochs=20))
    with pytest.raises(InputError) as error:
        summarize(rows)
    assert_one_sentence(error, "Seed 0 of kmeans on autoencoder", "add epochs to by")
    summary = summarize(rows, by=(*GROUP, "epochs"), n_seeds=2)
    assert list(summary["epochs"]) == [10, 20]


def test_the_same_row_twice_is_refused(assert_one_sentence):
    rows = table_of(rows_of([0.5]), rows_of([0.5]))
    with pytest.raises(InputError) as error:
        summarize(rows)
    assert_one_sentence(error, "several rows", "give each once")


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ({"score": "acuracy"}, ["acuracy", "did you mean accuracy"]),
        ({"score": "method"}, ["method is a text"]),
        ({"by": ("split", "method")}, ["by lacks dataset"]),
        ({"by": ("dataset", "split", "colour")}, ["no column colour"]),
        ({"n_seeds": 2}, ["seed 2", "0 to 1", "n_seeds"]),
    ],
)
def test_what_cannot_be_summarised_is_said_in_a_sentence(arguments, parts, assert_one_sentence):
    with pytest.raises(InputError) as error:
        summarize(table_of(rows_of([0.5, 0.6, 0.7])), **arguments)
    assert_one_sentence(error, *parts)


def test_rows_without_a_column_are_refused(assert_one_sentence):
    with pytest.raises(InputError) as error:
        comparable_rows(table_of(rows_of([0.5])).drop(columns="status"))
    assert_one_sentence(error, "lack the column status")


# Numbers by others


def test_an_anchor_stands_beside_the_same_way_only():
    def anchor(**place):
        return only(summarize(table_of(rows_of([0.5, 0.6], **place)), n_seeds=2))["anchor"]

    assert anchor() == "ACC 0.465 (measured, test)"
    assert anchor(method="gmm") == "ACC 0.475 (measured, test)"
    for other in (
        {"split": "train"},
        {"epochs": 20},
        {"n_clusters": 20},
        {"n_train": 1000},
        {"n_components": 10},
        {"features": "pca"},
        {"dataset": "digits"},
    ):
        assert anchor(**other) == "", other


def test_an_anchor_on_all_samples_stands_beside_both_splits():
    pixels = {"features": "pixels", "n_components": 784, "epochs": 0}
    rows = table_of(rows_of([0.5], **pixels), rows_of([0.5], split="train", **pixels))
    summary = summarize(rows, n_seeds=1)
    assert set(summary["anchor"]) == {"ACC 0.53–0.55 (published, all)"}
    assert set(summary["anchor_source"]) == {"several papers"}
    rows["nmi"] = rows["ari"] = 0.4
    assert set(summarize(rows, "nmi", n_seeds=1)["anchor"]) == {"NMI 0.50 (published, all)"}
    assert set(summarize(rows, "ari", n_seeds=1)["anchor"]) == {""}


def test_anchors_name_what_exists_and_where_they_come_from():
    for (dataset, method, _, n_components), anchor in ANCHORS.items():
        assert dataset in known_datasets()
        assert method in CLUSTERERS
        assert n_components > 0
        assert anchor.kind in {"measured", "published", "memory"}
        assert anchor.scored in {"train", "test", "all"}
        assert anchor.source
        assert set(anchor.conditions) <= set(tidy_row())
        assert anchor.conditions["n_clusters"]
        assert all(0 < low <= high < 1 for low, high in anchor.scores.values())
        assert anchor_text(anchor, "accuracy") == anchor_text(anchor, "accuracy_matched") != ""


# Tables


@pytest.mark.parametrize("write", [to_markdown, to_csv, to_latex])
def test_the_same_rows_in_any_order_give_the_same_bytes(write):
    rows = random_rows()
    shuffled = rows.sample(frac=1, random_state=1)
    assert write(summarize(shuffled)) == write(summarize(rows))


def test_comparable_rows_have_one_order():
    rows = pd.concat([random_rows(), random_rows().assign(budget=1.0)])
    shuffled = rows.sample(frac=1, random_state=1)
    for by in (GROUP, (*GROUP, "budget")):
        pd.testing.assert_frame_equal(
            comparable_rows(shuffled, by=by), comparable_rows(rows, by=by)
        )


def cells_of(markdown):
    """The cells of the table, escapes undone, by a naive reader."""
    lines = [line for line in markdown.splitlines() if line.startswith("|")]
    split = [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines]
    return [[re.sub(r"\\(.)", r"\1", cell.strip()) for cell in line] for line in split]


def test_markdown_says_what_is_missing():
    rows = table_of(rows_of([0.5, None, 0.7, 0.6]), rows_of([0.9] * 10, method="gmm"))
    text = to_markdown(summarize(rows))
    header, _, gmm, kmeans = cells_of(text)
    lines = [dict(zip(header, line, strict=True)) for line in (gmm, kmeans)]
    assert [line["n"] for line in lines] == ["10", "3/10"]
    assert [line["median accuracy"] for line in lines] == ["0.900", "0.600"]
    assert [line["to the best"] for line in lines] == ["best", "−0.300"]
    assert lines[1]["min–max"] == "0.500–0.700"
    assert lines[1]["k"] == "10"
    assert lines[1]["p"] == "0.250"
    assert "seed 1 failed (ValueError: singular); seed 4 is missing" in text
    assert "Wilcoxon" in text
    assert "bootstrap" in text
    assert "tutorial's own loop" in text


@pytest.mark.parametrize("name", ["a|b", "two\nlines", "*bold*_", "<b>", "`code`", "a\\b", "数字"])
def test_markdown_cells_survive_any_name(name):
    header, rule, line = cells_of(to_markdown(summarize(table_of(rows_of([0.5], dataset=name)))))
    assert len(header) == len(rule) == len(line)
    assert line[0] == " ".join(name.split())


def test_csv_holds_every_number_to_six_digits():
    summary = summarize(random_rows())
    text = to_csv(summary)
    assert "\r" not in text
    read = pd.read_csv(io.StringIO(text), keep_default_na=True)
    assert list(read) == list(summary)
    for column in ("median", "low", "high", "difference", "wilcoxon", "n_missing"):
        np.testing.assert_allclose(read[column], summary[column].astype(float), rtol=1e-5)
    assert len(list(csv.reader(io.StringIO(text)))) == 1 + len(summary)


LATEX_ESCAPES = r"\\(?:[&%$#_{}]|text(?:backslash|asciitilde|asciicircum|less|greater|bar)\{\})"


def test_latex_escapes_names():
    name = r"50%_of $a$ & b#1 {x} ~y^2 \z <|>"
    text = to_latex(summarize(table_of(rows_of([0.5, None, 0.7], dataset=name))))
    table = [line for line in text.splitlines() if not line.startswith("%")]
    assert table[0].startswith(r"\begin{tabular}{llllrrrr")
    assert [table[1], table[3], table[-2]] == [r"\toprule", r"\midrule", r"\bottomrule"]
    assert table[-1] == r"\end{tabular}"
    columns = len(re.search(r"\{([lr]+)\}$", table[0]).group(1))
    for line in (table[2], table[4]):
        assert line.endswith(r" \\")
        bare = re.sub(LATEX_ESCAPES, "", line.removesuffix(r" \\")).replace("$-$", "")
        assert bare.count("&") == columns - 1
        assert not set(bare) & set("%$#_{}~^\\–−<>|")


def test_small_and_negative_scores_can_be_read():
    rows = table_of(rows_of([0.5, 0.5]), rows_of([0.5, 0.5], method="gmm"))
    rows["mse"] = [0.0311, 0.0322, 0.0345, 0.0345]
    rows["ari"] = [-0.1, 0.2, -0.3, -0.3]
    _, _, gmm, kmeans = cells_of(to_markdown(summarize(rows, "mse", n_seeds=2)))
    assert {"0.0345", "0.0345–0.0345", "+0.0029"} <= set(gmm)
    assert "0.0311–0.0322" in kmeans
    _, _, gmm, kmeans = cells_of(to_markdown(summarize(rows, "ari", n_seeds=2)))
    assert "−0.300 to −0.300" in gmm
    assert "−0.100 to 0.200" in kmeans


def test_summaries_of_several_scores_make_one_table():
    rows = table_of(rows_of([0.5, 0.7]))
    rows["nmi"] = [0.1, 0.2]
    both = pd.concat([summarize(rows, score, n_seeds=2) for score in ("accuracy", "nmi")])
    header, _, *lines = cells_of(to_markdown(both.reset_index(drop=True)))
    assert [line[header.index("score")] for line in lines] == ["accuracy", "nmi"]
    assert [line[header.index("median")] for line in lines] == ["0.600", "0.150"]


def test_tables_become_three_files(tmp_path):
    summary = summarize(random_rows())
    written = write_tables(summary, tmp_path / "new" / "folder", "methods")
    assert [path.name for path in written] == ["methods.md", "methods.csv", "methods.tex"]
    assert sorted(path.name for path in written) == sorted(
        path.name for path in (tmp_path / "new" / "folder").iterdir()
    )
    for path, write in zip(written, (to_markdown, to_csv, to_latex), strict=True):
        assert path.read_bytes() == write(summary).encode()
    assert write_tables(summary, tmp_path / "new" / "folder", "methods") == written


def test_a_folder_that_cannot_be_made_is_said_in_a_sentence(tmp_path, assert_one_sentence):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError) as error:
        write_tables(summarize(random_rows()), tmp_path / "file", "methods")
    assert_one_sentence(error, tmp_path / "file")
