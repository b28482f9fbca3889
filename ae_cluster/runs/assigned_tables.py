"""Assignments as a table in a CSV or Parquet file, written part by part."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ae_cluster.common.errors import InputError
from ae_cluster.common.files import written_beside
from ae_cluster.common.spreadsheets import safe_texts
from ae_cluster.metrics.clustering import NOISE
from ae_cluster.runs.assigner import Assignment
from ae_cluster.semi_supervised.label_files import refuse_existing_table

ENDINGS = (".csv", ".parquet")
_MARK = b"ae_cluster"  # in a Parquet file's own description
_HEAD = b"id,cluster,"  # of a CSV
_ROW_GROUP = 2**16
_WAITING = 4  # parts that the file may be behind


def columns_of(found: Assignment, class_names: Sequence[str]) -> dict[str, pa.Array]:
    """Return the columns of assignments but the id; NaN is empty.

    Columns
    -------
    cluster
    class
        Where any is known.
    p_0, p_1, …
        Memberships, where the method has them.
    distance, share_farther_out, outlier
        As in `ae_cluster.runs.assigner.Assignment`.
    """
    columns = {"cluster": pa.array(found.clusters, pa.int32())}
    if any(class_names):
        names = pa.array([name or None for name in class_names], pa.string())
        places = pa.array(found.clusters, mask=found.clusters == NOISE)
        columns["class"] = names.take(places)
    if found.soft is not None:
        columns |= {f"p_{k}": pa.array(column) for k, column in enumerate(found.soft.T)}
    return columns | {
        "distance": pa.array(found.distances, from_pandas=True),
        "share_farther_out": pa.array(found.shares, from_pandas=True),
        "outlier": pa.array(found.outliers),
    }


def frame_of(found: Assignment, class_names: Sequence[str]) -> pd.DataFrame:
    """Return assignments as a DataFrame with the same columns but the id."""
    frame: pd.DataFrame = pa.table(columns_of(found, class_names)).to_pandas()
    return frame


def part_of(ids: NDArray[np.str_], found: Assignment, class_names: Sequence[str]) -> pa.Table:
    """Return a part of the table of a file."""
    return pa.table({"id": pa.array(ids, pa.string())} | columns_of(found, class_names))


def check_place(out: Path, force: bool) -> None:
    """Raise unless a table can be written at ``out`` and replaces nothing but one of these.

    Raises
    ------
    InputError
    """
    if out.suffix.lower() not in ENDINGS:
        raise InputError(f"{out} must end in {' or '.join(ENDINGS)}; name it so.")
    if not (force and out.is_file()):
        refuse_existing_table(out, False)
    elif not is_ours(out):
        raise InputError(
            f"{out} is no table that ae-cluster assign wrote, so it is not replaced; name another "
            "file."
        )


def is_ours(path: Path) -> bool:
    """Return whether a file is a table that this module wrote."""
    try:
        if path.suffix.lower() == ".csv":
            with path.open("rb") as file:
                return file.read(len(_HEAD)) == _HEAD
        return _MARK in (pq.read_schema(path).metadata or {})
    except (OSError, pa.ArrowException):
        return False


class TableWriter:
    """Writes parts of one table into a file in a thread of its own, so that work goes on."""

    def __init__(self, path: Path, ending: str) -> None:
        self._path, self._is_csv = path, ending == ".csv"
        self._parts: queue.Queue[pa.Table | None] = queue.Queue(_WAITING)
        self._is_last_taken = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="table writer", daemon=True)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Wait for what is not written yet, and raise what went wrong with it."""
        self._parts.put(None)
        self._thread.join()
        if self._error is not None and error is None:
            raise self._error

    def write(self, part: pa.Table) -> None:
        """Append a part."""
        if self._error is not None:
            raise self._error
        self._parts.put(part)

    def _work(self) -> None:
        try:
            with self._path.open("wb") as file:
                self._write_all(file)
        except BaseException as error:  # told where the parts come from
            self._error = error
            while not self._is_last_taken:  # it is, where what fails is the end of the file
                self._take()

    def _take(self) -> pa.Table | None:
        part = self._parts.get()
        self._is_last_taken = part is None
        return part

    def _write_all(self, file: Any) -> None:
        writer: Any = None
        for table in self._grouped():
            if writer is None:
                writer = self._new(file, table.schema)
            writer.write_table(self._safe(table))
        if writer is not None:
            writer.close()

    def _grouped(self) -> Iterator[pa.Table]:
        """Yield the parts, several together: each call becomes a group of rows in Parquet."""
        waiting: list[pa.Table] = []
        while (part := self._take()) is not None:
            waiting.append(part)
            if sum(map(len, waiting)) >= _ROW_GROUP:
                yield pa.concat_tables(waiting)
                waiting = []
        if waiting:
            yield pa.concat_tables(waiting)

    def _new(self, file: Any, schema: pa.Schema) -> Any:
        if self._is_csv:
            file.write((",".join(schema.names) + "\n").encode())
            return pc.CSVWriter(file, schema, write_options=pc.WriteOptions(include_header=False))
        marked = schema.with_metadata({_MARK: b"assign"})
        return pq.ParquetWriter(file, marked, use_dictionary=["class"])

    def _safe(self, table: pa.Table) -> pa.Table:
        if not self._is_csv:
            return table.replace_schema_metadata({_MARK: b"assign"})
        for i, column in enumerate(table.columns):
            if pa.types.is_string(column.type):
                safe = safe_texts(column.combine_chunks())
                table = table.set_column(i, table.schema.names[i], safe)
        return table


@contextmanager
def table_at(out: Path) -> Iterator[TableWriter]:
    """Give the writer of a file that takes its place when all of it is written."""
    with written_beside(out) as beside, TableWriter(beside, out.suffix.lower()) as writer:
        yield writer
