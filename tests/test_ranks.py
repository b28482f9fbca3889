"""One training on several processes that torchrun starts, also when one of them dies."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import torch.distributed as dist
from losses_on_ranks import KINDS, losses
from on_ranks import ended, torchrun, with_trouble
from sklearn.datasets import load_digits

from ae_cluster import AutoEncoder, Callback, InputError
from ae_cluster.autoencoder import ranks as ranks_of_autoencoders
from ae_cluster.training.ranks import LostRankError, here, joined

X = (load_digits().data[:450] / 16).astype(np.float32)
RUN = ["run", "digits", "--epochs", "200", "--no-figures", "--method", "kmeans", "--budgets", "1",
       "--draws", "1"]  # fmt: skip


@pytest.fixture
def one_rank(monkeypatch):
    """Let this process be the only rank of a job."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    said = {"RANK": 0, "LOCAL_RANK": 0, "WORLD_SIZE": 1, "MASTER_PORT": port}
    for name, value in (said | {"MASTER_ADDR": "127.0.0.1"}).items():
        monkeypatch.setenv(name, str(value))


@pytest.mark.heavy
def test_two_ranks_have_the_losses_of_one_process():
    process = torchrun(2, str(Path(__file__).parent / "losses_on_ranks.py"))
    said, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    found = json.loads(said)
    for kind in KINDS:
        np.testing.assert_allclose(found[kind][:100], losses(kind)[:100], rtol=1e-4)


@pytest.mark.usefixtures("one_rank")
def test_one_rank_is_one_process_bit_by_bit():
    alone = AutoEncoder(max_iter=3, mask_fraction=0.1, random_state=0).fit(X)
    with joined():
        found = AutoEncoder(max_iter=3, mask_fraction=0.1, random_state=0).fit(X)
    assert found.loss_curve_ == pytest.approx(alone.loss_curve_, rel=1e-6)
    assert np.array_equal(found.transform(X), alone.transform(X))
    assert here() is None


class Failing(Callback):
    def on_epoch(self, progress):
        raise ZeroDivisionError(progress.epoch)


@pytest.mark.usefixtures("one_rank")
def test_what_a_callback_raises_ends_this_training_and_not_the_job():
    with joined() as ranks:
        with pytest.raises(ZeroDivisionError, match="1"):
            AutoEncoder(callbacks=[Failing()]).fit(X)
        assert not ranks.is_midway
        assert AutoEncoder(max_iter=1).fit(X).n_iter_ == 1


@pytest.mark.usefixtures("one_rank")
def test_a_failure_of_one_rank_alone_ends_the_job():
    """No training may begin while others wait in the one before."""

    class NoMemory(Callback):
        def on_step(self, progress):
            raise MemoryError(progress.step)

    def work():
        with joined():
            with pytest.raises(MemoryError):
                AutoEncoder(callbacks=[NoMemory()]).fit(X)
            with suppress(Exception):  # as if it were a method that failed
                AutoEncoder(max_iter=1).fit(X)

    with pytest.raises(LostRankError, match=r"Rank 0 of 1 has left the others.*--resume"):
        work()
    dist.destroy_process_group()


@pytest.mark.usefixtures("one_rank")
def test_a_job_that_is_asked_to_end_says_so():
    with pytest.raises(LostRankError, match=r"asked to end.*--resume"), joined():
        signal.raise_signal(signal.SIGTERM)


@pytest.mark.usefixtures("one_rank")
def test_more_ranks_than_gpus_are_refused(monkeypatch):
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "3")
    monkeypatch.setattr(ranks_of_autoencoders, "resolve_device", lambda _: torch.device("cuda"))
    with joined(), pytest.raises(InputError, match=r"3 ranks and \d GPU.*--device cpu"):
        AutoEncoder(max_iter=1).fit(X)


def ranks_of(process):
    """Return the process of each rank that torchrun has started."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            rank = re.search(rb"\0RANK=(\d)\0", (folder / "environ").read_bytes())
        except OSError:  # it has ended
            continue
        if parent == process.pid and rank:
            found[int(rank[1])] = int(folder.name)
    return found


def killed(rank, out):
    """Kill a rank of a run once there is a checkpoint; return what it said, and its exit code."""
    process = torchrun(2, "-m", "ae_cluster", *RUN, "--out", str(out))
    checkpoint = out.with_name(f"{out.name}.partial") / "checkpoint.safetensors"
    started = time.monotonic()
    while not checkpoint.exists():
        assert time.monotonic() - started < 300
        time.sleep(0.1)
    os.kill(ranks_of(process)[rank], signal.SIGKILL)
    _, said = process.communicate(timeout=300)
    return said, process.returncode


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Give a run of one process."""
    out = tmp_path_factory.mktemp("whole") / "R"
    command = [sys.executable, "-m", "ae_cluster", *RUN, "--out", str(out)]
    subprocess.run(command, check=True, capture_output=True)
    return out


