"""Tables are standardised by their training columns and come back in their own units."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ae_cluster import AutoEncoder, InputError
from ae_cluster.autoencoder.scaling import Scaling


@pytest.fixture
def table():
    """Four columns driven by two hidden numbers, in very different units, and a constant one."""
    hidden = np.random.default_rng(0).normal(size=(500, 2))
    columns = hidden @ [[1.0, 0.0, 1.0, -1.0], [0.0, 1.0, 1.0, 1.0]]
    columns = columns * [1e-3, 1.0, 1e4, 10.0] + [5.0, 0.0, -1e5, 300.0]
    return np.column_stack([columns, np.full(500, 42.0)])


def test_the_network_sees_standardised_columns(table):
    scaled = Scaling.of_table(table, torch.float64)(torch.from_numpy(table))

    assert torch.allclose(scaled.mean(0), torch.zeros(5, dtype=torch.float64), atol=1e-9)
    assert torch.allclose(scaled.std(0, correction=0)[:4], torch.ones(4, dtype=torch.float64))
    assert not scaled[:, 4].any()


def test_undoing_gives_the_data_back(table):
    scaling = Scaling.of_table(table, torch.float64)
    rows = torch.from_numpy(table)

    assert torch.allclose(scaling.undo(scaling(rows)), rows, rtol=1e-12)


def test_bytes_are_divided_and_floats_are_left():
    scaling = Scaling(torch.float32)
    pixels = torch.arange(256, dtype=torch.uint8)

    assert scaling(pixels).numpy().tobytes() == (np.arange(256, dtype=np.float32) / 255).tobytes()
    floats = torch.rand(5)
    assert torch.equal(scaling(floats), floats)
    assert torch.equal(scaling.undo(floats), floats)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_table_is_reconstructed_in_its_own_units(table, dtype):
    table = table.astype(dtype)
    model = AutoEncoder(2, (16,), max_iter=100, random_state=0).fit(table[:400])

    back = model.inverse_transform(model.transform(table[400:]))

    assert model.input_kind_ == "table"
    error = (back - table[400:]).std(axis=0)[:4] / table.std(axis=0)[:4]
    assert (error < 0.2).all()
    assert back[:, 4] == pytest.approx(42, abs=0.5)


def test_the_score_is_in_standardised_units_of_the_training_rows(table):
    train, test = table[:300], 3 * table[300:]
    model = AutoEncoder(2, (16,), max_iter=5, random_state=0).fit(train)
    mean = train.mean(axis=0)
    scale = np.where(train.std(axis=0) > 0, train.std(axis=0), 1)

    back = model.inverse_transform(model.transform(test))

    errors = (back - mean) / scale - (test - mean) / scale
    assert model.score(test) == pytest.approx(-(errors**2).mean(), rel=1e-9)


def test_units_do_not_change_the_codes(table):
    first = AutoEncoder(2, (8,), max_iter=3, random_state=0).fit(table)
    other = AutoEncoder(2, (8,), max_iter=3, random_state=0).fit(2.0 * table)

    assert np.allclose(first.transform(table), other.transform(2.0 * table), atol=1e-6)


def test_bytes_can_be_taken_for_a_table():
    table = np.random.default_rng(0).integers(0, 256, (100, 5), dtype=np.uint8)
    model = AutoEncoder(2, (8,), input_kind="table", max_iter=2, random_state=0).fit(table)

    assert model.input_kind_ == "table"
    assert np.allclose(model.transform(table), model.transform(table.astype(np.float32)))
    assert model.inverse_transform(model.transform(table)).max() > 1


def test_columns_too_large_to_square_are_named(table, assert_one_sentence):
    table[3, 1] = 1e200

    with pytest.raises(InputError) as error:
        AutoEncoder(max_iter=1).fit(table)

    assert_one_sentence(error, "Column 1", "1e+200")
