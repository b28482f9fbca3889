"""Rows of many seeds to one line per way: by hand, and what is refused."""

import io
import math

import pandas as pd
import pytest
from made_rows import PLACE, only, random_rows, rows_of, table_of

from ae_cluster.common.errors import InputError
from ae_cluster.records.rows import tidy_row
from ae_cluster.reports import GROUP, comparable_rows, summarize, to_markdown

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
    line = only(summarize(rows, n_seeds=8))
    assert line["lost"] == "seed 1 is missing; seeds 3 to 7 are missing"


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
