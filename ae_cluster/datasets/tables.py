"""A table in a file → rows of numbers: which column is what, what is refused, what is learnt."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ae_cluster.common.errors import InputError
from ae_cluster.common.table_options import TableOptions, check_named, listed
from ae_cluster.common.texts import quoted
from ae_cluster.datasets.arrays import as_ids, check_columns, some_rows
from ae_cluster.datasets.columns import (
    BOOL,
    EMPTY,
    MOST_COLUMNS,
    NUMBER,
    TEXT,
    WORDS,
    kind_of,
    numbers_of,
    values_of,
)
from ae_cluster.datasets.dataset import Array, FloatArray, IntArray, numbered_ids
from ae_cluster.datasets.preparation import Preparation, encoded, say_unseen
from ae_cluster.datasets.preparation_json import MOST_CATEGORIES
from ae_cluster.datasets.table_files import TableFile

if TYPE_CHECKING:
    import pyarrow as pa

_ID_NAMES = ("id", "ids", "index")
_LABEL_NAMES = ("label", "labels", "target", "targets", "class", "classes")
_INDEX_NAMES = ("Unnamed: 0", "__index_level_0__")  # an index that was written without a name

Split = Callable[[int], dict[str, IntArray]]


class TableData(NamedTuple):
    """A table as rows of numbers, in the file's order, before labels are numbered and split.

    Attributes
    ----------
    x : ndarray of float32 of shape (n, n_features)
    y : ndarray of shape (n,), or None
        Labels as they stand.
    ids : ndarray of str of shape (n,)
    preparation : Preparation
    halves : dict of str to ndarray of int64
        Which rows are "train" and which "test".
    """

    x: Array
    y: Array | None
    ids: Array
    preparation: Preparation
    halves: dict[str, IntArray]


def read_table(file: TableFile, ending: str, options: TableOptions, split: Split) -> TableData:
    """Read a table, check each column, and fit what its training rows tell.

    Parameters
    ----------
    file : TableFile
    ending : str
        Of the file's name.
    options : TableOptions
    split : callable
        Takes the number of rows and returns which are "train" and which "test".

    Raises
    ------
    InputError
        In one sentence with the way out.
    """
    check_named(options, file.names)
    if not set(file.names) - set(options.drop):
        raise InputError("no column is left to cluster: name fewer of them.")
    texts = {*options.categorical, options.label_column, options.id_column} - {None}
    table = file.read([name for name in texts if name is not None], options.drop)
    if table.num_rows == 0:
        raise InputError("it holds names of columns and no rows: give it samples.")
    id_column = options.id_column or file.index or _index_of(table, options)
    roles = {*options.categorical, options.label_column, id_column, file.index}
    numeric = [name for name in table.column_names if name not in roles]
    _check_kinds(table, numeric, id_column)
    _check_not_forgotten(table, numeric, options)
    halves = split(table.num_rows)
    preparation = _fitted(table, file, ending, options, id_column, halves["train"])
    train = halves["train"]
    some = train[some_rows(len(train))]
    x, unseen, given = preparation.rows(table, some)
    say_unseen(unseen)
    _check_numbers(given, x, some, train, preparation)
    y = None if options.label_column is None else _labels(table, options.label_column)
    return TableData(x, y, ids_of(table, id_column), preparation, halves)


def ids_of(table: pa.Table, name: str | None, start: int = 0) -> Array:
    """Return the ids in a column, or the numbers of the rows where none holds them."""
    if name is None:
        return numbered_ids(table.num_rows, start=start)
    column = table.column(name)
    # Numbers with gaps are floats, which are no ids: what is wrong are the gaps.
    n = 0 if kind_of(column.type) == TEXT else column.null_count
    if not n:
        ids = as_ids(values_of(column), f"the id column {quoted(name)}")
        n = int((np.char.strip(ids) == "").sum())
    if n:
        raise InputError(
            f"the id column {quoted(name)} is empty in {n:,} row(s): name each sample."
        )
    return ids


# What is refused


def _index_of(table: pa.Table, options: TableOptions) -> str | None:
    """Return the first column where it has no name and tells rows apart: it is an index."""
    names: list[str] = table.column_names
    name = next((name for name in names if name in _INDEX_NAMES), None)
    if name is None or name in options.columns() or not _tells_apart(table.column(name)):
        return None
    warnings.warn(
        f"A column without a name is taken for the ids; --id-column {quoted(name)} says so.",
        stacklevel=7,
    )
    return name


def _tells_apart(column: pa.ChunkedArray) -> bool:
    """Return whether a column holds text or whole numbers, another one in each row."""
    if kind_of(column.type) not in (TEXT, NUMBER) or column.null_count:
        return False
    if kind_of(column.type) == NUMBER:
        numbers = numbers_of(column)
        if not np.array_equal(numbers, np.rint(numbers)):
            return False
    return len(column) > 1 and len(column.unique()) == len(column)


def _check_kinds(table: pa.Table, numeric: list[str], id_column: str | None) -> None:
    """Refuse columns that hold no numbers, by name, with what can be done about each."""
    kinds = {name: kind_of(table.column(name).type) for name in numeric}
    empty = [n for n, kind in kinds.items() if kind == EMPTY]
    if empty:
        raise InputError(f"no value stands in {listed(empty)}: leave such columns out with --drop.")
    others = [name for name, kind in kinds.items() if kind not in (NUMBER, BOOL)]
    if not others:
        if not numeric:
            raise InputError("no column is left to cluster: name fewer of them.")
        return
    told = [f"{quoted(name, 40)} ({WORDS[kinds[name]]})" for name in others]
    way = "leave each out with --drop, or make it columns of 0 and 1 with --categorical"
    texts = [name for name in others if kinds[name] == TEXT]
    if texts:
        way += "; the labels are said with --label-column"
        if id_column is None and texts[0] == numeric[0] and _tells_apart(table.column(texts[0])):
            way += f", the ids, which {quoted(texts[0], 40)} may be, with --id-column"
        if _has_decimal_commas(table.column(texts[0])):
            way = "write decimal points in place of commas"
    raise InputError(f"columns hold no numbers: {listed(told)}: {way}.")


def _has_decimal_commas(column: pa.ChunkedArray) -> bool:
    import pyarrow.compute as pc

    return bool(pc.all(pc.match_substring_regex(column[:100], r"^\s*[-+]?\d+,\d+\s*$")).as_py())


def _check_not_forgotten(table: pa.Table, numeric: list[str], options: TableOptions) -> None:
    """Refuse to cluster what by its name is an id or a label and is not said to be one."""
    for name in numeric:
        word = name.strip().lower()
        is_id = word in _ID_NAMES or word.endswith(("_id", " id"))
        if is_id and options.id_column is None and _tells_apart(table.column(name)):
            _refuse_forgotten(name, "another number in each row, as an id does", "--id-column")
        if word in _LABEL_NAMES and options.label_column is None:
            _refuse_forgotten(name, "what by its name are labels", "--label-column")


def _refuse_forgotten(name: str, what: str, option: str) -> None:
    raise InputError(
        f"the column {quoted(name)} holds {what}: say {option} {quoted(name)}, leave it out with "
        "--drop, or give it another name if it is to be clustered."
    )


# What is learnt


def _fitted(
    table: pa.Table,
    file: TableFile,
    ending: str,
    options: TableOptions,
    id_column: str | None,
    train: IntArray,
) -> Preparation:
    roles = (options.label_column, id_column, file.index)
    columns = [name for name in table.column_names if name not in roles]
    numeric = [name for name in columns if name not in options.categorical]
    filled = numeric if options.impute else []
    categories = {
        name: _categories(name, table.column(name).take(train)) for name in options.categorical
    }
    preparation = Preparation(
        ending.removeprefix("."),
        tuple(columns),
        options.drop,
        categories,
        {name: _median(name, numbers_of(table.column(name))[train]) for name in filled},
        tuple(name for name in numeric if kind_of(table.column(name).type) == BOOL),
        options.label_column,
        id_column,
        layer=options.layer,
    )
    if preparation.n_features > MOST_COLUMNS:
        raise InputError(
            f"--categorical makes {preparation.n_features:,} columns: name columns of fewer values."
        )
    return preparation


def _categories(name: str, column: pa.ChunkedArray) -> tuple[str, ...]:
    keys, _ = encoded(column)
    found = sorted(set(keys) - {""})
    if not 0 < len(found) <= MOST_CATEGORIES:
        raise InputError(
            f"the column {quoted(name)} holds {len(found):,} categories, and 1 to "
            f"{MOST_CATEGORIES:,} can be told apart: leave it out with --drop."
        )
    return tuple(found)


def _median(name: str, numbers: Array) -> float:
    numbers = numbers[~np.isnan(numbers)]
    if not len(numbers):
        raise InputError(
            f"the column {quoted(name)} holds nothing in the training samples: leave it out with "
            "--drop."
        )
    return float(np.median(numbers))


def _check_numbers(
    given: Array, x: FloatArray, some: IntArray, train: IntArray, preparation: Preparation
) -> None:
    """Refuse columns whose numbers float32 cannot tell apart; say which hold a single one."""
    names = preparation.feature_names
    is_constant = check_columns(given, x[some], x, "the table", names, train)
    if 0 < len(is_constant) < preparation.n_features:  # all of them are refused elsewhere
        told = listed([names[i] for i in is_constant])
        warnings.warn(
            f"{len(is_constant)} column(s) hold one value in training and tell nothing: {told}.",
            stacklevel=7,
        )


def _labels(table: pa.Table, name: str) -> Array:
    column = table.column(name)
    if kind_of(column.type) not in (TEXT, NUMBER, BOOL, EMPTY):
        raise InputError(
            f"the label column {quoted(name)} holds {WORDS[kind_of(column.type)]}: labels are "
            "names or whole numbers."
        )
    return values_of(column)
