"""Hands and eyes for the explorer's tests, and small runs to show."""

import base64
import json
import re
import time

import numpy as np
import pandas as pd

from ae_cluster.autoencoder.estimator import AutoEncoder
from ae_cluster.clustering.codes import Clustering
from ae_cluster.records.config import RunConfig
from ae_cluster.records.rows import tidy_row
from ae_cluster.records.writing import write_config, write_method
from ae_cluster.runs.run import run


def make_run(folder, arrays, **arguments):
    """Write arrays to a file, run on it for two epochs, and return the run folder."""
    np.savez(folder / "mine.npz", **arrays)
    config = RunConfig(
        dataset=str(folder / "mine.npz"), epochs=2, n_clusters=3, draws=1, budgets=(1,), **arguments
    )
    run(config, folder / "run", figures=False)
    return folder / "run"


def blobs(n=90, columns=6, seed=0):
    """Return a table of three groups of rows, and the group of each."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 3
    return (rng.normal(size=(n, columns)) + 6 * y[:, None]).astype(np.float32), y


def small_images(n=90, side=9, seed=0):
    """Return bright squares at three places, as bytes (n, side, side), and the place of each."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 40, (n, side, side), dtype=np.uint8)
    y = np.arange(n) % 3
    for image, place in zip(images, y, strict=True):
        image[3 * place : 3 * place + 3, 1 : side - 1] = 220
    return images, y


def content_of(html):
    """Return the content that travels in a page."""
    text = html.read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="content">(.*?)</script>', text, re.S)
    content = json.loads(found[1])
    for sheets in content["pictures"].get("sheets", ()):
        sheets[:] = [_block(text, name) for name in sheets]
    return content


def _block(text, name):
    """Return a sheet of images, which stands below the scripts."""
    found = re.findall(f'<script type="image/png;base64" id="{name}">([^<]+)</script>', text)
    assert len(found) == 1
    return found[0]


def unpacked(array):
    """Return an array as it was before it was packed for the page."""
    data = np.frombuffer(base64.b64decode(array["data"]), f"<{array['kind']}")
    return data.reshape(array["shape"])


def dots(page):
    """Return where each dot is on the stage, (n, 2) in pixels."""
    return np.array(page.evaluate("Array.from(stage.dots)")).reshape(-1, 3)[:, :2]


def on_page(page, x, y):
    box = page.locator("#stage").bounding_box()
    return box["x"] + float(x), box["y"] + float(y)


def drag(page, *points):
    page.mouse.move(*on_page(page, *points[0]))
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*on_page(page, *point), steps=3)
    page.mouse.up()


def picture(page):
    """Return the stage as it looks now: the pixels of the dots, and of what lies over them."""
    return page.evaluate(
        """() => {
          stage.draw();
          return ["points", "overlay"].map((id) => document.getElementById(id).toDataURL()).join();
        }"""
    )


def wait_until(page, expression, seconds=15):
    """Wait for something to be true; playwright's own way needs eval, which the page forbids."""
    end = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < end, f"never true: {expression}"
        page.wait_for_timeout(30)


def lonely_dot(page):
    """Return a dot that has no other near it on the stage, and where it is."""
    places = dots(page)
    width, height = page.evaluate("[stage.size.width, stage.size.height]")
    apart = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    inside = (places > [20, 80]).all(axis=1) & (places < [width - 20, height - 20]).all(axis=1)
    row = int(np.where(inside, apart.min(axis=1), 0).argmax())
    return row, places[row]


def pixels(page, selector):
    """Return a canvas's red bytes (h, w)."""
    size, red = page.evaluate(
        """(selector) => {
          const canvas = document.querySelector(selector);
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          return [[canvas.height, canvas.width], Array.from(data).filter((_, i) => i % 4 === 0)];
        }""",
        selector,
    )
    return np.array(red).reshape(size)


def decoded_in_page(page, codes):
    lists = page.evaluate(
        "codes => codes.map(code => Array.from(explorer.decode(code)))", codes.tolist()
    )
    return np.array(lists)


def fake_run(tmp_path, data):
    """Write a run folder on data as a run would, with an untrained model and made-up codes."""
    folder = tmp_path / "run"
    folder.mkdir()
    rng = np.random.default_rng(0)
    config = RunConfig(dataset=data.name)
    way = {"features": "autoencoder", "method": "kmeans", "clusterer": "KMeans"}
    write_config(folder, config, data, {}, "abc", {"kmeans": way}, {})
    centers = rng.normal(scale=2, size=(10, 3))
    codes = [
        (centers[y] + rng.normal(scale=0.5, size=(len(y), 3))).astype(np.float32)
        for y in (data.y_train, data.y_test)
    ]
    frames = np.stack([codes[0][:2000] * share for share in np.linspace(0.1, 1, 11)])
    result = Clustering(data.y_train, data.y_test, None, None, centers, 1.0)
    write_method(folder / "methods" / "kmeans", data, *codes, result._asdict(), [0.1] * 10, frames)
    model = AutoEncoder(max_iter=1, random_state=0).fit(data.raw_train[:640])
    model.save(folder / "methods" / "kmeans" / "model")
    row = {"dataset": data.name, "split": "test", "method": "kmeans", "features": "autoencoder"}
    row |= {"n_clusters": 10, "accuracy": 0.5, "status": "ok"}
    pd.DataFrame([tidy_row(**row)]).to_csv(folder / "scores.csv", index=False)
    return folder
