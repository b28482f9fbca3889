"""Labels in a user's file reach their samples, and what is wrong with them is one sentence."""

from __future__ import annotations

import numpy as np
import pytest

from ae_cluster.common.errors import InputError
from ae_cluster.semi_supervised.label_files import read_answers, read_labels, write_labels

IDS = np.array(["a", "b", "c", "d"])
NAMES = ("cat", "dog")


def table(tmp_path, text):
    path = tmp_path / "labels.csv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "text",
    [
        "id,label\nd,cat\na,dog\n",
        "\ufefflabel,note,id\ncat,x,d\ndog,,a\n,,b\n",  # Excel's mark, other columns and order
        "ID;Y\nd;cat\na;dog\nb;-1.0\nc;NaN\n",
        "id,label\nd,cat\nd,cat\na,dog\n",
    ],
)
def test_labels_go_to_their_ids(tmp_path, text):
    found = read_labels(table(tmp_path, text), IDS, NAMES)

    assert found.columns.tolist() == [1, -1, -1, 0]
    assert found.names == NAMES


def test_names_that_nobody_knew_become_classes_numbers_in_their_order(tmp_path):
    found = read_labels(table(tmp_path, "id,label\na,10\nb,9\nc,other\n"), IDS, ())

    assert found.names == ("9", "10", "other")
    assert found.columns.tolist() == [1, 0, 2, -1]


@pytest.mark.parametrize("labels", [["dog", "", "?", "cat"], ["dog", "-1", "NA", "cat"]])
def test_an_array_gives_labels_by_position(tmp_path, labels):
    np.save(tmp_path / "y.npy", np.array(labels))

    assert read_labels(tmp_path / "y.npy", IDS, NAMES).columns.tolist() == [1, -1, -1, 0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("id,label\na,cat\na,dog\n", "line 3 labels 'a' as 'dog', and an earlier line as 'cat'"),
        ("id,label\nz,cat\n", "line 2 labels 'z', and no sample has this id; ids are like a, b, c"),
        ("id,label\na,cat\nb,dgo\n", "the label 'dgo' is no class of the data: did you mean dog"),
        ("id,label\na,cat\nb,cat\n", "all its labels are 'cat'"),
        ("id,label\na,0\nb,1\n", "line 2: the label '0' is no class of the data: known are"),
        ("id,label\na,cat\nb,dog\nc,eel\n", "line 4: the label 'eel' is no class of the data"),
        ("id,label\na,-1.0\nb,NaN\nc,null\n", "it holds no label; label samples of at least two"),
        ("name,kind\na,cat\n", "must name the columns id and label; it is name, kind"),
        ("", "it is empty"),
    ],
)
def test_tables_that_cannot_be_used_say_so(tmp_path, text, says):
    with pytest.raises(InputError, match=says) as caught:
        read_labels(table(tmp_path, text), IDS, NAMES)

    assert "labels.csv: " in str(caught.value)
    assert "\n" not in str(caught.value)


def test_arrays_and_files_that_cannot_be_used_say_so(tmp_path):
    np.save(tmp_path / "y.npy", np.zeros(3))
    with pytest.raises(InputError, match=r"shape \(3,\), and there are 4 samples"):
        read_labels(tmp_path / "y.npy", IDS, NAMES)
    (tmp_path / "broken.npy").write_bytes(b"no array")
    with pytest.raises(InputError, match="no array that can be read"):
        read_labels(tmp_path / "broken.npy", IDS, NAMES)
    with pytest.raises(InputError, match="there is no such file"):
        read_labels(tmp_path / "none.csv", IDS, NAMES)
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe\x00id")
    with pytest.raises(InputError, match="UTF-16-LE text that is damaged"):
        read_labels(tmp_path / "bytes.csv", IDS, NAMES)


