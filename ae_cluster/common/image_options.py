"""How a folder of pictures is to be read: in which size, in colour or grey, what is left out."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from ae_cluster.common.errors import InputError
from ae_cluster.common.scalars import plain
from ae_cluster.common.texts import quoted

LONGEST_SIDE = 4096  # pixels of what pictures are made into
Size = tuple[int, int]  # height and width, as the shapes of arrays


@dataclass(frozen=True)
class ImageOptions:
    """What is said of the pictures in a folder; the defaults say nothing.

    Attributes
    ----------
    image_size : (h, w) or None
        What every picture is made into; None where all have one size.
    grey : bool
        Colours are left out.
    skip_unreadable : bool
        Pictures that cannot be read are left out; else they are refused.
    """

    image_size: Size | None = None
    grey: bool = False
    skip_unreadable: bool = False

    @classmethod
    def of(cls, given: dict[str, Any]) -> ImageOptions:
        """Return options whose values are checked.

        Raises
        ------
        InputError
        """
        values = {name: plain(value) for name, value in given.items()}
        for name in ("grey", "skip_unreadable"):
            if not isinstance(values.get(name, False), bool):
                raise InputError(f"{flag(name)} {quoted(values[name])} is neither true nor false.")
        size = values.get("image_size")
        if not is_size(size):
            raise InputError(
                f"--image-size {quoted(size)} cannot be used: give a height and a width of 1 to "
                f"{LONGEST_SIDE:,}, like 64x64."
            )
        return cls(**values | {"image_size": None if size is None else (size[0], size[1])})

    def said(self) -> list[str]:
        """Return the options that say something, as the command line spells them."""
        return [
            flag(field.name) for field in fields(self) if getattr(self, field.name) != field.default
        ]


def is_size(value: Any) -> bool:
    """Return whether this is a height and a width, or None."""
    return value is None or (
        isinstance(value, tuple | list)
        and len(value) == 2
        and all(type(side) is int and 0 < side <= LONGEST_SIDE for side in value)
    )


def flag(option: str) -> str:
    """Return an option as the command line spells it."""
    return f"--{option.replace('_', '-')}"
