"""The columns of a table that are not clustered: left out with ``--drop``, or of another kind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ae_cluster.common.bounded_files import UnreadableError
from ae_cluster.common.errors import InputError
from ae_cluster.datasets.columns import BOOL, DATE, NUMBER, TEXT, kind_of, values_of
from ae_cluster.datasets.dataset import Array, Dataset
from ae_cluster.datasets.formats import is_table
from ae_cluster.datasets.user_files import ending_of, opened_table

if TYPE_CHECKING:
    import pyarrow as pa

MOST_COLUMNS = 100  # that are read


def read_other_columns(path: Path, data: Dataset) -> dict[str, tuple[Array, Array]]:
    """Return by name what the train and the test samples have in columns that are not clustered.

    Numbers are float64 with NaN where there is none, all else is text, "" where there is none.
    Nothing is returned of a file that is no table, or can no longer be read.

    Parameters
    ----------
    path : Path
        The file that the data set was read from.
    data : Dataset
    """
    try:
        table = _table(path, data)
    except (InputError, UnreadableError, OSError):
        return {}
    n_train = len(data.raw_train)
    if table is None or table.num_rows != n_train + len(data.raw_test):
        return {}
    train, test = data.places or np.split(np.arange(table.num_rows), [n_train])
    found = {name: _values(table.column(name)) for name in table.column_names}
    return {
        name: (values[train], values[test]) for name, values in found.items() if values is not None
    }


def _table(path: Path, data: Dataset) -> pa.Table | None:
    about = data.preparation
    if about is None or not is_table(ending := ending_of(path)):
        return None
    file = opened_table(path, ending, about.layer)
    roles = {about.label_column, about.id_column, file.index}
    others = [name for name in (*about.dropped, *file.described) if name not in roles]
    others = [name for name in dict.fromkeys(others) if name in file.names][:MOST_COLUMNS]
    if not others:
        return None
    texts = [name for name in others if name in file.described]
    return file.read(texts, [name for name in file.names if name not in others]).select(others)


def _values(column: Any) -> Array | None:
    """Return a column as numbers or text; None where it is neither."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = kind_of(column.type)
    if kind == NUMBER:
        return np.asarray(values_of(column), dtype=np.float64)
    if kind == DATE:
        column = pc.cast(column, pa.string())
    if kind not in (TEXT, BOOL, DATE):
        return None
    try:
        return values_of(column)
    except InputError:  # text as long as a page
        return None
