"""What the seeds of each group reach, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ae_cluster.common.errors import InputError
from ae_cluster.metrics.clustering import METRICS
from ae_cluster.records.rows import TEXTS
from ae_cluster.reports.comparable import GROUP, comparable_rows
from ae_cluster.reports.literature import find_literature, literature_text

# Groups compete for the best where these agree: purity and NMI mean nothing across k, and the
# scores of clusters on their own codes nothing across codes.
CONTEST = ("dataset", "split", "n_clusters", "budget", "family")
OF_CODES = tuple(metric.name for metric in METRICS if not metric.compares_codes)
COSTS = {"seconds", "peak_mb"}
LOWER_IS_BETTER = COSTS | {metric.name for metric in METRICS if metric.lower_is_better}
_MOST_ENUMERATED = 12  # seeds whose 2ⁿ choices of signs are few enough to be gone through
PRIORS = {"uses_k": "k", "uses_balance": "balance", "uses_augmentation": "augmentation"}
MOST_NAMED = 2  # missing seeds in a row that are named one by one
COMPARED = ("best", "n_pairs", "difference", "wilcoxon")
STATISTICS = (
    *("score", "n", "n_missing", "n_failed", "median", "min", "max", "low", "high", *COMPARED),
    *("seconds", "peak_mb", "priors", "tuned_on", "literature", "literature_source", "lost"),
)


def summarize(
    rows: pd.DataFrame,
    score: str = "accuracy",
    by: Sequence[str] = GROUP,
    *,
    n_seeds: int = 10,
    seeds: Collection[int] | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Return one line per group of rows: what its seeds reach, and how sure that is.

    Parameters
    ----------
    rows : DataFrame
        Tidy rows (`ae_cluster.records.rows.COLUMNS`), in any order. Give all of them and
        choose from the result: a row that failed early may not know its split.
    score : str
        The column to summarise.
    by : sequence of str
        Columns whose values make a group; dataset and split must be among them.
        With ``"budget"`` the rows of label budgets are taken, else the others.
    n_seeds : int
        Seeds 0 … n_seeds − 1 are expected of every group.
    seeds : collection of int or None
        These are expected instead.
    seed : int
        Of the bootstrap.

    Returns
    -------
    DataFrame
        The columns of ``by``, then

        * ``score``; ``n`` finished seeds, ``n_missing``, ``n_failed`` (status not ok, or no
          score), together as many as are expected; ``lost``, last, says which and why;
        * ``median`` over finished seeds, ``min``, ``max``; ``low`` and ``high``, the
          bootstrap 95 % interval of the median. Several draws of one seed count once, by
          their mean, since they share an encoder; min and max are of single draws;
        * ``best``: the highest median (of errors and costs, the lowest) with the same data
          set, split, k, budget and family, for scores of the codes also the same features, among
          those with the most finished seeds; ``n_pairs``
          seeds shared with it, ``difference`` the median of the paired differences to it,
          ``wilcoxon`` the p-value of their signed-rank test, not corrected for the number
          of groups;
        * ``seconds`` (median), ``peak_mb`` (highest), ``priors``, ``tuned_on``;
        * ``literature``, a number by others for the same pipeline, and ``literature_source``.

    Raises
    ------
    InputError
        As `comparable_rows`, and for seeds beyond ``n_seeds``.
    """
    rows = comparable_rows(rows, score, by)
    expected = range(n_seeds) if seeds is None else seeds
    _refuse_other_seeds(rows, expected)
    lines, seed_scores = [], []
    for key, group in rows.groupby(list(by), dropna=False):
        finished = _finished_scores(group, score)
        done = group[group["seed"].isin(finished.index)]
        seed_scores.append(finished)
        lines.append(
            dict(zip(by, key, strict=True))
            | {
                "score": score,
                "seconds": done["seconds"].dropna().median(),
                "peak_mb": done["peak_mb"].max(),
            }
            | _counts(group, finished, expected)
            | _spread(finished, done[score], seed)
            | _priors(group if done.empty else done)
            | _literature(done, score)
        )
    summary = pd.DataFrame(lines, columns=[c for c in (*by, *STATISTICS) if c not in COMPARED])
    contest = (*CONTEST, "features", "n_components") if score in OF_CODES else CONTEST
    compared = _differences(summary, seed_scores, [c for c in contest if c in by])
    whole = dict.fromkeys((c for c in by if c not in TEXTS), "Int64")
    return summary.join(compared).reindex(columns=[*by, *STATISTICS]).astype(whole)


