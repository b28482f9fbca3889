"""The figures of codes: tiles and points, their places, colours and names."""

import numpy as np
import pytest
from drawn import texts_of

from ae_cluster.common.errors import InputError
from ae_cluster.figures import caption_of, plot_code_tiles, plot_codes, save_figure
from ae_cluster.figures.projection import moved_apart, places_of
from ae_cluster.figures.style import group_colors


def tiles_of(figure):
    """The texts on tiles: those with a box of a colour of their own."""
    return [t for t in figure.axes[0].texts if t.get_bbox_patch() is not None]


def clouds_of(figure):
    return [ax.collections[0] for ax in figure.axes if ax.collections]


# Codes as tiles


def test_tiles_say_the_label_and_have_its_color(digits):
    figure = plot_code_tiles(digits[1], digits[2])
    tiles = tiles_of(figure)
    assert len(tiles) == 200
    for tile in tiles[:20]:
        expected = group_colors(10)[int(tile.get_text())]
        np.testing.assert_allclose(tile.get_bbox_patch().get_facecolor()[:3], expected)
    assert "200 of 1,797 samples" in caption_of(figure)


def test_tiles_stand_at_their_codes(digits):
    codes, labels = digits[1][:30], digits[2][:30]
    tiles = tiles_of(plot_code_tiles(codes, labels))
    drawn = sorted((*tile.get_position_3d(), int(tile.get_text())) for tile in tiles)
    np.testing.assert_allclose(drawn, sorted(np.column_stack([codes, labels]).tolist()))


def test_near_tiles_are_drawn_over_far_ones(digits):
    figure = plot_code_tiles(digits[1][:50], digits[2][:50])
    ax = figure.axes[0]
    elevation, azimuth = np.deg2rad([ax.elev, ax.azim])
    flat = np.cos(elevation)
    eye = [flat * np.cos(azimuth), flat * np.sin(azimuth), np.sin(elevation)]
    nearness = [np.dot(tile.get_position_3d(), eye) for tile in tiles_of(figure)]
    assert np.all(np.diff(nearness) >= 0)


def test_without_labels_tiles_say_the_cluster(digits):
    figure = plot_code_tiles(digits[1], None, np.full(1797, 3))
    assert {tile.get_text() for tile in tiles_of(figure)} == {"3"}
    assert "id of its cluster" in caption_of(figure)
    assert "No labels are known" in caption_of(figure)


def test_long_names_go_to_a_legend_and_numbers_on_the_tiles(digits):
    figure = plot_code_tiles(digits[1], digits[2], class_names=[f"number {i}" for i in range(10)])
    assert {tile.get_text() for tile in tiles_of(figure)} == set("0123456789")
    assert "7  number 7" in texts_of(figure)


def test_unknown_samples_are_grey_and_marked(digits):
    labels = np.where(np.arange(1797) % 2, digits[2], -1)
    figure = plot_code_tiles(digits[1], labels)
    unknown = [tile for tile in tiles_of(figure) if tile.get_text() == "?"]
    assert len(unknown) in range(70, 131)
    colour = unknown[0].get_bbox_patch().get_facecolor()[:3]
    assert max(colour) == min(colour)
    assert "has no known label" in caption_of(figure)


def test_tiles_without_any_groups(digits):
    assert len(tiles_of(plot_code_tiles(digits[1], n=50))) == 50


# Codes as points


def test_all_points_are_drawn_twice_for_labels_and_twice_for_clusters():
    rng = np.random.default_rng(0)
    codes, labels = rng.normal(size=(60_000, 3)), rng.integers(10, size=60_000)
    figure = plot_codes(codes, labels, labels[::-1])
    assert [len(cloud.get_offsets()) for cloud in clouds_of(figure)] == [60_000] * 4
    assert all(cloud.get_rasterized() for cloud in clouds_of(figure))
    azimuths = [ax.azim for ax in figure.axes if ax.collections]
    assert azimuths[0] - azimuths[1] in (90, -90)
    assert caption_of(figure).startswith("All 60,000 samples")


def test_too_many_points_are_sampled_and_the_caption_says_so(digits):
    figure = plot_codes(digits[1], digits[2], max_points=500)
    assert [len(cloud.get_offsets()) for cloud in clouds_of(figure)] == [500] * 2
    assert caption_of(figure).startswith("500 of 1,797 samples, chosen at random")


def colors_drawn(cloud, ids):
    """The colour of each id in a cloud of points that are drawn in the order given."""
    return {i: tuple(cloud.get_facecolors()[ids == i][0]) for i in np.unique(ids)}


