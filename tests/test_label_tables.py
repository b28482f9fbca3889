"""Tables of labels as spreadsheets save them are read, or refused in a sentence that says why."""

from __future__ import annotations

import codecs

import numpy as np
import pytest

from ae_cluster.common.errors import InputError
from ae_cluster.semi_supervised.label_files import notes_on, read_labels
from ae_cluster.semi_supervised.label_tables import read_table

IDS = np.array(["a", "b", "c", "d"])
TEXT = "id,label\na,cat\nb,dög\nd,cat\n"
EXPECTED = [("a", "cat"), ("b", "dög"), ("d", "cat")]


@pytest.fixture
def read(tmp_path):
    """Give a function that reads the bytes of a table as pairs of id and label."""

    def reading(raw):
        path = tmp_path / "labels.csv"
        path.write_bytes(raw if isinstance(raw, bytes) else raw.encode())
        return [(row.id, row.label) for row in read_table(path).rows]

    return reading


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (b"", "utf-16-le"),
        (b"", "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
        (b"", "latin-1"),
        (b"", "cp1252"),
    ],
)
def test_every_separator_encoding_and_line_end(read, separator, end, mark, encoding):
    text = TEXT.replace(",", separator).replace("\n", end)

    assert read(mark + text.encode(encoding)) == EXPECTED


@pytest.mark.parametrize(
    "text",
    [
        'sep=;\nid;label\na;cat\nb;"dög"\nd;cat\n',  # Excel's hint
        "\n\nid,label\n\na,cat\nb,dög\n,\nd,cat\n\n",
        "id,label,,\na,cat,,\nb,dög,,\nd,cat\n",
        ' ID , "Label"\n"a", cat \nb,dög\nd,cat',
        "number;label;id\n1;cat;a\n2;dög;b\n3;cat;d\n",
        "id,y,label\na,7.5,cat\nb,0.1,dög\nd,3,cat\n",  # y beside label is a column like others
        "id,label,note\na,cat,x;y\nb,dög,\nd,cat,a\tb\n",
    ],
)
def test_what_else_spreadsheets_write(read, text):
    assert read(text) == EXPECTED


def test_an_id_without_a_label_has_none(read):
    assert read("id,label\na\nb,\nc,cat\n") == [("a", ""), ("b", ""), ("c", "cat")]


@pytest.mark.parametrize(
    ("raw", "parts"),
    [
        ("id|label\na|cat\n", ["separated by '|'", "by commas"]),
        ("id label\na cat\n", ["separated by spaces", "by commas"]),
        ("id,label\na;cat\nb;dog\n", ["line 2 is separated by semicolons", "first by commas"]),
        ("id;label\na;cat\nb,dog\n", ["line 3 is separated by commas", "first by semicolons"]),
        ("id,label\na,cat, big\n", ["line 2 has 3 cells", "names 2 columns", "quotation marks"]),
        ('id,label\na,"cat\nb,dog\n', ["cannot be read", "CSV UTF-8"]),
        ("id,label,label\na,cat,dog\n", ["two columns are called label"]),
        ("id;kind\na;cat\n", ["must name the columns id and label; it is id, kind", "semicolons"]),
        (b"PK\x03\x04rest", ["an Excel workbook", "save it as CSV UTF-8"]),
        (b"\xd0\xcf\x11\xe0rest", ["an old Excel workbook"]),
        (b"\x1f\x8brest", ["compressed"]),
        (b"\x93NUMPY\x01\x00", ["numpy array", ".npy"]),
        (b"id,label\na,\0\0\0\n", ["bytes of 0"]),
        (codecs.BOM_UTF16_LE + b"i\0d\0,", ["UTF-16-LE", "damaged"]),
        (codecs.BOM_UTF8 + b"id,label\na,\xff\n", ["UTF-8", "damaged"]),
        ("id,label\na,кот\n".encode("cp1251"), ["line 2", "not UTF-8", "cannot be told"]),
        ("id,label\na,猫\n".encode("shift-jis"), ["line 2", "cannot be told"]),
        ("id,label\na,café\n".encode("mac-roman"), ["line 2", "cannot be told"]),
        ("id,label\na,café\n".encode("cp850"), ["line 2", "cannot be told"]),
        ("id,label\na,żółty\n".encode("iso8859-2"), ["line 2", "cannot be told"]),
    ],
)
def test_what_is_not_clear_is_refused(read, raw, parts, assert_one_sentence):
    with pytest.raises(InputError) as error:
        read(raw)
    assert_one_sentence(error, *parts)


def test_what_was_taken_for_granted_is_said(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_bytes("id,label,note\na,käse,x\nb,dog,x\nc,NA,\nd,None,\n".encode("latin-1"))
    encoding, words = notes_on(path)
    assert "not UTF-8 and was read as Latin-1, so that 'käse' stands in it" in encoding
    assert "2 label(s) say 'NA' or 'None', which counts as no label" in words
    assert read_labels(path, IDS, ()).names == ("dog", "käse")

    path.write_bytes("id,label,note\na,cat,кот\nb,dog,x\nc,?,\nd,-1,\n".encode("cp1251"))
    assert notes_on(path) == []
    assert read_labels(path, IDS, ()).names == ("cat", "dog")


def test_lines_are_numbered_as_an_editor_numbers_them(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text('sep=,\nid,label\n\na,"two\nlines"\nz,dog\n')
    with pytest.raises(InputError, match="line 6 labels 'z'"):
        read_labels(path, IDS, ())


def test_an_array_may_be_a_column(tmp_path):
    np.save(tmp_path / "y.npy", np.array([[1], [-1], [2], [1]]))
    assert read_labels(tmp_path / "y.npy", IDS, ()).columns.tolist() == [0, -1, 1, 0]
    np.save(tmp_path / "y.npy", np.array([[1, -1, 2, 1]]))
    with pytest.raises(InputError, match=r"shape \(1, 4\), and there are 4 samples"):
        read_labels(tmp_path / "y.npy", IDS, ())
