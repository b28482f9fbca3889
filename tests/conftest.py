"""What all tests share: no network, and where the real data lie."""

import importlib
import os
import shutil
import signal
import struct
import subprocess
import sys
from pathlib import Path

# Workers beside each other have the cores; more threads would wait for each other, spinning.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest
from sklearn.datasets import load_digits

from ae_cluster import load_dataset

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT))  # experiments/ is not installed; at the end: ``ae_cluster`` is

# Many tests compare bits, and a GPU adds up in any order; test_on_gpu.py is what tests there.
if os.environ.get("AE_CLUSTER_TEST_GPU") != "1":
    os.environ["CUDA_VISIBLE_DEVICES"] = ""


# A browser, and the whole evidence made small: what uses them is left to `pytest -m heavy`.
_HEAVY_FIXTURES = {"start_browser", "smoke"}


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items):
    for item in items:
        if not _HEAVY_FIXTURES.isdisjoint(item.fixturenames):
            item.add_marker("heavy")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """Let a test that measures time (``alone``) wait for other workers, and them for it."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return (yield)
    import fcntl

    with (item.config.cache.mkdir("alone") / "lock").open("w") as file:
        is_alone = item.get_closest_marker("alone") is not None
        fcntl.flock(file, fcntl.LOCK_EX if is_alone else fcntl.LOCK_SH)
        return (yield)


@pytest.fixture(autouse=True)
def _offline(monkeypatch):
    monkeypatch.setenv("AE_CLUSTER_OFFLINE", "1")


@pytest.fixture(autouse=True)
def _ctrl_c_is_heard():
    """Hear SIGINT even where the tests were started in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def mnist_home():
    """Give the data folder that holds MNIST, or skip; AE_CLUSTER_REQUIRE_MNIST=1 forbids it."""
    leave = pytest.fail if os.environ.get("AE_CLUSTER_REQUIRE_MNIST") == "1" else pytest.skip
    home = os.environ.get("AE_CLUSTER_DATA")
    if not home:
        leave("AE_CLUSTER_DATA is not set: no MNIST to test with")
    if not (Path(home) / "MNIST" / "raw" / "train-images-idx3-ubyte").is_file():
        leave(f"AE_CLUSTER_DATA={home} holds no MNIST/raw")
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


@pytest.fixture(scope="session")
def small_run(tmp_path_factory):
    """Give the function that copies the smallest run folder to a place."""
    from small_runs import make_small_run

    made = make_small_run(tmp_path_factory.mktemp("small"))

    def copy(place):
        shutil.copytree(made, place)
        return place

    return copy


@pytest.fixture(scope="session")
def command():
    """Give the function that carries out a command in a process of its own."""
    from own_files import commands

    with commands() as carry_out:
        yield carry_out


@pytest.fixture(scope="session")
def states(tmp_path_factory, command):
    """Give a folder with data, a finished run X, and another that was killed, X.partial."""
    from own_files import make_states

    return make_states(tmp_path_factory.mktemp("states"), command)


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


@pytest.fixture(scope="session")
def digit_rows():
    """Give scikit-learn's 1,797 digits as rows of 64 float32 in [0, 1]; not to be written to."""
    rows = (load_digits().data / 16).astype(np.float32)
    rows.flags.writeable = False
    return rows


@pytest.fixture(scope="session")
def load_experiment():
    """Give the function that imports an experiment by its name."""
    return lambda name: importlib.import_module(f"experiments.{name}")


@pytest.fixture
def run_experiment(tmp_path):
    """Give the function that runs ``python -m experiments.NAME`` in ``tmp_path``, off-screen."""

    def run(name, *args):
        code = (
            f"import runpy, sys; sys.path.append({str(ROOT)!r}); "
            f"runpy.run_module('experiments.{name}', run_name='__main__', alter_sys=True)"
        )
        screens = {"DISPLAY", "WAYLAND_DISPLAY"}
        return subprocess.run(
            [sys.executable, "-c", code, *map(str, args)],
            cwd=tmp_path,
            env={key: value for key, value in os.environ.items() if key not in screens},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def digits():
    """Give the digits, their first three principal axes for codes, and labels."""
    bunch = load_digits()
    pixels = bunch.data / 16
    centered = pixels - pixels.mean(axis=0)
    codes = centered @ np.linalg.svd(centered, full_matrices=False)[2][:3].T
    return pixels, codes, bunch.target


@pytest.fixture
def load_npz(tmp_path):
    """Give a function that saves arrays and loads them as a data set."""

    def save_and_load(file="mine.npz", save=np.savez, options=None, **arrays):
        save(tmp_path / file, **arrays)
        return load_dataset(tmp_path / file, **(options or {}))

    return save_and_load
