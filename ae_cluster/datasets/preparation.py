"""How the columns of a table become the numbers that are clustered: fitted once, kept, applied."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ae_cluster.common.chunks import slices
from ae_cluster.common.errors import InputError, nearest
from ae_cluster.common.labels import UNKNOWN, label_key, label_text, number_in
from ae_cluster.common.table_options import listed
from ae_cluster.common.texts import quoted
from ae_cluster.datasets.columns import (
    BOOL,
    DATE,
    EMPTY,
    MOST_COLUMNS,
    NUMBER,
    OTHER,
    WORDS,
    as_table,
    kind_of,
    numbers_of,
    values_of,
)
from ae_cluster.datasets.preparation_json import ALLOWED
from ae_cluster.datasets.room import room_for
from ae_cluster.datasets.unusable import LARGEST, Unusable

if TYPE_CHECKING:
    import pyarrow as pa

    from ae_cluster.datasets.columns import Frame

FloatArray = NDArray[np.float32]

_BLOCK = 32  # columns that are laid side by side at a time
_ROWS = 2**17  # of which this is done at a time
_CELLS = 2**18  # that are laid side by side at a time, where all are numbers


class Prepared(NamedTuple):
    """What a table becomes.

    Attributes
    ----------
    rows : ndarray of float32 of shape (n, n_features)
    unseen : Counter
        How many values of a column are of no known category.
    given : ndarray of float64 of shape (n_looked_at, n_features)
        Some of the rows as they were before they became float32.
    """

    rows: FloatArray
    unseen: Counter[str]
    given: NDArray[np.float64]


@dataclass(frozen=True)
class Preparation:
    """What was learnt of a table's columns, on the training samples alone.

    Attributes
    ----------
    format : str
        Ending of the file it was fitted on, without the point.
    columns : tuple of str
        The columns that are read, in the order of the features.
    dropped : tuple of str
        Columns that are left out.
    categories : dict of str to tuple of str
        Of each categorical column, its categories: one feature each.
    medians : dict of str to float
        What fills a missing value of a column; empty where missing values are refused.
    booleans : tuple of str
        The columns of truth values, which are 0 and 1.
    label_column, id_column : str or None
    class_names : tuple of str
        Name of class 0, 1, …
    layer : str or None
        The layer of a .h5ad that was read.
    image_shape : tuple of int or None
        The features are the pixels of images of this shape.
    units : {"bytes", "unit", "whole"} or None
        What those came in, see `ae_cluster.common.pixels`.
    """

    format: str
    columns: tuple[str, ...]
    dropped: tuple[str, ...] = ()
    categories: Mapping[str, tuple[str, ...]] = None  # type: ignore[assignment]
    medians: Mapping[str, float] = None  # type: ignore[assignment]
    booleans: tuple[str, ...] = ()
    label_column: str | None = None
    id_column: str | None = None
    class_names: tuple[str, ...] = ()
    layer: str | None = None
    image_shape: tuple[int, ...] | None = None
    units: str | None = None

    def __post_init__(self) -> None:
        """Give the tables of nothing."""
        for name in ("categories", "medians"):
            object.__setattr__(self, name, dict(getattr(self, name) or {}))

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Name of each feature: the column's, and ``column=category`` of a categorical one."""
        return tuple(
            name if category is None else f"{name}={category}"
            for name in self.columns
            for category in self.categories.get(name, (None,))
        )

    @property
    def n_features(self) -> int:
        """How many numbers a sample becomes."""
        return sum(len(self.categories.get(name, (None,))) for name in self.columns)

    @property
    def texts(self) -> frozenset[str]:
        """The columns that are read as text, whatever they look like."""
        named = {self.label_column, self.id_column} - {None}
        return frozenset(self.categories) | frozenset(name for name in named if name is not None)

    def apply(self, frame: Frame) -> FloatArray:
        """Return the rows (n, n_features) of a table, float32.

        Columns are found by their names, and others are not looked at. A category that was not
        there in training is all zero, and how many such there are is said in a warning.

        Parameters
        ----------
        frame : DataFrame, or Table or RecordBatch of pyarrow

        Raises
        ------
        InputError
            When a column is missing or holds something else, and for values that are missing
            without a median, infinite, or too large.
        """
        table = as_table(frame)
        self.check_names(table.column_names)
        prepared = self.rows(table)
        say_unseen(prepared.unseen)
        return prepared.rows

    def check_names(self, names: Sequence[str]) -> None:
        """Refuse a table that lacks a column, and say which of its columns are not used."""
        there = set(names)
        missing = [name for name in self.columns if name not in there]
        if missing:
            others = [name for name in names if name not in set(self.columns)]
            guess = f" ({nearest(missing[0], others)})" if others else ""
            raise InputError(
                f"the table has no column {listed(missing)}{guess}: add what is not there."
            )
        known = {*self.columns, *self.dropped, self.label_column, self.id_column}
        extra = [name for name in names if name not in known]
        if extra:
            warnings.warn(
                f"These columns are not used, for training had none such: {listed(extra)}.",
                stacklevel=3,
            )

    def rows(self, table: pa.Table, looked_at: NDArray[np.int64] | None = None) -> Prepared:
        """Return the rows of a table with all columns; ``looked_at`` in double precision too."""
        if not self.categories and (prepared := self._plain_rows(table, looked_at)) is not None:
            return prepared
        rows = room_for((table.num_rows, self.n_features), np.float32)
        some = np.arange(0) if looked_at is None else looked_at
        given = np.empty((len(some), self.n_features))
        bad = Unusable()
        unseen: Counter[str] = Counter()
        for part in slices(table.num_rows, _ROWS):
            columns = table.slice(part.start, part.stop - part.start)
            here = (part.start <= some) & (some < part.stop)
            looked = some[here] - part.start
            given[here] = self._fill(rows[part], columns, looked, bad, unseen)
        bad.refuse()
        return Prepared(rows, unseen, given)

    def _fill(
        self,
        rows: FloatArray,
        table: pa.Table,
        looked_at: NDArray[np.int64],
        bad: Unusable,
        unseen: Counter[str],
    ) -> NDArray[np.float64]:
        """Write some rows; return those looked at as they were before they became float32."""
        block = np.empty((min(_BLOCK, self.n_features), table.num_rows), dtype=np.float32)
        given = np.empty((len(looked_at), self.n_features))
        place = {name: i for i, name in enumerate(table.column_names)}
        done = filled = 0
        for feature in self._features(table, place, bad, unseen):
            block[filled] = feature
            given[:, done + filled] = feature[looked_at]
            filled += 1
            if filled == len(block):
                rows[:, done : done + filled] = block[:filled].T
                done, filled = done + filled, 0
        rows[:, done : done + filled] = block[:filled].T
        return given

    def _plain_rows(self, table: pa.Table, looked_at: NDArray[np.int64] | None) -> Prepared | None:
        """Return what `rows` does, in half the time, where all cells are numbers to be used."""
        import pyarrow as pa

        columns = table.select(list(self.columns))
        if any(c.type != pa.float64() or c.null_count for c in columns.columns):
            return None
        rows = room_for((table.num_rows, self.n_features), np.float32)
        some = np.arange(0) if looked_at is None else looked_at
        given = np.empty((len(some), self.n_features))
        start = 0
        for batch in columns.to_batches(max(1, _CELLS // self.n_features)):
            end, values = start + batch.num_rows, batch.to_tensor().to_numpy()
            part = rows[start:end]
            with np.errstate(over="ignore"):
                part[:] = values
            if not (part.min() >= -LARGEST and part.max() <= LARGEST):  # NaN is neither
                return None
            here = (start <= some) & (some < end)
            given[here] = values[some[here] - start]
            start = end
        return Prepared(rows, Counter(), given)

    def _features(
        self, table: pa.Table, place: dict[str, int], bad: Unusable, unseen: Counter[str]
    ) -> Any:
        for name in self.columns:
            column = table.column(place[name])
            if name in self.categories:
                yield from _one_hot(name, column, self.categories[name], unseen)
                continue
            check_kind(name, column.type)
            yield bad.without(name, numbers_of(column), self.medians.get(name))

    def of_array(self, x: NDArray[Any]) -> NDArray[Any]:
        """Return rows of an array without names, whose columns stand as in training."""
        if self.categories or x.ndim != 2 or x.shape[1] != len(self.columns):
            raise InputError(
                f"an array of shape {x.shape} stands for the {len(self.columns)} columns of the "
                "training table: give a table with their names."
            )
        bad = Unusable()
        rows = np.empty(x.shape, dtype=np.float32)
        for i, name in enumerate(self.columns):
            rows[:, i] = bad.without(name, x[:, i].astype(np.float64), self.medians.get(name))
        bad.refuse()
        return rows

    # As JSON

    def to_json(self) -> dict[str, Any]:
        """Return plain values; `from_json` reads them back."""
        content = asdict(self)
        content["categories"] = {k: list(v) for k, v in self.categories.items()}
        return {k: list(v) if isinstance(v, tuple) else v for k, v in content.items()}

    @classmethod
    def from_json(cls, content: Any) -> Preparation:
        """Return what `to_json` gave; its values are checked.

        Raises
        ------
        InputError
        """
        if not isinstance(content, dict):
            raise InputError(f"the preparation is {quoted(content)} and must be names with values.")
        values = {field.name: content[field.name] for field in fields(cls) if field.name in content}
        for name, value in values.items():
            if not ALLOWED[name](value):
                raise InputError(
                    f"the preparation's {name} is {quoted(value)}, which it cannot be."
                )
        if not {"format", "columns"} <= values.keys():
            raise InputError("the preparation does not name its columns.")
        for name in ("categories", "medians"):
            if not set(values.get(name) or ()) <= set(values["columns"]):
                raise InputError(f"the preparation's {name} are of columns that it does not have.")
        values["categories"] = {k: tuple(v) for k, v in (values.get("categories") or {}).items()}
        plain: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in values.items()
        }
        made = cls(**plain)
        if not 0 < made.n_features <= MOST_COLUMNS:
            raise InputError(f"the preparation makes {made.n_features:,} features.")
        return made


# Columns


def check_kind(name: str, dtype: pa.DataType) -> None:
    """Refuse a column that holds no numbers."""
    kind = kind_of(dtype)
    if kind not in (NUMBER, BOOL, EMPTY):
        raise InputError(
            f"the column {quoted(name)} holds {WORDS[kind]}, where training had numbers."
        )


# Categories


def category_key(text: str) -> str:
    """Return what all spellings of a category have in common, "" where there is none.

    As for labels, but that −1 is a number like any other.
    """
    return "-1" if number_in(text) == UNKNOWN else label_key(text)


def encoded(column: Any) -> tuple[list[str], NDArray[np.int64]]:
    """Return the keys of a column's distinct values, and the place (n,) of each row's."""
    values = values_of(column)
    distinct, places = np.unique(values, return_inverse=True)
    return [_key_of(value) for value in distinct.tolist()], places.reshape(-1)


def _key_of(value: Any) -> str:
    is_whole = isinstance(value, float) and value.is_integer()
    return category_key(label_text(int(value) if is_whole else value))


def _one_hot(name: str, column: Any, categories: tuple[str, ...], unseen: Counter[str]) -> Any:
    kind = kind_of(column.type)
    if kind in (DATE, OTHER):
        raise InputError(f"the column {quoted(name)} holds {WORDS[kind]}, which are no categories.")
    keys, places = encoded(column)
    known = {category: i for i, category in enumerate(categories)}
    codes = np.array([known.get(key, -1 if key else -2) for key in keys], dtype=np.int64)[places]
    if n := int((codes == -1).sum()):
        unseen[name] += n
    for i in range(len(categories)):
        yield codes == i


def say_unseen(unseen: Mapping[str, int]) -> None:
    """Warn of categories that training had not."""
    if unseen:
        told = listed([f"{n:,} in {quoted(name, 40)}" for name, n in unseen.items()])
        warnings.warn(
            f"Values are of no category that training had, and are all zero: {told}.", stacklevel=3
        )
