"""Work on a dask cluster: which workers may do it, and what they give back.

A worker computes in the folder of the process that asks, by the same paths: they lie on a disk
that all machines see.
"""

from __future__ import annotations

import hashlib
import logging
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from functools import lru_cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, NamedTuple

from ae_cluster.common.errors import InputError

if TYPE_CHECKING:
    from distributed import Client, Future

LOCAL = "local"
ADDRESS = "tcp://HOST:PORT|local"
SECONDS = 5  # to find the scheduler, or to find it again
SECONDS_WITHOUT_WORKERS = 20  # a nanny starts a worker again in a few
MOST_SECONDS = 60  # for a result that is there to come over the network
PACKAGES = ("numpy", "scipy", "scikit-learn", "torch", "umap-learn")  # on which results depend
DATA = "AE_CLUSTER_DATA"
ONE_THREAD_EACH: dict[str, Any] = {  # of a cluster on this machine, without pages of its own
    "threads_per_worker": 1,
    "dashboard_address": ":0",  # any port that is free
    "scheduler_kwargs": {"dashboard": False},
}


class Here(NamedTuple):
    """Where and with what the process computes that asks for the work.

    Attributes
    ----------
    folder : str
        Its working directory.
    shared : tuple of str
        Other folders that workers must see.
    data_home : str
        "" where none is set.
    code : tuple of str
        Packages of which workers must have the same files.
    versions : tuple of (str, str)
        Of everything that results depend on, that code included.
    """

    folder: str
    shared: tuple[str, ...]
    data_home: str
    code: tuple[str, ...]
    versions: tuple[tuple[str, str], ...]


_taken: list[Here] = []  # where this process computes now, if it is a worker
_own_data_home = os.environ.get(DATA, "")


def here(*shared: Path, code: tuple[str, ...] = ("ae_cluster",)) -> Here:
    """Return where this process computes, and what else workers must see."""
    home = os.environ.get(DATA, "")
    home = str(Path(home).expanduser().absolute()) if home else ""
    folders = tuple(str(path.absolute()) for path in shared)
    return Here(str(Path.cwd()), folders, home, code, versions(code))


