"""Pictures and embeddings of them, and ways to damage them: headers that lie, with checksums."""

import struct
import zlib

import numpy as np
import pandas as pd
from fuzz_mutators import ANY, ARRAYS
from picture_folders import save

from ae_cluster import load_dataset
from ae_cluster.datasets.streaming import open_table

SIZES = (0, 1, 7, 255, 5_000, 20_000, 65_535, 2**31 - 1)


def png_header(content, rng):
    """Let a PNG say another size, depth, colour type or interlacing; its checksum fits."""
    start = content.index(b"IHDR")
    width, height, *kind = struct.unpack(">IIBBBBB", content[start + 4 : start + 17])
    width, height = (rng.choice((side, *SIZES)) for side in (width, height))
    kind[rng.randrange(5)] = rng.choice((0, 1, 2, 3, 4, 6, 8, 16, 255))
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, *kind)
    checksum = struct.pack(">I", zlib.crc32(chunk))
    return content[:start] + chunk + checksum + content[start + 21 :]


def png_chunk(content, rng):
    """Put a chunk of any kind and size into a PNG, with a checksum that fits."""
    kind = rng.choice((b"iCCP", b"zTXt", b"tEXt", b"PLTE", b"tRNS", b"eXIf", b"acTL", b"fcTL"))
    body = rng.choice(
        [bytes(rng.choice((0, 1, 26, 4000))), b"a\0\0" + zlib.compress(bytes(20_000_000))]
    )
    chunk = struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return content[:33] + chunk + content[33:]


def tiff_tags(content, rng):
    """Change the kind, the number or the value of tags of a TIFF's first directory."""
    changed = bytearray(content)
    (start,) = struct.unpack("<I", content[4:8])
    (n,) = struct.unpack("<H", content[start : start + 2])
    for _ in range(rng.choice((1, 1, 3))):
        at = start + 2 + 12 * rng.randrange(n) + rng.choice((0, 2, 4, 8))
        changed[at : at + 4] = rng.choice((b"\0\0\0\0", b"\xff\xff\xff\x7f", rng.randbytes(4)))
    return bytes(changed)


def sizes_said(content, rng):
    """Change numbers in the first hundred bytes, where most headers say how large a picture is."""
    changed = bytearray(content)
    for _ in range(rng.choice((1, 2, 4))):
        at = rng.randrange(2, 100)
        changed[at : at + 2] = struct.pack(rng.choice("<>") + "H", rng.choice((0, 1, 5000, 65535)))
    return bytes(changed)


OF_ENDING = {
    ".png": (png_header, png_header, png_chunk),
    ".jpg": (sizes_said,) * 3,
    ".webp": (sizes_said,) * 3,
    ".tif": (tiff_tags,) * 3,
    ".bmp": (sizes_said,) * 3,
}


def picture_targets(home, target):
    """Give a picture of each kind in a folder of its own, read whole and in parts."""
    pixels = np.random.default_rng(0).integers(0, 256, (24, 20, 3), dtype=np.uint8)
    targets = []
    for ending, mutators in OF_ENDING.items():
        folder = home / ending[1:]
        for i in range(3):
            save(folder / f"{i}{ending}", pixels[i:])

        def whole(folder=folder):
            load_dataset(folder, image_size=(8, 8), skip_unreadable=True)

        def streamed(folder=folder):
            list(open_table(folder, image_shape=(8, 8, 3)))

        targets.append(target(folder / f"1{ending}", (*ANY, *mutators * 2), whole, streamed))
    return [*targets, *feature_targets(home, home / "png", target)]


def feature_targets(home, folder, target):
    """Give embeddings of the pictures in a folder."""
    ids = np.array(["0.png", "1.png", "2.png"])
    x = np.random.default_rng(0).normal(size=(3, 4))
    np.savez(home / "features.npz", x=x, ids=ids)
    table = pd.DataFrame(x, columns=list("abcd"), index=pd.Index(ids, name="id"))
    table.to_parquet(home / "features.parquet")

    def features_of(path):
        return lambda: load_dataset(folder, image_size=(8, 8), features=path)

    paths = home / "features.npz", home / "features.parquet"
    return [
        target(paths[0], (*ANY, *ARRAYS * 2), features_of(paths[0])),
        target(paths[1], ANY, features_of(paths[1])),
    ]
