"""A folder of shards to the clusters of a run, each shard by a worker of a dask cluster."""

from __future__ import annotations

import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq
from joblib import cpu_count
from numpy.typing import NDArray

from ae_cluster.common.bounded_files import reason
from ae_cluster.common.errors import InputError
from ae_cluster.common.files import expanded, folder_written_beside
from ae_cluster.common.global_state import default_state
from ae_cluster.common.own_files import files_in
from ae_cluster.common.progress import progress_bar
from ae_cluster.common.workers import Here, here, results_on, take_place, this_worker
from ae_cluster.datasets.shards import is_sharded, shards_in, sizes_of_shards
from ae_cluster.datasets.streaming import refuse_repeated_ids
from ae_cluster.runs.assign import Counts, Summary, stream_of, summary_of, write_table
from ae_cluster.runs.assigned_tables import is_ours
from ae_cluster.runs.assigner import Assigner

ENDING = ".parquet"


class Shard(NamedTuple):
    """One shard of a folder of data, and where its table goes."""

    run: Path
    method: str
    path: Path
    first: int  # how many rows stand before its own
    out: Path


@default_state()
def assign_shards(
    run: Path,
    data: str,
    out: Path,
    *,
    scheduler: str,
    method: str | None = None,
    force: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> Summary:
    """Write for each shard of a folder a table with the cluster of every sample.

    Parameters
    ----------
    run, method, say
        As in `ae_cluster.runs.assign.assign_file`.
    data : str
        A folder of ``.parquet`` or ``.npy`` files.
    out : Path
        A folder, with a ``.parquet`` named as each shard; rows are those that `assign_file`
        gives of the whole folder.
    scheduler : str
        Address of a dask scheduler, or "local": a process here for each core.
    force : bool
        Replace such tables; files of others stay.

    Raises
    ------
    InputError
        Also where workers cannot do it; then nothing is written.
    """
    folder = expanded(data).absolute()
    if not is_sharded(folder):
        raise InputError(
            f"--scheduler is for a folder of shards (.parquet or .npy), and {data} is none: leave "
            "the option out, or cut the file into shards."
        )
    if out.suffix.lower() in (ENDING, ".csv"):
        raise InputError(
            f"--out {out.name} must be a folder with --scheduler, of a table for each shard: name "
            f"it {out.stem}, say."
        )
    run = run.absolute()
    assigner = Assigner(run, method)
    for note in assigner.notes:
        say(note)
    stream_of(assigner, str(folder))  # what is wrong with any shard's columns is said at once
    start = time.perf_counter()
    with folder_written_beside(out, force, _ours) as beside:
        sizes = sizes_of_shards(folder)
        firsts = accumulate(sizes, initial=0)
        shards = [
            Shard(run, assigner.method, path, first, beside / f"{path.stem}{ENDING}")
            for path, first, size in zip(shards_in(folder), firsts, sizes, strict=False)
            if size
        ]
        if not shards:
            raise InputError(f"{data}: its shards hold no samples; give some with at least one.")
        counts = _assigned(shards, scheduler, say)
        _check_ids(assigner, folder, shards)
    return summary_of(assigner, out, counts, start)


def _ours(out: Path) -> list[str]:
    """Return the tables in a folder that are of this package."""
    return [name for name in files_in(out) if name.endswith(ENDING) and is_ours(out / name)]


def _assigned(shards: list[Shard], scheduler: str, say: Callable[[str], None]) -> Counts:
    n_rows = n_outliers = 0
    clusters: Counter[int] = Counter()
    said: set[str] = set()
    work = partial(_assign, asked=here(shards[0].run, shards[0].path.parent, shards[0].out.parent))
    kept = "nothing was written, and it begins anew"
    with progress_bar(len(shards), "assigning", "shard") as bar:
        for found, notes in results_on(scheduler, work, shards, cpu_count(), kept):
            n_rows, n_outliers = n_rows + found.n_rows, n_outliers + found.n_outliers
            clusters += found.clusters
            for note in notes:
                if note not in said:
                    say(note)
            said.update(notes)
            bar.set_postfix_str(f"{n_rows:,} rows", refresh=False)
            bar.update(1)
    return Counts(n_rows, n_outliers, clusters)


def _assign(shard: Shard, asked: Here) -> tuple[Counts, list[str]]:
    """Write the table of one shard, on a worker; return what is in it and what it warned of."""
    take_place(asked)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            assigner = Assigner(shard.run, shard.method)
            stream = stream_of(assigner, str(shard.path), first=shard.first)
            counts = write_table(assigner, stream, str(shard.path), shard.out, 1)
        except OSError as error:
            raise InputError(
                f"{this_worker()} cannot assign {shard.path} to {shard.out} ({reason(error)}): "
                "look whether it reads the one and writes the other."
            ) from error
    ours = [w for w in caught if issubclass(w.category, UserWarning)]
    return counts, [str(warning.message) for warning in ours]


def _check_ids(assigner: Assigner, folder: Path, shards: list[Shard]) -> None:
    """Refuse shards that give one id to two samples."""
    if assigner.preparation is not None and assigner.preparation.id_column is not None:
        refuse_repeated_ids(folder, _ids(shards))


def _ids(shards: list[Shard]) -> Iterator[NDArray[Any]]:
    for shard in shards:
        for batch in pq.ParquetFile(shard.out).iter_batches(columns=["id"]):
            yield batch.column(0).to_numpy(zero_copy_only=False)
