"""What all tests share: no network, and where the real data lie."""

import os
import struct
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def _offline(monkeypatch):
    monkeypatch.setenv("AE_CLUSTER_OFFLINE", "1")


@pytest.fixture
def mnist_home():
    """Give the data folder that holds MNIST, or skip."""
    home = os.environ.get("AE_CLUSTER_DATA")
    if not home:
        pytest.skip("AE_CLUSTER_DATA is not set: no MNIST to test with")
    if not (Path(home) / "MNIST" / "raw" / "train-images-idx3-ubyte").is_file():
        pytest.skip(f"AE_CLUSTER_DATA={home} holds no MNIST/raw")
    return Path(home)


def _idx_bytes(array):
    code = {"uint8": 8, "int32": 12}[array.dtype.name]
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


@pytest.fixture
def idx_bytes():
    """Give the function that encodes an array as IDX, from the format's description."""
    return _idx_bytes


@pytest.fixture
def images():
    """Give twelve 28 × 28 images of random bytes."""
    return np.random.default_rng(0).integers(0, 256, (12, 28, 28), dtype=np.uint8)


@pytest.fixture
def kmnist_files(images):
    """Give the four files of a KMNIST of eight training and four test images."""
    labels = np.arange(12, dtype=np.uint8) % 10
    return {
        "train-images-idx3-ubyte": _idx_bytes(images[:8]),
        "train-labels-idx1-ubyte": _idx_bytes(labels[:8]),
        "t10k-images-idx3-ubyte": _idx_bytes(images[8:]),
        "t10k-labels-idx1-ubyte": _idx_bytes(labels[8:]),
    }


@pytest.fixture
def kmnist_home(kmnist_files, tmp_path):
    """Give a data folder that holds that KMNIST."""
    raw = tmp_path / "KMNIST" / "raw"
    raw.mkdir(parents=True)
    for name, content in kmnist_files.items():
        (raw / name).write_bytes(content)
    return tmp_path


@pytest.fixture
def assert_one_sentence():
    """Give the check that an error (or its message) is one sentence with these parts in it."""

    def check(error, *parts):
        message = str(getattr(error, "value", error))
        assert "\n" not in message
        assert message.endswith((".", "?")), message
        for part in parts:
            assert str(part) in message, message

    return check
