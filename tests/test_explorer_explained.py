"""The page explains clusters and finds samples, as `describe` does; a notebook shows it."""

import html
import re

import numpy as np
import pytest
from explorer_page import blobs, content_of, make_run, pixels, small_images, wait_until
from PIL import Image

from ae_cluster import load_run
from ae_cluster.explorer import write_page
from ae_cluster.runs.describe import describe_run

pytest_plugins = ("explorer_fixtures",)
EVIL = '</script><img src=x onerror="alert(1)">'


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Give a run of images with two labels that are wrong, two equal images, and odd names."""
    folder = tmp_path_factory.mktemp("images")
    x, y = small_images()
    x[7] = x[3 + 1]
    y = np.where(np.isin(np.arange(90), [10, 50]), (y + 1) % 3, y)
    ids = np.array([f"Bild {i}.png" for i in range(89)] + [EVIL])
    names = np.array(["cat", EVIL, "dog"])
    return make_run(folder, {"x": x, "y": names[y], "ids": ids}, methods=("kmeans",))


@pytest.fixture(scope="module")
def images_page(images):
    return write_page(images, images / "p.html", split="all")


@pytest.fixture(scope="module")
def table_page(tmp_path_factory):
    x, _ = blobs()
    folder = make_run(tmp_path_factory.mktemp("table"), {"x": x}, methods=("kmeans",))
    return write_page(folder, folder / "p.html", split="all")


def test_what_a_page_says_is_what_describe_says(images, images_page):
    content = content_of(images_page)
    explained, cloud = content["methods"][0]["explained"][0], content["clouds"][0]
    told = describe_run(images)
    for of, (_, row) in zip(explained["clusters"], told.clusters.iterrows(), strict=True):
        assert of["id"] == row["cluster"]
        for name in ("typical", "outliers"):
            assert [cloud["ids"][i] for i in of[name]] == list(row[name])
    errors = [cloud["ids"][row] for row, *_ in explained["doubtful"]]
    assert errors == told.label_errors["id"].tolist()
    pairs = [[cloud["ids"][a], cloud["ids"][b]] for a, b, _ in cloud["pairs"]]
    assert pairs == told.duplicates[["id", "other"]].to_numpy().tolist()
    assert set(pairs[0]) == {"Bild 4.png", "Bild 7.png"}
    assert explained["means"]["n"] == 3


def test_a_cluster_is_explained_and_its_samples_are_kept(open_page, images_page):
    for width, scheme in ((1280, "light"), (390, "dark")):
        page = open_page(images_page, width=width, scheme=scheme)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        names = page.locator("#explain-cluster option").all_text_contents()
        assert len(names) == 3
        page.select_option("#explain-cluster", "1")
        told = page.locator("#explained").inner_text()
        assert all(word in told for word in ("purity", "most typical", "borderline", "outliers"))
        mean = "document.querySelector('.means canvas').getContext('2d').getImageData(4, 4, 1, 1)"
        wait_until(page, f"{mean}.data[3] === 255")
        page.locator("#explained .sample").first.click()
        row = page.evaluate("explorer.explained.clusters[1].typical[0]")
        assert page.evaluate("explorer.kept.map(dot => dot.row)") == [row]
        page.locator("#explain-select").click()
        of = page.evaluate("[...explorer.selected].map(row => explorer.clusters[row])")
        assert set(of) == {1}


def test_samples_are_found_by_what_they_are_called(open_page, images_page):
    page = open_page(images_page)
    finds = "text => rowsWith(explorer, text).map(row => explorer.cloud.ids[row])"
    assert set(page.evaluate(finds, "BILD 8")) == {"Bild 8.png"} | {
        f"Bild {i}.png" for i in range(80, 89)
    }
    clusters = page.evaluate("[...explorer.clusters]")
    assert len(page.evaluate(finds, "cluster 2")) == clusters.count(2)
    n_dogs = page.evaluate(
        "[...explorer.cloud.labels].filter(i => explorer.className(i) === 'dog').length"
    )
    assert len(page.evaluate(finds, "dog")) == n_dogs > 0
    assert page.evaluate(finds, "  ") == page.evaluate(finds, "no such") == []
    page.fill("#find", "onerror")
    assert "onerror=" in page.locator("#found").inner_text()
    assert page.locator("#found img").count() == 0
    page.keyboard.press("Enter")
    assert page.evaluate("explorer.selected.size") == page.evaluate(
        "rowsWith(explorer, 'onerror').length"
    )


def test_doubtful_labels_and_near_duplicates_are_lists(open_page, images_page):
    page = open_page(images_page)
    page.select_option("#find-what", "pairs")
    assert "the same as Bild" in page.locator("#found").inner_text()
    page.select_option("#find-what", "errors")
    n = page.evaluate("explorer.explained.doubtful.length")
    assert page.locator("#found li").count() == n
    if n:
        page.locator("#select-found").click()
        assert page.evaluate("explorer.selected.size") == n


def test_a_table_is_told_by_columns_with_strips(open_page, table_page):
    page = open_page(table_page)
    assert page.locator(".columns li").count() == 5
    assert re.search(r"[+-]\d+\.\d\d \(-?\d", page.locator(".columns").inner_text())
    assert pixels(page, ".strip").any()
    assert "purity" not in page.locator("#explained").inner_text()


def test_a_column_colours_and_hides(open_page, table_page):
    page = open_page(table_page)
    page.select_option("#column", "2")
    assert page.evaluate("explorer.coloringName") == "column"
    values = np.array(page.evaluate("[...explorer.columns.values(0, 90)]"))
    colors = page.evaluate("[...explorer.paint]")
    red = np.array(colors).reshape(-1, 4)[:, 0]
    assert red[values.argmin()] != red[values.argmax()]
    middle = float(np.median(values))
    page.fill("#column-low", str(middle))
    shown = np.array(page.evaluate("explorer.shownRows()"))
    assert shown.tolist() == np.flatnonzero(values >= np.float32(middle)).tolist()
    assert f"{len(shown)} of 90 dots" in page.locator("#column-words").inner_text()
    page.locator("#link").click()
    link = page.evaluate("location.hash")
    page.wait_for_timeout(100)
    assert page.evaluate("explorer.shownRows().length") == len(shown)
    page.locator("#column-all").click()
    assert page.evaluate("explorer.shownRows().length") == 90
    page.evaluate("location.hash = ''")
    page.evaluate("hash => { location.hash = hash; }", link)
    wait_until(page, f"explorer.shownRows().length === {len(shown)}")
    page.evaluate("location.hash = 'column=99&colour=column&range=x'")
    page.wait_for_timeout(100)
    assert page.evaluate("explorer.columns.number") == 2


def test_a_link_leads_to_the_same_view_and_a_wrong_one_nowhere(open_page, images_page):
    page = open_page(images_page)
    page.evaluate("explorer.colorBy('confidence'); stage.zoom(1.7)")
    page.locator("#link").click()
    hash_ = page.evaluate("location.hash")
    assert "method=kmeans" in hash_
    before = page.evaluate("[explorer.coloringName, stage.view.distance, stage.view.azimuth]")
    page.evaluate("explorer.colorBy('cluster'); stage.reset(); location.hash = ''")
    page.evaluate("hash => { location.hash = hash; }", hash_)
    wait_until(page, "explorer.coloringName === 'confidence'")
    after = page.evaluate("[explorer.coloringName, stage.view.distance, stage.view.azimuth]")
    assert after[0] == before[0]
    assert after[1:] == pytest.approx(before[1:], rel=1e-4)
    page.evaluate(
        "location.hash = 'samples=x&method=<b>&colour=constructor&view=1,2,-3,NaN,x,<img>'"
    )
    page.wait_for_timeout(200)
    assert page.evaluate("[explorer.coloringName, stage.view.distance]") == after[:2]


@pytest.mark.slow
def test_the_view_is_saved_as_a_png_with_its_dots(open_page, images_page):
    page = open_page(images_page)
    with page.expect_download() as saved:
        page.locator("#save-picture").click()
    assert saved.value.suggested_filename == "codes.png"
    picture = np.asarray(Image.open(saved.value.path()).convert("RGB"))
    size = page.evaluate("[stage.size.height * stage.ratio, stage.size.width * stage.ratio]")
    assert picture.shape[:2] == pytest.approx(size, abs=1)
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 20


@pytest.mark.slow
def test_two_hundred_thousand_are_searched_in_a_tenth_of_a_second(open_page, images_page):
    page = open_page(images_page)
    seconds = page.evaluate(
        """() => {
          const n = 200000;
          const ids = Array.from({ length: n }, (_, i) => `folder ${i % 7}/Picture ${i}.png`);
          const cloud = { n, ids, labels: new Int32Array(n) };
          const { content } = explorer;
          const many = { cloud, content, clusters: new Int32Array(n) };
          rowsWith(many, "x");  // as the box is entered
          const times = ["picture 19999", "7/p", "none", "cluster 0"].map((text) => {
            const start = performance.now();
            rowsWith(many, text);
            return performance.now() - start;
          });
          return times.sort((a, b) => a - b)[2] / 1000;
        }"""
    )
    assert seconds <= 0.1


def test_a_notebook_shows_the_page_in_a_closed_frame(images, open_page, tmp_path):
    page = load_run(images).page(split="all", height=500)
    text = page._repr_html_()
    (source,) = re.findall(r'srcdoc="([^"]*)"', text)
    assert html.unescape(source) == page.html
    (tmp_path / "page.html").write_text(page.html, encoding="utf-8")
    assert content_of(tmp_path / "page.html")["name"] == "mine.npz"
    assert text.count("<") == 2  # the frame alone
    assert 'sandbox="allow-scripts allow-downloads"' in text
    assert "height: 500px" in text
    (tmp_path / "cell.html").write_text(f"<!doctype html><body>{text}</body>", encoding="utf-8")
    shown = open_page(tmp_path / "cell.html")
    frame = shown.frame_locator("iframe")
    frame.locator("#explained dl").wait_for()
    assert frame.locator("#title").inner_text() == "mine.npz"
