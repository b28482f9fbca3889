"""A user's .npz: what is taken and what it becomes."""

import numpy as np
import pytest
from made_arrays import AN_OBJECT, BYTES, FLOATS, TABLE, Y

from ae_cluster.datasets import load_dataset

# --- what is taken ---------------------------------------------------------------------------


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_halves_are_kept_as_given(load_npz, save):
    halves = {"x_train": BYTES[:7], "x_test": BYTES[7:], "y_train": Y[:7], "y_test": Y[7:]}
    with pytest.warns(UserWarning, match="not used: 'other'; known are x_train"):
        data = load_npz(save=save, other=AN_OBJECT, **halves)
    np.testing.assert_array_equal(data.raw_train, BYTES[:7].reshape(7, 20))
    np.testing.assert_array_equal(data.raw_test, BYTES[7:].reshape(3, 20))
    assert data.raw_train.dtype == np.uint8
    assert data.image_shape == (5, 4)
    assert data.y_train.tolist() == Y[:7].tolist()
    assert data.y_test.tolist() == Y[7:].tolist()
    assert data.ids_train.tolist() == [f"train-{i}" for i in range(7)]
    assert data.ids_test.tolist() == ["test-0", "test-1", "test-2"]


def test_number_of_clusters_never_comes_from_labels(load_npz):
    assert load_npz(x=BYTES, y=Y).n_clusters is None


def test_a_file_never_bears_the_name_of_a_known_set(load_npz):
    assert load_npz(file="mnist.npz", x=BYTES).name == "mnist.npz"


def test_suffix_in_capitals(load_npz, tmp_path):
    load_npz(x=BYTES)
    (tmp_path / "mine.npz").rename(tmp_path / "MINE.NPZ")
    assert load_dataset(tmp_path / "MINE.NPZ").name == "MINE.NPZ"


@pytest.mark.parametrize(
    ("x", "dtype", "image_shape"),
    [
        (BYTES, np.uint8, (5, 4)),
        (BYTES > 100, np.uint8, (5, 4)),
        (FLOATS, np.float32, (5, 4)),
        (FLOATS.astype(np.float16), np.float32, (5, 4)),
        (FLOATS.astype(">f8"), np.float32, (5, 4)),
        (np.asfortranarray(FLOATS), np.float32, (5, 4)),
        (FLOATS * (1 + 1e-12) / FLOATS.max(), np.float32, (5, 4)),
        (BYTES[..., None], np.uint8, (5, 4)),
        (np.stack([BYTES] * 3, axis=-1), np.uint8, (5, 4, 3)),
        (TABLE, np.float32, None),
        (TABLE.astype(np.int32), np.float32, None),
        (BYTES.reshape(10, 20), np.float32, None),
        (TABLE > 0, np.float32, None),
    ],
)
def test_types_and_shapes(load_npz, x, dtype, image_shape):
    data = load_npz(x_train=x, x_test=x[:2])
    for raw in (data.raw_train, data.raw_test):
        assert raw.dtype == dtype
        assert raw.dtype.isnative
        assert raw.flags.c_contiguous
        assert raw.flags.writeable
    assert data.image_shape == image_shape
    assert data.is_table == (image_shape is None)
    expected = x.reshape(10, -1).astype(np.float32)
    if dtype == np.uint8 and x.dtype != bool:
        expected /= 255
    np.testing.assert_array_equal(data.x_train, expected)
    assert data.x_train.dtype == np.float32


def test_image_shape_makes_images_of_columns(load_npz):
    flat = BYTES.reshape(10, 20)
    data = load_npz(x=flat, options={"image_shape": (5, 4)})
    assert data.image_shape == (5, 4)
    assert data.raw_train.dtype == np.uint8
    assert data.fingerprint == load_npz(x=BYTES).fingerprint
    assert load_npz(x=BYTES, options={"image_shape": [5, 4, 1]}).image_shape == (5, 4)
    assert load_npz(x=flat, options={"image_shape": (2, 2, 5)}).image_shape == (2, 2, 5)


