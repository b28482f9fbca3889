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
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ae_cluster.errors import InputError
from ae_cluster.files import make_folder, written_beside
from ae_cluster.rows import COLUMNS, tidy_row

Cell = dict[str, Any]
Row = dict[str, Any]

_TABLE = """CREATE TABLE IF NOT EXISTS cells
(key TEXT PRIMARY KEY, status TEXT NOT NULL, cell TEXT NOT NULL, rows TEXT NOT NULL)"""


def cell_key(cell: Cell, fingerprint: str = "", version: int = 1) -> str:
    """Return the 24 hexadecimal digits that name a cell on these data by this method version."""
    text = json.dumps([cell, fingerprint, version], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


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
        try:
            self._connection().execute(_TABLE)
        except sqlite3.Error as error:
            raise InputError(
                f"{self._file} is not a store of cells ({error}); move it away, or choose another "
                "folder."
            ) from error

    @property
    def _file(self) -> Path:
        return self.folder / "cells.sqlite"

    def _connection(self) -> sqlite3.Connection:
        """Return this process's connection: SQLite's must not be taken along to another."""
        if self._opened is None or self._opened[0] != os.getpid():
            connection = sqlite3.connect(self._file, timeout=60, isolation_level=None)
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

    def put(self, key: str, cell: Cell, rows: Sequence[Row], status: str = "ok") -> None:
        """Write a finished cell; one that is there already stays as it is."""
        values = key, status, json.dumps(cell, sort_keys=True), json.dumps(list(rows))
        self._connection().execute("INSERT OR IGNORE INTO cells VALUES (?, ?, ?, ?)", values)

    def statuses(self) -> dict[str, str]:
        """Return the status of every finished cell by its key."""
        return dict(self._connection().execute("SELECT key, status FROM cells"))

    def forget(self, keys: Iterable[str]) -> None:
        """Remove cells, so that they are done again: failed ones, say."""
        connection = self._connection()
        connection.execute("BEGIN")
        connection.executemany("DELETE FROM cells WHERE key = ?", [(key,) for key in keys])
        connection.execute("COMMIT")

    def rows(self, keys: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the tidy rows of cells, in the order of ``keys``, or of the keys themselves.

        A key that is not there gives no row: whoever makes a table says what is missing.
        """
        query = "SELECT key, rows FROM cells ORDER BY key"
        found = dict(self._connection().execute(query))
        wanted = found if keys is None else [key for key in keys if key in found]
        records = [tidy_row(**row) for key in wanted for row in json.loads(found[key])]
        return pd.DataFrame(records, columns=list(COLUMNS))

    def model_folder(self, key: str) -> Path:
        """Return where the model is kept from which the arrays under ``key`` come."""
        make_folder(self.folder / "models")
        return self.folder / "models" / key

    def arrays(
        self, key: str, make: Callable[[], dict[str, NDArray[Any]]]
    ) -> dict[str, NDArray[Any]]:
        """Return the arrays kept under ``key``; made, and kept, if they are not there yet."""
        path = self.folder / "arrays" / f"{key}.npz"
        if not path.exists():
            make_folder(path.parent)
            made = make()
            with written_beside(path) as beside, beside.open("wb") as file:
                np.savez(file, **made)  # type: ignore[arg-type]
        with np.load(path, allow_pickle=False) as archive:
            return dict(archive)
