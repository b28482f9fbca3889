"""The README does what it says."""

import re
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_ten_lines_of_python_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", README, re.S)
    (lines,) = [block for block in blocks if " AutoEncoder(" in block]
    names = {}
    exec(compile(lines, "README.md", "exec"), names)
    assert names["codes"].shape == (450, 3)
    assert names["images"].shape == (450, 64)
    assert set(names["clusters"]) == set(range(10))
    assert (tmp_path / "my_model" / "model.json").is_file()


def test_every_experiment_named_exists():
    for name in set(re.findall(r"experiments\.(\w+)", README)):
        assert (ROOT / "experiments" / f"{name}.py").is_file()


def number(text):
    return f"{text:.3f}".lstrip("0")


def test_the_recipe_table_is_the_results_file():
    rows = pd.read_csv(ROOT / "results" / "recipe.csv")
    assert rows["seed"].tolist() == list(range(10))
    for column in ("kmeans_accuracy", "gmm_accuracy"):
        found = rows[column]
        told = f"| {number(found.median())} | {number(found.min())} – {number(found.max())} |"
        assert told in README, column
    ratio = rows["mse_ratio"]
    assert f"| {number(ratio.median())} | {number(ratio.min())} – {ratio.max():.3f} |" in README


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
    assert form.format(value) in " ".join(README.split())