def test_constant_columns_are_no_harm(load_npz):
    table = TABLE.copy()
    table[:, 1] = 7
    assert load_npz(x=table).raw_train[:, 1].tolist() == [7] * 8


# --- the split -------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "test_size", "n_test"), [(10, 0.2, 2), (10, 0.25, 3), (3, 0.1, 1)])
def test_split_keeps_every_row_once_and_in_order(load_npz, n, test_size, n_test):
    data = load_npz(x=BYTES[:n], y=np.arange(n), options={"test_size": test_size})
    train, test = (ids.astype(int) for ids in (data.ids_train, data.ids_test))
    assert len(test) == n_test
    assert sorted([*train, *test]) == list(range(n))
    assert sorted(train) == list(train)
    np.testing.assert_array_equal(data.raw_train, BYTES[train].reshape(len(train), -1))
    assert data.y_train.tolist() == train.tolist()
    assert data.y_test.tolist() == test.tolist()


def test_split_follows_the_seed_and_nothing_else(load_npz):
    def test_ids(seed, **arrays):
        return load_npz(x=TABLE, options={"seed": seed}, **arrays).ids_test.tolist()

    assert test_ids(0) == test_ids(0)
    assert len({tuple(test_ids(seed)) for seed in range(5)}) > 1
    assert test_ids(0, y=Y) == test_ids(0, y=Y[::-1]) == test_ids(0, y=np.sort(Y)) == test_ids(0)
    assert load_npz(x=BYTES).ids_test.tolist() == test_ids(0)


# --- labels and ids --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("y", "codes", "names"),
    [
        ([0, 1, 2, 0], [0, 1, 2, 0], ("0", "1", "2")),
        ([5, 1, -1, 5], [1, 0, -1, 1], ("1", "5")),
        ([10, 9, 10, 9], [1, 0, 1, 0], ("9", "10")),
        ([3.0, 1.0, -1.0, 3.0], [1, 0, -1, 1], ("1", "3")),
        ([True, False, True, True], [1, 0, 1, 1], ("0", "1")),
        (["dog", "cat", "", "dog"], [1, 0, -1, 1], ("cat", "dog")),
        (["dog", "cat", -1, "dog"], [1, 0, -1, 1], ("cat", "dog")),
        (["dog", "cat", "NA", "dog "], [1, 0, -1, 1], ("cat", "dog")),
        (["dog", "-1.0", "None", "NaN"], [0, -1, -1, -1], ("dog",)),
        (["2", "1", "1.0", "02"], [1, 0, 0, 1], ("1", "2")),
        ([3.0, 1.0, np.nan, 3.0], [1, 0, -1, 1], ("1", "3")),
        ([b"dog", b"caf\xc3\xa9", b"", b"dog"], [1, 0, -1, 1], ("café", "dog")),
        ([[2], [0], [-1], [2]], [1, 0, -1, 1], ("0", "2")),
        (np.array([7, 7, 8, 8], np.uint8), [0, 0, 1, 1], ("7", "8")),
    ],
)
def test_labels_are_renumbered(load_npz, y, codes, names):
    data = load_npz(x_train=TABLE[:4], x_test=TABLE[4:6], y_train=np.array(y))
    assert data.y_train.tolist() == codes
    assert data.y_train.dtype == np.int64
    assert data.class_names == names
    assert data.y_test is None


def test_train_and_test_labels_share_their_numbers(load_npz):
    data = load_npz(
        x_train=TABLE[:3],
        x_test=TABLE[3:5],
        y_train=np.array(["b", "d", "b"]),
        y_test=np.array(["a", "d"]),
    )
    assert data.class_names == ("a", "b", "d")
    assert data.y_train.tolist() == [1, 2, 1]
    assert data.y_test.tolist() == [0, 2]


def test_numbers_and_their_text_are_one_class(load_npz):
    data = load_npz(
        x_train=TABLE[:3],
        x_test=TABLE[3:6],
        y_train=np.array([2, 1, -1]),
        y_test=np.array(["1.0", "2", "NA"]),
    )
    assert data.class_names == ("1", "2")
    assert data.y_train.tolist() == [1, 0, -1]
    assert data.y_test.tolist() == [0, 1, -1]


