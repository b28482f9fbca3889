"""A table that cannot be used: one sentence naming the file, the column and the way out."""

import gzip

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import feather, parquet

from ae_cluster import load_dataset
from ae_cluster.common.errors import InputError
from ae_cluster.common.memory import forget_peak, peak_mb

HEAD = "u,v,w\n"
BODY = "".join(f"{i},{i * i % 7},{i % 5}\n" for i in range(30))
GOOD = HEAD + BODY


@pytest.fixture
def refuses(tmp_path, assert_one_sentence):
    """Give a function that checks that a file is refused, with these parts in the message."""

    def check(content, *parts, name="mine.csv", **options):
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        with pytest.raises(InputError) as error:
            load_dataset(path, **options)
        assert_one_sentence(error, path, *parts)

    return check


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("", ["empty"]),
        (HEAD, ["no rows"]),
        (GOOD[:-4], ["Expected 3 columns, got 2"]),
        (GOOD + "1,2,3,4\n", ["Expected 3 columns, got 4"]),
        (BODY, ["first line holds numbers (0, 0, 0)", "a line of names"]),
        ("u,v,u\n" + BODY, ["'u'", "a name of its own"]),
        (GOOD + "-inf,1,1\n", ["infinite", "1 in 'u'", "--drop"]),
        (GOOD + "1,1e400,1\n", ["infinite", "1 in 'v'"]),
        (GOOD + "1,1,1e300\n", ["too large for float32 in w"]),
        (GOOD + "9" * 30 + ",1,1\n", ["1e+30", "'u'", "of 24 apart"]),
        (GOOD + ",,1\n1,,1\n", ["3 in 2 columns", "2 in 'v'", "1 in 'u'", "--impute median"]),
        ("u,v\n" + "1,\n" * 9, ["no value stands in v", "--drop"]),
        (gzip.compress(GOOD.encode()), ["compressed with gzip"]),
        (b"\x93NUMPY" + b"1" * 100, ["numpy array", ".npy"]),
        (GOOD + "\0,1,1\n", ["bytes of 0"]),
        (b"u,v,caf\xe9\n1,2,3\n", ["no UTF-8"]),
        (b"u,v\n" + b"1,caf\xe9\n" * 9, ["'v'", "no UTF-8"]),
        (GOOD + '1,"2,3\n', ["lines"]),
        ("u;v\n1,5;2\n2,5;3\n", ["decimal points"]),
        (",".join(f"c{i}" for i in range(10**6)) + "\n1,2\n", ["1,000,000 columns"]),
        (b"x" * 2**25, ["first line has more than"]),
        (HEAD + "1,2," + "3" * 3_000_000 + "\n", ["lines"]),
        (HEAD + "1,2,3\n" * 20, ["16 training samples are the same"]),
        ("u,day\n" + "".join(f"{i},2026-01-0{i + 1}\n" for i in range(9)), ["'day' (dates"]),
        ("name,u,k\n" + "".join(f"s{i},{i},a\n" for i in range(9)),
         ["'name' (text) and 'k' (text)", "--drop", "--categorical", "--label-column",
          "the ids, which 'name' may be, with --id-column"]),
        ("id,u\n" + "".join(f"{i},{i * i}\n" for i in range(9)), ["'id'", "--id-column"]),
        ("u,label\n" + "".join(f"{i},{i % 2}\n" for i in range(9)), ["--label-column 'label'"]),
    ],
)  # fmt: skip
def test_bad_csv(refuses, content, parts):
    refuses(content, *parts)


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ({"label_column": "vv"}, ["'vv'", "--label-column", "did you mean v?"]),
        ({"id_column": "W"}, ["--id-column", "did you mean w?"]),
        ({"drop": ["u", "q"]}, ["'q'", "--drop", "known are: u, v, w"]),
        ({"categorical": ["x1"]}, ["'x1'", "--categorical"]),
        ({"id_column": "v"}, ["stands for 9 samples"]),
        ({"drop": ["u", "v", "w"]}, ["no column is left"]),
        ({"layer": "raw"}, ["--layer", ".h5ad"]),
    ],
)
def test_options_that_do_not_fit(refuses, options, parts):
    refuses(GOOD, *parts, **options)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"impute": "mean"}, "median"),
        ({"drop": 5}, "names of columns"),
        ({"label_column": ["a"]}, "one name"),
        ({"drop": ["u"], "label_column": "u"}, "named twice"),
    ],
)
def test_options_that_mean_nothing(tmp_path, options, words):
    (tmp_path / "mine.csv").write_text(GOOD)
    with pytest.raises(InputError, match=words):
        load_dataset(tmp_path / "mine.csv", **options)


