"""Labels in a user's file reach their samples, and what is wrong with them is one sentence."""

from __future__ import annotations

import numpy as np
import pytest

from ae_cluster.errors import InputError
from ae_cluster.few_labels.label_files import read_answers, read_labels, write_labels

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
        "ID,Y\nd,0\na,1\nb,-1\nc,?\n",
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


@pytest.mark.parametrize("labels", [[1, -1, -1, 0], [1.0, -1, -1, 0], ["dog", "", "?", "cat"]])
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
        ("id,label\na,\n", "it holds no label; label samples of at least two classes"),
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
    with pytest.raises(InputError, match="cannot be read as a table"):
        read_labels(tmp_path / "bytes.csv", IDS, NAMES)


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
