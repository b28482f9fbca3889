"""A grid's work on a dask cluster: which workers may do it, and what they give back.

A worker computes in this process's folder and with its data folder, by the same paths: they lie
on a disk that all machines see. It writes the arrays that cells share; rows go back to the
process that asked, which alone writes them, since SQLite is not safe on a network's disk.
"""

from __future__ import annotations

import hashlib
import logging
import os
import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, NamedTuple

import ae_cluster
from ae_cluster.common.errors import InputError
from ae_cluster.datasets import load_dataset

if TYPE_CHECKING:
    from distributed import Client, Future

LOCAL = "local"
SECONDS = 5  # to find the scheduler, or to find it again
MOST_SECONDS = 60  # for a result that is there to come over the network
PACKAGES = ("numpy", "scipy", "scikit-learn", "torch", "umap-learn")  # on which results depend
DATA = "AE_CLUSTER_DATA"


class Here(NamedTuple):
    """Where and with what the process computes that asks for the work.

    Attributes
    ----------
    folder, store, data_home : str
        Absolute paths; ``data_home`` is "" where none is set.
    versions : tuple of (str, str)
        Of everything that results depend on, this project's code included.
    fingerprints : tuple of (str, str)
        Data sets and the fingerprints of their data.
    """

    folder: str
    store: str
    data_home: str
    versions: tuple[tuple[str, str], ...]
    fingerprints: tuple[tuple[str, str], ...]


def here(store: Path, fingerprints: dict[str, str]) -> Here:
    """Return where this process computes."""
    home = os.environ.get(DATA, "")
    home = str(Path(home).expanduser().absolute()) if home else ""
    folder = str(Path.cwd())
    return Here(folder, str(store.absolute()), home, versions(), (*fingerprints.items(),))


@lru_cache(maxsize=1)
def versions() -> tuple[tuple[str, str], ...]:
    """Return the versions of all that results depend on."""
    digest = hashlib.sha256()
    for place in (Path(ae_cluster.__file__).parent, Path(__file__).parents[1]):
        for path in sorted(place.rglob("*.py")):
            digest.update(path.read_bytes())
    found = [("Python", platform.python_version()), ("ae_cluster's code", digest.hexdigest()[:8])]
    return (*found, *((name, version(name)) for name in PACKAGES))


@lru_cache(maxsize=8)
def take_place(asked: Here) -> None:
    """Compute where and with what ``asked`` does; once per process and grid.

    Raises
    ------
    InputError
        When this worker sees other files, other data or other versions.
    """
    me = f"The worker {os.getpid()} on {platform.node()}"
    other = [
        f"{name} {mine} (asked for by {theirs})"
        for (name, theirs), (_, mine) in zip(asked.versions, versions(), strict=True)
        if theirs != mine
    ]
    if other:
        raise InputError(f"{me} has {', '.join(other)}: install the same on all machines.")
    for path in filter(None, (asked.folder, asked.store, asked.data_home)):
        if not Path(path).is_dir():
            raise InputError(
                f"{me} does not see {path}: put the checkout, --store and the data on a disk that "
                "all machines see by the same path."
            )
    os.chdir(asked.folder)
    if asked.data_home:
        os.environ[DATA] = asked.data_home
    for name, fingerprint in asked.fingerprints:
        if load_dataset(name, download=False).fingerprint != fingerprint:
            raise InputError(f"{me} has other data of {name}: give all machines the same files.")


def results_on(
    scheduler: str, work: Callable[[Any], Any], items: Sequence[Any], jobs: int
) -> Iterator[Any]:
    """Yield ``work(item)`` of each item as the cluster's workers finish it.

    Parameters
    ----------
    scheduler : str
        Address of a running scheduler, or "local": a cluster of ``jobs`` processes here.
    work : callable
    items : sequence
    jobs : int

    Raises
    ------
    InputError
        When there is no scheduler, or it goes away, or a worker cannot do the work.
    """
    with _client(scheduler, jobs) as client:
        futures = client.map(work, items, pure=False, retries=2)
        done: SimpleQueue[Future] = SimpleQueue()
        for future in futures:
            future.add_done_callback(done.put)
        n_workers = 0
        for _ in futures:
            future = _next(done, client, scheduler)
            try:
                yield future.result(timeout=MOST_SECONDS)
            except InputError:
                raise
            except Exception as error:
                raise InputError(_reason(error, scheduler)) from error
            n_workers = _told_of_lost(client, n_workers)


def _next(done: SimpleQueue[Future], client: Client, scheduler: str) -> Future:
    """Wait for the next result as long as there is a scheduler to give it."""
    while True:
        try:
            return done.get(timeout=1)
        except Empty:
            if client.status != "running":
                raise InputError(_reason(ConnectionError(), scheduler)) from None


@contextmanager
def _client(scheduler: str, jobs: int) -> Iterator[Client]:
    """Give a client of the scheduler, or of a cluster that is started here and ended after."""
    try:
        import dask
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise InputError(
            "--scheduler needs dask, which is not installed: pip install 'ae-cluster[cluster]'."
        ) from error
    _say_nothing_of_itself()
    patience = {"distributed.comm.timeouts.connect": SECONDS, "distributed.comm.retry.count": 0}
    with dask.config.set(patience):
        if scheduler == LOCAL:
            options = {"n_workers": jobs, "threads_per_worker": 1, "dashboard_address": None}
            with LocalCluster(**options) as cluster, Client(cluster) as client:
                yield client
            return
        try:
            client = Client(scheduler, timeout=SECONDS)
        except (OSError, TimeoutError, ValueError) as error:
            raise InputError(
                f"There is no scheduler at {scheduler}: start one with dask scheduler, and give "
                "the address that it prints, as tcp://HOST:8786."
            ) from error
        try:
            if not client.scheduler_info()["workers"]:
                raise InputError(
                    f"The scheduler at {scheduler} has no workers: start some in the checkout, "
                    f"with dask worker {scheduler} --nthreads 1."
                )
            yield client
        finally:
            with suppress(Exception):  # of a scheduler that is gone
                client.close(timeout=SECONDS)


def _say_nothing_of_itself() -> None:
    """Silence dask's own log: what happens is said in this project's words."""
    for name in ("distributed", *logging.root.manager.loggerDict):
        if name.partition(".")[0] in ("distributed", "tornado", "asyncio"):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def _told_of_lost(client: Client, n_workers: int) -> int:
    """Say when there are fewer workers than before; return how many there are."""
    if client.status != "running":
        return n_workers
    found = len(client.scheduler_info(n_workers=-1)["workers"])
    if found < n_workers:
        print(
            f"{n_workers - found} worker(s) left the cluster; what they had begun is begun again "
            f"by the other {found}.",
            file=sys.stderr,
        )
    return found


def _reason(error: Exception, scheduler: str) -> str:
    """Return in a sentence why a cluster gives no more results."""
    from distributed import KilledWorker

    if isinstance(error, ModuleNotFoundError):
        return (
            f"A worker cannot import {error.name}: start the workers in the checkout, with the "
            "package and its extras installed."
        )
    if isinstance(error, KilledWorker):
        return "Several workers ended at the same cell: look into their logs (memory, say)."
    return (
        f"The scheduler at {scheduler} went away ({type(error).__name__}): what was finished is "
        "kept; start it again, and the same command goes on."
    )
