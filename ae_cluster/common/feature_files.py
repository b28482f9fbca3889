"""Which files may hold features: numbers of a user's own that stand for samples."""

from __future__ import annotations

ENDINGS = (".npy", ".npz", ".parquet")
_LONGEST_PATH = 4096


def is_feature_file(value: object) -> bool:
    """Return whether this is a path by whose ending a file can hold features."""
    return (
        isinstance(value, str)
        and len(value) < _LONGEST_PATH
        and "\0" not in value
        and value.lower().endswith(ENDINGS)
    )
