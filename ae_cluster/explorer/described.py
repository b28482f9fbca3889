"""Columns of a user's table that describe the samples: categories, text, numbers left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ae_cluster.common.files import expanded
from ae_cluster.datasets import Dataset
from ae_cluster.datasets.other_columns import read_other_columns
from ae_cluster.explorer.encoding import Array, packed, packed_ids
from ae_cluster.explorer.images import MOST_TABLE_VALUES, cloud_rows
from ae_cluster.explorer.run_arrays import Run
from ae_cluster.explorer.samples import Cloud

MOST_CATEGORIES = 50  # with a box to tick each; a column of more is text to search
MOST_LETTERS = 3_000_000  # of the columns of text in a page
Tree = dict[str, Any]


def described_columns(run: Run, data: Dataset | None, clouds: Sequence[Cloud]) -> list[Tree]:
    """Return each column that is no number of a sample, with its values in every cloud.

    Returns
    -------
    list of dict
        ``name``; ``kind``, which is "category", "text" or "number"; and ``values`` of every cloud:
        numbers, −1 or the place of one of ``names``, or a list of text.
    """
    if data is None or not data.is_table or sum(map(len, clouds)) > MOST_TABLE_VALUES:
        return []
    found = [_categorical(name, data, clouds) for name in _categories_of(data)]
    path = expanded(str(run.config["arguments"].get("dataset", "")))
    letters = 0
    for name, (train, test) in read_other_columns(path, data).items():
        column = _column(name, train, test, clouds)
        if column["kind"] == "text":
            letters += sum(len(text) for texts in column["values"] for text in texts)
            if letters > MOST_LETTERS:
                continue
        found.append(column)
    return found


def _categories_of(data: Dataset) -> dict[str, tuple[str, ...]]:
    return {} if data.preparation is None else dict(data.preparation.categories)


def _categorical(name: str, data: Dataset, clouds: Sequence[Cloud]) -> Tree:
    """Return a column that was made into columns of 0 and 1, as the categories it had."""
    names = _categories_of(data)[name]
    places = [data.column_names.index(f"{name}={category}") for category in names]
    values = []
    for cloud in clouds:
        ones = cloud_rows(data, cloud)[:, places]
        values.append(packed_ids(np.where(ones.max(axis=1) > 0, ones.argmax(axis=1), -1)))
    return {"name": name, "kind": "category", "names": list(names), "values": values}


def _column(name: str, train: Array, test: Array, clouds: Sequence[Cloud]) -> Tree:
    shown = [cloud.of({"c_train": train, "c_test": test}, "c") for cloud in clouds]
    if train.dtype.kind == "f":
        return {"name": name, "kind": "number", "values": [packed(v, "f4") for v in shown]}
    names = np.setdiff1d(np.unique(np.concatenate(shown)), [""])
    if len(names) > MOST_CATEGORIES:
        return {"name": name, "kind": "text", "values": [v.tolist() for v in shown]}
    ids = [np.where(v == "", -1, np.searchsorted(names, v)) for v in shown]
    return {
        "name": name,
        "kind": "category",
        "names": [str(category) for category in names],
        "values": [packed_ids(place) for place in ids],
    }
