"""Which files may hold data, and which features: a user's own numbers that stand for samples.

Help texts name them, so that nothing heavy is loaded here.
"""

from __future__ import annotations

from pathlib import Path
from pkgutil import iter_modules

_FORMATS = Path(__file__).parents[1] / "datasets" / "formats"  # a module each
DATA_ENDINGS = tuple(sorted(f".{module.name}" for module in iter_modules([str(_FORMATS)])))
FORMATS = f"{', '.join(DATA_ENDINGS[:-1])} or {DATA_ENDINGS[-1]}"
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
