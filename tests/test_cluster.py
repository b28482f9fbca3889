"""A grid on a real dask scheduler with real workers: the same rows, whoever is killed."""

import os
import re
import subprocess
import sys
import time
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from test_evidence_grid import ROOT, arguments_of, n_cells, published

from ae_cluster.common.errors import InputError
from ae_cluster.common.workers import take_place
from ae_cluster.datasets import load_dataset

pytest.importorskip("distributed", reason="the extra cluster is not installed")
GRID = [sys.executable, "-m", "experiments.compare_clustering"]


@contextmanager
def running(*words, **variables):
    process = subprocess.Popen(
        [sys.executable, "-m", *words], cwd=ROOT, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, env=os.environ | variables,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_until(is_so, seconds=120):
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.01)


@contextmanager
def cluster(folder, n_workers, n_threads=1, **variables):
    """Give a scheduler's address, its process, and those of its workers, with these variables."""
    from distributed import Client

    told = folder / "scheduler.json"
    told.unlink(missing_ok=True)
    with ExitStack() as stack:
        words = ["distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0",
                 "--no-dashboard"]  # fmt: skip
        scheduler = stack.enter_context(running(*words, "--scheduler-file", str(told)))
        wait_until(lambda: told.exists() and told.stat().st_size > 0)
        workers = [
            stack.enter_context(
                running("distributed.cli.dask_worker", "--scheduler-file", str(told), "--no-nanny",
                        "--nthreads", str(n_threads), "--no-dashboard", "--local-directory",
                        str(folder), **variables)
            )
            for _ in range(n_workers)
        ]  # fmt: skip
        with closing(Client(scheduler_file=str(told), set_as_default=False)) as client:
            client.wait_for_workers(n_workers, timeout=60)
            address = client.scheduler.address
        yield address, scheduler, workers


@pytest.fixture(scope="module")
def whole(tmp_path_factory, load_experiment):
    """Give what one process that is left alone publishes."""
    folder = tmp_path_factory.mktemp("whole")
    assert load_experiment("compare_clustering").main(arguments_of(folder)) == 0
    return published(folder)


def start(folder, address):
    return subprocess.Popen(
        [*GRID, *arguments_of(folder, "--scheduler", address)], cwd=ROOT, text=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip


@pytest.mark.heavy
def test_a_worker_then_the_scheduler_are_killed_and_nothing_is_lost_or_twice(whole, tmp_path):
    with cluster(tmp_path, 2) as (address, scheduler, workers):
        process = start(tmp_path, address)
        wait_until(lambda: n_cells(tmp_path) >= 1 or process.poll() is not None)
        workers[0].kill()
        wait_until(lambda: n_cells(tmp_path) >= 3 or process.poll() is not None)
        scheduler.kill()
        error = process.communicate(timeout=120)[1].strip().splitlines()
    assert process.returncode == 2, "\n".join(error[-60:])
    kept = n_cells(tmp_path)
    assert 3 <= kept < 8
    assert "start it again, and give the same command again (what was finished is kept" in error[-1]
    assert not any("Traceback" in line for line in error), "\n".join(error)

    with cluster(tmp_path, 1) as (address, *_):
        process = start(tmp_path, address)
        error = process.communicate(timeout=120)[1]
    assert process.returncode == 0, error
    assert published(tmp_path) == whole


@pytest.mark.slow
def test_a_lost_worker_is_said_and_its_cells_are_done_by_the_other(whole, tmp_path):
    with cluster(tmp_path, 2) as (address, _, workers):
        process = start(tmp_path, address)
        wait_until(lambda: n_cells(tmp_path) >= 1 or process.poll() is not None)
        workers[0].kill()
        error = process.communicate(timeout=240)[1]
    assert process.returncode == 0, error
    assert "1 worker(s) left the cluster" in error
    assert published(tmp_path) == whole


@pytest.mark.slow
def test_a_cluster_of_this_machine_alone_gives_the_same_bytes(whole, tmp_path):
    command = [*GRID, *arguments_of(tmp_path, "--scheduler", "local", "--jobs", "2")]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    assert published(tmp_path) == whole


@pytest.mark.heavy
def test_a_scheduler_that_is_not_there_is_a_sentence_and_nothing_is_written(tmp_path):
    process = start(tmp_path, "tcp://127.0.0.1:9")
    error = process.communicate(timeout=60)[1].strip().splitlines()
    assert process.returncode == 2
    assert "There is no scheduler at tcp://127.0.0.1:9: start one by" in error[-1]
    assert n_cells(tmp_path) == 0
    assert not (tmp_path / "compare_clustering-digits.csv").exists()


@pytest.fixture
def asked(load_experiment, tmp_path, monkeypatch):
    """Give what a grid says of its place, and where that is."""
    module = load_experiment("support.cluster")
    monkeypatch.setenv("AE_CLUSTER_DATA", str(tmp_path))
    return module, module.here(tmp_path)


def test_a_worker_of_other_versions_is_refused_by_name(asked, assert_one_sentence):
    place = asked[1]
    other = dict(place.versions) | {"numpy": "1.0"}
    with pytest.raises(InputError, match=r"numpy .* \(asked for by 1\.0\)") as error:
        take_place(place._replace(versions=(*other.items(),)))
    assert_one_sentence(error)


def test_a_worker_that_sees_no_shared_disk_is_refused(asked, assert_one_sentence):
    place = asked[1]
    with pytest.raises(InputError, match="does not see /nowhere") as error:
        take_place(place._replace(shared=("/nowhere",)))
    assert_one_sentence(error)


def test_a_worker_computes_in_the_place_of_who_asks(asked, tmp_path, monkeypatch):
    place = asked[1]
    monkeypatch.chdir(tmp_path)
    other = place._replace(folder=str(ROOT), data_home=str(ROOT))
    for asked_for in (place, other, place):  # a worker outlives grids
        take_place(asked_for)
        assert str(Path.cwd()) == asked_for.folder
        assert os.environ["AE_CLUSTER_DATA"] == asked_for.data_home


@pytest.fixture
def mine(load_experiment, tmp_path, monkeypatch):
    """Give a function that writes a file of data and returns its fingerprint, and the reader."""
    monkeypatch.chdir(tmp_path)

    def written(seed):
        np.save("mine.npy", np.random.default_rng(seed).normal(size=(30, 4)))
        return load_dataset("mine.npy").fingerprint

    return written, load_experiment("support.cells")


def test_a_worker_without_the_data_or_with_others_is_refused(asked, mine, assert_one_sentence):
    module, (written, cells) = asked[0], mine
    written(0)
    with pytest.raises(InputError, match=r"has other data of mine\.npy") as error:
        module.refuse_other_data("mine.npy", "another", cells.fingerprint_of)
    assert_one_sentence(error)
    with pytest.raises(InputError, match=r"The worker .* cannot read .*absent.npy") as error:
        module.refuse_other_data("absent.npy", "another", cells.fingerprint_of)
    assert_one_sentence(error)


def test_a_worker_reads_data_anew_that_changed_after_an_earlier_grid(asked, mine):
    module, (written, cells) = asked[0], mine
    for seed in (0, 1):
        wanted = written(seed)
        module.refuse_other_data("mine.npy", wanted, cells.fingerprint_of)
        assert cells.data_of("mine.npy").fingerprint == wanted


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ["number_of_clusters", "--smoke"],
        ["label_budget", "--smoke", "--family", "frozen", "--features", "pca"],
        ["robustness", "--smoke", "--setting", "wine"],
        ["ablation", "--smoke", "--seeds", "1"],
    ],
    ids=["number_of_clusters", "label_budget", "robustness", "ablation"],
)
def test_an_experiment_has_the_rows_of_one_process_on_a_real_worker(words, tmp_path):
    rows = []
    with cluster(tmp_path, 1) as (address, *_):
        for more in ([], ["--scheduler", address]):
            out = tmp_path / str(len(more))
            places = ["--out", str(out), "--store", str(out / "store")]
            command = [sys.executable, "-m", f"experiments.{words[0]}", *words[1:], *places, *more]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
            (file,) = out.glob("*.csv*")
            rows.append(pd.read_csv(file).drop(columns=["seconds", "peak_mb"], errors="ignore"))
    assert len(rows[0]) > 1
    assert set(rows[0]["status"]) == {"ok"}
    pd.testing.assert_frame_equal(*rows)


