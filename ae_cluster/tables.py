"""Rows to tables that people read."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

SHOWN = {
    "accuracy": "accuracy",
    "accuracy_matched": "matched",
    "purity": "purity",
    "nmi": "NMI",
    "ami": "AMI",
    "ari": "ARI",
    "neighbor_accuracy": "neighbours",
    "seconds": "seconds",
}

HOW_TO_READ = """\
How to read it: each class is matched with one cluster; accuracy learns the match on the
training samples, matched on these test samples themselves, as papers do. purity
and NMI rise with k, AMI and ARI are corrected for chance (0 random, 1 perfect).
neighbours is what ten nearest neighbours reach on these codes with all labels: about
the most that any classifier on them can. pca and untrained are what training must beat."""
NO_LABELS = """\
No test sample has a label, so nothing here can say whether the clusters mean anything:
look at the figures."""


def run_report(rows: pd.DataFrame, out: Path) -> str:
    """Return what a run says at its end: scores, how to read them, and where the files lie."""
    parts = [clustering_table(rows)]
    labelled = few_label_table(rows)
    if labelled:
        parts.append(labelled)
    figures = sorted((out / "figures").glob("*.png"))
    if figures:
        listed = "\n".join(f"  {path}" for path in figures)
        parts.append(f"Figures, each with its caption beside it:\n{listed}")
    parts.append(f"Everything else (scores.csv, codes, model, config): {out}")
    return "\n\n".join(parts)


def clustering_table(rows: pd.DataFrame) -> str:
    """Return the test scores of every clustering, and how to read them."""
    test = rows[(rows["split"] == "test") & rows["budget"].isna()]
    shown = test.set_index(test["features"] + " → " + test["method"])
    columns = {k: v for k, v in SHOWN.items() if shown[k].notna().any()}
    text = shown[list(columns)].rename(columns=columns).to_string(float_format=_short, na_rep="–")
    failed = shown.loc[shown["status"] != "ok", "reason"]
    notes = [f"  {name} failed: {reason}" for name, reason in failed.items()]
    k = int(test["n_clusters"].iloc[0])
    how = HOW_TO_READ if "accuracy_matched" in columns else NO_LABELS
    return "\n".join([f"Held-out test scores, k = {k}:", text, *notes, how])


def few_label_table(rows: pd.DataFrame) -> str:
    """Return the mean test accuracy by label budget, or "" where no label is known."""
    few = rows[rows["budget"].notna() & rows["accuracy"].notna()]
    if few.empty:
        return ""
    few = few.assign(budget=few["budget"].astype(int), name=few["features"] + " → " + few["method"])
    table = few.pivot_table(index="name", columns="budget", values="accuracy", aggfunc="mean")
    table.index.name, table.columns.name = None, "labels per class"
    draws = few["draw"].nunique()
    text = table.to_string(float_format=_short, na_rep="–")
    return f"Test accuracy from a few labels (mean of {draws} draws):\n{text}"


def _short(value: float) -> str:
    return f"{value:.3f}"
