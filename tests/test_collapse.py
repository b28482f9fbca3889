"""A code that collapses: found by several signs, trained again more slowly, never a result."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

from ae_cluster import AutoEncoder, Callback
from ae_cluster.autoencoder.restarts import fit_alive, rates_from
from ae_cluster.cli.main import main
from ae_cluster.records.rows import SCORES
from ae_cluster.runs import samples
from ae_cluster.training.diagnostics import HealthWarning, collapse, effective_clusters, few_codes

DIGITS = load_digits()
IMAGES = (DIGITS.images[:100] * 15).astype(np.uint8)
ROWS = IMAGES.reshape(100, -1)
RATE, FAR_TOO_HIGH = 0.1, 1e6  # the one collapses, and a fifth of it does not


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def run(capsys, name, rate, *more):
    """Carry out a run; return its exit code, what it printed and what it said on the way."""
    code = main(
        ["run", name, "--n-clusters", "4", "--epochs", "150", "--out", "RUN",
         "--learning-rate-init", str(rate), "--no-figures", *more]
    )  # fmt: skip
    return code, *capsys.readouterr()


def config():
    return json.loads(Path("RUN/config.json").read_text())


# ---- the signs together


def seen(rng, n=200):
    """Return what is seen of a healthy autoencoder: codes, images, reconstructions."""
    images = rng.random((n, 16))
    return rng.normal(size=(n, 3)), images, images + rng.normal(0, 0.1, images.shape)


def test_health_is_no_collapse(rng):
    codes, images, drawn = seen(rng)

    assert collapse(codes, images, drawn) == ""
    assert collapse(codes + 1e4, images, drawn) == ""  # far from the origin, but drawn from well


def test_one_sign_alone_is_no_collapse(rng):
    codes, images, drawn = seen(rng)
    mean = np.broadcast_to(images.mean(axis=0), images.shape)

    assert collapse(codes, images, mean) == ""  # nothing to draw: noise, or a few bright pixels
    assert collapse(1 + codes * 1e-4, images, mean) == ""  # a plateau that training still leaves
    assert collapse(np.repeat(codes[:4], 50, axis=0), images, drawn) == ""  # tight groups


def test_distinct_codes_that_have_shrunk_to_a_point_are_a_collapse(rng):
    codes, images = rng.normal(size=(200, 3)), rng.random((200, 16))
    mean = np.tile(images.mean(axis=0), (200, 1))
    assert "differ by" in collapse(1 + codes * 5e-6, images, mean)
    assert collapse(1 + codes * 5e-6, images, images) == ""  # drawn from well


def test_duplicates_in_the_data_are_no_collapse(rng):
    codes, images, _ = seen(rng, 5)
    many, blurred = np.repeat(images, 40, axis=0), np.repeat(images[[0] * 5], 40, axis=0)

    assert collapse(np.repeat(codes, 40, axis=0), many, blurred) == ""


@pytest.mark.parametrize("error", [0.97, 1.002])
@pytest.mark.parametrize(
    "codes",
    [np.ones((200, 3)), np.repeat([[1.0, 2, 3], [4, 5, 6]], 100, axis=0)],
    ids=["one code", "two codes"],
)
def test_a_handful_of_codes_that_draw_the_mean_image_is_a_collapse(codes, error, rng):
    _, images, _ = seen(rng)
    drawn = images + np.sqrt(error) * (images.mean(axis=0) - images)

    assert collapse(codes, images, drawn).endswith((" code.", "mean image's error."))


def test_codes_that_differ_by_rounding_are_a_collapse(rng):
    _, images, _ = seen(rng)
    codes = (1 + 1e-8 * rng.normal(size=(200, 3))).astype(np.float32)

    assert collapse(codes, images, images) == "All samples have the same code."
    assert "rounding" in few_codes((1 + 3e-7 * rng.normal(size=(200, 3))).astype(np.float32), 4)


def test_of_learnt_codes_alone_only_the_plain_collapse_is_told(rng):
    assert few_codes(rng.normal(size=(50, 3)), 4) == ""
    assert few_codes(np.repeat(rng.normal(size=(4, 3)), 10, axis=0), 4) == ""
    assert few_codes(np.repeat(rng.normal(size=(3, 3)), 10, axis=0), 4) != ""
    assert few_codes(np.ones((50, 3)), None) == "50 samples have 1 distinct code."


def test_effective_clusters_are_counted_by_their_sizes():
    assert effective_clusters(np.repeat([0, 1, 2], 10)) == pytest.approx(3)
    assert effective_clusters(np.zeros(10, int)) == pytest.approx(1)
    assert 1.8 < effective_clusters(np.repeat([0, 1], [200, 100])) < 2


# ---- trained again


def make(rate, **parameters):
    defaults = {"max_iter": 150, "random_state": 0} | parameters
    return AutoEncoder(3, learning_rate_init=rate, **defaults)


def test_a_collapse_starts_training_again_and_says_so():
    said = []

    found = fit_alive(make, ROWS, rates_from(RATE, keep_recipe=False), said.append)

    assert found.collapsed_at == [RATE]
    assert found.collapse == ""
    assert said[0].startswith(f"The code collapsed at learning_rate_init={RATE} (")
    assert said[0].endswith(f"training starts again at {RATE / 5:g}.")
    assert len(said) == 1
    alone = make(RATE / 5).fit(ROWS)
    assert np.array_equal(found.model.transform(ROWS), alone.transform(ROWS))


def bright_photographs(n=200, side=32):
    """Return wide images of a coloured square on a light ground."""
    rng = np.random.default_rng(0)
    images = np.full((n, side, side, 3), 240, np.uint8) - rng.integers(0, 20, (n, side, side, 3))
    for image in images:
        row, column = rng.integers(0, side - 10, 2)
        image[row : row + 10, column : column + 10] = rng.integers(0, 200, 3)
    return images.astype(np.uint8)


@pytest.mark.heavy
def test_bright_wide_images_collapse_unless_steps_are_centered():
    rows = bright_photographs()
    recipe = {"learning_rate_init": 0.005, "max_iter": 60, "random_state": 0}

    plain = AutoEncoder(**recipe).fit(rows)
    centered = AutoEncoder(**recipe, center_inputs=True).fit(rows)

    assert plain.collapse_ == "All samples have the same code."
    assert centered.collapse_ == ""
    assert centered.loss_curve_[-1] < 0.7 * plain.loss_curve_[-1]


@pytest.mark.parametrize(("side", "is_wide"), [(20, True), (16, False)])
def test_a_run_centers_the_steps_of_images_wider_than_the_tutorials(side, is_wide, capsys):
    np.savez("mine.npz", x=bright_photographs(60, side), y=np.arange(60) % 2)

    run(capsys, "mine.npz", 0.001, "--epochs", "2", "--budgets", "1")

    assert config()["settings"]["center_inputs"] is is_wide


@pytest.mark.heavy
def test_a_fit_that_collapses_warns_and_keeps_it(tmp_path):
    with pytest.warns(HealthWarning, match="The codes have collapsed; .*learning_rate_init"):
        model = make(RATE, max_iter=500).fit(ROWS)

    assert make(RATE).fit(ROWS).collapse_  # 300 steps: kept, not warned of
    assert (
        model.collapse_
        == fit_alive(lambda r: make(r, max_iter=500), ROWS, [RATE], pytest.fail).collapse
        != ""
    )
    model.save(tmp_path / "model")
    assert AutoEncoder.load(tmp_path / "model").collapse_ == model.collapse_
    assert make(RATE, max_iter=0).fit(ROWS).collapse_ == make(RATE / 5).fit(ROWS).collapse_ == ""


def test_a_healthy_training_is_what_it_was():
    found = fit_alive(make, ROWS, rates_from(0.005, keep_recipe=False), pytest.fail)

    assert found.collapsed_at == []
    assert found.model.callbacks == ()
    assert np.array_equal(found.model.transform(ROWS), make(0.005).fit(ROWS).transform(ROWS))


def test_a_collapse_is_found_before_the_training_ends():
    class Count(Callback):
        epochs = 0

        def on_epoch(self, progress):
            self.epochs = progress.epoch

    counts = []

    def counted(rate):
        counts.append(Count())
        return make(rate, max_iter=2500 if rate == RATE else 100, callbacks=[counts[-1]])

    fit_alive(counted, ROWS, rates_from(RATE, keep_recipe=False)[:2], lambda _: None)

    assert [count.epochs for count in counts] == [500, 100]  # of two steps each


def test_a_training_that_was_killed_after_a_restart_goes_on_there():
    class KilledError(Exception):
        pass

    class Kill(Callback):
        def on_epoch(self, progress):
            if progress.model.learning_rate_init < RATE:
                if progress.epoch == 98:
                    time.sleep(1.1)  # checkpoints are written once a second
                if progress.epoch == 100:
                    raise KilledError

    path, said = Path("a.safetensors"), []
    rates = rates_from(RATE, keep_recipe=False)
    whole = fit_alive(make, ROWS, rates, said.append).model.transform(ROWS)
    with pytest.raises(KilledError):
        fit_alive(
            lambda rate: make(rate, checkpoint=path, callbacks=[Kill()]), ROWS, rates, said.append
        )

    found = fit_alive(lambda rate: make(rate, checkpoint=path), ROWS, rates, said.append)

    assert len(said) == 2  # nothing is learnt at the first rate again
    assert found.collapsed_at == [RATE]
    assert np.array_equal(found.model.transform(ROWS), whole)


# ---- a run


def test_a_run_on_own_data_starts_again_and_keeps_it_in_its_config(capsys):
    np.savez("mine.npz", x=IMAGES)

    code, out, err = run(capsys, "mine.npz", RATE)

    assert code == 0
    assert f"starts again at {RATE / 5:g}" in err
    assert "COLLAPSED" not in out
    assert config()["arguments"]["learning_rate_init"] == RATE
    assert config()["settings"]["learning_rate_init"] == RATE / 5
    assert config()["settings"]["collapsed_at_learning_rates"] == [RATE]
    assert set(pd.read_csv("RUN/scores.csv")["status"]) == {"ok"}


@pytest.mark.parametrize("name", ["mine.npz", "digits"])
def test_what_stays_collapsed_has_no_scores_and_is_the_last_word(name, capsys):
    np.savez("mine.npz", x=IMAGES, y=DIGITS.target[:100] % 4)

    _, out, err = run(capsys, name, FAR_TOO_HIGH, "--epochs", "20", "--budgets", "1,2")

    assert err.count("starts again") == (0 if name == "digits" else 2)
    assert "Number of distinct clusters" not in err
    last = out.strip().splitlines()[-1]
    assert last.startswith("COLLAPSED: the autoencoder codes of this run tell nothing")
    rows = pd.read_csv("RUN/scores.csv")
    of_codes = rows["features"] == "autoencoder"
    assert set(rows.loc[of_codes, "status"]) == {"collapsed"}
    assert set(rows.loc[rows["features"] == "pca", "status"]) == {"ok"}
    assert rows.loc[of_codes, list(SCORES)].isna().all(axis=None)
    assert rows.loc[of_codes, "reason"].str.len().gt(0).all()


@pytest.mark.heavy
def test_nothing_is_labelled_or_classified_by_collapsed_codes(capsys):
    np.savez("mine.npz", x=IMAGES, y=DIGITS.target[:100] % 4)
    run(capsys, "mine.npz", FAR_TOO_HIGH, "--epochs", "20")
    Path("few.csv").write_text("id,label\n0,a\n1,b\n2,a\n3,b\n")

    for command in (["label", "RUN"], ["classify", "RUN", "--labels", "few.csv"]):
        assert main(command) == 2
        said = capsys.readouterr().err.strip().splitlines()[-1]
        assert re.search("codes of .*RUN have collapsed", said)
        assert "learning-rate-init" in said
    assert not Path("RUN/labels").exists()
    assert not Path("predictions.csv").exists()


@pytest.fixture
def at_rate(monkeypatch):
    """Give the function that sets the learning rate of the autoencoders that `classify` trains."""
    plain = samples._autoencoder

    def change(rate):
        monkeypatch.setattr(
            samples, "_autoencoder", lambda *a: plain(*a).set_params(learning_rate_init=rate)
        )

    return change


@pytest.mark.parametrize("method", ["fine-tuned-autoencoder", "m1-m2", "poisson"])
def test_nothing_is_predicted_from_an_encoder_that_stays_collapsed(method, capsys, at_rate):
    at_rate(FAR_TOO_HIGH)
    np.savez("mine.npz", x=IMAGES, y=np.where(np.arange(100) % 2, DIGITS.target[:100] % 4, -1))

    assert main(["classify", "mine.npz", "--method", method, "--epochs", "150"]) == 2
    said = capsys.readouterr().err
    assert said.count("starts again") == 2
    assert "codes learnt of mine.npz have collapsed" in said
    assert not Path("predictions.csv").exists()


def test_an_encoder_to_be_fine_tuned_that_collapses_starts_again(at_rate):
    at_rate(RATE)
    np.savez("mine.npz", x=IMAGES)
    said = []

    rows, encoder = samples.samples_of("mine.npz", epochs=150, say=said.append).start(
        "autoencoder", 4
    )

    assert [text.split(" (")[0] for text in said] == [
        f"The code collapsed at learning_rate_init={RATE}"
    ]
    assert encoder.estimator.learning_rate_init == RATE / 5
    assert len(np.unique(encoder.transform(rows), axis=0)) == 100


def test_a_run_of_before_is_known_by_its_codes(capsys):
    np.savez("mine.npz", x=IMAGES)
    run(capsys, "mine.npz", 0.005, "--epochs", "1")
    kept = Path("RUN/methods/kmeans/codes.npz")
    with np.load(kept) as archive:
        arrays = dict(archive)
    assert main(["label", "RUN"]) == 0

    np.savez(kept, **arrays | {k: np.ones_like(arrays[k]) for k in ("codes_train", "codes_test")})

    assert main(["label", "RUN", "--force"]) == 2
    assert "1 distinct code" in capsys.readouterr().err
