"""A sheet of the samples most worth labelling, and the answers back."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ae_cluster.common.errors import InputError
from ae_cluster.common.files import make_folder
from ae_cluster.common.global_state import default_state
from ae_cluster.common.own_files import told
from ae_cluster.datasets.dataset import file_order
from ae_cluster.records.reading import load_samples, method_names, read_codes, read_run_config
from ae_cluster.runs.run_folder import LABELS as FOLDER
from ae_cluster.runs.usable_codes import codes_to_learn_from
from ae_cluster.semi_supervised.active_learning import suggest_labels
from ae_cluster.semi_supervised.label_files import (
    read_answers,
    read_pairs,
    refuse_existing_table,
    write_labels,
)

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


@default_state()
def write_sheet(run: Path, n: int, *, data_home: Path | None = None, force: bool = False) -> Sheet:
    """Choose ``n`` train samples of a run to label, and write their images and an empty table.

    Samples that have an answer already (`take_answers`) are not asked for again.

    Raises
    ------
    InputError
        When the run has no codes or they have collapsed, or a table to be filled in is there
        and ``force`` is off.
    """
    config = read_run_config(run)
    arrays = codes_to_learn_from(run)
    ids, codes = arrays["ids_train"], arrays["codes_train"]
    answered = np.flatnonzero(np.isin(ids, list(_earlier(run))))
    chosen = suggest_labels(codes, n, labelled=answered)
    folder = run / FOLDER
    questions = folder / QUESTIONS
    make_folder(folder)
    _refuse_loss(run, force)
    write_labels(questions, ids[chosen].tolist(), [""] * n, numbered=True)
    sizes = [len(ids), len(arrays["ids_test"])]
    data, _ = load_samples(config, sizes, data_home)
    picture = None
    shown = None if data is None else data.shown
    if shown is not None and shown.image_shape is not None:
        picture = _draw(shown.raw_train[chosen], shown.image_shape, ids[chosen], folder)
    return Sheet(ids[chosen], questions, picture)


def take_answers(run: Path, answers: Path) -> tuple[Path, int]:
    """Add the labels in a filled-in table to the run's; return their file and how many there are.

    Raises
    ------
    InputError
        As `ae_cluster.semi_supervised.label_files.read_answers`.
    """
    config = read_run_config(run)
    arrays = read_codes(run, method_names(run)[0])
    ids = np.concatenate([arrays["ids_train"], arrays["ids_test"]])
    ids = ids[file_order(ids)]
    names = config["data"].get("class_names") or ()
    labels = read_answers(answers, ids, names, _earlier(run))
    path = run / FOLDER / ANSWERS
    make_folder(path.parent)
    write_labels(path, list(labels), list(labels.values()))
    return path, len(labels)


def _refuse_loss(run: Path, force: bool) -> None:
    """Raise unless a new table replaces nothing but one that is read, and its picture."""
    folder = run / FOLDER
    questions = folder / QUESTIONS
    refuse_existing_table(questions, force, "number,id,label", "id,label")
    pictures = [f"{SHEET}{ending}" for ending in (".png", ".svg", ".txt")]
    others = [name for name in pictures if (folder / name).exists()]
    if others and not questions.exists():
        raise InputError(f"{folder} holds {told(others)} but no {QUESTIONS}; move that away.")
    earlier, given = _earlier(run), _labels_in(questions)
    answered = [name for name, label in given.items() if label not in ("", earlier.get(name))]
    if answered:
        raise InputError(
            f"{questions} holds labels that were not read yet (of {told(answered)}); read them "
            f"first, with --answers {questions}, or move it away."
        )


def _earlier(run: Path) -> dict[str, str]:
    return _labels_in(run / FOLDER / ANSWERS)


def _labels_in(path: Path) -> dict[str, str]:
    return read_pairs(path) if path.exists() else {}


def _draw(
    rows: NDArray[np.generic], shape: tuple[int, ...], ids: NDArray[np.str_], folder: Path
) -> Path:
    from ae_cluster.figures import plot_label_sheet, save_figure

    return save_figure(plot_label_sheet(rows, shape, ids.tolist(), QUESTIONS), folder, SHEET)[0]
