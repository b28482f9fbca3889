"""Classifiers that were learnt on a run's codes: what is kept of them, and what predicts again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ae_cluster.common.errors import InputError, nearest
from ae_cluster.methods import CLASSIFIERS, FINETUNED, current_name
from ae_cluster.records.classifiers import (
    KeptClassifier,
    classifier_names,
    read_classifier,
    write_classifier,
)
from ae_cluster.records.reading import method_names
from ae_cluster.runs.usable_codes import method_to_learn_from
from ae_cluster.semi_supervised.frozen.graph import GraphClassifier
from ae_cluster.semi_supervised.frozen.scores import KINDS, ClassScores, scores_of_classifier


def to_be_kept(model: Any, names: Sequence[str]) -> KeptClassifier | None:
    """Return what is kept of a fitted classifier of frozen codes; None: it needs all samples.

    Parameters
    ----------
    model : FewLabelClassifier
        Its classes are positions in ``names``.
    names : sequence of str
    """
    scores = scores_of_classifier(model)
    if scores is None:
        return None
    return KeptClassifier(scores.kind, tuple(names[c] for c in model.classes_), scores.arrays())


def keep_classifier(run: Path, kept: KeptClassifier, name: str) -> str:
    """Write a classifier into the run whose codes it was learnt on; return a sentence."""
    try:
        path = write_classifier(run, method_to_learn_from(run), name, kept)
    except InputError as error:  # a run to read only, for one: the predictions are there
        return f"The classifier is not kept: {error}"
    return f"The classifier, for new samples by ae-cluster export --method {name}: {path}"


def kept_scores(run: Path, name: str, n_components: int) -> tuple[ClassScores, tuple[str, ...]]:
    """Return what predicts, from codes, and the names of the classes.

    Raises
    ------
    InputError
        When the run keeps no such classifier, or it cannot be used.
    """
    method = method_to_learn_from(run)
    known = classifier_names(run, method)
    name = current_name(name)
    if name not in known:
        raise InputError(_told_missing(run, name, [*method_names(run), *known]))
    kept = read_classifier(run, method, name)
    try:
        scores = KINDS[kept.kind](kept.arrays)
        found = scores.scores_of(np.zeros((1, n_components))).shape
        if found != (1, len(kept.class_names)):
            raise InputError(f"it tells {found[1]} classes apart and names {kept.class_names}")
    except (ValueError, IndexError) as error:
        raise InputError(
            f"The classifier {name} of {run} cannot be used ({str(error).rstrip('.')}); classify "
            "again."
        ) from error
    return scores, kept.class_names


def _told_missing(run: Path, name: str, known: Sequence[str]) -> str:
    entry = next((entry for entry in CLASSIFIERS if entry.name == name), None)
    if entry is None:
        return f"{run} has no method {name!r}: {nearest(name, known)}"
    if entry.kind == FINETUNED:
        return (
            f"{name} cannot be exported: it fine-tunes the encoder, and no run keeps that; take a "
            "classifier of frozen codes, like knn."
        )
    if issubclass(entry.load_class(), GraphClassifier):
        return (
            f"{name} cannot be exported: it predicts along the neighbour graph of all samples; "
            "classify by logistic-regression, knn, svm, self-training or cluster-then-label."
        )
    return (
        f"{run} keeps no {name}; make it with ae-cluster classify {run} --method {name} "
        "--labels FILE."
    )
