"""The experiment on numbers of clusters: its rows, its order, its table by hand."""

import pandas as pd
import pytest

from ae_cluster.clustering.number_of_clusters import evidence
from ae_cluster.records.rows import tidy_row
from experiments import number_of_clusters
from experiments.support.benchmark_sets import HALVES
from experiments.support.numbers_of_clusters import (
    ALONE,
    BLOBS,
    MOST_SAMPLES,
    SETS,
    TOGETHER,
    firsts_of,
    half_lines,
    half_of,
    hits,
    in_order,
    numbers_tables,
    side_by_side,
)


def rows_of(*numbers, method=TOGETHER):
    names = ["dataset", "method", "seed", "n_classes", "first", "second", "third"]
    return pd.DataFrame([("iris", method, seed, *found) for seed, found in enumerate(numbers)],
                        columns=names)  # fmt: skip


def test_all_evidence_of_the_package_stands_alone_too():
    assert set(ALONE) == set(evidence.EVIDENCE)


def test_whole_mnist_is_left_out_and_blobs_are_in_no_half():
    assert "mnist" not in SETS
    assert max(one.shape[0] for one in SETS.values()) <= MOST_SAMPLES
    assert {half_of(name) for name in SETS} == {*HALVES, BLOBS}


def test_the_gap_statistic_is_taken_by_its_own_rule():
    scores = {2: 0.3, 3: 0.5, 4: 0.4, 5: 0.45, 6: 0.6}
    found = firsts_of(dict.fromkeys(ALONE, scores))
    assert found["gap"] == [3, 6, 5]  # at least the next, then the best of the others
    assert found["bic"] == [6, 3, 5]


def test_hits_are_counted_by_hand():
    rows = rows_of((3, 3, 5, 9), (3, 4, 3, 9), (3, 8, 9, 4), (3, 2, None, None), (3, 9, 8, 7))
    found = hits(rows).sum().to_dict()
    assert found == {"first": 1, "first ± 1": 3, "first three": 2, "first three ± 1": 4}


def test_the_first_three_numbers_stand_side_by_side():
    known = {"dataset": "iris", "seed": 0, "n_train": 150, "seconds": 1.0}
    rows = [tidy_row(method="bic", n_clusters=k, draw=i, status="ok", **known)
            for i, k in enumerate((2, 3))]  # fmt: skip
    rows += [tidy_row(method="evoc", status="failed", **known)]
    found = side_by_side(pd.DataFrame(rows)).set_index("method")
    assert found.loc["bic", ["first", "second", "n_classes"]].tolist() == [2, 3, 3]
    assert found["third"].isna().all()
    assert found.loc["evoc", "status"] == "failed"


def test_new_rows_come_before_old_ones_and_stand_in_order(tmp_path):
    rows_of((3, 2, 4, 6), method="bic").to_csv(tmp_path / "k.csv", index=False)
    new = pd.concat([rows_of((3, 5, 4, 6), method="bic"), rows_of((3, 3, 4, 6))])
    found = in_order(new, tmp_path / "k.csv")
    assert found["method"].tolist() == [TOGETHER, "bic"]
    assert found["first"].tolist() == [3, 5]


def test_a_half_is_told_with_its_shares():
    lines = half_lines(rows_of((3, 3, 5, 9), (3, 9, 8, 7)))
    assert any(line.startswith("| together | 2 | 50 % | 50 % | 50 % | 50 % |") for line in lines)
    assert any(line.startswith("| iris | 3 | 3, 5, 9 |") for line in lines)


@pytest.mark.slow
def test_the_grid_of_two_sets_writes_rows_and_their_tables(tmp_path):
    words = ["--smoke", "--out", str(tmp_path), "--store", str(tmp_path / "store")]
    assert number_of_clusters.main(words) == 0
    rows = pd.read_csv(tmp_path / "benchmark_k.csv")
    assert set(rows["method"]) == {TOGETHER, *ALONE}
    of_blobs = rows[(rows["dataset"] == "blobs-3") & (rows["method"] == TOGETHER)]
    assert of_blobs["first"].tolist() == [3]
    assert [path.name for path in numbers_tables(tmp_path)] == [
        "benchmark-k-tuning.md",
        "benchmark-k-blobs.md",
    ]
