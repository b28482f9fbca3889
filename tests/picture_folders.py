"""Folders of small pictures, as people have them."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

COLOURS = {"Äpfel": (200, 40, 30), "grüne Birnen": (60, 180, 40)}


def save(path, pixels, **options):
    """Save an array as the picture that the name's ending says, and its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    picture.save(path, **options)


def noisy(rng, height, width, colour):
    """Return a picture of one colour but for noise."""
    shape = (height, width, 3)
    return (np.array(colour) + rng.integers(-20, 20, shape)).clip(0, 255).astype(np.uint8)


def fruits(folder, n, *, sizes=((12, 16), (9, 9), (20, 14)), broken=()):
    """Fill a folder with pictures of two classes, some of them unlabelled, some broken."""
    rng = np.random.default_rng(0)
    names = list(COLOURS)
    for i in range(n):
        name = names[i % 2]
        pixels = noisy(rng, *sizes[i % len(sizes)], COLOURS[name])
        place = "unlabelled" if i % 5 == 4 else name
        ending = (".png", ".jpg", ".webp", ".bmp", ".tif")[i % 5]
        path = folder / place / f"Bild {i}{ending}"
        save(path, pixels)
        if i in broken:
            path.write_bytes(path.read_bytes()[:60])


def png_that_says(height, width):
    """Return a PNG whose header says a size, with the pixels of a tiny one."""

    def chunk(kind, content):
        return (
            struct.pack(">I", len(content)) + kind + content
            + struct.pack(">I", zlib.crc32(kind + content))
        )  # fmt: skip

    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    pixels = zlib.compress(bytes(100_000))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        [chunk(b"IHDR", header), chunk(b"IDAT", pixels), chunk(b"IEND", b"")]
    )


def encoded(pixels, kind, **options):
    """Return a picture's bytes."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()
