"""A saved model comes back the same, and a folder that is not whole is refused."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from model_folders import describe, described
from safetensors.torch import save

from ae_cluster import (
    AutoEncoder,
    Callback,
    InputError,
)
from ae_cluster.autoencoder.saving import DESCRIPTION, FORMAT_VERSION, WEIGHTS
from ae_cluster.common.memory import forget_peak, peak_mb

CONFIGURATIONS = {
    "defaults": {},
    "numpy's numbers": {
        "n_components": np.int64(2),
        "hidden_layer_sizes": (np.int64(9), 5),
        "learning_rate_init": np.float32(0.01),
        "random_state": np.int64(7),
    },
    "lists": {"hidden_layer_sizes": [9, 5], "image_shape": [8, 8]},
    "conv": {"kind": "conv", "conv_channels": (3, 4), "image_shape": (4, 16), "activation": "relu"},
    "table": {"input_kind": "table", "activation": "logistic"},
    "early stopping": {"early_stopping": True, "validation_fraction": 0.2, "tol": 0.0},
    "noise": {"noise_std": 0.1, "mask_fraction": 0.25, "learning_rate": "cosine"},
    "centered": {"center_inputs": True},
}


class Bomb:
    """Goes off when unpickled."""

    def __reduce__(self):
        return (pytest.fail, ("a pickle was executed",))


@pytest.fixture
def rows(digit_rows):
    return digit_rows[:200]


@pytest.fixture
def model(rows):
    return AutoEncoder(2, (9,), max_iter=2, random_state=0).fit(rows)


@pytest.fixture
def folder(model, tmp_path):
    model.save(tmp_path / "model")
    return tmp_path / "model"


def assert_refused(folder, assert_one_sentence, *parts):
    with pytest.raises(InputError) as error:
        AutoEncoder.load(folder)
    assert_one_sentence(error, folder, *parts)


# ---- there and back


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_a_loaded_model_does_all_the_saved_one_does(rows, tmp_path, configuration, dtype):
    X = rows.astype(dtype)
    parameters = {"max_iter": 2, "random_state": 0} | CONFIGURATIONS[configuration]
    saved = AutoEncoder(**parameters).fit(X)

    saved.save(tmp_path / "model")
    loaded = AutoEncoder.load(tmp_path / "model")

    codes = saved.transform(X)
    assert np.array_equal(loaded.transform(X), codes)
    assert np.array_equal(loaded.inverse_transform(codes), saved.inverse_transform(codes))
    assert loaded.score(X) == saved.score(X)
    assert loaded.transform(X).dtype == dtype
    as_tuples = {k: tuple(v) if isinstance(v, list) else v for k, v in saved.get_params().items()}
    assert loaded.get_params() == as_tuples


@pytest.mark.parametrize("configuration", ["defaults", "conv", "table", "early stopping"])
def test_a_loaded_model_knows_what_the_saved_one_knew(rows, tmp_path, configuration):
    frame = pd.DataFrame(rows, columns=[f"pixel {i}" for i in range(64)])
    saved = AutoEncoder(max_iter=2, random_state=0, **CONFIGURATIONS[configuration]).fit(frame)

    saved.save(str(tmp_path / "model"))
    loaded = AutoEncoder.load(str(tmp_path / "model"))

    for name in ("n_features_in_", "n_iter_", "loss_curve_", "validation_loss_curve_"):
        assert getattr(loaded, name) == getattr(saved, name)
    assert loaded.image_shape_ == saved.image_shape_
    assert loaded.input_kind_ == saved.input_kind_
    assert list(loaded.feature_names_in_) == list(frame.columns)
    assert loaded.feature_names_in_.dtype == object
    assert np.array_equal(loaded.transform(frame), saved.transform(frame))
    with pytest.raises(InputError, match="feature names should match"):
        loaded.transform(frame[frame.columns[::-1]])


def test_a_loaded_model_can_be_trained_again(rows, model, folder):
    assert AutoEncoder.load(folder).fit(rows).loss_curve_ == model.loss_curve_


def test_saving_a_loaded_model_writes_the_same_bytes(folder, tmp_path):
    AutoEncoder.load(folder).save(tmp_path / "again")

    for name in (WEIGHTS, DESCRIPTION):
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes()


def test_what_belongs_to_one_machine_or_process_is_not_saved(rows, tmp_path):
    here = {"device": "cpu", "callbacks": [Callback()]}
    drawn = AutoEncoder(max_iter=1, random_state=np.random.RandomState(0), **here)
    kept = AutoEncoder(max_iter=1, random_state=0, checkpoint=tmp_path / "training", **here)

    drawn.fit(rows).save(tmp_path / "drawn")
    kept.fit(rows).save(tmp_path / "kept")

    for name, seed in [("drawn", None), ("kept", 0)]:
        loaded = AutoEncoder.load(tmp_path / name)
        assert loaded.get_params() == AutoEncoder(max_iter=1, random_state=seed).get_params()
        assert str(tmp_path) not in (tmp_path / name / DESCRIPTION).read_text()


def test_nothing_is_pickled(folder):
    assert sorted(path.name for path in folder.iterdir()) == [DESCRIPTION, WEIGHTS]
    assert described(folder)["format_version"] == FORMAT_VERSION
    for path in folder.iterdir():
        with pytest.raises(pickle.UnpicklingError):
            pickle.loads(path.read_bytes())


def test_an_unfitted_model_cannot_be_saved(tmp_path):
    with pytest.raises(Exception, match="not fitted yet"):
        AutoEncoder().save(tmp_path / "model")

    assert not (tmp_path / "model").exists()


# ---- folders that are not whole


@pytest.mark.parametrize("where", [0, 8, -1, -400])
def test_a_changed_byte_of_the_weights_is_noticed(folder, assert_one_sentence, where):
    weights = bytearray((folder / WEIGHTS).read_bytes())
    weights[where] ^= 1
    (folder / WEIGHTS).write_bytes(weights)

    assert_refused(folder, assert_one_sentence, "changed after it was written")


def test_an_edited_description_is_noticed(folder, assert_one_sentence):
    text = (folder / DESCRIPTION).read_text()
    (folder / DESCRIPTION).write_text(text.replace('"tanh"', '"relu"'))

    assert_refused(folder, assert_one_sentence, "changed after it was written")


@pytest.mark.parametrize("name", [WEIGHTS, DESCRIPTION])
@pytest.mark.parametrize("share", [0, 0.3, 0.99])
def test_a_truncated_file_is_noticed(folder, assert_one_sentence, name, share):
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: int(share * len(content))])

    assert_refused(folder, assert_one_sentence)


@pytest.mark.parametrize(
    ("name", "says"), [(WEIGHTS, "cannot be read"), (DESCRIPTION, "is not a model folder")]
)
def test_a_missing_file_is_named(folder, assert_one_sentence, name, says):
    (folder / name).unlink()

    assert_refused(folder, assert_one_sentence, name, says)


def test_a_place_without_a_model_is_named(tmp_path, assert_one_sentence):
    (tmp_path / "file").touch()

    assert_refused(tmp_path, assert_one_sentence, "is not a model folder")
    assert_refused(tmp_path / "nowhere", assert_one_sentence, "is not a model folder")
    assert_refused(tmp_path / "file", assert_one_sentence, "cannot be read")


@pytest.mark.parametrize("version", [FORMAT_VERSION + 1, 99, None, "1"])
def test_a_newer_format_is_named(folder, assert_one_sentence, version):
    describe(folder, format_version=version)

    assert_refused(folder, assert_one_sentence, f"format_version {version!r}", "newer ae_cluster")


def test_another_kind_of_model_is_named(folder, assert_one_sentence):
    describe(folder, kind="SomethingElse")

    assert_refused(folder, assert_one_sentence, "'SomethingElse'", "'AutoEncoder'")


@pytest.mark.parametrize("text", ["[]", "3", "null", "{", '{"a": 1', "\0"])
def test_a_description_that_is_none_is_refused(folder, assert_one_sentence, text):
    (folder / DESCRIPTION).write_text(text)

    assert_refused(folder, assert_one_sentence)


def test_a_description_that_is_no_text_is_refused(folder, assert_one_sentence):
    (folder / DESCRIPTION).write_bytes(b"\xff\xfe\x00")

    assert_refused(folder, assert_one_sentence, "cannot be read")


@pytest.mark.parametrize("name", [WEIGHTS, DESCRIPTION])
@pytest.mark.parametrize("forged", [False, True])
def test_a_pickle_is_never_executed(folder, assert_one_sentence, name, forged):
    (folder / name).write_bytes(pickle.dumps(Bomb()))
    if forged and name == WEIGHTS:
        describe(folder)

    assert_refused(folder, assert_one_sentence)


@pytest.mark.parametrize(
    "changes",
    [
        {"parameters": {}},
        {"parameters": None},
        {"parameters": {"n_components": 2, "unheard_of": 1}},
        {"parameters": {"n_components": "two"}},
        {"fitted": {}},
        {"fitted": None},
        {"fitted": {"input_kind_": "images", "dtype_": "float16", "n_features_in_": 64}},
    ],
)
def test_a_forged_description_is_refused(folder, assert_one_sentence, changes):
    describe(folder, **changes)

    assert_refused(folder, assert_one_sentence)


def test_forged_weights_are_refused(folder, assert_one_sentence):
    (folder / WEIGHTS).write_bytes(save({"network.layers.0.weight": torch.zeros(3, 3)}))
    describe(folder)

    assert_refused(folder, assert_one_sentence)


@pytest.mark.parametrize(
    "parameters",
    [
        {"hidden_layer_sizes": [10**9]},
        {"hidden_layer_sizes": [1] * 100_000},
        {"n_components": 10**9},
        {"kind": "conv", "image_shape": [10**5, 10**5], "conv_channels": [10**5]},
    ],
)
def test_sizes_that_the_weights_do_not_have_take_no_memory(folder, assert_one_sentence, parameters):
    forget_peak()
    before = peak_mb()
    describe(folder, parameters=described(folder)["parameters"] | parameters)
    assert_refused(folder, assert_one_sentence, "does not hold a whole AutoEncoder")
    assert peak_mb() - before < 300


# ---- places that cannot be written


def test_an_existing_folder_is_refused_without_force(model, folder, assert_one_sentence):
    before = (folder / WEIGHTS).read_bytes()

    with pytest.raises(InputError) as error:
        model.set_params(tol=1.0).save(folder)

    assert_one_sentence(error, folder, "exists already", "force=True")
    assert (folder / WEIGHTS).read_bytes() == before
    assert described(folder)["parameters"]["tol"] == 1e-5


def test_with_force_a_model_is_replaced(model, folder):
    model.set_params(tol=1.0).save(folder, force=True)

    assert AutoEncoder.load(folder).tol == 1.0
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("method", ["write_bytes", "write_text"])
def test_a_full_disk_leaves_nothing_half_written(
    model, folder, assert_one_sentence, monkeypatch, method, force
):
    place = folder if force else folder.with_name("other")
    before = AutoEncoder.load(folder).transform(np.eye(64, dtype=np.float32))

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, method, full)
        with pytest.raises(InputError) as error:
            model.save(place, force=force)

    assert_one_sentence(error, place, "No space left on device")
    assert [path.name for path in folder.parent.iterdir()] == ["model"]
    after = AutoEncoder.load(folder).transform(np.eye(64, dtype=np.float32))
    assert np.array_equal(after, before)


def test_a_place_that_cannot_be_written_is_named(model, tmp_path, assert_one_sentence):
    (tmp_path / "file").touch()

    with pytest.raises(InputError) as error:
        model.save(tmp_path / "file" / "model")

    assert_one_sentence(error, tmp_path / "file", "choose another place")


def test_a_copied_folder_is_as_good(rows, model, folder, tmp_path):
    shutil.copytree(folder, tmp_path / "elsewhere" / "copy")

    assert np.array_equal(
        AutoEncoder.load(tmp_path / "elsewhere" / "copy").transform(rows), model.transform(rows)
    )


def test_the_description_has_one_order_of_keys(folder, model, tmp_path):
    text = (folder / DESCRIPTION).read_text(encoding="utf-8")
    assert text == json.dumps(json.loads(text), indent=2, sort_keys=True) + "\n"
    AutoEncoder.load(folder).save(tmp_path / "again")
    model.set_params(**dict(reversed(model.get_params().items()))).save(tmp_path / "turned")
    for name in ("again", "turned"):
        assert (tmp_path / name / DESCRIPTION).read_text(encoding="utf-8") == text
