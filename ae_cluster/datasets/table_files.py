"""What every table file offers, whatever its format: names, rows as a whole, rows in parts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from ae_cluster.common.bounded_files import UnreadableError, reason
from ae_cluster.common.errors import InputError
from ae_cluster.common.texts import quoted
from ae_cluster.datasets.columns import MOST_COLUMNS, NUMBER, TEXT, kind_of

if TYPE_CHECKING:
    import pyarrow as pa


class TableFile(Protocol):
    """A table in a file, of which nothing but the names has been read."""

    names: tuple[str, ...]
    n_rows: int | None  # None where only reading it all would tell
    index: str | None  # the column of ids, where the format has one of its own
    described: tuple[str, ...]  # columns that are no features: read where they are named

    def read(self, texts: Collection[str], dropped: Collection[str]) -> pa.Table:
        """Return all rows of all columns but the dropped; ``texts`` are text as they stand."""

    def batches(self, kinds: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
        """Yield the rows of the named columns in parts, in little memory.

        ``kinds`` says which of them are read as "number", "bool" or "text".
        """


Opener = Callable[..., TableFile]  # of a path, and a layer where the format has such


def check_n_columns(n: int) -> None:
    """Refuse a table of more columns than can be clustered."""
    if n > MOST_COLUMNS:
        raise InputError(
            f"it has {n:,} columns, and more than {MOST_COLUMNS:,} are not read: write a sample in "
            "each line, or choose columns."
        )


def check_names(names: Sequence[str]) -> None:
    """Refuse a table of too many columns, or of two with one name."""
    check_n_columns(len(names))
    twice = [name for name, n in Counter(names).items() if n > 1]
    if twice:
        raise InputError(
            f"several columns are called {quoted(twice[0])}: give each a name of its own."
        )


def usual_type(dtype: pa.DataType) -> pa.DataType | None:
    """Return what a column of a text file is read as, None where that must be found out."""
    import pyarrow as pa

    return {NUMBER: pa.float64(), TEXT: pa.string()}.get(kind_of(dtype))


@contextmanager
def damage_told(what: str) -> Iterator[None]:
    """Turn what a reader raises of a damaged file into a sentence.

    Raises
    ------
    UnreadableError
    """
    import pyarrow as pa

    try:
        yield
    except (InputError, FileNotFoundError):
        raise
    except UnicodeDecodeError as error:
        raise UnreadableError("its names of columns are no UTF-8") from error
    except MemoryError as error:  # of a file that lies, too: Arrow takes its word for sizes
        raise UnreadableError("it needs more memory than there is") from error
    except (pa.ArrowException, OSError, ValueError, TypeError, OverflowError, KeyError) as error:
        raise UnreadableError(f"{what} ({reason(error)})") from error
