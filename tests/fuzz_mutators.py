"""How files are damaged, forged and mistaken for others: pure functions of bytes and a random."""

import bz2
import hashlib
import io
import json
import pickle
import struct
import zipfile
import zlib

import numpy as np

POOL = [
    None, True, [], {}, "", "x", "x" * 3000, -1, 0, 1e308, -1e-320, float("nan"), float("inf"),
    10**30, 3 * 10**8, 2**63, 0.5, [[1]], ["a", 1], {"a": {"b": []}}, "../../etc/passwd", "a\0b",
    "\x1b[2J", "=1+1", "\ud800", "é", "/dev/zero", "~nobody-here/x", "digits", [28, "a"], [0, 0],
    [10**9, 10**9], [-1], list(range(2000)),
]  # fmt: skip


# Of any file


def truncated(content, rng):
    return content[: rng.randrange(len(content) + 1)]


def flipped(content, rng):
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 8, 64))):
        if changed:
            changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _span(content, rng):
    start = rng.randrange(len(content) + 1)
    return start, min(len(content), start + rng.choice((1, 4, 16, 200)))


def zeroed(content, rng):
    start, end = _span(content, rng)
    return content[:start] + b"\0" * (end - start) + content[end:]


def doubled(content, rng):
    start, end = _span(content, rng)
    return content[:end] + content[start:end] + content[end:]


def inserted(content, rng):
    start, _ = _span(content, rng)
    return content[:start] + rng.randbytes(rng.choice((1, 7, 300))) + content[start:]


def swapped(content, rng):
    (a, b), (c, d) = sorted((_span(content, rng), _span(content, rng)))
    return content[:a] + content[c:d] + content[b:c] + content[a:b] + content[d:] if b <= c else b""


def replaced(_, rng):
    return rng.choice(
        [
            b"", b"\0", b"{}", b"[]", b"null", b"id,label\n0,1\n", b"<html></html>", b"PK\x03\x04",
            b"[" * 100_000, b"\x93NUMPY", b"SQLite format 3\0" + b"\0" * 100,
            pickle.dumps({"a": 1}), rng.randbytes(500), bz2.compress(b"1 1:0.5\n"),
            zlib.compress(b"x"), struct.pack("<Q", 2**62) + b"{}", "id,label\n".encode("utf-16"),
        ]
    )  # fmt: skip


ANY = (truncated, flipped, zeroed, doubled, inserted, swapped, replaced)


# Of JSON


def _walk(value, place=()):
    yield place
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from _walk(value[key], (*place, key))


def json_changed(content, rng):
    """Replace, drop or add something anywhere in a JSON file, which stays one."""
    root = [json.loads(content)]
    for _ in range(rng.choice((1, 1, 2, 4))):
        *place, key = (0, *rng.choice(list(_walk(root[0]))))
        inner = root
        for step in place:
            inner = inner[step]
        how = rng.random()
        if how < 0.7 or inner is root:
            inner[key] = rng.choice(POOL)
        elif how < 0.85:
            del inner[key]
        elif isinstance(inner, dict):
            inner[rng.choice(("x", "y" * 5000, "\x1b[2J", "seed", "name"))] = rng.choice(POOL)
    return json.dumps(root[0]).encode()


def json_deep(content, rng):
    deep = rng.choice(("[" * 60 + "]" * 60, '{"a":' * 50 + "1" + "}" * 50, "[" * 200_000))
    return content.replace(b"{", b'{"deep": ' + deep.encode() + b",", 1)


def json_long(content, rng):
    return content.replace(b"{", b'{"long": "' + b"x" * rng.choice((10**5, 2**24)) + b'",', 1)


JSON = (json_changed, json_changed, json_changed, json_deep, json_long)


def forged(mutator, weights):
    """Return a mutator of model.json after which its checksum fits again."""

    def mutate(content, rng):
        changed = mutator(content, rng)
        try:
            described = json.loads(changed)
            described.pop("checksum", None)
            text = json.dumps(described, sort_keys=True).encode()
        except (ValueError, AttributeError, TypeError, RecursionError):
            return changed
        packed = hashlib.sha256(weights).digest()
        return json.dumps(
            described | {"checksum": hashlib.sha256(text + packed).hexdigest()}
        ).encode()

    return mutate


# Of arrays


def _header(descr, shape, version=(1, 0), padding=0):
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}" + " " * padding
    length = struct.pack("<H" if version == (1, 0) else "<I", len(text) + 1)
    return b"\x93NUMPY" + bytes(version) + length + text.encode() + b"\n"


def _npy(array):
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


