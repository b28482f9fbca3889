"""How a table of a user's own is to be read: which column is what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from ae_cluster.common.errors import InputError, nearest
from ae_cluster.common.texts import quoted, shortened

MEDIAN = "median"
# How a table's columns are scaled (`common.scaling`): a name, and what it does in words.
SCALINGS = {
    "standard": "each column less its mean, over its standard deviation",
    "none": "each column less its mean, all over one number, so that their sizes stay",
    "robust": "each column less its median, over its interquartile range",
    "log": "log(1 + x) of counts, then as none",
}
STANDARD, NONE, ROBUST, LOG = SCALINGS
AUTO = "auto"  # chooses one of them
ASKED = (AUTO, *SCALINGS)
_MOST_TOLD = 8  # columns in a message


@dataclass(frozen=True)
class TableOptions:
    """What is said of a table's columns; the defaults say nothing.

    Attributes
    ----------
    label_column, id_column : str or None
        The column that holds labels, and the one that holds ids.
    drop : tuple of str
        Columns to leave out.
    categorical : tuple of str
        Columns that become one column of 0 and 1 per category.
    impute : "median" or None
        What missing values are filled by.
    layer : str or None
        The layer of a .h5ad that is read in place of X.
    """

    label_column: str | None = None
    id_column: str | None = None
    drop: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    impute: str | None = None
    layer: str | None = None

    @classmethod
    def of(cls, given: dict[str, Any]) -> TableOptions:
        """Return options whose types are checked; a list of names becomes a tuple.

        Raises
        ------
        InputError
        """
        values: dict[str, Any] = {}
        for name, value in given.items():
            is_list = isinstance(getattr(cls, name), tuple)
            values[name] = _as_names(name, value) if is_list else _as_name(name, value)
        options = cls(**values)
        if options.impute not in (None, MEDIAN):
            raise InputError(
                f"--impute {quoted(options.impute)} is not known: it can be {MEDIAN}, or left out."
            )
        options._check_roles()
        return options

    def said(self) -> list[str]:
        """Return the options that say something, as the command line spells them."""
        return [
            flag(field.name) for field in fields(self) if getattr(self, field.name) != field.default
        ]

    def columns(self) -> dict[str, str]:
        """Return the option that names each column that is named."""
        named = {name: flag("drop") for name in self.drop}
        named |= {name: flag("categorical") for name in self.categorical}
        for option in ("label_column", "id_column"):
            if (name := getattr(self, option)) is not None:
                named[name] = flag(option)
        return named

    def _check_roles(self) -> None:
        given = [*self.drop, *self.categorical]
        given += [name for name in (self.label_column, self.id_column) if name is not None]
        twice = [name for name, n in Counter(given).items() if n > 1]
        if twice:
            raise InputError(
                f"the column {quoted(twice[0])} is named twice: say one thing of each column."
            )


def flag(option: str) -> str:
    """Return an option as the command line spells it."""
    return f"--{option.replace('_', '-')}"


def check_named(options: TableOptions, names: Sequence[str]) -> None:
    """Refuse options that name a column which is not there, with the nearest that are."""
    known = set(names)
    for name, option in options.columns().items():
        if name not in known:
            raise InputError(
                f"there is no column {quoted(name)} ({option}): {nearest(name, names)}"
            )


def listed(names: Sequence[str]) -> str:
    """Return names of columns for a message, of many the first.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    shown = [shortened(name, 40) for name in names[:_MOST_TOLD]]
    if len(names) > _MOST_TOLD:
        shown.append(f"{len(names) - _MOST_TOLD:,} more")
    return " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))


def _as_name(option: str, value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise InputError(f"{flag(option)} {quoted(value)} cannot be used: give one name.")
    return value


def _as_names(option: str, value: Any) -> tuple[str, ...]:
    names = (value,) if isinstance(value, str) else value
    is_list = isinstance(names, list | tuple) and all(isinstance(name, str) for name in names)
    if not is_list:
        raise InputError(f"{flag(option)} {quoted(value)} cannot be used: give names of columns.")
    return tuple(names)
