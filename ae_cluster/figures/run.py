"""All figures of a run, from its arrays and rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ae_cluster.common.write_lock import claim
from ae_cluster.figures.codes import plot_code_tiles, plot_codes
from ae_cluster.figures.confusion import plot_confusion
from ae_cluster.figures.examples import cluster_examples
from ae_cluster.figures.image_grids import plot_cluster_images, plot_cluster_profiles
from ae_cluster.figures.label_budget import plot_label_budget
from ae_cluster.figures.style import ENDINGS, save_figure, undrawable
from ae_cluster.figures.training import plot_loss_curve, plot_reconstructions
from ae_cluster.metrics.clustering import UNKNOWN, class_map, confusion_matrix


class Pictured(NamedTuple):
    """What the pictures of one method's test split are drawn from; labels may be missing."""

    images: NDArray[Any]
    image_shape: tuple[int, ...] | None
    class_names: tuple[str, ...]
    codes: NDArray[Any]
    clusters_train: NDArray[np.int64]
    clusters: NDArray[np.int64]
    soft: NDArray[Any] | None
    labels_train: NDArray[np.int64] | None
    labels: NDArray[np.int64] | None
    column_names: tuple[str, ...] = ()


def note_on_names(class_names: Sequence[str]) -> str:
    """Return a sentence on the class names that cannot be drawn; "" where all can."""
    lacking = undrawable(class_names)
    if not lacking:
        return ""
    return (
        f" No installed font can draw {', '.join(lacking)}: the figures show the class's number; "
        "install one that can (Noto Sans CJK, say) for its name."
    )


def draw_training(
    folder: Path,
    originals: NDArray[Any],
    reconstructions: NDArray[Any],
    steps: list[int],
    image_shape: tuple[int, ...] | None,
    loss_curve: list[float],
    column_names: Sequence[str] = (),
) -> None:
    """Draw what the network learnt, and how fast."""
    figures = {
        "reconstructions": plot_reconstructions(
            originals, reconstructions, steps, image_shape, feature_names=column_names
        )
    }
    if loss_curve:
        figures["loss"] = plot_loss_curve(loss_curve)
    _save_all(figures, folder)


def draw_reconstructions(
    folder: Path,
    name: str,
    originals: NDArray[Any],
    made: NDArray[Any],
    image_shape: tuple[int, ...] | None,
    column_names: Sequence[str] = (),
) -> None:
    """Draw what a method that has learnt makes of a few samples."""
    title = f"Originals, and what {name} makes of their codes"
    figure = plot_reconstructions(
        originals, made[None], [1], image_shape, unit="", title=title, feature_names=column_names
    )
    _save_all({f"reconstructions-{name}": figure}, folder)


def draw_tiles(folder: Path, pictured: Pictured) -> None:
    """Draw the tutorial's picture: 200 samples as tiles at the place of their code."""
    labels, clusters = pictured.labels, pictured.clusters
    figure = plot_code_tiles(pictured.codes, labels, clusters, pictured.class_names)
    _save_all({"tiles": figure}, folder)


def draw_method(folder: Path, name: str, pictured: Pictured) -> None:
    """Draw a method's codes, its clusters against the labels, and what the clusters hold."""
    p = pictured
    mapping = class_map(p.labels_train, p.clusters_train) if p.labels_train is not None else None
    figures = {
        f"codes-{name}": plot_codes(
            p.codes, p.labels, p.clusters, p.class_names, title=f"Test codes, clusters by {name}"
        )
    }
    if p.labels is not None and (p.labels != UNKNOWN).any():
        matrix = confusion_matrix(p.labels, p.clusters, mapping)
        title = f"Labels against clusters by {name}, test samples"
        figures[f"confusion-{name}"] = plot_confusion(*matrix, p.class_names, title=title)
    title = f"What each cluster by {name} holds, test samples"
    if p.image_shape is None:
        figures[f"clusters-{name}"] = plot_cluster_profiles(
            p.images, p.clusters, p.column_names, title=title
        )
    else:
        examples = cluster_examples(p.codes, p.clusters, p.soft, p.labels, mapping)
        figures[f"clusters-{name}"] = plot_cluster_images(
            p.images, p.image_shape, examples, p.labels, p.class_names, title=title
        )
    _save_all(figures, folder)


def draw_label_budget(folder: Path, rows: pd.DataFrame, references: Mapping[str, float]) -> None:
    """Draw accuracy against labels per class, where a budget could be drawn at all."""
    scored = rows[rows["budget"].notna() & rows["accuracy"].notna()]
    if len(scored):
        _save_all({"label-budget": plot_label_budget(rows, references)}, folder)


def _save_all(figures: Mapping[str, Figure], folder: Path) -> None:
    for name, figure in figures.items():
        claim(folder.parent, *(f"{folder.name}/{name}{ending}" for ending in ENDINGS))
        save_figure(figure, folder, name)