def test_options_of_tables_are_refused_for_arrays(refuses, tmp_path):
    np.savez(tmp_path / "mine.npz", x=np.eye(9))
    refuses(None, "--label-column, --drop", name="mine.npz", label_column="y", drop=["z"])


def test_ids_that_are_missing_are_counted(refuses):
    refuses("u,n\n1,a\n2,\n3,\n", "'n'", "2 row(s)", id_column="n")


def test_a_categorical_column_of_too_many_values(refuses):
    content = "u,v\n" + "".join(f"s{i},{i}\n" for i in range(3000))
    refuses(content, "'u'", "2,400 categories", categorical=["u"])


def test_a_column_of_one_value_is_taken_with_a_note(tmp_path):
    (tmp_path / "mine.csv").write_text("u,v\n" + "".join(f"{i},1\n" for i in range(30)))
    with pytest.warns(UserWarning, match=r"1 column\(s\) hold one value.*: v"):
        data = load_dataset(tmp_path / "mine.csv")
    assert data.column_names == ("u", "v")


def test_names_that_count_are_names(tmp_path):
    (tmp_path / "mine.csv").write_text("0,1,2\n" + BODY)
    assert load_dataset(tmp_path / "mine.csv").column_names == ("0", "1", "2")


# --- Parquet and Feather -----------------------------------------------------------------------

WRITE = {"mine.parquet": parquet.write_table, "mine.feather": feather.write_feather}


@pytest.fixture(params=WRITE)
def name(request):
    return request.param


def test_damaged_files(refuses, tmp_path, name):
    WRITE[name](pa.table({"u": np.arange(30.0), "v": np.arange(30.0) ** 2}), tmp_path / name)
    whole = (tmp_path / name).read_bytes()
    kind = name.split(".")[1].capitalize()
    for content in (whole[: len(whole) // 2], b"", b"1,2\n", whole[10:]):
        refuses(content, kind, name=name)


def test_columns_that_are_no_numbers(refuses, tmp_path, name):
    columns = {"a": [[1], [2]], "b": [1.0, 2.0], "c": [b"1", b"2"]}
    WRITE[name](pa.table(columns), tmp_path / name)
    refuses(None, "'a' (lists or bytes) and 'c'", name=name)


def test_a_table_of_too_many_columns(refuses, tmp_path, name, monkeypatch):
    monkeypatch.setattr("ae_cluster.datasets.table_files.MOST_COLUMNS", 50)
    WRITE[name](pa.table({f"c{i}": [1.0] for i in range(51)}), tmp_path / name)
    refuses(None, "51 columns, and more than 50", name=name)


def test_a_small_file_of_very_many_values(refuses, tmp_path, name):
    zeros = pa.chunked_array([np.zeros(10**6)] * 40)
    options = {"compression": "zstd"}
    WRITE[name](pa.table({"u": zeros, "v": zeros}), tmp_path / name, **options)
    forget_peak()
    before = peak_mb()
    refuses(None, "unpack to", name=name)
    assert peak_mb() - before < 700


def test_one_long_text_in_very_many_rows(refuses, tmp_path):
    n = 10**6
    text = pa.DictionaryArray.from_arrays(pa.array(np.zeros(n, np.int32)), ["x" * 10**5])
    table = pa.table({"u": np.arange(n) % 7, "s": text})
    parquet.write_table(table, tmp_path / "mine.parquet")
    refuses(None, "100,000 characters", name="mine.parquet", label_column="s")


def test_numbers_as_pandas_saves_them_are_taken_as_they_are(tmp_path):
    frame = pd.DataFrame(
        {"i": pd.array([1, None, 3] * 4, "Int64"),
         "b": pd.array([True, None, False] * 4, "boolean"),
         "f": np.arange(12, dtype="f4"), "c": pd.Categorical(["x", "y", "x"] * 4)}
    )  # fmt: skip
    frame.to_parquet(tmp_path / "mine.parquet")
    data = load_dataset(tmp_path / "mine.parquet", label_column="c", impute="median")
    assert data.preparation.medians["i"] in (1, 2, 3)
    assert data.class_names == ("x", "y")
