"""The one reader of run folders: each array against its schema, no value trusted with memory."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from ae_cluster import InputError, read_codes, read_scores
from ae_cluster.explorer import write_page
from ae_cluster.explorer.run_arrays import read_run
from ae_cluster.records.reading import method_names
from ae_cluster.runs.label import take_answers, write_sheet

ROOT = Path(__file__).parents[1]


@pytest.fixture
def run_copy(small_run, tmp_path):
    return small_run(tmp_path / "RUN")


def codes_file(run):
    return run / "methods" / "kmeans" / "codes.npz"


def change_codes(run, **arrays):
    path = codes_file(run)
    with np.load(path) as archive:
        kept = dict(archive)
    kept |= {name: array for name, array in arrays.items() if array is not None}
    for name in (name for name, array in arrays.items() if array is None):
        del kept[name]
    np.savez(path, **kept)


def test_a_run_is_read_from_text_too(run_copy, monkeypatch):
    monkeypatch.chdir(run_copy.parent)
    assert method_names("RUN") == ["kmeans"]
    assert read_codes("RUN", "kmeans")["codes_train"].shape == (24, 2)
    assert len(read_scores("RUN")) > 0
    monkeypatch.setenv("HOME", str(run_copy.parent))
    assert read_codes("~/RUN", "kmeans")["ids_test"].shape == (6,)


def test_no_other_file_reads_arrays():
    """A second reader would not know the schema, or believe a header."""
    readers = [
        str(path.relative_to(ROOT))
        for folder in ("ae_cluster", "experiments")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if any(call in path.read_text() for call in ("np.load(", "numpy.load(", "np.fromfile("))
    ]
    # Both have looked at the header before.
    assert readers == ["ae_cluster/common/bounded_arrays.py", "ae_cluster/datasets/idx.py"]
    named = [
        path.name
        for path in (ROOT / "ae_cluster").rglob("*.py")
        if '"codes.npz"' in path.read_text()
    ]
    assert sorted(named) == ["reading.py", "writing.py"]  # one writes and one reads


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"codes_train": np.zeros((24, 2)).astype(str)}, "codes_train holds <U32 and no number"),
        ({"codes_train": np.float64(3)}, "shape () where (train, component) is expected"),
        ({"codes_test": np.zeros((6, 3))}, "codes_test has shape (6, 3) where there are 2"),
        ({"codes_train": np.full((24, 2), np.nan)}, "codes_train holds a number that is no"),
        ({"clusters_train": np.zeros(24)}, "clusters_train holds float64 and no whole number"),
        ({"clusters_train": np.zeros(23, int)}, "has shape (23,) where there are 24 of its axis"),
        ({"clusters_train": np.full(24, 10**12)}, "1000000000000 where there are at most 30"),
        ({"labels_train": np.full(24, 3 * 10**8)}, "300000000 where there are at most 3 classes"),
        ({"labels_test": np.full(6, -5)}, "from -5 to -5"),
        ({"labels_test": np.array(["a"] * 6)}, "labels_test holds <U1"),
        ({"ids_train": np.arange(24)}, "ids_train holds int64 and no text"),
        ({"ids_test": np.array(["0"] * 6)}, "the id '0' stands for"),
        ({"ids_test": np.array(["x" * 2000] * 6)}, "text of more than 1,000 characters"),
        ({"ids_test": np.array(list("abcde"))}, "config.json says 6"),
        ({"soft_train": np.zeros((24, 3, 1), "f4")}, "soft_train has shape (24, 3, 1)"),
        ({"centers": np.array(["a"])}, "centers holds <U1"),
        ({"codes_test": None}, "it lacks codes_test"),
        ({"codes_train": np.array([None] * 24)}, "codes_train holds Python objects"),
    ],
)  # fmt: skip
def test_every_array_is_held_against_the_schema(run_copy, arrays, words, assert_one_sentence):
    if "ids_test" in arrays and len(arrays["ids_test"]) == 5:
        arrays |= {"codes_test": np.zeros((5, 2)), "clusters_test": np.zeros(5, int)}
        arrays = arrays | {"labels_test": None, "share_farther_out_test": None}
    change_codes(run_copy, **arrays)
    for use in (lambda: read_codes(run_copy, "kmeans"), lambda: write_page(run_copy)):
        with pytest.raises(InputError) as error:
            use()
        assert_one_sentence(error, codes_file(run_copy), words, "do the run again")


def damaged(path, how):
    content = path.read_bytes()
    if how == "checksum":
        at = content.index(b"\n") + 1  # the first number after the first array's header
        content = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
    path.write_bytes({"empty": b"", "cut": content[: len(content) // 2]}.get(how, content))


@pytest.mark.parametrize("how", ["cut", "empty", "checksum"])
@pytest.mark.parametrize("name", ["codes.npz", "snapshots.npz"])
def test_damaged_arrays_are_told(run_copy, name, how, assert_one_sentence):
    path = run_copy / "methods" / "kmeans" / name
    damaged(path, how)
    with pytest.raises(InputError) as error:
        read_run(run_copy)
    words = "the array" if how == "checksum" else "no .npz archive, or a truncated one"
    assert_one_sentence(error, path, words, "do the run again")


def test_a_header_that_lies_takes_no_memory(run_copy):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<i8", "fortran_order": False, "shape": (450_000_000,)}
    )
    with zipfile.ZipFile(codes_file(run_copy)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["labels_train.npy"] = header.getvalue()
    with zipfile.ZipFile(codes_file(run_copy), "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with pytest.raises(InputError, match="has 0 bytes where its header says 3,600,000,000"):
        read_codes(run_copy, "kmeans")


def test_ids_of_any_number_of_digits_are_in_order(run_copy):
    from ae_cluster.datasets.dataset import file_order
    from ae_cluster.runs.samples import samples_of_run

    ids = np.array(["10" + "0" * 24, "9", "0010", "2"])
    assert file_order(ids).tolist() == [3, 1, 2, 0]
    change_codes(run_copy, ids_train=np.array([f"9{i:025}" for i in range(24)]))
    assert samples_of_run(run_copy).ids[-1] == f"9{23:025}"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"0,1\n2,1\n", "first line must name the columns id and label"),
        (b"id,label\n0," + b"x" * 140_000 + b"\n", "field larger than field limit"),
        (b"id,label" + b"," * 2**21 + b"\n", "a line has more than 1,048,576 characters"),
    ],
)
def test_a_runs_own_labels_are_read_like_any_table(run_copy, content, words):
    own = run_copy / "labels" / "labels.csv"
    own.parent.mkdir()
    answers = run_copy / "answers.csv"
    answers.write_text("id,label\n1,2\n")
    for saved in (
        b"\xef\xbb\xbfid,label\n0,1\n",
        b"id;label\r0;1\r",
        "id,label\n0,1".encode("utf-16"),
    ):
        own.write_bytes(saved)
        assert take_answers(run_copy, answers)[1] == 2
    own.write_bytes(content)
    for use in (lambda: take_answers(run_copy, answers), lambda: write_sheet(run_copy, 2)):
        with pytest.raises(InputError, match=words) as error:
            use()
        assert str(own) in str(error.value)


def with_config(run, **changes):
    path = run / "config.json"
    content = json.loads(path.read_text())
    for part, values in changes.items():
        content[part] |= values
    path.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"data": {"name": ["mine"]}}, "its name is ['mine'] and must be text"),
        ({"data": {"class_names": "abc"}}, "its class_names is 'abc' and must be a list of text"),
        ({"data": {"image_shape": [28, "a"]}}, "its image_shape is [28, 'a']"),
        ({"data": {"fingerprint": 5}}, "its fingerprint is 5 and must be text"),
        ({"arguments": {"dataset": ["x"]}}, "its dataset is ('x',) and must be a name or a path"),
        ({"arguments": {"dataset": "x" * 10_000}}, "its dataset is 'xxx"),
        ({"arguments": {"budgets": ["many"]}}, "its budgets is ('many',)"),
        ({"settings": {"x": [[[]]] * 3}, "methods": {"kmeans": {"features": [1]}}}, "methods is {"),
    ],
)  # fmt: skip
def test_a_config_of_other_kinds_is_told(run_copy, changes, words, assert_one_sentence):
    with_config(run_copy, **changes)
    with pytest.raises(InputError) as error:
        write_page(run_copy)
    assert_one_sentence(error, run_copy / "config.json", words, "not the config of a run")
    assert len(str(error.value)) < 500 + len(str(run_copy))


def test_deep_json_and_long_names_are_told(run_copy):
    with_config(run_copy, arguments={"dataset": "/" + "x" * 1000})
    assert write_page(run_copy).is_file()  # the data are not found, which the page says
    path = run_copy / "config.json"
    text = path.read_text()
    for deep in ("[" * 100_000, "[" * 60 + "]" * 60):
        path.write_text(text.replace("{", '{"deep": ' + deep + ",", 1))
        with pytest.raises(InputError, match=r"nested more than 40 deep|no JSON"):
            read_codes(run_copy, "kmeans")
    path.write_text(text.replace("{", '{"long": "' + "x" * 2**24 + '",', 1))
    with pytest.raises(InputError, match="more than 16,777,216 are not read"):
        read_codes(run_copy, "kmeans")


def test_a_mark_of_deep_json_is_nobodys(tmp_path):
    from ae_cluster.common.write_lock import MARK, finished

    for content in (b"[" * 200_000, b"\xff", b'"ae-cluster run"\n' + b"[" * 200_000):
        (tmp_path / MARK).write_bytes(content)
        assert finished(tmp_path) is None
