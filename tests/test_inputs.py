"""Arrays and parameters that cannot be used are refused in words that name what is wrong."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import sparse

from ae_cluster import AutoEncoder, Callback, InputError

# ---- arrays


@pytest.fixture
def rows():
    return np.random.default_rng(0).random((40, 12))


@pytest.fixture
def model(rows):
    return AutoEncoder(2, (6,), max_iter=1, random_state=0).fit(rows)


def spoilt(rows, value):
    rows = rows.copy()
    rows[3, 5] = value
    return rows


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("value", "named"), [(np.nan, "NaN"), (np.inf, "infinite"), (-np.inf, "infinite")]
)
def test_a_value_that_is_no_number_is_found(rows, model, assert_one_sentence, value, named, dtype):
    X = spoilt(rows, value).astype(dtype)

    for use in (AutoEncoder(max_iter=1).fit, model.transform, model.score):
        with pytest.raises(InputError) as error:
            use(X)
        assert_one_sentence(error, f"X holds {'' if named == 'NaN' else 'an '}{named}")
        assert_one_sentence(error, "sample 3, column 5")


def test_codes_that_are_no_numbers_are_found(model, assert_one_sentence):
    with pytest.raises(InputError) as error:
        model.inverse_transform([[0.0, 1.0], [np.nan, 1.0]])

    assert_one_sentence(error, "codes holds NaN in sample 1, column 0")


@pytest.mark.parametrize(
    ("shape", "says"),
    [
        ((0, 12), "0 sample"),
        ((0, 3, 4), "0 sample"),
        ((5, 0), "0 feature"),
        ((1, 12), "1 sample"),
        ((12,), "2D array"),
        ((), "2D array"),
    ],
)
def test_there_must_be_two_samples_of_something(shape, says):
    with pytest.raises(InputError, match=says):
        AutoEncoder(max_iter=1).fit(np.zeros(shape))


def test_one_sample_is_enough_to_transform_but_none_is_not(rows, model):
    assert model.transform(rows[:1]).shape == (1, 2)
    for X in (rows[:0], np.zeros((0, 3, 4))):
        with pytest.raises(InputError, match="0 sample"):
            model.transform(X)


@pytest.mark.parametrize("value", [-0.25, 1.5, 255])
def test_images_outside_their_range_are_refused(rows, model, assert_one_sentence, value):
    told = AutoEncoder(max_iter=1, input_kind="images")

    for use in (model.transform, model.score, told.fit):
        with pytest.raises(InputError) as error:
            use(spoilt(rows, value))
        assert_one_sentence(error, "[0, 1]", f"{value:g}", "255")


def test_a_table_may_hold_anything(rows):
    model = AutoEncoder(2, (6,), max_iter=1, input_kind="table", random_state=0).fit(rows)

    assert np.isfinite(model.transform(spoilt(rows, 255))).all()


def test_another_number_of_columns_is_refused(rows, model, assert_one_sentence):
    with pytest.raises(InputError) as error:
        model.transform(rows[:, :5])
    assert_one_sentence(error, "5 features", "12 features")

    with pytest.raises(InputError) as error:
        model.inverse_transform(rows[:, :5])
    assert_one_sentence(error, "2 columns", "5")


@pytest.mark.parametrize(
    ("shape", "parameters"),
    [
        ((40, 12), {"kind": "conv"}),
        ((40, 12), {"kind": "conv", "image_shape": (3, 5)}),
        ((40, 12), {"image_shape": (5, 5)}),
        ((40, 3, 4), {"image_shape": (5, 5)}),
        ((40, 1, 3, 2, 2), {}),
    ],
)
def test_an_image_shape_must_fit_the_samples(rows, assert_one_sentence, shape, parameters):
    with pytest.raises(InputError) as error:
        AutoEncoder(max_iter=1, **parameters).fit(rows.reshape(shape))

    assert_one_sentence(error, "12 values", "image_shape=")


@pytest.mark.parametrize(
    "X", [[["a", "b"], ["c", "d"]], np.array([[object()], [object()]]), [[1j, 2], [3, 4]]]
)
def test_what_is_not_numbers_is_refused(X):
    with pytest.raises((TypeError, ValueError), match=r"convert|float|[Cc]omplex"):
        AutoEncoder(max_iter=1).fit(X)


def test_sparse_matrices_are_refused(rows):
    with pytest.raises(TypeError, match="Sparse data was passed"):
        AutoEncoder(max_iter=1).fit(sparse.csr_array(rows))


@pytest.mark.parametrize("X", [[[0, 1], [1, 0]], np.eye(3, dtype=bool), np.eye(3, dtype=np.int8)])
def test_whole_numbers_and_lists_are_taken_as_float64(X):
    model = AutoEncoder(1, (3,), max_iter=1, random_state=0).fit(X)

    assert model.transform(X).dtype == np.float64


# ---- parameters


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("n_components", v) for v in (0, -1, 2.0, "3", None, True, 2**31)],
        *[("hidden_layer_sizes", v) for v in (5, (5, 0), (5, 2.5), "12", None, np.ones((2, 2)))],
        *[("activation", v) for v in ("swish", None, np.array(["tanh", "relu"]))],
        *[("kind", v) for v in ("cnn", None)],
        *[("conv_channels", v) for v in ((), 16, (16, -1))],
        *[("image_shape", v) for v in ((8,), (8, 8, 1, 1), 8, (8, 0), "8x8")],
        *[("input_kind", v) for v in ("bytes", None)],
        *[("scaling", v) for v in ("minmax", 1, None)],
        *[("batch_size", v) for v in (0, 64.0, None)],
        *[("learning_rate_init", v) for v in (0, -0.1, math.nan, math.inf, "0.1", None)],
        *[("learning_rate", v) for v in (0.1, "linear", None)],
        *[("max_iter", v) for v in (-1, 2.5, None)],
        *[("early_stopping", v) for v in ("yes", 1, None)],
        *[("validation_fraction", v) for v in (0, 1, 1.5, None)],
        *[("n_iter_no_change", v) for v in (0, 1.5, None)],
        *[("tol", v) for v in (-1e-9, math.nan, None)],
        *[("noise_std", v) for v in (-0.1, math.inf, None)],
        *[("mask_fraction", v) for v in (-0.1, 1, None)],
        *[("center_inputs", v) for v in ("yes", 1, None)],
        *[("n_snapshots", v) for v in (-1, 0.5, None)],
        *[("callbacks", v) for v in (None, [print], Callback())],
        *[("checkpoint", v) for v in (5, True)],
        *[("random_state", v) for v in (-1, 2**32, 0.5, "0", True)],
        *[("verbose", v) for v in ("yes", None)],
        *[("device", v) for v in ("gpu please", "cuda:99", None)],
    ],
)
def test_a_bad_parameter_is_named_with_its_value(digit_rows, assert_one_sentence, name, value):
    model = AutoEncoder(max_iter=1).set_params(**{name: value})

    with pytest.raises(InputError) as error:
        model.fit(digit_rows)

    assert_one_sentence(str(error.value).replace("\n", " "), f"{name}={value!r}".replace("\n", " "))
    assert not hasattr(model, "network_")


def test_every_parameter_has_been_tried():
    marks = test_a_bad_parameter_is_named_with_its_value.pytestmark
    tried = {name for mark in marks for name, _ in mark.args[1]}

    assert tried == set(AutoEncoder().get_params())


def test_a_checkpoint_needs_a_seed(digit_rows, tmp_path, assert_one_sentence):
    with pytest.raises(InputError) as error:
        AutoEncoder(checkpoint=tmp_path / "training").fit(digit_rows)

    assert_one_sentence(error, "random_state=None", "checkpoint")


def test_no_sample_left_to_train_on_is_an_error(digit_rows, assert_one_sentence):
    with pytest.raises(InputError) as error:
        AutoEncoder(early_stopping=True, validation_fraction=0.9).fit(digit_rows[:2])

    assert_one_sentence(error, "validation_fraction=0.9", "2 samples")