@pytest.mark.slow
def test_a_worker_of_several_threads_is_refused(tmp_path):
    with cluster(tmp_path, 1, n_threads=2) as (address, *_):
        process = start(tmp_path, address)
        error = process.communicate(timeout=120)[1].strip().splitlines()
    assert process.returncode == 2
    assert "has 2 threads" in error[-1]
    assert n_cells(tmp_path) == 0


@pytest.fixture
def other_versions(tmp_path):
    """Give the variables of a worker on which scikit-learn calls itself another version."""
    about = tmp_path / "other" / "scikit_learn-0.1.dist-info" / "METADATA"
    about.parent.mkdir(parents=True)
    about.write_text("Metadata-Version: 2.1\nName: scikit-learn\nVersion: 0.1\n")
    before = os.environ.get("PYTHONPATH")
    return {"PYTHONPATH": os.pathsep.join(filter(None, [str(tmp_path / "other"), before]))}


@pytest.mark.heavy
def test_a_real_worker_of_another_version_is_refused_by_name(tmp_path, other_versions):
    with cluster(tmp_path, 1, **other_versions) as (address, *_):
        process = start(tmp_path, address)
        error = process.communicate(timeout=120)[1].strip().splitlines()
    assert process.returncode == 2
    assert re.search(r"The worker \d+ on \S+ has scikit-learn 0\.1 \(asked for by \d", error[-1])
    assert error[-1].endswith("install the same on all machines.")
    assert not any("Traceback" in line for line in error), "\n".join(error)
    assert n_cells(tmp_path) == 0
    assert not (tmp_path / "compare_clustering-digits.csv").exists()


@pytest.mark.slow
def test_a_cluster_that_lost_every_worker_ends_the_grid_with_a_sentence(whole, tmp_path):
    with cluster(tmp_path, 1) as (address, _, workers):
        process = start(tmp_path, address)
        wait_until(lambda: n_cells(tmp_path) >= 2 or process.poll() is not None)
        workers[0].kill()
        error = process.communicate(timeout=120)[1].strip().splitlines()
    assert process.returncode == 2
    assert "No worker is left" in error[-1]
    kept = n_cells(tmp_path)
    assert 2 <= kept < 8
    command = [*GRID, *arguments_of(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    assert published(tmp_path) == whole
