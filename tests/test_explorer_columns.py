"""Columns of a user's table that are not clustered, on the page: categories, text, numbers."""

import numpy as np
import pandas as pd
import pytest
from explorer_page import blobs, content_of, wait_until

from ae_cluster.explorer import write_page
from ae_cluster.records.config import RunConfig
from ae_cluster.runs.run import run

pytest_plugins = ("explorer_fixtures",)
NASTY = "<img src=x onerror=alert(1)>"
BY_ID = "Object.fromEntries(explorer.cloud.ids.map((id, row) => [id, explorer.isShown(row)]))"


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Give the table of a run with columns of every kind, and its page."""
    folder = tmp_path_factory.mktemp("columns")
    x, _ = blobs(columns=3)
    numbers = np.arange(90)
    table = pd.DataFrame({"name": [f"r{i}" for i in numbers], "a": x[:, 0], "b": x[:, 1]})
    table["kind"] = np.array(["oak", "ash", NASTY])[numbers // 2 % 3]
    table["place"] = [None if i % 9 == 0 else ["north", "south"][i % 2] for i in numbers]
    table["note"] = [f"Seen on path {i} {NASTY}" for i in numbers]
    table["height"] = np.where(numbers % 5 == 0, np.nan, numbers * 1.5)
    table["day"] = pd.date_range("2020-01-01", periods=90).astype(str)
    table.to_csv(folder / "trees.csv", index=False)
    config = RunConfig(
        dataset=str(folder / "trees.csv"), epochs=2, n_clusters=3, methods=("kmeans",), draws=1,
        budgets=(1,), id_column="name", categorical=("kind",),
        drop=("place", "note", "height", "day"),
    )  # fmt: skip
    run(config, folder / "run", figures=False)
    told = []
    html = write_page(folder / "run", split="all", say=told.append)
    assert told[0].endswith("It carries the columns kind, place, note, height and day, too.")
    return table.set_index("name"), html


def test_dots_are_hidden_and_coloured_by_any_column(open_page, table):
    table, html = table
    described = content_of(html)["described"]
    kinds = {column["name"]: column["kind"] for column in described}
    assert kinds == {
        "kind": "category", "place": "category", "note": "text", "height": "number", "day": "text",
    }  # fmt: skip
    page = open_page(html, width=390)
    names = page.locator("#column option").all_inner_texts()

    def shown():
        found = page.evaluate(BY_ID)
        return {name for name, is_shown in found.items() if is_shown}

    page.select_option("#column", str(names.index("place")))
    boxes = page.locator("#column-categories label")
    assert boxes.locator(".name").all_inner_texts() == ["north", "south", "nothing"]
    counts = boxes.locator(".count").all_inner_texts()
    assert [int(n) for n in counts] == [
        *table["place"].value_counts().sort_index(), table["place"].isna().sum(),
    ]  # fmt: skip
    colors = np.reshape(page.evaluate("[...explorer.paint]"), (-1, 4))[:, :3]
    assert len(np.unique(colors, axis=0)) == 3
    boxes.nth(1).locator("input").uncheck()
    assert shown() == set(table.index[table["place"] != "south"])
    page.click("#link")
    link = page.evaluate("location.hash")
    page.click("#column-all")
    assert shown() == set(table.index)
    assert boxes.nth(1).locator("input").is_checked()
    page.evaluate("location.hash = ''")
    page.evaluate("hash => { location.hash = hash; }", link)
    wait_until(page, "explorer.columns.without.size === 1")

    page.select_option("#column", str(names.index("kind")))
    assert shown() == set(table.index)
    page.locator("#column-categories input").nth(0).uncheck()  # the first by its name
    assert shown() == set(table.index[table["kind"] != NASTY])

    page.select_option("#column", str(names.index("note")))
    page.fill("#column-text", "PATH 4")
    assert shown() == set(table.index[table["note"].str.contains("path 4")])
    assert page.locator("#legend .count").first.inner_text() == "11"

    page.select_option("#column", str(names.index("height")))
    page.fill("#column-low", "100")
    assert shown() == set(table.index[table["height"] >= 100])
    assert "of 90 dots" in page.inner_text("#column-words")
    assert page.locator("img").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
