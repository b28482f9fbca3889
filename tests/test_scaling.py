"""Tables are scaled by their training columns and come back in their own units."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial.distance import pdist
from sklearn.preprocessing import RobustScaler, StandardScaler

from ae_cluster import DEC, AutoEncoder, InputError, SortingAutoEncoder
from ae_cluster.autoencoder import saving
from ae_cluster.autoencoder.scaling import Scaling
from ae_cluster.common.scaling import fit_scaling
from ae_cluster.common.table_options import SCALINGS


@pytest.fixture
def table():
    """Four columns driven by two hidden numbers, in very different units, and a constant one."""
    hidden = np.random.default_rng(0).normal(size=(500, 2))
    columns = hidden @ [[1.0, 0.0, 1.0, -1.0], [0.0, 1.0, 1.0, 1.0]]
    columns = columns * [1e-3, 1.0, 1e4, 10.0] + [5.0, 0.0, -1e5, 300.0]
    return np.column_stack([columns, np.full(500, 42.0)])


@pytest.fixture
def counts():
    """How often each of six words stands in sixty texts of two kinds."""
    rates = np.repeat([[9.0, 9, 1, 0.2, 0.2, 20], [1, 0.2, 9, 9, 0.2, 20]], 30, axis=0)
    return np.random.default_rng(0).poisson(rates).astype(np.float64)


def small_autoencoder():
    return AutoEncoder(2, (8,), max_iter=1, random_state=0)


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


def test_standard_is_scikit_learns(table):
    rows = table.astype(np.float32)

    fitted = fit_scaling(rows, "standard")

    assert fitted(rows).tobytes() == StandardScaler().fit_transform(rows).tobytes()


def test_robust_is_scikit_learns_and_bears_columns_without_a_range(table):
    table[:, 2] = np.arange(500) < 5  # all quartiles are 0
    usual = [0, 1, 3]

    scaled = fit_scaling(table, "robust")(table)

    assert scaled[:, usual] == pytest.approx(RobustScaler().fit_transform(table[:, usual]))
    assert scaled[:, 2].std() == pytest.approx(1)
    assert not scaled[:, 4].any()


def test_none_keeps_relative_distances_and_gives_a_sane_size(table):
    scaled = fit_scaling(table, "none")(table)

    ratio = pdist(scaled) / pdist(table)
    assert ratio == pytest.approx(np.full(len(ratio), ratio[0]))
    assert scaled.mean(axis=0) == pytest.approx(np.zeros(5), abs=1e-9)
    assert scaled[:, :4].var(axis=0).mean() == pytest.approx(1)


def test_log_is_of_counts_and_their_zeros_stay_alike(counts):
    fitted = fit_scaling(counts, "log")

    logarithms = np.log1p(counts) - np.log1p(counts).mean(axis=0)
    assert fitted(counts) / fitted(counts).std() == pytest.approx(logarithms / logarithms.std())
    assert fitted.undo(fitted(counts)) == pytest.approx(counts)
    assert np.isfinite(fitted(-counts)).all()  # new samples may be anything


def test_log_of_negative_numbers_is_refused(table, assert_one_sentence):
    with pytest.raises(InputError) as error:
        AutoEncoder(max_iter=1, scaling="log").fit(table)

    assert_one_sentence(error, "log", "negative", "standard")


@pytest.mark.parametrize("kind", SCALINGS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_network_is_fed_what_scaled_columns_are(counts, kind, dtype):
    rows = counts.astype(dtype)
    fitted = fit_scaling(rows, kind)

    scaling = Scaling.of_table(rows, torch.from_numpy(rows).dtype, kind)
    fed = scaling(torch.from_numpy(rows))

    assert np.allclose(fed.numpy(), fitted(rows), atol=1e-5)
    assert np.allclose(scaling.undo(fed).numpy(), rows, rtol=1e-4, atol=1e-3)
    assert (scaling.kind, scaling.why) == (fitted.kind, fitted.why)


@pytest.mark.parametrize("kind", SCALINGS)
@pytest.mark.parametrize(
    "make",
    [
        lambda scaling: AutoEncoder(2, (8,), max_iter=1, scaling=scaling, random_state=0),
        lambda scaling: SortingAutoEncoder(
            2, 2, max_iter=1, decoder_max_iter=1, min_steps=2, scaling=scaling, random_state=0
        ),
        lambda scaling: DEC(2, small_autoencoder(), max_iter=1, scaling=scaling, random_state=0),
    ],
    ids=["AutoEncoder", "SortingAutoEncoder", "DEC"],
)
@pytest.mark.filterwarnings("ignore::ae_cluster.HealthWarning")
def test_a_saved_model_scales_as_before(make, kind, counts, tmp_path):
    model = make(kind).fit(counts)

    model.save(tmp_path / "model")
    loaded = type(model).load(tmp_path / "model")

    assert np.array_equal(loaded.transform(counts), model.transform(counts))
    found, before = (getattr(m, "autoencoder_", m).scaling_ for m in (loaded, model))
    assert (found.kind, found.why) == (before.kind, before.why)
    assert found.kind == kind
    back = model.inverse_transform(model.transform(counts))
    assert np.array_equal(loaded.inverse_transform(loaded.transform(counts)), back)


def test_a_model_of_before_there_was_a_choice_is_standard(table, tmp_path):
    model = AutoEncoder(2, (8,), max_iter=1, scaling="standard", random_state=0).fit(table)
    place = tmp_path / "model"
    model.save(place)
    tensors, description = saving.read(place, "AutoEncoder")
    del description["fitted"]["scaling"], description["parameters"]["scaling"]
    kept = {name: description[name] for name in ("parameters", "fitted")}
    saving.write(place, "AutoEncoder", tensors, kept, force=True)

    loaded = AutoEncoder.load(place)

    assert np.array_equal(loaded.transform(table), model.transform(table))
    assert (loaded.scaling, loaded.scaling_.kind) == ("standard", "standard")


@pytest.mark.parametrize(
    "said", [{"kind": "odd", "why": ""}, {"kind": "log"}, {"kind": [], "why": ""}, "log", None]
)
def test_a_scaling_that_is_none_is_refused(table, tmp_path, said):
    place = tmp_path / "model"
    AutoEncoder(2, (8,), max_iter=1, random_state=0).fit(table).save(place)
    tensors, description = saving.read(place, "AutoEncoder")
    kept = {name: description[name] for name in ("parameters", "fitted")}
    kept["fitted"]["scaling"] = said
    saving.write(place, "AutoEncoder", tensors, kept, force=True)

    with pytest.raises(InputError, match="does not hold a whole AutoEncoder"):
        AutoEncoder.load(place)


def test_images_stay_as_they_are():
    images = np.random.default_rng(0).random((40, 9), dtype=np.float32)
    first, other = (
        AutoEncoder(2, (8,), max_iter=1, scaling=scaling, random_state=0).fit(images)
        for scaling in ("standard", "none")
    )

    assert first.input_kind_ == "images"
    assert np.array_equal(first.transform(images), other.transform(images))


def test_a_fitted_autoencoder_keeps_its_scaling(counts, assert_one_sentence):
    start = small_autoencoder().set_params(scaling="none").fit(counts)

    model = DEC(2, start, max_iter=1, random_state=0).fit(counts)
    with pytest.raises(InputError) as error:
        DEC(2, start, max_iter=1, scaling="log").fit(counts)

    assert model.autoencoder_.scaling_.kind == "none"
    assert_one_sentence(error, "log", "none")
