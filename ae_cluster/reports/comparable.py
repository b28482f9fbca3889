"""Rows fit to be compared: failed ones without a score, unlike ones refused."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from ae_cluster.common.errors import InputError, nearest
from ae_cluster.metrics.clustering import METRICS
from ae_cluster.records.rows import COLUMNS, TEXTS

GROUP = ("dataset", "split", "method", "features", "n_components", "n_clusters")

# They rise with the number of clusters even where these are random.
_NEVER_WITHOUT_K = tuple(metric.name for metric in METRICS if metric.needs_k)

# Columns that say what a row is; rows of one group and seed that differ here are not draws.
_IDENTITY = (*GROUP, "n_train", "epochs", "budget")


def comparable_rows(
    rows: pd.DataFrame, score: str = "accuracy", by: Sequence[str] = GROUP
) -> pd.DataFrame:
    """Return the rows that a summary or a figure compares, in an order of their own.

    Rows with a label budget are taken where ``by`` holds ``"budget"``, and only
    there. A failed row has no score (NaN), and where it names no split it stands
    on every split.

    Parameters
    ----------
    rows : DataFrame
        Tidy rows (`ae_cluster.records.rows.COLUMNS`), as made or as read from a CSV file.
    score : str
        The column that is compared.
    by : sequence of str
        Columns whose values make a group; dataset and split must be among them.

    Raises
    ------
    InputError
        For an unknown column, or when the rows of one group and seed differ in
        more than their draw: a mean over them would be one of unlike things.
    """
    _check_columns(rows, score, by)
    texts = {c: rows[c].astype("object").where(rows[c].notna(), "") for c in TEXTS if c in rows}
    rows = rows.assign(**texts).reindex(columns=list(COLUMNS))
    rows = _on_every_split(rows[rows["budget"].notna() == ("budget" in by)])
    _refuse_mixtures(rows[rows["status"] == "ok"], by)
    scores = pd.to_numeric(rows[score]).where(rows["status"] == "ok")
    return rows.assign(**{score: scores}).sort_values([*by, "seed", "draw"], ignore_index=True)


def _check_columns(rows: pd.DataFrame, score: str, by: Sequence[str]) -> None:
    for name in (score, *by):
        if name not in COLUMNS:
            raise InputError(f"Rows have no column {name}; {nearest(name, COLUMNS)}")
    if score in TEXTS:
        raise InputError(f"{score} is a text and no score; name a score, accuracy or nmi say.")
    for name in ("dataset", "split"):
        if name not in by:
            raise InputError(f"by lacks {name}, so that several would be averaged; add it.")
    if score in _NEVER_WITHOUT_K and "n_clusters" not in by:
        raise InputError(
            f"{score} means nothing without the number of clusters; add n_clusters to by."
        )
    for name in (score, *by, "seed", "draw", "budget", "status", "reason"):
        if name not in rows:
            raise InputError(f"The rows lack the column {name}; give rows as runs write them.")


def _on_every_split(rows: pd.DataFrame) -> pd.DataFrame:
    """Repeat failed rows without a split on every split: nothing was scored on any."""
    blank = (rows["split"] == "") & (rows["status"] != "ok")
    if not blank.any():
        return rows
    splits = sorted(set(rows.loc[rows["split"] != "", "split"])) or ["test"]
    repeated = [rows[blank].assign(split=split) for split in splits]
    return pd.concat([rows[~blank], *repeated], ignore_index=True)


def _refuse_mixtures(rows: pd.DataFrame, by: Sequence[str]) -> None:
    unit = [*by, "seed", "draw", "clusterer_seed"]
    twice = rows[rows.duplicated(unit, keep=False)]
    if twice.empty:
        return
    _, alike = next(iter(twice.groupby(unit, dropna=False)))
    first = alike.iloc[0]
    others = [c for c in _IDENTITY if c not in by and alike[c].nunique(dropna=False) > 1]
    way_out = f"add {' or '.join(others)} to by, or choose one" if others else "give each once"
    raise InputError(
        f"Seed {first['seed']:g} of {first['method']} on {first['features']} "
        f"({first['dataset']}, {first['split']}) has several rows; {way_out}."
    )
