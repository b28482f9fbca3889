"""A user's .npz that cannot be used: one sentence naming the file, the array and the way out."""

import io
import os
import pickle
import struct
import zipfile

import numpy as np
import pytest
from made_arrays import AN_OBJECT, BYTES, FLOATS, TABLE, Y

from ae_cluster.common.errors import InputError
from ae_cluster.common.memory import forget_peak, peak_mb
from ae_cluster.datasets import load_dataset


@pytest.fixture
def refuses(load_npz, tmp_path, assert_one_sentence):
    """Give a function that checks that arrays are refused, with these parts in the message."""

    def check(*parts, **arrays):
        with pytest.raises(InputError) as error:
            load_npz(**arrays)
        assert_one_sentence(error, tmp_path / "mine.npz", *parts)

    return check


# --- bad samples -----------------------------------------------------------------------------


def with_value(array, index, value):
    changed = array.astype(float)
    changed[index] = value
    return changed


@pytest.mark.parametrize(
    ("x", "parts"),
    [
        (with_value(TABLE, (4, 2), np.nan), ["1 NaN or infinite", "row 4, column 2"]),
        (with_value(TABLE, slice(3, 5), -np.inf), ["6 NaN", "row 3, column 0"]),
        (with_value(FLOATS, (7, 1, 2), np.nan), ["image 7, row 1, column 2"]),
        (FLOATS * 255, ["255", "divide by 255"]),
        (FLOATS * 2 - 1, ["[0, 1]"]),
        (BYTES.astype(int) - 300, ["from -300 to", "0 to 255"]),
        (BYTES.astype(np.uint16) * 2, ["0 to 255"]),
        (BYTES // 128, ["0 and 1", "multiply"]),
        (TABLE * 1e300, ["float32"]),
        (TABLE[:0], ["(0, 3)"]),
        (TABLE[:, :0], ["(10, 0)"]),
        (FLOATS[:, :0], ["(10, 0, 4)"]),
        (TABLE[:, 0], ["(10,)", "(n, h, w)"]),
        (FLOATS[..., None, None], ["(10, 5, 4, 1, 1)"]),
        (np.float64(3), ["()"]),
        (np.zeros((10, 1, 28, 28)), ["channels first", "transpose"]),
        (TABLE * 1j, ["complex128"]),
        (TABLE.astype(str), ["real numbers"]),
        (TABLE.astype("datetime64[s]"), ["datetime64"]),
        (np.zeros(10, [("a", float)]), ["real numbers"]),
        (AN_OBJECT, ["the array x", "np.array(series.tolist())", "plain numbers or text"]),
        (np.full((10, 5, 4), 128, np.uint8), ["8 training samples are the same", "cluster"]),
        (np.full((10, 3), 2.5), ["8 training samples are the same"]),
    ],
)
def test_bad_samples(refuses, x, parts):
    refuses(*parts, x=x)


def test_one_training_sample(refuses):
    refuses("1 training sample", "at least two", x_train=TABLE[:1], x_test=TABLE)
    refuses("1 training sample", x=TABLE[:2])


@pytest.mark.parametrize(
    ("x_train", "x_test"),
    [
        (BYTES, BYTES[:, :4]),
        (BYTES, BYTES.reshape(10, 20)),
        (TABLE, TABLE[:, :2]),
        (BYTES.reshape(10, 4, 5), BYTES),
        (BYTES, FLOATS),
    ],
)
def test_halves_that_do_not_match(refuses, x_train, x_test):
    refuses(
        *("x_train is", x_train.shape, "x_test is", x_test.shape), x_train=x_train, x_test=x_test
    )


@pytest.mark.parametrize(
    ("image_shape", "parts"),
    [
        ((4, 4), ["20 columns", "16 values"]),
        ((20,), ["(20,)"]),
        ((0, 20), ["(0, 20)"]),
        ((-4, -5), ["(-4, -5)"]),
        ((1, 1, 4, 5), ["(1, 1, 4, 5)"]),
    ],
)
def test_bad_image_shape(refuses, image_shape, parts):
    refuses(*parts, x=BYTES.reshape(10, 20), options={"image_shape": image_shape})


def test_image_shape_against_images(refuses):
    refuses("(5, 4)", "(4, 5)", x=BYTES, options={"image_shape": (4, 5)})


# --- bad splits, labels and ids ---------------------------------------------------------------


@pytest.mark.parametrize("test_size", [0, 1, -0.1, 1.5, float("nan"), 3])
def test_test_size_that_is_no_share(refuses, test_size):
    refuses("test size", str(test_size), x=BYTES, options={"test_size": test_size})


@pytest.mark.parametrize(("n", "test_size"), [(1, 0.2), (10, 0.95)])
def test_split_that_leaves_nothing_to_train_on(refuses, n, test_size):
    refuses(f"leaves nothing of {n}", x=BYTES[:n], options={"test_size": test_size})


@pytest.mark.parametrize(
    ("y", "parts"),
    [
        (Y[:9], ["y", "(9,)", "10 samples"]),
        (np.eye(10), ["(10, 10)", "one value per sample"]),
        (Y - 2, ["-2", "-1 for unknown"]),
        (Y + 0.5, ["0.5", "whole numbers"]),
        (np.where(Y == 1, np.inf, Y), ["inf"]),
        (Y * 1e300, ["e+300"]),
        (Y.astype(complex), ["complex128"]),
        (Y.astype("datetime64[D]"), ["datetime64"]),
        (np.array([b"\xff"] * 10), ["UTF-8"]),
        (np.array(3), ["()"]),
    ],
)
def test_bad_labels(refuses, y, parts):
    refuses(*parts, x=TABLE, y=y)


def test_numbers_in_one_half_and_text_in_the_other(refuses):
    refuses(
        *("y_train", "y_test", "numbers and text"),
        x_train=TABLE[:8],
        x_test=TABLE[8:],
        y_train=Y[:8],
        y_test=np.array(["cat", "1"]),
    )


@pytest.mark.parametrize(
    ("ids", "parts"),
    [
        (np.array(list("abcdefghia")), ["'a'", "2 samples"]),
        (np.arange(9), ["ids", "(9,)"]),
        (np.arange(10) / 2, ["float64"]),
    ],
)
def test_bad_ids(refuses, ids, parts):
    refuses(*parts, x=TABLE, ids=ids)


def test_an_id_in_train_and_in_test(refuses):
    ids = np.array(list("abcdefgha"))
    refuses("'a'", x_train=TABLE[:8], x_test=TABLE[8:9], ids_train=ids[:8], ids_test=ids[8:])


# --- names of arrays, and files that are no archive ------------------------------------------


@pytest.mark.parametrize(
    ("arrays", "parts"),
    [
        ({"images": TABLE}, ["no array x ", "'images'"]),
        ({}, ["no array x ", "found: none"]),
        ({"y": Y}, ["no array x ", "'y'"]),
        ({"x_train": TABLE}, ["no array x_test ", "or x to be split"]),
        ({"x_test": TABLE}, ["no array x_train "]),
        ({"y_train": Y}, ["no array x_test and no x_train "]),
        ({"x": TABLE, "x_test": TABLE}, ["do not go together", "x_test"]),
        ({"x": TABLE, "y_train": Y}, ["do not go together", "y_train"]),
        ({"x_train": TABLE, "x_test": TABLE, "y": Y}, ["do not go together", "y"]),
        ({"X": TABLE}, ["no array x ", "'X'"]),
    ],
)
def test_bad_names(refuses, arrays, parts):
    refuses(*parts, **arrays)


@pytest.fixture
def refuses_file(tmp_path, assert_one_sentence):
    def check(name, content, *parts):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError) as error:
            load_dataset(tmp_path / name)
        assert_one_sentence(error, tmp_path / name, *parts)

    return check


