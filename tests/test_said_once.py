"""What many files need is written in one of them."""

import re
from pathlib import Path

import numpy as np
import pytest

from ae_cluster.common.chunks import slices
from ae_cluster.common.numbers import number
from ae_cluster.common.write_lock import PAGE
from ae_cluster.metrics.clustering import matched_columns
from ae_cluster.reports.writing import markdown_table

ROOT = Path(__file__).parents[1]
SOURCES = [*ROOT.glob("ae_cluster/**/*.py"), *ROOT.glob("experiments/**/*.py")]
ONLY_IN = {
    r"""['"] \| ['"]\.join|\| ?---""": {"reports/writing.py"},
    r"linear_sum_assignment\(": {"metrics/clustering.py"},
    r"range\(0, (len\(|.*shape\[)|torch\.split\(\w+, |array_split": {
        "experiments/gallery/03_choose_k.py"  # two halves, to show
    },
    r"""(NOTHING|else|or|get\(.*,) ?=? ?['"]–['"]""": {"common/numbers.py"},
    rf"""['"]{re.escape(PAGE)}['"]""": {"common/write_lock.py"},
}


@pytest.mark.parametrize("pattern", ONLY_IN)
def test_no_second_file_writes_it_again(pattern):
    found = {
        path.relative_to(ROOT).as_posix().removeprefix("ae_cluster/")
        for path in SOURCES
        if re.search(pattern, path.read_text(encoding="utf-8"))
    }
    assert found == ONLY_IN[pattern]


@pytest.mark.parametrize(("n", "size"), [(0, 3), (1, 3), (6, 3), (7, 3), (5000, 4096)])
def test_slices_cover_everything_once_and_in_order(n, size):
    parts = [np.arange(n)[part] for part in slices(n, size)]
    assert np.array_equal(np.concatenate([[], *parts]), np.arange(n))
    assert all(0 < len(part) <= size for part in parts)


def test_numbers_read_alike_everywhere():
    assert number(0.98765) == "0.988"
    assert number(-0.00001) == "0.000"  # and not −0.000
    assert number(float("nan"), 1) == "–"
    assert number(1, leading_zero=False) == "1.000"
    assert number(0.5, leading_zero=False) == ".500"


def test_a_markdown_table_has_a_cell_for_every_head():
    assert markdown_table(["a", "b"], [["1", "2"]]) == ["| a | b |", "| --- | --- |", "| 1 | 2 |"]
    assert markdown_table(["a"], [], ["--:"]) == ["| a |", "| --: |"]


def test_rows_are_matched_with_columns_for_the_largest_sum():
    assert matched_columns(np.array([[5, 4], [4, 0], [1, 1]])).tolist() == [1, 0, -1]
    assert matched_columns(np.array([[0.0, -1.0, 3.0]])).tolist() == [2]
