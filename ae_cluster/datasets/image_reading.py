"""Many pictures → one array: decoded on every core, in order, a few at a time."""

from __future__ import annotations

import math
import warnings
from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from joblib import cpu_count

from ae_cluster.common.bounded_files import UnreadableError
from ae_cluster.common.chunks import slices
from ae_cluster.common.errors import InputError
from ae_cluster.common.image_options import ImageOptions, Size
from ae_cluster.common.memory import total_memory
from ae_cluster.common.progress import progress_bar
from ae_cluster.common.texts import quoted
from ae_cluster.datasets.dataset import Array
from ae_cluster.datasets.image_files import largest_of_sixteen_bits, read_image, size_said
from ae_cluster.datasets.room import room_for

MOST_PIXELS = 2**22  # of a picture that is not resized
MANY_NUMBERS = 2**16  # of one picture, beyond which training is slow
_BATCH_BYTES, _MOST_IN_BATCH = 2**22, 64  # of pictures that a thread decodes at a time
_LOOKED_AT = 200  # pictures whose headers are asked for the size to propose
_FEW_BITS = 2**14  # what a camera of 14 bits does not reach
_LONG_SIDE = 64  # of that size
_MOST_NAMED = 3
Read = tuple[str, "Array | UnreadableError"]
Unreadable = list[tuple[str, UnreadableError]]


class Images(NamedTuple):
    """Pictures that could be read.

    Attributes
    ----------
    pixels : ndarray of uint8 of shape (n, h, w) or (n, h, w, 3)
        Without colours where no picture has any.
    places : list of int
        Which of the names they are.
    unreadable : list of (str, UnreadableError)
        The others.
    """

    pixels: Array
    places: list[int]
    unreadable: Unreadable


def read_images(root: Path, names: Sequence[str], options: ImageOptions) -> Images:
    """Return all pictures as one array.

    Raises
    ------
    InputError
        When they have several sizes and none is said, do not fit into the memory, or none can be
        read.
    """
    pixels: _Pixels | None = None
    places: list[int] = []
    unreadable: Unreadable = []
    with (
        progress_bar(len(names), "reading pictures", "picture") as bar,
        closing(decoded(root, names, options)) as found,
    ):
        for place, (name, image) in enumerate(found):
            bar.update(1)
            if isinstance(image, UnreadableError):
                unreadable.append((name, image))
                continue
            if pixels is None:
                pixels = _Pixels(len(names), image, name)
            elif image.shape[:2] != pixels.size:
                raise _several_sizes(root, names, (pixels.first, pixels.size), (name, image.shape))
            pixels.add(image)
            places.append(place)
    if pixels is None:
        raise InputError(f"{told_unreadable(unreadable, len(names))}.")
    return Images(pixels.filled(), places, unreadable)


