"""Several processes that train one network, as ``torchrun`` starts them; each is a rank.

Rank 0 does all the work of a command. The others wait until it announces a training, and then
make every step with it: all draw the same batches, each computes the gradient of its part of
one, and the weighted mean of these, which is the gradient of the batch, moves the same weights
everywhere. What decides how training goes on (early stopping, a schedule, a checkpoint) is
asked on rank 0 alone, which tells the others after each epoch.
"""

from __future__ import annotations

import os
import signal
import warnings
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray
from torch import Tensor

from ae_cluster.common.chunks import slices
from ae_cluster.common.errors import InputError
from ae_cluster.common.mapped_files import Place, array_at, is_at, is_mapped, place_of
from ae_cluster.training.loop import Callback, DivergedError, Progress
from ae_cluster.training.optimizer import Adam

_WAIT = timedelta(days=7)  # for rank 0, which may cluster and draw for hours between trainings
_PART = 2**26  # numbers sent at once
_GOES_ON, _STOPS = 1.0, 0.0
_SEES, _READS, _HAS_NOT = range(3)  # how a rank has what lies in a file of rank 0

Source = tuple[Callable[..., NDArray[Any]], tuple[Any, ...]]
Room = Callable[[tuple[int, ...], str], NDArray[Any]]

_joined: list[Ranks] = []  # one at most


class LostRankError(InputError):
    """The job has ended, since one of its processes has."""


class _LostError(BaseException):
    """Another rank is gone: nothing here may take it for a failure of its own, and go on."""


class _AskedToEndError(_LostError):
    """SIGTERM: ``torchrun`` sends it to all when a rank has died."""


