"""From rows of many seeds and draws to what a user must expect, and what the spread is due to."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ae_cluster.files import make_folder, written_beside

WAY = ["dataset", "family", "features", "n_components", "method", "budget"]
HOW_TO_READ = """\
Accuracy on test samples over encoder seeds and draws of the labelled samples. 95 %: bootstrap
interval of the mean over seeds. 10th percentile and worst: of single draws. sd of seed, sd of
draw: the spread's two parts, one-way random effects (draws within seeds). ECE: expected
calibration error, 15 bins, mean. Told: what the way knows beside the labels."""


def spread_of_draws(rows: pd.DataFrame) -> pd.DataFrame:
    """Return a line for each way and budget: mean, worst decile, and the parts of the variance.

    Parameters
    ----------
    rows : DataFrame
        Of `ae_cluster.semi_supervised.label_budget_rows`, several seeds and draws.

    Returns
    -------
    DataFrame
        dataset, family, features, n_components, method, budget; n_seeds, n_draws, n_failed;
        mean, low, high; p10, worst; sd_seed, sd_draw (NaN for a single seed or draw); ece;
        uses_balance.
    """
    lines = [
        dict(zip(WAY, key, strict=True)) | _line(group)
        for key, group in rows.groupby(WAY, sort=False)
    ]
    return pd.DataFrame(lines).sort_values(["dataset", "features", "method", "budget"])


def _line(rows: pd.DataFrame) -> dict[str, object]:
    done = rows[rows["status"] == "ok"]
    low, high = mean_interval(done.groupby("seed")["accuracy"].mean().to_numpy())
    of_seed, of_draw = variance_parts(done["seed"].to_numpy(), done["accuracy"].to_numpy())
    return {
        "n_seeds": done["seed"].nunique(),
        "n_draws": len(done),
        "n_failed": len(rows) - len(done),
        "mean": done["accuracy"].mean(),
        "low": low,
        "high": high,
        "p10": done["accuracy"].quantile(0.1),
        "worst": done["accuracy"].min(),
        "sd_seed": math.sqrt(of_seed),
        "sd_draw": math.sqrt(of_draw),
        "ece": done["ece"].mean(),
        "uses_balance": done["uses_balance"].astype(str).eq("True").any(),
    }


def variance_parts(seeds: NDArray[np.generic], scores: NDArray[np.floating]) -> tuple[float, float]:
    """Return the variance due to the seed and that due to the draw within a seed.

    One-way random effects: E[mean square between seeds] = var(draw) + r · var(seed), r draws
    each. What comes out below 0 is 0. NaN where there is one seed, or one draw of each.

    Source: Searle, Casella and McCulloch, Variance Components (1992), section 3.6.
    """
    groups = [scores[seeds == seed] for seed in np.unique(seeds)]
    n, n_groups = len(scores), len(groups)
    if n_groups < 2 or n == n_groups:
        return math.nan, math.nan
    within = sum(float(((g - g.mean()) ** 2).sum()) for g in groups) / (n - n_groups)
    between = sum(len(g) * float((g.mean() - scores.mean()) ** 2) for g in groups) / (n_groups - 1)
    draws = (n - sum(len(g) ** 2 for g in groups) / n) / (n_groups - 1)
    return max(0.0, (between - within) / draws), within


def mean_interval(values: NDArray[np.floating], seed: int = 0) -> tuple[float, float]:
    """Return the bootstrap 95 % percentile interval of the mean; NaN for fewer than two values."""
    if len(values) < 2:
        return math.nan, math.nan
    chosen = np.random.default_rng(seed).integers(len(values), size=(10_000, len(values)))
    low, high = np.quantile(values[chosen].mean(axis=1), (0.025, 0.975))
    return float(low), float(high)


def write_spread(spread: pd.DataFrame, folder: Path, name: str) -> list[Path]:
    """Write ``NAME.csv`` and ``NAME.md``, a table for each data set, family and features."""
    make_folder(folder)
    texts = {
        ".csv": spread.to_csv(index=False, float_format="%.6g", lineterminator="\n"),
        ".md": _markdown(spread),
    }
    for ending, text in texts.items():
        with written_beside(folder / f"{name}{ending}") as beside:
            beside.write_bytes(text.encode())
    return [folder / f"{name}{ending}" for ending in texts]


def _markdown(spread: pd.DataFrame) -> str:
    parts = []
    for _, group in spread.groupby(["dataset", "family", "features"]):
        first: Any = next(group.itertuples())
        parts += [f"**{first.dataset}**, {first.family}: {first.features}", "", *_table(group), ""]
    return "\n".join([*parts, HOW_TO_READ, ""])


def _table(group: pd.DataFrame) -> list[str]:
    head = ["method", "labels per class", "mean", "95 %", "10th percentile", "worst",
            "sd of seed", "sd of draw", "ECE", "draws", "told"]  # fmt: skip
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    row: Any
    for row in group.itertuples():
        told = "k, balance" if row.uses_balance else "k"
        lost = f" ({row.n_failed} failed)" if row.n_failed else ""
        cells = [
            str(row.method), f"{row.budget:g}", _number(row.mean),
            f"{_number(row.low)} – {_number(row.high)}", _number(row.p10), _number(row.worst),
            _number(row.sd_seed), _number(row.sd_draw), _number(row.ece),
            f"{row.n_draws}{lost}", told,
        ]  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _number(value: object) -> str:
    number = float(value)  # type: ignore[arg-type]
    return "–" if math.isnan(number) else f"{number:.3f}".removeprefix("0")