def _refuse_other_seeds(rows: pd.DataFrame, expected: Collection[int]) -> None:
    others = rows.loc[~rows["seed"].isin(expected), "seed"]
    if len(others):
        raise InputError(
            f"Rows hold seed {others.iloc[0]}, where {min(expected)} to {max(expected)} are "
            "expected; say how many with n_seeds, or leave such rows out."
        )


def _finished_scores(group: pd.DataFrame, score: str) -> pd.Series[float]:
    """Return the score of each finished seed; a seed with a failed draw is none."""
    draws = group.groupby("seed")[score]
    return draws.mean()[draws.count() == draws.size()]


def _counts(
    group: pd.DataFrame, finished: pd.Series[float], expected: Collection[int]
) -> dict[str, Any]:
    seeds = group["seed"].astype(int)
    missing = sorted(set(expected) - set(seeds))
    failed = sorted(set(seeds) - set(finished.index))
    lost = [f"seed {s} failed ({_reason(group[seeds == s])})" for s in failed]
    lost += _in_words(missing)
    return {
        "n": len(finished),
        "n_missing": len(missing),
        "n_failed": len(failed),
        "lost": "; ".join(lost),
    }


def _in_words(seeds: list[int]) -> list[str]:
    """Return what is said of missing seeds, sorted; three or more in a row at once."""
    sentences = []
    for _, of_run in groupby(enumerate(seeds), key=lambda place: place[1] - place[0]):
        run = [seed for _, seed in of_run]
        if len(run) > MOST_NAMED:
            sentences.append(f"seeds {run[0]} to {run[-1]} are missing")
        else:
            sentences += [f"seed {seed} is missing" for seed in run]
    return sentences


def _reason(rows: pd.DataFrame) -> str:
    return _together(rows["reason"]) or "no score"


def _together(texts: pd.Series[str]) -> str:
    """Return the different texts, sorted, as one line."""
    lines = {" ".join(str(text).split()) for text in texts}
    return ", ".join(sorted(lines - {""}))


def _spread(finished: pd.Series[float], single: pd.Series[float], seed: int) -> dict[str, float]:
    low, high = median_interval(finished, seed)
    extremes = {"min": single.min(), "max": single.max()}
    return {"median": finished.median(), "low": low, "high": high} | extremes


def median_interval(values: ArrayLike, seed: int = 0) -> tuple[float, float]:
    """Return the bootstrap 95 % percentile interval of the median, from 10,000 resamples.

    NaN for fewer than two values. For ten values or fewer it is somewhat too
    narrow, as percentile intervals are.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13.
    """
    values = np.sort(np.asarray(values, dtype=np.float64))
    if len(values) < 2:
        return math.nan, math.nan
    medians = values[_middle_ranks(len(values), seed)].mean(axis=1)
    low, high = np.quantile(medians, (0.025, 0.975))
    return float(low), float(high)


