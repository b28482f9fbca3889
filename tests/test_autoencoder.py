"""An `AutoEncoder` learns, repeats itself, and codes whatever it is given."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from ae_cluster import AutoEncoder


@pytest.fixture(scope="module")
def trained(digit_rows):
    return AutoEncoder(max_iter=60, random_state=0).fit(digit_rows)


def small(**parameters):
    """A model that trains in a blink."""
    parameters = {"hidden_layer_sizes": (16,), "max_iter": 2, "random_state": 0} | parameters
    return AutoEncoder(**parameters)


class Untouchable:
    """Raises whatever is done to it."""

    def __getattribute__(self, name):
        raise AssertionError(f"y was touched: {name}")

    __len__ = __iter__ = __array__ = __eq__ = __bool__ = lambda self, *_: self.anything


# ---- learning


def test_training_beats_the_untrained_network_and_the_mean_image(trained, digit_rows):
    untrained = AutoEncoder(max_iter=0, random_state=0).fit(digit_rows)

    assert trained.score(digit_rows) > untrained.score(digit_rows)
    assert -trained.score(digit_rows) < 0.5 * digit_rows.var(axis=0).mean()
    assert trained.loss_curve_[-1] < trained.loss_curve_[0]
    assert len(trained.loss_curve_) == trained.n_iter_ == 60


def test_codes_are_not_constant(trained, digit_rows):
    codes = trained.transform(digit_rows)

    assert codes.shape == (1797, 3)
    assert codes.dtype == np.float32
    assert (codes.std(axis=0) > 0.1).all()
    assert np.linalg.matrix_rank(np.cov(codes.T), tol=1e-4) == 3


def test_score_is_minus_the_error_of_what_comes_back(trained, digit_rows):
    images = trained.inverse_transform(trained.transform(digit_rows))

    assert images.shape == digit_rows.shape
    assert 0 <= images.min() < images.max() <= 1
    assert trained.score(digit_rows) == pytest.approx(-((images - digit_rows) ** 2).mean())


@pytest.mark.parametrize(
    "shape", [(8, 8), (4, 16), (16, 4, 1), (4, 4, 4), (7, 9), (5, 5, 3), (2, 3), (1, 1)]
)
def test_the_conv_kind_learns_images_of_any_shape(digit_rows, shape):
    n_features = int(np.prod(shape))
    wide = np.tile(digit_rows[:300], 2)[:, 20 : 20 + n_features]
    images = np.ascontiguousarray(wide).reshape(300, *shape)
    untrained = AutoEncoder(kind="conv", max_iter=0, random_state=0).fit(images)

    model = AutoEncoder(kind="conv", max_iter=5, random_state=0).fit(images)

    codes = model.transform(images)
    assert model.image_shape_ == shape
    assert codes.shape == (300, 3)
    assert (codes.std(axis=0) > 0).all()
    assert model.inverse_transform(codes).shape == (300, n_features)
    assert model.score(images) > untrained.score(images)


def test_the_conv_kind_takes_rows_for_square_images_or_is_told(digit_rows):
    assert small(kind="conv").fit(digit_rows).image_shape_ == (8, 8)
    assert small(kind="conv", image_shape=(4, 16)).fit(digit_rows).image_shape_ == (4, 16)


def test_a_constant_image_set_trains():
    X = np.full((50, 16), 0.25, dtype=np.float32)
    model = small(max_iter=50).fit(X)

    assert -model.score(X) < 1e-2
    assert np.isfinite(model.transform(X)).all()


# ---- labels


def test_labels_are_never_touched(digit_rows):
    model = small().fit(digit_rows, Untouchable())

    assert np.isfinite(model.score(digit_rows, Untouchable()))
    codes = small().fit_transform(digit_rows, Untouchable())
    assert np.array_equal(codes, model.transform(digit_rows))


def test_permuted_labels_change_nothing(digit_rows):
    labels = load_digits().target
    permuted = np.random.default_rng(0).permutation(labels)

    codes = [small().fit(digit_rows, y).transform(digit_rows) for y in (labels, permuted, None)]

    assert codes[0].tobytes() == codes[1].tobytes() == codes[2].tobytes()


# ---- seeds


def weights_of(model):
    return torch.cat([p.detach().reshape(-1) for p in model.network_.parameters()])


@pytest.mark.parametrize(
    "parameters",
    [{}, {"early_stopping": True}, {"noise_std": 0.2, "mask_fraction": 0.2}, {"kind": "conv"}],
)
def test_the_same_seed_gives_the_same_weights_and_codes(digit_rows, parameters):
    first, second = (small(**parameters).fit(digit_rows) for _ in range(2))

    assert torch.equal(weights_of(first), weights_of(second))
    assert np.array_equal(first.transform(digit_rows), second.transform(digit_rows))


def test_fitting_again_starts_anew(digit_rows):
    model = small().fit(digit_rows)
    first = weights_of(model)

    model.fit(digit_rows)

    assert torch.equal(weights_of(model), first)
    assert len(model.loss_curve_) == 2


def test_other_seeds_give_other_weights(digit_rows):
    seeds = [0, 1, np.int64(2), np.random.RandomState(0), None, None]

    weights = [weights_of(small(random_state=seed).fit(digit_rows)) for seed in seeds]

    assert len({w.numpy().tobytes() for w in weights}) == len(seeds)


def test_a_random_state_goes_on_and_can_be_repeated(digit_rows):
    state = np.random.RandomState(3)
    first, second = (weights_of(small(random_state=state).fit(digit_rows)) for _ in range(2))
    again = weights_of(small(random_state=np.random.RandomState(3)).fit(digit_rows))

    assert torch.equal(first, again)
    assert not torch.equal(first, second)


@pytest.mark.parametrize("random_state", [0, None])
@pytest.mark.parametrize("kind", ["dense", "conv"])
def test_the_global_generators_are_left_alone(digit_rows, random_state, kind):
    def states():
        name, keys, *rest = np.random.get_state()  # noqa: NPY002
        return torch.get_rng_state().tolist(), (name, keys.tolist(), *rest), random.getstate()

    before = states()
    noisy = {"noise_std": 0.1, "mask_fraction": 0.1, "early_stopping": True}
    small(kind=kind, random_state=random_state, **noisy).fit(digit_rows).transform(digit_rows)

    assert states() == before


# ---- arrays in and out


def test_images_of_two_and_three_dimensions_are_flattened(digit_rows):
    rows = digit_rows[:200]
    expected = small().fit(rows).transform(rows)

    for shape in [(8, 8), (8, 8, 1), (4, 4, 4)]:
        images = rows.reshape(200, *shape)
        model = small().fit(images)
        assert model.image_shape_ == shape
        assert np.array_equal(model.transform(images), expected)
        assert np.array_equal(model.transform(rows), expected)


def test_bytes_are_their_255th_parts(images):
    floats = images.astype(np.float32) / 255

    of_bytes, of_floats = small().fit(images), small().fit(floats)

    assert torch.equal(weights_of(of_bytes), weights_of(of_floats))
    assert np.array_equal(of_bytes.transform(images), of_bytes.transform(floats))
    assert of_bytes.score(images) == of_bytes.score(floats)


@pytest.mark.parametrize(("given", "kept"), [("float64", "float64"), ("float32", "float32")])
def test_the_training_datas_type_is_the_models(digit_rows, given, kept):
    X = digit_rows.astype(given)
    model = small().fit(X)

    assert {p.dtype for p in model.network_.parameters()} == {getattr(torch, kept)}
    assert model.transform(X).dtype == kept
    assert model.transform(digit_rows).dtype == kept
    assert model.inverse_transform(model.transform(X)).dtype == kept


def test_a_models_type_and_not_the_arrays_decides_the_precision(digit_rows):
    wide = small().fit(digit_rows.astype(np.float64))
    narrow = small().fit(digit_rows)

    for model in (wide, narrow):
        codes = model.transform(digit_rows)  # sixteenths: exact in both types
        assert np.array_equal(codes, model.transform(digit_rows.astype(np.float64)))


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_the_layout_of_an_array_in_memory_does_not_matter(tmp_path, dtype):
    X = np.random.default_rng(0).integers(0, 256, (300, 12)).astype(dtype)
    X = X if dtype == "uint8" else X / X.dtype.type(255)
    expected = small().fit(X).transform(X)
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    frozen = X.copy()
    frozen.flags.writeable = False
    backwards = np.ascontiguousarray(X[::-1, ::-1])[::-1, ::-1]

    for same in (mapped, frozen, np.asfortranarray(X), backwards, np.repeat(X, 2, axis=1)[:, ::2]):
        assert np.array_equal(small().fit(same).transform(same), expected)


def test_arrays_are_left_as_they_were(digit_rows):
    X = digit_rows.copy()
    model = small(noise_std=0.3, mask_fraction=0.3, early_stopping=True).fit(X)
    codes = model.transform(X)
    kept = codes.copy()
    model.inverse_transform(codes)
    model.score(X)

    assert np.array_equal(X, digit_rows)
    assert np.array_equal(codes, kept)
