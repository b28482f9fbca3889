"""AnnData's ``.h5ad``: cells by genes, sparse as long as that goes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ae_cluster.common.bounded_arrays import MOST_TIMES, MOST_UNPACKED
from ae_cluster.common.bounded_files import UnreadableError, file_size
from ae_cluster.common.errors import InputError, nearest
from ae_cluster.common.memory import total_memory
from ae_cluster.common.texts import quoted
from ae_cluster.datasets.table_files import check_names, damage_told

if TYPE_CHECKING:
    import h5py
    import pyarrow as pa

OBS_NAMES = "obs_names"
_BATCH_VALUES = 2**24  # of a part of the rows
_DAMAGED = "it is no .h5ad, or a damaged one"
_SPARSE = ("csr_matrix", "csc_matrix")
_SECONDS = 8
_MOST_OF_TEXTS = 2**30  # bytes that reading texts may take: HDF5 believes any length of one
_NO_TEXTS = 3  # exit code
# Looks at all that a file says it holds, and at the ends of each array within 64 MB; of texts at
# all, with no more memory than they may take.
_PROBE = f"""
import math, os, sys, h5py

def hold_memory():
    try:
        import resource
        with open("/proc/self/statm") as file:
            now = int(file.read().split()[0]) * resource.getpagesize()
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (now + {_MOST_OF_TEXTS}, hard))
    except (ImportError, OSError, ValueError):
        pass  # no Linux

def look(found):
    try:
        dict(found.attrs)
        if not isinstance(found, h5py.Dataset) or found.external or found.is_virtual:
            return
        block = math.prod(found.chunks or found.shape)
        if not found.size or block * found.dtype.itemsize >= 2**26:
            return
        if found.dtype.hasobject:
            read_texts(found)
        found[(0,) * found.ndim]
        found[tuple(length - 1 for length in found.shape)]
    except Exception:
        pass  # which the reader will tell in its own words

def read_texts(found):
    try:
        if found.ndim:
            for start in range(0, found.size, 2**16):
                found[start : start + 2**16]
    except (MemoryError, OSError):
        os._exit({_NO_TEXTS})

def parts_of(group):
    try:
        names = list(group)
    except Exception:
        return
    for name in names:
        try:
            if isinstance(group.get(name, getlink=True), h5py.HardLink):
                found = group[name]
                yield h5py.h5o.get_info(found.id).addr, found
        except Exception:
            pass  # the others may be whole

hold_memory()
with h5py.File(sys.argv[1], "r") as file:
    waiting, seen = [(None, file)], set()
    while waiting:
        address, found = waiting.pop()
        if address not in seen:
            seen.add(address)
            look(found)
            waiting += parts_of(found) if isinstance(found, h5py.Group) else []
