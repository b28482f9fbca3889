"""Commands on processes that torchrun starts; as a script, one of them is to come to grief.

torchrun … on_ranks.py RANK most_bytes N run digits …   # no file may get larger: a full disk
    torchrun … on_ranks.py RANK no_room N run digits …      # so too, and any samples are large
torchrun … on_ranks.py RANK dies_at N run digits …      # SIGKILL at the n-th step of a sorting
"""

import atexit
import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__)
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node"]


def torchrun(n, *words, **options):
    """Start so many ranks; their output is text."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen([*TORCHRUN, str(n), *map(str, words)], env=environment,
                            **pipes, **options)  # fmt: skip


def ended(process):
    """Return exit code, standard output and standard error of ranks, when they have ended."""
    said, errors = process.communicate(timeout=300)
    return process.returncode, said, errors


def with_trouble(n, rank, trouble, at, *words, **options):
    """Carry out a command on so many ranks, one in trouble; return as `ended`."""
    return ended(torchrun(n, SCRIPT, rank, trouble, at, *words, **options))


def _most_bytes(n):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n, n))


def _no_room(n):
    from ae_cluster.datasets import room

    room.MOST_IN_MEMORY = 0
    _most_bytes(n)


def _dies_at(n):
    from ae_cluster.training import minibatch

    descend, n_left = minibatch.descend, n

    def descend_or_die(*args):
        nonlocal n_left
        n_left -= 1
        if n_left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return descend(*args)

    minibatch.descend = descend_or_die


def _apart(_):
    from ae_cluster.common import mapped_files

    mapped_files._identity = lambda _: "of another machine"


def _apart_without_data(_):
    _apart(_)
    _no_shards(_)


def _no_shards(_):
    from ae_cluster.common.errors import InputError
    from ae_cluster.datasets import shards

    def absent(folder):
        raise InputError(f"there is no {folder}")

    shards.shards_in = absent


def small_memory(n):
    """Let arrays of more bytes be large; tell at the end what was sent and read, and the memory."""
    from ae_cluster.datasets import room, shards
    from ae_cluster.datasets.arrow_files import ParquetTable
    from ae_cluster.training.ranks import Ranks

    room.MOST_IN_MEMORY = n
    send, add, sizes, memory, read = Ranks._send, Ranks.sum, [0], [], []
    mapped, batches = shards._mapped, ParquetTable._batches

    def sent(ranks, tensor):
        sizes.append(tensor.nbytes)
        send(ranks, tensor)

    def summed(ranks, tensor):
        memory.append(_anonymous_mb())
        return add(ranks, tensor)

    def of_rows(table, names):
        read.append(table.path.name)
        return batches(table, names)

    def of_array(path):
        read.append(path.name)
        return mapped(path)

    def tell():
        told = {"rank": int(os.environ["RANK"]), "sizes": sorted(set(sizes)),
                "memory": [memory[0], max(memory)], "read": read}  # fmt: skip
        os.write(2, f"\ntold {json.dumps(told)}\n".encode())  # at once: ranks end together

    Ranks._send, Ranks.sum = sent, summed
    shards._mapped, ParquetTable._batches = of_array, of_rows
    atexit.register(tell)


def told_by_ranks(errors):
    """Return what each rank told, from all that they said."""
    lines = [line for line in errors.splitlines() if line.startswith("told ")]
    told = [json.loads(line.removeprefix("told ")) for line in lines]
    return {of.pop("rank"): of for of in told}


def _anonymous_mb():
    said = Path("/proc/self/status").read_text()
    return int(said.split("RssAnon:")[1].split()[0]) / 1024


TROUBLES = {"most_bytes": _most_bytes, "no_room": _no_room, "dies_at": _dies_at, "apart": _apart,
            "no_shards": _no_shards, "apart_without_data": _apart_without_data}  # fmt: skip

if __name__ == "__main__":
    from ae_cluster.cli.main import main

    words = sys.argv[1:]
    if words[0] == "small_memory":
        small_memory(int(words[1]))
        words = words[2:]
    rank, trouble, at, *words = words
    if os.environ["RANK"] == rank:
        TROUBLES[trouble](int(at))
    sys.exit(main(words))
