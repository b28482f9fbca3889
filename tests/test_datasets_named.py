"""Sets in torchvision's layout: reading their files, and refusing damaged ones."""

import bz2
import gzip
import struct
import time

import numpy as np
import pytest

from ae_cluster.common.errors import InputError
from ae_cluster.datasets import load_dataset
from ae_cluster.datasets.named import FROM_TORCHVISION, SHA256

EMNIST_SPLITS = {
    "byclass": 62,
    "bymerge": 47,
    "balanced": 47,
    "letters": 26,
    "digits": 10,
    "mnist": 10,
}


@pytest.fixture
def torchvision_datasets():
    return pytest.importorskip("torchvision.datasets")


def files_of(name):
    return FROM_TORCHVISION[name].source.files


def test_kmnist_equals_torchvision(kmnist_home, torchvision_datasets):
    kmnist = load_dataset("kmnist", data_home=kmnist_home)
    for train, raw, y in (
        (True, kmnist.raw_train, kmnist.y_train),
        (False, kmnist.raw_test, kmnist.y_test),
    ):
        theirs = torchvision_datasets.KMNIST(str(kmnist_home), train=train)
        np.testing.assert_array_equal(raw, theirs.data.numpy().reshape(len(raw), -1))
        np.testing.assert_array_equal(y, theirs.targets.numpy())
    assert list(kmnist.class_names) == torchvision_datasets.KMNIST.classes
    assert kmnist.y_train.dtype == np.int64
    assert kmnist.image_shape == (28, 28)
    assert kmnist.n_clusters == 10


def test_qmnist_takes_the_class_of_its_eight_columns(tmp_path, images, idx_bytes):
    labels = np.random.default_rng(0).integers(100, 1000, (12, 8)).astype(np.int32)
    labels[:, 0] = np.arange(12) % 10
    raw = tmp_path / "QMNIST" / "raw"
    raw.mkdir(parents=True)
    for half, rows in (("train", slice(8)), ("test", slice(8, 12))):
        (raw / f"qmnist-{half}-images-idx3-ubyte").write_bytes(idx_bytes(images[rows]))
        (raw / f"qmnist-{half}-labels-idx2-int").write_bytes(idx_bytes(labels[rows]))
    qmnist = load_dataset("qmnist", data_home=tmp_path)
    assert qmnist.y_train.tolist() == list(range(8))
    assert qmnist.y_test.tolist() == [8, 9, 0, 1]
    np.testing.assert_array_equal(qmnist.raw_test, images[8:].reshape(4, -1))


@pytest.mark.parametrize(("split", "n_classes"), EMNIST_SPLITS.items())
def test_emnist_is_put_upright_and_counted_from_zero(split, n_classes, tmp_path, images, idx_bytes):
    labels = np.arange(12, dtype=np.uint8) % 10 + (split == "letters")
    raw = tmp_path / "EMNIST" / "raw"
    raw.mkdir(parents=True)
    for half in ("train", "test"):
        (raw / f"emnist-{split}-{half}-images-idx3-ubyte").write_bytes(idx_bytes(images))
        (raw / f"emnist-{split}-{half}-labels-idx1-ubyte").write_bytes(idx_bytes(labels))
    emnist = load_dataset(f"EMNIST_{split}", data_home=tmp_path)
    assert emnist.name == f"emnist-{split}"
    upright = np.stack([image.T for image in images])
    np.testing.assert_array_equal(emnist.raw_train.reshape(12, 28, 28), upright)
    assert emnist.raw_train.flags.c_contiguous
    assert emnist.y_train.tolist() == [*range(10), 0, 1]
    assert emnist.n_clusters == n_classes == len(emnist.class_names)


@pytest.mark.parametrize("split", EMNIST_SPLITS)
def test_emnist_class_names_are_torchvisions(split, torchvision_datasets):
    theirs = torchvision_datasets.EMNIST.classes_split_dict[split]
    ours = FROM_TORCHVISION[f"emnist-{split}"].class_names
    assert list(ours) == [name for name in theirs if name != "N/A"]