@lru_cache(maxsize=8)
def _middle_ranks(n: int, seed: int) -> NDArray[np.int64]:
    """Return the ranks (10000, 2) between which the medians of resamples of ``n`` values lie."""
    resamples = np.random.default_rng(seed).integers(n, size=(10_000, n))
    return np.sort(resamples, axis=1)[:, [(n - 1) // 2, n // 2]]


# Against the best


def _differences(
    summary: pd.DataFrame, seed_scores: Sequence[pd.Series[float]], contest: list[str]
) -> pd.DataFrame:
    """Return who is best, and how far the others are from it on the same seeds."""
    compared: dict[int, dict[str, Any]] = {}
    for _, group in summary.groupby(contest, dropna=False):
        best = _best(group)
        for i in group.index:
            against = seed_scores[i if best is None else best]
            n_pairs, difference, p_value = paired_difference(seed_scores[i], against)
            compared[i] = {
                "best": i == best,
                "n_pairs": n_pairs,
                "difference": difference,
                "wilcoxon": math.nan if i == best else p_value,
            }
    return pd.DataFrame.from_dict(compared, orient="index", columns=list(COMPARED))


def _best(group: pd.DataFrame) -> int | None:
    fullest = group.loc[(group["n"] == group["n"].max()) & (group["n"] > 0), ["score", "median"]]
    if fullest.empty:
        return None
    lower = fullest["score"].iloc[0] in LOWER_IS_BETTER
    return int(fullest["median"].idxmin() if lower else fullest["median"].idxmax())


def paired_difference(
    scores: pd.Series[float], reference: pd.Series[float]
) -> tuple[int, float, float]:
    """Compare two pipelines on the seeds they share.

    Parameters
    ----------
    scores, reference : Series
        Scores by seed.

    Returns
    -------
    n_pairs : int
        Seeds they share.
    difference : float
        Median of ``scores − reference`` over these; NaN where there are none.
    p_value : float
        Of Wilcoxon's signed-rank test, two-sided, seeds without a difference left
        out (1 where none differs); NaN for fewer than two pairs.
    """
    # Rounded, since 0.7 − 0.6 and 0.8 − 0.7 are tied and do not look it.
    differences = np.asarray((scores - reference).dropna().round(12), dtype=np.float64)
    if not len(differences):
        return 0, math.nan, math.nan
    return len(differences), float(np.median(differences)), _signed_rank_p(differences)


def _signed_rank_p(differences: NDArray[np.float64]) -> float:
    if len(differences) < 2:
        return math.nan
    unequal = differences[differences != 0]
    if len(unequal) > _MOST_ENUMERATED:
        from scipy.stats import wilcoxon  # late: half of what this file takes to load

        return float(wilcoxon(unequal).pvalue)
    # Every choice of signs at once: scipy's p, a hundred times sooner where ranks are tied.
    ranks = pd.Series(np.abs(unequal)).rank().to_numpy()
    signs = np.arange(2 ** len(ranks))[:, None] >> np.arange(len(ranks)) & 1
    sums, observed = signs @ ranks, ranks[unequal > 0].sum()
    return float(min(1.0, 2 * min((sums <= observed).mean(), (sums >= observed).mean())))


# What it took, and what others have


def _priors(rows: pd.DataFrame) -> dict[str, str]:
    used = [_prior(rows[column], word) for column, word in PRIORS.items()]
    return {
        "priors": ", ".join(word for word in used if word) or "none",
        "tuned_on": _together(rows["tuned_on"]),
    }


def _prior(used: pd.Series[Any], word: str) -> str:
    """Return the prior if it is used, with a question mark if nobody said, else ""."""
    said = set(used.astype(str).str.lower())
    if said & {"true", "1", "1.0"}:
        return word
    return "" if said <= {"false", "0", "0.0"} else f"{word}?"


def _literature(done: pd.DataFrame, score: str) -> dict[str, str]:
    none = {"literature": "", "literature_source": ""}
    pipelines = done[["dataset", "method", "features", "n_components", "split"]].drop_duplicates()
    reference = find_literature(*pipelines.iloc[0]) if len(pipelines) == 1 else None
    if reference is None or any(
        (done[c] != value).any() for c, value in reference.conditions.items()
    ):
        return none
    text = literature_text(reference, score)
    return {"literature": text, "literature_source": reference.source} if text else none
