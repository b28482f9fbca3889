"""What images may hold is one rule, for files and for Python calls: bytes, whatever their type."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_digits

from ae_cluster import AutoEncoder, InputError, SortingAutoEncoder, load_dataset
from ae_cluster.cli.main import main
from ae_cluster.clustering.deep import DEC
from ae_cluster.semi_supervised.finetuned import FineTunedClassifier

pytestmark = pytest.mark.filterwarnings("ignore::ae_cluster.HealthWarning")

BYTES = np.rint(load_digits().images[:80] * (255 / 16)).astype(np.uint8)
UNITS = BYTES / 255
OTHER_TYPES = ["int16", "uint16", "int32", "int64", "float16", "float32", "float64", ">f8"]
QUICK = {"max_iter": 2, "batch_size": 16, "random_state": 0}
taken_for_bytes = pytest.warns(UserWarning, match="whole numbers from 0 to 255 as .*for bytes")


def n_said(warned):
    return sum("taken for bytes" in str(w.message) for w in warned)


def encoder(**parameters):
    return AutoEncoder(2, (8,), **QUICK | parameters)


def shapes():
    """Give bytes that are images by their shape, and flat ones of which it is said."""
    flat = BYTES.reshape(len(BYTES), -1)
    return {
        "three axes": (BYTES, {}),
        "a channel": (BYTES[..., None], {}),
        "colours": (np.stack([BYTES] * 3, axis=-1), {"kind": "conv", "conv_channels": (2,)}),
        "input_kind": (flat, {"input_kind": "images"}),
        "image_shape": (flat, {"image_shape": (8, 8)}),
        "conv": (flat, {"kind": "conv", "conv_channels": (2,)}),
    }


# ---- bytes in another type


@pytest.mark.parametrize("dtype", OTHER_TYPES)
def test_bytes_in_another_type_are_the_same_images(dtype, load_npz):
    usual, other = encoder(), encoder()
    usual.fit(BYTES)
    with taken_for_bytes as said:
        other.fit(BYTES.astype(dtype))
    assert n_said(said) == 1

    X = BYTES.astype(dtype)
    np.testing.assert_array_equal(other.transform(X), usual.transform(BYTES))
    assert other.score(X) == usual.score(BYTES)
    drawn = other.inverse_transform(other.transform(X))
    np.testing.assert_array_equal(drawn, usual.inverse_transform(usual.transform(BYTES)))
    assert drawn.min() >= 0
    assert drawn.max() <= 1
    with taken_for_bytes as said:
        data = load_npz(x_test=X[:9], x_train=X)
    assert n_said(said) == 1
    assert data.fingerprint == load_npz(x_train=BYTES, x_test=BYTES[:9]).fingerprint


@pytest.mark.parametrize("name", shapes())
def test_whatever_says_that_they_are_images(name):
    images, parameters = shapes()[name]
    usual = encoder(**parameters).fit(images)
    with taken_for_bytes as said:
        other = encoder(**parameters).fit(images.astype(float))
    assert n_said(said) == 1
    assert other.input_kind_ == "images"
    np.testing.assert_array_equal(other.transform(images.astype(int)), usual.transform(images))


def test_a_file_whose_columns_are_said_to_be_pixels(load_npz):
    flat = BYTES.reshape(len(BYTES), -1)
    with taken_for_bytes:
        data = load_npz(x=flat.astype(np.int64), options={"image_shape": (8, 8)})
    assert data.fingerprint == load_npz(x=BYTES).fingerprint


@pytest.mark.parametrize(
    "make",
    [
        lambda: SortingAutoEncoder(4, decoder_max_iter=1, min_steps=2, **QUICK | {"max_iter": 1}),
        lambda: DEC(4, encoder(), **QUICK),
    ],
    ids=["sorting", "dec"],
)
def test_what_learns_clusters_too(make):
    usual = make().fit(BYTES)
    with taken_for_bytes as said:
        other = make().fit(BYTES.astype(np.float64))
    assert n_said(said) == 1
    np.testing.assert_array_equal(other.labels_, usual.labels_)
    np.testing.assert_array_equal(other.predict(BYTES.astype(float)), usual.labels_)


def test_what_learns_from_labels_too():
    flat, y = BYTES.reshape(len(BYTES), -1), np.where(np.arange(80) < 20, np.arange(80) % 2, -1)
    parameters = QUICK | {"min_steps": 2}
    usual = FineTunedClassifier(encoder(input_kind="images"), **parameters).fit(flat, y)
    with taken_for_bytes as said:
        other = FineTunedClassifier(encoder(input_kind="images"), **parameters).fit(flat * 1.0, y)
    assert n_said(said) == 1
    np.testing.assert_array_equal(other.predict_proba(flat * 1.0), usual.predict_proba(flat))


def test_the_command_says_it_once(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    warnings.simplefilter("default")
    few = ["--n-clusters", "3", "--epochs", "1", "--no-figures", "--budgets", "1", "--draws", "1"]
    for name, x in {"bytes": BYTES, "floats": BYTES.astype(float)}.items():
        np.savez(f"{name}.npz", x=x)
        assert main(["run", f"{name}.npz", "--out", name, *few]) == 0
        assert capsys.readouterr().err.count("taken for bytes") == (name == "floats")
    codes = [np.load(f"{name}/methods/kmeans/codes.npz") for name in ("bytes", "floats")]
    np.testing.assert_array_equal(codes[0]["codes_test"], codes[1]["codes_test"])


# ---- what fit saw tells what transform is given


@pytest.mark.parametrize(
    ("at_fit", "later"),
    [(BYTES, UNITS), (BYTES, BYTES.astype(int)), (UNITS, BYTES), (UNITS, BYTES.astype(int)),
     (BYTES.astype(float), UNITS), (BYTES.astype(float), BYTES)],
    ids=["bytes, unit", "bytes, int", "unit, bytes", "unit, int", "whole, unit", "whole, bytes"],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:X holds whole numbers")
def test_other_units_than_fit_saw_give_the_same_codes(at_fit, later):
    model = encoder().fit(at_fit)
    np.testing.assert_allclose(model.transform(later), model.transform(at_fit), atol=1e-5)


@pytest.mark.parametrize("dtype", ["int64", "float64"])
@pytest.mark.parametrize("darkest", [0, 1, 9])
@pytest.mark.filterwarnings("ignore:X holds whole numbers")
def test_one_dark_image_is_read_as_its_neighbours_were(dtype, darkest, tmp_path):
    dark = np.minimum(BYTES[:1], darkest)
    model = encoder().fit(BYTES.astype(dtype))
    model.save(tmp_path / "model")
    for read in (model, AutoEncoder.load(tmp_path / "model")):
        np.testing.assert_array_equal(read.transform(dark.astype(dtype)), read.transform(dark))


def test_only_news_is_said():
    model = encoder().fit(UNITS)
    with taken_for_bytes:
        model.transform(BYTES.astype(int))
    with taken_for_bytes:
        model = encoder().fit(BYTES.astype(int))
    model.transform(BYTES.astype(float))
    model.score(BYTES)


# ---- rounding


@pytest.mark.parametrize("beyond", [1e-12, 1e-6, 1.2e-7])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rounding_is_clipped(beyond, dtype, load_npz):
    x = UNITS.copy()
    x[0, 0, 0], x[1, 0, 0] = -beyond, 1 + beyond
    x = x.astype(dtype)
    within = np.clip(x, 0, 1)
    for images in (x, x.reshape(len(x), -1)):
        model = encoder().fit(images)
        assert model.input_kind_ == "images"
        codes = encoder().fit(within.reshape(images.shape)).transform(within)
        np.testing.assert_array_equal(model.transform(images), codes)
        assert model.inverse_transform(codes).max() <= 1
    assert load_npz(x=x).fingerprint == load_npz(x=within).fingerprint
    assert x.max() == np.dtype(dtype).type(1 + beyond)  # theirs is left alone


def test_half_precision_rounds_farther(load_npz):
    x = UNITS.astype(np.float16)
    x[0, 0, 0] = np.float16(1.001)
    assert encoder().fit(x).input_kind_ == "images"
    assert load_npz(x=x).raw_train.max() <= 1


# ---- what is refused, in both

WRONG = {
    "wrapped": (BYTES.astype(np.int8), ["from -128 to 112", "int8", "view(np.uint8)"]),
    "wrapped, as floats": (BYTES.astype(np.int8) * 1.0, ["from -128 to 112", "view(np.uint8)"]),
    "decoded badly": (UNITS * 412 - 98, ["from -98 to 314", "shift"]),
    "from -1": (UNITS * 2 - 1, ["from -1 to 1", "(x + 1) / 2"]),
    "0 to 1000": (np.rint(UNITS * 1000), ["from 0 to 1000", "divide"]),
    "16 bits": (np.rint(UNITS * 65535).astype(np.uint16), ["0 to 65535", "by 65535"]),
    "resized bytes": (BYTES * 0.999, ["to 254.745", "divide by 255"]),
    "four bits": (load_digits().images[:80], ["from 0 to 16", "divide by", "(16?)"]),
    "a bit above 1": (UNITS * 1.01, ["to 1.01"]),
    "black": ((BYTES > 99).astype(np.uint8), ["0 and 1", "booleans"]),
}


@pytest.mark.parametrize("name", WRONG)
def test_odd_ranges_are_refused_with_the_way_out(name, load_npz, assert_one_sentence):
    x, parts = WRONG[name]
    flat = x.reshape(len(x), -1)
    for call in (
        lambda: encoder().fit(x),
        lambda: encoder(input_kind="images").fit(flat),
        lambda: encoder(image_shape=(8, 8)).fit(flat),
        lambda: load_npz(x=x),
        lambda: load_npz(x=flat, options={"image_shape": (8, 8)}),
    ):
        with pytest.raises(InputError) as error:
            call()
        assert_one_sentence(error, *parts)


@pytest.mark.parametrize("name", sorted(set(WRONG) - {"black"}))
def test_a_table_may_hold_what_images_may_not(name, load_npz):
    flat = WRONG[name][0].reshape(len(BYTES), -1)
    assert encoder().fit(flat).input_kind_ == "table"
    assert encoder(input_kind="table").fit(WRONG[name][0]).input_kind_ == "table"
    assert load_npz(x=flat).is_table


@pytest.mark.parametrize("X", [BYTES.astype(np.int8), np.rint(UNITS * 999), UNITS * 1.5])
def test_transform_refuses_what_fit_would(X, assert_one_sentence):
    model = encoder().fit(UNITS)
    with pytest.raises(InputError) as error:
        model.transform(X)
    assert_one_sentence(error, "[0, 1]", f"{X.max():g}", "input_kind='table'")


def test_rows_that_nobody_calls_images_are_no_bytes(assert_one_sentence):
    flat = UNITS.reshape(len(UNITS), -1)
    model = encoder().fit(flat)
    with pytest.raises(InputError) as error:
        model.transform(BYTES.reshape(flat.shape) * 1.0)
    assert_one_sentence(error, "from 0 to 255", "divide by 255")


@pytest.mark.parametrize("dtype", ["bool", "int64", "float32"])
def test_masks_are_black_and_white(dtype, load_npz):
    mask = (BYTES > 99).astype(dtype)
    as_floats = mask.astype("float32" if dtype == "float32" else "float64")
    drawn, usual = encoder().fit(mask), encoder().fit(as_floats)
    np.testing.assert_array_equal(drawn.transform(mask), usual.transform(as_floats))
    assert load_npz(x=mask).x_train.max() == 1


# ---- where channels are


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_channels_first_is_refused_alike(channels, load_npz, assert_one_sentence):
    x = np.stack([BYTES] * channels, axis=1)
    calls = [
        lambda: encoder(kind="conv").fit(x),
        lambda: encoder(kind="conv").fit(x / 255),
        lambda: encoder(kind="conv", image_shape=x.shape[1:]).fit(x.reshape(len(x), -1)),
        lambda: SortingAutoEncoder(4, image_prior=True, **QUICK).fit(x),
        lambda: DEC(4, encoder(kind="conv"), **QUICK).fit(x),
        lambda: load_npz(x=x),
        lambda: load_npz(x=x.reshape(len(x), -1), options={"image_shape": x.shape[1:]}),
    ]
    for call in calls:
        with pytest.raises(InputError) as error:
            call()
        assert_one_sentence(error, "channels first", f"({channels}, 8, 8)", "transpose(0, 2, 3, 1)")


@pytest.mark.parametrize("channels", [1, 3])
def test_channels_last_is_what_the_command_takes(channels, load_npz):
    x = np.stack([BYTES] * channels, axis=-1)
    data = load_npz(x_train=x, x_test=x[:9])
    conv = {"kind": "conv", "conv_channels": (2,)}
    here = encoder(**conv).fit(x)
    there = encoder(**conv, image_shape=data.image_shape, input_kind="images").fit(data.raw_train)
    np.testing.assert_array_equal(here.transform(x), there.transform(data.raw_train))


def test_where_both_could_be_channels_the_last_are(load_npz):
    x = np.random.default_rng(0).random((20, 3, 4, 3))
    assert encoder(kind="conv", conv_channels=(2,)).fit(x).image_shape_ == (3, 4, 3)
    assert load_npz(x=x).image_shape == (3, 4, 3)


def test_a_grey_channel_makes_no_difference():
    conv = {"kind": "conv", "conv_channels": (2,)}
    codes = [encoder(**conv).fit(x).transform(x) for x in (BYTES, BYTES[..., None])]
    np.testing.assert_array_equal(*codes)


def test_load_dataset_is_the_same_rule(tmp_path):
    np.savez(tmp_path / "x.npz", x=BYTES.astype(np.int64))
    with taken_for_bytes:
        assert load_dataset(tmp_path / "x.npz").raw_train.dtype == np.uint8