def test_fashion_class_names_are_torchvisions(torchvision_datasets):
    ours = FROM_TORCHVISION["fashion-mnist"].class_names
    assert list(ours) == torchvision_datasets.FashionMNIST.classes


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist", "kmnist", "qmnist"])
def test_expected_files_are_what_torchvision_unpacks(name, torchvision_datasets):
    torchvision_class = FROM_TORCHVISION[name].source.torchvision_class
    resources = getattr(torchvision_datasets, torchvision_class).resources
    if name == "qmnist":
        resources = resources["train"] + resources["test"]
    archives = {url.split("/")[-1] for url, _ in resources}
    assert {f"{file.split('/')[-1]}.gz" for file in files_of(name)} == archives
    assert all(file.startswith(f"{torchvision_class}/raw/") for file in files_of(name))


# --- USPS, the one that is no IDX file -------------------------------------------------------


@pytest.fixture
def usps_home(tmp_path):
    values = np.linspace(-1, 1, 256)
    for file, labels in (("usps.bz2", range(1, 11)), ("usps.t.bz2", (10, 3))):
        lines = (
            f"{label} " + " ".join(f"{i}:{v:.4f}" for i, v in enumerate(np.roll(values, label), 1))
            for label in labels
        )
        (tmp_path / file).write_bytes(bz2.compress("\n".join(lines).encode()))
    return tmp_path


def test_usps(usps_home):
    usps = load_dataset("usps", data_home=usps_home)
    assert usps.image_shape == (16, 16)
    assert usps.raw_train.dtype == np.uint8
    assert usps.raw_train.shape == (10, 256)
    assert usps.y_train.tolist() == list(range(10))
    assert usps.y_test.tolist() == [9, 2]
    assert usps.raw_train[0, :2].tolist() == [255, 0]
    assert usps.n_clusters == 10


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: whole[:-20],
        lambda _: b"<html>",
        lambda _: bz2.compress(b"1 1:x\n"),
        lambda _: bz2.compress(b"1 1:0.5\n"),
        lambda _: b"",
        lambda _: bz2.compress(b""),
        lambda whole: bz2.compress(bz2.decompress(whole).replace(b"1 1:", b"%d 1:" % 10**30, 1)),
        lambda whole: bz2.compress(bz2.decompress(whole).replace(b"1:-", b"1:" + b"9" * 99, 1)),
        lambda whole: bz2.compress(bz2.decompress(whole) + bytes(50_000_000)),
    ],
    ids=[
        *("truncated", "no bz2", "no numbers", "few columns", "empty", "nothing", "huge label"),
        *("huge value", "bomb"),
    ],
)
def test_damaged_usps_is_named(damage, usps_home, assert_one_sentence):
    path = usps_home / "usps.bz2"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InputError) as error:
        load_dataset("usps", data_home=usps_home)
    assert_one_sentence(error, path, "delete", "downloaded again")


def test_usps_is_read_as_torchvision_reads_it(usps_home):
    from torchvision.datasets import USPS

    usps = load_dataset("usps", data_home=usps_home)
    theirs = USPS(str(usps_home), train=True)
    assert np.array_equal(usps.raw_train, theirs.data.reshape(10, 256))
    assert usps.y_train.tolist() == theirs.targets


# --- damaged IDX files -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"",
        lambda whole: whole[:3],
        lambda whole: whole[:10],
        lambda whole: whole[:16],
        lambda whole: whole[:-1],
        lambda whole: whole + b"\0",
        lambda _: b"<html>404 not found</html>" * 30,
        gzip.compress,
        lambda whole: whole[:2] + b"\x0c" + whole[3:],
        lambda whole: whole[:3] + b"\x02" + whole[4:],
        lambda whole: whole[:4] + struct.pack(">3I", *(2**32 - 1,) * 3) + whole[16:],
    ],
    ids=[
        *("empty", "half magic", "half header", "no body", "one short", "one over"),
        *("html", "still packed", "other type", "other dimensions", "huge"),
    ],
)
def test_damaged_idx_file_is_named(damage, kmnist_home, assert_one_sentence):
    path = kmnist_home / "KMNIST" / "raw" / "train-images-idx3-ubyte"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InputError) as error:
        load_dataset("kmnist", data_home=kmnist_home)
    assert_one_sentence(error, path, "delete it", "downloaded again")


