"""From rows of many seeds and draws to what a user must expect, and what the spread is due to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ae_cluster.common.files import make_folder, written_beside
from ae_cluster.common.numbers import NOTHING, number
from ae_cluster.common.spreadsheets import safe_table
from ae_cluster.common.texts import in_markdown
from ae_cluster.methods import FROZEN
from ae_cluster.reports.literature import PUBLISHED_FEW_LABELS
from ae_cluster.reports.writing import markdown_table

PIPELINE = ["dataset", "family", "features", "n_components", "method", "budget"]
HOW_TO_READ = """\
Accuracy on test samples over encoder seeds and draws of the labelled samples. 95 %: bootstrap
interval of the mean over seeds. 10th percentile and worst: of single fits. sd of seed, of start
and of draw: the parts of the spread that are due to the encoder's seed, to the start of the
clusterer on the same codes where a method has one, and to the draw, by random effects (starts and
draws within seeds). ECE: expected calibration error, 15 bins, mean. Assumes: what the method knows
beside the labels, that draws have as many of each class included. By others: with other networks
and draws, so no row is the same thing."""


def spread_of_draws(rows: pd.DataFrame) -> pd.DataFrame:
    """Return a line per pipeline and budget: mean, worst decile, and parts of the variance.

    Parameters
    ----------
    rows : DataFrame
        Of `ae_cluster.semi_supervised.evaluation.label_budget_rows`, several seeds and draws.

    Returns
    -------
    DataFrame
        dataset, family, features, n_components, method, budget; n_seeds, n_draws, n_failed;
        mean, low, high; p10, worst; sd_seed, sd_start, sd_draw (NaN where there is a single
        one); ece; uses_balance, uses_augmentation.
    """
    lines = [
        dict(zip(PIPELINE, key, strict=True)) | _line(group)
        for key, group in rows.groupby(PIPELINE, sort=False)
    ]
    return pd.DataFrame(lines).sort_values(["dataset", "features", "method", "budget"])


def _line(rows: pd.DataFrame) -> dict[str, object]:
    done = rows[rows["status"] == "ok"]
    low, high = mean_interval(done.groupby("seed")["accuracy"].mean().to_numpy())
    of_seed, of_start, of_draw = parts_of_variance(done)
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
        "sd_start": math.sqrt(of_start),
        "sd_draw": math.sqrt(of_draw),
        "ece": done["ece"].mean(),
        "uses_balance": done["uses_balance"].astype(str).eq("True").any(),
        "uses_augmentation": done["uses_augmentation"].astype(str).eq("True").any(),
    }


def parts_of_variance(done: pd.DataFrame) -> tuple[float, float, float]:
    """Return the variance due to the encoder's seed, the clusterer's start and the draw.

    Of finished rows. That of the start is NaN where every seed has a single one.
    """
    if "clusterer_seed" not in done or done["clusterer_seed"].nunique() < 2:
        of_seed, of_draw = variance_parts(done["seed"].to_numpy(), done["accuracy"].to_numpy())
        return of_seed, math.nan, of_draw
    cells = done.pivot_table(values="accuracy", index="clusterer_seed", columns=["seed", "draw"])
    return crossed_parts([table.to_numpy() for _, table in cells.T.groupby("seed")])


def crossed_parts(tables: Sequence[NDArray[np.floating]]) -> tuple[float, float, float]:
    """Return the variance due to the table, to its column and to its row.

    Random effects: tables (draws, starts) of one size, rows and columns crossed within each.
    From mean squares MS of tables, columns, rows and rest: columns have (MS_c − MS_rest) / rows,
    rows (MS_r − MS_rest) / columns, tables (MS_t − MS_c − MS_r + MS_rest) / (rows · columns);
    what comes out below 0 is 0. The rest, which another draw changes too, is put to the rows.
    NaN where there is one table, row or column, or a cell is lost.

    Source: Searle, Casella and McCulloch, Variance Components (1992), section 4.5.
    """
    cells = np.stack(tables)
    n, rows, columns = cells.shape
    if min(cells.shape) < 2 or np.isnan(cells).any():
        return math.nan, math.nan, math.nan
    means = cells.mean(axis=(1, 2), keepdims=True)
    of_rows, of_columns = (cells.mean(axis=a, keepdims=True) - means for a in (2, 1))
    rest = cells - means - of_rows - of_columns
    ms_rest = float((rest**2).sum()) / (n * (rows - 1) * (columns - 1))
    ms_rows = columns * float((of_rows**2).sum()) / (n * (rows - 1))
    ms_columns = rows * float((of_columns**2).sum()) / (n * (columns - 1))
    ms_tables = rows * columns * float(means.var(ddof=1))
    of_table = (ms_tables - ms_columns - ms_rows + ms_rest) / (rows * columns)
    of_column, of_row = (ms_columns - ms_rest) / rows, (ms_rows - ms_rest) / columns
    return max(0.0, of_table), max(0.0, of_column), max(0.0, of_row) + ms_rest


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
        ".csv": safe_table(spread).to_csv(index=False, float_format="%.6g", lineterminator="\n"),
        ".md": _markdown(spread),
    }
    for ending, text in texts.items():
        with written_beside(folder / f"{name}{ending}") as beside:
            beside.write_bytes(text.encode())
    return [folder / f"{name}{ending}" for ending in texts]


def _markdown(spread: pd.DataFrame) -> str:
    parts: list[str] = []
    for dataset, of_dataset in spread.groupby("dataset"):
        is_finetuned = of_dataset["family"] != FROZEN  # these tables last
        for _, group in of_dataset.groupby([is_finetuned, of_dataset["family"], "features"]):
            first: Any = next(group.itertuples())
            of = in_markdown(f"{first.family}: {first.features}")
            parts += [f"**{in_markdown(str(dataset))}**, {of}", "", *_table(group), ""]
        parts += _by_others(str(dataset))
    return "\n".join([*parts, HOW_TO_READ, ""])


def _table(group: pd.DataFrame) -> list[str]:
    head = ["method", "labels per class", "mean", "95 %", "10th percentile", "worst",
            "sd of seed", "sd of start", "sd of draw", "ECE", "fits", "assumes"]  # fmt: skip
    lines = []
    row: Any
    for row in group.itertuples():
        known = [("balance", row.uses_balance), ("augmentation", row.uses_augmentation)]
        assumed = ", ".join(["k", *(word for word, is_used in known if is_used)])
        lost = f" ({row.n_failed} failed)" if row.n_failed else ""
        lines.append([
            in_markdown(str(row.method)), f"{row.budget:g}", _number(row.mean),
            f"{_number(row.low)} – {_number(row.high)}", _number(row.p10), _number(row.worst),
            _number(row.sd_seed), _number(row.sd_start), _number(row.sd_draw), _number(row.ece),
            f"{row.n_draws}{lost}", assumed,
        ])  # fmt: skip
    return markdown_table(head, lines)


def _by_others(dataset: str) -> list[str]:
    """Return the lines of a table of what others reach on these data; none where none is known."""
    found = [pipeline for pipeline in PUBLISHED_FEW_LABELS if pipeline.dataset == dataset]
    if not found:
        return []
    budgets = sorted({budget for pipeline in found for budget in pipeline.percent})
    head = ["pipeline", "family", *(f"{budget} per class" for budget in budgets), "from"]
    lines = [
        [
            pipeline.pipeline,
            pipeline.family,
            *(pipeline.percent.get(budget, NOTHING) for budget in budgets),
            pipeline.source,
        ]
        for pipeline in found
    ]
    title = f"**{dataset}**, by others, per cent of the test samples"
    return [title, "", *markdown_table(head, lines), ""]


_number = partial(number, leading_zero=False)
