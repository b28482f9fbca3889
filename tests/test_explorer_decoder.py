"""The decoder that draws in the page: the same images as the model's own."""

import json
import shutil

import numpy as np
import pytest
from explorer_page import (
    blobs,
    decoded_in_page,
    drag,
    lonely_dot,
    make_run,
    on_page,
    pixels,
    small_images,
    wait_until,
)

from ae_cluster.autoencoder.estimator import AutoEncoder
from ae_cluster.clustering.deep import DCN, DEC, IDEC, VaDE
from ae_cluster.clustering.sorting import SortingAutoEncoder
from ae_cluster.explorer import write_page
from ae_cluster.records.reading import read_codes

pytest_plugins = ("explorer_fixtures",)


def decoders():
    """Return name → an unfitted estimator, for every kind of decoder there is."""
    few = {"image_shape": (9, 9), "max_iter": 2, "random_state": 0}
    plain = AutoEncoder(3, (20, 7), **few)
    found = {
        "tanh": plain,
        "relu": AutoEncoder(3, (20, 7), "relu", **few),
        "logistic": AutoEncoder(3, (20,), "logistic", **few),
        "identity": AutoEncoder(3, (), "identity", **few),
        "halved": AutoEncoder(3, (300, 1400), "relu", **few),
        "conv": AutoEncoder(3, activation="relu", kind="conv", **few),
    }
    deep = {kind.__name__: kind(3, plain, max_iter=1) for kind in (DEC, IDEC, DCN, VaDE)}
    short = {"max_iter": 1, "decoder_max_iter": 1, "min_steps": 4, "random_state": 0}
    return found | deep | {"sorting": SortingAutoEncoder(3, **short)}


@pytest.mark.filterwarnings(
    "ignore::ae_cluster.training.diagnostics.HealthWarning"
)  # nothing is trained well
def test_every_live_decoder_is_inverse_transform(open_page, tmp_path):
    images, y = small_images()
    folder = make_run(tmp_path, {"x": images, "y": y})
    models = decoders()
    config = json.loads((folder / "config.json").read_text())
    config["methods"] |= dict.fromkeys(models, config["methods"]["kmeans"])
    (folder / "config.json").write_text(json.dumps(config))
    for name, model in models.items():
        shutil.copytree(folder / "methods" / "kmeans", folder / "methods" / name)
        place = folder / "methods" / name / "model"
        model.fit(images.reshape(len(images), -1)).save(place, force=True)
    page = open_page(write_page(folder))
    codes = np.random.default_rng(0).normal(scale=3, size=(40, 3)).astype(np.float32)
    shown = page.locator("#method option").all_inner_texts()
    for name, model in models.items():
        page.select_option("#method", str(shown.index(name)))
        apart = np.abs(decoded_in_page(page, codes) - model.inverse_transform(codes)).max()
        assert apart < (1 / 255 if name in ("halved", "sorting") else 1e-4), name


def test_the_decoder_of_a_table_gives_its_units(open_page, tmp_path):
    x, y = blobs()
    folder = make_run(tmp_path, {"x": 1000 + 50 * x, "y": y})
    page = open_page(write_page(folder))
    model = AutoEncoder.load(folder / "methods" / "kmeans" / "model")
    codes = read_codes(folder, "kmeans")["codes_test"]
    assert np.allclose(decoded_in_page(page, codes), model.inverse_transform(codes), rtol=1e-5)
    assert "Each bar is a column" in page.inner_text("#decoder-note")
    page.mouse.move(*on_page(page, *lonely_dot(page)[1]))
    assert page.locator("#tip figure").count() == 2


