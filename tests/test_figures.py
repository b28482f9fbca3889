"""The look of the figures, their files, and those of training and label budgets."""

import subprocess
import sys
from itertools import combinations
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from drawn import texts_of
from matplotlib.colors import to_rgb
from matplotlib.image import imread

from ae_cluster.figures import (
    caption_of,
    plot_codes,
    plot_label_budget,
    plot_loss_curve,
    plot_reconstructions,
    save_figure,
)
from ae_cluster.figures.style import PALETTE, group_colors, names_of, plain

NASTY = (
    "$x$ and $y$", "_hidden", "two\nlines", "数字", "", "\x00\x1b", "x" * 60, "<b>&amp;", r"a\$b$",
)  # fmt: skip


# Names and colours


@pytest.mark.parametrize("name", NASTY)
def test_plain_names_are_short_single_lines_without_mathematics(name):
    shown = plain(name, width=10)
    assert len(shown.replace(r"\$", "$").strip()) in range(1, 11)
    assert "\n" not in shown
    assert not shown.startswith("_")
    assert shown.count("$") == shown.count(r"\$")


def test_plain_keeps_a_name_that_fits():
    assert plain("T-shirt/top") == "T-shirt/top"
    assert plain("abcdefgh", width=5) == "abcd…"


def test_ids_stand_in_for_missing_names():
    assert names_of(4, ("zero", "one")) == ["zero", "one", "2", "3"]
    assert names_of(1, ("zero", "one")) == ["zero"]


def lab(rgb):
    """CIELAB of linear RGB, D65; a naive copy of CIE 15."""
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    x, y, z = np.cbrt(to_xyz @ rgb / [0.9505, 1, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


# Machado, Oliveira and Fernandes (2009), severity 1.
SIGHT = {
    "normal": np.eye(3),
    "protan": [[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.0520]],
    "deutan": [[0.3673, 0.8606, -0.2280], [0.2801, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9689]],
    "tritan": [[1.2555, -0.0767, -0.1788], [-0.0784, 0.9308, 0.1476], [0.0047, 0.6914, 0.3039]],
}


@pytest.mark.parametrize("sight", SIGHT)
def test_any_two_of_ten_colors_can_be_told_apart(sight):
    linear = [((np.array(to_rgb(c)) + 0.055) / 1.055) ** 2.4 for c in PALETTE]
    seen = [lab(np.clip(SIGHT[sight] @ color, 1e-3, 1)) for color in linear]
    assert min(np.linalg.norm(a - b) for a, b in combinations(seen, 2)) > 20


def test_ten_colors_differ_in_black_and_white():
    linear = [((np.array(to_rgb(c)) + 0.055) / 1.055) ** 2.4 for c in PALETTE]
    lightness = np.sort([lab(color)[0] for color in linear])
    assert np.diff(lightness).min() > 6


def test_more_than_ten_colors_are_new_ones_up_to_thirty():
    assert len(np.unique(group_colors(30), axis=0)) == 30
    assert group_colors(47).shape == (47, 3)
    assert group_colors(0).shape == (0, 3)


# Files


def test_a_figure_becomes_three_files(tmp_path):
    written = save_figure(plot_loss_curve([0.3, 0.2]), tmp_path / "new" / "folder", "loss")
    assert [path.name for path in written] == ["loss.png", "loss.svg", "loss.txt"]
    picture = imread(written[0])
    assert min(picture.shape[:2]) > 400
    assert picture.std() > 0.05
    assert "mean squared difference" in written[2].read_text(encoding="utf-8")
    assert written[1].read_text(encoding="utf-8").startswith("<?xml")


def test_the_caption_is_also_in_the_picture_and_its_files(tmp_path):
    figure = plot_loss_curve([0.3, 0.2])
    caption = caption_of(figure)
    assert caption in [" ".join(text.split()) for text in texts_of(figure)]
    _, svg, text = save_figure(figure, tmp_path, "loss")
    assert text.read_text(encoding="utf-8") == caption + "\n"
    assert caption in svg.read_text(encoding="utf-8")


def test_a_caption_cannot_control_the_terminal_that_shows_its_file(tmp_path):
    figure = plot_loss_curve([0.3, 0.2])
    figure.supxlabel("\x1b[2J\x1b]0;owned\x07 classes\u202e of\nothers")
    png, svg, text = save_figure(figure, tmp_path, "loss")
    shown = r"\x1b[2J\x1b]0;owned\x07 classes\u202e of others"
    assert text.read_text(encoding="utf-8") == shown + "\n"
    assert shown in svg.read_text(encoding="utf-8")
    assert shown.encode() in png.read_bytes()


def test_drawing_again_gives_the_same_bytes(tmp_path, digits):
    def draw(name):
        figure = plot_codes(digits[1], digits[2], digits[2] % 4)
        return [path.read_bytes() for path in save_figure(figure, tmp_path / name, "codes")]

    with mpl.rc_context({"axes.facecolor": "red", "font.size": 20, "svg.hashsalt": None}):
        first = draw("a")
    assert draw("b") == first


def test_the_users_settings_are_left_alone(tmp_path):
    with mpl.rc_context({"font.size": 17, "lines.linewidth": 7}):
        before = dict(mpl.rcParams)
        save_figure(plot_loss_curve([0.3]), tmp_path, "loss")
        assert dict(mpl.rcParams) == before


def test_drawing_loads_no_torch_and_opens_no_window():
    code = (
        "import sys, ae_cluster.figures as f; f.plot_loss_curve([1.0]);"
        "import matplotlib.pyplot as plt; assert not plt.get_fignums();"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_names_a_font_lacks_or_mathematics_would_eat_are_drawn(tmp_path, digits):
    figure = plot_codes(digits[1], digits[2], class_names=NASTY, title="in $ and $")
    svg = save_figure(figure, tmp_path, "codes")[1]
    assert ElementTree.parse(svg).getroot().tag.endswith("svg")
    texts = texts_of(figure)
    assert "0  $x$ and $y$" in texts
    assert "in $ and $" in texts
    assert any("_hidden" in text for text in texts)
    assert any("two lines" in text for text in texts)


# Reconstructions


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 1), (4, 16), (4, 4, 4)])
def test_reconstructions_stand_below_their_originals(digits, shape):
    originals = digits[0][:5]
    figure = plot_reconstructions(originals, np.stack([originals * 0, originals]), [0, 900], shape)
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == [
        "original",
        "untrained",
        "step 900",
    ]
    sheet = figure.axes[0].get_images()[0].get_array()
    rows = np.split(sheet, 3)
    np.testing.assert_array_equal(rows[0], rows[2])
    assert rows[1].sum() < rows[0].sum()


