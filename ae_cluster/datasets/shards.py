"""A folder of shards, all Parquet or all numpy's, as one table or one array."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NoReturn

import numpy as np

from ae_cluster.common.bounded_arrays import map_npy
from ae_cluster.common.bounded_files import UnreadableError
from ae_cluster.common.chunks import part_of
from ae_cluster.common.errors import InputError
from ae_cluster.common.mapped_files import Place, file_at, is_mapped, place_of, place_of_file
from ae_cluster.common.texts import quoted, shortened
from ae_cluster.datasets.arrow_files import CELL, ParquetTable
from ae_cluster.datasets.columns import as_type, common_type
from ae_cluster.datasets.dataset import Array
from ae_cluster.datasets.image_listing import holds_pictures, is_folder, natural
from ae_cluster.datasets.reading_together import by_all, n_readers
from ae_cluster.datasets.room import (
    is_large,
    new_file,
    room_for,
    table_in,
    table_on_disk,
    write_table,
)

if TYPE_CHECKING:
    import pyarrow as pa

ENDINGS = (".parquet", ".npy")


def is_sharded(path: Path) -> bool:
    """Return whether a path leads to a folder of shards: one with pictures in it is of these."""
    return is_folder(path) and bool(_names_in(path)) and not holds_pictures(path)


def ending_of_shards(folder: Path) -> str:
    """Return the ending that all shards of a folder have.

    Raises
    ------
    InputError
        Where they are of two types, or there are none.
    """
    return shards_in(folder)[0].suffix.lower()


def shards_in(folder: Path) -> list[Path]:
    """Return the shards of a folder in natural order: ``part-2`` before ``part-10``."""
    names = sorted(_names_in(folder), key=natural)
    if not names:
        raise InputError(f"this is a folder without shards ({' or '.join(ENDINGS)}).")
    by_ending: dict[str, str] = {}
    for name in names:
        by_ending.setdefault(Path(name).suffix.lower(), name)
    if len(by_ending) > 1:
        told = " and ".join(map(quoted, by_ending.values()))
        raise InputError(f"it holds shards of two types, {told}: keep one type in a folder.")
    return [folder / name for name in names]


def _names_in(folder: Path) -> list[str]:
    """Return the names of what may be shards; ``.…`` and ``_…`` are notes of other programs."""
    try:
        with os.scandir(folder) as entries:
            return [
                entry.name
                for entry in entries
                if entry.name[0] not in "._"
                and entry.name.lower().endswith(ENDINGS)
                and entry.is_file()
            ]
    except OSError:  # which is told where the folder is read as one of pictures
        return []


def sizes_of_shards(folder: Path) -> list[int]:
    """Return how many rows each shard of a folder has; all are of one table, or one array.

    Raises
    ------
    InputError
    """
    whole = ShardedRows(folder) if ending_of_shards(folder) == ".npy" else ShardedTable(folder)
    return whole.sizes


def say_left_out(folder: Path, stacklevel: int) -> None:
    """Warn of what lies beside the shards."""
    shards = set(_names_in(folder))
    others = Counter(
        "folder(s)" if path.is_dir() else "other file(s)"
        for path in folder.iterdir()
        if path.name not in shards and path.name[0] not in "._"
    )
    if others:
        told = " and ".join(f"{n:,} {kind}" for kind, n in sorted(others.items()))
        warnings.warn(
            f"Left out of {shortened(folder.name)}, beside its shards: {told}.",
            stacklevel=stacklevel,
        )


class ShardedTable:
    """The Parquet files of a folder as one table, see `ae_cluster.datasets.table_files`.

    A column has one type in all of them: where a shard holds nothing in it, or numbers or text of
    another width, it is read as what the others hold.
    """

    index: str | None = None
    described: tuple[str, ...] = ()

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._shards = [_opened(path) for path in shards_in(folder)]
        first = self._shards[0]
        for other in self._shards[1:]:
            _check_names(first, other)
        self._types = _types_of_mixed(self._shards)
        self.names = first.names
        self.n_rows: int | None = sum(shard.n_rows or 0 for shard in self._shards)

    @property
    def sizes(self) -> list[int]:
        """Return how many rows each shard has."""
        return [shard.n_rows or 0 for shard in self._shards]

    def read(self, texts: Collection[str], dropped: Collection[str]) -> pa.Table:
        """Return all rows of all columns but the dropped."""
        import pyarrow as pa

        del texts  # each column has its type
        names = [name for name in self.names if name not in dropped]
        if is_large(CELL * (self.n_rows or 0) * len(names)):
            found = self._laid_down(names)
        else:
            found = [pa.Table.from_batches([batch]) for batch in self._batches(names)]
        if not found:
            raise UnreadableError("its shards hold no rows")
        tables = [table.replace_schema_metadata() for table in found]
        return pa.concat_tables(tables, promote_options="default").unify_dictionaries()

    def _laid_down(self, names: list[str]) -> list[pa.Table]:
        """Return the rows as tables on the disk, of which each reader has written one."""
        if (n := n_readers()) == 1:
            found = [table_on_disk(self._batches(names))]
        else:
            with ExitStack() as opened:
                files = [opened.enter_context(new_file()) for _ in range(n)]
                places = [place_of_file(file.fileno()) for file in files]
                by_all(_write_part, self._folder, self.sizes, names, places)
                found = [table_in(file) for file in files]
        return [table for table in found if table is not None]

    def write(self, file: IO[bytes], names: list[str], part: slice) -> None:
        """Write the rows of some of the shards into a file, alone."""
        file.truncate(0)
        write_table(file, self._batches(names, part))

    def batches(self, kinds: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
        """Yield the rows of the named columns in parts."""
        return self._batches(list(kinds))

    def _batches(self, names: list[str], part: slice = slice(None)) -> Iterator[pa.RecordBatch]:
        mixed = [(i, self._types[name]) for i, name in enumerate(names) if name in self._types]
        for shard in self._shards[part]:
            with _named(shard.path):
                for batch in shard.batches(dict.fromkeys(names, "")):
                    yield _as_types(batch, mixed)


def _write_part(
    part: int, n_parts: int, folder: Path, sizes: list[int], names: list[str], places: list[Place]
) -> None:
    table = ShardedTable(folder)
    _check_same(table.sizes, sizes)
    with file_at(places[part]) as file:
        table.write(file, names, part_of(len(sizes), part, n_parts))


def _check_same(mine: object, asked: object) -> None:
    if mine != asked:
        raise InputError("it sees other shards there")


def _opened(path: Path) -> ParquetTable:
    with _named(path):
        return ParquetTable(path)


def _check_names(first: ParquetTable, other: ParquetTable) -> None:
    """Refuse two shards that are not of one table; the order of columns may differ."""
    for one, two in ((first, other), (other, first)):
        if lacking := [name for name in one.names if name not in two.types]:
            raise InputError(
                f"the column {quoted(lacking[0])} of {one.path.name} is not in {two.path.name}: "
                "give shards of the same columns."
            )


def _types_of_mixed(shards: list[ParquetTable]) -> dict[str, pa.DataType]:
    """Return the one type of each column that has several; refuse what does not go together."""
    found: dict[str, pa.DataType] = {}
    others = [shard for shard in shards if shard.types != shards[0].types]
    for name, first in shards[0].types.items():
        if all(shard.types[name] == first for shard in others):
            continue
        filled = shards
        if (dtype := common_type([shard.types[name] for shard in shards])) is None:
            # Some may be of a type by chance: writers know none of a column without a value.
            filled = [shard for shard in shards if shard.holds_values(name)] or shards[:1]
            dtype = common_type([shard.types[name] for shard in filled])
        if dtype is None:
            _refuse_types(name, filled)
        found[name] = dtype
    return found


def _refuse_types(name: str, shards: list[ParquetTable]) -> NoReturn:
    one = shards[0]
    two = next(
        shard for shard in shards if common_type([one.types[name], shard.types[name]]) is None
    )
    raise InputError(
        f"the column {quoted(name)} is {one.types[name]} in {one.path.name} and "
        f"{two.types[name]} in {two.path.name}: write it as one type in all shards."
    )


def _as_types(batch: pa.RecordBatch, mixed: list[tuple[int, pa.DataType]]) -> pa.RecordBatch:
    import pyarrow as pa

    if not mixed:
        return batch
    columns = batch.columns
    for i, dtype in mixed:
        columns[i] = as_type(columns[i], dtype)
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


class ShardedRows:
    """The ``.npy`` files of a folder as one array, of which slices are read.

    Attributes
    ----------
    shape : tuple of int
    dtype : numpy.dtype
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._paths = folder, shards_in(folder)
        arrays = [_mapped(path) for path in self._paths]
        for path, array in zip(self._paths, arrays, strict=True):
            if array.ndim == 0 or (array.shape[1:], array.dtype) != (
                arrays[0].shape[1:],
                arrays[0].dtype,
            ):
                raise InputError(
                    f"{self._paths[0].name} holds {arrays[0].dtype} {arrays[0].shape} and "
                    f"{path.name} {array.dtype} {array.shape}: give shards of one type and shape "
                    "of sample."
                )
        self._ends = np.cumsum([len(array) for array in arrays])
        self.shape: tuple[int, ...] = (int(self._ends[-1]), *arrays[0].shape[1:])
        self.dtype, self.ndim = arrays[0].dtype, len(self.shape)

    def __len__(self) -> int:
        """Return how many samples there are."""
        return self.shape[0]

    def __getitem__(self, rows: slice) -> Array:
        """Return some rows one after the other; files are open as long as this takes."""
        start, stop, _ = rows.indices(len(self))
        parts = []
        for shard in range(int(np.searchsorted(self._ends, start, "right")), len(self._paths)):
            before = int(self._ends[shard - 1]) if shard else 0
            if before >= stop:
                break
            parts.append(_mapped(self._paths[shard])[max(0, start - before) : stop - before])
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    @property
    def sizes(self) -> list[int]:
        """Return how many rows each shard has."""
        sizes: list[int] = np.diff(self._ends, prepend=0).tolist()
        return sizes

    def read(self) -> Array:
        """Return all rows."""
        found = room_for(self.shape, self.dtype)
        if n_readers() > 1 and is_mapped(found):
            by_all(_fill_part, self._folder, self.sizes, self.dtype, place_of(found))
        else:
            self.fill(found, slice(None))
        return found

    def fill(self, rows: Array, part: slice) -> None:
        """Write the rows of some of the shards to their places among all."""
        for path, end, size in list(zip(self._paths, self._ends, self.sizes, strict=True))[part]:
            rows[end - size : end] = _mapped(path)


def _fill_part(
    part: int, n_parts: int, folder: Path, sizes: list[int], dtype: np.dtype[Any], place: Place
) -> None:
    shards = ShardedRows(folder)
    _check_same((shards.sizes, shards.dtype), (sizes, dtype))
    with file_at(place) as file:
        rows = np.memmap(file, dtype, "r+", shape=shards.shape)
    shards.fill(rows, part_of(len(sizes), part, n_parts))


def _mapped(path: Path) -> Array:
    with _named(path):
        return map_npy(path)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Put a shard's name before what is wrong with it."""
    try:
        yield
    except FileNotFoundError as error:
        raise UnreadableError(f"the shard {path.name} is no longer there") from error
    except UnreadableError as error:
        raise UnreadableError(f"the shard {path.name}: {error}") from error
    except InputError as error:
        raise InputError(f"the shard {path.name}: {error}") from error
