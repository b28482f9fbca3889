"""The benchmark's data sets are what their table says, and its halves follow the written rule."""

import hashlib

import numpy as np
import pytest

from ae_cluster.common.errors import InputError
from experiments.support.benchmark_sets import (
    KINDS,
    REPORTING,
    SEEN,
    SETS,
    TUNING,
    find_set,
)
from experiments.support.bundled_files import package_file


@pytest.mark.parametrize("name", [one.name for one in SETS])
def test_set_has_the_samples_columns_and_classes_that_the_table_says(name):
    stated = find_set(name)
    try:
        x, y = stated.load()
    except InputError as error:
        assert not stated.what.startswith("made"), "what is made here is always there"
        pytest.skip(str(error))
    assert (len(x), x[0].size, len(np.unique(y))) == stated.shape
    assert (np.bincount(y).min(), np.bincount(y).max()) == stated.sizes
    assert y.dtype == np.int64
    assert sorted(np.unique(y)) == list(range(stated.shape[2]))
    assert np.isfinite(x).all()
    assert x.reshape(len(x), -1).std(axis=0).max() > 0


def test_there_are_twenty_sets_and_no_name_twice():
    names = [one.name for one in SETS]
    assert len(names) == len(set(names)) >= 20


def test_families_that_had_rows_before_the_benchmark_are_tuning():
    assert {one.half for one in SETS if one.origin in SEEN} == {TUNING}


def test_no_family_is_split():
    for origin in {one.origin for one in SETS}:
        assert len({one.half for one in SETS if one.origin == origin}) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_unseen_families_of_a_kind_are_by_turns_reporting_and_tuning(kind):
    half_of = {one.origin: one.half for one in SETS if one.kind == kind and one.origin not in SEEN}
    order = sorted(half_of, key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    assert [half_of[name] for name in order] == [
        (REPORTING, TUNING)[i % 2] for i in range(len(order))
    ]


def test_parts_of_mnist_share_no_sample():
    try:
        parts = [find_set(f"mnist{part}").load()[0] for part in ("-2000", "-uneven")]
    except InputError as error:
        pytest.skip(str(error))
    first, second = ({image.tobytes() for image in part} for part in parts)
    assert not first & second


def test_uneven_parts_fall_from_a_thousand_to_a_hundred():
    try:
        y = find_set("mnist-uneven").load()[1]
    except InputError as error:
        pytest.skip(str(error))
    sizes = np.bincount(y)
    assert (sizes[0], sizes[-1]) == (1000, 100)
    assert (np.diff(sizes) < 0).all()


def test_a_missing_package_is_a_sentence_with_the_way_out():
    with pytest.raises(
        InputError, match=r"not installed; it comes with pip install 'ae-cluster\[benchmark\]'"
    ):
        package_file("no_such_package_here", "data.csv")


def test_a_name_that_is_not_there_is_told():
    with pytest.raises(InputError, match="mnist-2000"):
        find_set("mnist-200")
