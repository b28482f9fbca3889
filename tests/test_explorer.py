"""What the explorer's page is made of, without a browser."""

import base64
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from explorer_page import blobs, content_of, make_run, small_images

import ae_cluster
from ae_cluster.autoencoder.estimator import AutoEncoder
from ae_cluster.cli.main import main
from ae_cluster.common.errors import InputError
from ae_cluster.common.model_reading import checksum
from ae_cluster.datasets import load_dataset
from ae_cluster.explorer import write_page
from ae_cluster.explorer.colors import group_colors, lighter
from ae_cluster.explorer.decoders import DAMAGED, NO_KIND, NO_MODEL, read_decoder
from ae_cluster.explorer.html import inert_json, joined_modules, page_modules, page_of
from ae_cluster.explorer.images import cloud_images, picture_shape
from ae_cluster.explorer.run_arrays import read_run
from ae_cluster.explorer.samples import Cloud
from ae_cluster.figures.style import PALETTE

PAGE = Path(ae_cluster.__file__).parent / "explorer" / "page"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Give the run folder of two epochs on small images."""
    images, y = small_images()
    return make_run(tmp_path_factory.mktemp("runs"), {"x": images, "y": y})


# The file


def test_the_page_is_one_file_beside_the_run(folder):
    path = write_page(folder)
    assert path == folder / "explorer.html"
    text = path.read_text(encoding="utf-8")
    assert not re.search(
        r"(src|href)\s*=\s*[\"']", re.sub(r"<script.*?</script>", "", text, flags=re.S)
    )
    assert "{{" not in re.sub(r"<script.*?</script>", "", text, flags=re.S)


def test_the_same_run_gives_the_same_bytes(folder, tmp_path):
    first, second = (write_page(folder, tmp_path / name) for name in ("a.html", "b.html"))
    assert first.read_bytes() == second.read_bytes()


def test_no_path_of_this_machine_travels(folder):
    text = write_page(folder).read_text(encoding="utf-8")
    assert str(folder.parent) not in text


def test_writing_needs_no_torch(folder, tmp_path, run_python):
    code = (
        "import sys; from ae_cluster.explorer import write_page; "
        f"write_page({str(folder)!r}, {str(tmp_path / 'page.html')!r}); "
        "assert 'torch' not in sys.modules"
    )
    run_python(code)


@pytest.fixture
def run_python():
    """Give the function that runs code in a fresh Python and fails when that fails."""
    import subprocess

    return lambda code: subprocess.run([sys.executable, "-c", code], check=True)


def test_what_is_no_run_is_refused(tmp_path, assert_one_sentence, folder):
    with pytest.raises(InputError) as error:
        write_page(tmp_path)
    assert_one_sentence(error, tmp_path, "config.json")
    with pytest.raises(InputError) as error:
        write_page(folder, tmp_path)
    assert_one_sentence(error, tmp_path, "is a folder")
    with pytest.raises(InputError) as error:
        write_page(folder, tmp_path / "none" / "page.html")
    assert_one_sentence(error, "cannot be written")
    for wrong in ({"split": "val"}, {"n_points": 0}):
        with pytest.raises(InputError) as error:
            write_page(folder, **wrong)
        assert_one_sentence(error, *wrong.values())


def test_json_in_a_page_cannot_end_its_element():
    nasty = {"</script><!--": ["<img src=x>", "&amp;", "\u2028", "\ud800"]}
    text = inert_json(nasty)
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == nasty


def test_what_is_put_in_is_not_looked_through_again():
    text = page_of({"name": "{{script}}<b>"})
    assert "<title>{{script}}&lt;b&gt; – ae_cluster explorer</title>" in text


def test_the_policy_lets_only_our_scripts_run(folder):
    text = write_page(folder).read_text(encoding="utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    assert "http" not in policy


# The page's own script


def test_every_module_is_joined_once_and_after_those_it_needs():
    assert sorted(page_modules()) == sorted(path.name for path in PAGE.glob("*.js"))
    for i, name in enumerate(page_modules()):
        needed = re.findall(r'from "\./(.*?)";', (PAGE / name).read_text(encoding="utf-8"))
        assert set(needed) <= set(page_modules()[:i])
    assert not re.search(r"^(import|export)\b", joined_modules(), re.M)


def test_no_name_is_declared_by_two_modules():
    names = re.findall(r"^(?:function|class|const|let)\s+(\w+)", joined_modules(), re.M)
    assert len(names) == len(set(names))


def test_no_module_makes_markup_of_text():
    forbidden = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function"
    for name in page_modules():
        text = (PAGE / name).read_text(encoding="utf-8")
        assert not re.search(forbidden, text), name
        assert text.startswith("// @ts-check\n"), name


def test_the_library_is_there_with_its_licence():
    library = (PAGE / "vendor" / "three.min.js").read_text(encoding="utf-8")
    assert "MIT" in library[:200]
    assert "</script" not in library
    assert "<!--" not in library
    assert "MIT License" in (PAGE / "vendor" / "three.LICENSE").read_text(encoding="utf-8")


# Colours and pictures


def test_colours_stand_out_on_both_pages():
    def luminance(color):
        share = np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
        linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
        return linear @ [0.2126, 0.7152, 0.0722]

    labels = np.arange(10)
    colors = group_colors(labels, labels, [str(i) for i in labels])
    assert colors["label"] == list(PALETTE) == colors["cluster"]
    ground = luminance("#14171c") + 0.05
    assert all((luminance(c) + 0.05) / ground > 3 for c in colors["label-dark"])
    grey = np.full((1, 3), 0.5)
    assert np.ptp(lighter(grey)) < 0.01


# Machado, Oliveira and Fernandes (2009): how colours look without one kind of cone, in linear sRGB.
BLIND = {
    "nothing": np.eye(3),
    "red": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "green": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "blue": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}


@pytest.mark.parametrize("lacking", BLIND)
@pytest.mark.parametrize("page", ["label", "label-dark"])
def test_ten_colours_are_told_apart_by_colour_blind_eyes(page, lacking):
    labels = np.arange(10)
    hexes = group_colors(labels, labels, [str(i) for i in labels])[page]
    share = np.array([[int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)] for c in hexes])
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.transpose(BLIND[lacking]), 0, 1)
    xyz = seen @ [[0.4339, 0.2126, 0.0177], [0.3762, 0.7152, 0.1095], [0.1899, 0.0722, 0.8728]]
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    lab = f @ [[0, 500, 0], [116, -500, 200], [0, 0, -200]]
    apart = np.linalg.norm(lab[:, None] - lab[None], axis=2) + 100 * np.eye(10)
    assert apart.min() > 18  # CIE 1976; 2.3 is just seen side by side


def test_a_cluster_has_the_colour_of_its_class_with_or_without_empty_clusters(folder):
    labels = np.array([0, 0, 1, 1])
    clusters = np.array([3, 3, 0, 0])
    colors = group_colors(labels, clusters, ["a", "b"])
    assert colors["cluster"][3] == colors["label"][0]
    assert colors["cluster"][0] == colors["label"][1]
    content = content_of(write_page(folder))
    assert all(len(m["colors"]["cluster"]) >= m["n_clusters"] for m in content["methods"])


@pytest.mark.parametrize("channels", [(), (3,), (4,)])
def test_sheets_hold_every_image_in_its_place(load_npz, channels):
    import io

    from PIL import Image

    x = np.random.default_rng(0).integers(0, 256, (700, 30, 40, *channels), dtype=np.uint8)
    data = load_npz(x_train=x[:2], x_test=x[2:])
    cloud = Cloud("all", {"train": np.arange(2), "test": np.arange(0, 698)}, 700)
    shape = picture_shape(data.image_shape, len(cloud))
    sheets = cloud_images(data, cloud, shape)
    assert shape == (30, 40, 3 if channels else 1)
    across, down = 2048 // 40, 2048 // 30
    assert len(sheets) == -(-700 // (across * down))
    sheet = np.asarray(Image.open(io.BytesIO(base64.b64decode(sheets[0]))))
    row, column = divmod(444, across)
    found = sheet[30 * row : 30 * row + 30, 40 * column : 40 * column + 40]
    assert (found == (x[444, ..., :3] if channels else x[444])).all()


def test_large_images_are_shrunk_and_that_is_said():
    assert picture_shape((28, 28), 70_000) == (28, 28, 1)
    assert picture_shape((96, 128, 3), 10_000) == (48, 64, 3)
    assert picture_shape((512, 512, 3), 10) == (512, 512, 3)


def test_changed_data_are_not_shown(tmp_path):
    images, y = small_images()
    folder = make_run(tmp_path, {"x": images, "y": y})
    np.savez(tmp_path / "mine.npz", x=images[::-1], y=y)
    pictures = content_of(write_page(folder))["pictures"]
    assert pictures["note"].startswith("The data set has changed")
    assert not any(pictures["sheets"])
    data = load_dataset(tmp_path / "mine.npz")
    assert any(content_of(write_page(folder, data=data))["pictures"]["sheets"])


def test_explore_says_what_of_the_samples_its_page_carries(folder, tmp_path, capsys):
    def told(of):
        assert main(["explore", str(of), "--out", str(tmp_path / "p.html")]) == 0
        return capsys.readouterr().out

    assert told(folder).endswith("It carries the samples' images.\n")
    x, y = blobs()
    of_table = make_run(tmp_path, {"x": x, "y": y})
    assert told(of_table).endswith("It carries the samples' numbers; they are no images.\n")
    (tmp_path / "mine.npz").rename(tmp_path / "elsewhere.npz")
    assert "carries codes and ids, and not the samples." in told(of_table)
    assert "images" not in told(of_table)


# The decoder


def saved(folder, **parameters):
    model = AutoEncoder(max_iter=1, random_state=0, **parameters)
    images, _ = small_images()
    rows = images.reshape(len(images), -1)
    model.fit(rows).save(folder)
    return folder, model.transform(rows)


def test_a_large_decoder_travels_in_half_precision_unless_that_shows(tmp_path):
    place, codes = saved(tmp_path / "large", hidden_layer_sizes=(300, 1400))
    decoder, _ = read_decoder(place, codes)
    assert {layer["weight"]["kind"] for layer in decoder["layers"]} == {"f2"}
    decoder, _ = read_decoder(place, 1e4 * codes)
    assert {layer["weight"]["kind"] for layer in decoder["layers"]} == {"f4"}
    small, codes = saved(tmp_path / "small")
    assert read_decoder(small, codes)[0]["layers"][0]["weight"]["kind"] == "f4"


def test_what_cannot_be_decoded_is_said_in_a_sentence(tmp_path):
    place, codes = saved(tmp_path / "huge", hidden_layer_sizes=(2000, 1500))
    assert "too many to travel" in read_decoder(place, codes)[1]
    place, codes = saved(tmp_path / "model")
    assert read_decoder(place, codes[:, :2]) == (None, NO_KIND)
    weights = (place / "weights.safetensors").read_bytes()
    content = json.loads((place / "model.json").read_text())
    del content["checksum"]
    content["parameters"]["kind"] = "other"
    content["checksum"] = checksum(content, weights)
    (place / "model.json").write_text(json.dumps(content))
    assert read_decoder(place, codes) == (None, NO_KIND)
    (place / "weights.safetensors").write_bytes(b"damaged")
    assert read_decoder(place, codes) == (None, DAMAGED)
    assert read_decoder(tmp_path / "none", codes) == (None, NO_MODEL)


# The run folder


def test_methods_that_share_codes_share_a_space_and_a_decoder(folder):
    content = content_of(write_page(folder))
    assert [method["name"] for method in content["methods"]] == ["kmeans", "gmm"]
    assert len(content["spaces"]) == len(content["decoders"]) == 1
    scores = content["scores"]
    assert scores["rows"][0]["features"] == "autoencoder"
    assert "accuracy" in scores["columns"]


def test_damaged_codes_are_named(folder, tmp_path, assert_one_sentence):
    import shutil

    copy = tmp_path / "run"
    shutil.copytree(folder, copy)
    codes = copy / "methods" / "kmeans" / "codes.npz"
    with np.load(codes) as archive:
        arrays = dict(archive)
    del arrays["clusters_test"]
    np.savez(codes, **arrays)
    with pytest.raises(InputError) as error:
        read_run(copy)
    assert_one_sentence(error, "kmeans", "clusters_test")
    shutil.rmtree(copy / "methods")
    with pytest.raises(InputError) as error:
        read_run(copy)
    assert_one_sentence(error, "no codes")


def test_the_command_line_writes_the_page(folder, tmp_path, capsys):
    out = tmp_path / "page.html"
    assert main(["explore", str(folder), "--out", str(out), "--n-points", "5"]) == 0
    assert content_of(out)["clouds"][0]["n"] == 5
    assert str(out) in capsys.readouterr().out
    assert main(["explore", str(tmp_path)]) == 2
    assert "is not the folder of a run" in capsys.readouterr().err