@pytest.mark.parametrize(
    ("known", "texts", "names", "columns"),
    [
        (("1", "2", "3"), ["1", "3.0", " 2 ", "01"], ("1", "2", "3"), [0, 2, 1, 0]),
        (("3", "70", "1000"), ["1e3", "+3", "70.00", "-1"], ("3", "70", "1000"), [2, 0, 1, -1]),
        (("1.0", "2.0"), ["2", "1", "None", "-1.0"], ("1.0", "2.0"), [1, 0, -1, -1]),
        ((), ["1", "1.0", "10", "2"], ("1", "2", "10"), [0, 0, 2, 1]),
        ((), ["b", "NA", "2.0", "1"], ("1", "2.0", "b"), [2, -1, 1, 0]),
        ((), ["Na", "NA", "Cl", "unknown"], ("Cl", "Na", "unknown"), [1, -1, 0, 2]),
    ],
)
def test_a_label_is_a_name_however_a_number_is_written(tmp_path, known, texts, names, columns):
    rows = "".join(f"{i},{text}\n" for i, text in zip(IDS, texts, strict=True))
    found = read_labels(table(tmp_path, f"id,label\n{rows}"), IDS, known)

    assert found.names == names
    assert found.columns.tolist() == columns
    np.save(tmp_path / "y.npy", np.array(texts))
    assert read_labels(tmp_path / "y.npy", IDS, known).columns.tolist() == columns


@pytest.mark.parametrize("labels", [[1, 3, -1, 2], [1.0, 3.0, np.nan, 2.0]])
def test_numbers_in_an_array_are_names_too(tmp_path, labels):
    np.save(tmp_path / "y.npy", np.array(labels))

    assert read_labels(tmp_path / "y.npy", IDS, ("1", "2", "3")).columns.tolist() == [0, 2, -1, 1]
    assert read_labels(tmp_path / "y.npy", IDS, ()).names == ("1", "2", "3")
    with pytest.raises(InputError, match=r"sample 0 \(counted from 0\): the label '1' is no class"):
        read_labels(tmp_path / "y.npy", IDS, ("3", "70", "1000"))


def test_arrays_of_fractions_are_no_labels(tmp_path):
    np.save(tmp_path / "y.npy", np.array([0.5, 1, 2, 0]))
    with pytest.raises(InputError, match=r"holds 0.5, which is no class"):
        read_labels(tmp_path / "y.npy", IDS, ())


def test_answers_that_are_the_same_number_agree(tmp_path):
    path = table(tmp_path, "id,label\na,1.0\nb,NA\nc,2\n")

    assert read_answers(path, IDS, (), {"a": "1"}) == {"a": "1", "c": "2"}
    assert read_answers(path, IDS, ("2.0", "1"), {}) == {"a": "1", "c": "2.0"}
    with pytest.raises(InputError, match="line 4: the label '2' is no class of the data: known"):
        read_answers(path, IDS, ("0", "1"), {})


def test_answers_add_to_earlier_ones_and_must_agree_with_them(tmp_path):
    path = table(tmp_path, "id,label\na,cat\nb,\n")

    assert read_answers(path, IDS, NAMES, {"c": "dog"}) == {"c": "dog", "a": "cat"}
    with pytest.raises(InputError, match="'a' is labelled 'cat', and was labelled 'dog' before"):
        read_answers(path, IDS, NAMES, {"a": "dog"})
    with pytest.raises(InputError, match="'cat' is no class of the data"):
        read_answers(path, IDS, ("yes", "no"), {})
    with pytest.raises(InputError, match="no label yet; fill in the column label"):
        read_answers(table(tmp_path, "id,label\na,\n"), IDS, (), {})


def test_what_is_written_is_read(tmp_path):
    write_labels(tmp_path / "new.csv", ["d", "a"], ["cat", "dog"])

    assert read_labels(tmp_path / "new.csv", IDS, ()).columns.tolist() == [1, -1, -1, 0]


def test_label_arrays_whose_header_lies_take_no_memory(tmp_path):
    path = tmp_path / "y.npy"
    np.save(path, np.zeros(4, np.int64))
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"(4,)", b"(3000000000,)").replace(b" " * 9, b"", 1))
    with pytest.raises(InputError, match=r"has 32 bytes where its header says 24,000,000,000"):
        read_labels(path, IDS, NAMES)
