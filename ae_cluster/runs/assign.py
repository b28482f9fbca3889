"""The samples of a file to the clusters of a run, in little memory and on every core."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from joblib import cpu_count
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from ae_cluster.common.chunks import slices
from ae_cluster.common.errors import InputError
from ae_cluster.common.global_state import default_state
from ae_cluster.common.progress import progress_bar
from ae_cluster.datasets import known_datasets, load_dataset
from ae_cluster.datasets.streaming import SampleStream, open_table, shape_of_array
from ae_cluster.runs.assigned_tables import check_place, part_of, table_at
from ae_cluster.runs.assigner import Assigner, Assignment
from ae_cluster.training.threads import one_thread

CHUNK_ROWS = 8192
Part = tuple[NDArray[np.str_], NDArray[Any]]


class Summary(NamedTuple):
    """What was assigned.

    Attributes
    ----------
    method, out : str
    n_rows, n_outliers : int
    clusters : dict of str to int
        How many samples are in each; −1 is noise.
    class_names : dict of str to str
        Of the clusters whose class is known.
    notes : list of str
    seconds : float
    """

    method: str
    out: str
    n_rows: int
    n_outliers: int
    clusters: dict[str, int]
    class_names: dict[str, str]
    notes: list[str]
    seconds: float


class Counts(NamedTuple):
    """How many rows a table has, how many of them are outliers, and how many each cluster."""

    n_rows: int
    n_outliers: int
    clusters: Counter[int]


@default_state()
def assign_file(
    run: Path,
    data: str,
    out: Path,
    *,
    method: str | None = None,
    force: bool = False,
    skip_unreadable: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> Summary:
    """Write a table with the cluster of every sample of a file.

    Parameters
    ----------
    run : Path
        Folder of a run.
    data : str
        A file of samples like the run's, or the name of a data set.
    out : Path
        A ``.csv`` or ``.parquet``; its columns are those of
        `ae_cluster.runs.assigned_tables.columns_of`, after ``id``.
    method : str or None
        The folder under methods/; None: the first that was asked for.
    skip_unreadable : bool
        Leave out pictures of a folder that cannot be read.
    force : bool
        Replace a table of this kind.
    say : callable
        Takes a line of text.

    Raises
    ------
    InputError
        When the samples are not as the run's, or the run keeps too little.
    """
    assigner = Assigner(run, method)
    check_place(out, force)
    for note in assigner.notes:
        say(note)
    stream = stream_of(assigner, data, skip_unreadable)
    start = time.perf_counter()
    with progress_bar(stream.n_rows, "assigning", "row") as bar:
        counts = write_table(assigner, stream, data, out, cpu_count(), bar)
    return summary_of(assigner, out, counts, start)


def write_table(
    assigner: Assigner, stream: SampleStream, name: str, out: Path, n_threads: int, bar: Any = None
) -> Counts:
    """Write the table of a stream's samples, which are called ``name``; count what is in it."""
    n_rows = n_outliers = 0
    clusters: Counter[int] = Counter()
    start = time.perf_counter()
    with table_at(out) as writer:
        for ids, found in _assigned_parts(assigner, stream, name, n_threads):
            writer.write(part_of(ids, found, assigner.class_names))
            clusters.update(dict(zip(*_counts(found.clusters), strict=True)))
            n_outliers += int(found.outliers.sum())
            n_rows += len(ids)
            if bar is not None:
                pace = n_rows / (time.perf_counter() - start)
                bar.set_postfix_str(f"{pace:,.0f} rows per second", refresh=False)
                bar.update(len(ids))
        if not n_rows:
            raise InputError(f"{name}: it holds no samples; give a file with at least one.")
    return Counts(n_rows, n_outliers, clusters)


def summary_of(assigner: Assigner, out: Path, counts: Counts, start: float) -> Summary:
    """Return what there is to say of a table that was begun at ``start``."""
    return Summary(
        assigner.method,
        str(out),
        counts.n_rows,
        counts.n_outliers,
        {str(cluster): n for cluster, n in sorted(counts.clusters.items())},
        {str(k): name for k, name in enumerate(assigner.class_names) if name},
        assigner.notes,
        round(time.perf_counter() - start, 3),
    )


def _counts(clusters: NDArray[np.int64]) -> tuple[list[int], list[int]]:
    values, counts = np.unique(clusters, return_counts=True)
    return values.tolist(), counts.tolist()


def stream_of(
    assigner: Assigner, data: str, skip_unreadable: bool = False, first: int = 0
) -> SampleStream:
    """Return the samples of a file, numbered from ``first``, as the run's model takes them."""
    if data.lower().replace("_", "-") in known_datasets():
        found = load_dataset(data)
        parts = [(found.ids_train, found.raw_train), (found.ids_test, found.raw_test)]
        return SampleStream(sum(len(ids) for ids, _ in parts), lambda: _split(parts))
    found_shape = None
    with suppress(InputError):  # which `open_table` says better
        found_shape = shape_of_array(data)
    if found_shape is not None:
        assigner.check_shape(found_shape, data)
    shape = assigner.config["data"].get("image_shape")
    return open_table(
        data,
        assigner.preparation,
        CHUNK_ROWS,
        image_shape=tuple(shape) if shape else None,
        seen=None if assigner.kept.units == "table" else assigner.kept.units,
        skip_unreadable=skip_unreadable,
        first=first,
    )


def _split(parts: list[Part]) -> Iterator[Part]:
    for ids, rows in parts:
        for part in slices(len(rows), CHUNK_ROWS):
            yield ids[part], rows[part]


def _assigned_parts(
    assigner: Assigner, stream: SampleStream, name: str, n_threads: int
) -> Iterator[tuple[NDArray[np.str_], Assignment]]:
    """Yield ids and assignments of the parts of a stream, in order, made by some threads.

    Each computes with one thread of its own, which gives the same bits however many there are.
    """
    waiting: deque[tuple[NDArray[np.str_], Future[Assignment]]] = deque()
    with (
        one_thread(),
        threadpool_limits(1),
        ThreadPoolExecutor(n_threads, "assign", torch.set_num_threads, (1,)) as pool,
    ):
        for ids, rows in stream:
            waiting.append((ids, pool.submit(assigner.of_rows, rows, name)))
            if len(waiting) > n_threads:
                yield _first(waiting)
        while waiting:
            yield _first(waiting)


def _first(
    waiting: deque[tuple[NDArray[np.str_], Future[Assignment]]],
) -> tuple[NDArray[np.str_], Assignment]:
    ids, future = waiting.popleft()
    return ids, future.result()