def test_moving_the_cursor_draws_the_image_there(page, folder):
    before = pixels(page, "#decoded")
    page.click("[data-tool=cursor]")
    drag(page, (400, 300), (480, 340))
    code = np.array(page.evaluate("Array.from(explorer.cursor)"))
    model = AutoEncoder.load(folder / "methods" / "kmeans" / "model")
    expected = model.inverse_transform(code[None].astype(np.float32)).reshape(8, 8) * 255
    assert np.abs(pixels(page, "#decoded") - expected).max() < 1
    assert (pixels(page, "#lens") == pixels(page, "#decoded")).all()
    assert (pixels(page, "#decoded") != before).any()
    moved = page.evaluate("stage.pixelOf(explorer.cursorPlace)")
    page.keyboard.press("Tab")
    page.locator("#stage").focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("stage.pixelOf(explorer.cursorPlace)")[0] > moved[0] + 2
    slider = page.locator("#cursor-0")
    slider.focus()
    x = page.evaluate("explorer.cursor[0]")
    slider.press("PageUp")
    assert page.evaluate("explorer.cursor[0]") > x


def test_the_cursor_follows_the_pointer_and_no_dot_is_drawn_again(page):
    page.click("[data-tool=cursor]")
    page.evaluate("explorer.moveCursor(explorer.codeInTheMiddle())")
    page.wait_for_timeout(50)
    page.evaluate(
        """() => {
          globalThis.drawn = 0;
          const draw = stage.scene.draw.bind(stage.scene);
          stage.scene.draw = () => (drawn++, draw());
        }"""
    )
    start = np.array(page.evaluate("stage.pixelOf(explorer.cursorPlace)"))
    drag(page, start, start + np.array([90, -60]))
    end = np.array(page.evaluate("stage.pixelOf(explorer.cursorPlace)"))
    assert np.abs(end - start - [90, -60]).max() < 6
    page.wait_for_timeout(50)
    assert page.evaluate("drawn") == 0
    page.keyboard.press("0")
    wait_until(page, "drawn === 1")


def test_one_sample_alone_leads_nowhere(open_page, tmp_path):
    images, _ = small_images()
    page = open_page(write_page(make_run(tmp_path, {"x_train": images, "x_test": images[:1]})))
    for control in ("#walk-from", "#walk-to", "#walk", "#walk-play"):
        assert page.locator(control).is_disabled(), control


def test_a_walk_goes_straight_from_one_dot_to_another(page, folder):
    page.evaluate("explorer.keep(3)")
    page.evaluate("explorer.keep(8)")
    codes = read_codes(folder, "kmeans")["codes_test"]
    slider = page.locator("#walk")
    slider.evaluate("(s) => { s.value = 0.25; s.dispatchEvent(new Event('input')); }")
    expected = codes[3] + 0.25 * (codes[8] - codes[3])
    assert np.allclose(page.evaluate("Array.from(explorer.cursor)"), expected, atol=1e-5)
    model = AutoEncoder.load(folder / "methods" / "kmeans" / "model")
    last = model.inverse_transform(codes[8:9]).reshape(8, 8) * 255
    assert np.abs(pixels(page, "#strip canvas:last-child") - last).max() < 1
    page.click("#walk-play")
    wait_until(page, "document.getElementById('walk').value === '1'")
    assert np.allclose(page.evaluate("Array.from(explorer.cursor)"), codes[8], atol=1e-5)


def test_who_wants_stillness_gets_steps(open_page, html):
    page = open_page(html, reduced_motion="reduce")
    page.evaluate("moments = []; explorer.whenever(['film'], () => moments.push(explorer.moment))")
    page.click("#play")
    wait_until(page, "explorer.moment >= 1")
    page.click("#play")
    page.evaluate("explorer.showMoment(null)")
    assert set(page.evaluate("moments")) <= {None, 0, 1, 2, 3}
    page.evaluate(
        """() => {
          globalThis.shares = new Set();
          const walkTo = explorer.walkTo.bind(explorer);
          explorer.walkTo = (a, b, share) => (shares.add(share), walkTo(a, b, share));
        }"""
    )
    page.click("#walk-play")
    wait_until(page, "shares.size > 1")
    assert set(page.evaluate("[...shares]")) <= {0, 1 / 8, 2 / 8, 3 / 8}
