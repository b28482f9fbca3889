"""An image placed among the dots by the encoder in the page, and lists of nearest codes."""

import base64
import io
import json
import shutil

import numpy as np
import pytest
from explorer_page import make_run, small_images, wait_until
from PIL import Image

from ae_cluster.autoencoder.estimator import AutoEncoder
from ae_cluster.datasets.image_files import read_image
from ae_cluster.explorer import write_page
from ae_cluster.runs.assigner import Assigner

pytest_plugins = ("explorer_fixtures",)
# Nothing is trained well.
pytestmark = pytest.mark.filterwarnings(
    "ignore::ae_cluster.training.diagnostics.DiagnosticsWarning"
)
SAID = "document.getElementById('placed-words').textContent"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Give a run of images with dense, convolutional and deep methods."""
    place = tmp_path_factory.mktemp("placing")
    images, y = small_images()
    folder = make_run(place, {"x": images, "y": y}, methods=("kmeans", "gmm", "vade"))
    config = json.loads((folder / "config.json").read_text())
    config["methods"]["conv"] = config["methods"]["kmeans"]
    (folder / "config.json").write_text(json.dumps(config))
    shutil.copytree(folder / "methods" / "kmeans", folder / "methods" / "conv")
    conv = AutoEncoder(3, activation="relu", kind="conv", image_shape=(9, 9), max_iter=1)
    conv.fit(images).save(folder / "methods" / "conv" / "model", force=True)
    return folder


def give(page, data, name="new.png"):
    """Give a file to the page; return what it says."""
    page.evaluate("document.getElementById('placed-words').textContent = ''")
    page.set_input_files("#image-file", {"name": name, "mimeType": "image/png", "buffer": data})
    wait_until(page, f"{SAID} !== ''")
    return page.inner_text("#placed-words")


def in_bytes(image, format_="PNG", **options):
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format_, **options)
    return buffer.getvalue()


def pictures():
    """Return name → an image file that Pillow writes, of sizes and kinds that people have."""
    rng = np.random.default_rng(0)
    smooth = np.cumsum(np.cumsum(rng.normal(size=(157, 211, 4)), axis=0), axis=1)
    low, high = smooth.min(axis=(0, 1)), smooth.max(axis=(0, 1))
    large = ((smooth - low) / (high - low) * 255).astype(np.uint8)
    noise = rng.integers(0, 256, (23, 14, 3), dtype=np.uint8)
    on_its_side = Image.Exif()
    on_its_side[0x0112] = 6
    return {
        "as large as the data": in_bytes(noise[:9, :9, 0]),
        "grey": in_bytes(large[..., 0]),
        "noise": in_bytes(noise),
        "smaller": in_bytes(noise[:4, :5]),
        "flat": in_bytes(noise[:9]),
        "colour": in_bytes(large[..., :3]),
        "WebP": in_bytes(large[..., :3], "WEBP", lossless=True),
        "BMP": in_bytes(large[..., :3], "BMP"),
        "transparent": in_bytes(large),
        "JPEG": in_bytes(large[:100, :100, :3], "JPEG", quality=95),
        "turned": in_bytes(
            large[:60, :, :3],
            "JPEG",
            quality=95,
            exif=on_its_side,
        ),
    }


LOSSY = {"JPEG", "turned", "transparent"}
NASTY = "</script><img src=x onerror=alert(1)>.png"
OF_ALL_METHODS = """explorer.content.methods.map(({ encoder, clusterOf }) => {
  const code = encoder === null ? null : explorer.content.encoders[encoder](explorer.image.values);
  return [code && Array.from(code), code && clusterOf(code)];
})"""


DROP = """([text, name]) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([bytes], name, { type: "image/png" }));
  const drop = { dataTransfer, bubbles: true, cancelable: true };
  document.getElementById("stage").dispatchEvent(new DragEvent("drop", drop));
}"""


def test_an_image_is_read_placed_and_assigned_as_in_python(open_page, folder, tmp_path):
    page = open_page(write_page(folder))
    methods = page.locator("#method option").all_inner_texts()
    assigners = {name: Assigner(folder, name) for name in methods if name != "conv"}
    for name, data in pictures().items():
        (tmp_path / "new").write_bytes(data)
        expected = read_image(tmp_path / "new", (9, 9), grey=True).ravel().astype(float)
        said = give(page, data)
        found = np.array(page.evaluate("Array.from(explorer.image.values)")) * 255
        apart = np.abs(found - expected)
        assert apart.max() < (2.5 if name in LOSSY else 1.01), (name, apart.max())
        assert apart.mean() < 0.5, name
        image = np.round(found).astype(np.uint8).reshape(1, 9, 9)
        in_page = dict(zip(methods, page.evaluate(OF_ALL_METHODS), strict=True))
        for method, assigner in assigners.items():
            code, cluster = in_page[method]
            assert np.abs(code - assigner.codes(image)).max() < 1e-4, (name, method)
            assert cluster == assigner(image).clusters[0], (name, method)
        assert in_page["conv"] == [None, None]
        assert said.startswith(f"new.png is in cluster {in_page[methods[0]][1]}")
    codes = np.reshape(page.evaluate("Array.from(explorer.codes)"), (-1, 3))
    apart = np.linalg.norm(codes - np.array(in_page[methods[0]][0]), axis=1)
    ids = np.array(page.evaluate("explorer.cloud.ids"))
    near = "#placed-near .found-words .name"
    assert page.locator(near).all_inner_texts() == ids[np.argsort(apart)[:20]].tolist()
    page.select_option("#method", str(methods.index("conv")))
    assert "no network of dense layers" in page.inner_text("#no-encoder")
    assert "ae-cluster assign RUN" in page.inner_text("#no-encoder")
    assert page.locator("#placed").is_hidden()


def test_what_is_no_image_is_said_a_drop_is_taken_and_neighbours_are_listed(open_page, folder):
    page = open_page(write_page(folder), scheme="dark", width=390)
    png = pictures()["grey"]
    huge = png[:16] + (60_000).to_bytes(4) + (60_000).to_bytes(4) + png[24:]
    for data, words in {
        b"id,label\n1,2\n": "it is no PNG, JPEG, WebP or BMP",
        b"": "it is no PNG",
        png[:900]: "damaged",
        huge: "60,000 × 60,000 pixels, and at most 50,000,000 are read",
        b"II*\0" + bytes(60): "browsers read no TIFF",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>": "it is no PNG",
    }.items():
        assert words in give(page, data, NASTY), words
        assert page.evaluate("explorer.image") is None
    page.evaluate(DROP, [base64.b64encode(png).decode(), NASTY])
    wait_until(page, "explorer.image !== null && stage.marks().image !== null")
    assert page.inner_text("#placed-words").startswith(NASTY)
    assert page.locator("img").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.click("#remove-image")
    assert page.evaluate("[explorer.image, stage.marks().image]") == [None, None]
    page.evaluate("explorer.keep(3); explorer.keep(5)")
    page.get_by_role("button", name="List the nearest to dot 1").click()
    codes = np.reshape(page.evaluate("Array.from(explorer.codes)"), (-1, 3))
    nearest = np.argsort(np.linalg.norm(codes - codes[3], axis=1))[1:21]
    ids = page.evaluate("explorer.cloud.ids")
    found = page.locator("#found .found-words .name").all_inner_texts()
    assert found == [ids[row] for row in nearest]
    page.click("#select-found")
    assert set(page.evaluate("[...explorer.selected]")) == set(nearest.tolist())


@pytest.mark.heavy
def test_an_image_dropped_on_a_deep_clustering_lies_where_transform_and_assign_have_it(
    open_page, tmp_path
):
    images, y = small_images()
    deep = ("dec", "idec", "dcn", "n2d")
    folder = make_run(tmp_path, {"x": images, "y": y}, methods=deep)
    page = open_page(write_page(folder))
    methods = page.locator("#method option").all_inner_texts()
    assert set(methods) == set(deep)
    for i in range(3):
        page.evaluate(DROP, [base64.b64encode(in_bytes(images[i])).decode(), f"{i}.png"])
        wait_until(page, f"explorer.image?.name === '{i}.png'")
        for number, method in enumerate(methods):
            page.select_option("#method", str(number))
            code, cluster = page.evaluate(OF_ALL_METHODS)[number]
            assigner = Assigner(folder, method)
            assert np.abs(code - assigner.codes(images[i : i + 1])).max() < 1e-4, method
            assert cluster == assigner(images[i : i + 1]).clusters[0], method
            said = page.inner_text("#placed-words")
            assert said.startswith(f"{i}.png is in cluster {cluster}"), method
            assert page.evaluate("stage.marks().image !== null"), method


@pytest.mark.slow
def test_neighbours_among_two_hundred_thousand_take_a_tenth_of_a_second(open_page, folder):
    page = open_page(write_page(folder))
    seconds = page.evaluate(
        """() => {
          const codes = Float32Array.from({ length: 600_000 }, Math.random);
          const times = [0, 1, 2].map((row) => {
            const start = performance.now();
            nearestTo(codes, 3, codes.slice(3 * row, 3 * row + 3), 20, row);
            return performance.now() - start;
          });
          return Math.min(...times) / 1000;
        }"""
    )
    assert seconds < 0.1
