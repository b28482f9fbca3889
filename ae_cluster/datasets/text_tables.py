"""CSV and TSV, read by Arrow: types are taken from the first lines, and held against the rest."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ae_cluster.common.bounded_files import UnreadableError, file_size
from ae_cluster.common.errors import InputError
from ae_cluster.common.labels import number_in
from ae_cluster.common.text_files import ENCODING_MARKS, mark_of, no_text
from ae_cluster.common.texts import quoted, shortened
from ae_cluster.datasets.columns import BOOL, MISSING, NUMBER, TEXT
from ae_cluster.datasets.room import is_large, table_on_disk
from ae_cluster.datasets.table_files import check_n_columns, check_names, damage_told, usual_type

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import csv

UNNAMED = "Unnamed: {}"  # as pandas calls a column without a name
_LONGEST_HEAD = 2**24  # bytes of the first line
_BYTES_OF_A_CELL = 64  # a line is expected to be no longer than so many for each column
_FIRST_BLOCK, _BLOCK, _MOST_BLOCK = 2**16, 2**19, 2**27  # bytes that are parsed at a time
_LARGE_BLOCK = 2**20  # of a file that is larger than memory
_NO_PLACE = re.compile(r"In CSV column #(\d+): .*?conversion error to (\w+)")  # Arrow's words
_WORDS = MISSING - {""}
_SEPARATORS = ",;\t|"
_NO_FIT = "its lines are not those of one table"
_QUOTE = b'"'


class TextTable:
    """A CSV or TSV file."""

    n_rows: int | None = None
    index: str | None = None
    described: tuple[str, ...] = ()

    def __init__(self, path: Path, separator: str | None = None) -> None:
        self.path = path
        head = _head(path)
        mark = mark_of(head)
        self._encoding = ENCODING_MARKS.get(mark, "utf-8")
        if b"\0" in head and self._encoding == "utf-8":
            raise UnreadableError("it holds bytes of 0 and is no table of text")
        line = _first_line(head[len(mark) :], self._encoding)
        self._separator = separator or max(_SEPARATORS, key=line.count)
        n = line.count(self._separator) + 1
        check_n_columns(n)
        self._wide = min(_BYTES_OF_A_CELL * n, _MOST_BLOCK)
        self._has_quotes = _holds_quotes(path, max(_FIRST_BLOCK, self._wide))
        # To hold each number against all words for a missing one takes a sixth of the time.
        text = head[:_FIRST_BLOCK].decode(self._encoding, "ignore")
        self._has_words = not _WORDS.isdisjoint(
            re.split(f"[{re.escape(self._separator)}\r\n]", text)
        )
        with damage_told(_NO_FIT), self._parsed(_open_csv, block=_FIRST_BLOCK) as reader:
            self._schema = reader.schema
            names = self._schema.names
        _check_header(names)
        self.names = tuple(name or UNNAMED.format(i) for i, name in enumerate(names))

    def read(self, texts: Collection[str], dropped: Collection[str]) -> pa.Table:
        """Return all rows of all columns but the dropped; ``texts`` are text as they stand."""
        import pyarrow as pa

        names = [name for name in self.names if name not in dropped]
        said = dict.fromkeys((name for name in names if name in texts), pa.string())
        seen = dict(zip(self.names, map(usual_type, self._schema.types), strict=True))
        seen = {name: seen[name] for name in names if seen[name] is not None} | said
        if is_large(file_size(self.path)):
            return self._laid_down(names, seen)
        with damage_told(_NO_FIT):
            # A cell with a quote is no number, so reading numbers alone tells of one anyway.
            if len(seen) < len(self.names) or set(seen.values()) != {pa.float64()}:
                self._look_for_quotes()
            are_told = len(seen) == len(names)  # text stays as it is, whatever is said of it
            try:
                nulls = MISSING if self._has_words or not are_told else frozenset({""})
                table = self._parsed(_read_csv, names, seen, nulls=nulls)
            except pa.ArrowInvalid as error:
                if self._look_for_quotes():
                    return self.read(texts, dropped)
                if "conversion error" not in str(error):
                    raise
                if nulls != MISSING:
                    self._has_words = True
                    return self.read(texts, dropped)
                # A later line holds another kind: all lines are asked, which takes longer.
                table = self._parsed(_read_csv, names, said)
        _check_text(table.schema)
        return table.rename_columns(names)

    def _laid_down(self, names: list[str], types: dict[str, pa.DataType]) -> pa.Table:
        """Return what `read` does, as a table on the disk, in little memory.

        Where a later line holds another kind, all lines are read again, for that column wider.
        """
        import pyarrow as pa

        self._look_for_quotes()
        with damage_told(_NO_FIT):
            while True:
                try:
                    with self._parsed(_open_csv, names, types, _LARGE_BLOCK) as reader:
                        table = table_on_disk(reader)
                    break
                except pa.ArrowInvalid as error:
                    types = types | self._wider(str(error))
        if table is None:
            table = self._schema.empty_table().select([self._in_file(name) for name in names])
        _check_text(table.schema)
        return table.rename_columns(names)

    def _wider(self, error: str) -> dict[str, pa.DataType]:
        """Return a type for the column in which an error of Arrow's says that a cell has no place.

        Raises
        ------
        pyarrow.ArrowInvalid
            When it says something else, or text was no text.
        """
        import pyarrow as pa

        found = _NO_PLACE.search(error)
        if found is None or found[2] == "string":
            raise pa.ArrowInvalid(error)
        name = self.names[int(found[1])]
        if found[2] == "null":  # nothing stood in the lines that types are taken from
            return {name: pa.float64()}
        return {name: pa.string()}

    def _look_for_quotes(self) -> bool:
        """Look beyond the first lines, where none is; return whether one was found now."""
        before, self._has_quotes = self._has_quotes, self._has_quotes or _holds_quotes(self.path)
        return self._has_quotes and not before

    def batches(self, kinds: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
        """Yield the rows of the named columns in parts."""
        import pyarrow as pa

        types = {NUMBER: pa.float64(), BOOL: pa.bool_(), TEXT: pa.string()}
        wanted = {name: types[kind] for name, kind in kinds.items()}
        self._look_for_quotes()
        with damage_told(_NO_FIT), self._parsed(_open_csv, list(wanted), wanted) as reader:
            for batch in reader:
                yield batch.rename_columns(list(wanted))

    def _parsed(
        self,
        read: Any,
        names: list[str] | None = None,
        types: Mapping[str, pa.DataType] | None = None,
        block: int = _BLOCK,
        nulls: frozenset[str] = MISSING,
    ) -> Any:
        from pyarrow import csv

        return read(
            str(self.path),
            read_options=csv.ReadOptions(
                block_size=max(block, self._wide), encoding=self._encoding
            ),
            parse_options=csv.ParseOptions(
                delimiter=self._separator,
                quote_char='"' if self._has_quotes else False,
                newlines_in_values=self._has_quotes,
            ),
            convert_options=csv.ConvertOptions(
                include_columns=None if names is None else list(map(self._in_file, names)),
                column_types={self._in_file(name): dtype for name, dtype in (types or {}).items()},
                null_values=sorted(nulls),
            ),
        )

    def _in_file(self, name: str) -> str:
        """Return what the file calls a column."""
        return str(self._schema.names[self.names.index(name)]) if "Unnamed" in name else name


def open_csv(path: Path) -> TextTable:
    """Open a table whose columns are separated by commas; or semicolons, tabs or |, if it is so."""
    return TextTable(path)


def open_tsv(path: Path) -> TextTable:
    """Open a table whose columns are separated by tabs."""
    return TextTable(path, "\t")


def _read_csv(path: str, **options: Any) -> pa.Table:
    from pyarrow import csv

    return csv.read_csv(path, **options)


def _open_csv(path: str, **options: Any) -> csv.CSVStreamingReader:
    from pyarrow import csv

    return csv.open_csv(path, **options)


def _check_text(schema: pa.Schema) -> None:
    """Refuse bytes that are no text: Arrow keeps them as such."""
    import pyarrow as pa

    for field in schema:
        if pa.types.is_binary(field.type):
            raise UnreadableError(f"the column {quoted(field.name)} holds text that is no UTF-8")


# The first line


def _head(path: Path) -> bytes:
    """Return the beginning of a file, to the end of its first line at least."""
    if file_size(path) == 0:
        raise InputError("it is empty: give it a line of names, and samples.")
    with path.open("rb") as file:
        head = file.read(2**16)
        if what := no_text(head):
            raise UnreadableError(f"it is {what}, and no table of text")
        if b"\n" not in head and b"\r" not in head:
            head += file.read(_LONGEST_HEAD)
    return head


def _first_line(head: bytes, encoding: str) -> str:
    """Return the first line that is not blank, as far as it is at hand."""
    text = head.decode(encoding, "ignore")
    line = next((line for line in text.splitlines() if line.strip()), "")
    if len(head) > _LONGEST_HEAD and len(line) >= len(text) - 1:
        raise UnreadableError(f"its first line has more than {_LONGEST_HEAD:,} bytes")
    return line


def _holds_quotes(path: Path, most_bytes: int | None = None) -> bool:
    """Return whether cells may be quoted, and lines go on within them: whole, or at first."""
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as content:
        return content.find(_QUOTE, 0, len(content) if most_bytes is None else most_bytes) >= 0


def _check_header(names: list[str]) -> None:
    """Refuse names that are numbers, unless they count, and a name that stands for two columns."""
    numbers = [number_in(name) for name in names]
    counted = [numbers[0] + i for i in range(len(names))] if numbers[0] is not None else []
    if all(number is not None for number in numbers) and not (
        len(names) > 1 and numbers[0] in (0, 1) and numbers == counted
    ):
        shown = shortened(", ".join(names[:4]))
        raise InputError(
            f"its first line holds numbers ({shown}) where names of the columns belong: write a "
            "line of names above it."
        )
    check_names(names)
