"""A user's table of any format: what is taken, what it becomes, and how it is read in parts."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import ae_cluster
from ae_cluster import load_dataset
from ae_cluster.cli.main import main
from ae_cluster.common.errors import InputError
from ae_cluster.common.feature_files import DATA_ENDINGS
from ae_cluster.datasets.preparation import Preparation
from ae_cluster.datasets.streaming import open_table

N = 60
SAID = {
    "label_column": "kind",
    "id_column": "cell",
    "drop": ["day"],
    "categorical": ["colour"],
    "impute": "median",
}


def made_frame():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(N, 3)), columns=["a", "b", "ä c"])
    frame["count"] = rng.integers(0, 9, N)
    frame["flag"] = rng.random(N) > 0.5
    frame["colour"] = rng.choice(["red", "blue", ""], N)
    frame["kind"] = rng.choice(["T", "B", ""], N, p=[0.1, 0.1, 0.8])
    frame["cell"] = [f"AAC-{i:03}" for i in range(N)]
    frame["day"] = "2026-01-01"
    frame.loc[[3, 4], "b"] = np.nan
    return frame


WRITERS = {
    ".csv": lambda frame, path: frame.to_csv(path, index=False),
    ".tsv": lambda frame, path: frame.to_csv(path, index=False, sep="\t"),
    ".parquet": lambda frame, path: frame.to_parquet(path, index=False, row_group_size=25),
    ".feather": lambda frame, path: frame.to_feather(path),
}


@pytest.fixture
def written(tmp_path):
    """Give a function that writes a frame under a name and returns the path."""

    def write(frame, name="mine.csv"):
        path = tmp_path / name
        WRITERS[path.suffix](frame, path)
        return path

    return write


@pytest.fixture(params=WRITERS)
def file(request, written):
    return written(made_frame(), f"mine{request.param}")


# --- what a table becomes ----------------------------------------------------------------------


def test_every_format_gives_the_same_samples(file):
    frame = made_frame()
    data = load_dataset(file, **SAID)
    assert data.column_names == ("a", "b", "ä c", "count", "flag", "colour=blue", "colour=red")
    assert data.class_names == ("B", "T")
    assert data.is_table
    assert data.n_clusters is None
    rows = frame.index[frame["cell"].isin(data.ids_train)]
    assert data.ids_train.tolist() == frame["cell"][rows].tolist()
    filled = frame["b"].fillna(frame["b"][rows].median())
    wanted = np.column_stack(
        [frame["a"], filled, frame["ä c"], frame["count"], frame["flag"]]
        + [frame["colour"] == c for c in ("blue", "red")]
    ).astype(np.float32)
    np.testing.assert_array_equal(data.raw_train, wanted[rows])
    codes = frame["kind"].map({"B": 0, "T": 1, "": -1})
    assert data.y_train.tolist() == codes[rows].tolist()


def test_the_fingerprint_is_of_the_values_and_not_of_the_format(written):
    frame = made_frame()
    found = {load_dataset(written(frame, f"x{e}"), **SAID).fingerprint for e in WRITERS}
    assert len(found) == 1


def test_medians_are_of_the_training_samples_alone(written):
    frame = made_frame()
    data = load_dataset(written(frame), **SAID)
    changed = frame.copy()
    changed.loc[changed["cell"].isin(data.ids_test), "b"] = 1000.0
    again = load_dataset(written(changed), **SAID)
    assert again.preparation.medians == data.preparation.medians


def test_without_an_id_column_the_row_number_is_the_id(written):
    data = load_dataset(written(made_frame()[["a", "count"]]))
    assert sorted([*data.ids_train, *data.ids_test], key=int) == [str(i) for i in range(N)]
    assert data.y_train is None


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_an_index_without_a_name_becomes_the_ids(ending, tmp_path):
    frame = made_frame()[["a", "count"]].set_index(pd.Index([f"s{i}" for i in range(N)]))
    path = tmp_path / f"mine{ending}"
    frame.to_csv(path) if ending == ".csv" else frame.to_parquet(path)
    with pytest.warns(UserWarning, match="taken for the ids"):
        data = load_dataset(path)
    assert data.column_names == ("a", "count")
    assert set(data.ids_test) < set(frame.index)


def test_ids_that_are_numbers_stay_as_they_are_written(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("nr,a\n" + "".join(f"{i:04},{i * i}\n" for i in range(20)))
    data = load_dataset(path, id_column="nr")
    assert "0007" in {*data.ids_train, *data.ids_test}


def test_labels_in_words_and_numbers_follow_the_rules_of_labels(tmp_path):
    path = tmp_path / "mine.csv"
    spelled = ["1", "1.0", "01", "2", "NA", "-1", "", "?", "2", "1"]
    path.write_text("a,what\n" + "".join(f"{i * i},{text}\n" for i, text in enumerate(spelled)))
    data = load_dataset(path, label_column="what")
    codes = dict(zip([*data.ids_train, *data.ids_test], [*data.y_train, *data.y_test], strict=True))
    assert [codes[str(i)] for i in range(10)] == [0, 0, 0, 1, -1, -1, -1, -1, 1, 0]


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_a_csv_may_have_other_separators(separator, tmp_path):
    path = tmp_path / "mine.csv"
    made_frame()[["a", "b", "count"]].fillna(0).to_csv(path, index=False, sep=separator)
    assert load_dataset(path).column_names == ("a", "b", "count")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_csv_with_a_mark_of_its_encoding(encoding, tmp_path):
    path = tmp_path / "mine.csv"
    made_frame()[["ä c", "count"]].to_csv(path, index=False, encoding=encoding)
    assert load_dataset(path).column_names == ("ä c", "count")


def test_cells_with_line_breaks_do_not_disturb_the_others(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("note,a\n" + "".join(f'"one, ""two""\nthree",{i * i}\n' for i in range(20)))
    data = load_dataset(path, drop="note")
    assert len(data.raw_train) + len(data.raw_test) == 20


def test_a_column_may_hold_another_kind_after_many_lines(tmp_path):
    path = tmp_path / "mine.csv"
    lines = [f"{i % 2},{i % 97}" for i in range(300_000)]
    lines[-1] = "0.5,"
    path.write_text("\n".join(["a,b", *lines]))
    with pytest.raises(InputError, match=r"1 in 'b'"):
        load_dataset(path)
    lines[-1] = "0.5,7"
    path.write_text("\n".join(["a,b", *lines]))
    data = load_dataset(path)
    assert 0.5 in np.concatenate([data.raw_train, data.raw_test])


def test_columns_may_be_the_pixels_of_images(written):
    pixels = np.random.default_rng(0).integers(0, 256, (N, 16))
    frame = pd.DataFrame(pixels, columns=[str(i) for i in range(16)]).assign(label=np.arange(N) % 3)
    path = written(frame)
    with pytest.warns(UserWarning, match="taken for bytes"):
        data = load_dataset(path, image_shape=(4, 4), label_column="label")
    assert data.raw_train.dtype == np.uint8
    parts = [rows for _, rows in open_table(path, data.preparation, 13)]
    assert np.array_equal(np.concatenate(parts), pixels.astype(np.uint8))


@pytest.mark.parametrize("command", ["run", "classify"])
def test_help_names_every_format(command, capsys):
    with pytest.raises(SystemExit):
        main([command, "--help"])
    said = re.split(r"[\s,()]+", capsys.readouterr().out)
    assert [ending for ending in DATA_ENDINGS if ending not in said] == []
    assert {*DATA_ENDINGS} > {".npz", ".npy", ".csv", ".parquet", ".h5ad"}


def test_a_format_is_one_file_by_which_data_and_new_samples_are_read(tmp_path):
    shutil.copytree(Path(ae_cluster.__file__).parent, tmp_path / "ae_cluster")
    (tmp_path / "ae_cluster/datasets/formats/jsonl.py").write_text(
        "import json\nimport numpy as np\n\n\ndef read(path):\n"
        "    lines = path.read_text().splitlines()\n"
        "    return {'x': np.array([json.loads(line) for line in lines], dtype='f4')}\n"
    )
    (tmp_path / "mine.jsonl").write_text("".join(f"[{i}, {i * i}, 1.5]\n" for i in range(20)))
    code = (
        "from ae_cluster import load_dataset\n"
        "from ae_cluster.datasets.streaming import open_table\n"
        "data = load_dataset('mine.jsonl')\n"
        "print(len(data.raw_train), len(data.raw_test))\n"
        "print([rows.sum() for _, rows in open_table('mine.jsonl', None, 13)])\n"
        "try:\n    load_dataset('other.xyz')\nexcept ValueError as error:\n    print(error)\n"
    )
    (tmp_path / "other.xyz").write_text("1")
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=os.environ | {"PYTHONPATH": "."},
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    sizes, sums, refused = done.stdout.splitlines()
    assert sizes == "16 4"
    assert sums == str([np.float32(sum(i + i * i + 1.5 for i in part))
                        for part in (range(13), range(13, 20))])  # fmt: skip
    assert ".jsonl" in refused


def test_an_npy_is_x(tmp_path):
    np.save(tmp_path / "mine.npy", np.random.default_rng(0).normal(size=(20, 3)))
    data = load_dataset(tmp_path / "mine.npy")
    assert data.raw_train.shape == (16, 3)
    assert data.preparation is None


# --- the preparation, kept and applied ---------------------------------------------------------


def test_a_preparation_survives_json(written):
    preparation = load_dataset(written(made_frame()), **SAID).preparation
    text = json.dumps(preparation.to_json())
    assert Preparation.from_json(json.loads(text)) == preparation


@pytest.mark.parametrize(
    "change",
    [{"columns": []}, {"columns": ["a", "a"]}, {"medians": {"a": "x"}}, {"medians": {"q": 1.0}},
     {"categories": {"a": []}}, {"image_shape": [0, 3]}, {"format": 3}, {"columns": None},
     {"medians": {"a": float("inf")}}, {"class_names": "abc"}, {"units": "feet"}],
)  # fmt: skip
def test_a_preparation_edited_by_hand_is_refused(change):
    good = Preparation("csv", ("a", "b"), medians={"a": 1.0}).to_json()
    with pytest.raises(InputError, match="preparation"):
        Preparation.from_json(good | change)


def test_a_preparation_applies_to_frames_by_the_names_of_columns(written):
    frame = made_frame()
    data = load_dataset(written(frame), **SAID)
    rows = data.preparation.apply(frame[frame["cell"].isin(data.ids_test)][frame.columns[::-1]])
    np.testing.assert_array_equal(rows, data.raw_test)


def test_new_categories_are_zero_and_counted(written):
    frame = made_frame()
    preparation = load_dataset(written(frame), **SAID).preparation
    with pytest.warns(UserWarning, match="2 in 'colour'"):
        rows = preparation.apply(frame.assign(colour=["green"] * 2 + ["red"] * (N - 2)))
    assert rows[:3, -2:].tolist() == [[0, 0], [0, 0], [0, 1]]


def test_a_missing_column_is_named_and_another_one_ignored(written):
    frame = made_frame()
    preparation = load_dataset(written(frame), **SAID).preparation
    with pytest.raises(InputError, match=r"no column count \(did you mean counts"):
        preparation.apply(frame.rename(columns={"count": "counts"}))
    with pytest.warns(UserWarning, match="not used.*more"):
        preparation.apply(frame.assign(more=1))


def test_a_column_of_another_kind_is_refused(written):
    frame = made_frame()
    preparation = load_dataset(written(frame), **SAID).preparation
    with pytest.raises(InputError, match="'a' holds text"):
        preparation.apply(frame.assign(a="x"))


def test_values_missing_in_new_data_are_refused_where_no_median_is_known(written):
    frame = made_frame()[["a", "count"]]
    preparation = load_dataset(written(frame)).preparation
    with pytest.raises(InputError, match=r"1 in 'a'.*--impute median"):
        preparation.apply(frame.assign(a=[np.nan] + [0.0] * (N - 1)))


# --- in parts ----------------------------------------------------------------------------------


@pytest.mark.parametrize("chunk_rows", [7, 1000])
def test_a_file_in_parts_gives_the_rows_of_the_whole(file, chunk_rows):
    data = load_dataset(file, **SAID)
    stream = open_table(file, data.preparation, chunk_rows)
    for _ in range(2):  # from the beginning again
        parts = list(stream)
        assert max(len(rows) for _, rows in parts) <= chunk_rows
        ids = np.concatenate([ids for ids, _ in parts])
        rows = np.concatenate([rows for _, rows in parts])
        assert ids.tolist() == made_frame()["cell"].tolist()
        np.testing.assert_array_equal(rows[np.isin(ids, data.ids_test)], data.raw_test)
    assert stream.n_rows in (None, N)


def test_arrays_in_parts(tmp_path):
    x = np.random.default_rng(0).integers(0, 256, (20, 4, 4), dtype=np.uint8)
    np.save(tmp_path / "x.npy", x)
    np.savez(tmp_path / "x.npz", x_train=x[:15], x_test=x[15:])
    for name, first in (("x.npy", "0"), ("x.npz", "train-0")):
        stream = open_table(tmp_path / name, None, 8, image_shape=(4, 4), seen="bytes")
        ids, rows = (np.concatenate(part) for part in zip(*stream, strict=True))
        assert stream.n_rows == 20
        assert ids[0] == first
        assert len(set(ids)) == 20
        np.testing.assert_array_equal(rows, x.reshape(20, 16))


def test_rows_without_an_id_column_are_numbered_through(written):
    path = written(made_frame()[["a", "count"]])
    ids = np.concatenate([ids for ids, _ in open_table(path, chunk_rows=7)])
    assert ids.tolist() == [str(i) for i in range(N)]


def read_rows(path, rows):
    path.write_text("\n".join(["a,b", *rows]) + "\n", encoding="utf-8")
    return load_dataset(path)


def test_cells_may_be_quoted_however_late_in_the_file(tmp_path):
    plain = [f"{i}.5,{i % 7}" for i in range(60_000)]  # ten times what is looked at first
    late = [*plain[:-1], '"59999.5","2"']
    data, same = read_rows(tmp_path / "late.csv", late), read_rows(tmp_path / "plain.csv", plain)
    assert data.fingerprint == same.fingerprint

    named = [f"{row},cell {i}" for i, row in enumerate(plain)]
    named[-1] = '59999.5,2,"the last, ""quoted""\none"'
    (tmp_path / "named.csv").write_text("\n".join(["a,b,cell", *named]), encoding="utf-8")
    data = load_dataset(tmp_path / "named.csv", id_column="cell")
    assert data.fingerprint == same.fingerprint
    assert 'the last, "quoted"\none' in [*data.ids_train, *data.ids_test]


def test_plain_numbers_become_the_same_rows_as_others():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(9000, 40)) * 1e30, columns=[f"c{i}" for i in range(40)])
    prepare = Preparation("csv", tuple(frame.columns))
    filled = Preparation("csv", tuple(frame.columns), medians={"c0": 0.0})
    one_missing = frame.copy()
    one_missing.loc[0, "c0"] = np.nan  # which is filled column by column

    rows = prepare.apply(frame)
    assert np.array_equal(rows, frame.to_numpy().astype(np.float32))
    assert np.array_equal(filled.apply(one_missing)[1:], rows[1:])
    for value, what in [(np.nan, "missing"), (np.inf, "infinite"), (1e39, "too large")]:
        frame.loc[8999, "c39"] = value
        with pytest.raises(InputError, match=what):
            prepare.apply(frame)


@pytest.mark.parametrize("word", ["NA", "nan", "-nan", "?", "None", '"NA"'])
@pytest.mark.parametrize("row", [3, 15_000])  # of lines that are looked at first, and a later one
def test_a_word_for_a_missing_number_is_one_wherever_it_stands(tmp_path, word, row):
    x = np.random.default_rng(0).normal(size=(20_000, 3)).round(3)
    lines = [",".join(map(str, values)) for values in x.tolist()]
    found = []
    for cell in (word, ""):
        lines[row] = f"1,{cell},2"
        path = tmp_path / "x.csv"
        path.write_text("\n".join(["a,b,c", *lines]))
        with pytest.raises(InputError, match="values are missing: 1 in 'b'"):
            load_dataset(path)
        found.append(load_dataset(path, impute="median").fingerprint)
    assert found[0] == found[1]
