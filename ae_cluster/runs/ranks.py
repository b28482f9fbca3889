"""A command on several ranks: the first carries it out, all train and cluster."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from ae_cluster.common.errors import InputError
from ae_cluster.common.terminal import say_error
from ae_cluster.datasets import Dataset
from ae_cluster.datasets.reading_together import Readers, read_by
from ae_cluster.datasets.room import room_for
from ae_cluster.records.reading import load_data
from ae_cluster.training.ranks import LostRankError, here, joined


def on_ranks(work: Callable[[], int]) -> int:
    """Do work on rank 0 and help it on the others; return the exit code."""
    rank = int(os.environ["RANK"])
    try:
        with joined(partial(_room, rank)) as ranks:
            if rank == 0:
                with read_by(Readers(ranks.n, ranks.each)):
                    return work()
            warnings.simplefilter("ignore")  # rank 0 has the same to say
            ranks.serve()
    except LostRankError as error:
        if rank == 0:
            raise
        if rank == 1:  # should rank 0 be the lost one, somebody must tell
            say_error(f"ae-cluster: {error}")
        return 1
    except KeyboardInterrupt:
        if rank == 0:
            raise
        return 130  # rank 0 has heard it too
    return 0


def tell_how_to_read(
    arguments: dict[str, Any], data: Dataset, data_home: str | Path | None
) -> None:
    """Let ranks on other machines read the training samples of a run by themselves."""
    if (ranks := here()) is not None:
        told = arguments, data_home, data.fingerprint
        ranks.can_read(data.raw_train, _training_samples, *told)


def _training_samples(
    arguments: dict[str, Any], data_home: str | Path | None, fingerprint: str
) -> NDArray[Any]:
    data = load_data(arguments, data_home, download=False)
    if data.fingerprint != fingerprint:
        raise InputError(f"{data.name} has other samples here.")
    return data.raw_train


def _room(rank: int, shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
    """Return where the samples of a rank lie: on the disk where they are large."""
    try:
        return room_for(shape, dtype)
    except InputError as error:
        raise InputError(f"On rank {rank}, {error}") from error