def test_no_labels_is_normal(load_npz):
    data = load_npz(x=TABLE)
    assert data.y_train is None
    assert data.y_test is None
    assert data.class_names == ()


@pytest.mark.parametrize("y", [np.full(10, -1), np.full(10, ""), np.full(10, np.nan)])
def test_all_unknown_is_no_labels(load_npz, y):
    data = load_npz(x=TABLE, y=y)
    assert data.y_train is None
    assert data.y_test is None
    assert data.class_names == ()
    assert data.fingerprint == load_npz(x=TABLE).fingerprint


def test_labels_known_in_one_half_only(load_npz):
    data = load_npz(x_train=TABLE[:7], x_test=TABLE[7:], y_train=np.full(7, -1), y_test=Y[7:])
    assert data.y_train is None
    assert data.y_test.tolist() == Y[7:].tolist()


def test_fingerprint_sees_labels_but_not_ids_or_the_file_name(load_npz):
    base = load_npz(x=BYTES, y=Y).fingerprint
    assert load_npz(file="other.npz", x=BYTES, y=Y, ids=np.arange(10) + 5).fingerprint == base
    assert load_npz(x=BYTES, y=Y[::-1]).fingerprint != base
    assert load_npz(x=BYTES).fingerprint != base
    changed = BYTES.copy()
    changed[9, 4, 3] ^= 1
    assert load_npz(x=changed, y=Y).fingerprint != base


@pytest.mark.parametrize("ids", [np.arange(10) * 2, np.array(list("abcdefghij"))])
def test_given_ids(load_npz, ids):
    data = load_npz(x=TABLE, ids=ids)
    assert data.ids_train.dtype.kind == "U"
    assert sorted([*data.ids_train, *data.ids_test]) == sorted(str(i) for i in ids)
    halves = load_npz(x_train=TABLE[:7], x_test=TABLE[7:], ids_train=ids[:7])
    assert halves.ids_train.tolist() == [str(i) for i in ids[:7]]
    assert halves.ids_test.tolist() == ["test-0", "test-1", "test-2"]


# --- what is not used, said -------------------------------------------------------------------


def test_a_test_size_beside_a_given_test_half_is_said_to_be_unused(load_npz):
    with pytest.warns(UserWarning, match="0.5 is not used: mine.npz has an x_test"):
        load_npz(x_train=BYTES, x_test=BYTES, options={"test_size": 0.5})


@pytest.mark.parametrize("name", ["labels_old", "y2", "weights", "label"])
def test_other_arrays_beside_labels_are_named_and_not_read(load_npz, name):
    with pytest.warns(UserWarning, match=f"not used: '{name}'"):
        data = load_npz(x=BYTES, y=Y, ids=np.arange(10), **{name: AN_OBJECT})
    assert data.fingerprint == load_npz(x=BYTES, y=Y).fingerprint


def test_columns_that_float32_can_hold_are_kept(load_npz):
    rng = np.random.default_rng(0)
    columns = [
        rng.normal(size=50) * 1e-30, rng.normal(size=50) * 1e30, rng.integers(2, size=50),
        rng.lognormal(sigma=3, size=50), np.full(50, 1e9), np.arange(50) + 1_000_000,
    ]  # fmt: skip
    assert load_npz(x=np.column_stack(columns)).raw_train.shape == (40, 6)


def test_names_of_columns_in_an_npz_are_kept(tmp_path):
    path, x = tmp_path / "mine.npz", np.random.default_rng(0).normal(size=(20, 3))
    np.savez(path, x=x, columns=["width", "length", "größe"])

    assert load_dataset(path).column_names == ("width", "length", "größe")


@pytest.mark.parametrize("columns", [["a", "b"], ["a", "a", "b"], [1, 2, 3]])
def test_what_cannot_be_names_of_columns_is_said_and_not_used(tmp_path, columns):
    path, x = tmp_path / "mine.npz", np.random.default_rng(0).normal(size=(20, 3))
    np.savez(path, x=x, columns=columns)

    with pytest.warns(UserWarning, match="columns is not used: it must hold another name"):
        assert load_dataset(path).column_names == ()
