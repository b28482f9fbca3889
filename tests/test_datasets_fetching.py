"""Finding the data folder and downloading into it, from a server on this machine."""

import bz2
import gc
import gzip
import hashlib
import shutil
import socket
import threading
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from ae_cluster.common.errors import InputError
from ae_cluster.datasets import load_dataset
from ae_cluster.datasets.fetching import data_folder
from ae_cluster.datasets.named import FROM_TORCHVISION

torchvision_datasets = pytest.importorskip("torchvision.datasets")


def md5(content):
    return hashlib.md5(content).hexdigest()


def files_below(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_data_folder_is_the_one_said_then_the_variable_then_the_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("AE_CLUSTER_DATA", str(tmp_path / "variable"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert data_folder(tmp_path / "said") == tmp_path / "said"
    assert data_folder("~/said") == tmp_path / "said"
    assert data_folder(None) == tmp_path / "variable"
    monkeypatch.setenv("AE_CLUSTER_DATA", "")
    assert data_folder(None) == tmp_path / "cache" / "ae_cluster"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert data_folder(None) == tmp_path / ".cache" / "ae_cluster"


@pytest.mark.parametrize("name", sorted(FROM_TORCHVISION))
@pytest.mark.parametrize("how", ["variable", "argument"])
def test_absent_and_forbidden(name, how, tmp_path, monkeypatch, assert_one_sentence):
    monkeypatch.setenv("AE_CLUSTER_OFFLINE", "1" if how == "variable" else "0")
    with pytest.raises(InputError) as error:
        load_dataset(name, data_home=tmp_path / "none", download=how == "variable")
    expected = tmp_path / "none" / FROM_TORCHVISION[name].source.files[0]
    assert_one_sentence(error, name, "forbidden", expected.parent, expected.name, "--data-home")
    assert not (tmp_path / "none").exists()


def test_only_the_missing_files_are_named(kmnist_home, assert_one_sentence):
    (kmnist_home / "KMNIST" / "raw" / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(InputError) as error:
        load_dataset("kmnist", data_home=kmnist_home)
    assert_one_sentence(error, "t10k-labels-idx1-ubyte")
    assert "train-images" not in str(error.value)


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture
def _online(monkeypatch):
    monkeypatch.setenv("AE_CLUSTER_OFFLINE", "0")


@pytest.fixture
def server(tmp_path_factory, monkeypatch):
    """Serve a folder on this machine: gives the folder and its address."""
    monkeypatch.setenv("AE_CLUSTER_OFFLINE", "0")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    folder = tmp_path_factory.mktemp("server")
    handler = partial(QuietHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, args=(0.01,))
        thread.start()
        yield folder, f"http://127.0.0.1:{httpd.server_port}/"
        httpd.shutdown()
        thread.join()


@pytest.fixture
def kmnist_server(server, kmnist_files, monkeypatch):
    """Let torchvision's KMNIST come from this machine, as archives with checksums."""
    folder, address = server
    archives = {f"{name}.gz": gzip.compress(content) for name, content in kmnist_files.items()}
    for name, archive in archives.items():
        (folder / name).write_bytes(archive)
    resources = [(name, md5(archive)) for name, archive in archives.items()]
    monkeypatch.setattr(torchvision_datasets.KMNIST, "mirrors", [address])
    monkeypatch.setattr(torchvision_datasets.KMNIST, "resources", resources)
    return folder


def test_download_on_first_use_only(kmnist_server, images, tmp_path, capsys):
    home = tmp_path / "new" / "home"
    kmnist = load_dataset("kmnist", data_home=home)
    np.testing.assert_array_equal(kmnist.raw_train, images[:8].reshape(8, -1))
    assert files_below(home) == sorted(FROM_TORCHVISION["kmnist"].source.files)
    assert "100%" in capsys.readouterr().err
    shutil.rmtree(kmnist_server)
    assert load_dataset("kmnist", data_home=home).fingerprint == kmnist.fingerprint
    assert capsys.readouterr().err == ""


# torchvision drops the answer to a failed request unclosed; collect it where that is allowed.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.parametrize("failure", ["missing", "wrong checksum", "truncated archive"])
def test_broken_download_leaves_nothing(failure, kmnist_server, tmp_path, assert_one_sentence):
    archive = kmnist_server / "t10k-images-idx3-ubyte.gz"
    whole = archive.read_bytes()
    if failure == "missing":
        archive.unlink()
    else:
        archive.write_bytes(whole[:-9] if failure == "truncated archive" else whole[::-1])
    with pytest.raises(InputError) as error:
        load_dataset("kmnist", data_home=tmp_path)
    assert_one_sentence(error, "kmnist could not be downloaded", tmp_path / "KMNIST" / "raw")
    assert list(tmp_path.iterdir()) == []
    del error
    gc.collect()
    archive.write_bytes(whole)
    assert len(load_dataset("kmnist", data_home=tmp_path).raw_train) == 8


def test_download_of_an_archive_that_does_not_unpack(kmnist_server, tmp_path, monkeypatch):
    broken = gzip.compress(b"x" * 999)[:-9]
    (kmnist_server / "t10k-images-idx3-ubyte.gz").write_bytes(broken)
    resources = [
        (name, md5((kmnist_server / name).read_bytes()))
        for name, _ in torchvision_datasets.KMNIST.resources
    ]
    monkeypatch.setattr(torchvision_datasets.KMNIST, "resources", resources)
    with pytest.raises(InputError, match="could not be downloaded"):
        load_dataset("kmnist", data_home=tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("_online")
def test_interrupted_download_leaves_nothing(tmp_path, monkeypatch):
    def interrupted(root, **_):
        raw = Path(root) / "KMNIST" / "raw"
        raw.mkdir(parents=True)
        (raw / "train-images-idx3-ubyte").write_bytes(b"half a file")
        raise KeyboardInterrupt

    monkeypatch.setattr(torchvision_datasets, "KMNIST", interrupted)
    with pytest.raises(KeyboardInterrupt):
        load_dataset("kmnist", data_home=tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert socket.getdefaulttimeout() is None


@pytest.mark.usefixtures("kmnist_server")
def test_download_keeps_the_files_already_there(kmnist_home, idx_bytes):
    raw = kmnist_home / "KMNIST" / "raw"
    (raw / "t10k-labels-idx1-ubyte").unlink()
    mine = idx_bytes(np.zeros(8, np.uint8))
    (raw / "train-labels-idx1-ubyte").write_bytes(mine)
    load_dataset("kmnist", data_home=kmnist_home)
    assert (raw / "train-labels-idx1-ubyte").read_bytes() == mine
    assert len(files_below(kmnist_home)) == 4


@pytest.mark.usefixtures("_online")
def test_no_network(tmp_path, monkeypatch, assert_one_sentence):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(torchvision_datasets.KMNIST, "mirrors", ["http://127.0.0.1:9/"])
    with pytest.raises(InputError) as error:
        load_dataset("kmnist", data_home=tmp_path)
    assert_one_sentence(error, "kmnist could not be downloaded", "Connection refused")
    assert list(tmp_path.iterdir()) == []


def test_a_silent_server_is_not_waited_for_without_end(kmnist_server, tmp_path, monkeypatch):
    monkeypatch.setattr("ae_cluster.datasets.fetching.SECONDS_OF_SILENCE", 0.1)
    monkeypatch.setattr(QuietHandler, "do_GET", lambda _: threading.Event().wait(1))
    with pytest.raises(InputError, match="timed out"):
        load_dataset("kmnist", data_home=tmp_path)
    assert kmnist_server.is_dir()


def test_emnist_download_keeps_every_split(server, images, idx_bytes, tmp_path, monkeypatch):
    folder, address = server
    labels = np.arange(1, 9, dtype=np.uint8)
    with zipfile.ZipFile(folder / "gzip.zip", "w") as archive:
        for split in ("letters", "digits"):
            for half in ("train", "test"):
                stem = f"gzip/emnist-{split}-{half}"
                archive.writestr(
                    f"{stem}-images-idx3-ubyte.gz", gzip.compress(idx_bytes(images[:8]))
                )
                archive.writestr(f"{stem}-labels-idx1-ubyte.gz", gzip.compress(idx_bytes(labels)))
    emnist = torchvision_datasets.EMNIST
    monkeypatch.setattr(emnist, "url", f"{address}gzip.zip")
    monkeypatch.setattr(emnist, "md5", md5((folder / "gzip.zip").read_bytes()))
    assert load_dataset("emnist-letters", data_home=tmp_path).y_test.tolist() == list(range(8))
    assert load_dataset("emnist-digits", data_home=tmp_path, download=False).n_clusters == 10
    assert len(files_below(tmp_path)) == 8


def test_usps_download(server, tmp_path, monkeypatch):
    folder, address = server
    line = " ".join(["3", *(f"{i}:-1" for i in range(1, 257))])
    archive = bz2.compress(line.encode())
    split_list = {}
    for half, file in (("train", "usps.bz2"), ("test", "usps.t.bz2")):
        (folder / file).write_bytes(archive)
        split_list[half] = [f"{address}{file}", file, md5(archive)]
    monkeypatch.setattr(torchvision_datasets.USPS, "split_list", split_list)
    assert load_dataset("usps", data_home=tmp_path).y_test.tolist() == [2]
    assert files_below(tmp_path) == ["usps.bz2", "usps.t.bz2"]


@pytest.mark.usefixtures("_online")
def test_folder_that_cannot_be_written(tmp_path, assert_one_sentence):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(InputError) as error:
        load_dataset("kmnist", data_home=tmp_path / "file" / "home")
    assert_one_sentence(error, tmp_path / "file" / "home", "cannot be written", "--data-home")


def test_a_folder_where_a_file_belongs(kmnist_home):
    path = kmnist_home / "KMNIST" / "raw" / "train-images-idx3-ubyte"
    path.unlink()
    path.mkdir()
    with pytest.raises(InputError, match="train-images-idx3-ubyte"):
        load_dataset("kmnist", data_home=kmnist_home)
