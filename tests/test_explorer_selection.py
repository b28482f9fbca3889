"""Selecting in the explorer: box, lasso, and the cells of the confusion matrix."""

import csv
import io

import numpy as np
import pytest
from explorer_page import dots, drag, picture, wait_until
from matplotlib.path import Path as Polygon

from ae_cluster.records.reading import read_codes

pytest_plugins = ("explorer_fixtures",)


@pytest.mark.parametrize("tool", ["box", "lasso"])
def test_a_drawn_selection_holds_the_dots_inside(page, tool, folder):
    corners = [(250, 120), (520, 150), (470, 380), (300, 330)]
    page.click(f"[data-tool={tool}]")
    places = dots(page)
    drag(page, *corners[:: 2 if tool == "box" else 1])
    outline = corners if tool == "lasso" else [(250, 120), (470, 120), (470, 380), (250, 380)]
    inside = Polygon(outline).contains_points(places)
    rows = sorted(page.evaluate("[...explorer.selected]"))
    border = np.abs(Polygon(outline).contains_points(places, radius=1) ^ inside)
    assert 20 < inside.sum() < 430
    assert set(rows) ^ set(np.flatnonzero(inside)) <= set(np.flatnonzero(border))
    assert page.inner_text("#selected") == f"{len(rows)} of 450 dots selected."
    with page.expect_download() as download:
        page.click("#download")
    text = download.value.path().read_text(encoding="utf-8")
    found = list(csv.DictReader(io.StringIO(text)))
    codes = read_codes(folder, "kmeans")
    assert [line["id"] for line in found] == codes["ids_test"][rows].tolist()
    assert [line["split"] for line in found] == ["test"] * len(rows)
    assert [int(line["label"]) for line in found] == codes["labels_test"][rows].tolist()
    assert [int(line["cluster_kmeans"]) for line in found] == codes["clusters_test"][rows].tolist()


@pytest.mark.parametrize("tool", ["box", "lasso"])
def test_a_selection_is_drawn_with_keys(page, tool):
    page.locator(f"[data-tool={tool}]").focus()
    page.keyboard.press("Enter")
    page.locator("#stage").focus()
    view = page.evaluate("stage.view")
    width, height = page.evaluate("[stage.size.width, stage.size.height]")
    press = page.keyboard.press
    for key in ["Shift+ArrowLeft", "ArrowUp", " ", *["Shift+ArrowRight"] * 3]:
        press(key)
    for key in [*["Shift+ArrowDown"] * 2, *["Shift+ArrowLeft"] * 3 * (tool == "lasso")]:
        press(key)
    press(" ")
    left, top = width / 2 - 60, height / 2 - 12
    corners = [(left, top), (left + 180, top), (left + 180, top + 120), (left, top + 120)]
    inside = set(np.flatnonzero(Polygon(corners).contains_points(dots(page))))
    assert len(inside) > 5
    assert set(page.evaluate("[...explorer.selected]")) == inside
    assert page.evaluate("stage.view") == view
    press(" ")
    press("Escape")
    assert page.evaluate("[stage.pen.place, stage.pen.outline]") == [None, []]


def test_a_cell_of_the_confusion_matrix_lights_up_its_dots(page, folder):
    codes = read_codes(folder, "kmeans")
    labels, clusters = codes["labels_test"], codes["clusters_test"]
    counts = np.zeros((10, 10), dtype=int)
    np.add.at(counts, (labels, clusters), 1)
    wanted = np.unravel_index(np.argsort(counts, axis=None)[-12], counts.shape)
    expected = np.flatnonzero((labels == wanted[0]) & (clusters == wanted[1])).tolist()
    before = picture(page)
    start = f"{len(expected)} of class {wanted[0]} in cluster {wanted[1]} "
    cell = page.locator(f'#confusion button[aria-label^="{start}"]')
    cell.click()
    assert cell.get_attribute("aria-pressed") == "true"
    wait_until(page, "document.getElementById('stage').getBoundingClientRect().top >= 0")
    assert sorted(page.evaluate("[...explorer.selected]")) == expected
    assert picture(page) != before
    shown = [
        int(text) if text != "·" else 0
        for text in page.locator("#confusion tbody button").all_inner_texts()
    ]
    assert sum(shown) == 450
    cell.click()
    assert cell.get_attribute("aria-pressed") == "false"
    assert page.evaluate("explorer.selected") is None
    assert picture(page) == before


def test_the_confusion_matrix_is_walked_with_arrow_keys(page):
    first = page.locator("#confusion tbody button").first
    first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.closest('td').cellIndex") == 2
    assert page.evaluate("document.activeElement.closest('tr').rowIndex") == 2
    assert page.locator('#confusion button[tabindex="0"]').count() == 1
