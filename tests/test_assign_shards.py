"""Shards that workers of a dask cluster assign: the rows of one process, and nothing half-done."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from test_cluster import cluster

from ae_cluster import RunConfig, run
from ae_cluster.cli.main import main
from ae_cluster.common.errors import InputError
from ae_cluster.runs import assign_shards as module
from ae_cluster.runs.assign import assign_file

ROWS = np.random.default_rng(0).normal(size=(500, 4)) + 6 * (np.arange(500) % 2)[:, None]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Give a folder with a run on a table with ids, and shards of such, one of them empty."""
    folder = tmp_path_factory.mktemp("shards")
    table = pd.DataFrame(ROWS, columns=list("abcd")).assign(key=[f"k{i}" for i in range(500)])
    table.to_parquet(folder / "all.parquet")
    (folder / "shards").mkdir()
    for i, (start, stop) in enumerate([(0, 200), (200, 200), (200, 500)]):
        table[start:stop].to_parquet(folder / "shards" / f"part-{i}.parquet")
    few = {"epochs": 2, "budgets": (1,), "draws": 1}
    config = RunConfig(str(folder / "all.parquet"), n_clusters=2, id_column="key", **few)
    run(config, folder / "run", figures=False)
    return folder


@pytest.fixture
def here_in_turn(monkeypatch):
    """Have this process do what workers would."""

    def in_turn(scheduler, work, items, _jobs, kept):
        assert (scheduler, kept) == ("local", "nothing was written, and it begins anew")
        return map(work, items)

    monkeypatch.setattr(module, "results_on", in_turn)


def assigned(place, out, data="shards", **options):
    return module.assign_shards(place / "run", str(place / data), out, scheduler="local", **options)


def rows_in(out):
    parts = sorted(Path(out).glob("*.parquet"))
    return pd.concat(map(pd.read_parquet, parts), ignore_index=True)


@pytest.mark.usefixtures("here_in_turn")
def test_rows_are_those_of_one_process(place, tmp_path):
    told = assigned(place, tmp_path / "parts")
    alone = assign_file(place / "run", str(place / "shards"), tmp_path / "one.parquet")
    assert sorted(path.name for path in (tmp_path / "parts").iterdir()) == [
        "part-0.parquet", "part-2.parquet"
    ]  # fmt: skip
    pd.testing.assert_frame_equal(
        rows_in(tmp_path / "parts"), pd.read_parquet(tmp_path / "one.parquet")
    )
    same = told._replace(out=alone.out, seconds=alone.seconds)
    assert same == alone


@pytest.mark.usefixtures("here_in_turn")
def test_rows_of_arrays_are_numbered_over_all_shards(place, tmp_path):
    (tmp_path / "arrays").mkdir()
    for i, part in enumerate(np.split(ROWS, [120, 121])):
        np.save(tmp_path / "arrays" / f"{i}.npy", part)
    assigned(place, tmp_path / "parts", tmp_path / "arrays")
    assert rows_in(tmp_path / "parts")["id"].tolist() == [str(i) for i in range(500)]


@pytest.mark.usefixtures("here_in_turn")
def test_one_id_in_two_shards_is_refused_and_nothing_is_written(
    place, tmp_path, assert_one_sentence
):
    (tmp_path / "twice").mkdir()
    for i in range(2):
        pd.read_parquet(place / "all.parquet")[:50].to_parquet(tmp_path / "twice" / f"{i}.parquet")
    with pytest.raises(InputError, match=r"the rows 18 and 68 .* have one id") as error:
        assigned(place, tmp_path / "parts", tmp_path / "twice")
    assert_one_sentence(error)
    assert [path.name for path in tmp_path.iterdir()] == ["twice"]


def test_shards_without_a_row_are_refused(place, tmp_path):
    (tmp_path / "empty").mkdir()
    pd.read_parquet(place / "all.parquet")[:0].to_parquet(tmp_path / "empty" / "0.parquet")
    with pytest.raises(InputError, match="its shards hold no samples"):
        assigned(place, tmp_path / "parts", tmp_path / "empty")
    assert not (tmp_path / "parts").exists()


@pytest.mark.usefixtures("here_in_turn")
def test_a_worker_that_fails_names_itself_and_the_shard(
    place, tmp_path, monkeypatch, assert_one_sentence
):
    def no_disk(*_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(module, "write_table", no_disk)
    with pytest.raises(InputError, match=r"cannot assign .*part-0.parquet .*Input/output") as error:
        assigned(place, tmp_path / "parts")
    assert_one_sentence(error, "The worker")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("here_in_turn")
def test_force_replaces_such_tables_and_no_others(place, tmp_path):
    out = tmp_path / "parts"
    assigned(place, out)
    with pytest.raises(InputError, match="--force"):
        assigned(place, out)
    (out / "notes.txt").write_text("mine")
    assigned(place, out, force=True)
    assert (out / "notes.txt").read_text() == "mine"
    other = tmp_path / "other"
    other.mkdir()
    pd.DataFrame({"a": [1]}).to_parquet(other / "part-0.parquet")
    with pytest.raises(InputError, match="not a folder that ae-cluster wrote"):
        assigned(place, other, force=True)
    assert pd.read_parquet(other / "part-0.parquet")["a"].tolist() == [1]


@pytest.mark.parametrize(
    ("data", "out", "more", "words"),
    [
        ("all.parquet", "parts", [], "--scheduler is for a folder of shards"),
        ("shards", "parts.csv", [], "must be a folder with --scheduler"),
        ("shards", "parts", ["--skip-unreadable"], "--skip-unreadable is for a folder of pictures"),
    ],
)
def test_what_cannot_be_is_one_sentence(place, tmp_path, capsys, data, out, more, words):
    argv = ["assign", str(place / "run"), str(place / data), "--out", str(tmp_path / out)]
    assert main([*argv, "--scheduler", "local", *more]) == 2
    assert words in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.heavy
def test_real_workers_write_the_same_and_a_lost_cluster_nothing(place, tmp_path, capsys):
    argv = ["assign", str(place / "run"), str(place / "shards"), "--scheduler"]
    with cluster(tmp_path, 2) as (address, scheduler, workers):
        assert main([*argv, address, "--out", str(tmp_path / "parts")]) == 0
        for worker in workers:
            worker.kill()
            worker.wait()
        assert main([*argv, address, "--out", str(tmp_path / "none")]) == 2
        scheduler.kill()
        scheduler.wait()
        assert main([*argv, address, "--out", str(tmp_path / "none")]) == 2
    said = capsys.readouterr().err
    assert "has no workers" in said
    assert "There is no scheduler at" in said
    assert not (tmp_path / "none").exists()
    assign_file(place / "run", str(place / "shards"), tmp_path / "one.parquet")
    pd.testing.assert_frame_equal(
        rows_in(tmp_path / "parts"), pd.read_parquet(tmp_path / "one.parquet")
    )
