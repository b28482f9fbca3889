"""A grid's finished cells: one small record each, safe from a kill at any moment.

A cell is a dict of what it is (data set, method, seed, …); its key is a hash of
that, of the data's fingerprint and of the method's version. Finished cells lie
in one SQLite file, so that writing one is atomic, several processes may write,
and a hundred thousand are listed in a moment. What cells share (the codes of
one trained encoder) lies beside it as arrays, made once, and so does its model.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ae_cluster.common.bounded_arrays import read_npz
from ae_cluster.common.bounded_files import UnreadableError, reason
from ae_cluster.common.errors import InputError
from ae_cluster.common.files import make_folder, written_beside
from ae_cluster.methods import OLD_NAMES
from ae_cluster.records.rows import COLUMNS, TEXTS, tidy_row, with_current_names

_FIRST_NAMES = {name: old for old, name in OLD_NAMES.items()}
_NAMED = "method", "methods", "family"  # of a cell
Cell = dict[str, Any]
Row = dict[str, Any]

_TABLE = """CREATE TABLE IF NOT EXISTS cells
(key TEXT PRIMARY KEY, status TEXT NOT NULL, cell TEXT NOT NULL, rows TEXT NOT NULL)"""
STATUSES = "ok", "failed"
_TABLE_OF_DAMAGED = """CREATE TABLE IF NOT EXISTS damaged
(key TEXT, status TEXT, cell TEXT, rows TEXT)"""


def cell_key(cell: Cell, fingerprint: str = "", version: int = 1) -> str:
    """Return the 24 hexadecimal digits that name a cell on these data by this method version."""
    text = json.dumps([_as_first_named(cell), fingerprint, version], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _as_first_named(cell: Cell) -> Cell:
    """Return a cell with the names that methods had when the first cells were finished.

    So what was finished under an old name is not done again.
    """

    def first(value: Any) -> Any:
        if isinstance(value, list):
            return [first(one) for one in value]
        return _FIRST_NAMES.get(value, value) if isinstance(value, str) else value

    return cell | {name: first(cell[name]) for name in _NAMED if name in cell}


def _decoded(text: bytes) -> str:
    return text.decode(errors="replace")


class Store:
    """Finished cells in a folder; see the module.

    Parameters
    ----------
    folder : path
        Made if it does not exist.

    Raises
    ------
    InputError
        When the folder cannot be made, or holds a file that is not a store.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        make_folder(self.folder)
        self._opened: tuple[int, sqlite3.Connection] | None = None
        with self._damage_told("is not a store of cells", "move it away, or choose another folder"):
            self._connection().execute(_TABLE)

    @property
    def _file(self) -> Path:
        return self.folder / "cells.sqlite"

    def _connection(self) -> sqlite3.Connection:
        """Return this process's connection: SQLite's must not be taken along to another."""
        if self._opened is None or self._opened[0] != os.getpid():
            connection = sqlite3.connect(self._file, timeout=60, isolation_level=None)
            connection.text_factory = _decoded
            # Write-ahead logging: a killed process leaves whole cells and nothing else.
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            self._opened = os.getpid(), connection
        return self._opened[1]

    def close(self) -> None:
        """Close the file; the next call opens it again."""
        if self._opened is not None and self._opened[0] == os.getpid():
            self._opened[1].close()
        self._opened = None

    def __getstate__(self) -> dict[str, Any]:
        return {"folder": self.folder, "_opened": None}

    def __del__(self) -> None:
        self.close()

    @contextmanager
    def _damage_told(
        self, what: str = "is damaged", way_out: str = "move it away, and its cells are done again"
    ) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise InputError(f"{self._file} {what} ({reason(error)}); {way_out}.") from error

    def put(self, key: str, cell: Cell, rows: Sequence[Row], status: str = "ok") -> None:
        """Write a finished cell; one that is there already stays as it is."""
        values = key, status, json.dumps(cell, sort_keys=True), json.dumps(list(rows))
        with self._damage_told():
            self._connection().execute("INSERT OR IGNORE INTO cells VALUES (?, ?, ?, ?)", values)

    def statuses(self) -> dict[str, str]:
        """Return the status of every finished cell by its key."""
        with self._damage_told():
            return dict(self._connection().execute("SELECT key, status FROM cells"))

    def forget(self, keys: Iterable[str]) -> None:
        """Remove cells, so that they are done again: failed ones, say."""
        self._change("DELETE FROM cells WHERE key = ?", [(key,) for key in keys])

    def _change(self, query: str, values: Sequence[tuple[Any, ...]]) -> None:
        with self._damage_told(), self._connection() as connection:
            connection.execute("BEGIN")
            connection.executemany(query, values)

    def rows(self, keys: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the tidy rows of cells, in the order of ``keys``, or of the keys themselves.

        A key that is not there gives no row: whoever makes a table says what is missing. Nor
        does one whose record is damaged; it is set aside, see `set_damaged_aside`.
        """
        found = self._records(keys)
        wanted = found if keys is None else [key for key in keys if key in found]
        records = [row for key in wanted for row in found[key]]
        return with_current_names(pd.DataFrame(records, columns=list(COLUMNS)))

    def set_damaged_aside(self) -> None:
        """Move cells whose record cannot be read to a table of their own, with a warning.

        They are not there any more, so that a grid does them again.

        Raises
        ------
        InputError
            When more than a record is damaged.
        """
        with self._damage_told():
            connection = self._connection()
            if _is_damaged(connection):
                connection.execute("REINDEX")  # an index that lies keeps cells from being written
                if _is_damaged(connection):
                    raise sqlite3.DatabaseError("its integrity check fails")
        self._records()

    def _records(self, keys: Iterable[str] | None = None) -> dict[str, list[Row]]:
        """Return the tidy rows of cells by key, the damaged ones having been set aside."""
        query = "SELECT key, status, CAST(rows AS BLOB) FROM cells ORDER BY key"
        with self._damage_told():
            kept = self._connection().execute(query).fetchall()
        wanted = None if keys is None else set(keys)
        records: dict[str, list[Row]] = {}
        damaged = []
        for key, status, text in kept:
            if wanted is not None and key not in wanted:
                continue
            found = _rows_in(text)
            if found is None or status not in STATUSES:
                damaged.append(key)
            else:
                records[key] = found
        if damaged:
            self._set_aside(damaged)
        return records

    def _set_aside(self, keys: Sequence[Any]) -> None:
        warnings.warn(
            f"{len(keys)} of the cells in {self._file} are damaged: they are set aside in its "
            "table damaged, and done again.",
            stacklevel=4,
        )
        with self._damage_told():
            self._connection().execute(_TABLE_OF_DAMAGED)
        values = [(key,) for key in keys]
        self._change("INSERT INTO damaged SELECT * FROM cells WHERE key IS ?", values)
        self._change("DELETE FROM cells WHERE key IS ?", values)

    def model_folder(self, key: str) -> Path:
        """Return where the model is kept from which the arrays under ``key`` come."""
        make_folder(self.folder / "models")
        return self.folder / "models" / key

    def arrays(
        self, key: str, make: Callable[[], dict[str, NDArray[Any]]]
    ) -> dict[str, NDArray[Any]]:
        """Return the arrays kept under ``key``; made, and kept, if they are not there yet."""
        path = self.folder / "arrays" / f"{key}.npz"
        try:
            return read_npz(path)
        except FileNotFoundError:
            pass
        except UnreadableError as error:
            aside = _set_file_aside(path)
            warnings.warn(
                f"{path} is damaged ({error}): it is set aside as {aside.name} and made again.",
                stacklevel=2,
            )
        make_folder(path.parent)
        made = make()
        with written_beside(path) as beside, beside.open("wb") as file:
            np.savez(file, **made)  # type: ignore[arg-type]
        return read_npz(path)


def _is_damaged(connection: sqlite3.Connection) -> bool:
    return connection.execute("PRAGMA integrity_check(1)").fetchone() != ("ok",)


def _rows_in(text: bytes) -> list[Row] | None:
    """Return the tidy rows in a record, or None where they cannot be read."""
    try:
        found = json.loads(text.decode())
        rows = [tidy_row(**row) for row in found]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return rows if isinstance(found, list) and all(map(_is_of_kinds, rows)) else None


def _is_of_kinds(row: Row) -> bool:
    return all(
        value is None or isinstance(value, str if name in TEXTS else int | float)
        for name, value in row.items()
    )


def _set_file_aside(path: Path) -> Path:
    """Rename a file, to a name that is free, and return that."""
    asides = (path.with_name(f"{path.name}.damaged{i or ''}") for i in count())
    aside = next(aside for aside in asides if not aside.exists())
    with suppress(FileNotFoundError):  # another process was faster
        path.rename(aside)
    return aside
