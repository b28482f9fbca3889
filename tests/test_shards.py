"""A folder of shards, Parquet or numpy's, is read as one file of them would be."""

import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from ae_cluster import InputError, RunConfig, load_dataset
from ae_cluster.cli.main import main
from ae_cluster.datasets.streaming import open_table
from ae_cluster.runs import assign
from ae_cluster.runs.run import run

ROLES = {"label_column": "label", "id_column": "name"}


def made_table(n=240):
    """Return a table of three groups, with names and labels."""
    y = np.arange(n) % 3
    x = np.random.default_rng(0).normal(size=(n, 4)) + 8 * np.eye(3, 4)[y]
    table = pd.DataFrame(x.astype(np.float32), columns=list("abcd"))
    return table.assign(name=[f"s{i}" for i in range(n)], label=np.array(["u", "v", "w"])[y])


def write_shards(folder, table, n=11):
    """Write a table, or an array, as shards whose names are not padded."""
    folder.mkdir()
    for i, rows in enumerate(np.array_split(np.arange(len(table)), n)):
        if isinstance(table, pd.DataFrame):
            table.iloc[rows].to_parquet(folder / f"part-{i}.parquet", index=False)
        else:
            np.save(folder / f"part-{i}.npy", table[rows])
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Give a folder with a table and its numbers, whole and in shards, and a run on each."""
    folder = tmp_path_factory.mktemp("shards")
    table = made_table()
    x = table[list("abcd")].to_numpy()
    table.to_parquet(folder / "whole.parquet", index=False)
    np.save(folder / "whole.npy", x)
    write_shards(folder / "tables", table)
    write_shards(folder / "arrays", x)
    for name, roles in (("tables", ROLES), ("arrays", {})):
        config = RunConfig(
            dataset=str(folder / name), methods=("kmeans",), epochs=2, n_clusters=3, n_components=2,
            draws=1, budgets=(1,), hidden_layer_sizes=(8,), **roles,
        )  # fmt: skip
        run(config, folder / f"RUN-{name}", figures=False)
    return folder


@pytest.mark.parametrize(("shards", "whole", "roles"), [
    ("tables", "whole.parquet", ROLES), ("arrays", "whole.npy", {}),
])  # fmt: skip
def test_shards_are_the_data_of_their_file(place, shards, whole, roles):
    ours, theirs = load_dataset(place / shards, **roles), load_dataset(place / whole, **roles)
    assert ours.fingerprint == theirs.fingerprint
    assert ours.ids_test.tolist() == theirs.ids_test.tolist()
    assert ours.name == shards
    assert len({*ours.ids_train, *ours.ids_test}) == 240


@pytest.mark.parametrize(("shards", "whole"), [
    ("tables", "whole.parquet"), ("arrays", "whole.npy"),
])  # fmt: skip
def test_shards_are_assigned_as_their_file_is(place, tmp_path, monkeypatch, shards, whole):
    monkeypatch.setattr(assign, "CHUNK_ROWS", 50)  # more than a shard, which has 22 rows
    found = {}
    for data in (shards, whole):
        out = tmp_path / f"{data}.csv"
        assert (
            main(["assign", str(place / f"RUN-{shards}"), str(place / data), "--out", str(out)])
            == 0
        )
        found[data] = out.read_text()
    assert found[shards] == found[whole]
    assert found[shards].count("\n") == 241


def test_how_many_rows_there_are_is_known_before_they_are_read(place):
    assert (
        open_table(place / "tables", load_dataset(place / "tables", **ROLES).preparation).n_rows
        == 240
    )
    assert open_table(place / "arrays").n_rows == 240


def test_a_folder_with_pictures_stays_one_of_pictures(tmp_path):
    for i in range(4):
        Image.fromarray(np.full((5, 5), 60 * i, np.uint8)).save(tmp_path / f"{i}.png")
    np.save(tmp_path / "embeddings.npy", np.zeros((4, 3)))
    with pytest.warns(UserWarning, match="1 of other types"):
        assert load_dataset(tmp_path).image_shape == (5, 5)


def test_notes_of_other_programs_are_no_shards_and_other_files_are_told(tmp_path):
    folder = write_shards(tmp_path / "x", np.random.default_rng(0).normal(size=(40, 3)), 2)
    (folder / "_SUCCESS").touch()
    (folder / "._part-0.npy").write_bytes(b"of a Mac")
    assert len(load_dataset(folder).raw_train) == 32
    (folder / "README.txt").touch()
    with pytest.warns(UserWarning, match="Left out of x, beside its shards: 1 other file"):
        load_dataset(folder)


def arrow_table(start, stop, **columns):
    """Return rows of the table with some columns of other types."""
    table = pa.Table.from_pandas(made_table()[start:stop], preserve_index=False)
    for name, column in columns.items():
        table = table.set_column(table.schema.get_field_index(name), name, column)
    return table


def casted(table, name, dtype):
    column = table.column(name)
    if pa.types.is_dictionary(dtype):
        column = column.cast(dtype.value_type).dictionary_encode()
    return table.set_column(table.schema.get_field_index(name), name, column.cast(dtype))


WHOLE = (np.arange(240) % 7).astype(float)
AS_TYPES = {
    "null": pa.null(), "double, empty": pa.float64(), "string, empty": pa.string(),
    "bool, empty": pa.bool_(),
}  # fmt: skip


def both_ways(tmp_path, one, two):
    """Yield folders of two shards, whichever type comes first."""
    for turn, (first, second) in enumerate(((one, two), (two, one))):
        folder = tmp_path / str(turn)
        folder.mkdir()
        pq.write_table(first, folder / "part-0.parquet")
        pq.write_table(second, folder / "part-1.parquet")
        yield folder


@pytest.mark.parametrize("kind", AS_TYPES)
@pytest.mark.parametrize("name", ["label", "a"])
def test_a_column_without_values_in_a_shard_is_of_the_others_type(tmp_path, name, kind):
    full, nothing = arrow_table(0, 140), pa.nulls(100, AS_TYPES[kind])
    gaps = pa.nulls(100, full.schema.field(name).type)
    wholes = full, arrow_table(140, 240, **{name: gaps})
    folders = both_ways(tmp_path, full, arrow_table(140, 240, **{name: nothing}))
    for folder, whole in zip(folders, (wholes, wholes[::-1]), strict=True):
        ours = load_dataset(folder, **ROLES, impute="median")
        pq.write_table(pa.concat_tables(whole), tmp_path / "whole.parquet")
        theirs = load_dataset(tmp_path / "whole.parquet", **ROLES, impute="median")
        assert ours.fingerprint == theirs.fingerprint
        assert ours.preparation.medians == theirs.preparation.medians
        parts = open_table(folder, ours.preparation, 50)
        rows = dict(row for ids, x in parts for row in zip(ids.tolist(), x.tolist(), strict=True))
        expected = zip(ours.ids_train.tolist(), ours.raw_train.tolist(), strict=True)
        assert {key: rows[key] for key in ours.ids_train.tolist()} == dict(expected)


@pytest.mark.parametrize(("name", "one", "two"), [
    ("name", pa.string(), pa.large_string()),
    ("name", pa.string(), pa.dictionary(pa.int32(), pa.string())),
    ("name", pa.large_string(), pa.dictionary(pa.int16(), pa.large_string())),
    ("label", pa.string(), pa.dictionary(pa.int8(), pa.string())),
    ("label", pa.large_string(), pa.string()),
    ("a", pa.float32(), pa.float64()),
    ("a", pa.float64(), pa.decimal128(12, 4)),
    ("a", pa.int64(), pa.float64()),
    ("a", pa.uint8(), pa.int64()),
    ("a", pa.dictionary(pa.int8(), pa.int64()), pa.float32()),
])  # fmt: skip
def test_one_kind_in_several_types_is_read_as_one(tmp_path, name, one, two):
    table = arrow_table(0, 240, a=pa.array(WHOLE))
    parts = table[:100], table[100:]
    written = [casted(part, name, dtype) for part, dtype in zip(parts, (one, two), strict=True)]
    wholes = pa.concat_tables(parts), pa.concat_tables(parts[::-1])
    for folder, whole in zip(both_ways(tmp_path, *written), wholes, strict=True):
        pq.write_table(whole, tmp_path / "whole.parquet")
        ours, theirs = (
            load_dataset(folder, **ROLES),
            load_dataset(tmp_path / "whole.parquet", **ROLES),
        )
        assert ours.fingerprint == theirs.fingerprint
        assert ours.class_names == theirs.class_names
        assert ours.ids_train.tolist() == theirs.ids_train.tolist()


def test_whole_numbers_of_several_widths_stay_ids(tmp_path):
    numbers = np.arange(240) + 2**53
    for folder in both_ways(
        tmp_path,
        arrow_table(0, 100, name=pa.array(np.arange(100), pa.int16())),
        arrow_table(100, 240, name=pa.array(numbers[100:], pa.int64())),
    ):
        data = load_dataset(folder, **ROLES)
        ids = {*data.ids_train, *data.ids_test}
        assert ids == {*map(str, range(100)), *map(str, numbers[100:])}


def test_a_shard_without_ids_is_told(tmp_path, place, capsys):
    folder = next(
        both_ways(tmp_path, arrow_table(0, 140), arrow_table(140, 240, name=pa.nulls(100)))
    )
    told = "the id column 'name' is empty in 100 row"
    check_refused(place / "RUN-tables", folder, told, capsys, **ROLES)


def cut(path):
    path.write_bytes(path.read_bytes()[:-60])


def other(**columns):
    return lambda folder: made_table(20).assign(**columns).to_parquet(folder / "part-11.parquet")


BAD = {
    "another column": (other(e=1.0), "'e' of part-11.parquet is not in part-0.parquet"),
    "numbers and dates": (
        other(b=pd.Timestamp("2020-01-01")), "'b' is float in part-0.* and timestamp.* in part-11"
    ),
    "another type": (
        other(b="x"), "'b' is float in part-0.parquet and (large_)?string in part-11.parquet"
    ),
    "truncated": (lambda f: cut(f / "part-3.parquet"), "shard part-3.parquet: it is no Parquet"),
    "both types": (
        lambda f: np.save(f / "x.npy", np.zeros((3, 4))),
        "two types, 'part-0.parquet' and 'x.npy'",
    ),
    "an id twice": (other(), "have one id|stands for 2 samples"),
}  # fmt: skip
BAD_ARRAYS = {
    "another width": (
        lambda f: np.save(f / "part-11.npy", np.zeros((3, 5), np.float32)),
        r"part-0.npy holds float32 \(22, 4\) and part-11.npy float32 \(3, 5\)",
    ),
    "another type": (
        lambda f: np.save(f / "part-11.npy", np.zeros((3, 4))), "part-11.npy float64"
    ),
    "truncated": (lambda f: cut(f / "part-3.npy"), "the shard part-3.npy: the array"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD)
def test_shards_that_do_not_go_together_are_told_by_name(place, tmp_path, capsys, kind):
    break_it, told = BAD[kind]
    folder = write_shards(tmp_path / "bad", made_table())
    break_it(folder)
    check_refused(place / "RUN-tables", folder, told, capsys, **ROLES)


@pytest.mark.parametrize("kind", BAD_ARRAYS)
def test_arrays_that_do_not_go_together_are_told_by_name(place, tmp_path, capsys, kind):
    break_it, told = BAD_ARRAYS[kind]
    folder = write_shards(tmp_path / "bad", made_table()[list("abcd")].to_numpy())
    break_it(folder)
    check_refused(place / "RUN-arrays", folder, told, capsys)


def test_an_empty_folder_is_told(place, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    check_refused(place / "RUN-arrays", tmp_path / "empty", "with shards", capsys)


def check_refused(made, folder, told, capsys, **roles):
    with pytest.raises(InputError, match=told):
        load_dataset(folder, **roles)
    out = folder.parent / "out.csv"
    assert main(["assign", str(made), str(folder), "--out", str(out)]) == 2
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert re.search(told, said)
    assert said.endswith(".")
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


MEMORY = """
import re, sys
from pathlib import Path
from ae_cluster.datasets.streaming import open_table

def resident():
    return int(re.search(r"VmRSS:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024

most = before = 0
for ids, rows in open_table(sys.argv[1], None, 8192):
    rows.sum()
    most = max(most, resident())
    before = before or most
print(most - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_shards_are_open_one_at_a_time(tmp_path):
    x = np.random.default_rng(0).normal(size=(250_000, 64)).astype(np.float32)  # 64 MB
    write_shards(tmp_path / "x", x, 20)
    command = [sys.executable, "-c", MEMORY, str(tmp_path / "x")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert float(done.stdout) < 25
