"""What a user must expect: the worst decile, and what the spread is due to."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ae_cluster.reports.label_budgets import (
    crossed_parts,
    mean_interval,
    spread_of_draws,
    variance_parts,
    write_spread,
)
from ae_cluster.reports.literature import PUBLISHED_FEW_LABELS


def made_rows(sd_seed=0.05, sd_draw=0.02, n_seeds=300, n_draws=6):
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {"dataset": "d", "family": "frozen codes", "features": "codes", "n_components": 3,
         "method": "knn", "budget": 5, "seed": seed, "draw": draw, "status": "ok", "ece": 0.1,
         "accuracy": 0.7 + of_seed + sd_draw * rng.normal(), "uses_balance": True,
         "uses_augmentation": False}
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


def tables_of(sd_table, sd_column, sd_row, sd_rest, n=400, rows=6, columns=3):
    rng = np.random.default_rng(0)
    return (
        sd_table * rng.normal(size=(n, 1, 1))
        + sd_column * rng.normal(size=(n, 1, columns))
        + sd_row * rng.normal(size=(n, rows, 1))
        + sd_rest * rng.normal(size=(n, rows, columns))
    )


def test_encoder_clusterer_and_draw_are_told_apart():
    parts = np.sqrt(crossed_parts(list(tables_of(0.05, 0.03, 0.02, 0.01))))

    assert parts[:2] == pytest.approx([0.05, 0.03], rel=0.1)
    assert parts[2] == pytest.approx(np.hypot(0.02, 0.01), rel=0.05)


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_what_does_not_vary_has_no_part(lost):
    sds = [0.05, 0.05, 0.05]
    sds[lost] = 0.0
    parts = np.sqrt(crossed_parts(list(tables_of(*sds, 1e-6))))

    assert parts[lost] < 0.008
    assert (np.delete(parts, lost) > 0.04).all()


def test_crossed_parts_counted_by_hand():
    # Two tables of rows 0 and .2 apart, columns .1 apart, no rest; table means 0 and 1 apart.
    table = np.array([[0.0, 0.1], [0.2, 0.3]])
    of_table, of_column, of_row = crossed_parts([table, table + 1])

    assert of_column == pytest.approx(0.1**2 / 2)
    assert of_row == pytest.approx(0.2**2 / 2)
    # MS of tables 4 · 1/2, of rows 2 · .02, of columns 2 · .005; (2 − .04 − .01) / 4.
    assert of_table == pytest.approx((2 - 0.04 - 0.01) / 4)
    assert np.isnan(crossed_parts([table])).all()
    assert np.isnan(crossed_parts([table, np.full((2, 2), np.nan)])).all()


def test_starts_of_a_clusterer_are_a_part_of_their_own():
    rows = made_rows(n_seeds=100)
    rng = np.random.default_rng(1)
    shifts = 0.04 * rng.normal(size=(100, 3))
    starts = [
        rows.assign(clusterer_seed=i, accuracy=rows["accuracy"] + shifts[rows["seed"], i])
        for i in range(3)
    ]
    (line,) = spread_of_draws(pd.concat(starts, ignore_index=True)).to_dict("records")

    assert line["sd_start"] == pytest.approx(0.04, rel=0.15)
    assert line["sd_draw"] == pytest.approx(0.02, rel=0.1)
    assert line["n_draws"] == 1800
    assert np.isnan(spread_of_draws(rows)["sd_start"].item())


def test_families_have_tables_of_their_own_and_mnist_the_numbers_of_others(tmp_path):
    rows = made_rows(n_seeds=2).assign(dataset="mnist")
    finetuned = rows.assign(family="fine-tuned encoder", method="fine-tuned-autoencoder")
    other = rows.assign(dataset="digits", uses_augmentation=True)
    write_spread(spread_of_draws(pd.concat([rows, finetuned, other])), tmp_path, "draws")
    digits, mnist = (tmp_path / "draws.md").read_text().split("**mnist**, frozen codes")

    assert "k, balance, augmentation" in digits
    assert "by others" not in digits
    frozen, finetuned, others = mnist.split("**mnist**")
    assert "knn" in frozen
    assert "fine-tuned-autoencoder" not in frozen
    assert "fine-tuned-autoencoder" in finetuned
    for way in PUBLISHED_FEW_LABELS:
        assert f"| {way.pipeline} | {way.family} |" in others
    assert "| Poisson learning | frozen codes | 90.2 ± 4.0 | 93.6 | – | 95.3 | 95.9 |" in others


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
