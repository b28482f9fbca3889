"""The figures of a run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from ae_cluster.clustering.codes import Clustering
from ae_cluster.datasets import Dataset
from ae_cluster.figures import run as of_run
from ae_cluster.methods import DEFAULTS, Pipeline, pipelines_of
from ae_cluster.runs.encoders import N_ORIGINALS, FittedEncoder, FittedEncoders

Kept = dict[Pipeline, tuple[FittedEncoder, Clustering]]


def draw_run(folder: Path, data: Dataset, encoders: FittedEncoders, kept: Kept) -> None:
    """Draw what a run shows before its scores are there: how its encoders learnt, its clusters."""
    _draw_learning(folder, data, encoders)
    living = {pipeline: found for pipeline, found in kept.items() if not found[0].collapse}
    for i, (pipeline, (encoder, result)) in enumerate(living.items()):
        pictured = of_run.Pictured(
            data.shown.raw_test,
            data.shown.image_shape,
            data.class_names,
            encoder.codes.test,
            result.train,
            result.test,
            result.soft_test,
            data.y_train,
            data.y_test,
            data.column_names,
        )
        if i == 0:
            of_run.draw_tiles(folder, pictured)
        of_run.draw_method(folder, pipeline.kept_as, pictured)


def draw_label_budget_of_run(folder: Path, kept: Kept, table: pd.DataFrame) -> None:
    """Draw accuracy against labels per class, beside what all labels give on the codes shown."""
    shown = next(iter(kept), pipelines_of(DEFAULTS)[0])
    is_shown = (table["features"] == shown.features) & (table["method"] == shown.method)
    ceiling = table.loc[is_shown, "neighbor_accuracy"].dropna()
    references = {"all labels, k-NN": float(ceiling.iloc[0])} if len(ceiling) else {}
    of_run.draw_label_budget(folder, table[table["features"] != "untrained"], references)


def _draw_learning(folder: Path, data: Dataset, encoders: FittedEncoders) -> None:
    for name, encoder in encoders.made.items():
        if encoder.frames is not None:
            of_run.draw_training(
                folder, encoder.frames.images, np.stack(encoder.frames.frames),
                encoder.frames.steps, data.image_shape, encoder.loss_curve, data.column_names,
            )  # fmt: skip
        elif encoder.model is not None:
            made = encoder.model.inverse_transform(encoder.codes.test[:N_ORIGINALS])
            of_run.draw_reconstructions(
                folder,
                name,
                data.raw_test[:N_ORIGINALS],
                made,
                data.image_shape,
                data.column_names,
            )
