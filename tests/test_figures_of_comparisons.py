"""Figures of many seeds: what is drawn, what is said, and what is left out."""

import itertools

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from drawn import texts_of
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_rgb

from ae_cluster.common.errors import InputError
from ae_cluster.figures import (
    caption_of,
    plot_code_sizes,
    plot_methods,
    plot_pareto,
    plot_stages,
    plot_training_curve,
    save_figure,
)
from ae_cluster.figures.comparisons import pareto_front
from ae_cluster.figures.style import MARKERS
from ae_cluster.records.rows import tidy_row

FIGURES = [plot_methods, plot_code_sizes, plot_training_curve, plot_pareto]


def row(method="kmeans", features="autoencoder", seed=0, accuracy=0.5, **place):
    known = {
        "dataset": "digits",
        "split": "test",
        "n_components": 3,
        "n_clusters": 10,
        "n_train": 1347,
        "epochs": 10,
        "seconds": 2.0,
        "status": "ok",
    }
    named = {"method": method, "features": features, "seed": seed, "accuracy": accuracy}
    return tidy_row(**known | named | place)


def table(seeds=4, datasets=("digits",), ways=None, **ladder):
    """Rows of random scores: all ways on all data, for each value of a ladder."""
    rng = np.random.default_rng(0)
    ways = ways or list(itertools.product(("kmeans", "gmm"), ("autoencoder", "pca")))
    column, values = next(iter(ladder.items()), ("n_components", (3,)))
    rows = [
        row(method, features, seed, rng.random(), dataset=dataset, **{column: value})
        for dataset in datasets
        for method, features in ways
        for value in values
        for seed in range(seeds)
    ]
    return pd.DataFrame(rows)


def dots_of(ax):
    """The places (n, 2) of every dot of a panel."""
    clouds = [c.get_offsets() for c in ax.collections if isinstance(c, PathCollection)]
    return np.concatenate([np.asarray(cloud) for cloud in clouds])


def lines_of(ax):
    """The points (n, 2) of every labelled line of a panel, by label."""
    found = {str(line.get_label()): line.get_xydata() for line in ax.lines}
    return {label: points for label, points in found.items() if not label.startswith("_")}


