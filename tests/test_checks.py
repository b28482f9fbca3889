"""Each check lets good arrays through and refuses the others with one sentence."""

from __future__ import annotations

import re

import numpy as np
import pytest

from ae_cluster.common.errors import InputError
from ae_cluster.common.validation import (
    check_same_length,
    checked_codes,
    checked_halves,
    checked_labels,
)


@pytest.mark.parametrize(
    "labels", [[0, 1, -1], np.array([0, 1, 2], np.uint8), [0.0, 2.0], [True, False]]
)
def test_labels_come_back_as_int64(labels):
    checked = checked_labels(labels)

    assert checked.dtype == np.int64
    assert checked.tolist() == [int(label) for label in labels]


def test_checked_labels_are_a_copy():
    labels = np.array([0, 1])
    checked_labels(labels)[0] = 9

    assert labels.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        ([], "is empty"),
        ([[0, 1]], "must be 1-D"),
        (3, "must be 1-D"),
        (None, "must be 1-D"),
        ([0.5, 1.0], "whole numbers"),
        ([0.0, np.nan], "whole numbers"),
        ([0.0, np.inf], "whole numbers"),
        (["cat", "dog"], "whole numbers"),
        (np.array([0, None], dtype=object), "whole numbers"),
        ([0, -2], "holds -2"),
    ],
)
def test_labels_that_cannot_be_used_are_named(labels, says):
    with pytest.raises(InputError, match=rf"^y_train .*{says}.*\.$"):
        checked_labels(labels, "y_train")


def test_codes_keep_their_float_width_and_integers_become_floats():
    assert checked_codes(np.ones((2, 3), np.float32)).dtype == np.float32
    assert checked_codes([[1, 2], [3, 4]]).dtype == np.float64


@pytest.mark.parametrize(
    ("codes", "says"),
    [
        ([1.0, 2.0], "(n, n_components)"),
        (np.empty((0, 3)), "not be empty"),
        (np.empty((3, 0)), "not be empty"),
        ([["a", "b"]], "must hold numbers"),
        ([[0.0, np.nan]], "NaN or infinite"),
        ([[0.0, -np.inf]], "NaN or infinite"),
    ],
)
def test_codes_that_cannot_be_used_are_named(codes, says):
    with pytest.raises(InputError, match=rf"^codes .*{re.escape(says)}.*\.$"):
        checked_codes(codes)


def test_lengths_that_differ_are_named():
    with pytest.raises(InputError, match=r"^a has 2 samples and b has 3; .*\.$"):
        check_same_length(np.zeros(2), np.zeros(3), ("a", "b"))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"y_train": [0, 1]}, "codes_train has 3 samples and y_train has 2"),
        ({"y_test": [0]}, "codes_test has 2 samples and y_test has 1"),
        ({"codes_test": np.zeros((2, 4))}, "codes_train has 3 components and codes_test has 4"),
    ],
)
def test_halves_that_do_not_fit_are_named(change, says):
    halves = {
        "codes_train": np.zeros((3, 3)),
        "y_train": [0, 1, 0],
        "codes_test": np.zeros((2, 3)),
        "y_test": [0, 1],
    }
    checked_halves(**halves)

    with pytest.raises(InputError, match=says):
        checked_halves(**{**halves, **change})