def test_clusters_have_the_color_of_the_class_they_are_matched_to(digits):
    codes, labels = digits[1][:, :2], digits[2]
    clusters = (labels + 3) % 10
    clusters[labels == 5] = 10
    above, below = clouds_of(plot_codes(codes, labels, clusters))
    by_label, by_cluster = colors_drawn(above, labels), colors_drawn(below, clusters)
    for label in set(range(10)) - {5}:
        assert by_cluster[(label + 3) % 10] == by_label[label]
    assert by_cluster[10] == by_label[5]


@pytest.mark.parametrize("k", [1, 4, 13])
def test_every_cluster_has_a_color_of_its_own(digits, k):
    clusters = np.arange(1797) % k
    _, below = clouds_of(plot_codes(digits[1][:, :2], digits[2], clusters))
    assert len(set(colors_drawn(below, clusters).values())) == k


def test_group_names_are_written_and_listed(digits):
    figure = plot_codes(digits[1], digits[2], np.zeros(1797, int), ["a", "b"])
    texts = texts_of(figure)
    assert {"label", "cluster", "a", "b", "9"} <= set(texts)
    assert texts.count("a") == 3  # in two pictures and a legend


def test_many_groups_are_cut_from_the_legend_with_notice(digits):
    texts = texts_of(plot_codes(digits[1], np.arange(1797) % 47))
    assert "label\n(and 7 more)" in texts
    assert "39" in texts
    assert "46" not in texts


def test_noise_is_grey_and_named(digits):
    clusters = np.where(np.arange(1797) < 900, -1, 0)
    figure = plot_codes(digits[1][:, :2], clusters=clusters)
    grey = colors_drawn(clouds_of(figure)[0], clusters)[-1]
    assert grey[0] == grey[1] == grey[2]
    assert "?  noise" in texts_of(figure)


@pytest.mark.parametrize("labels", [None, np.full(1797, -1)])
def test_codes_without_labels_or_clusters(digits, labels):
    figure = plot_codes(digits[1], labels)
    assert len(clouds_of(figure)) == 2
    assert "label" not in caption_of(figure)


def test_larger_codes_are_shown_by_their_principal_axes_with_notice(digits):
    figure = plot_codes(digits[0], digits[2])
    assert "The codes have 64 numbers; drawn are their first three" in caption_of(figure)
    assert "axis 1 (15%)" in texts_of(figure)
    assert "have 64 numbers" in caption_of(plot_code_tiles(digits[0], digits[2]))
    assert "numbers" not in caption_of(plot_codes(digits[1], digits[2]))


def test_principal_axes_are_those_of_the_singular_values(digits):
    centered = digits[0] - digits[0].mean(axis=0)
    left, sizes, _ = np.linalg.svd(centered, full_matrices=False)
    points = places_of(digits[0]).points
    np.testing.assert_allclose(np.abs(points), np.abs(left[:, :3] * sizes[:3]), atol=1e-8)


@pytest.mark.parametrize("size", [1, 2])
def test_small_codes_are_drawn_flat_from_one_side(digits, size):
    figure = plot_codes(digits[1][:, :size], digits[2], digits[2])
    clouds = clouds_of(figure)
    assert len(clouds) == 2
    np.testing.assert_allclose(clouds[0].get_offsets()[:, :size], digits[1][:, :size])
    assert ("heights are random" in caption_of(figure)) == (size == 1)
    assert len(tiles_of(plot_code_tiles(digits[1][:, :size], digits[2], n=20))) == 20


def test_a_unit_is_equally_long_in_every_direction(digits):
    flat = plot_codes(digits[1][:, :2]).axes[0]
    assert flat.get_aspect() == 1
    solid = plot_codes(digits[1] * [1, 5, 1]).axes[0]
    ranges = np.diff([solid.get_xlim(), solid.get_ylim(), solid.get_zlim()], axis=1)[:, 0]
    shape = solid.get_box_aspect()
    np.testing.assert_allclose(shape / shape[0], ranges / ranges[0])


@pytest.mark.parametrize("n", [1, 5])
def test_codes_that_are_all_the_same(tmp_path, n):
    for figure in (plot_codes(np.ones((n, 3)), np.zeros(n, int)), plot_code_tiles(np.ones((n, 3)))):
        save_figure(figure, tmp_path, "same")


def test_labels_of_the_wrong_length_are_refused(digits):
    with pytest.raises(InputError, match=r"codes has 1797 samples and labels has 3"):
        plot_codes(digits[1], [0, 1, 2])


def test_written_names_that_overlap_move_apart_and_the_others_stay():
    places = np.array([[0.0, 0.0], [1.0, 2.0], [100.0, 1.0]])
    moved = moved_apart(places, np.array([20.0, 20.0, 20.0]), 10.0)
    assert moved[1, 1] - moved[0, 1] >= 10 - 1e-9
    np.testing.assert_array_equal(moved[2], places[2])
    np.testing.assert_array_equal(moved[:, 0], places[:, 0])
