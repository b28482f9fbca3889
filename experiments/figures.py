"""Claim: every figure of results/ follows from its rows and saved arrays, and from nothing else.

Reads ``results/EXPERIMENT-DATASET.csv`` and ``results/arrays/DATASET-METHOD.npz`` and
writes ``results/figures/NAME.png|svg|txt``. Never loads torch; about a second a figure.

    python -m experiments.figures
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

import pandas as pd
from joblib import Parallel, delayed
from matplotlib.figure import Figure

from ae_cluster.common.terminal import exit_code
from ae_cluster.figures import (
    plot_code_sizes,
    plot_label_budget,
    plot_methods,
    plot_pareto,
    plot_ranks,
    plot_stages,
    plot_training_curve,
    save_figure,
)
from ae_cluster.methods import FINETUNED, FROZEN
from ae_cluster.reports.literature import PUBLISHED_FEW_LABELS
from experiments.support.benchmark_sets import HALVES
from experiments.support.benchmark_tables import medians_of, rows_of
from experiments.support.figure_data import draw_pictured
from experiments.support.published import nothing_found, published_rows, redraw_parser

BEST_FIRST = ("sorting-images", "sorting", "autoencoder")


def main(argv: Sequence[str] | None = None) -> int:
    """Draw the figures of every experiment that has rows, and return the exit code."""
    arguments = redraw_parser(__doc__).parse_args(argv)
    results = arguments.results
    arrays = sorted((results / "arrays").glob("*-*-*.npz"))
    folder = results / "figures"
    jobs = [delayed(draw_rows)(results, arguments.seeds, folder)]
    jobs += [delayed(draw_arrays)(path, folder) for path in arrays]
    written = [
        *chain.from_iterable(Parallel(n_jobs=min(2, len(jobs)), backend="multiprocessing")(jobs))
    ]
    print("\n".join(map(str, written)) or nothing_found(results))
    return 0 if written else 2


def draw_rows(results: Path, n_seeds: int, folder: Path) -> list[Path]:
    """Write every figure of rows, and return the PNG files."""
    return [save_figure(figure, folder, name)[0] for name, figure in figures_of(results, n_seeds)]


def draw_arrays(path: Path, folder: Path) -> list[Path]:
    """Write every figure of one file of arrays, and return the PNG files."""
    return [save_figure(figure, folder, name)[0] for name, figure in draw_pictured(path).items()]


def figures_of(results: Path, n_seeds: int) -> Iterator[tuple[str, Figure]]:
    """Yield the figures that rows have, by name: all data sets in one where they fit."""
    compared = published_rows(results, "compare_clustering")
    if len(compared):
        yield "methods", plot_methods(compared, n_seeds=n_seeds)
        yield "pareto", plot_pareto(compared)
    if len(rows := published_rows(results, "code_size")):
        yield "code-size", plot_code_sizes(rows)
    if len(rows := published_rows(results, "training_epochs")):
        yield "training-epochs", plot_training_curve(rows, "epochs")
    if len(rows := published_rows(results, "training_images")):
        yield "training-images", plot_training_curve(rows, "n_train")
    if len(rows := published_rows(results, "label_budget")):
        for dataset, of_one in rows.groupby("dataset"):
            yield from label_budgets(str(dataset), of_one, compared)
    if len(rows := published_rows(results, "ablation")):
        yield "ablation", plot_stages(rows, title="What each stage of the sorting codes buys")
    for half in HALVES:
        if len(scores := medians_of(rows_of(results), half)):
            title = f"Ranks on the {half} half of the benchmark"
            yield f"benchmark-{half}", plot_ranks(scores, score="AMI", title=title)


def label_budgets(
    dataset: str, rows: pd.DataFrame, compared: pd.DataFrame
) -> Iterator[tuple[str, Figure]]:
    """Yield a figure of each family of few-label methods that has rows."""
    name = Path(dataset).stem
    is_finetuned = rows["family"] == FINETUNED
    # Every method on the best codes there are, one on the others: more lines cannot be read.
    best = next((f for f in BEST_FIRST if rows["features"].eq(f).any()), "")
    shown = rows["features"].eq(best) | rows["method"].eq("knn")
    references = all_labels(compared, dataset, best)
    if (frozen := rows[~is_finetuned & shown])["budget"].notna().any():
        title = f"What a few labels buy: {name}"
        others = by_others(dataset, FROZEN)
        figure = plot_label_budget(frozen, references, published=others, title=title)
        yield f"label-budget-{name}", figure
    if is_finetuned.any():
        title = f"What a few labels buy when they fine-tune the encoder: {name}"
        others = by_others(dataset, FINETUNED)
        figure = plot_label_budget(rows[is_finetuned], references, published=others, title=title)
        yield f"label-budget-{name}-fine-tuned", figure


def by_others(dataset: str, family: str) -> dict[str, dict[int, float]]:
    """Return the published accuracies of a family, by pipeline and labels per class."""
    return {
        f"{pipeline.pipeline}, published": {
            n: float(p.split()[0]) / 100 for n, p in pipeline.percent.items()
        }
        for pipeline in PUBLISHED_FEW_LABELS
        if (pipeline.dataset, pipeline.family) == (dataset, family)
    }


def all_labels(compared: pd.DataFrame, dataset: str, features: str) -> dict[str, float]:
    """Return what all labels reach on these codes, to stand beside a few."""
    if compared.empty:
        return {}
    is_codes = (compared["dataset"] == dataset) & (compared["features"] == features)
    score = compared.loc[is_codes & (compared["split"] == "test"), "neighbor_accuracy"].median()
    return {} if pd.isna(score) else {"all labels, 10 neighbours": float(score)}


if __name__ == "__main__":
    sys.exit(exit_code(main))
