"""NumPy's scalars as Python's own, which is what torch and JSON take."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def plain(value: Any) -> Any:
    """Return a NumPy scalar as a Python number or text, an array as a tuple; others as they are.

    Inside tuples and lists too. A float32 becomes the shortest decimal that it stands for:
    ``np.float32(0.1)`` is 0.1, not 0.10000000149.
    """
    if type(value) in (tuple, list):
        return type(value)(plain(v) for v in value)
    if type(value).__module__ != "numpy" or not hasattr(value, "dtype"):
        return value  # by name: the command line's --help does not wait for numpy
    if value.ndim:
        return tuple(plain(v) for v in value)
    return float(str(value)) if value.dtype.kind == "f" else value.item()


@contextmanager
def plain_parameters(*estimators: Any) -> Iterator[None]:
    """Let estimators have plain parameters inside, and those that they were given outside.

    scikit-learn's `clone` asks that parameters stay the very objects they were, so they cannot
    be changed once and for all.
    """
    swapped = [
        (estimator, name, given, plain(given))
        for estimator in estimators
        for name, given in estimator.get_params(deep=False).items()
        if plain(given) is not given
    ]
    for estimator, name, _, inside in swapped:
        setattr(estimator, name, inside)
    try:
        yield
    finally:
        for estimator, name, given, inside in swapped:
            if getattr(estimator, name) is inside:  # nobody set another meanwhile
                setattr(estimator, name, given)
