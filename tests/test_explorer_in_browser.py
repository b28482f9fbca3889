"""The explorer in a real Chromium: turned, pointed at, coloured, played."""

import numpy as np
import pytest
from explorer_page import drag, lonely_dot, on_page, picture, pixels, wait_until

from ae_cluster.autoencoder.estimator import AutoEncoder
from ae_cluster.datasets import load_dataset
from ae_cluster.records.reading import read_codes

pytest_plugins = ("explorer_fixtures",)


def test_the_page_opens_alone_and_says_what_it_shows(page):
    assert page.title() == "digits – ae_cluster explorer"
    assert page.inner_text("#summary") == (
        "1,347 training and 450 test samples, 10 clusters, seed 0"
    )
    assert "which was not used to place them" in page.inner_text("#caption")
    assert page.locator("#scores tbody tr").count() == 6


def test_the_same_page_gives_the_same_screenshot(open_page, html):
    first, second, dark = (open_page(html, scheme=s) for s in ("light", "light", "dark"))
    for page in (first, second, dark):
        page.wait_for_timeout(300)
    assert first.screenshot() == second.screenshot()
    assert first.screenshot() != dark.screenshot()


@pytest.mark.parametrize(
    "way", ["drag", "shift", "wheel", "arrow", "shift-arrow", "plus", "button"]
)
def test_turning_shifting_and_zooming_change_the_picture(page, way):
    before, view = picture(page), page.evaluate("stage.view")
    page.locator("#stage").focus()
    if way == "drag":
        drag(page, (300, 300), (400, 330))
    elif way == "shift":
        page.keyboard.down("Shift")
        drag(page, (300, 300), (400, 330))
        page.keyboard.up("Shift")
    elif way == "wheel":
        page.mouse.move(*on_page(page, 300, 300))
        page.mouse.wheel(0, -300)
        page.wait_for_timeout(50)
    elif way == "button":
        page.click("#zoom-out")
    else:
        keys = {"arrow": "ArrowLeft", "shift-arrow": "Shift+ArrowLeft", "plus": "+"}
        page.keyboard.press(keys[way])
    page.evaluate("explorer.hover(-1)")
    after = page.evaluate("stage.view")
    changed = {name for name in view if view[name] != after[name]}
    expected = {
        "drag": {"azimuth", "elevation"},
        "shift": {"target"},
        "wheel": {"distance"},
        "arrow": {"azimuth"},
        "shift-arrow": {"target"},
        "plus": {"distance"},
        "button": {"distance"},
    }
    assert changed == expected[way]
    assert picture(page) != before
    page.click("#reset")
    assert page.evaluate("stage.view") == view
    assert picture(page) == before


