"""NumPy's ``.npz``: named arrays."""

from __future__ import annotations

from pathlib import Path

from ae_cluster.common.bounded_arrays import Arrays, read_npz
from ae_cluster.datasets.array_names import known_names
from ae_cluster.datasets.room import room_for


def read(path: Path) -> Arrays:
    """Read those arrays whose names mean something; nothing is unpickled."""
    return read_npz(path, known_names, room_for)
