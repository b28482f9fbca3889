"""Rows to tables that people read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from ae_cluster.common.errors import InputError
from ae_cluster.common.numbers import NOTHING, number
from ae_cluster.common.write_lock import PAGE
from ae_cluster.metrics.clustering import METRICS
from ae_cluster.metrics.faithfulness import NAMES
from ae_cluster.records.reading import method_names, read_codes
from ae_cluster.records.rows import COLLAPSED, OK, pipeline_name
from ae_cluster.training.diagnostics import collapse_message

SHOWN = {metric.name: metric.head for metric in METRICS if metric.head} | {"seconds": "seconds"}

HOW_TO_READ = """\
How to read it: each class is matched with one cluster; accuracy learns the match on the
training samples, matched on these test samples themselves, as papers do. purity
and NMI rise with k, AMI and ARI are corrected for chance (0 random, 1 perfect).
neighbours is what ten nearest neighbours reach on these codes with all labels: about
the most that any classifier on them can."""
BASELINES = ("pca", "untrained")
BEATEN = " pca and untrained are what training must beat."
NO_LABELS = """\
No test sample has a label, so nothing here can say whether the clusters mean anything.
silhouette is how far clusters stand apart on their own codes, from -1 to 1: it compares
clusterings of the same codes, never autoencoder with pca."""


def run_report(rows: pd.DataFrame, out: Path) -> str:
    """Return what a run says at its end: scores, how to read them, and where the files lie."""
    parts = [clustering_table(rows)]
    if rows["accuracy_matched"].isna().all():
        parts.append(cluster_sizes(out))
    parts += [faithfulness_line(rows), few_label_table(rows)]
    figures = sorted((out / "figures").glob("*.png"))
    if figures:
        listed = "\n".join(f"  {path}" for path in figures)
        parts.append(f"Figures, each with its caption beside it:\n{listed}")
    if (page := out / PAGE).is_file():
        parts.append(f"Walk through the codes, in a browser: {page}")
    parts.append(f"Everything else (scores.csv, codes, model, config): {out}")
    parts.append(_collapse_message(rows))
    return "\n\n".join(part for part in parts if part)


def _collapse_message(rows: pd.DataFrame) -> str:
    """Return a line on the codes that have collapsed, "" where none have."""
    collapsed = rows[rows["status"] == COLLAPSED]
    if collapsed.empty:
        return ""
    names, reason = ", ".join(collapsed["features"].unique()), collapsed["reason"].iloc[0]
    return (
        f"COLLAPSED: the {names} codes of this run tell nothing and have no scores; "
        f"{collapse_message(reason)}"
    )


def clustering_table(rows: pd.DataFrame) -> str:
    """Return the test scores of every clustering, and how to read them."""
    test = rows[(rows["split"] == "test") & rows["budget"].isna()]
    shown = test.set_index(_pipelines(test))
    is_labelled = shown["accuracy_matched"].notna().any()
    names = SHOWN if is_labelled else {"silhouette": "silhouette"} | SHOWN
    ks = shown["n_clusters"].dropna().astype(int).unique()
    if len(ks) > 1:
        names = {"n_clusters": "k"} | names
        shown = shown.assign(n_clusters=shown["n_clusters"].astype("Int64"))
    columns = {k: v for k, v in names.items() if shown[k].notna().any()}
    text = (
        shown[list(columns)].rename(columns=columns).to_string(float_format=number, na_rep=NOTHING)
    )
    lost = shown[shown["status"] != OK]
    reasons = zip(lost.index, lost["status"], lost["reason"], strict=True)
    notes = [f"  {name} {status}: {reason}" for name, status, reason in reasons]
    how = HOW_TO_READ if is_labelled else NO_LABELS
    if is_labelled and set(test["features"]) & set(BASELINES):
        how += BEATEN
    of_k = f", k = {ks[0]}" if len(ks) == 1 else ""
    return "\n".join([f"Held-out test scores{of_k}:", text, *notes, how])


def faithfulness_line(rows: pd.DataFrame) -> str:
    """Return how faithful each kind of codes is to the test samples, "" where no row says it."""
    test = rows[(rows["split"] == "test") & rows["budget"].isna() & rows["neighbor_recall"].notna()]
    if test.empty:
        return ""
    by_features = test.drop_duplicates("features").set_index("features")[list(NAMES)]
    told = [
        f"{features} {', '.join(map(number, scores))}"
        for features, *scores in by_features.itertuples(name=None)
    ]
    return (
        "Faithfulness of the codes to the test samples (trustworthiness, continuity, recall of 15 "
        f"neighbours): {'; '.join(told)}."
    )


def _pipelines(rows: pd.DataFrame) -> pd.Index:
    return pd.Index(
        [pipeline_name(f, m) for f, m in zip(rows["features"], rows["method"], strict=True)]
    )


def cluster_sizes(out: Path) -> str:
    """Return how many test samples each kept clustering of a run puts into each cluster."""
    lines = []
    try:
        methods = method_names(out)
    except InputError:  # all failed, and their rows say so
        methods = []
    for method in methods:
        found = read_codes(out, method)
        n_clusters = max(found["clusters_train"].max() + 1, len(found.get("centers", ())))
        sizes = np.bincount(found["clusters_test"] + 1, minlength=n_clusters + 1)
        listed = " ".join(map(str, np.sort(sizes[1:])[::-1]))
        lines.append(f"  {method}: {listed}" + (f", in none {sizes[0]}" if sizes[0] else ""))
    return "\n".join(["Test samples in each cluster, largest first:", *lines]) if lines else ""


def few_label_table(rows: pd.DataFrame) -> str:
    """Return the mean test accuracy by label budget, or "" where no label is known.

    A table for each family: on frozen codes, and where the labels fine-tune the encoder.
    """
    few = rows[rows["budget"].notna() & rows["accuracy"].notna()]
    families = few["family"].fillna("")
    is_several = families.nunique() > 1
    return "\n\n".join(
        _of_family(group, f", {family}" if is_several else "")
        for family, group in few.groupby(families, sort=False)
    )


def _of_family(few: pd.DataFrame, told: str) -> str:
    few = few.assign(budget=few["budget"].astype(int), name=_pipelines(few))
    table = few.pivot_table(index="name", columns="budget", values="accuracy", aggfunc="mean")
    table.index.name, table.columns.name = None, "labels per class"
    draws = few["draw"].nunique()
    of = f"mean of {draws} draws" if draws > 1 else "one draw"
    text = table.to_string(float_format=number, na_rep=NOTHING)
    return f"Test accuracy from a few labels{told} ({of}):\n{text}"
