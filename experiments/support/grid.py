"""Carry out a grid of cells: resumable, in parallel, the same whatever the number of jobs."""

from __future__ import annotations

import importlib
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

from ae_cluster.common.interrupts import at_once_on_ctrl_c
from ae_cluster.common.progress import progress_bar, spoken_of
from ae_cluster.common.workers import Here, results_on, take_place
from ae_cluster.records.rows import COLUMNS
from experiments.support.cluster import here, refuse_other_data
from experiments.support.store import Cell, Row, Store, cell_key

Found = tuple[str, Cell, list[Row], str]  # key, cell, rows, status


class Task(NamedTuple):
    """A cell, the key it is kept under, and what carries it out.

    Attributes
    ----------
    cell : dict
        What the cell is.
    key : str
        Of `experiments.support.store.cell_key`.
    work : callable
        Takes the cell and the store, returns tidy rows. Must be importable, so
        that other processes can carry it out.
    fingerprint : str
        Of the cell's data.
    """

    cell: Cell
    key: str
    work: Callable[[Cell, Store], list[Row]]
    fingerprint: str = ""


def make_task(
    work: Callable[[Cell, Store], list[Row]], cell: Cell, fingerprint: str, version: int = 1
) -> Task:
    """Return the task of a cell on data of this fingerprint by this version of the method."""
    return Task(cell, cell_key(cell, fingerprint, version), work, fingerprint)


def run_grid(
    tasks: Sequence[Task],
    store: Store,
    *,
    jobs: int = 1,
    retry_failed: bool = False,
    scheduler: str | None = None,
    fingerprint_of: Callable[[str], str] | None = None,
) -> list[Task]:
    """Carry out every task that is not done yet, and return those that failed, now or before.

    Parameters
    ----------
    tasks : sequence of Task
        Those that share a stage (`Store.arrays`) should stand together.
    store : Store
    jobs : int
        Processes. Each computes with one thread whatever their number, so that
        results do not depend on it and no core is asked for twice.
    retry_failed : bool
        Do failed cells again.
    scheduler : str or None
        Address of a dask scheduler whose workers do the work, or "local": of ``jobs`` processes.
    fingerprint_of : callable or None
        Takes a cell's data set, returns the fingerprint of what such a worker has of it.

    Raises
    ------
    InputError
        When the cluster gives no more results; what was finished is in the store.
    """
    store.set_damaged_aside()
    done = store.statuses()
    if retry_failed:
        failed_before = [task.key for task in tasks if done.get(task.key) == "failed"]
        store.forget(failed_before)
        done = {key: status for key, status in done.items() if key not in set(failed_before)}
    open_tasks = [task for task in tasks if task.key not in done]
    groups = _groups(open_tasks)
    results: Iterator[int]
    if scheduler is None or not groups:
        results = Parallel(n_jobs=jobs, return_as="generator_unordered")(
            delayed(_carry_out)(group, store) for group in groups
        )
    else:
        groups = [[t._replace(work=_importable(t.work)) for t in group] for group in groups]
        read = fingerprint_of and _importable(fingerprint_of)
        work = partial(_found, store=store, asked=here(store.folder), fingerprint_of=read)
        results = _put(results_on(scheduler, work, groups, jobs), store)
    n_done_before = len(tasks) - len(open_tasks)
    bar = progress_bar(len(tasks), "grid", "cell", initial=n_done_before)
    with bar, spoken_of(f"{len(open_tasks)} cells of the grid"):
        for n_done in results:
            bar.update(n_done)
    statuses = store.statuses()
    return [task for task in tasks if statuses.get(task.key) != "ok"]


def _groups(tasks: Sequence[Task]) -> list[list[Task]]:
    """Put the tasks of one stage into one process, lest two train the same encoder at once."""
    groups: dict[Any, list[Task]] = {}
    for task in tasks:
        groups.setdefault(task.cell.get("stage", task.key), []).append(task)
    return list(groups.values())


def _carry_out(tasks: Sequence[Task], store: Store) -> int:
    with _one_thread():
        for task in tasks:
            store.put(task.key, task.cell, *_rows_and_status(task, store))
    return len(tasks)


def _importable(work: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of the command itself as a worker can import it: not as ``__main__``'s."""
    spec = sys.modules["__main__"].__spec__
    if work.__module__ != "__main__" or spec is None:
        return work
    found: Callable[..., Any] = getattr(importlib.import_module(spec.name), work.__name__)
    return found


def _found(
    tasks: list[Task],
    *,
    store: Store,
    asked: Here,
    fingerprint_of: Callable[[str], str] | None,
) -> list[Found]:
    """Carry tasks out on a cluster's worker, which writes no rows itself."""
    take_place(asked)
    if fingerprint_of:
        for name, wanted in {task.cell["dataset"]: task.fingerprint for task in tasks}.items():
            refuse_other_data(name, wanted, fingerprint_of)
    with _one_thread():
        return [(task.key, task.cell, *_rows_and_status(task, store)) for task in tasks]


def _put(results: Iterator[list[Found]], store: Store) -> Iterator[int]:
    for found in results:
        for key, cell, rows, status in found:
            store.put(key, cell, rows, status)
        yield len(found)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Compute with one thread: numpy's libraries, torch, and torch where it is yet to be loaded."""
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"
    torch = sys.modules.get("torch")
    threads = torch.get_num_threads() if torch else 1
    try:
        if torch:
            torch.set_num_threads(1)
        with threadpool_limits(1):
            yield
    finally:
        if torch:
            torch.set_num_threads(threads)
        if before is None:
            del os.environ["OMP_NUM_THREADS"]
        else:
            os.environ["OMP_NUM_THREADS"] = before


def _rows_and_status(task: Task, store: Store) -> tuple[list[Row], str]:
    """Return a cell's rows and "ok", or the row that says why there are none and "failed"."""
    start = time.perf_counter()
    try:
        with at_once_on_ctrl_c():
            return task.work(task.cell, store), "ok"
    except Exception as error:  # whatever a method may raise: the grid goes on
        known = {k: v for k, v in task.cell.items() if k in COLUMNS}
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
        row = known | {"status": "failed", "reason": reason}
        return [row | {"seconds": round(time.perf_counter() - start, 3)}], "failed"
