"""`scaling="auto"` tells from the columns alone whether they share a unit."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine, make_blobs

from ae_cluster import DEC, AutoEncoder
from ae_cluster.common.scaling import evenness, fit_scaling


def strokes(n=300):
    """Return eight points of noisy lines in a box of 100, as whole numbers (n, 16)."""
    rng = np.random.default_rng(0)
    ends = rng.integers(0, 100, (n, 2, 2))
    points = np.linspace(ends[:, 0], ends[:, 1], 8, axis=1) + rng.normal(scale=4, size=(n, 8, 2))
    low, high = points.min(axis=1, keepdims=True), points.max(axis=1, keepdims=True)
    return (100 * (points - low) / (high - low)).round().reshape(n, 16)


def words():
    """Return how often each of 50 words stands in 200 texts, most of them nowhere."""
    rng = np.random.default_rng(0)
    return rng.poisson(rng.gamma(0.3, 2.0, (200, 50)) * rng.permutation(np.linspace(0.1, 3, 50)))


def log_counts():
    """Return logarithms of counts that depend on how many there are in all."""
    counts = words().astype(float)
    return np.log1p(counts / counts.sum(axis=1, keepdims=True) * 100)


TABLES = {
    "wine": (lambda: load_wine().data, "standard"),
    "breast cancer": (lambda: load_breast_cancer().data, "standard"),
    "iris": (lambda: load_iris().data, "none"),
    "pixels": (lambda: load_digits().data, "none"),
    "strokes": (strokes, "none"),
    "log counts": (log_counts, "none"),
    "counts": (words, "log"),
    "blobs": (lambda: make_blobs(200, 20, cluster_std=4.0, random_state=0)[0], "none"),
    "age and income": (
        lambda: np.random.default_rng(0).normal([40, 3e4], [15, 1e4], (100, 2)),
        "standard",
    ),
    "one column": (lambda: np.random.default_rng(0).normal(size=(50, 1)), "none"),
    "constant columns": (lambda: np.full((50, 3), 7.0), "standard"),
}


@pytest.mark.parametrize("name", TABLES)
def test_auto_tells_columns_in_one_unit_from_those_in_several(name):
    make, expected = TABLES[name]
    rows = make().astype(np.float32)

    found = fit_scaling(rows, "auto")

    assert found.kind == expected
    by_name = fit_scaling(rows, expected)
    assert np.array_equal(found(rows), by_name(rows))
    assert found.why != by_name.why
    assert "\n" not in found.why


@pytest.mark.parametrize("name", [name for name in TABLES if name != "counts"])
@pytest.mark.parametrize("factor", [0.001, 2.54, 4096])
def test_a_common_factor_changes_nothing(name, factor):
    rows = TABLES[name][0]().astype(float)

    first, other = fit_scaling(rows, "auto"), fit_scaling(factor * rows, "auto")

    assert first.kind == other.kind
    if first.mean.any():  # not of constant columns, which keep what little they have
        assert other(factor * rows) == pytest.approx(first(rows), abs=1e-6)


def test_auto_does_not_see_which_row_comes_first_nor_constant_columns():
    rows = load_wine().data
    order = np.random.default_rng(0).permutation(len(rows))
    wider = np.column_stack([rows[order], np.full((len(rows), 40), 1e6)])

    assert fit_scaling(wider, "auto").why == fit_scaling(rows, "auto").why


def test_a_flag_beside_an_amount_is_no_count():
    rng = np.random.default_rng(0)
    flags = rng.random((200, 6)) < 0.2
    income = np.where(rng.random(200) < 0.4, 0, rng.normal(3e4, 1e4, 200).round())
    rows = np.column_stack([flags, np.abs(income)])

    assert fit_scaling(rows, "auto").kind == "standard"


def test_evenness_is_a_share_of_columns():
    assert evenness(np.ones(8)) == pytest.approx(1)
    assert evenness(np.array([1.0, 0, 0, 0])) == pytest.approx(0)
    assert evenness(np.array([1.0, 1, 0])) == pytest.approx(0.5)


def test_a_model_keeps_what_was_chosen_and_why(tmp_path):
    rows = strokes()
    model = AutoEncoder(2, (8,), max_iter=1, scaling="auto", random_state=0).fit(rows)
    deep = DEC(2, model, max_iter=1, random_state=0).fit(rows)
    deep.save(tmp_path / "model")

    kept = DEC.load(tmp_path / "model").autoencoder_

    assert (kept.scaling, kept.scaling_.kind) == ("auto", "none")
    assert kept.scaling_.why == model.scaling_.why
    assert "share a unit" in kept.scaling_.why
    by_name = model.get_params() | {"scaling": "none"}
    same = AutoEncoder(**by_name).fit(rows)
    assert np.array_equal(model.transform(rows), same.transform(rows))