class Ranks:
    """One process among those that train together.

    Attributes
    ----------
    rank, n : int
        Its number, and how many there are.
    is_midway : bool
        The others are in the midst of an epoch, or lost: they cannot be told anything.
    room : callable
        Takes shape and type and gives an array its place: in a file if it is large.
    """

    def __init__(self, rank: int, n: int, room: Room = np.empty) -> None:
        self.rank, self.n, self.is_midway, self.room = rank, n, False, room
        self._last: Callable[[], object] = lambda: None  # rows that all hold
        self._is_apart = False  # a rank does not see the files of rank 0
        self._source: tuple[NDArray[Any], Source] | None = None
        self._read: tuple[Source, NDArray[Any]] | None = None

    # One training

    @contextmanager
    def training(
        self, optimizer: Adam, generator: torch.Generator, progress: Progress
    ) -> Iterator[None]:
        """Begin a training on all ranks where it stands on rank 0, and go through it in step."""
        state = generator.get_state()
        for tensor in (optimizer.parameter.data, optimizer.mean, optimizer.mean_square):
            self._send(tensor)
        self._send(optimizer.n_steps)
        self._send(state)
        generator.set_state(state)
        told = [(optimizer.learning_rate, progress.epoch, progress.step, progress.stop)]
        with self._others_told():
            dist.broadcast_object_list(told, src=0)
        optimizer.learning_rate, progress.epoch, progress.step, progress.stop = told[0]
        with self.together(DivergedError):  # every rank has seen the same loss
            yield

    @contextmanager
    def together(self, *errors: type[Exception]) -> Iterator[None]:
        """Do what the others do too; only after these errors, which all meet, they wait again."""
        self.is_midway = True
        try:
            yield
        except errors:
            self.is_midway = False
            raise
        self.is_midway = False

    def in_step(self, optimizer: Adam, callbacks: Sequence[Callback]) -> Callback:
        """Return what calls callbacks on rank 0, and tells the other ranks what came of them."""
        return _Lead(self, optimizer, callbacks) if self.rank == 0 else _Follow(self, optimizer)

    def sum(self, tensor: Tensor) -> Tensor:
        """Put the sum over all ranks into each one's tensor, and return it."""
        with self._others_told():
            dist.all_reduce(tensor)
        return tensor

    def total(self, own: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the sum over all ranks of arrays of one shape."""
        found: NDArray[np.float64] = self.sum(torch.tensor(own)).numpy()
        return found

    def say(self, goes_on: bool, learning_rate: float) -> tuple[bool, float]:
        """Return what rank 0 says of the next epoch."""
        word = torch.tensor([_GOES_ON if goes_on else _STOPS, learning_rate], dtype=torch.float64)
        self._send(word)
        return bool(word[0] == _GOES_ON), word[1].item()

    # Many trainings

    def can_read(
        self, rows: NDArray[Any], read: Callable[..., NDArray[Any]], *arguments: object
    ) -> None:
        """Say that other ranks have the same rows by ``read(*arguments)``, of a module."""
        self._source = rows, (read, arguments)

    def announce(
        self,
        follow: Callable[..., object],
        arguments: tuple[Any, ...],
        rows: Tensor | NDArray[Any],
    ) -> None:
        """Let the other ranks call ``follow(*arguments, rows)``, a function of a module.

        Large rows lie in a file, and are sent only where a rank neither sees it nor can read them
        itself; those that were announced last are not sent again: nobody may have changed them.
        """
        if self.is_midway:  # they wait for what a failure has ended here
            raise _LostError(f"Rank {self.rank} of {self.n} has left the others in their work")
        tensor, is_new = torch.as_tensor(rows), self._last() is not rows
        source = self._source_of(tensor)
        in_file = None
        if is_new and (source or not self._is_apart):
            in_file = self._in_file(tensor.numpy())
        place = None if in_file is None else place_of(in_file)
        kind = (tuple(tensor.shape), _name_of(tensor), place, source) if is_new else None
        with self._others_told():
            dist.broadcast_object_list([(follow, arguments, kind)], src=0)
        if is_new and not (place and self._all_have(_SEES)):
            self._send(tensor)
        self._last = weakref.ref(rows)

    def each(self, work: Callable[..., object], *arguments: object) -> list[str]:
        """Let each rank call ``work(rank, n, *arguments)``, a function of a module; on rank 0.

        Returns
        -------
        list of str
            What went wrong on each rank; "" where nothing did.
        """
        self.announce(_work, (work, arguments), np.empty(0))
        with self.together():
            return self._worked(work, arguments)

    def _worked(self, work: Callable[..., object], arguments: tuple[Any, ...]) -> list[str]:
        trouble = ""
        try:
            work(self.rank, self.n, *arguments)
        except Exception as error:  # whatever it is, rank 0 must hear of it
            trouble = f"{type(error).__name__}: {error}"
        found: list[Any] = [""] * self.n
        with self._others_told():
            dist.gather_object(trouble, found if self.rank == 0 else None)
        return found

    def serve(self) -> None:
        """Do what rank 0 announces until it has no more work."""
        rows = torch.empty(0)
        while True:
            told: list[Any] = [None]
            with self._others_told():
                dist.broadcast_object_list(told, src=0)
            if told[0] is None:
                return
            follow, arguments, kind = told[0]
            if kind is not None:
                del rows  # before there are others
                rows = self._received(*kind)
            follow(*arguments, rows)

    def _in_file(self, array: NDArray[Any]) -> NDArray[Any] | None:
        """Return a large array as it lies in a file, copied there if need be; None of a small."""
        if is_mapped(array):
            return array
        found = self.room(array.shape, str(array.dtype))
        if not is_mapped(found):
            return None
        found[:] = array
        return found

    def _source_of(self, tensor: Tensor) -> Source | None:
        if self._source is None or self._source[0].ctypes.data != tensor.data_ptr():
            return None
        return self._source[1]

    def _received(
        self, shape: tuple[int, ...], dtype: str, place: Place | None, source: Source | None
    ) -> Tensor:
        """Return rows from the file that rank 0 has, as this rank reads them, or as sent."""
        if place:
            found, how = array_at(place, dtype, shape), _SEES
            if found is None and source:
                found, how = self._read_alone(source), _READS
                if (found.shape, str(found.dtype)) != (shape, dtype) or not is_at(place, found):
                    found = None
            if self._all_have(_HAS_NOT if found is None else how):
                assert found is not None
                return _read_only(found)
        rows = torch.from_numpy(self.room(shape, dtype))
        self._send(rows)
        return rows

    def _read_alone(self, source: Source) -> NDArray[Any]:
        """Return rows by their source, no rows where there are none."""
        if self._read is None or self._read[0] != source:
            read, arguments = source
            try:
                self._read = source, read(*arguments)
            except (InputError, OSError):  # rank 0 says that the data are not seen
                return np.empty(0)
        return self._read[1]

    def _all_have(self, how: int) -> bool:
        """Return whether all ranks have what is in a file; rank 0 says so where one has not."""
        ways = torch.zeros(self.n)
        ways[self.rank] = how
        found = self.sum(ways).tolist()
        self._is_apart = self._is_apart or any(way != _SEES for way in found)
        if _HAS_NOT in found and self.rank == 0:
            warnings.warn(
                f"Rank {found.index(_HAS_NOT)} of {self.n} sees neither the files of rank 0, as on "
                "another machine, nor the same data by their path: samples are sent, for which "
                "each rank needs room on its disk; a disk that all ranks see spares that.",
                stacklevel=3,
            )
        return _HAS_NOT not in found

    def release(self) -> None:
        """Let the other ranks end, where they can be told."""
        if self.rank == 0 and not self.is_midway:
            with suppress(_LostError), self._others_told():
                dist.broadcast_object_list([None], src=0)

    def _send(self, tensor: Tensor) -> None:
        """Give all ranks what a tensor holds on rank 0."""
        flat = tensor.view(-1)
        with self._others_told():
            for part in slices(len(flat), _PART):
                dist.broadcast(flat[part], src=0)

    @contextmanager
    def _others_told(self) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:  # of gloo or nccl: the socket to another rank is closed
            self.is_midway = True
            raise _LostError(
                f"Rank {self.rank} of {self.n} has lost another rank, whose process has ended"
            ) from error


class _Lead(Callback):
    def __init__(self, ranks: Ranks, optimizer: Adam, callbacks: Sequence[Callback]) -> None:
        self.ranks, self.optimizer, self.callbacks = ranks, optimizer, callbacks

    def on_step(self, progress: Progress) -> None:
        for callback in self.callbacks:
            callback.on_step(progress)

    def on_epoch(self, progress: Progress) -> None:
        self.ranks.is_midway = False  # the others wait for a word
        try:
            for callback in self.callbacks:
                callback.on_epoch(progress)
        except BaseException:
            self.ranks.say(False, self.optimizer.learning_rate)
            raise
        self.ranks.say(not progress.stop, self.optimizer.learning_rate)
        self.ranks.is_midway = True


class _Follow(Callback):
    def __init__(self, ranks: Ranks, optimizer: Adam) -> None:
        self.ranks, self.optimizer = ranks, optimizer

    def on_epoch(self, progress: Progress) -> None:
        goes_on, self.optimizer.learning_rate = self.ranks.say(True, 0.0)
        progress.stop = not goes_on


def _work(work: Callable[..., object], arguments: tuple[Any, ...], _: Tensor) -> None:
    ranks = here()
    assert ranks is not None
    ranks._worked(work, arguments)


def _read_only(array: NDArray[Any]) -> Tensor:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")
        return torch.from_numpy(array)


def _name_of(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")  # as of NumPy


def here() -> Ranks | None:
    """Return this process among others, None where it trains alone."""
    return _joined[0] if _joined else None


@contextmanager
def joined(room: Room = np.empty) -> Iterator[Ranks]:
    """Be one of the processes that the environment variables of ``torchrun`` tell of."""
    rank, n, local = (int(os.environ[name]) for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"))
    has_gpu = torch.cuda.is_available()
    if has_gpu and local < torch.cuda.device_count():
        torch.cuda.set_device(local)
    dist.init_process_group("cpu:gloo,cuda:nccl" if has_gpu else "gloo", timeout=_WAIT)
    ranks = Ranks(rank, n, room)
    _joined.append(ranks)
    before = signal.signal(signal.SIGTERM, _ask_to_end)
    try:
        yield ranks
    except _LostError as error:
        raise LostRankError(f"{error}; the same command with --resume goes on.") from None
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it is ending
        ranks.release()
        if not ranks.is_midway:  # else it might wait for those that are lost
            dist.destroy_process_group()
        _joined.clear()
        signal.signal(signal.SIGTERM, before)


def _ask_to_end(*_: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once: what is written now is cleaned up
    raise _AskedToEndError("This job was asked to end, as it is when one of its ranks has died")