@pytest.mark.parametrize(
    ("file", "array", "why"),
    [
        ("t10k-labels-idx1-ubyte", np.zeros(3, np.uint8), "3 labels for 4 images"),
        ("train-labels-idx1-ubyte", np.full(8, 10, np.uint8), "10 classes"),
        ("t10k-images-idx3-ubyte", np.zeros((4, 20, 28), np.uint8), "(n, 28, 28)"),
        ("t10k-images-idx3-ubyte", np.zeros((0, 28, 28), np.uint8), "holds nothing"),
    ],
)
def test_files_that_do_not_belong_together(
    file, array, why, kmnist_home, idx_bytes, assert_one_sentence
):
    raw = kmnist_home / "KMNIST" / "raw"
    (raw / file).write_bytes(idx_bytes(array))
    with pytest.raises(InputError) as error:
        load_dataset("kmnist", data_home=kmnist_home)
    assert_one_sentence(error, raw, why, "delete")


def test_empty_halves_are_refused(kmnist_home, kmnist_files, idx_bytes):
    for name in kmnist_files:
        shape = (0, 28, 28) if "images" in name else 0
        (kmnist_home / "KMNIST" / "raw" / name).write_bytes(idx_bytes(np.zeros(shape, np.uint8)))
    with pytest.raises(InputError, match="holds nothing"):
        load_dataset("kmnist", data_home=kmnist_home)


# --- real data -------------------------------------------------------------------------------


@pytest.mark.mnist
def test_mnist(mnist_home, torchvision_datasets):
    mnist = load_dataset("mnist", data_home=mnist_home)
    theirs = torchvision_datasets.MNIST(str(mnist_home), train=False)
    np.testing.assert_array_equal(mnist.raw_test, theirs.data.numpy().reshape(10000, 784))
    np.testing.assert_array_equal(mnist.y_test, theirs.targets.numpy())
    assert mnist.raw_train.shape == (60000, 784)
    assert mnist.raw_train.dtype == np.uint8
    assert np.bincount(mnist.y_train).tolist() == [
        *(5923, 6742, 5958, 6131, 5842),
        *(5421, 5918, 6265, 5851, 5949),
    ]
    assert mnist.fingerprint.startswith("63698085de48")


@pytest.mark.mnist
@pytest.mark.alone
def test_mnist_loads_in_a_second(mnist_home):
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        load_dataset("mnist", data_home=mnist_home)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 1


@pytest.mark.mnist
def test_fashion_mnist(mnist_home):
    if not (mnist_home / "FashionMNIST").is_dir():
        pytest.skip("AE_CLUSTER_DATA holds no FashionMNIST")
    fashion = load_dataset("Fashion_MNIST", data_home=mnist_home)
    assert fashion.class_names[fashion.y_train[0]] == "Ankle boot"
    assert np.bincount(fashion.y_train).tolist() == [6000] * 10


@pytest.mark.mnist
def test_data_home_comes_from_the_environment(mnist_home, monkeypatch):
    monkeypatch.setenv("AE_CLUSTER_DATA", str(mnist_home))
    assert len(load_dataset("mnist").raw_train) == 60000


@pytest.fixture
def mnist_copy(mnist_home, tmp_path):
    """Give a data folder of links to the real files: replace them, never write to them."""
    for file in files_of("mnist"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).symlink_to(mnist_home.resolve() / file)
    return tmp_path


def flip_last_bit(content):
    return content[:-1] + bytes([content[-1] ^ 1])


def cut_in_half(content):
    return content[: len(content) // 2]


@pytest.mark.mnist
@pytest.mark.parametrize("damage", [flip_last_bit, cut_in_half])
@pytest.mark.parametrize("file", files_of("mnist"))
def test_damaged_mnist_file_is_named(damage, file, mnist_copy, assert_one_sentence):
    content = (mnist_copy / file).read_bytes()
    (mnist_copy / file).unlink()
    (mnist_copy / file).write_bytes(damage(content))
    with pytest.raises(InputError) as error:
        load_dataset("mnist", data_home=mnist_copy)
    assert_one_sentence(error, mnist_copy / file, "SHA-256", "delete it")


def test_another_sets_files_do_not_pass_for_mnist(kmnist_home):
    (kmnist_home / "KMNIST").rename(kmnist_home / "MNIST")
    with pytest.raises(InputError, match="SHA-256"):
        load_dataset("mnist", data_home=kmnist_home)


def test_every_file_of_mnist_and_fashion_mnist_has_a_sum():
    assert set(SHA256) == {*files_of("mnist"), *files_of("fashion-mnist")}
    assert len(set(SHA256.values())) == 8
    assert all(len(digest) == 64 for digest in SHA256.values())
