"""Parquet and Feather, read by Arrow within bounds: no header is believed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ae_cluster.common.bounded_arrays import MOST_TIMES, MOST_UNPACKED
from ae_cluster.common.bounded_files import UnreadableError, file_size
from ae_cluster.datasets.columns import EMPTY, TEXT, kind_of
from ae_cluster.datasets.room import is_large, table_on_disk
from ae_cluster.datasets.table_files import check_n_columns, check_names, damage_told

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import parquet

_INDEX = "__index_level_"  # how pandas calls an index without a name
_BATCH = 2**16  # rows
_LARGE_BATCH = 2**23  # bytes, of what does not fit into memory
_BUFFER = 2**18  # bytes of a column that are read at a time, where groups of rows may be large
CELL = 8  # bytes of a number
_MOST_REPEATED = 1000  # times its file may a table be that repeats itself: counts, mostly zeros


class ParquetTable:
    """A Parquet file."""

    index: str | None = None
    described: tuple[str, ...] = ()

    def __init__(self, path: Path) -> None:
        self.path, self._size, self._is_large = path, file_size(path), False
        with damage_told("it is no Parquet, or a damaged one"), self._opened() as file:
            check_n_columns(file.metadata.num_columns)
            schema = file.schema_arrow
            self.n_rows: int | None = file.metadata.num_rows
            unpacked = sum(
                file.metadata.row_group(i).total_byte_size for i in range(file.num_row_groups)
            )
        self.names = tuple(schema.names)
        check_names(self.names)
        self.types: dict[str, pa.DataType] = dict(zip(schema.names, schema.types, strict=True))
        self._texts = [field.name for field in schema if kind_of(field.type) == TEXT]
        self._is_large = is_large(unpacked)
        _check_unpacked(unpacked, self._size)
        _check_unpacked(CELL * (self.n_rows or 0) * len(self.names), self._size, _MOST_REPEATED)

    def read(self, texts: Collection[str], dropped: Collection[str]) -> pa.Table:
        """Return all rows of all columns but the dropped."""
        import pyarrow as pa

        del texts  # each column has its type
        names = [name for name in self.names if name not in dropped]
        if is_large(CELL * (self.n_rows or 0) * len(names)):
            table = table_on_disk(self._batches(names))
        else:
            batches = list(self._batches(names))
            table = pa.Table.from_batches(batches) if batches else None
        if table is None:
            raise UnreadableError("it holds no rows")
        return table

    def batches(self, kinds: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
        """Yield the rows of the named columns in parts."""
        return self._batches(list(kinds))

    def holds_values(self, name: str) -> bool:
        """Return whether a column has a value in any row; it is read up to the first."""
        if kind_of(self.types[name]) == EMPTY:
            return False
        parts = (batch.column(0) for batch in self._batches([name]))
        return any(part.null_count < len(part) for part in parts)

    def _batches(self, names: list[str]) -> Iterator[pa.RecordBatch]:
        most = _LARGE_BATCH if self._is_large else MOST_UNPACKED
        rows = max(1, min(_BATCH, most // (CELL * max(1, len(names)))))
        with damage_told("it is a damaged Parquet file"), self._opened(self._texts) as file:
            n = 0
            for batch in file.iter_batches(rows, columns=names, use_threads=True):
                n += batch.num_rows
                if n > (self.n_rows or 0):
                    raise UnreadableError("it holds more rows than it says")
                batch.validate(full=True)
                yield batch.select(names)
            if n != self.n_rows:
                raise UnreadableError(f"it holds {n:,} rows and says {self.n_rows:,}")

    def _opened(self, texts: list[str] | None = None) -> parquet.ParquetFile:
        from pyarrow import parquet

        # Text is kept once for each of its values: one long text a million times stays small.
        return parquet.ParquetFile(
            self.path, read_dictionary=texts, memory_map=False, pre_buffer=False,
            buffer_size=_BUFFER if self._is_large else 0,
            thrift_string_size_limit=2**26, thrift_container_size_limit=2**24,
        )  # fmt: skip


class FeatherTable:
    """A Feather file, of its second version: Arrow's own format in a file."""

    index: str | None = None
    described: tuple[str, ...] = ()

    def __init__(self, path: Path) -> None:
        import pyarrow as pa

        self.path, self._size = path, file_size(path)
        self.n_rows: int | None = None
        with damage_told("it is no Feather file, or a damaged one"), pa.OSFile(str(path)) as source:
            if source.read(6) != b"ARROW1":
                raise UnreadableError("it is no Feather file of version 2")
            reader = pa.ipc.open_file(source)
            self.names = tuple(reader.schema.names)
            self._n_batches = reader.num_record_batches
        check_names(self.names)

    def read(self, texts: Collection[str], dropped: Collection[str]) -> pa.Table:
        """Return all rows of all columns but the dropped."""
        import pyarrow as pa

        del texts
        names = [name for name in self.names if name not in dropped]
        if is_large(self._size):
            table = table_on_disk(self._batches(names))
        else:
            batches = list(self._batches(names))
            table = pa.Table.from_batches(batches) if batches else None
        if table is None:
            raise UnreadableError("it holds no rows")
        with damage_told("it is a damaged Feather file"):
            return table.unify_dictionaries()

    def batches(self, kinds: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
        """Yield the rows of the named columns in parts."""
        return self._batches(list(kinds))

    def _batches(self, names: list[str]) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        places = [self.names.index(name) for name in names] if len(names) < 1000 else None
        options = pa.ipc.IpcReadOptions(included_fields=places) if places else None
        with damage_told("it is a damaged Feather file"), pa.OSFile(str(self.path)) as source:
            reader = pa.ipc.open_file(source, options=options)
            total = 0
            for i in range(self._n_batches):
                batch = reader.get_batch(i)
                batch.validate(full=True)
                total += batch.nbytes
                _check_unpacked(total, self._size)
                yield batch.select(names)


def open_parquet(path: Path) -> ParquetTable:
    """Open a Parquet file."""
    return ParquetTable(path)


def open_feather(path: Path) -> FeatherTable:
    """Open a Feather file."""
    return FeatherTable(path)


def _check_unpacked(unpacked: int, size: int, most_times: int = MOST_TIMES) -> None:
    if unpacked > max(MOST_UNPACKED, most_times * size):
        raise UnreadableError(
            f"its {size:,} bytes unpack to {unpacked:,}, which no data of worth do; if it is "
            "meant, save it without compression"
        )
