"""VaDE of small tables: it keeps clusters apart, or starts again and says so."""

from __future__ import annotations

import numpy as np
import pytest

from ae_cluster import AutoEncoder, Callback, VaDE
from ae_cluster.metrics.clustering import accuracy_matched
from ae_cluster.training.diagnostics import HealthWarning


def gaussians(seed=0):
    """Return 300 samples of three plain Gaussians in five columns, and their classes."""
    rng = np.random.default_rng(seed)
    means = np.array([[0] * 5, [6] * 5, [0, 6, 0, 6, 0]])
    y = np.repeat(np.arange(3), 100)
    return (means[y] + rng.normal(size=(300, 5))).astype(np.float32), y


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_vade_keeps_plain_gaussians_apart_by_its_defaults(seed):
    X, y = gaussians(seed)

    model = VaDE(3, random_state=seed).fit(X)  # warnings are errors here

    assert accuracy_matched(y, model.labels_) > 0.99
    assert model.learning_rate_ == 0.002
    assert model.collapse_ == ""


def small(k=3, **parameters):
    start = AutoEncoder(3, (64,), max_iter=100, random_state=0)
    return VaDE(k, start, random_state=0, **parameters)


def test_vade_spoils_no_pretrained_code_of_a_small_table():
    X, y = gaussians()

    model = small().fit(X)  # warnings are errors here

    assert accuracy_matched(y, model.labels_) > 0.99
    assert model.learning_rate_ == 0.002
    assert model.autoencoder_.score(X) > -0.1  # of the variance of standardised columns


def test_vade_starts_again_at_a_smaller_rate_and_says_so():
    X, y = gaussians()

    with pytest.warns(HealthWarning) as caught:
        model = small(learning_rate_init=0.4).fit(X)

    last = str(caught[-1].message)
    assert last.startswith("The clusters collapsed (by their sizes 3.0 clusters became ")
    assert last.endswith("at learning_rate_init=0.4; training starts again at 0.1.")
    assert model.learning_rate_ == 0.1
    assert model.learning_rate_init == 0.4
    assert model.collapse_ == ""
    assert accuracy_matched(y, model.labels_) > 0.99


def test_vade_that_stays_collapsed_stops_early_and_says_what_to_change(tmp_path):
    class Favour(Callback):
        """Let the first cluster eat the others."""

        def on_step(self, progress):
            progress.model.head_.logits.data[0] = 1e4

    X, _ = gaussians()

    with pytest.warns(HealthWarning) as caught:
        model = small(callbacks=[Favour()]).fit(X)

    said = [str(w.message) for w in caught if "collapsed" in str(w.message)]
    assert len(said) == 4
    assert "training ends after epoch" in said[-1]
    assert "lower learning_rate_init" in said[-1]
    assert model.n_iter_ < 5
    assert model.learning_rate_ == 0.002 / 64
    model.save(tmp_path / "model")
    assert VaDE.load(tmp_path / "model").collapse_ == model.collapse_ != ""