"""


class H5adTable:
    """A ``.h5ad`` file: genes are the columns, cells the rows, ``obs_names`` their ids."""

    index: str | None = OBS_NAMES

    def __init__(self, path: Path, layer: str | None = None) -> None:
        self.path, self._size = path, file_size(path)
        self._place = "X" if layer is None else f"layers/{layer}"
        _check_readable(path)
        with _damage_told(), self._opened() as file:
            if layer is not None and layer not in file.get("layers", ()):
                known = list(file.get("layers", ()))
                guess = nearest(layer, known) if known else "it has none; leave --layer out."
                raise InputError(f"there is no layer {quoted(layer)}: {guess}")
            self._genes = self._index(file, "var")
            self._columns = [n for n in file["obs"] if n not in self._genes and n[0] != "_"]
            shape = _shape_of(file, self._place)
            n_cells = len(self._index(file, "obs"))
        check_names(self._genes)
        if shape != (n_cells, len(self._genes)):
            raise UnreadableError(
                f"{self._place} has shape {shape} for {n_cells:,} cells, {len(self._genes):,} genes"
            )
        self.n_rows: int | None = n_cells
        self.described = (*self._columns, OBS_NAMES)
        self.names = (*self._genes, *self.described)

    def read(self, texts: Collection[str], dropped: Collection[str]) -> pa.Table:
        """Return all cells of all genes but the dropped, with those columns of obs."""
        import pyarrow as pa

        kept = [i for i, name in enumerate(self._genes) if name not in dropped]
        _check_memory(self.n_rows or 0, len(kept))
        with _damage_told(), self._opened() as file:
            matrix = self._matrix(file)[:, kept]
            dense = np.ascontiguousarray(_dense(matrix.T))
            columns = [pa.array(gene) for gene in dense]
            named = [name for name in self.described if name in {*texts, OBS_NAMES}]
            columns += [self._obs(file, name) for name in named]
        return pa.table(columns, names=[*(self._genes[i] for i in kept), *named])

    def batches(self, kinds: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
        """Yield the cells in parts; the counts stay sparse, and only a part is made dense."""
        import pyarrow as pa

        place = {name: i for i, name in enumerate(self._genes)}
        kept = [place[name] for name in kinds if name in place]
        genes = [self._genes[i] for i in kept]
        rows = max(1, _BATCH_VALUES // max(1, len(kept)))
        with _damage_told(), self._opened() as file:
            matrix = self._matrix(file, whole=False)
            others = {name: self._obs(file, name) for name in kinds if name not in place}
            for start in range(0, self.n_rows or 0, rows):
                part = np.ascontiguousarray(_dense(matrix[start : start + rows]).T[kept])
                columns = [pa.array(gene) for gene in part]
                columns += [column[start : start + rows] for column in others.values()]
                yield pa.record_batch(columns, names=[*genes, *others])

    def _opened(self) -> h5py.File:
        try:
            import anndata  # noqa: F401
            import h5py
        except ImportError as error:
            raise InputError(
                'a .h5ad is read by anndata, which is not installed: pip install "ae-cluster[bio]".'
            ) from error
        return h5py.File(self.path, "r")

    def _index(self, file: h5py.File, of: str) -> list[str]:
        from anndata.io import read_elem

        name = file[of].attrs["_index"]
        _check_inside(file, f"{of}/{name}", self._size)
        return [str(name) for name in np.asarray(read_elem(file[of][name])).tolist()]

    def _obs(self, file: h5py.File, name: str) -> pa.Array:
        import pandas as pd
        import pyarrow as pa
        from anndata.io import read_elem

        if name == OBS_NAMES:
            return pa.array(self._index(file, "obs"))
        _check_inside(file, f"obs/{name}", self._size)
        column = pa.array(pd.Series(read_elem(file["obs"][name])), from_pandas=True)
        if len(column) != self.n_rows:
            raise UnreadableError(f"obs holds {len(column):,} values of {quoted(name)}")
        return column

    def _matrix(self, file: h5py.File, whole: bool = True) -> Any:
        """Return the counts: sparse where they are stored so."""
        from anndata.io import sparse_dataset

        _check_inside(file, self._place, self._size)
        stored = file[self._place]
        if not hasattr(stored, "keys"):
            return stored[:] if whole else stored
        matrix = sparse_dataset(stored).to_memory()
        matrix.check_format(full_check=True)
        return matrix.tocsr()


@contextmanager
def _damage_told() -> Iterator[None]:
    """Turn what is raised of a damaged file into a sentence: h5py and anndata raise anything."""
    with damage_told(_DAMAGED):
        try:
            yield
        except (InputError, OSError, MemoryError, UnicodeDecodeError):
            raise
        except Exception as error:
            raise ValueError(str(error)) from error


def _check_readable(path: Path) -> None:
    """Refuse a file in which HDF5 crashes or does not end, found in a process of its own."""
    if not sys.executable:
        return
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", _PROBE, str(path)],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise UnreadableError(f"{_DAMAGED} (to look into it takes over {_SECONDS} s)") from error
    if done.returncode < 0:
        raise UnreadableError(f"{_DAMAGED} (HDF5 crashes in it)")
    if done.returncode == _NO_TEXTS:
        raise UnreadableError(f"{_DAMAGED} (texts in it cannot be read)")


def open_table(path: Path, layer: str | None = None) -> H5adTable:
    """Open a .h5ad; X, or a layer of it."""
    return H5adTable(path, layer)


def _dense(matrix: Any) -> NDArray[Any]:
    """Return rows as numbers that a table takes; single ones unless they are large."""
    array = np.asarray(matrix.toarray() if hasattr(matrix, "toarray") else matrix)
    if array.dtype.kind not in "buif":
        raise UnreadableError(f"its counts are {array.dtype}")
    return array


def _shape_of(file: h5py.File, place: str) -> tuple[int, ...]:
    """Return the shape of the counts as the file says it."""
    stored = file[place]
    if not hasattr(stored, "keys"):
        return tuple(map(int, stored.shape))
    if stored.attrs.get("encoding-type") not in _SPARSE:
        raise UnreadableError(f"{place} is neither a matrix nor sparse counts")
    return tuple(int(n) for n in stored.attrs["shape"])


def _check_inside(file: h5py.File, name: str, size: int) -> None:
    """Refuse what leads out of the file, and what unpacks to more than data of worth do."""
    import h5py

    group = file
    for part in name.split("/"):
        link = group.get(part, getlink=True) if isinstance(group, h5py.Group) else None
        if not isinstance(link, h5py.HardLink):
            raise UnreadableError(f"{name} leads out of the file, or is not there")
        group = group[part]
    stored = [group] if isinstance(group, h5py.Dataset) else []
    if not stored:
        for key in group:
            _check_inside(group, key, size)
    for data in stored:
        if data.is_virtual or data.external:
            raise UnreadableError(f"{name} lies in another file")
        unpacked = data.size * data.dtype.itemsize
        if unpacked > max(MOST_UNPACKED, MOST_TIMES * size):
            raise UnreadableError(
                f"its {size:,} bytes unpack to {unpacked:,} in {name}, which no data of worth do"
            )


def _check_memory(n_cells: int, n_genes: int) -> None:
    """Refuse counts that would not fit into the memory once they are dense, twice in float32."""
    needed = 2 * 4 * n_cells * n_genes
    there = total_memory()
    if needed > there:
        raise InputError(
            f"{n_cells:,} cells of {n_genes:,} genes need {needed / 1e9:,.0f} GB when they are "
            f"dense, and this machine has {there / 1e9:,.0f}: choose the most variable genes, or "
            "cluster principal components with --features given."
        )