def legend_of(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


# Every figure


@pytest.mark.parametrize("plot", FIGURES)
def test_there_is_a_panel_for_every_data_set(plot):
    for n in (1, 4, 5):
        figure = plot(table(datasets="abcde"[:n]))
        assert [ax.get_title("left") for ax in figure.axes] == list("abcde"[:n])
        assert len(caption_of(figure)) > 100


@pytest.mark.parametrize("plot", FIGURES)
def test_the_caption_says_the_limits_and_what_failed(plot):
    rows = table(epochs=(5, 10)) if plot is plot_training_curve else table()
    assert "ailed" not in caption_of(plot(rows))
    assert "Higher is better" in caption_of(plot(rows))
    rows.loc[rows.index[0], ["status", "accuracy"]] = ["failed", 0.0]
    caption = caption_of(plot(rows))
    if plot is plot_methods:
        assert "fewer than 4 seeds finished" in caption
    else:
        assert f"Failed and not drawn: 1 of {len(rows)} runs." in caption
        assert "3 to 4" in caption


@pytest.mark.parametrize("plot", FIGURES)
def test_where_nothing_has_a_score_the_figure_says_so(plot):
    rows = table(seeds=2).assign(status="failed")
    assert "nothing to compare. Failed and not drawn: 8 of 8 runs." in caption_of(plot(rows))
    assert "nothing to compare" in caption_of(plot(rows.assign(split="train")))


@pytest.mark.parametrize("plot", FIGURES)
def test_only_one_split_without_label_budgets_is_drawn(plot):
    rows = table()
    more = pd.concat([rows, rows.assign(split="train"), rows.assign(budget=1.0, draw=0.0)])
    texts = texts_of(plot(rows))
    assert texts_of(plot(more)) == texts
    assert texts_of(plot(more.sample(frac=1, random_state=0))) == texts


@pytest.mark.parametrize("plot", FIGURES)
def test_names_are_drawn_as_they_are(plot):
    ways = [("$x$ and $y$", "_a"), ("数字", "<b>"), ("_hidden", "two\nlines")]
    texts = " ".join(texts_of(plot(table(ways=ways, datasets=("$data$",)))))
    for part in ("$x$ and $y$ on _a", "数字 on <b>", "_hidden on two lines", "$data$"):
        assert part in texts


@pytest.mark.parametrize("plot", [plot_methods, plot_code_sizes, plot_pareto])
def test_unlike_rows_are_refused(plot, assert_one_sentence):
    with pytest.raises(InputError) as error:
        plot(table(epochs=(5, 10)))
    assert_one_sentence(error, "epochs")


def test_drawing_again_gives_the_same_bytes(tmp_path):
    def draw(name, rows):
        return [path.read_bytes() for path in save_figure(plot_methods(rows), tmp_path / name, "m")]

    rows = table()
    with mpl.rc_context({"axes.facecolor": "red", "font.size": 20}):
        first = draw("a", rows)
    assert draw("b", rows.sample(frac=1, random_state=0)) == first


# Methods


def test_every_seed_is_a_dot_and_every_median_a_bar():
    rows = table(datasets=("a", "b"))
    for name, ax in zip("ab", plot_methods(rows).axes, strict=True):
        here = rows[rows["dataset"] == name]
        assert sorted(dots_of(ax)[:, 0]) == pytest.approx(sorted(here["accuracy"]))
        bars = [c.get_segments()[0] for c in ax.collections if isinstance(c, LineCollection)]
        medians = here.groupby(["method", "features"])["accuracy"].median()
        assert sorted(bar[0, 0] for bar in bars) == pytest.approx(sorted(medians))


def test_a_seed_has_the_same_height_on_every_line():
    heights = dots_of(plot_methods(table()).axes[0])[:, 1].reshape(4, 4)
    np.testing.assert_allclose(heights - np.round(heights), np.tile(heights[0], (4, 1)), atol=1e-9)
    assert len(np.unique(heights)) == 16


def test_seeds_of_any_number_stay_on_their_line():
    rows = pd.DataFrame([row(seed=seed) for seed in (3, 42)])
    heights = dots_of(plot_methods(rows).axes[0])[:, 1]
    assert np.abs(heights).max() < 0.3
    assert heights[0] < heights[1]


def test_the_best_way_is_on_top():
    rows = pd.DataFrame([row("a", accuracy=0.2), row("b", accuracy=0.9), row("c", accuracy=0.5)])
    names = [t.get_text() for t in plot_methods(rows).axes[0].get_yticklabels()]
    assert names == [f"{method} on autoencoder" for method in "acb"]
    rows["mse"] = [0.2, 0.9, 0.5]
    names = [t.get_text() for t in plot_methods(rows, "mse").axes[0].get_yticklabels()]
    assert names == [f"{method} on autoencoder" for method in "bca"]


def test_seeds_that_failed_or_are_missing_are_counted_on_the_line():
    rows = table(seeds=3, datasets=("a", "b")).iloc[1:]
    rows = rows[(rows["dataset"] == "a") | (rows["method"] != "gmm")]
    figure = plot_methods(rows, n_seeds=3)
    first, second = ([t.get_text() for t in ax.texts] for ax in figure.axes)
    assert first == ["2/3"]
    assert second == ["0/3", "0/3"]
    assert "fewer than 3" in caption_of(figure)
    assert not any(ax.texts for ax in plot_methods(table(seeds=3)).axes)


def test_sizes_are_named_where_a_way_has_several():
    rows = pd.concat([table(n_components=(3, 10)), table(ways=[("kmeans", "pixels")])])
    names = {t.get_text() for t in plot_methods(rows).axes[0].get_yticklabels()}
    assert "kmeans on pixels" in names
    assert {"kmeans on autoencoder, 3-D", "kmeans on autoencoder, 10-D"} <= names


# Curves


def test_code_sizes_are_dots_and_a_line_of_medians():
    rows = table(ways=[("kmeans", "pca")], n_components=(2, 3, 10))
    ax = plot_code_sizes(rows).axes[0]
    medians = rows.groupby("n_components")["accuracy"].median()
    (line,) = lines_of(ax).values()
    np.testing.assert_allclose(line, np.column_stack([medians.index, medians]))
    assert len(dots_of(ax)) == 12
    assert [t.get_text() for t in ax.get_xticklabels()] == ["2", "3", "10"]
    assert ax.get_xscale() == "log"


def test_features_of_one_size_are_a_level_line():
    pixels = table(ways=[("kmeans", "pixels")], n_components=(64,))
    figure = plot_code_sizes(pd.concat([table(n_components=(2, 3)), pixels]))
    level = lines_of(figure.axes[0])["kmeans on pixels"]
    np.testing.assert_allclose(level[:, 1], pixels["accuracy"].median())
    assert figure.axes[0].get_xlim()[1] < 10
    assert "Level lines" in caption_of(figure)
    assert "Level lines" not in caption_of(plot_code_sizes(table(n_components=(2, 3))))


def test_curves_are_set_apart_but_little():
    lines = lines_of(plot_code_sizes(table(n_components=(2, 3))).axes[0])
    starts = sorted(points[0, 0] for points in lines.values())
    assert len(set(starts)) == 4
    assert starts == pytest.approx([2] * 4, rel=0.1)


def test_the_legend_goes_from_the_best_to_the_worst():
    ways = [(method, "pca") for method in "abc"]
    rows = table(ways=ways, n_components=(2, 3), datasets=("x", "y"))
    order = rows.groupby("method")["accuracy"].median().sort_values(ascending=False).index
    for plot in (plot_code_sizes, plot_training_curve):
        assert legend_of(plot(rows))[0].startswith(f"{order[0]} on pca")
    assert legend_of(plot_code_sizes(rows)) == [f"{method} on pca" for method in order]


def test_epochs_start_at_none():
    rows = table(ways=[("kmeans", "autoencoder")], epochs=(0, 1, 10))
    ax = plot_training_curve(rows).axes[0]
    (line,) = lines_of(ax).values()
    np.testing.assert_allclose(line[:, 0], [0, 1, 10])
    assert ax.get_xscale() == "symlog"
    assert "epochs" in ax.get_xlabel()


def test_training_samples_are_counted_in_thousands():
    ax = plot_training_curve(table(n_train=(1000, 60_000)), "n_train").axes[0]
    assert [t.get_text() for t in ax.get_xticklabels()] == ["1,000", "60,000"]
    assert "training samples" in ax.get_xlabel()


def test_the_other_size_makes_lines_of_its_own():
    crossed = pd.concat(
        table(ways=[("kmeans", "autoencoder")], epochs=(1, 10)).assign(n_train=n)
        for n in (100, 1000)
    )
    assert set(legend_of(plot_training_curve(crossed))) == {
        "kmeans on autoencoder, 100 samples",
        "kmeans on autoencoder, 1,000 samples",
    }
    assert set(legend_of(plot_training_curve(crossed, "n_train"))) == {
        "kmeans on autoencoder, epoch 1",
        "kmeans on autoencoder, epoch 10",
    }


def test_a_single_point_beside_a_line_is_left_out():
    epochs = table(ways=[("kmeans", "autoencoder")], epochs=(1, 10)).assign(n_train=1000)
    samples = table(ways=[("kmeans", "autoencoder")], epochs=(10,)).assign(n_train=100)
    both = pd.concat([epochs, samples])
    (line,) = lines_of(plot_training_curve(both).axes[0]).values()
    assert line[:, 0].tolist() == [1, 10]
    assert line[1, 1] == pytest.approx(epochs.query("epochs == 10")["accuracy"].median())
    (line,) = lines_of(plot_training_curve(both, "n_train").axes[0]).values()
    assert line[:, 0].tolist() == [100, 1000]


def test_samples_trained_for_as_many_steps_are_one_line():
    rows = table(ways=[("kmeans", "autoencoder")], n_train=(100, 1000))
    rows["epochs"] = 10_000 / rows["n_train"]
    assert legend_of(plot_training_curve(rows, "n_train")) == ["kmeans on autoencoder"]


# Seconds


def naive_front(costs, gains):
    def beats(a, b):
        better = costs[a] < costs[b] or gains[a] > gains[b]
        return better and costs[a] <= costs[b] and gains[a] >= gains[b]

    n = range(len(costs))
    return [not any(beats(other, i) for other in n) for i in n]


@pytest.mark.parametrize("seed", range(5))
def test_pareto_front_against_a_naive_one(seed):
    costs, gains = np.random.default_rng(seed).integers(0, 6, (2, 12)).astype(float)
    assert pareto_front(costs, gains).tolist() == naive_front(costs, gains)


def test_pareto_front_by_hand():
    costs, gains = np.array([1, 2, 3, 3, 1.0]), np.array([0.5, 0.4, 0.9, 0.9, 0.5])
    assert pareto_front(costs, gains).tolist() == [True, False, True, True, True]
    assert pareto_front(np.array([1.0]), np.array([0.0])).tolist() == [True]


def pareto_rows():
    return pd.DataFrame(
        [
            row(method, seed=seed, accuracy=accuracy + 0.01 * seed, seconds=seconds)
            for method, accuracy, seconds in (("fast", 0.4, 1), ("slow", 0.8, 9), ("bad", 0.3, 5))
            for seed in range(3)
        ]
    )


def test_the_front_is_filled_and_joined():
    figure = plot_pareto(pareto_rows())
    ax = figure.axes[0]
    joined = ax.lines[0].get_xydata()
    np.testing.assert_allclose(joined, [[1, 0.41], [9, 0.81]])
    points = [
        line for line in ax.lines[1:] if line.get_marker() in MARKERS and len(line.get_xdata())
    ]
    white = [p.get_xdata()[0] for p in points if to_rgb(p.get_markerfacecolor()) == (1, 1, 1)]
    assert len(points) == 3
    assert white == [5]
    assert ax.get_xscale() == "log"
    assert legend_of(figure) == [f"{method} on autoencoder" for method in ("slow", "fast", "bad")]
    assert "over 3 seeds" in caption_of(figure)


def test_of_errors_the_smallest_are_on_the_front():
    rows = pareto_rows()
    rows["mse"] = rows["accuracy"]
    figure = plot_pareto(rows, "mse")
    np.testing.assert_allclose(figure.axes[0].lines[0].get_xydata(), [[1, 0.41], [5, 0.31]])
    assert "Lower is better" in caption_of(figure)


def test_runs_without_seconds_are_counted():
    rows = pareto_rows()
    rows.loc[rows["method"] == "bad", "seconds"] = np.nan
    figure = plot_pareto(rows)
    assert "Without seconds, and not drawn: 3 runs." in caption_of(figure)
    assert len(legend_of(figure)) == 2


# Stages


def stage_rows(dataset="digits"):
    """Rows of three seeds: two stages, and one that draws in two ways."""
    # The codes sort no better than the graph, and are a stage all the same.
    wrong = {"1 kmeans": 0.5, "2 graph": 0.2, "3 codes, centre": 0.2, "4 codes, code": 0.2}
    drawn = {"3 codes, centre": 0.06, "4 codes, code": 0.03}
    return pd.DataFrame(
        [
            row(stage, "sorting", seed, 1 - share + seed / 100, dataset=dataset)
            | {"mse": drawn.get(stage, np.nan)}
            for stage, share in wrong.items()
            for seed in range(3)
        ]
    )


def test_stages_stand_in_their_order_and_errors_beside():
    left, right = plot_stages(stage_rows(), title="Stages").axes

    assert [t.get_text() for t in left.get_yticklabels()] == ["kmeans", "graph", "codes"]
    assert left.get_ylim()[0] > left.get_ylim()[1]  # the first on top
    (line,) = left.get_lines()
    assert np.allclose(line.get_xdata(), [0.49, 0.19, 0.19])
    assert [t.get_text() for t in right.get_yticklabels()] == ["centre", "code"]
    assert np.allclose(right.get_lines()[0].get_xdata(), [0.06, 0.03])
    assert len(left.collections[0].get_offsets()) == 9


def test_stages_without_a_score_say_so():
    figure = plot_stages(stage_rows().assign(accuracy=np.nan), title="Stages")
    assert "No row" in caption_of(figure)
