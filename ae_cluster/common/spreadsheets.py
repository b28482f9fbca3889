"""Cells of a CSV that a spreadsheet shows as text and never computes.

A text that begins with ``= + - @``, a tab or a line break is a formula to most
spreadsheets, and a received data set may hold one as the name of a class. Such a text
is written with an apostrophe before it, which the readers here take off again:
what was written is what is read. Numbers stay numbers, negative ones too.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ae_cluster.common.texts import encodable

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

# The wide forms of = + - @ are taken for the narrow ones by some.
_FORMULA = re.compile("'*(?:[\t\r\n]|[ \u00a0\u3000]*[=+\\-@\uff1d\uff0b\uff0d\uff20])")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def safe_cell(value: Any) -> Any:
    """Return a cell as it is written: text that is a formula after an apostrophe.

    >>> [safe_cell(cell) for cell in ("=1+1", "-1.5", "cat", -2, "'=1+1")]
    ["'=1+1", '-1.5', 'cat', -2, "''=1+1"]
    """
    if not isinstance(value, str):
        return value
    text = value if value.isascii() else encodable(value)
    if _FORMULA.match(text) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return value if text == value else text


def original_cell(value: Any) -> Any:
    """Return what `safe_cell` made a cell of."""
    if isinstance(value, str) and value.startswith("'") and _FORMULA.match(value):
        return value[1:]
    return value


def safe_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose texts, names of columns too, are safe to be written as CSV."""
    return _each_text(table, safe_cell)


def safe_texts(texts: pa.Array) -> pa.Array:
    """Return an array of texts, each as `safe_cell`; one without a formula is found so quickly."""
    import pyarrow as pa
    import pyarrow.compute as pc

    suspects = pc.match_substring_regex(texts, rf"\A(?:{_FORMULA.pattern})")
    if not pc.any(suspects).as_py():
        return texts
    return pa.array([safe_cell(text) for text in texts.to_pylist()], pa.string())


def original_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table that `safe_table` was given."""
    return _each_text(table, original_cell)


def _each_text(table: pd.DataFrame, change: Callable[[Any], Any]) -> pd.DataFrame:
    from pandas.api.types import is_numeric_dtype

    for name in [name for name in table.columns if not is_numeric_dtype(table[name])]:
        seen = {text: change(text) for text in table[name].unique()}
        changed = {text: new for text, new in seen.items() if new is not text}
        if changed:  # seldom: the rest of a column stays as it is, kind and all
            table = table.assign(**{name: [changed.get(v, v) for v in table[name]]})
    return table.rename(columns=change)
