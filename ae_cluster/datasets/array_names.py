"""What the arrays of a user's file may be called, and which name a slip stands for."""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Sequence

from ae_cluster.common.errors import InputError
from ae_cluster.common.texts import quoted, shortened

WHOLE = ("x", "y", "ids")
HALVES = ("x_train", "x_test", "y_train", "y_test", "ids_train", "ids_test")
COLUMNS = "columns"  # names of the columns of a table
_OTHER_WORDS = {
    **dict.fromkeys(("label", "labels", "target", "targets", "class", "classes"), "y"),
    **dict.fromkeys(("id", "index", "names"), "ids"),
}


def known_names(found: list[str]) -> list[str]:
    """Return the names that mean something; refuse what leaves open what is meant."""
    check_names(found)
    _check_unknown_names(found)
    return [name for name in found if name in (*WHOLE, *HALVES, COLUMNS)]


def check_names(found: Sequence[str]) -> None:
    """Refuse a file whose arrays leave open what is train and what is test."""
    whole, halves = (sorted(set(found) & set(names)) for names in (WHOLE, HALVES))
    if whole and halves:
        raise InputError(
            f"{', '.join(whole)} and {', '.join(halves)} do not go together: name all arrays "
            "…_train and …_test, or none."
        )
    missing = {"x"} - set(whole) if not halves else {"x_train", "x_test"} - set(halves)
    if missing:
        named = shortened(", ".join(map(repr, found)) or "none")
        raise InputError(
            f"there is no array {' and no '.join(sorted(missing))} (found: {named}): give x_train "
            "and x_test, or x to be split."
        )


def _check_unknown_names(found: Sequence[str]) -> None:
    """Refuse an array whose name must be a slip, and say of any other that it is not used."""
    known = WHOLE if "x" in found else HALVES
    unknown = [name for name in found if name not in (*WHOLE, *HALVES, COLUMNS)]
    for name in unknown:
        meant = _meant(name, [k for k in known if k not in found])
        if meant:
            raise InputError(
                f"there is an array {quoted(name)}, which means nothing: did you mean {meant}?"
            )
    if unknown:
        warnings.warn(
            f"These arrays are not used: {shortened(', '.join(map(repr, unknown)))}; known are "
            f"{', '.join(known)}.",
            stacklevel=2,
        )


def _meant(name: str, missing: Sequence[str]) -> str | None:
    """Return the known name that is not there and that ``name`` must stand for, or None."""
    stem, _, half = name.lower().partition("_")
    said = "_".join(part for part in (_OTHER_WORDS.get(stem, stem), half) if part)
    close = difflib.get_close_matches(said, missing, n=1, cutoff=0.8)
    return close[0] if close else None