def test_a_reconstructed_image_is_drawn_pixel_by_pixel(digits):
    figure = plot_reconstructions(digits[0][:2], digits[0][None, :2], [7], (8, 8), unit="epoch")
    sheet = figure.axes[0].get_images()[0].get_array()
    np.testing.assert_array_equal(sheet[:8, :8], digits[0][0].reshape(8, 8))
    np.testing.assert_array_equal(sheet[:8, 9:17], digits[0][1].reshape(8, 8))
    assert "epoch 7" in texts_of(figure)


@pytest.mark.parametrize("scale", [1, 255])
def test_bytes_and_colour_are_understood(scale):
    image = np.random.default_rng(0).integers(0, 256, (1, 6 * 5 * 3), dtype=np.uint8)
    made = image if scale == 1 else image / 255
    figure = plot_reconstructions(image, made[None], [1], (6, 5, 3))
    original, rebuilt = np.split(figure.axes[0].get_images()[0].get_array(), 2)
    np.testing.assert_allclose(original[:6, :5] * 255, image.reshape(6, 5, 3))
    np.testing.assert_allclose(rebuilt, original)


def test_at_most_six_steps_are_drawn_spread_geometrically(digits):
    steps = np.arange(1, 101) * 100
    made = np.zeros((100, 2, 64))
    figure = plot_reconstructions(digits[0][:2], made, steps, (8, 8))
    drawn = [t.get_text() for t in figure.axes[0].get_yticklabels()][1:]
    numbers = [int(text.removeprefix("step ").replace(",", "")) for text in drawn]
    assert numbers[0] == 100
    assert numbers[-1] == 10_000
    assert 4 <= len(numbers) <= 6
    ratios = np.array(numbers[1:]) / numbers[:-1]
    assert ratios.max() < 2 * ratios.min()


def test_a_table_is_drawn_as_standardised_strips():
    table = np.column_stack([np.arange(4.0), 1000 * np.arange(4.0), np.full(4, 7.0)])
    figure = plot_reconstructions(table, np.stack([table * 0, table]), [10, 20], None)
    strips = [ax.get_images()[0].get_array() for ax in figure.axes if ax.get_images()]
    assert len(strips) == 3
    np.testing.assert_allclose(strips[0][:, 0], strips[0][:, 1])
    np.testing.assert_allclose(strips[0][:, 2], 0)
    np.testing.assert_allclose(strips[0].std(axis=0), [1, 1, 0])


# Loss


def test_loss_is_drawn_from_epoch_one_with_its_last_value_in_the_caption():
    figure = plot_loss_curve([0.05, 0.045, 0.0423], [0.06, 0.05, 0.047])
    first, second = figure.axes[0].lines
    np.testing.assert_array_equal(first.get_xdata(), [1, 2, 3])
    np.testing.assert_array_equal(second.get_ydata(), [0.06, 0.05, 0.047])
    assert first.get_linestyle() != second.get_linestyle()
    assert first.get_marker() != second.get_marker()
    assert "0.0423 on training samples and 0.047 on held-out" in caption_of(figure)