def decoded(root: Path, names: Sequence[str], options: ImageOptions) -> Generator[Read, None, None]:
    """Yield each picture, or why it cannot be read, in the order of the names.

    Raises
    ------
    InputError
        When a size is needed and none is said.
    """
    size = options.image_size or _first_size(root, names)
    read = partial(_read, root, options)
    n_workers = cpu_count()
    waiting: deque[Future[list[Read]]] = deque()
    with warnings.catch_warnings(), ThreadPoolExecutor(n_workers) as pool:
        warnings.simplefilter("ignore")  # Pillow's, on odd metadata
        try:
            n = max(1, min(_MOST_IN_BATCH, _BATCH_BYTES // (3 * math.prod(size))))
            for part in slices(len(names), n):
                waiting.append(pool.submit(read, names[part]))
                if len(waiting) > n_workers:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def _read(root: Path, options: ImageOptions, names: Sequence[str]) -> list[Read]:
    found: list[Read] = []
    for name in names:
        try:
            image = read_image(root / name, options.image_size, grey=options.grey)
        except UnreadableError as error:
            found.append((name, error))
        else:
            found.append((name, image))
    return found


def told_unreadable(unreadable: Unreadable, n: int) -> str:
    """Return how many pictures cannot be read, with the names of the first."""
    named = [f"{quoted(name)} ({error})" for name, error in unreadable[:_MOST_NAMED]]
    more = ["…"] if len(unreadable) > _MOST_NAMED else []
    return f"{len(unreadable):,} of {n:,} picture(s) cannot be read: {', '.join(named + more)}"


def told_of_few_bits(root: Path, names: Sequence[str], images: Images) -> list[str]:
    """Return a sentence on pictures whose 16 bits are hardly used, so that they are nearly black.

    A camera of 12 bits writes such: its 4,095 of 65,535 become 16 of 255.
    """
    brightest = int(images.pixels.max())
    if brightest > _FEW_BITS // 257:
        return []
    read = [names[place] for place in images.places]
    some = read[:: max(1, len(read) // _LOOKED_AT)]
    found = [largest_of_sixteen_bits(root / name) for name in some]
    largest = max((number for number in found if number is not None), default=0)
    if not largest:
        return []
    return [
        f"The pictures have 16 bits and hold numbers up to {largest:,} of 65,535, so they are "
        f"nearly black (at most {brightest} of 255): multiply their numbers by "
        f"{65535 // largest} before, or save them with 8 bits."
    ]


class _Pixels:
    """An array that grows as pictures are added, with colours from the first that has some."""

    def __init__(self, n: int, image: Array, name: str) -> None:
        self.first, self.size, self.done = name, image.shape[:2], 0
        self._array = _room(n, image.shape)

    def add(self, image: Array) -> None:
        if image.ndim > self._array.ndim - 1:
            grey = self._array
            self._array = _room(len(grey), (*self.size, 3))
            self._array[: self.done] = grey[: self.done, ..., None]
        is_grey = image.ndim < self._array.ndim - 1
        self._array[self.done] = image[..., None] if is_grey else image
        self.done += 1

    def filled(self) -> Array:
        return self._array[: self.done]


def _room(n: int, shape: tuple[int, ...]) -> Array:
    """Return an array for so many pictures, unless it takes more than half of the memory."""
    wanted = n * math.prod(shape)
    if wanted > total_memory() / 2:
        said = f"--image-size {proposed([(shape[0], shape[1])])}" if max(shape) > 64 else "--grey"
        raise InputError(
            f"{n:,} pictures of {_times(shape)} take {wanted / 2**30:.1f} GiB, more than half of "
            f"the memory: make them smaller, for instance with {said}."
        )
    return room_for((n, *shape), np.uint8)


# Sizes


def _first_size(root: Path, names: Sequence[str]) -> Size:
    """Return the size of the first picture that has one; refuse one that is to be resized."""
    found = ((name, size_said(root / name)) for name in names)
    name, size = next(((name, size) for name, size in found if size), ("", (1, 1)))
    if math.prod(size) > MOST_PIXELS:
        raise InputError(
            f"the picture {quoted(name)} has {_times(size)} pixels, too many to learn from: say a "
            f"smaller size for all, for instance --image-size {_proposed_for(root, names)}."
        )
    return size


def _several_sizes(
    root: Path,
    names: Sequence[str],
    one: tuple[str, tuple[int, ...]],
    other: tuple[str, tuple[int, ...]],
) -> InputError:
    told = " and ".join(f"{quoted(name)} has {_times(shape[:2])}" for name, shape in (one, other))
    return InputError(
        f"the pictures have several sizes: {told} pixels (height x width); say one size for all, "
        f"for instance --image-size {_proposed_for(root, names)}."
    )


def _proposed_for(root: Path, names: Sequence[str]) -> str:
    some = names[:: max(1, len(names) // _LOOKED_AT)]
    return proposed([size for size in (size_said(root / name) for name in some) if size])


def proposed(sizes: Sequence[Size]) -> str:
    """Return a small size of the usual proportions, as the command line takes it.

    >>> proposed([(480, 640), (3000, 4000), (600, 800)])
    '48x64'
    """
    height, width = np.median(np.array(sizes), axis=0)
    factor = min(1.0, _LONG_SIDE / max(height, width))
    return "x".join(str(max(8, 4 * round(side * factor / 4))) for side in (height, width))


def _times(shape: Sequence[int]) -> str:
    return " x ".join(f"{side:,}" for side in shape)
