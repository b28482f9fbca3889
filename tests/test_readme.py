"""The READMEs do what they say, and their numbers follow from rows."""

import re
from pathlib import Path

import pandas as pd
import pytest

from ae_cluster.reports.literature import LITERATURE, PUBLISHED

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
RESULTS = (ROOT / "results" / "README.md").read_text(encoding="utf-8")
EXPERIMENTS = (ROOT / "experiments" / "README.md").read_text(encoding="utf-8")
PAGES = {
    path: path.read_text(encoding="utf-8")
    for path in (ROOT, *(ROOT / name for name in ("results", "experiments", "ae_cluster")))
    for path in [path / "README.md"]
}


def test_it_is_read_to_the_end():
    assert len(README.splitlines()) <= 220
    assert re.findall(r"^## (.+)$", README, re.M) == [
        "Install", "I have …", "Which method for me", "Python", "What the scores mean",
        "How good it is", "Limitations", "Questions", "Cite", "中文简介",
    ]  # fmt: skip


def test_the_ten_lines_of_python_run_twice(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", README, re.S)
    (lines,) = [block for block in blocks if "AutoEncoder(" in block]
    # A fit of few samples and steps: what is tested is that the lines run.
    quick = lines.replace("=0).fit(data.x_train)", "=0, min_steps=20).fit(data.x_train[:100])")
    assert quick != lines
    for _ in range(2):
        names = {}
        exec(compile(quick, "README.md", "exec"), names)
    assert names["clusters"].shape == (450,)
    assert names["codes"].shape == (450, 3)
    assert names["images"].shape == (450, 64)
    assert (tmp_path / "my_model" / "model.json").is_file()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.parent.name)
def test_what_a_page_names_exists(path):
    for name in set(re.findall(r"experiments\.([a-z]\w*)", PAGES[path])):
        assert (ROOT / "experiments" / f"{name}.py").is_file(), name
    for link in re.findall(r"\]\(([^)#]+)\)", PAGES[path]):
        assert (path.parent / link).exists(), link
    folders = "ae_cluster|experiments|results|tests|gallery|figures|tables"
    for name in re.findall(rf"`((?:{folders})/[\w/.]+\.(?:py|md|csv))`", PAGES[path]):
        there = "NAME" in name or "NEW" in name  # what a reader is to add
        assert there or (ROOT / name).exists() or (path.parent / name).exists(), name


def test_every_experiment_and_every_script_of_the_gallery_has_its_line():
    commands = {path.stem for path in (ROOT / "experiments").glob("[a-z]*.py")}
    named = set(re.findall(r"experiments\.(\w+)|`… \.(\w+)`", EXPERIMENTS))
    assert commands - {a or b for a, b in named} - {"figures", "headline"} == set()
    scripts = {path.name for path in (ROOT / "experiments" / "gallery").glob("*.py")}
    assert scripts == set(re.findall(r"`gallery/(\w+\.py)`", EXPERIMENTS))


def number(text):
    return f"{text:.3f}".lstrip("0")


def held_out(dataset, features, method):
    """Return the ten accuracies of a pipeline on held-out samples."""
    rows = pd.read_csv(ROOT / "results" / f"compare_clustering-{dataset}.csv")
    rows = rows[(rows["split"] == "test") & (rows["features"] == features)]
    found = rows[(rows["method"] == method) & (rows["status"] == "ok")]
    assert sorted(found["seed"]) == list(range(10))
    return found


def by_others(dataset):
    """Return the accuracies that others report of a data set, as they are written."""
    accs = [one.acc for one in PUBLISHED if one.dataset == dataset]
    ours = [a.scores["ACC"] for place, a in LITERATURE.items() if place[0] == dataset]
    return {part for acc in accs for part in acc.split(" · ")} | {number(low) for low, _ in ours}


LINE = re.compile(
    r"^\| ([\w-]+) \| ([\w-]+) → (\w+)[^|]* \| (\d+) "
    r"\| \**(\.\d+)\** \((\.\d+) – (\.\d+)\) \| (\.\d+) \| (.+) \|$",
    re.M,
)


