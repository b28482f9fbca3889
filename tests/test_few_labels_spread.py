"""What a user must expect: the worst decile, and what the spread is due to."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ae_cluster.few_labels.spread import (
    mean_interval,
    spread_of_draws,
    variance_parts,
    write_spread,
)


def made_rows(sd_seed=0.05, sd_draw=0.02, n_seeds=300, n_draws=6):
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {"dataset": "d", "family": "frozen codes", "features": "codes", "n_components": 3,
         "method": "knn", "budget": 5, "seed": seed, "draw": draw, "status": "ok", "ece": 0.1,
         "accuracy": 0.7 + of_seed + sd_draw * rng.normal(), "uses_balance": True}
        for seed in range(n_seeds) for of_seed in [sd_seed * rng.normal()]
        for draw in range(n_draws)
    )  # fmt: skip


def test_the_two_parts_of_the_spread_are_told_apart():
    (line,) = spread_of_draws(made_rows()).to_dict("records")

    assert line["sd_seed"] == pytest.approx(0.05, rel=0.15)
    assert line["sd_draw"] == pytest.approx(0.02, rel=0.05)
    assert line["mean"] == pytest.approx(0.7, abs=0.01)
    assert line["low"] < line["mean"] < line["high"]
    assert line["worst"] < line["p10"] < line["mean"]


def test_draws_alone_leave_nothing_to_the_seed():
    (line,) = spread_of_draws(made_rows(sd_seed=0.0)).to_dict("records")

    assert line["sd_seed"] < 0.004


def test_parts_counted_by_hand():
    # Two seeds, two draws: within (0.02 + 0.02) / 2, between 2 · (0.1² + 0.1²) = 0.04.
    scores = np.array([0.5, 0.7, 0.7, 0.9])
    of_seed, of_draw = variance_parts(np.array([0, 0, 1, 1]), scores)

    assert of_draw == pytest.approx(0.02)
    assert of_seed == pytest.approx((0.04 - 0.02) / 2)


def test_one_seed_or_one_draw_has_no_parts():
    assert np.isnan(variance_parts(np.zeros(3), np.arange(3.0))).all()
    assert np.isnan(variance_parts(np.arange(3), np.arange(3.0))).all()
    assert np.isnan(mean_interval(np.ones(1))).all()


def test_failed_rows_are_counted_and_not_averaged():
    rows = made_rows(n_seeds=3)
    rows.loc[0, ["status", "accuracy"]] = ["failed", np.nan]
    (line,) = spread_of_draws(rows).to_dict("records")

    assert (line["n_draws"], line["n_failed"]) == (17, 1)
    assert np.isfinite(line["mean"])


def test_tables_name_every_way_once(tmp_path):
    rows = pd.concat([made_rows(n_seeds=2), made_rows(n_seeds=2).assign(method="svm", ece=0.2)])
    paths = write_spread(spread_of_draws(rows), tmp_path / "new", "draws")
    text = (tmp_path / "new" / "draws.md").read_text()

    assert [path.name for path in paths] == ["draws.csv", "draws.md"]
    assert text.count("| knn |") == text.count("| svm |") == 1
    assert "frozen codes: codes" in text
    assert len(pd.read_csv(paths[0])) == 2
