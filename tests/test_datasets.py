"""Names and paths, scikit-learn's digits, and what a data set is."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ae_cluster.common.errors import InputError
from ae_cluster.datasets import Dataset, known_datasets, load_dataset
from ae_cluster.datasets.dataset import fingerprint, numbered_ids


def test_known_names():
    assert known_datasets() == (
        *("digits", "mnist", "fashion-mnist", "kmnist", "qmnist", "usps"),
        *("emnist-byclass", "emnist-bymerge", "emnist-balanced"),
        *("emnist-letters", "emnist-digits", "emnist-mnist"),
    )


@pytest.mark.parametrize("spelling", ["digits", "Digits", "DIGITS", Path("digits")])
def test_names_in_any_case(spelling):
    data = load_dataset(spelling)
    assert isinstance(data, Dataset)
    assert data.name == "digits"


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("minst", "did you mean mnist"),
        ("fashionmnist", "fashion-mnist"),
        ("EMNIST_leters", "emnist-letters"),
        ("digit", "digits"),
        ("", "known are"),
        ("zzzz", "known are"),
    ],
)
def test_unknown_name_says_the_nearest(name, near, assert_one_sentence):
    with pytest.raises(InputError) as error:
        load_dataset(name)
    assert_one_sentence(error, repr(name), near)


@pytest.mark.parametrize("path", ["none.npz", "no/such/file", "./mnist", Path("x.npz")])
def test_path_that_does_not_exist(path, tmp_path, monkeypatch, assert_one_sentence):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as error:
        load_dataset(path)
    assert_one_sentence(error, Path(path), "no such file")


def test_a_file_does_not_shadow_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("digits").write_bytes(b"mine")
    assert load_dataset("digits").n_clusters == 10
    with pytest.raises(InputError, match=r"\.npz"):
        load_dataset("./digits")


def test_image_shape_is_not_for_named_sets(assert_one_sentence):
    assert load_dataset("digits", image_shape=(8, 8, 1)).image_shape == (8, 8)
    with pytest.raises(InputError) as error:
        load_dataset("digits", image_shape=(4, 16))
    assert_one_sentence(error, "(8, 8)", "(4, 16)")


def test_digits():
    digits = load_dataset("digits")
    assert digits.raw_train.shape == (1347, 64)
    assert digits.raw_test.shape == (450, 64)
    assert digits.raw_train.dtype == np.float32
    assert digits.x_train.min() == 0
    assert digits.x_train.max() == 1
    assert digits.image_shape == (8, 8)
    assert not digits.is_table
    assert digits.n_clusters == 10
    assert digits.class_names == tuple("0123456789")


def test_digits_split_is_stratified_and_complete():
    from sklearn.datasets import load_digits

    digits, source = load_dataset("digits"), load_digits()
    share = np.bincount(digits.y_test) / np.bincount(source.target)
    assert np.all(np.abs(share - 0.25) < 0.01)
    rows = np.concatenate([digits.ids_train, digits.ids_test]).astype(int)
    assert sorted(rows) == list(range(1797))
    np.testing.assert_array_equal(
        np.concatenate([digits.raw_train, digits.raw_test]) * 16, source.data[rows]
    )
    np.testing.assert_array_equal(
        np.concatenate([digits.y_train, digits.y_test]), source.target[rows]
    )


def test_digits_split_is_the_same_for_everybody():
    with pytest.warns(UserWarning, match="test size of 0.5 is not used: digits has a test split"):
        other = load_dataset("digits", seed=1, test_size=0.5)
    assert other.fingerprint == load_dataset("digits").fingerprint
    assert other.fingerprint.startswith("0df5eff5da10")


def test_a_data_folder_for_the_bundled_digits_is_said_to_be_unused(tmp_path):
    with pytest.warns(UserWarning, match="is not used: digits come with scikit-learn"):
        load_dataset("digits", data_home=tmp_path)


def test_bytes_become_what_to_tensor_gives(kmnist_home, images):
    torch = pytest.importorskip("torch")
    kmnist = load_dataset("kmnist", data_home=kmnist_home)
    assert kmnist.raw_train.dtype == np.uint8
    expected = torch.from_numpy(images[:8]).reshape(8, -1).to(torch.float32).div(255)
    np.testing.assert_array_equal(kmnist.x_train, expected.numpy())
    assert kmnist.x_train.dtype == np.float32


@pytest.mark.parametrize("name", ["digits", "kmnist"])
def test_arrays_are_writable_contiguous_and_fresh(name, kmnist_home):
    data = load_dataset(name, data_home=kmnist_home if name == "kmnist" else None)
    for raw in (data.raw_train, data.raw_test):
        assert raw.flags.c_contiguous
        assert raw.flags.writeable
    data.x_train[:] = 7
    assert data.x_train.max() <= 1


def test_repr_is_one_short_line():
    assert repr(load_dataset("digits")) == (
        "<Dataset digits: 1347 train, 450 test, 8 × 8 images, 10 classes>"
    )


def test_dataset_is_frozen():
    with pytest.raises(AttributeError):
        load_dataset("digits").name = "other"


def test_ids_are_unique_across_the_halves(kmnist_home):
    kmnist = load_dataset("kmnist", data_home=kmnist_home)
    assert kmnist.ids_train[0] == "train-0"
    assert kmnist.ids_test[-1] == "test-3"
    assert len({*kmnist.ids_train, *kmnist.ids_test}) == 12


ARRAYS = {
    "raw_train": np.arange(6, dtype=np.uint8).reshape(3, 2),
    "raw_test": np.zeros((1, 2), np.uint8),
    "y_train": np.array([0, 1, -1]),
    "y_test": None,
}


@pytest.mark.parametrize(
    "change",
    [
        {"raw_train": np.array([[0, 1], [2, 3], [4, 6]], np.uint8)},
        {"raw_train": ARRAYS["raw_train"].astype(np.float32)},
        {"raw_train": ARRAYS["raw_train"].reshape(2, 3)},
        {"raw_test": np.zeros((2, 1), np.uint8)},
        {"y_train": np.array([0, 1, 1])},
        {"y_train": None},
        {"y_train": None, "y_test": ARRAYS["y_train"]},
        {"raw_train": ARRAYS["raw_test"], "raw_test": ARRAYS["raw_train"]},
    ],
)
def test_fingerprint_changes_with_the_arrays(change):
    changed, before = ({**ARRAYS, **change}, ARRAYS)
    assert fingerprint(changed, (1, 2), ("a", "b")) != fingerprint(before, (1, 2), ("a", "b"))


def test_fingerprint_changes_with_shape_and_class_names():
    prints = {
        fingerprint(ARRAYS, shape, names)
        for shape in ((1, 2), (2, 1), None)
        for names in (("a", "b"), ("b", "a"), ("ab",))
    }
    assert len(prints) == 9


def test_fingerprint_does_not_depend_on_memory_order():
    turned = {**ARRAYS, "raw_train": np.asfortranarray(ARRAYS["raw_train"])}
    assert fingerprint(turned, None, ()) == fingerprint(ARRAYS, None, ())


def test_fingerprint_is_the_same_in_another_process(kmnist_home):
    here = load_dataset("kmnist", data_home=kmnist_home).fingerprint
    code = (
        "from ae_cluster.datasets import load_dataset;"
        f"print(load_dataset('kmnist', data_home={str(kmnist_home)!r}).fingerprint)"
    )
    there = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert there.stdout.strip() == here


def test_only_what_is_needed_is_imported(kmnist_home):
    code = (
        "import sys; from ae_cluster.datasets import known_datasets, load_dataset;"
        f"load_dataset('kmnist', data_home={str(kmnist_home)!r});"
        "assert not {'torch', 'torchvision', 'sklearn'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(("n", "start"), [(0, 0), (1, 0), (11, 0), (1001, 95), (5, 9_999_998)])
@pytest.mark.parametrize("prefix", ["", "test-"])
def test_numbered_ids_are_the_numbers_as_text(n, start, prefix):
    wanted = [f"{prefix}{i}" for i in range(start, start + n)]

    assert numbered_ids(n, prefix, start).tolist() == wanted