def test_the_table_of_how_good_it_is_follows_from_rows():
    lines = LINE.findall(README)
    assert len(lines) == 6
    for dataset, features, method, size, median, low, high, pixels, others in lines:
        rows = held_out(dataset, features, method)
        assert set(rows["n_components"]) == {int(size)}
        found = rows["accuracy"]
        assert (median, low, high) == (
            number(found.median()), number(found.min()), number(found.max()),
        )  # fmt: skip
        assert pixels == number(held_out(dataset, "pixels", "kmeans")["accuracy"].median())
        said = re.match(r"\**(\.\d+)\**", others)
        assert others == "–" if said is None else said[1] in by_others(dataset)


def test_the_line_of_a_table_is_in_the_table():
    table = (ROOT / "results" / "tables" / "clustering-accuracy.md").read_text(encoding="utf-8")
    starts = ("| data | split", "| digits | test")
    lines = [line for line in README.splitlines() if line.startswith(starts)]
    assert len(lines) == 2
    assert set(lines) <= set(table.splitlines())


def test_the_spread_over_seeds_is_the_results_file():
    for method, form in (("kmeans", "KMeans is {} to {} (median {})"), ("gmm", "{} to {} ({})")):
        found = held_out("digits", "autoencoder", method)["accuracy"]
        said = [f"{x:.2f}".lstrip("0") for x in (found.min(), found.max(), found.median())]
        assert form.format(*said) in " ".join(README.split())


def test_losses_stand_in_the_table():
    """Where others do better, theirs is the bold number, not ours."""
    for *_, median, _, _, _, others in LINE.findall(README):
        if said := re.match(r"\**(\.\d+)\**", others):
            ours_is_better = float(median) > float(said[1])
            assert f"**{median}**" in README if ours_is_better else others.startswith("**")
    assert sum(row[-1].startswith("**") for row in LINE.findall(README)) >= 2


def test_the_fall_on_uneven_classes_is_the_results_file():
    rows = pd.read_csv(ROOT / "results" / "robustness-mnist-uneven.csv")
    rows = rows[(rows["split"] == "test") & (rows["method"] == "kmeans")]
    assert f"MNIST drops to {number(rows['accuracy'].median())}" in README


def test_the_recipe_table_is_the_results_file():
    rows = pd.read_csv(ROOT / "results" / "recipe.csv")
    assert rows["seed"].tolist() == list(range(10))
    for column in ("kmeans_accuracy", "gmm_accuracy"):
        found = rows[column]
        told = f"| {number(found.median())} | {number(found.min())} – {number(found.max())} |"
        assert told in RESULTS, column
    ratio = rows["mse_ratio"]
    assert f"| {number(ratio.median())} | {number(ratio.min())} – {ratio.max():.3f} |" in RESULTS


@pytest.mark.parametrize(
    ("way", "column", "form"),
    [
        ("ours", "epoch_seconds", "{:.2f}"),
        ("tutorial", "epoch_seconds", "{:.2f}"),
        ("ours", "tutorial_over_epoch_seconds", "{:.1f} times the tutorial's speed"),
        ("ours", "epoch_over_products", "{:.1f} times its matrix products"),
    ],
)
def test_the_speed_table_is_the_results_file(way, column, form):
    value = pd.read_csv(ROOT / "results" / "speed.csv", index_col="way").loc[way, column]
    assert form.format(value) in " ".join(RESULTS.split())


@pytest.mark.parametrize(
    ("way", "name"),
    [("kmeans to parquet", "KMeans, to Parquet"), ("kmeans to csv", "KMeans, to CSV")],
)
def test_the_table_of_assigning_is_the_results_file(way, name):
    row = pd.read_csv(ROOT / "results" / "assign_speed.csv", index_col="way").loc[way]
    told = f"| {name} | {row.rows_per_second:,.0f} | {row.share_of_network_alone:.2f} | "
    assert told in RESULTS
    assert row.anonymous_mb <= 600
