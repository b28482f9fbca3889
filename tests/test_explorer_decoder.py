"""The decoder that draws in the page: the same images as the model's own."""

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

from ae_cluster.autoencoder import AutoEncoder
from ae_cluster.explorer import write_page
from ae_cluster.run_folder import read_codes

pytest_plugins = ("explorer_fixtures",)


@pytest.mark.parametrize(
    ("kind", "activation", "sizes", "largest"),
    [
        ("dense", "tanh", (20, 7), 1e-4),
        ("dense", "relu", (20, 7), 1e-4),
        ("dense", "logistic", (20,), 1e-4),
        ("dense", "identity", (), 1e-4),
        ("dense", "relu", (300, 1400), 1 / 255),  # in half precision
        ("conv", "relu", (), 1e-4),
    ],
)
def test_the_live_decoder_is_inverse_transform(
    open_page, tmp_path, kind, activation, sizes, largest
):
    images, y = small_images()
    folder = make_run(tmp_path, {"x": images, "y": y}, kind=kind)
    model = AutoEncoder(3, sizes, activation, kind=kind, image_shape=(9, 9), max_iter=2)
    place = folder / "methods" / "kmeans" / "model"
    model.fit(images.reshape(len(images), -1)).save(place, force=True)
    page = open_page(write_page(folder))
    codes = np.random.default_rng(0).normal(scale=3, size=(40, 3)).astype(np.float32)
    apart = decoded_in_page(page, codes) - model.inverse_transform(codes)
    assert np.abs(apart).max() < largest


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


def test_the_cursor_follows_the_pointer(page):
    page.click("[data-tool=cursor]")
    page.evaluate("explorer.moveCursor(explorer.codeInTheMiddle())")
    start = np.array(page.evaluate("stage.pixelOf(explorer.cursorPlace)"))
    drag(page, start, start + np.array([90, -60]))
    end = np.array(page.evaluate("stage.pixelOf(explorer.cursorPlace)"))
    assert np.abs(end - start - [90, -60]).max() < 6


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
