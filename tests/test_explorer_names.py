"""Names that the user gives clusters in the page: shown, kept, exported and imported."""

import csv
import io

import numpy as np
import pytest
from explorer_page import make_run, small_images, wait_until
from PIL import Image

from ae_cluster.explorer import write_page
from ae_cluster.runs.describe import describe_run, read_names
from ae_cluster.semi_supervised.label_files import read_pairs

pytest_plugins = ("explorer_fixtures",)
NASTY = "=</script><img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    images, _ = small_images()
    names = np.array(["cat", "cow", "dog"])[np.arange(90) % 3]
    arrays = {"x": images, "y": names, "ids": np.array([f"a{i}" for i in range(90)])}
    return make_run(tmp_path_factory.mktemp("names"), arrays)


def saved(page, button):
    """Return the path of the file that a button saves."""
    with page.expect_download() as download:
        page.click(button)
    return download.value.path()


def give_names(page, text, name="names.csv"):
    """Import a file of names; return what the page says."""
    page.evaluate("document.getElementById('names-said').textContent = ''")
    payload = {"name": name, "mimeType": "text/csv", "buffer": text.encode()}
    page.set_input_files("#names-file", payload)
    wait_until(page, "document.getElementById('names-said').textContent !== ''")
    return page.inner_text("#names-said")


def name_cluster(page, number, name):
    page.select_option("#explain-cluster", str(number))
    page.fill("#cluster-name", name)
    page.press("#cluster-name", "Enter")


def test_a_name_stands_wherever_its_cluster_is_told_and_in_every_export(open_page, folder):
    page = open_page(write_page(folder))
    name_cluster(page, 1, "the middle")
    name_cluster(page, 2, NASTY)
    called = ["1: the middle", f"2: {NASTY}"]
    assert page.locator("#explain-cluster option").all_text_contents()[1:] == [
        called[0],
        called[1][:59],
    ]
    assert page.locator("#explain-cluster").input_value() == "2"
    assert page.locator("#select-cluster option").all_text_contents()[2:] == called
    for place in ("#groups .name", "#confusion thead th"):
        words = page.locator(place).all_text_contents()
        assert any(word.startswith("1: the middle") for word in words), place
    page.evaluate("explorer.colorBy('cluster')")
    assert "1: the middle" in page.evaluate("stage.names.map(({ name }) => name)")
    page.evaluate("explorer.keep(explorer.clusters.indexOf(1))")
    assert "1: the middle" in page.locator("#kept dd").all_text_contents()
    page.fill("#find", "THE MIDD")
    n = page.evaluate("[...explorer.clusters].filter((id) => id === 1).length")
    assert f"{n} of" in page.inner_text("#found-words")
    page.click("#select-found")
    rows = list(csv.DictReader(io.StringIO(page.evaluate("csv()"))))
    assert {row["name_kmeans"] for row in rows} == {"the middle"}
    page.evaluate("explorer.label([0, explorer.clusters.indexOf(1)], 'cow')")
    labels = saved(page, "#export-labels")
    assert read_pairs(labels) == page.evaluate("Object.fromEntries(explorer.labels.given)")
    assert "the middle" in labels.read_text(encoding="utf-8")
    assert "1: the middle × " in page.locator("#label-counts").text_content()

    file = saved(page, "#export-names")
    clusters = np.arange(3)
    assert read_names(file, clusters) == {1: "the middle", 2: NASTY}
    described = describe_run(folder, "kmeans", names=file).clusters.set_index("cluster")
    assert described.loc[1, "name"] == "the middle"
    page.reload()
    assert page.locator("#select-cluster option").all_text_contents()[2:] == called
    page.select_option("#method", "1")
    assert not any("middle" in name for name in page.evaluate("explorer.clusterNames"))
    text = file.read_text(encoding="utf-8")
    assert "of kmeans; choose that method first" in give_names(page, text)
    page.select_option("#method", "0")
    assert page.locator("img").count() == 0

    other = open_page(folder / "explorer.html", width=390)  # of another browser, as to storage
    refused = {
        "cluster,name\n9,x\n": "line 2 names “9”, which is no cluster here",
        "id,label\n1,2\n": "does not name the columns cluster and name",
        "cluster,name\n": "it holds no name",
        "cluster,name,run\n1,x,0123\n": "names a cluster of run 0123, not of this one",
    }
    for content, words in refused.items():
        assert words in give_names(other, content, f"{NASTY}.csv")
        assert other.evaluate("explorer.names.given.size") == 0
    assert give_names(other, text).startswith("2 names are from names.csv")
    assert other.evaluate("explorer.clusterNames").count(called[1]) == 1
    assert other.evaluate("document.documentElement.scrollWidth") <= 390
    name_cluster(other, 2, " ")
    assert other.evaluate("[...explorer.names.of('kmeans').keys()]") == [1]


@pytest.mark.slow
def test_the_saved_picture_has_a_legend(open_page, folder):
    page = open_page(write_page(folder))
    page.evaluate("explorer.colorBy('cluster')")
    with page.expect_download() as download:
        page.click("#save-picture")
    picture = np.asarray(Image.open(download.value.path()).convert("RGB"))
    corner = picture[: 30 + 18 * 3, -150:].reshape(-1, 3)
    for color in page.evaluate("explorer.coloring.legend.map(({ color }) => color)"):
        rgb = [int(color[i : i + 2], 16) for i in (1, 3, 5)]
        assert (np.abs(corner.astype(int) - rgb).max(axis=1) < 4).sum() > 20
