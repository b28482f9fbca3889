"""Text that others wrote, shown so that it stays text: no control of a terminal, no links."""

from __future__ import annotations

import re

LONGEST_QUOTE = 200
_LONGEST_MESSAGE = 1000

# Control characters but tab and line feed; marks that turn the direction of writing; U+2028 and
# U+2029, which some readers take for the end of a line.
_ACTING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]"
)
_LINKS = re.compile(r"(?i)(?<=:)//|(?<=www)\.")


def visible(text: str) -> str:
    r"""Return text in which control characters are shown and do nothing.

    >>> visible("\x1b[2Jcat")
    '\\x1b[2Jcat'
    """
    return _ACTING.sub(lambda found: _escaped(found[0]), text)


def one_line(text: str, most: int = _LONGEST_MESSAGE) -> str:
    """Return text as one visible line; of more than ``most`` characters the middle is left out."""
    return shortened(visible(text.replace("\r", "\\r").replace("\n", "\\n")), most)


def shortened(text: str, most: int = LONGEST_QUOTE) -> str:
    """Return text of at most ``most`` characters, its middle left out where there are more."""
    if len(text) <= most:
        return text
    end = most // 4
    return f"{text[: most - end - 1]}…{text[-end:]}" if end else f"{text[: most - 1]}…"


def quoted(value: object, most: int = LONGEST_QUOTE) -> str:
    """Return ``repr(value)`` for a message, on one line and of at most ``most`` characters."""
    return one_line(repr(value), most)


def encodable(text: str) -> str:
    """Return text that UTF-8 takes: half characters, from odd names of files, are spelled out."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def in_markdown(text: str) -> str:
    r"""Return text that Markdown shows as it stands, on one line and without links.

    >>> in_markdown("[cat](http://a.b) | x_1")
    '\\[cat\\](http:\\/\\/a.b) \\| x\\_1'
    """
    text = " ".join(visible(text).split())
    for character in "\\|*_<`[]":
        text = text.replace(character, f"\\{character}")
    return _LINKS.sub(lambda found: "".join(f"\\{character}" for character in found[0]), text)


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
