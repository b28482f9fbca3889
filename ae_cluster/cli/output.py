"""What a command prints: sentences for people, or with ``--json`` one JSON value for programs."""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add ``--json`` to the parser of a command that prints."""
    parser.add_argument(
        "--json", action="store_true", default=False,
        help="print one JSON value, for programs; messages go to standard error",
    )  # fmt: skip


def print_note(line: object) -> None:
    """Print what must be known beside the result, at once and apart from it."""
    print(f"note: {line}", file=sys.stderr, flush=True)


def print_json(value: Any) -> None:
    """Print a value as JSON; NaN, which JSON has not, is null."""
    print(json.dumps(plain_json(value), indent=2, allow_nan=False))


def plain_json(value: Any) -> Any:
    """Return a value with JSON's types alone.

    >>> plain_json({"a": (1, float("nan")), 2: Path("b")})
    {'a': [1, None], '2': 'b'}
    """
    if isinstance(value, dict):
        return {str(key): plain_json(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain_json(inner) for inner in value]
    if hasattr(value, "item"):  # a scalar of NumPy
        return plain_json(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return str(value) if isinstance(value, Path) else value


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table, what is missing as None."""
    objects = table.astype("object")
    return [
        {str(name): plain_json(value) for name, value in row.items()}
        for row in objects.where(table.notna(), None).to_dict("records")
    ]
