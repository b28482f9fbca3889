"""What the first bytes of a file say: text of which encoding, or no text at all."""

from __future__ import annotations

import codecs

# The longer marks first: that of UTF-32 begins as that of UTF-16 does.
ENCODING_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
NO_TEXTS = {
    b"PK\x03\x04": "an Excel workbook or another zip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"\x1f\x8b": "compressed with gzip",
    b"\x93NUMPY": "a numpy array, whose name must end in .npy",
    b"PAR1": "Parquet, whose name must end in .parquet",
    b"ARROW1": "Feather, whose name must end in .feather",
    b"\x89HDF": "HDF5, whose name must end in .h5ad",
}


def mark_of(raw: bytes) -> bytes:
    """Return the mark of an encoding that some bytes begin with, or none."""
    return next((mark for mark in ENCODING_MARKS if raw.startswith(mark)), b"")


def no_text(raw: bytes) -> str | None:
    """Return what a file is that begins so, where it is no text."""
    return next((what for start, what in NO_TEXTS.items() if raw.startswith(start)), None)
