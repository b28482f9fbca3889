"""A command on several ranks: the first carries it out, all train."""

from __future__ import annotations

import warnings
from collections.abc import Callable

from ae_cluster.common.terminal import say_error
from ae_cluster.training.ranks import LostRankError, joined


def on_ranks(work: Callable[[], int]) -> int:
    """Do work on rank 0 and help it train on the others; return the exit code."""
    with joined() as ranks:
        if ranks.rank == 0:
            return work()
        warnings.simplefilter("ignore")  # rank 0 has the same to say
        try:
            ranks.serve()
        except LostRankError as error:
            if ranks.rank == 1:  # should rank 0 be the lost one, somebody must tell
                said = str(error).rstrip(".")
                say_error(f"ae-cluster: {said}; the same command with --resume goes on.")
            return 1
        except KeyboardInterrupt:  # rank 0 has heard it too
            return 130
    return 0
