"""A sheet of the samples most worth labelling, and the answers back."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ae_cluster.classifying import file_order
from ae_cluster.config import read_config
from ae_cluster.datasets import Dataset, load_dataset
from ae_cluster.errors import InputError
from ae_cluster.few_labels.label_files import read_answers, refuse_existing_table, write_labels
from ae_cluster.few_labels.suggesting import suggest_labels
from ae_cluster.files import make_folder
from ae_cluster.run_folder import method_names, read_codes
from ae_cluster.spreadsheets import original_cell

FOLDER = "labels"  # in the run folder
SHEET, QUESTIONS, ANSWERS = "sheet", "to_label.csv", "labels.csv"


class Sheet(NamedTuple):
    """What was written for somebody to label.

    Attributes
    ----------
    ids : ndarray of str (n,)
        The samples, those to be labelled first in front.
    questions : Path
        The CSV whose column label is to be filled in; number is that of the picture.
    picture : Path or None
        Their images; None where the samples are no images or are not there any more.
    """

    ids: NDArray[np.str_]
    questions: Path
    picture: Path | None


def write_sheet(run: Path, n: int, *, data_home: Path | None = None, force: bool = False) -> Sheet:
    """Choose ``n`` train samples of a run to label, and write their images and an empty table.

    Samples that have an answer already (`take_answers`) are not asked for again.

    Raises
    ------
    InputError
        When the run has no codes, or a table to be filled in is there and ``force`` is off.
    """
    config = read_config(run / "config.json")
    arrays = _arrays(run)
    ids, codes = arrays["ids_train"], arrays["codes_train"]
    answered = np.flatnonzero(np.isin(ids, list(_earlier(run))))
    chosen = suggest_labels(codes, n, labelled=answered)
    folder = run / FOLDER
    questions = folder / QUESTIONS
    make_folder(folder)
    refuse_existing_table(questions, force)
    write_labels(questions, ids[chosen].tolist(), [""] * n, numbered=True)
    data = _data(config["arguments"], config["fingerprint"], data_home)
    picture = None
    if data is not None and data.image_shape is not None:
        picture = _draw(data.raw_train[chosen], data.image_shape, ids[chosen], folder)
    return Sheet(ids[chosen], questions, picture)


def take_answers(run: Path, answers: Path) -> tuple[Path, int]:
    """Add the labels in a filled-in table to the run's; return their file and how many there are.

    Raises
    ------
    InputError
        As `ae_cluster.few_labels.label_files.read_answers`.
    """
    config = read_config(run / "config.json")
    arrays = _arrays(run)
    ids = np.concatenate([arrays["ids_train"], arrays["ids_test"]])
    ids = ids[file_order(ids)]
    names = config["data"]["class_names"]
    labels = read_answers(answers, ids, names, _earlier(run))
    path = run / FOLDER / ANSWERS
    make_folder(path.parent)
    write_labels(path, list(labels), list(labels.values()))
    return path, len(labels)


def _earlier(run: Path) -> dict[str, str]:
    path = run / FOLDER / ANSWERS
    if not path.exists():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        return {original_cell(row["id"]): original_cell(row["label"]) for row in rows}


def _arrays(run: Path) -> dict[str, NDArray[Any]]:
    return read_codes(run, method_names(run)[0])


def _data(arguments: dict[str, object], fingerprint: str, home: Path | None) -> Dataset | None:
    """Return the data set of a run, None where it is gone or another now."""
    shape = arguments.get("image_shape")
    try:
        data = load_dataset(
            str(arguments["dataset"]),
            data_home=home,
            download=False,
            test_size=float(str(arguments.get("test_size", 0.2))),
            seed=int(str(arguments.get("split_seed", 0))),
            image_shape=tuple(shape) if isinstance(shape, list) else None,
        )
    except InputError:
        return None
    return data if data.fingerprint == fingerprint else None


def _draw(
    rows: NDArray[np.generic], shape: tuple[int, ...], ids: NDArray[np.str_], folder: Path
) -> Path:
    from ae_cluster.figures import plot_label_sheet, save_figure

    return save_figure(plot_label_sheet(rows, shape, ids.tolist(), QUESTIONS), folder, SHEET)[0]
