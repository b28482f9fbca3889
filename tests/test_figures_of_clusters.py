"""Confusion, cluster sheets and profiles, and the choice of examples."""

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_wine

from ae_cluster.common.errors import InputError
from ae_cluster.figures import (
    caption_of,
    cluster_examples,
    plot_cluster_images,
    plot_cluster_profiles,
    plot_confusion,
    plot_label_sheet,
    save_figure,
)
from ae_cluster.metrics.clustering import class_map, confusion_matrix

# Six samples on a line: cluster 0 around 1, cluster 1 around 11.
LINE = np.array([[0.0], [1.0], [2.0], [9.0], [11.0], [13.0]])
IDS = np.array([0, 0, 0, 1, 1, 1])


@pytest.fixture(scope="module")
def digits():
    bunch = load_digits()
    return bunch.data / 16, bunch.target, (bunch.target * 7 + 1) % 10


def cell_texts(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def drawn_texts(ax):
    return [text.get_text().replace(r"\$", "$") for text in ax]


# Confusion


def test_confusion_writes_counts_and_colors_by_share_of_the_class():
    figure = plot_confusion([0, 1], [5, 3], [[30, 10], [0, 200]], ["cat", "dog"])
    assert cell_texts(figure) == ["30", "10", "0", "200"]
    shares = figure.axes[0].collections[0].get_array()
    np.testing.assert_allclose(shares, [[75, 25], [0, 100]])


def test_confusion_names_rows_and_columns():
    figure = plot_confusion([0, 2], [5, -1], [[30, 10], [0, 2]], ["$a$", "b", "_c"])
    ax = figure.axes[0]
    assert drawn_texts(ax.get_yticklabels()) == ["$a$", " _c"]
    assert drawn_texts(ax.get_xticklabels()) == ["5", "noise"]
    assert ax.get_ylabel() == "class (label)"


def test_confusion_takes_what_evaluation_returns(digits):
    _, labels, clusters = digits
    figure = plot_confusion(*confusion_matrix(labels, clusters), list("abcdefghij"))
    shares = figure.axes[0].collections[0].get_array()
    np.testing.assert_allclose(shares, 100 * np.eye(10))


@pytest.mark.parametrize("k", [1, 3, 25])
def test_confusion_of_any_number_of_clusters(tmp_path, digits, k):
    clusters = np.arange(1797) % k
    figure = plot_confusion(*confusion_matrix(digits[1], clusters))
    assert len(cell_texts(figure)) == 10 * k
    save_figure(figure, tmp_path, "confusion")


def test_confusion_with_too_many_cells_is_not_written_on():
    figure = plot_confusion(np.arange(30), np.arange(40), np.ones((30, 40), int))
    assert cell_texts(figure) == []
    assert "numbers" not in caption_of(figure)


def test_a_class_without_samples_is_white():
    shares = plot_confusion([0, 1], [0], [[0], [4]]).axes[0].collections[0].get_array()
    np.testing.assert_array_equal(shares[:, 0], [0, 100])


# Choosing examples


def test_typical_is_nearest_to_the_mean_code():
    first, second = cluster_examples(LINE, IDS, n=2)
    assert first.typical.tolist() == [1, 0]
    assert second.typical.tolist() == [4, 3]
    assert (first.size, second.size) == (3, 3)


def test_borderline_has_the_least_lead_and_names_its_rival():
    first, second = cluster_examples(LINE, IDS, n=1)
    assert (first.borderline.tolist(), first.rivals.tolist()) == ([2], [1])
    assert (second.borderline.tolist(), second.rivals.tolist()) == ([3], [0])


def test_scores_decide_what_is_borderline():
    soft = np.array([[0.6, 0.4], [0.9, 0.1], [1, 0], [0, 1], [0.2, 0.8], [0.45, 0.55]])
    first, second = cluster_examples(LINE, IDS, soft, n=1)
    assert first.borderline.tolist() == [0]
    assert second.borderline.tolist() == [5]


def test_scores_are_left_as_they_are():
    soft = np.array([[1.0, 0.0]] * 3 + [[0.0, 1.0]] * 3)
    before = soft.copy()
    cluster_examples(LINE, IDS, soft)
    np.testing.assert_array_equal(soft, before)


def test_wrong_is_known_and_of_another_class_surest_first():
    labels = [4, 7, 7, -1, 4, 7]
    first, second = cluster_examples(LINE, IDS, None, labels, {0: 4, 1: 7})
    assert first.wrong.tolist() == [1, 2]
    assert second.wrong.tolist() == [4]


def test_of_equally_sure_wrong_ones_the_most_typical_comes_first():
    soft = np.array([[1.0, 0.0]] * 3 + [[0.0, 1.0]] * 3)
    found = cluster_examples(LINE, IDS, soft, [7] * 6, {0: 4, 1: 7})
    assert found[0].wrong.tolist() == [1, 0, 2]


@pytest.mark.parametrize(("labels", "mapping"), [(None, {0: 4, 1: 7}), ([4] * 6, None)])
def test_nothing_is_wrong_without_labels_or_a_mapping(labels, mapping):
    assert [e.wrong.size for e in cluster_examples(LINE, IDS, None, labels, mapping)] == [0, 0]


def test_clusters_are_ordered_by_the_class_they_stand_for():
    found = cluster_examples(LINE, [0, 1, 2, 3, 3, 3], None, [0] * 6, {0: 9, 1: 2, 3: 2})
    assert [(e.cluster, e.name) for e in found] == [(1, 2), (3, 2), (0, 9), (2, None)]


def test_empty_clusters_and_noise_have_no_examples():
    found = cluster_examples(LINE, [0, 0, 0, 2, 2, -1])
    assert [e.size for e in found] == [3, 0, 2]
    assert found[1].typical.size == found[1].borderline.size == 0
    assert 5 not in np.concatenate([[*e.typical, *e.borderline] for e in found])
    assert set(found[0].rivals) == {2}


def test_a_single_cluster_has_no_borderline():
    (only,) = cluster_examples(LINE, [0] * 6)
    assert only.borderline.size == only.rivals.size == 0
    assert only.typical.size == 6


def test_examples_agree_with_a_plain_loop():
    rng = np.random.default_rng(0)
    codes, ids, soft = rng.normal(size=(80, 3)), rng.integers(5, size=80), rng.random((80, 5))
    labels, mapping = rng.integers(3, size=80), {c: c % 3 for c in range(5)}
    for e in cluster_examples(codes, ids, soft, labels, mapping, n=4):
        members = [i for i in range(80) if ids[i] == e.cluster]
        mean = codes[members].mean(axis=0)
        lead = {i: soft[i, ids[i]] - max(np.delete(soft[i], ids[i])) for i in members}
        assert (
            e.typical.tolist() == sorted(members, key=lambda i: np.linalg.norm(codes[i] - mean))[:4]
        )
        assert e.borderline.tolist() == sorted(members, key=lead.get)[:4]
        wrong = [i for i in members if labels[i] != mapping[e.cluster]]
        assert e.wrong.tolist() == sorted(wrong, key=lead.get, reverse=True)[:4]


def test_lengths_must_agree():
    with pytest.raises(InputError, match="codes has 6 samples and clusters has 2"):
        cluster_examples(LINE, [0, 1])
    with pytest.raises(InputError, match="clusters has 6 samples and labels has 1"):
        cluster_examples(LINE, IDS, None, [1], {0: 1})


# The sheet


def sheet_of(digits, clusters=None, labels=None, mapping=None, names=()):
    pixels = digits[0]
    ids = digits[2] if clusters is None else clusters
    examples = cluster_examples(pixels, ids, None, labels, mapping)
    return plot_cluster_images(pixels, (8, 8), examples, labels, names), examples


def test_sheet_shows_typical_borderline_and_wrong_images(digits):
    pixels, labels, _ = digits
    clusters = np.where(labels < 5, 0, 1)
    names = ["$0$", *"123456789"]
    figure, examples = sheet_of(digits, clusters, labels, class_map(labels, clusters), names)
    assert [ax.get_title(loc="left").split()[0] for ax in figure.axes] == [
        "typical",
        "borderline",
        "wrong",
    ]
    for ax, kind in zip(figure.axes, ("typical", "borderline", "wrong"), strict=True):
        sheet = ax.get_images()[0].get_array()
        expected = pixels[getattr(examples[0], kind)[0]].reshape(8, 8)
        np.testing.assert_array_equal(sheet[:8, :8], expected)
    tags = [text for text in drawn_texts(figure.axes[2].texts) if text]
    assert tags == [names[labels[i]] for e in examples for i in e.wrong]


def test_sheet_names_its_rows_by_cluster_class_and_size(digits):
    _, labels, clusters = digits
    figure, _ = sheet_of(digits, None, labels, class_map(labels, clusters), ["$zero$"])
    rows = drawn_texts(figure.axes[0].get_yticklabels())
    assert rows[0] == "cluster 1 → $zero$\n178 samples"
    assert rows[1] == "cluster 8 → 1\n182 samples"
    assert len(figure.axes) == 2  # every label agrees: there is no wrong one


def test_sheet_without_labels(tmp_path, digits):
    figure, _ = sheet_of(digits)
    assert len(figure.axes) == 2
    assert drawn_texts(figure.axes[0].get_yticklabels())[0] == "cluster 0\n179 samples"
    assert "rong" not in caption_of(figure)
    save_figure(figure, tmp_path, "sheet")


def test_sheet_of_a_single_cluster_has_typical_images_only(digits):
    figure, _ = sheet_of(digits, np.zeros(1797, int))
    assert len(figure.axes) == 1
    assert "orderline" not in caption_of(figure)


def test_sheet_of_many_clusters_shows_the_largest_and_says_so(digits):
    clusters = np.minimum(np.arange(1797) // 10, 40)
    figure, _ = sheet_of(digits, clusters)
    rows = drawn_texts(figure.axes[0].get_yticklabels())
    assert len(rows) == 15
    assert "cluster 40\n1,397 samples" in rows
    assert "15 largest of 41 clusters" in caption_of(figure)


def test_an_empty_cluster_is_a_white_row(digits):
    figure, _ = sheet_of(digits, np.where(digits[2] == 1, 0, digits[2]))
    assert drawn_texts(figure.axes[0].get_yticklabels())[1] == "cluster 1\nempty"
    rows = np.split(figure.axes[0].get_images()[0].get_array(), 10)
    assert rows[1].min() == 1


def test_sheet_takes_bytes_colour_and_wide_images(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (20, 4 * 30 * 3), dtype=np.uint8)
    examples = cluster_examples(images.astype(float), np.arange(20) % 2, n=3)
    figure = plot_cluster_images(images, (4, 30, 3), examples)
    sheet = figure.axes[0].get_images()[0].get_array()
    np.testing.assert_allclose(
        sheet[:4, :30] * 255, images[examples[0].typical[0]].reshape(4, 30, 3)
    )
    save_figure(figure, tmp_path, "sheet")


# Profiles of tables


def test_profiles_are_means_in_standard_deviations():
    table = np.array([[0.0, 5, 100], [2, 5, 300], [10, 5, 100], [12, 5, 300]])
    figure = plot_cluster_profiles(table, [0, 0, 1, 1], ["a", "b$", "c"])
    ax = figure.axes[0]
    shown = ax.collections[0].get_array()
    np.testing.assert_allclose(
        shown, [[-5 / table[:, 0].std(), 0, 0], [5 / table[:, 0].std(), 0, 0]]
    )
    assert drawn_texts(ax.get_xticklabels()) == ["a", "b$", "c"]
    assert drawn_texts(ax.get_yticklabels()) == ["0 (2 samples)", "1 (2 samples)"]


def test_profiles_leave_out_noise_and_empty_clusters(tmp_path):
    wine = load_wine()
    clusters = np.where(wine.target == 0, -1, wine.target * 3)
    figure = plot_cluster_profiles(wine.data, clusters)
    rows = drawn_texts(figure.axes[0].get_yticklabels())
    assert rows == ["3 (71 samples)", "6 (48 samples)"]
    save_figure(figure, tmp_path, "profiles")


def test_where_there_is_nothing_to_draw_the_figure_says_why(tmp_path):
    noise = [-1] * 4
    none = plot_cluster_profiles(np.ones((4, 2)), noise)
    assert "Every sample is noise" in caption_of(none)
    save_figure(none, tmp_path, "profiles")
    examples = cluster_examples(np.ones((4, 2)), noise)
    assert "Every sample is noise" in caption_of(
        plot_cluster_images(np.ones((4, 2)), (1, 2), examples)
    )
    unlabelled = plot_confusion(*confusion_matrix(noise, [0, 0, 1, 1]))
    assert "No label is known" in caption_of(unlabelled)


# The sheet to label


def test_images_to_label_have_numbers_where_their_ids_look_alike(digits):
    ids = [f"{'line_four_camera_front_' * 3}{i}_of_the_series.png" for i in range(11)]
    figure = plot_label_sheet(digits[0][:11], (8, 8), ids, "to_label.csv")
    texts = cell_texts(figure)
    assert texts[::2] == [str(i + 1) for i in range(11)]
    assert len(set(texts[1::2])) == 1  # as before: only numbers tell them apart
    pictures = [image.get_array() for image in figure.axes[0].get_images()]
    np.testing.assert_array_equal(pictures, digits[0][:11].reshape(-1, 8, 8))


def test_of_very_many_images_to_label_the_first_are_drawn(digits):
    ids = [str(i) for i in range(1797)]
    figure = plot_label_sheet(digits[0], (8, 8), ids, "to_label.csv")
    assert len(figure.axes[0].get_images()) == 400
    assert max(figure.get_size_inches()) * 150 < 2**13
    assert "Only the first 400 of 1,797" in caption_of(figure)
