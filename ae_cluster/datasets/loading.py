"""A name or a path in, a data set out."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from ae_cluster.common.errors import InputError, nearest
from ae_cluster.common.files import expanded
from ae_cluster.common.global_state import default_state
from ae_cluster.common.image_options import ImageOptions
from ae_cluster.common.scalars import plain
from ae_cluster.common.table_options import TableOptions
from ae_cluster.datasets.arrays import normal_image_shape, split_rows
from ae_cluster.datasets.dataset import Dataset
from ae_cluster.datasets.features import with_features
from ae_cluster.datasets.image_folders import load_folder
from ae_cluster.datasets.image_listing import is_folder
from ae_cluster.datasets.named import NAMES, load_named
from ae_cluster.datasets.shards import is_sharded
from ae_cluster.datasets.user_files import TEST_SIZE, load_file


def known_datasets() -> tuple[str, ...]:
    """Return the names `load_dataset` knows, the bundled one first."""
    return NAMES


@default_state()
def load_dataset(
    name_or_path: str | os.PathLike[str],
    *,
    data_home: str | os.PathLike[str] | None = None,
    download: bool = True,
    test_size: float = TEST_SIZE,
    seed: int = 0,
    image_shape: tuple[int, ...] | None = None,
    label_column: str | None = None,
    id_column: str | None = None,
    drop: Sequence[str] = (),
    categorical: Sequence[str] = (),
    impute: str | None = None,
    layer: str | None = None,
    image_size: tuple[int, int] | None = None,
    grey: bool = False,
    skip_unreadable: bool = False,
    features: str | os.PathLike[str] | None = None,
) -> Dataset:
    """Load a named data set, or a user's own file or folder, with its train and test split.

    Parameters
    ----------
    name_or_path : str or path
        One of `known_datasets` (upper or lower case, ``_`` or ``-``), a file, or a folder of
        pictures or of shards. A known name wins over a file of that name: write ``./mnist`` for
        the file.
    data_home : path, default=None
        Folder of the downloaded sets, in torchvision's layout. ``None``: the environment
        variable ``AE_CLUSTER_DATA``, else ``ae_cluster`` in the user's cache folder.
    download : bool, default=True
        Whether a named set that is absent may be downloaded; ``AE_CLUSTER_OFFLINE=1`` forbids
        it as well.
    test_size : float, default=0.2
        Share of a file's ``x`` held out for test, rounded up. Named sets, and files with
        ``x_train`` and ``x_test``, have their own split.
    seed : int, default=0
        Seed of that split, which is plainly random: labels steer nothing.
    image_shape : (h, w) or (h, w, channels), default=None
        Reads the columns of a table or of a 2-D array as the pixels of images.
    label_column, id_column : str, default=None
        The column of a table that holds labels (names, or whole numbers), and the one that tells
        samples apart. Without an id column a sample's id is the number of its row.
    drop : sequence of str, default=()
        Columns of a table to leave out.
    categorical : sequence of str, default=()
        Columns of a table that become one column of 0 and 1 for each category of the training
        samples. A cell that is empty, or of no such category, is all zero.
    impute : "median" or None, default=None
        What missing values of a table are filled by: the median of the column's training
        samples. ``None``: they are refused.
    layer : str, default=None
        The layer of a ``.h5ad`` to read in place of ``X``.
    image_size : (h, w), default=None
        What each picture of a folder is resized to. ``None``: they have one size already.
    grey : bool, default=False
        Leave out the colours of pictures in a folder; they are left out too where none has any.
    skip_unreadable : bool, default=False
        Leave out pictures that cannot be read, which are refused else.
    features : path, default=None
        A ``.npy``, ``.npz`` or ``.parquet`` with a row of numbers for each sample, for instance
        embeddings by another model. They become ``x``, a table, and the samples stay what figures
        and pages show (`Dataset.shown`). Rows are joined by ids: ``ids`` of a ``.npz``, the column
        ``id`` of a table, or its only one of text. Without ids there must be as many rows as
        samples, in the same order: the file's, or of a folder that of the names.

    Returns
    -------
    Dataset

    Raises
    ------
    InputError
        If the name is unknown, or the data are absent, corrupt or unusable.

    Notes
    -----
    A ``.csv``, ``.tsv``, ``.parquet`` or ``.feather`` is a table with names in its first line: a
    row per sample, numbers or truth values (0 and 1) in each column but those that are named
    above. What is not a number, missing or infinite is refused by the column's name.

    In a folder, pictures (PNG, JPEG, WebP, TIFF, BMP) lie in a folder per class; those that lie
    loose or in ``unlabelled/`` have no label, and ``train/`` and ``test/`` are the split where both
    are there. Ids are their names under the folder, in natural order. They become bytes: 16 bits
    are divided by 257, what is transparent lies over white, EXIF's orientation is applied, and
    of an animation the first frame counts. Hidden files and links that lead out of the folder are
    left out, which is said.

    Shards are the ``.parquet`` files of a folder, or its ``.npy`` files: parts of one table or of
    one array, in the natural order of their names.

    A ``.npy`` holds ``x`` alone. A ``.npz`` file holds ``x_train`` and ``x_test``, or ``x``:
    images (n, h, w) or (n, h, w, channels), as bytes (whole numbers 0 to 255 of another type are
    taken for them, with a warning) or as floats in [0, 1]; or a table of numbers (n, columns).
    Optional are labels, ``y_train`` and ``y_test``, or ``y``: whole numbers or text, read by
    the two rules of `common.labels` (-1, NaN, "" and "NA" are some of what is unknown, and
    1 and "1.0" are one class); and ids, ``ids_train`` and ``ids_test``, or ``ids``. Labels
    are renumbered from 0, and ``class_names`` keeps what stood in the file; ``columns``
    may hold the names of a table's columns. A warning names other arrays in the file; one whose
    name must be a slip (``labels``, ``y_tain``) is an error.

    Examples
    --------
    >>> data = load_dataset("digits")
    >>> data.x_train.shape, data.image_shape
    ((1347, 64), (8, 8))
    """
    text = os.fspath(name_or_path)
    name = text.lower().replace("_", "-")
    if name in NAMES:
        _say_what_is_not_used(name, test_size, data_home)
        data = load_named(name, data_home=data_home, download=download)
        _check_native_shape(data, image_shape)
    else:
        options = TableOptions.of(
            {
                "label_column": label_column, "id_column": id_column, "drop": drop,
                "categorical": categorical, "impute": impute, "layer": layer,
            }
        )  # fmt: skip
        images = ImageOptions.of(
            {"image_size": image_size, "grey": grey, "skip_unreadable": skip_unreadable}
        )
        data = _own(text, test_size, seed, image_shape, options, images)
    return data if features is None else with_features(data, expanded(os.fspath(features)))


def _own(
    text: str,
    test_size: float,
    seed: int,
    image_shape: tuple[int, ...] | None,
    options: TableOptions,
    images: ImageOptions,
) -> Dataset:
    """Return the data set in a file or a folder."""
    path = expanded(text)
    if not _looks_like_path(text, path):
        name = text.lower().replace("_", "-")
        raise InputError(
            f"there is no data set and no file called {text!r}: {nearest(name, NAMES)}"
        )
    sharded = is_sharded(path)
    if is_folder(path) and not sharded:
        said = [*options.said(), *(["--image-shape"] if image_shape is not None else [])]
        _refuse(path, said, "of files, and this is a folder of pictures (see --image-size)")
        split = partial(split_rows, test_size=plain(test_size), seed=plain(seed))
        return load_folder(path, split, images)
    this = "a folder of shards" if sharded else "a file"
    _refuse(path, images.said(), f"of folders of pictures, and this is {this}")
    return load_file(path, test_size=test_size, seed=seed, image_shape=image_shape, options=options)


def _refuse(path: Path, said: list[str], why: str) -> None:
    if said:
        raise InputError(f"{path}: {', '.join(said)} is {why}: leave it out.")


def _looks_like_path(text: str, path: Path) -> bool:
    if path.suffix or "/" in text or os.sep in text:
        return True
    try:
        return bool(text) and path.exists()
    except OSError:  # a name no file can have, or a folder that may not be looked into
        return False


def _say_what_is_not_used(
    name: str, test_size: float, data_home: str | os.PathLike[str] | None
) -> None:
    if test_size != TEST_SIZE:
        warnings.warn(
            f"The test size of {test_size} is not used: {name} has a test split of its own.",
            stacklevel=4,
        )
    if name == "digits" and data_home is not None:
        warnings.warn(
            f"The data folder {os.fspath(data_home)} is not used: digits come with scikit-learn.",
            stacklevel=4,
        )


def _check_native_shape(dataset: Dataset, image_shape: tuple[int, ...] | None) -> None:
    if image_shape is not None and normal_image_shape(image_shape) != dataset.image_shape:
        raise InputError(
            f"{dataset.name} has images of shape {dataset.image_shape}, not {tuple(image_shape)}: "
            "leave the image shape out for a named data set."
        )
