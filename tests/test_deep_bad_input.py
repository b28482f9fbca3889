"""What cannot be clustered is refused in a sentence; what goes wrong on the way is said."""

from __future__ import annotations

import numpy as np
import pytest

from ae_cluster import AutoEncoder, Callback, InputError
from ae_cluster.clustering.deep import DCN, DEC, IDEC, N2D, VaDE
from ae_cluster.training.diagnostics import HealthWarning
from ae_cluster.training.loop import DivergedError

TRAINED = [DEC, IDEC, DCN, VaDE]
ALL = pytest.mark.parametrize("way", [*TRAINED, N2D])
quiet = pytest.mark.filterwarnings("ignore::ae_cluster.training.diagnostics.HealthWarning")


def small(way, k, **parameters):
    epochs = {} if way is N2D else {"max_iter": 3}
    return way(k, AutoEncoder(2, (8,), max_iter=3), random_state=0, **epochs | parameters)


@pytest.fixture
def rows():
    return np.random.default_rng(0).random((40, 5)).astype(np.float32)


def few(rows):
    return {
        "more clusters than samples": (rows[:6], 7, "6 training samples"),
        "more than are distinct": (np.repeat(rows[:3], 5, axis=0), 4, "3 distinct"),
        "all the same": (np.ones((20, 4)), 2, "1 distinct"),
        "one sample": (rows[:1], 1, "1 sample"),
        "missing values": (np.full((5, 3), np.nan), 2, "NaN"),
    }


@ALL
@pytest.mark.parametrize(
    "name",
    ["more clusters than samples", "more than are distinct", "all the same", "one sample",
     "missing values"],
)  # fmt: skip
def test_what_cannot_be_clustered_is_refused(way, name, rows, assert_one_sentence):
    X, k, said = few(rows)[name]
    with pytest.raises(InputError) as error:
        small(way, k).fit(X)
    assert_one_sentence(error, said)


@quiet
@ALL
def test_awkward_data_give_a_sound_result(way, rows):
    constant = rows.copy()
    constant[:, 2] = 0.5
    for X, k in (
        (rows, 1),
        (np.ones((20, 4)), 1),
        (constant, 3),
        (np.repeat(rows[:3], 5, axis=0), 3),
        (rows[:6], 3),  # fewer than the neighbours UMAP asks for
    ):
        model = small(way, k).fit(X)
        assert np.isfinite(model.transform(X)).all()
        assert np.isfinite(model.cluster_centers_).all()
        assert set(model.labels_) <= set(range(k))
        assert np.array_equal(model.predict(X), model.labels_)


@quiet
@ALL
def test_two_samples_are_few(way, rows, assert_one_sentence):
    if way is N2D:
        with pytest.raises(InputError, match="at least 3") as error:
            small(way, 2).fit(rows[:2])
        assert_one_sentence(error)
    else:
        assert small(way, 2).fit(rows[:2]).labels_.shape == (2,)


@ALL
def test_one_sample_is_refused_where_the_autoencoder_is_fitted(way, rows, assert_one_sentence):
    start = AutoEncoder(2, (8,), max_iter=1, random_state=0).fit(rows)

    with pytest.raises(InputError, match="1 sample") as error:
        way(1, start).fit(rows[:1])
    assert_one_sentence(error)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_clusters", 0), ("n_clusters", 2.5), ("n_clusters", "8"), ("n_clusters", True),
        ("autoencoder", "deep"), ("tol", -1), ("update_interval", 0), ("max_iter", -1),
        ("batch_size", 0), ("learning_rate_init", 0.0), ("clustering_weight", -0.1),
        ("clustering_weight", np.nan), ("callbacks", [print]), ("random_state", "now"),
        ("verbose", "very"),
    ],
)  # fmt: skip
def test_parameters_that_cannot_be_used_are_named(name, value, rows, assert_one_sentence):
    with pytest.raises(InputError) as error:
        small(IDEC, 3).set_params(**{name: value}).fit(rows)
    assert_one_sentence(error, name)


@pytest.mark.parametrize("name", ["n_neighbors", "n_manifold_components", "min_dist"])
def test_n2ds_own_parameters_are_checked(name, rows, assert_one_sentence):
    with pytest.raises(InputError) as error:
        small(N2D, 3, **{name: -1}).fit(rows)
    assert_one_sentence(error, name)


def test_clusters_are_counted_before_the_long_training(rows):
    class Never(Callback):
        def on_step(self, *_):
            raise AssertionError("trained")

    with pytest.raises(InputError, match="40 training samples"):
        DEC(41, AutoEncoder(2, (8,), callbacks=[Never()])).fit(rows)


# ---- on the way


@quiet
@pytest.mark.parametrize("way", TRAINED)
def test_a_loss_that_is_no_number_leaves_the_last_good_weights(way, rows):
    class Poison(Callback):
        """Spoil the weights in the second epoch."""

        kept = None

        def on_step(self, progress):
            network = progress.model.autoencoder_.network_
            if progress.epoch == 1:
                next(network.parameters()).data.fill_(np.nan)

        def on_epoch(self, progress):
            self.kept = progress.model.transform(rows)

    poison = Poison()
    model = small(way, 3, batch_size=10, max_iter=5, callbacks=[poison])
    with pytest.raises(DivergedError, match=r"step 6 \(epoch 2\).*learning_rate_init"):
        model.fit(rows)

    assert np.array_equal(model.transform(rows), poison.kept)
    assert np.array_equal(model.predict(rows), model.labels_)
    assert model.n_iter_ == 1


@pytest.mark.parametrize("way", [DEC, IDEC, DCN])
def test_collapse_is_said_while_it_happens_and_once(way, rows):
    class Collapse(Callback):
        """Let the encoder forget the second number of its code."""

        def on_step(self, progress):
            network = progress.model.autoencoder_.network_
            layer = network.layers[network.n_encoder_layers - 1]
            layer.weight.data[1] = 0

    with pytest.warns(HealthWarning) as caught:
        small(way, 3, max_iter=4, callbacks=[Collapse()]).fit(rows)

    said = [str(w.message) for w in caught if "Code dimension" in str(w.message)]
    assert said == ["Code dimension 1 is the same for every sample (dead) (after epoch 1)."]


def test_a_saturated_layer_is_said(rows):
    class Push(Callback):
        def on_step(self, progress):
            progress.model.autoencoder_.network_.layers[0].bias.data.fill_(50)

    with pytest.warns(HealthWarning) as caught:
        small(DEC, 3, callbacks=[Push()]).fit(rows)

    said = [str(w.message) for w in caught if "saturated" in str(w.message)]
    assert len(said) == 1
    assert said[0].startswith("Hidden layer 1 is saturated: 8 of its 8 units")


def test_a_healthy_training_is_silent(digit_rows):
    start = AutoEncoder(5, (32,), max_iter=20, random_state=0)

    IDEC(5, start, max_iter=5, random_state=0).fit(digit_rows[:500])  # warnings are errors here
