"""Runs of several seeds to one line per data set and method: n, median, interval, paired test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from ae_cluster.common.errors import InputError, nearest
from ae_cluster.common.numbers import NOTHING
from ae_cluster.metrics.clustering import METRICS
from ae_cluster.records.config import RunConfig
from ae_cluster.records.rows import COLUMNS, TEXTS
from ae_cluster.reports.comparable import GROUP
from ae_cluster.reports.comparison import Run, described_config, test_rows
from ae_cluster.reports.statistics import summarize
from ae_cluster.reports.writing import to_text

# What runs of one data set may differ in and still be draws of the same: the rest must agree.
_FREE = {"dataset", "seed", "methods", "budgets", "draws"}
_OWN = {"run_id", "seconds", "peak_mb"}  # columns in which the same result, got twice, differs
_NEED_K = {metric.name for metric in METRICS if metric.needs_k}


HOW_TO_READ = """\
How to read it: held-out test scores; n: seeds that finished, of those that any method has;
median over these, with a bootstrap 95 % interval; to the best: median difference, on the same
seeds, to the best median of the same data; p: of Wilcoxon's signed-rank test, two-sided,
not corrected for the number of methods: with five seeds it is never below 0.06."""


def is_over_seeds(runs: Sequence[Run]) -> bool:
    """Return whether any data set was run with more than one seed."""
    return any(len(_seeds(of_one)) > 1 for of_one in _by_dataset(runs).values())


def seed_report(runs: Sequence[Run], score: str | None = None) -> str:
    """Return the medians over seeds as text."""
    return f"Medians over the seeds:\n{to_text(seed_summary(runs, score))}\n{HOW_TO_READ}"


def seed_summary(runs: Sequence[Run], score: str | None = None) -> pd.DataFrame:
    """Return `summarize` of the held-out rows of runs, each data set by itself.

    Parameters
    ----------
    runs : sequence of Run
        Every seed that one of them has is expected of all methods on its data set.
    score : str or None
        The column to summarise. None: accuracy where there are labels, else silhouette.

    Raises
    ------
    InputError
        When runs of one data set differ in more than their seed and methods, or for an
        unknown score.
    """
    groups = _by_dataset(runs)
    for name, of_one in groups.items():
        _refuse_unlike(name, of_one)
    scores = [name for name in COLUMNS if name not in TEXTS]
    if score is not None and score not in scores:
        raise InputError(f"There is no score {score!r}; {nearest(score, scores)}")
    summaries = [_of_dataset(of_one, score) for of_one in groups.values()]
    return pd.concat(summaries, ignore_index=True)


def _refuse_unlike(name: str, runs: Sequence[Run]) -> None:
    first, *others = runs
    for other in others:
        if differing := _differing(first, other):
            raise InputError(
                f"{first.folder} and {other.folder} are both of {name} and differ in "
                f"{differing}, so no median is taken over them; name only runs that agree."
            )


def _of_dataset(runs: Sequence[Run], score: str | None) -> pd.DataFrame:
    rows = pd.concat([test_rows(run) for run in runs], ignore_index=True)
    chosen = score or ("accuracy" if rows["accuracy"].notna().any() else "silhouette")
    rows = rows.drop_duplicates([name for name in COLUMNS if name not in _OWN])
    by = [name for name in GROUP if name != "n_clusters" or chosen in _NEED_K]
    return summarize(rows, chosen, by, seeds=_seeds(runs))


def _by_dataset(runs: Sequence[Run]) -> Mapping[str, list[Run]]:
    found: dict[str, list[Run]] = {}
    for run in runs:
        found.setdefault(str(run.config["data"].get("name")), []).append(run)
    return found


def _seeds(runs: Sequence[Run]) -> list[int]:
    return sorted({int(seed) for run in runs for seed in run.rows["seed"].dropna()})


def _differing(first: Run, other: Run) -> str:
    """Return in what the configurations of two runs differ that must agree, "" if in nothing."""
    one, two = _must_agree(first.config), _must_agree(other.config)
    names = [name for name in one | two if one.get(name) != two.get(name)]
    told = [f"{name} ({one.get(name, NOTHING)} and {two.get(name, NOTHING)})" for name in names]
    return ", ".join(told)


def _must_agree(config: dict[str, Any]) -> dict[str, str]:
    names = {"fingerprint of data", *RunConfig.__dataclass_fields__} - _FREE
    return {k: v for k, v in described_config(config).items() if k in names}
