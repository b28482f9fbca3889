"""Samples that lie on the disk are mapped by every rank, which reads its part; none are sent."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from on_ranks import SCRIPT, ended, told_by_ranks, torchrun
from sorting_on_ranks import fitted

from ae_cluster.autoencoder.networks import DenseAutoEncoder, initialize
from ae_cluster.autoencoder.reconstruction import reconstruction_step
from ae_cluster.common.errors import InputError
from ae_cluster.common.mapped_files import NOT_SEEN, array_at, is_mapped, place_of
from ae_cluster.datasets import load_dataset, room
from ae_cluster.datasets.reading_together import Readers, n_readers, read_by
from ae_cluster.datasets.room import room_for
from ae_cluster.training.optimizer import Adam, flatten_parameters

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
RUN = ["--n-clusters", "4", "--epochs", "2", "--method", "kmeans", "--no-figures", "--budgets", "1",
       "--draws", "1"]  # fmt: skip
SHARDS = [f"part-{i}" for i in range(5)]
SAMPLES = 16_000 * 64  # bytes of the training samples below


def filled(shape=(50, 3)):
    array = room_for(shape, np.float32, on_disk=True)
    array[:] = np.arange(array.size).reshape(shape)
    return array


def test_another_process_maps_what_lies_in_a_file_without_a_name():
    array = filled()
    code = (
        "import sys; from ae_cluster.common.mapped_files import Place, array_at; "
        "found = array_at(eval(sys.argv[1]), 'float32', (50, 3)); print(found.sum(), found[-1])"
    )
    command = [sys.executable, "-c", code, repr(place_of(array))]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert said.strip() == f"{array.sum()} {array[-1]}"


def test_a_file_is_known_as_long_as_a_view_of_it_lives_and_then_closed():
    view = np.asarray(filled())
    assert is_mapped(view)
    assert not is_mapped(view[1:])
    assert not is_mapped(view[:-1])
    path = Path(place_of(view).path)
    assert path.exists()
    del view
    assert not path.exists()


def test_a_file_of_that_name_that_is_another_is_not_taken_for_it():
    array, other = filled(), filled()
    place = place_of(array)
    assert array_at(place, "float32", (50, 3)) is not None
    assert array_at(place._replace(path=place_of(other).path), "float32", (50, 3)) is None
    array[0] += 1  # other bytes, as of a file on another machine that has all the same numbers
    assert array_at(place, "float32", (50, 3)) is None
    assert array_at(place._replace(path="/nowhere"), "float32", (50, 3)) is None


def shards(folder, ending, n=20_000, n_shards=5):
    """Write rows in shards; return their folder."""
    random = np.random.default_rng(0)
    rows = random.integers(0, 3, (n, 1)) * 60 + random.integers(0, 100, (n, 64))
    (folder / "shards").mkdir()
    for i, part in enumerate(np.array_split(rows, n_shards)):
        path = folder / "shards" / f"part-{i}{ending}"
        if ending == ".npy":
            np.save(path, part.astype(np.uint8).reshape(-1, 8, 8))
        else:
            pd.DataFrame(part / 256, columns=[f"x{i}" for i in range(64)]).to_parquet(path)
    return "shards"


class Two:
    """Two readers in one process, of which the second may not do its part."""

    def __init__(self, trouble=""):
        self.trouble, self.n_calls = trouble, 0

    def each(self, work, *arguments):
        self.n_calls += 1
        work(0, 2, *arguments)
        if not self.trouble:
            work(1, 2, *arguments)
        return ["", self.trouble]


@pytest.mark.parametrize("ending", [".npy", ".parquet"])
@pytest.mark.parametrize(
    ("trouble", "said"), [("", False), ("InputError: there are none", True), (NOT_SEEN, False)]
)
def test_shards_in_parts_are_the_data_of_one_process(
    tmp_path, monkeypatch, recwarn, ending, trouble, said
):
    monkeypatch.setattr(room, "MOST_IN_MEMORY", 1000)
    shards(tmp_path, ending, n=503)
    alone, two = load_dataset(tmp_path / "shards"), Two(trouble)
    with read_by(Readers(2, two.each)):
        found = load_dataset(tmp_path / "shards")
    assert two.n_calls == 1
    assert found.fingerprint == alone.fingerprint
    assert np.array_equal(found.raw_train, alone.raw_train)
    told = [str(warning.message) for warning in recwarn if "Rank 1 of 2" in str(warning.message)]
    assert len(told) == said
    assert n_readers() == 1


@pytest.mark.parametrize("ending", [".npy", ".parquet"])
def test_more_readers_than_shards(tmp_path, monkeypatch, ending):
    monkeypatch.setattr(room, "MOST_IN_MEMORY", 1000)
    shards(tmp_path, ending, n=503, n_shards=2)

    def each(work, *arguments):
        return [work(i, 5, *arguments) or "" for i in reversed(range(5))][::-1]

    alone = load_dataset(tmp_path / "shards")
    with read_by(Readers(5, each)):
        assert load_dataset(tmp_path / "shards").fingerprint == alone.fingerprint


@pytest.mark.parametrize("ending", [".npy", ".parquet"])
def test_a_reader_that_sees_other_shards_does_not_write(tmp_path, monkeypatch, ending):
    monkeypatch.setattr(room, "MOST_IN_MEMORY", 1000)
    shards(tmp_path, ending, n=503)
    first = tmp_path / "shards" / f"part-0{ending}"

    def each(work, *arguments):
        work(0, 2, *arguments)
        content = first.read_bytes()
        first.write_bytes((tmp_path / "shards" / f"part-4{ending}").read_bytes())  # a row less
        with pytest.raises(InputError, match="other shards"):
            work(1, 2, *arguments)
        first.write_bytes(content)
        return ["", "InputError: it sees other shards there"]

    alone = load_dataset(tmp_path / "shards")
    with (
        read_by(Readers(2, each)),
        pytest.warns(UserWarning, match=r"Rank 1 of 2 .*other shards.*on a disk that all ranks"),
    ):
        assert load_dataset(tmp_path / "shards").fingerprint == alone.fingerprint


def run_on_ranks(folder, n, *words, small=True):
    """Carry out a run on so many ranks; return its losses, what they told and said."""
    trouble = ["small_memory", "100000"] if small else []
    name = str(len(list(folder.iterdir())))
    words = words or ("-1", "apart", "0")
    process = torchrun(n, SCRIPT, *trouble, *words, "run", "shards", *RUN, "--out", name,
                       cwd=folder)  # fmt: skip
    code, said, errors = ended(process)
    assert code == 0, errors
    losses = pd.read_csv(folder / name / "methods/kmeans/history.csv")["loss"]
    return losses, told_by_ranks(errors), said + errors


@pytest.mark.parametrize(
    "ending",
    [
        pytest.param(".parquet", marks=pytest.mark.heavy),
        pytest.param(".npy", marks=pytest.mark.slow),
    ],
)
def test_ranks_map_the_samples_and_none_are_sent(tmp_path, ending):
    shards(tmp_path, ending)
    losses, told, said = run_on_ranks(tmp_path, 2)
    assert told.keys() == {0, 1}
    assert max(of["sizes"][-1] for of in told.values()) < 0.2 * SAMPLES  # weights, permutations
    assert "Rank" not in said
    for rank, own in enumerate((SHARDS[:2], SHARDS[2:])):  # each has read its own, in order
        read = [Path(name).stem for name in told[rank]["read"]]
        assert read == own if ending == ".parquet" else read[-len(own) :] == own
        assert len(read) == len(own) + (ending == ".npy") * len(SHARDS) * (2 - rank)  # headers
    in_memory = run_on_ranks(tmp_path, 2, small=False)[0]
    np.testing.assert_allclose(losses, in_memory, rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("ending", [".npy", ".parquet"])
def test_a_rank_on_another_machine_reads_the_data_itself(tmp_path, ending):
    """It has all of them by their path, and none are sent."""
    shards(tmp_path, ending)
    losses, told, said = run_on_ranks(tmp_path, 2, "1", "apart", "0")
    assert max(of["sizes"][-1] for of in told.values()) < 0.5 * SAMPLES  # codes
    assert [Path(name).stem for name in told[1]["read"]][-5:] == SHARDS
    assert told[1]["read"].count(f"part-1{ending}") == 1 + 2 * (ending == ".npy")  # headers, once
    assert "Rank" not in said
    np.testing.assert_allclose(losses, run_on_ranks(tmp_path, 2)[0], rtol=1e-6)


@pytest.mark.slow
def test_samples_are_sent_to_a_rank_that_has_them_nowhere_and_that_is_said_once(tmp_path):
    shards(tmp_path, ".npy", n_shards=2)
    trouble = ["2", "apart_without_data", "0"]
    losses, told, said = run_on_ranks(tmp_path, 3, *trouble)  # more ranks than shards
    assert [of["sizes"][-1] >= SAMPLES for of in told.values()] == [True] * 3
    assert said.count("Rank 2 of 3 sees neither the files of rank 0") == 1
    seen, told, said = run_on_ranks(tmp_path, 3)
    assert max(of["sizes"][-1] for of in told.values()) < 0.2 * SAMPLES
    assert "Rank" not in said
    np.testing.assert_allclose(losses, seen, rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("ending", [".npy", ".parquet"])
def test_shards_that_a_rank_does_not_see_are_read_by_rank_0_which_is_said(tmp_path, ending):
    shards(tmp_path, ending)
    losses, told, said = run_on_ranks(tmp_path, 2, "1", "no_shards", "0")
    assert said.count("Rank 1 of 2 could not read its shards (InputError: there is no shards)") == 1
    assert told[1]["read"] == []
    seen = run_on_ranks(tmp_path, 2)[0]
    np.testing.assert_allclose(losses, seen, rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("ending", [".npy", ".parquet"])
def test_a_damaged_shard_of_another_rank_is_the_sentence_of_one_process(tmp_path, ending):
    shards(tmp_path, ending)
    last = tmp_path / "shards" / f"part-4{ending}"
    content = bytearray(last.read_bytes())
    if ending == ".npy":
        content = content[:-100]
    else:
        content[5000:6000] = bytes(1000)
    last.write_bytes(content)
    words = ["small_memory", "100000", "-1", "apart", "0", "run", "shards", *RUN, "--out", "R"]
    code, _, errors = ended(torchrun(2, SCRIPT, *words, cwd=tmp_path))
    assert code != 0
    assert errors.count("ae-cluster: ") == 1
    assert re.search(rf"ae-cluster: shards: the shard part-4{ending}: .*(damaged|bytes)", errors)
    assert [path.name for path in tmp_path.iterdir()] == ["shards"]


def fit_on_two_ranks(*words):
    """Return what rank 0 found, and what each rank told."""
    script = SCRIPT.parent / "rows_on_ranks.py"
    code, said, errors = ended(torchrun(2, script, *words))
    assert code == 0, errors
    return json.loads(said), told_by_ranks(errors)


@pytest.mark.heavy
def test_memory_of_a_rank_does_not_grow_with_the_samples():
    told = fit_on_two_ranks("autoencoder", 150_000)[1]
    for of in told.values():
        at_first, most = of["memory"]
        assert most - at_first < 40 < 150_000 * 784 / 1e6
        assert of["sizes"][-1] < 2e6


@pytest.mark.slow
def test_samples_of_a_sorting_are_not_sent_either():
    (losses, clusters), told = fit_on_two_ranks("sorting", "fast")
    alone = fitted("fast")
    np.testing.assert_allclose(losses, alone[0], rtol=1e-8)
    assert clusters == alone[1]
    assert 451 * 64 * 8 not in told[1]["sizes"]


class OneOfTwo:
    """A rank of two that keeps what it would add."""

    n = 2

    def __init__(self, rank):
        self.rank, self.own = rank, None

    def sum(self, tensor):
        self.own = tensor.clone()
        return tensor


class Rows:
    """Samples that keep which of them were read."""

    device = torch.device("cpu")

    def __init__(self, x):
        self.x, self.shape, self.read = x, x.shape, []

    def index_select(self, dim, indices):
        self.read += indices.tolist()
        return self.x.index_select(dim, indices)


def gradient_of(ranks, rows, indices):
    """Return the gradient of one step with noise and masks, or a rank's share of it."""
    network = DenseAutoEncoder(5, 2, [4])
    initialize(network, torch.Generator().manual_seed(0))
    optimizer = Adam(flatten_parameters(network), 0.001)
    generator = torch.Generator().manual_seed(1)
    step = reconstruction_step(network, rows, lambda x: x, optimizer, generator, 0.1, 0.2,
                               ranks=ranks)  # fmt: skip
    loss = step(indices)
    gradient = optimizer.parameter.grad.clone()
    return gradient, loss


@pytest.mark.parametrize("n", [7, 1])
def test_a_rank_reads_its_part_of_a_batch_alone(n):
    x = torch.rand(20, 5, generator=torch.Generator().manual_seed(0))
    indices = torch.tensor([3, 19, 0, 8, 7, 11, 2])[:n]
    gradient, loss = gradient_of(None, x, indices)
    shares, read = [], []
    for rank in (0, 1):
        ranks, rows = OneOfTwo(rank), Rows(x)
        gradient_of(ranks, rows, indices)
        shares.append(ranks.own)
        read.append(rows.read)
    torch.testing.assert_close(sum(shares), torch.cat([gradient, torch.tensor([loss])]))
    if n > 1:
        assert read[0] + read[1] == indices.tolist()