def test_fingers_turn_zoom_shift_and_tap(open_page, html):
    page = open_page(html, width=390, height=844, has_touch=True)
    page.locator("#stage").scroll_into_view_if_needed()
    x, y = on_page(page, 150, 200)
    session = page.context.new_cdp_session(page)

    def touch(kind, *places):
        points = [{"x": px, "y": py, "id": i} for i, (px, py) in enumerate(places)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    before = page.evaluate("stage.view")
    touch("touchStart", (x, y), (x + 60, y))
    for step in range(1, 6):
        touch("touchMove", (x - 8 * step, y), (x + 60 + 8 * step, y))
    touch("touchEnd")
    after = page.evaluate("stage.view")
    assert after["distance"] < 0.7 * before["distance"]
    assert after["azimuth"] == before["azimuth"]
    touch("touchStart", (x, y), (x + 60, y))
    touch("touchMove", (x, y + 40), (x + 60, y + 40))
    touch("touchEnd")
    shifted = page.evaluate("stage.view")
    assert shifted["target"] != after["target"]
    assert shifted["distance"] == pytest.approx(after["distance"], rel=0.05)
    touch("touchStart", (x, y))
    touch("touchMove", (x + 30, y))
    touch("touchEnd")
    turned = page.evaluate("stage.view")
    assert turned["azimuth"] != shifted["azimuth"]
    assert turned["distance"] == shifted["distance"]
    page.evaluate("stage.reset(); stage.draw()")
    row, place = lonely_dot(page)
    x, y = on_page(page, *place)
    touch("touchStart", (x, y), (x + 60, y))  # two fingers never keep a dot
    touch("touchEnd")
    assert page.evaluate("explorer.kept") == []
    touch("touchStart", (x, y))
    touch("touchEnd")
    wait_until(page, "explorer.kept.length === 1")
    page.wait_for_timeout(50)
    assert page.evaluate("explorer.kept[0].row") == row
    assert page.locator("#tip .dot-id").is_visible()  # though the finger has left


def test_pointing_at_a_dot_shows_all_that_is_known_of_it(page, folder):
    row, place = lonely_dot(page)
    page.mouse.move(*on_page(page, *place))
    codes = read_codes(folder, "kmeans")
    tip = page.locator("#tip")
    assert tip.locator(".dot-id").inner_text() == codes["ids_test"][row]
    facts = tip.locator("dd").all_inner_texts()
    assert facts[0] == str(codes["labels_test"][row])
    assert facts[1].startswith(f"{codes['clusters_test'][row]} → ")
    distances = np.sort(np.linalg.norm(codes["centers"] - codes["codes_test"][row], axis=1))
    assert facts[2] == f"{1 - distances[0] / distances[1]:.3f} (margin)"
    apart = np.linalg.norm(codes["codes_test"] - codes["codes_test"][row], axis=1)
    nearest = np.argsort(apart)[1:7]
    named = tip.locator(".neighbours span").all_inner_texts()
    assert named == codes["labels_test"][nearest].astype(str).tolist()


def test_a_dots_pictures_are_the_sample_and_its_reconstruction(page, folder):
    row, place = lonely_dot(page)
    page.mouse.move(*on_page(page, *place))
    page.wait_for_timeout(200)  # the sheet of pictures is unpacked when it is first asked for
    data = load_dataset("digits")
    sample = np.round(data.raw_test[row] * 255).reshape(8, 8)
    assert (pixels(page, "#tip figure:nth-of-type(1) canvas") == sample).all()
    model = AutoEncoder.load(folder / "methods" / "kmeans" / "model")
    decoded = model.inverse_transform(model.transform(data.raw_test[row : row + 1])) * 255
    shown = pixels(page, "#tip figure:nth-of-type(2) canvas")
    assert np.abs(shown - decoded.reshape(8, 8)).max() < 1


def test_a_click_keeps_a_dot_and_the_keyboard_does_too(page):
    row, place = lonely_dot(page)
    page.mouse.click(*on_page(page, *place))
    page.locator("#stage").focus()
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    page.keyboard.press("n")
    page.keyboard.press("Enter")
    assert page.evaluate("explorer.kept.map(({ row }) => row)") == [row, 1]
    page.get_by_role("button", name="Let go of dot 1").click()
    assert page.evaluate("explorer.kept.map(({ row }) => row)") == [1]


def test_colours_switch_and_the_caption_says_what_they_are(page):
    seen = {picture(page)}
    for name, words in {
        "cluster": "cluster by kmeans",
        "right": "is the sample's label",
        "confidence": "it is no probability",
        "budget": "smallest label budget",
    }.items():
        page.select_option("#coloring", name)
        assert words in page.inner_text("#caption")
        seen.add(picture(page))
    assert len(seen) == 5
    assert page.evaluate("explorer.cloud.name") == "train"  # only these can be in a budget
    counts = page.locator("#legend .count").all_inner_texts()
    assert counts == ["10", "40", "1,297"]


def test_right_and_wrong_count_as_the_scores_do(page):
    page.select_option("#coloring", "right")
    right = int(page.locator("#legend .count").first.inner_text())
    first = page.locator("#scores tbody tr").first
    assert first.locator("th").inner_text() == "autoencoder → kmeans"
    assert float(first.locator("td").first.inner_text()) == pytest.approx(right / 450, abs=6e-4)


def test_classes_and_clusters_are_hidden_and_shown(page, folder):
    codes = read_codes(folder, "kmeans")
    before = picture(page)
    page.locator("#show-label-4").click()
    expected = np.flatnonzero(codes["labels_test"] != 4).tolist()
    assert page.evaluate("explorer.shownRows()") == expected
    assert picture(page) != before
    page.get_by_role("button", name="Show all classes").click()
    assert page.locator("#show-label-4").is_checked()
    assert picture(page) == before
    page.locator("#groups summary").nth(1).click()
    page.locator("#show-cluster-2").focus()
    page.keyboard.press("Space")
    assert page.evaluate("document.activeElement.id") == "show-cluster-2"  # still there, and open
    assert page.locator("#show-cluster-2").is_visible()
    page.evaluate("explorer.show('cluster', [3], false)")
    expected = np.flatnonzero(~np.isin(codes["clusters_test"], [2, 3])).tolist()
    assert page.evaluate("explorer.shownRows()") == expected


def test_the_method_can_be_switched(page, folder):
    page.select_option("#method", "1")
    assert page.locator("#scores tr[aria-current] th").inner_text() == "autoencoder → gmm"
    expected = read_codes(folder, "gmm")
    assert page.evaluate("Array.from(explorer.clusters)") == expected["clusters_test"].tolist()
    shares = page.evaluate("Array.from(explorer.method.confidence[0])")
    assert np.allclose(shares, expected["soft_test"].max(axis=1), atol=1e-6)


def test_the_film_plays_the_saved_epochs(page, folder):
    page.evaluate("explorer.showMoment(0)")
    first = picture(page)
    with np.load(folder / "methods" / "kmeans" / "snapshots.npz") as archive:
        epochs, codes = archive["epochs"], archive["codes"]
    places = np.array(page.evaluate("Array.from(stage.places)")).reshape(-1, 3)
    assert np.abs(places - codes[0]).max() <= np.ptp(codes, axis=(0, 1)).max() / 65_535
    assert "before training" in page.inner_text("#caption")
    page.click("#play")
    wait_until(page, "explorer.moment > 1")
    assert picture(page) != first
    wait_until(page, f"explorer.moment === {len(epochs) - 1}", 30)
    assert page.inner_text("#epoch-words") == f"after epoch {epochs[-1]} of {epochs[-1]}"
    page.click("#end")
    assert page.evaluate("explorer.moment") is None
