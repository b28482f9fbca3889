"""The explorer of any run in any browser: hostile names, missing parts, other sizes, no WebGL."""

import csv
import io
import json
import shutil

import numpy as np
import pytest
from explorer_page import (
    decoded_in_page,
    lonely_dot,
    make_run,
    on_page,
    pixels,
    small_images,
    wait_until,
)

from ae_cluster.autoencoder.estimator import AutoEncoder
from ae_cluster.explorer import write_page
from ae_cluster.records.reading import read_codes

NASTY = "</script><img src=x onerror=alert(1)><!--"
pytest_plugins = ("explorer_fixtures",)


def test_text_from_the_data_never_becomes_markup(open_page, tmp_path):
    images, y = small_images()
    names = np.array([NASTY, "{{script}}" + 900 * "L", "a,\"b'\u2028\u202e"])[y]
    ids = np.array([f"={NASTY}{i}" + 900 * "i" for i in range(len(y))])
    folder = make_run(tmp_path, {"x": images, "y": names, "ids": ids})
    (folder / "methods" / "kmeans").rename(folder / "methods" / "<b>k&means")
    config = json.loads((folder / "config.json").read_text())
    config["data"]["name"] = NASTY
    config["methods"]["<b>k&means"] = config["methods"].pop("kmeans")
    (folder / "config.json").write_text(json.dumps(config))
    page = open_page(write_page(folder))
    assert page.inner_text("h1") == NASTY
    assert page.title().startswith(NASTY)
    page.evaluate("explorer.keep(0)")
    page.evaluate("explorer.select([0, 1])")
    assert page.locator("#kept .dot-id").inner_text().startswith(f"={NASTY}")
    assert NASTY in page.locator("#groups .name").all_inner_texts()
    assert "<b>k&means" in page.locator("#method option").all_inner_texts()
    assert page.locator("img, b").count() == 0
    rows = list(csv.reader(io.StringIO(page.evaluate("csv()"))))
    assert rows[1][0].startswith(f"'={NASTY}")  # not a formula to a spreadsheet
    assert len(rows) == 3
    page.set_viewport_size({"width": 390, "height": 844})
    page.evaluate("explorer.hover(0); stage.draw()")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate("document.getElementById('tip').offsetHeight < stage.size.height")


def test_no_foreign_script_runs_and_nothing_is_fetched_or_evaluated(page):
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=foul=1>')")
    page.wait_for_timeout(100)
    assert page.evaluate("typeof foul") == "undefined"
    fetched = "fetch('data:,x').then(() => 'fetched', (error) => error.name)"
    assert page.evaluate(fetched) == "TypeError"
    evaluated = """new Promise((resolve) => setTimeout(() => {
      try { resolve(new Function("return 1")()); } catch (error) { resolve(error.name); }
    }))"""
    assert page.evaluate(evaluated) == "EvalError"


FIRST_PICTURE = """(() => {
  const { prototype } = WebGL2RenderingContext;
  const draw = prototype.drawArrays;
  prototype.drawArrays = function (mode, first, count) {
    const { width, height, clientWidth, clientHeight } = this.canvas;
    globalThis.firstPicture ??= {
      count,
      isWhole: width === clientWidth && height === clientHeight,
      state: document.readyState,
      coloring: document.getElementById("coloring").value,
      sheets: document.querySelectorAll("[type='image/png;base64']").length,
      panels: document.querySelectorAll("#groups, #confusion, #explained, #scores").values()
        .reduce((sum, panel) => sum + panel.childElementCount, 0),
    };
    return draw.call(this, mode, first, count);
  };
})()"""


def test_the_dots_are_drawn_before_the_images_are_read_and_the_panels_filled(page, html):
    page.add_init_script(FIRST_PICTURE)
    page.goto(f"{html.as_uri()}#colour=cluster")
    page.reload()
    first = page.evaluate("firstPicture")
    n = page.evaluate("explorer.cloud.n")
    assert first == {
        "count": n,
        "isWhole": True,
        "state": "loading",
        "coloring": "cluster",  # as the link has it
        "sheets": 0,
        "panels": 0,
    }
    assert page.locator("[type='image/png;base64']").count() > 0
    for panel in ("#groups", "#confusion", "#explained", "#scores"):
        assert page.locator(f"{panel} *").count() > 0, panel


