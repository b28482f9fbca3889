"""A column of a table (Arrow's) as numbers or text."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ae_cluster.common.bounded_arrays import LONGEST_TEXT
from ae_cluster.common.chunks import slices
from ae_cluster.common.errors import InputError
from ae_cluster.common.labels import NO_LABEL
from ae_cluster.common.texts import shortened

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    Frame: TypeAlias = pa.Table | pa.RecordBatch | pd.DataFrame
    Column: TypeAlias = pa.ChunkedArray | pa.Array

NUMBER, BOOL, TEXT, DATE, EMPTY, OTHER = "number", "bool", "text", "date", "empty", "other"
WORDS = {TEXT: "text", DATE: "dates or times", EMPTY: "nothing", OTHER: "lists or bytes"}
MOST_COLUMNS = 100_000
_ROWS = 2**16  # of text that are turned at a time
_MOST_LETTERS = 2**28  # of a column of text, each cell as long as the longest
# What a cell without a value is written as: what is no label, and what pandas takes for such.
MISSING = frozenset(
    NO_LABEL | {"#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "1.#IND", "1.#QNAN", "-NaN"}
)


def kind_of(dtype: pa.DataType) -> str:
    """Return what values of a type are to us."""
    from pyarrow import types

    if types.is_dictionary(dtype):
        return kind_of(dtype.value_type)
    if types.is_boolean(dtype):
        return BOOL
    if types.is_integer(dtype) or types.is_floating(dtype) or types.is_decimal(dtype):
        return NUMBER
    if types.is_string(dtype) or types.is_large_string(dtype) or types.is_string_view(dtype):
        return TEXT
    if types.is_temporal(dtype):
        return DATE
    return EMPTY if types.is_null(dtype) else OTHER


def common_type(types: Collection[pa.DataType]) -> pa.DataType | None:
    """Return a type for the values of columns of several types; None where they do not mix.

    Text becomes a dictionary's, numbers the least type that holds them all.
    """
    import pyarrow as pa

    plain = {t.value_type if pa.types.is_dictionary(t) else t for t in types}
    plain = {t for t in plain if not pa.types.is_null(t)} or plain
    kinds = {kind_of(t) for t in plain}
    if kinds == {TEXT}:
        return pa.dictionary(pa.int32(), pa.string())
    if len(plain) == 1:
        return plain.pop()
    if kinds != {NUMBER}:
        return None
    if any(pa.types.is_decimal(t) for t in plain):
        return pa.float64()
    return pa.from_numpy_dtype(np.result_type(*(t.to_pandas_dtype() for t in plain)))


def as_type(column: pa.Array, dtype: pa.DataType) -> pa.Array:
    """Return a column as a type that `common_type` found for it; what is of no such kind is empty.

    Raises
    ------
    pyarrow.ArrowInvalid
        When the type does not hold a value.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if column.type == dtype:
        return column
    if kind_of(column.type) != kind_of(dtype):
        return pa.nulls(len(column), dtype)
    if not pa.types.is_dictionary(dtype):
        if pa.types.is_dictionary(column.type):
            column = pc.cast(column, column.type.value_type)
        return pc.cast(column, dtype, safe=not pa.types.is_floating(dtype))
    if not pa.types.is_dictionary(column.type):
        return pc.cast(column, dtype.value_type).dictionary_encode()
    # The texts alone are turned: spelled out in each row they might not fit into the memory.
    texts = pc.cast(column.dictionary, dtype.value_type)
    return pa.DictionaryArray.from_arrays(pc.cast(column.indices, dtype.index_type), texts)


def as_table(frame: Frame) -> pa.Table:
    """Return a table of Arrow's, whatever kind of table it was.

    Raises
    ------
    InputError
        When it is none, or a column mixes kinds of values.
    """
    import pyarrow as pa

    if isinstance(frame, pa.Table):
        return frame
    if isinstance(frame, pa.RecordBatch):
        return pa.Table.from_batches([frame])
    if not hasattr(frame, "columns") or not hasattr(frame, "iloc"):
        raise InputError(f"a table is a {type(frame).__name__}: give a DataFrame of pandas.")
    try:
        return pa.Table.from_pandas(
            frame.rename(columns=str), preserve_index=False, nthreads=1
        ).replace_schema_metadata()
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise InputError(f"the table cannot be used ({shortened(str(error))}).") from error


def numbers_of(column: Column) -> NDArray[np.float64]:
    """Return a column of numbers or truth values (n,); NaN where there is none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(column.type):
        column = pc.cast(column, column.type.value_type)
    if pa.types.is_null(column.type):
        return np.full(len(column), np.nan)
    return np.asarray(pc.cast(column, pa.float64(), safe=False).to_numpy(zero_copy_only=False))


def values_of(column: Column) -> NDArray[Any]:
    """Return a column as text, "" where there is none, or as whole numbers where it holds such.

    Floats stay floats, with NaN; truth values are the text that pandas writes.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = kind_of(column.type)
    if kind == TEXT:
        _check_long(column)
    if pa.types.is_dictionary(column.type):
        column = pc.cast(column, column.type.value_type)
    if kind == BOOL:
        column = pc.if_else(column, "True", "False")
    if kind in (BOOL, TEXT):
        return _texts(column)
    if kind == NUMBER and pa.types.is_integer(column.type) and not column.null_count:
        return np.asarray(column.to_numpy(zero_copy_only=False))
    return numbers_of(column)


def _texts(column: Column) -> NDArray[np.str_]:
    import pyarrow as pa
    import pyarrow.compute as pc

    parts = []
    for rows in slices(len(column), _ROWS):  # a Python text takes more than one of numpy's
        part = column.slice(rows.start, rows.stop - rows.start)
        texts = pc.fill_null(pc.cast(part, pa.string()), "").to_pylist()
        parts.append(np.array(texts, dtype=np.str_))
    return np.concatenate(parts) if parts else np.array([], dtype=np.str_)


def _check_long(column: Column) -> None:
    """Refuse text so long that an array of it would fill the memory."""
    import pyarrow.compute as pc

    parts = getattr(column, "chunks", [column])
    texts = [getattr(part, "dictionary", part) for part in parts if len(part)]
    longest = max((pc.max(pc.utf8_length(text)).as_py() or 0 for text in texts), default=0)
    if longest > LONGEST_TEXT or longest * len(column) > _MOST_LETTERS:
        raise InputError(
            f"a cell holds text of {longest:,} characters, and ids, labels and categories have at "
            f"most {min(LONGEST_TEXT, _MOST_LETTERS // len(column)):,}: shorten it, or leave the "
            "column out with --drop."
        )