def other_array(array, rng, lies=0.3):
    """Return an array's ``.npy`` with other values, kind or axes, or a header that lies."""
    shape = array.shape
    integers = np.arange(array.size).reshape(shape)
    others = [
        lambda: np.array(3), lambda: np.array("text"), lambda: array[:0], lambda: array[None],
        lambda: array[..., None], lambda: array[:-1], lambda: array.T, lambda: array.reshape(-1),
        lambda: array[..., :0], lambda: np.concatenate([array, array]),
        lambda: np.asfortranarray(array), lambda: array.astype(str), lambda: array.astype("S"),
        lambda: array.astype(object), lambda: integers.astype(complex), lambda: integers % 2 == 0,
        lambda: integers.astype("datetime64[s]"), lambda: integers.astype("f2"),
        lambda: integers.astype(np.longdouble), lambda: integers.astype(">i4"),
        lambda: integers.astype("u8") + 2**63, lambda: np.full(shape, 3 * 10**8),
        lambda: np.full(shape, -7), lambda: np.full(shape, np.nan), lambda: np.full(shape, np.inf),
        lambda: np.full(shape, 1e300), lambda: np.full(shape, -3e38, "f4"),
        lambda: np.full(shape, 1e-310), lambda: np.zeros(shape), lambda: np.zeros(shape, "i8"),
        lambda: np.full(shape, "x" * rng.choice((900, 3000))), lambda: np.full(shape, "9" * 26),
        lambda: np.zeros(shape, [("a", "f4"), ("b" * 4000, "U3")]), lambda: np.zeros((0, 10**6)),
        lambda: np.array(["\ud800"] * max(1, array.size)).reshape(shape if array.size else (1,)),
        lambda: np.frombuffer(b"\xff" * 4 * max(1, array.size), "<U1"),
        lambda: np.where(integers == 0, np.nan, integers),
        lambda: np.ones((1,) * 20), lambda: np.array([]),
    ]  # fmt: skip
    liars = [
        lambda: _header("'<f8'", (10**9, 10)), lambda: _header("'<i8'", (3 * 10**8,)),
        lambda: _header("'<f4'", (-1,)), lambda: _header("'<U0'", (10**12,)),
        lambda: _header("'<f4'", (0, 10**17)), lambda: _header("'<f4'", "((((((((("),
        lambda: _header("'<f4'", "(" * 9000), lambda: _header("'<f4'", (4,), padding=60_000),
        lambda: _header("'<f4'", (4,), (2, 0), 10**6), lambda: _header("'<f4'", (1,), (3, 0)),
        lambda: _header("'|O'", (1,)) + pickle.dumps([1]), lambda: _header("'<q9'", (1,)),
        lambda: _header("__import__('os')", (1,)), lambda: _header("'<f4'", ("a",)),
        lambda: _header("'<U300000000'", (2,)), lambda: _header("'<f4'", 10**30),
        lambda: pickle.dumps([1]), lambda: b"", lambda: b"\x93NUMPY",
    ]  # fmt: skip
    return rng.choice(liars)() if rng.random() < lies else _npy(rng.choice(others)())