@pytest.mark.parametrize(
    ("loss", "scale"), [([0.9, 0.1], "linear"), ([1.0, 0.1], "log"), ([1.0, 0.0], "linear")]
)
def test_loss_is_logarithmic_only_over_a_decade(loss, scale):
    assert plot_loss_curve(loss).axes[0].get_yscale() == scale


def test_log_ticks_are_plain_numbers():
    texts = texts_of(plot_loss_curve(np.geomspace(0.5, 0.01, 30)))
    assert "0.02" in texts
    assert not any("10^" in text for text in texts)


@pytest.mark.parametrize("loss", [[], [0.1], [0.1, np.nan, np.inf, 0.05]])
def test_odd_losses_are_drawn(tmp_path, loss):
    save_figure(plot_loss_curve(loss, []), tmp_path, "loss")
    assert len(plot_loss_curve(loss, []).axes[0].lines) == 1


# Label budgets


@pytest.fixture
def rows():
    """Three draws at three budgets for two kinds of features and two methods."""
    return pd.DataFrame(
        {"split": "test", "budget": b, "draw": d, "features": f, "method": m, "seed": 0,
         "accuracy": 0.3 + 0.1 * np.log10(b) + 0.01 * d + (f == "codes") * 0.2}
        for b in (1, 10, 100) for d in range(3) for f in ("codes", "pca") for m in ("knn", "logreg")
    )  # fmt: skip


def lines_of(figure):
    return {line.get_label(): line for line in figure.axes[0].containers}


def test_budget_lines_are_medians_with_bars_from_worst_to_best(rows):
    lines = lines_of(plot_label_budget(rows))
    assert list(lines) == ["knn on codes", "logreg on codes", "knn on pca", "logreg on pca"]
    points, _, (bars,) = lines["knn on codes"]
    np.testing.assert_allclose(points.get_ydata(), [0.51, 0.61, 0.71])
    np.testing.assert_allclose(points.get_xdata(), [1, 10, 100], rtol=0.12)
    np.testing.assert_allclose(bars.get_segments()[0][:, 1], [0.50, 0.52])


def test_budget_lines_can_be_told_apart_without_color(rows):
    looks = {
        (points.get_marker(), points.get_linestyle())
        for points, _, _ in lines_of(plot_label_budget(rows)).values()
    }
    assert len(looks) == 4


def test_budget_axis_is_logarithmic_and_names_the_budgets(rows):
    figure = plot_label_budget(rows)
    assert figure.axes[0].get_xscale() == "log"
    assert {"1", "10", "100"} <= set(texts_of(figure))


def test_failed_and_other_rows_are_not_drawn_and_failures_are_counted(rows):
    failed = rows.iloc[:2].assign(accuracy=np.nan, status="failed")
    others = rows.iloc[:1].assign(split="train", accuracy=9.0)
    unbudgeted = rows.iloc[:1].assign(budget=np.nan, accuracy=9.0)
    figure = plot_label_budget(pd.concat([rows, failed, others, unbudgeted]))
    points = lines_of(figure)["knn on codes"][0]
    np.testing.assert_allclose(points.get_ydata(), [0.51, 0.61, 0.71])
    assert "Failed and not drawn: 2 of 38 rows" in caption_of(figure)


def test_references_are_level_lines_with_their_names(rows):
    figure = plot_label_budget(rows, {"all $labels$": 0.9})
    assert "all $labels$" in texts_of(figure)
    assert any(list(line.get_ydata()) == [0.9, 0.9] for line in figure.axes[0].lines)


def test_published_accuracies_are_hollow_points(rows):
    figure = plot_label_budget(rows, published={"by others": {1: 0.4, 10: 0.6}})
    (points,) = (line for line in figure.axes[0].lines if line.get_label() == "by others")
    assert points.get_xydata().tolist() == [[1, 0.4], [10, 0.6]]
    assert points.get_linestyle() == "None"
    assert points.get_markerfacecolor() == "white"
    assert "Hollow points are by others" in caption_of(figure)


def test_the_axis_is_stretched_where_some_are_nearly_always_right(rows, tmp_path):
    assert plot_label_budget(rows).axes[0].get_yscale() == "linear"
    nearly = rows.assign(accuracy=np.linspace(0.4, 1, len(rows)))  # and one always
    figure = plot_label_budget(nearly)
    save_figure(figure, tmp_path, "budget")
    assert figure.axes[0].get_yscale() == "logit"
    assert {"0.5", "0.9", "0.98"} <= set(texts_of(figure))
    assert 0 < figure.axes[0].get_ylim()[0] < 0.4
    assert "stretched towards 1" in caption_of(figure)


def test_one_draw_has_no_spread_and_says_so(rows):
    assert "a single draw" in caption_of(plot_label_budget(rows[rows["draw"] == 0]))


def test_only_failures_give_an_empty_figure(tmp_path, rows):
    figure = plot_label_budget(rows.assign(accuracy=np.nan))
    save_figure(figure, tmp_path, "budget")
    assert not figure.axes[0].containers
    assert "36 of 36" in caption_of(figure)
