"""What tables and figures say of several seeds, held to a second way of finding it."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import wilcoxon

from ae_cluster.figures import caption_of, plot_label_budget
from ae_cluster.reports import median_interval, paired_difference
from ae_cluster.semi_supervised.evaluation import few_label_classifiers, label_budget_rows


@pytest.mark.parametrize("n", [2, 5, 10, 13])
def test_the_signed_rank_p_is_scipys_with_and_without_ties(n):
    rng = np.random.default_rng(n)
    for differences in (rng.normal(size=n), rng.integers(-4, 5, n) / 450):
        zero = pd.Series(np.zeros(n))
        _, _, p = paired_difference(pd.Series(differences), zero)
        unequal = differences[differences != 0]
        assert p == pytest.approx(wilcoxon(unequal).pvalue if len(unequal) else 1)


def test_budget_points_are_medians_of_seeds_and_carry_their_interval():
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(
        {"split": "test", "budget": b, "draw": d, "seed": s, "features": "codes", "method": "knn",
         "accuracy": rng.uniform()}
        for b in (1, 10) for s in range(10) for d in range(3)
    )  # fmt: skip
    figure = plot_label_budget(rows)
    of_seeds = [rows[rows["budget"] == b].groupby("seed")["accuracy"].mean() for b in (1, 10)]
    (line,) = figure.axes[0].containers
    np.testing.assert_allclose(line[0].get_ydata(), [s.median() for s in of_seeds])
    drawn = [c for c in figure.axes[0].collections if c.get_linewidths()[0] == 5]
    found = [segment[:, 1] for segment in drawn[0].get_segments()]
    np.testing.assert_allclose(found, [median_interval(s) for s in of_seeds])
    assert "bootstrap 95 % intervals" in caption_of(figure)
    assert "10 seeds" in caption_of(figure)


def test_one_classifier_and_later_draws_are_the_rows_of_all(digit_rows):
    labels = np.arange(len(digit_rows)) % 3
    halves = digit_rows[:900], labels[:900], digit_rows[900:], labels[900:]
    told = {"dataset": "d", "features": "pixels", "seed": 1}
    everything = label_budget_rows(*halves, [2], 5, **told)
    part = label_budget_rows(*halves, [2], 2, **told, first_draw=3, methods=["knn"])
    assert "knn" in few_label_classifiers()
    for row in (*part, *everything):
        del row["seconds"]
    assert part == [r for r in everything if r["method"] == "knn" and r["draw"] >= 3]
    (failed,) = label_budget_rows(*halves, [900], 1, **told, first_draw=3, methods=["knn"])
    assert (failed["status"], failed["method"], failed["draw"]) == ("failed", "knn", 3)
