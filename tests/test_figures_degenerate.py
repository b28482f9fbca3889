"""No figure breaks, whatever numbers it is given: a table of figures and of numbers at limits."""

import numpy as np
import pandas as pd
import pytest
from degenerate_figures import CASES, broken, of_seeds, scored, usual
from drawn import texts_of

from ae_cluster import figures
from ae_cluster.figures import plot_label_budget, plot_methods
from ae_cluster.figures.style import short_names

# Of each figure what broke it, or would first; the whole table takes minutes.
QUICK = (
    "label-budget all-one", "label-budget-with-all one-always-right",
    "label-budget-with-all one-or-nothing", "label-budget one-size", "methods all-one",
    "methods long-names", "pareto all-zero", "code-size one-size-all-one",
    "training-epochs one-way-one-seed", "training-images all-one", "stages all-one",
    "stages one-or-nothing", "codes one-number", "tiles two-numbers", "confusion one-class",
    "sheet one-sample", "sheet one-sample-a-cluster", "profiles one-sample", "loss-zero",
    "loss-wide", "rebuilt-one", "rebuilt-wide", "label-sheet-one", "noise-only",
)  # fmt: skip


@pytest.mark.parametrize(
    "case", [c if c in QUICK else pytest.param(c, marks=pytest.mark.slow) for c in CASES]
)
def test_a_figure_keeps_the_laws_whatever_is_drawn(case):
    assert list(broken(CASES[case]())) == []


def test_the_quick_cases_are_cases():
    assert set(QUICK) <= set(CASES)


def test_every_figure_of_the_package_is_in_the_table():
    source = __import__("inspect").getsource(__import__("degenerate_figures"))
    for name in figures.__all__:
        assert not name.startswith("plot_") or f"{name}" in source


def test_a_classifier_that_is_always_right_is_drawn_at_1_inside_the_axes():
    rows = scored(lambda m, i, _: 1.0 if m == 0 else 0.5 + 0.23 * i)
    figure = plot_label_budget(rows, {"all labels": 1.0})
    ax = figure.axes[0]
    assert ax.get_yscale() == "logit"
    points = ax.containers[0][0].get_ydata()
    assert (points == points[0]).all()
    assert 0.96 < points[0] < ax.get_ylim()[1] < 1
    ticks = dict(zip([t.get_text() for t in ax.get_yticklabels()], ax.get_yticks(), strict=True))
    assert ticks["1"] == points[0] == ax.lines[0].get_ydata()[0]
    others = ax.containers[1][0].get_ydata()
    np.testing.assert_allclose(others, [0.5, 0.73, 0.96])
    assert "1, infinitely far on it, stands beside the nearest score" in figures.caption_of(figure)


def test_methods_whose_long_names_begin_alike_stay_apart():
    names = [f"AClustererWhoseAuthorWroteItsWholeNameWithoutAnySpace{i}" for i in range(3)]
    figure = plot_methods(of_seeds(scored(usual, methods=names)))
    ways = [t.get_text() for t in figure.axes[0].get_yticklabels()]
    assert len(set(ways)) == 3
    assert "of 3" in figures.caption_of(figure)  # seeds, and not nine


@pytest.mark.parametrize("width", [8, 16, 48])
def test_short_names_of_different_names_differ(width):
    names = ["x" * 60 + str(i) for i in range(30)] + [f"{i}" + "y" * 60 for i in range(30)]
    names += ["a" * 30 + f"{i}" + "b" * 30 for i in range(30)] + ["short", "short"]
    short = short_names(names, width)
    assert len(set(short)) == len(set(names))
    assert max(map(len, short)) <= width
    assert short[-1] == short[-2] == "short"
    assert len(pd.unique(np.array(names))) == 91


def test_a_matrix_says_where_not_every_row_has_its_label():
    figure = CASES["confusion hundred-clusters"]()
    assert "There are too many columns to label each." in figures.caption_of(figure)
    assert "label each" not in figures.caption_of(CASES["confusion usual"]())
    assert any("too many columns" in text.replace("\n", " ") for text in texts_of(figure))
