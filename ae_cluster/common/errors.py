"""The one error a user can cause, and the did-you-mean that goes with it."""

from __future__ import annotations

from collections.abc import Iterable

from ae_cluster.common.texts import LONGEST_QUOTE, one_line, shortened


class InputError(ValueError):
    """What the user gave cannot be used.

    The message is one sentence that names the value and the way out. The
    command line prints it and leaves with exit code 2, without a traceback.
    It is one line of at most 1,000 characters, whatever the value holds.
    """

    def __init__(self, message: object = "") -> None:
        super().__init__(one_line(str(message)))


def nearest(name: str, known: Iterable[str], n: int = 3) -> str:
    """Return the known names closest to ``name`` as text, or all of them when none is close."""
    import difflib  # late: most calls end without an error

    names = sorted(known)
    close = difflib.get_close_matches(name.lower()[:LONGEST_QUOTE], names, n=n, cutoff=0.5)
    if close:
        return f"did you mean {shortened(' or '.join(close))}?"
    return f"known are: {shortened(', '.join(names))}."