def _members(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _zipped(members, how=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", how) as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return file.getvalue()


def npz_other_arrays(content, rng):
    members = _members(content)
    for name in rng.sample(sorted(members), rng.choice((1, 1, 1, 2))):
        array = np.load(io.BytesIO(members[name]))
        members[name] = other_array(array, rng)
    return _zipped(members)


def npz_names(content, rng):
    members = _members(content)
    name = rng.choice(sorted(members))
    other = rng.choice(("x.npy", "labels.npy", "z" * 60_000, "\x1b[2J.npy", name[:-4], "codes.npy"))
    if rng.random() < 0.5:
        members[other] = members.pop(name)
    else:
        members[other] = members[name]
    return _zipped(members)


def npz_packed(content, rng):
    """Pack all by something that numpy never takes, or that numpy takes too."""
    how = rng.choice((zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2, zipfile.ZIP_DEFLATED))
    return _zipped(_members(content), how)


def npz_bomb(content, rng):
    """Let one array be 400 MB of zeros, in half a megabyte."""
    members = _members(content)
    name = rng.choice(sorted(members))
    del members[name]
    file = io.BytesIO(_zipped(members))
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, _header("'<f4'", (10**8 // 36, 36)) + bytes(4 * 36 * (10**8 // 36)))
    return file.getvalue()


def npz_wrong_directory(content, rng):
    """Change a number in the archive's own directory: sizes, checksum, flags, way of packing."""
    changed = bytearray(content)
    start = content.rindex(b"PK\x01\x02")
    for signature in (start, content.index(b"PK\x01\x02")):
        at = signature + rng.choice((8, 10, 16, 20, 24, 42))
        changed[at : at + 4] = rng.choice((b"\0\0\0\0", b"\xff\xff\xff\xff", rng.randbytes(4)))
    return bytes(changed)


ARRAYS = (*[npz_other_arrays] * 6, npz_names, npz_packed, npz_wrong_directory)


def npy_other(content, rng):
    return other_array(np.load(io.BytesIO(content)), rng)


# Of tables


def csv_saved_otherwise(content, rng):
    text = content.decode()
    return rng.choice(
        [
            lambda: text.encode("utf-16"), lambda: b"\xef\xbb\xbf" + content,
            lambda: text.replace(",", ";").encode(), lambda: text.replace(",", "\t").encode(),
            lambda: text.replace("\n", "\r").encode(),
            lambda: text.replace("1", "é").encode("cp1252"),
            lambda: text.split("\n", 1)[1].encode(), lambda: text.encode("utf-32"),
            lambda: text.replace("\n", "\n\n").encode(), lambda: content * 2,
            lambda: text.split("\n", 1)[0].encode(), lambda: text.replace("1", '"').encode(),
        ]
    )()  # fmt: skip


def csv_cells(content, rng):
    lines = content.decode().split("\n")
    for _ in range(rng.choice((1, 2, 8))):
        i = rng.randrange(len(lines))
        cells = lines[i].split(",")
        cells[rng.randrange(len(cells))] = rng.choice(
            ["", "NaN", "inf", "-1", "1e400", "9" * 26, "x", "é", "\0", '"', "x" * 140_000, "1.5",
             "True", "2020-01-01", "=1+1", "a,b", "9" * 5000, "1j", "0x10", "\x1b[2J"]
        )  # fmt: skip
        lines[i] = ",".join(cells)
    return "\n".join(lines).encode()


def csv_long(content, rng):
    """Give one line millions of columns, or tens of thousands."""
    return content.replace(b"\n", b"," * rng.choice((30_000, 3_000_000)) + b"\n", 1)


TABLES = (csv_saved_otherwise, csv_saved_otherwise, csv_cells, csv_cells, csv_long)


def csv_header(content, rng):
    """Change the names of columns: numbers, twice the same, none, odd ones."""
    head, _, rest = content.partition(b"\n")
    names = head.split(b",")
    other = rng.choice((b"", b"1", names[0], b"\xff", b"x" * 5000, b'"', b"id", b"label", b"=1"))
    names[rng.randrange(len(names))] = other
    return b",".join(names) + b"\n" + rest


def arrow_other_table(_, rng, write):
    """Write another table in the same format: other types, no rows, repeated values, odd names."""
    import pyarrow as pa

    n = 30
    column = rng.choice(
        [
            lambda: pa.array([None] * n, pa.float64()), lambda: pa.nulls(n),
            lambda: pa.array(["x" * rng.choice((1, 2000))] * n), lambda: pa.array([b"\xff"] * n),
            lambda: pa.array([[1.0]] * n), lambda: pa.array([{"a": 1}] * n),
            lambda: pa.array(range(n), pa.timestamp("s")), lambda: pa.array(range(n), pa.uint64()),
            lambda: pa.array([2**63 + i for i in range(n)], pa.uint64()),
            lambda: pa.array([float("inf")] * n), lambda: pa.array([1e300] * n),
            lambda: pa.array([True, None] * (n // 2)), lambda: pa.array([-1] * n),
            lambda: pa.array(["a", None] * (n // 2)).dictionary_encode(),
            lambda: pa.array(range(n), pa.duration("us")), lambda: pa.array([1.5] * n, "f2"),
        ]
    )()  # fmt: skip
    names = rng.choice((["u", "kind"], ["u", "u"], ["", "kind"], ["1", "2"], ["u", "x" * 5000]))
    table = pa.table([column, pa.array(rng.choices(["a", "b", ""], k=n))], names=names)
    table = rng.choice((table, table.slice(0, 0), table.slice(0, 1), table.select([])))
    file = io.BytesIO()
    write(table, file)
    return file.getvalue()


def arrow_bomb(_, __, write):
    """Write 640 MB of one value in a few kilobytes."""
    import pyarrow as pa

    zeros = pa.chunked_array([np.zeros(10**6)] * 40)
    file = io.BytesIO()
    write(pa.table({"u": zeros, "v": zeros}), file)
    return file.getvalue()


# Of others


def idx_header(content, rng):
    """Let the header of an IDX file say other lengths, of which some are empty."""
    n_dims = content[3]
    lengths = [rng.choice((0, 1, 2**31, 2**32 - 1, 28, 8)) for _ in range(n_dims)]
    body = content[4 + 4 * n_dims :] if rng.random() < 0.5 else b""
    return content[:4] + struct.pack(f">{n_dims}I", *lengths) + body


def usps_lines(content, rng):
    lines = bz2.decompress(content).split(b"\n")
    parts = lines[0].split()
    parts[rng.randrange(len(parts))] = rng.choice(
        (b"1:" + b"9" * 400, b"9" * 30, b"-1", b"1:nan", b"::", b"1:1e39", b"\xff", b"1:0x1")
    )
    lines[0] = b" ".join(parts) * rng.choice((1, 1, 2, 30))
    if rng.random() < 0.1:
        lines.insert(1, bytes(20_000_000))
    return bz2.compress(b"\n".join(lines), 1)