@pytest.mark.parametrize("content", [b"", b"no zip", pickle.dumps({"x": 1}), b"\x93NUMPY\x01\0"])
def test_no_archive(refuses_file, content):
    refuses_file("mine.npz", content, "no .npz archive", "truncated")


class MakesFolder:
    """Makes a folder when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (str(self.path),))


def test_a_pickle_is_never_opened(tmp_path, refuses_file, refuses):
    trace = tmp_path / "trace"
    refuses("the array x", x=np.array([MakesFolder(trace)] * 4, dtype=object))
    with zipfile.ZipFile(tmp_path / "raw.npz", "w") as archive:
        archive.writestr("x.npy", pickle.dumps(MakesFolder(trace)))
    refuses_file("copy.npz", (tmp_path / "raw.npz").read_bytes(), "x is no numpy array")
    assert not trace.exists()


def npy_of(header, data=b""):
    length = struct.pack("<H", len(header) + 1)
    return b"\x93NUMPY\x01\x00" + length + header.encode() + b"\n" + data


def zipped(content, how=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", how, compresslevel=1) as archive:
        archive.writestr("x.npy", content)
    return file.getvalue()


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("{'descr': '<f4', 'fortran_order': False, 'shape': ((((((, }", "the array x cannot be"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (", "the array x cannot be read"),
        ("(" * 9000, "the array x cannot be read"),
        (
            "{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }" + " " * 60_000,
            "x has a header that is too long",
        ),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (10000000000, 784), }", "truncated"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 10000000000000), }", "nothing"),
        ("{'descr': '<U0', 'fortran_order': False, 'shape': (10000000000000,), }", "truncated"),
        ("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (0,), }", "real numbers"),
    ],
)
def test_headers_that_lie(refuses_file, header, words, tmp_path):
    refuses_file("mine.npz", zipped(npy_of(header)), words)
    with pytest.raises(InputError) as error:
        load_dataset(tmp_path / "mine.npz")
    assert len(str(error.value)) < 500 + len(str(tmp_path))


def test_archives_that_numpy_does_not_write(refuses_file, tmp_path):
    whole = io.BytesIO()
    np.save(whole, TABLE)
    refuses_file("mine.npz", zipped(whole.getvalue(), zipfile.ZIP_LZMA), "x is packed by LZMA")
    refuses_file("mine.npz", zipped(whole.getvalue(), zipfile.ZIP_BZIP2), "x is packed by bzip2")
    twice = zipped(whole.getvalue()).replace(b"x.npy", b"x.npz")
    with zipfile.ZipFile(tmp_path / "two.npz", "w") as archive:
        for name in ("x.npy", "x"):
            archive.writestr(name, whole.getvalue())
    refuses_file("mine.npz", (tmp_path / "two.npz").read_bytes(), "two arrays of one name")
    refuses_file("mine.npz", twice, "no array x ")


def test_a_bomb_is_not_unpacked(refuses_file):
    shape = (350_000, 784)
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}"
    bomb = zipped(npy_of(header, bytes(shape[0] * shape[1])), zipfile.ZIP_DEFLATED)
    forget_peak()
    before = peak_mb()
    refuses_file("mine.npz", bomb, "unpack to 274,400,", "save the arrays without compression")
    assert peak_mb() - before < 100


def test_sparse_data_are_no_bomb(load_npz):
    x = np.zeros((40, 400, 400), np.uint8)
    x[:, 0, 0] = np.arange(40)
    assert load_npz(save=np.savez_compressed, x=x).raw_train.shape == (32, 160_000)


def test_long_names_and_ids_are_quoted_in_short(refuses, tmp_path):
    np.savez(tmp_path / "mine.npz", **{"z" * 20_000: TABLE})
    with pytest.raises(InputError) as error:
        load_dataset(tmp_path / "mine.npz")
    assert len(str(error.value)) < 500 + len(str(tmp_path))
    ids = np.array([*"abcdefghi", "j" * 1001])
    refuses("the array ids holds text of more than 1,000 characters", x=TABLE, ids=ids)
    points = np.frombuffer(b"\xff\xff\xff\x7f" * 10, "<U1")
    refuses("the array ids holds text that is no Unicode", x=TABLE, ids=points)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_every_truncation_is_refused(load_npz, refuses_file, tmp_path, save):
    load_npz(save=save, x=BYTES, y=Y)
    whole = (tmp_path / "mine.npz").read_bytes()
    for size in range(0, len(whole), 13):
        refuses_file("mine.npz", whole[:size], "save it again")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_no_flipped_byte_changes_the_samples_unnoticed(load_npz, tmp_path, save):
    before = load_npz(save=save, x=BYTES)
    whole = (tmp_path / "mine.npz").read_bytes()
    refused = 0
    for position in range(0, len(whole), 3):
        damaged = bytearray(whole)
        damaged[position] ^= 0xFF
        (tmp_path / "mine.npz").write_bytes(damaged)
        try:
            after = load_dataset(tmp_path / "mine.npz")
        except InputError:
            refused += 1
        else:
            assert after.fingerprint == before.fingerprint
    assert refused > len(whole) / 3 / 2


@pytest.mark.parametrize("name", ["mine.xlsx", "mine.dat", "mine.pt", "mine"])
def test_unknown_kind_of_file(refuses_file, name):
    refuses_file(name, b"1,2", ".npz")


def test_a_folder(tmp_path, assert_one_sentence):
    with pytest.raises(InputError) as error:
        load_dataset(tmp_path)
    assert_one_sentence(error, tmp_path, "a folder", ".npz")
    (tmp_path / "mine.npz").mkdir()
    with pytest.raises(InputError, match="a folder"):
        load_dataset(tmp_path / "mine.npz")


@pytest.mark.parametrize(
    ("given", "meant"),
    [("labels", "y"), ("target", "y"), ("Y", "y"), ("id", "ids")],
)
def test_a_slip_in_the_name_of_an_array(refuses, given, meant):
    refuses(repr(given), f"did you mean {meant}?", x=BYTES, **{given: Y})


@pytest.mark.parametrize(
    ("given", "meant"),
    [("y_tain", "y_train"), ("labels_train", "y_train"), ("ytest", "y_test"), ("Y_test", "y_test")],
)
def test_a_slip_in_the_name_of_a_half(refuses, given, meant):
    refuses(repr(given), f"did you mean {meant}?", x_train=BYTES, x_test=BYTES, **{given: Y})


NOISE = np.random.default_rng(1).normal(size=100)


@pytest.mark.parametrize(
    "column",
    [1.7e9 + NOISE, NOISE * 1e-44, np.where(np.arange(100) == 5, 1e30, NOISE), 1e9 + (NOISE > 0)],
    ids=["times in seconds", "underflow", "one huge value", "two large numbers"],
)
def test_a_column_that_float32_would_ruin(refuses, column):
    x = np.column_stack([NOISE, column])
    refuses("column 1", "apart", "rescale", x=x)
    refuses("column 1", x_train=x, x_test=x)


@pytest.mark.parametrize("name", ["x", "y", "ids"])
@pytest.mark.parametrize("values", [["a", "b"], [1, 2], [0.5, None]])
def test_object_arrays_are_told_the_line_that_mends_them(refuses, name, values):
    objects = np.array(values * 5, dtype=object)
    parts = [f"the array {name}", "pandas", "np.array(series.tolist())"]
    refuses(*parts, **{"x": TABLE, "y": Y} | {name: objects})


def test_that_line_mends_them(load_npz):
    words = np.array([f"part {i}" for i in range(10)], dtype=object)
    data = load_npz(x=TABLE, ids=np.array(words.tolist()), y=np.array((words == "part 3").tolist()))
    assert {*data.ids_train, *data.ids_test} == set(words)