def check_like(out, whole):
    """Check that a run has all that the run of one process has, and about its losses."""
    files = {path.relative_to(whole) for path in whole.rglob("*")}
    assert {path.relative_to(out) for path in out.rglob("*")} == files
    ours, theirs = (pd.read_csv(run / "methods/kmeans/history.csv")["loss"] for run in (out, whole))
    np.testing.assert_allclose(ours[:5], theirs[:5], rtol=1e-4)
    assert ours.iloc[-1] < 1.25 * theirs.iloc[-1]  # roundings grow, and it learns as well


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize(("rank", "n_then"), [(1, 3), (0, 1)])
def test_a_rank_that_dies_ends_the_job_with_a_sentence_and_resume_goes_on(
    tmp_path, whole, rank, n_then
):
    said, code = killed(rank, tmp_path / "R")
    assert code != 0
    assert re.search(r"ae-cluster: Rank \d of 2 has lost another rank.*--resume.*goes on", said)
    assert said.count("ae-cluster: ") == 1
    assert not (tmp_path / "R").exists()

    again = torchrun(n_then, "-m", "ae_cluster", *RUN, "--resume", "--out", "R",
                     cwd=tmp_path)  # fmt: skip
    said, errors = again.communicate(timeout=300)
    assert again.returncode == 0, errors
    assert "where it was interrupted" in errors
    assert said.count("Everything else") == 1
    check_like(tmp_path / "R", whole)
    assert [path.name for path in tmp_path.iterdir()] == ["R"]


@pytest.mark.slow
def test_bad_input_on_ranks_is_one_sentence(tmp_path):
    process = torchrun(2, "-m", "ae_cluster", "run", "nothing.npz", cwd=tmp_path)
    _, said = process.communicate(timeout=300)
    assert process.returncode != 0
    assert said.count("nothing.npz") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.heavy
def test_a_full_disk_on_the_rank_that_writes_is_one_sentence(tmp_path):
    code, _, said = with_trouble(2, 0, "most_bytes", 2000, *RUN, "--out", "R", cwd=tmp_path)
    assert code != 0
    assert re.search(r"ae-cluster: .* cannot be written \(File too large\)", said)
    assert said.count("ae-cluster: ") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_full_disk_on_another_rank_is_none(tmp_path, whole):
    """Rank 0 alone writes."""
    code, _, said = with_trouble(2, 1, "most_bytes", 0, *RUN, "--out", "R", cwd=tmp_path)
    assert code == 0, said
    check_like(tmp_path / "R", whole)


@pytest.mark.slow
@pytest.mark.parametrize("n", [0, 10**6])
def test_large_samples_lie_on_the_disk_of_every_rank(tmp_path, whole, n):
    code, _, said = with_trouble(2, 1, "no_room", n, *RUN, "--out", "R", cwd=tmp_path)
    if n:
        assert code == 0, said
        check_like(tmp_path / "R", whole)
        return
    assert code != 0
    assert re.search(r"ae-cluster: On rank 1, its samples take .* on the disk.* TMPDIR", said)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_full_disk_in_the_midst_of_a_training_keeps_nothing_half_written(tmp_path, whole):
    code, _, said = with_trouble(2, 0, "most_bytes", 100_000, *RUN, "--out", "R", cwd=tmp_path)
    assert code != 0
    assert re.search(r"ae-cluster: .*checkpoint.* cannot be written \(File too large\)", said)
    assert said.count("ae-cluster: ") == 1
    assert list(tmp_path.iterdir()) == []
    code, _, said = ended(torchrun(2, "-m", "ae_cluster", *RUN, "--out", "R", cwd=tmp_path))
    assert code == 0, said
    check_like(tmp_path / "R", whole)


@pytest.mark.slow
def test_more_ranks_than_shards(tmp_path):
    """Rank 0 reads all shards: the others have their part of every batch."""
    for i, part in enumerate(np.array_split(X, 2)):
        (tmp_path / "shards").mkdir(exist_ok=True)
        np.save(tmp_path / "shards" / f"part-{i}.npy", part)
    run = ["run", "shards", "--n-clusters", "10", "--epochs", "5", *RUN[4:]]
    outs = []
    for n in (3, 1):
        code, _, said = ended(torchrun(n, "-m", "ae_cluster", *run, "--out", n, cwd=tmp_path))
        assert code == 0, said
        outs.append(pd.read_csv(tmp_path / str(n) / "methods/kmeans/history.csv")["loss"])
    np.testing.assert_allclose(*outs, rtol=1e-4)