def test_without_labels_and_of_a_single_test_sample(open_page, tmp_path):
    images, _ = small_images()
    folder = make_run(tmp_path, {"x_train": images[1:], "x_test": images[:1]})
    page = open_page(write_page(folder))
    assert page.inner_text("#caption").startswith("The one test sample, a dot at")
    assert "how long they took" in page.inner_text("#scores-words")
    assert page.evaluate("explorer.coloringName") == "cluster"
    assert page.locator("#coloring option").all_inner_texts() == ["cluster", "confidence"]
    assert "has a label" in page.inner_text("#confusion-words")
    assert page.locator("#confusion").is_hidden()


@pytest.mark.parametrize("size", [1, 2, 5])
def test_codes_of_other_sizes_are_shown_and_said_to_be(open_page, tmp_path, size):
    images, y = small_images()
    folder = make_run(tmp_path, {"x": images, "y": y}, n_components=size)
    page = open_page(write_page(folder))
    words = {1: "heights are random", 2: "the picture is flat", 5: "first three principal axes"}
    assert words[size] in page.inner_text("#caption")
    assert page.locator("#sliders input").count() == min(size, 3)
    codes = read_codes(folder, "kmeans")["codes_test"]
    model = AutoEncoder.load(folder / "methods" / "kmeans" / "model")
    expected = model.inverse_transform(codes)
    assert np.allclose(decoded_in_page(page, codes), expected, atol=1e-4)
    page.evaluate("explorer.moveCursor(explorer.codeOf(2))")
    place = np.array(page.evaluate("explorer.cursorPlace"))
    shown = np.array(page.evaluate("Array.from(stage.places.slice(6, 9))"))
    apart = np.abs(place - shown)
    assert (apart[0] if size == 1 else apart.max()) < 1e-4
    page.click("#play")
    wait_until(page, "explorer.moment > 0")


def test_older_runs_moved_data_and_missing_models(open_page, tmp_path):
    images, y = small_images()
    folder = make_run(tmp_path, {"x": images, "y": y})
    shutil.rmtree(folder / "methods" / "gmm")
    (folder / "methods" / "kmeans" / "snapshots.npz").unlink()
    (folder / "scores.csv").write_text("method,split\nkmeans,test\n")
    shutil.rmtree(folder / "methods" / "kmeans" / "model")
    (tmp_path / "mine.npz").unlink()
    page = open_page(write_page(folder))
    assert page.locator("#film").is_hidden()
    assert "has no scores" in page.inner_text("#scores-words")
    assert "no live decoder" in page.inner_text("#no-decoder")
    assert "was not found" in page.inner_text("#picture-note")
    page.mouse.move(*on_page(page, *lonely_dot(page)[1]))
    assert page.locator("#tip .dot-id").is_visible()
    assert page.locator("#tip canvas").count() == 0


def test_without_webgl_the_page_says_so_and_the_rest_works(start_browser, open_page, html):
    page = open_page(html, in_browser=start_browser("--disable-3d-apis"))
    assert "WebGL is off or missing" in page.inner_text("#stage")
    page.locator("#cursor-0").focus()
    before = pixels(page, "#decoded")
    page.keyboard.press("End")
    assert (pixels(page, "#decoded") != before).any()
    page.locator("#confusion tbody button").first.click()
    assert "dots selected" in page.inner_text("#selected")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_serious(open_page, html, width, scheme):
    from axe_playwright_python.sync_playwright import Axe

    page = open_page(html, width=width, scheme=scheme)
    page.evaluate("explorer.keep(0); explorer.select([0, 1, 2]); explorer.setTool('cursor')")
    page.evaluate("explorer.label([0, 1], '0'); explorer.label([2, 3], '1')")
    page.evaluate("for (const list of document.querySelectorAll('details')) list.open = true")
    for language in ("en", "zh"):
        page.evaluate(f"explorer.setLanguage('{language}')")
        found = Axe().run(page).response["violations"]
        bad = [v for v in found if v["impact"] in ("serious", "critical")]
        assert [(v["id"], v["nodes"][0]["html"]) for v in bad] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_dark_and_light_differ_and_can_be_switched(open_page, html):
    page = open_page(html, scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(ground)
    page.click("#theme")
    assert page.evaluate(ground) != dark
    assert page.locator("#theme").get_attribute("aria-label") == "Show the page in dark colours"