@lru_cache(maxsize=2)
def versions(code: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Return the versions of all that results depend on."""
    digest = hashlib.sha256()
    for name in code:
        spec = find_spec(name)
        for place in spec.submodule_search_locations or () if spec else ():
            for path in sorted(Path(place).rglob("*.py")):
                digest.update(path.read_bytes())
    found = [("Python", platform.python_version()), ("ae_cluster's code", digest.hexdigest()[:8])]
    return (*found, *((name, version(name)) for name in PACKAGES))


def this_worker() -> str:
    """Return how messages name this process."""
    return f"The worker {os.getpid()} on {platform.node()}"


def take_place(asked: Here) -> None:
    """Compute where and with what ``asked`` does, whatever work this process did before.

    Raises
    ------
    InputError
        When this worker does not see the same folders, or has other versions or several threads.
    """
    if _taken == [asked]:
        return
    _taken.clear()
    me = this_worker()
    _refuse_other_versions(asked, me)
    if (threads := _threads_of_worker()) > 1:
        raise InputError(
            f"{me} has {threads} threads, and results depend on how many compute: start workers "
            "with --nthreads 1, one per core."
        )
    for path in filter(None, (asked.folder, *asked.shared, asked.data_home)):
        if not Path(path).is_dir():
            raise InputError(
                f"{me} does not see {path}: put it on a disk that all machines see by the same "
                "path."
            )
    os.chdir(asked.folder)
    os.environ[DATA] = asked.data_home or _own_data_home
    _taken.append(asked)


def _refuse_other_versions(asked: Here, me: str) -> None:
    other = [
        f"{name} {mine} (asked for by {theirs})"
        for (name, theirs), (_, mine) in zip(asked.versions, versions(asked.code), strict=True)
        if theirs != mine
    ]
    if other:
        raise InputError(f"{me} has {', '.join(other)}: install the same on all machines.")


def _threads_of_worker() -> int:
    from distributed import get_worker

    try:
        return int(get_worker().state.nthreads)
    except ValueError:  # not on a worker
        return 1


def results_on(
    scheduler: str,
    work: Callable[[Any], Any],
    items: Sequence[Any],
    jobs: int,
    kept: str = "what was finished is kept, and it goes on from there",
) -> Iterator[Any]:
    """Yield ``work(item)`` of each item as the cluster's workers finish it.

    Parameters
    ----------
    scheduler : str
        Address of a running scheduler, or "local": a cluster of ``jobs`` processes here.
    work : callable
    items : sequence
    jobs : int
    kept : str
        What the same command finds when it is given again after an error.

    Raises
    ------
    InputError
        When there is no scheduler, or it goes away, or a worker cannot do the work.
    """
    with _client(scheduler, jobs) as client:
        futures = client.map(work, items, pure=False, retries=2)
        done: SimpleQueue[Future[Any]] = SimpleQueue()
        for future in futures:
            future.add_done_callback(done.put)
        n_workers = 0
        for _ in futures:
            future = _next(done, client, scheduler, kept)
            try:
                yield future.result(timeout=MOST_SECONDS)
            except InputError:
                raise
            except Exception as error:
                raise InputError(_reason(error, client, scheduler, kept)) from error
            n_workers = _told_of_lost(client, n_workers)


def _next(done: SimpleQueue[Future[Any]], client: Client, scheduler: str, kept: str) -> Future[Any]:
    """Wait for the next result as long as there are a scheduler and workers to give it."""
    last_seen = time.monotonic()
    while True:
        try:
            return done.get(timeout=1)
        except Empty:
            n_workers = _count_workers(client)
            if n_workers is None:
                raise InputError(_reason(ConnectionError(), client, scheduler, kept)) from None
            if n_workers:
                last_seen = time.monotonic()
            elif time.monotonic() - last_seen > SECONDS_WITHOUT_WORKERS:
                raise InputError(
                    f"No worker is left at {scheduler}: start some, and give the same command "
                    f"again ({kept})."
                ) from None


def _count_workers(client: Client) -> int | None:
    """Return how many workers there are, or None where the scheduler is gone."""
    if client.status != "running":
        return None
    try:
        return len(client.scheduler_info(n_workers=-1)["workers"])
    except (OSError, TimeoutError):
        return None


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
            with (
                LocalCluster(n_workers=jobs, **ONE_THREAD_EACH) as cluster,
                Client(cluster) as client,
            ):
                yield client
            return
        try:
            client = Client(scheduler, timeout=SECONDS)
        except (OSError, TimeoutError, ValueError) as error:
            raise InputError(
                f"There is no scheduler at {scheduler}: start one by python -m dask scheduler, and "
                "give the address that it prints, as tcp://HOST:8786."
            ) from error
        try:
            if not client.scheduler_info()["workers"]:
                raise InputError(
                    f"The scheduler at {scheduler} has no workers: start some with "
                    f"python -m dask worker {scheduler} --nthreads 1."
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
    found = _count_workers(client)
    if found is None:
        return n_workers
    if found < n_workers:
        print(
            f"{n_workers - found} worker(s) left the cluster; what they had begun is begun again "
            f"by the other {found}.",
            file=sys.stderr,
        )
    return found


def _reason(error: Exception, client: Client, scheduler: str, kept: str) -> str:
    """Return in a sentence why a cluster gives no more results."""
    from distributed import KilledWorker

    if isinstance(error, ModuleNotFoundError):
        return (
            f"A worker cannot import {error.name}: start the workers in the checkout, with the "
            "package and its extras installed."
        )
    if isinstance(error, KilledWorker):
        return "Several workers ended at one piece of work: look into their logs (memory, say)."
    gone = (OSError, TimeoutError, CancelledError)
    if client.status == "running" and not isinstance(error, gone):
        text = " ".join(str(error).split())
        if "deserialization" in text:
            return (
                "The scheduler cannot import this code: start it and the workers in the checkout "
                "by python -m dask, with the package and its extras installed."
            )
        return f"A worker could not take up its work ({type(error).__name__}: {text})."
    return (
        f"The scheduler at {scheduler} went away ({type(error).__name__}): start it again, and "
        f"give the same command again ({kept})."
    )
