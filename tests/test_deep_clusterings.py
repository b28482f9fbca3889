"""Each deep clustering does what its paper says, from a shared start, without labels."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits

from ae_cluster import AutoEncoder, Callback, InputError
from ae_cluster.clustering.deep import DCN, DEC, IDEC, N2D, VaDE, paper_autoencoder
from ae_cluster.metrics.clustering import accuracy_matched

TRAINED = [DEC, IDEC, DCN, VaDE]
pytestmark = pytest.mark.filterwarnings("ignore::ae_cluster.training.diagnostics.HealthWarning")

TRAIN = slice(0, 1300)
TEST = slice(1300, None)


@pytest.fixture(scope="module")
def labels():
    return load_digits().target


@pytest.fixture(scope="module")
def pretrained(digit_rows):
    model = AutoEncoder(
        10, (64, 64), "relu", batch_size=64, learning_rate_init=0.002, max_iter=80, random_state=0
    )
    return model.fit(digit_rows[TRAIN])


@pytest.fixture(scope="module")
def fitted(pretrained, digit_rows):
    """Give every method, fitted to digits from the same autoencoder."""
    ways = {way: {"max_iter": 30, "batch_size": 64} for way in TRAINED} | {N2D: {}}
    ways[DEC] = ways[IDEC] = {"max_iter": 60, "batch_size": 64}
    return {
        way: way(10, pretrained, random_state=0, **parameters).fit(digit_rows[TRAIN])
        for way, parameters in ways.items()
    }


ALL = pytest.mark.parametrize("way", [*TRAINED, N2D])


def within(codes, clusters):
    """Return the share of the codes' variance that is inside the clusters."""
    inside = sum(codes[clusters == j].var(axis=0) * (clusters == j).mean() for j in set(clusters))
    return float(inside.sum() / codes.var(axis=0).sum())


def first_clusters(pretrained, rows):
    return KMeans(10, n_init=20, random_state=0).fit_predict(pretrained.transform(rows))


# ---- what each is for


@ALL
def test_clusters_are_digits_and_no_worse_than_before(way, fitted, pretrained, digit_rows, labels):
    model = fitted[way]
    before = accuracy_matched(labels[TRAIN], first_clusters(pretrained, digit_rows[TRAIN]))

    assert accuracy_matched(labels[TRAIN], model.labels_) > before - 0.03
    assert accuracy_matched(labels[TEST], model.predict(digit_rows[TEST])) > 0.65
    assert len(np.unique(model.labels_)) == 10


@pytest.mark.parametrize("way", [DEC, IDEC])
def test_self_training_makes_assignments_surer(way, fitted, pretrained, digit_rows):
    start = way(10, pretrained, random_state=0, max_iter=0).fit(digit_rows[TRAIN])
    before, after = (m.predict_proba(digit_rows[TRAIN]) for m in (start, fitted[way]))

    assert after.max(axis=1).mean() > before.max(axis=1).mean() + 0.1


@pytest.mark.parametrize("way", [IDEC, DCN])
def test_reconstruction_goes_on(way, fitted, pretrained, digit_rows):
    error = -fitted[way].autoencoder_.score(digit_rows[TEST])

    assert error < 1.3 * -pretrained.score(digit_rows[TEST])
    assert error < 0.7 * -fitted[DEC].autoencoder_.score(digit_rows[TEST])


@pytest.mark.parametrize("way", [DEC, IDEC, DCN])
def test_codes_gather_around_their_centers(way, fitted, pretrained, digit_rows):
    rows = digit_rows[TRAIN]
    before = within(pretrained.transform(rows), first_clusters(pretrained, rows))

    assert within(fitted[way].transform(rows), fitted[way].labels_) < 0.9 * before


def test_the_evidence_bound_rises(fitted):
    curve = fitted[VaDE].loss_curve_

    assert curve[-1] < curve[9] < curve[0]


def test_centers_of_dcn_are_near_the_means_of_their_clusters(fitted, digit_rows):
    model = fitted[DCN]
    codes = model.transform(digit_rows[TRAIN])
    means = np.stack([codes[model.labels_ == j].mean(axis=0) for j in range(10)])

    off = np.linalg.norm(means - model.cluster_centers_, axis=1)
    assert off.max() < 0.5 * codes.std(axis=0).max() * np.sqrt(10)


# ---- what all offer


@ALL
def test_soft_assignments_agree_with_clusters(way, fitted, digit_rows):
    model = fitted[way]
    if way is DCN:
        assert not hasattr(model, "predict_proba")
        return
    soft = model.predict_proba(digit_rows)

    assert soft.shape == (1797, 10)
    assert soft.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert np.array_equal(soft.argmax(axis=1), model.predict(digit_rows))


@ALL
def test_training_samples_keep_their_labels(way, fitted, digit_rows):
    model = fitted[way]

    assert model.labels_.dtype == np.int64
    assert np.array_equal(model.predict(digit_rows[TRAIN]), model.labels_)


@ALL
def test_centers_are_codes_that_can_be_drawn(way, fitted, digit_rows):
    model = fitted[way]
    codes = model.transform(digit_rows)

    assert codes.shape == (1797, 10)
    assert model.cluster_centers_.shape == (10, 10)
    assert (np.abs(model.cluster_centers_) <= np.abs(codes).max() + 1).all()
    images = model.inverse_transform(model.cluster_centers_)
    assert images.shape == (10, 64)
    assert 0 <= images.min() <= images.max() <= 1
    assert model.get_feature_names_out()[0] == f"{way.__name__.lower()}0"


@ALL
def test_a_saved_model_comes_back(way, fitted, digit_rows, tmp_path):
    model = fitted[way]
    model.save(tmp_path / "m")
    copy = way.load(tmp_path / "m")

    for method in ("predict", "transform", "predict_proba"):
        if hasattr(model, method):
            ours, theirs = (getattr(m, method)(digit_rows[TEST]) for m in (model, copy))
            assert np.array_equal(ours, theirs)
    assert np.array_equal(copy.labels_, model.labels_)
    assert np.array_equal(copy.cluster_centers_, model.cluster_centers_)
    assert copy.n_features_in_ == 64
    ours, theirs = model.get_params(), copy.get_params()
    assert {k: v for k, v in ours.items() if k != "autoencoder"} == {
        k: v for k, v in theirs.items() if k != "autoencoder"
    }
    for name in model._fitted:
        assert getattr(copy, name) == getattr(model, name)


def test_a_saved_model_is_read_by_its_own_class_only(fitted, tmp_path, assert_one_sentence):
    fitted[DEC].save(tmp_path / "m")

    with pytest.raises(InputError, match="kind 'DEC'") as error:
        IDEC.load(tmp_path / "m")
    assert_one_sentence(error)


def test_a_model_of_the_default_autoencoder_is_saved_as_such(tmp_path):
    X = np.random.default_rng(0).random((8, 4))
    given = paper_autoencoder(max_iter=0)
    model = DEC(2, max_iter=0, random_state=0)
    model.autoencoder_ = given
    model.set_params(autoencoder=AutoEncoder(2, (4,), max_iter=0)).fit(X)
    model.set_params(autoencoder=None).save(tmp_path / "m")

    assert DEC.load(tmp_path / "m").autoencoder is None


def test_the_default_autoencoder_is_the_papers():
    model = paper_autoencoder()

    assert tuple(model.hidden_layer_sizes) == (500, 500, 2000)
    assert (model.n_components, model.activation, model.max_iter) == (10, "relu", 50)
    assert paper_autoencoder(3, max_iter=2).get_params()["max_iter"] == 2


# ---- the start


@ALL
def test_a_fitted_autoencoder_is_neither_trained_again_nor_touched(
    way, fitted, pretrained, digit_rows
):
    untouched = pretrained.transform(digit_rows)
    model = fitted[N2D]  # which has no epochs
    if way is not N2D:
        model = way(10, pretrained, random_state=0, max_iter=0).fit(digit_rows[TRAIN])

    assert np.array_equal(model.transform(digit_rows), untouched)
    assert np.array_equal(pretrained.transform(digit_rows), untouched)
    assert len(pretrained.loss_curve_) == 80
    if way not in (N2D, DEC):
        assert not np.array_equal(fitted[way].transform(digit_rows), untouched)


def small(way, seed=0, **parameters):
    first = {"autoencoder": AutoEncoder(2, (16,), max_iter=2)}
    epochs = {} if way is N2D else {"max_iter": 2}
    return way(5, random_state=seed, **first | epochs | parameters)


@pytest.mark.parametrize("way", TRAINED)
def test_one_seed_rules_everything(way, digit_rows):
    rows = digit_rows[:200]
    one, same, other = (small(way, seed).fit(rows) for seed in (0, 0, 1))

    assert np.array_equal(one.transform(rows), same.transform(rows))
    assert np.array_equal(one.cluster_centers_, same.cluster_centers_)
    assert not np.array_equal(one.transform(rows), other.transform(rows))


@pytest.mark.parametrize("way", TRAINED)
def test_global_seeds_are_left_alone(way, digit_rows):
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1]  # noqa: NPY002
    small(way).fit(digit_rows[:100])

    assert torch.equal(torch_state, torch.get_rng_state())
    assert np.array_equal(numpy_state, np.random.get_state()[1])  # noqa: NPY002


class Untouchable:
    """Raises whatever is done to it."""

    def __getattribute__(self, name):
        raise AssertionError(f"y was touched: {name}")

    __len__ = __iter__ = __array__ = __eq__ = __bool__ = lambda self, *_: self.anything


@ALL
def test_labels_are_never_touched(way, digit_rows):
    rows = digit_rows[:100]
    with_labels = small(way).fit(rows, Untouchable())

    assert np.array_equal(with_labels.labels_, small(way).fit_predict(rows))


@pytest.mark.parametrize("way", TRAINED)
def test_the_conv_kind_and_tables_and_bytes_work_too(way, digit_rows):
    table = np.random.default_rng(0).normal(5, 3, (60, 7))
    assert small(way).fit(table).transform(table).dtype == np.float64

    images = (digit_rows[:60] * 255).astype(np.uint8).reshape(60, 8, 8)
    assert small(way).fit(images).predict(images).shape == (60,)
    conv = AutoEncoder(2, kind="conv", max_iter=1)
    if way is VaDE:
        with pytest.raises(InputError, match="dense"):
            small(way, autoencoder=conv).fit(images)
    else:
        assert small(way, autoencoder=conv).fit(images).labels_.shape == (60,)


def test_umap_leaves_torch_its_threads(fitted, digit_rows):  # noqa: ARG001
    before = torch.get_num_threads()
    small(N2D).fit(digit_rows[:50])

    assert torch.get_num_threads() == before


# ---- the end


def test_self_training_ends_when_assignments_settle(pretrained, digit_rows):
    parameters = {"random_state": 0, "update_interval": 10, "max_iter": 40}
    patient = DEC(10, pretrained, tol=0.0, **parameters).fit(digit_rows[TRAIN])
    settled = DEC(10, pretrained, tol=0.02, **parameters).fit(digit_rows[TRAIN])

    assert patient.n_iter_ == 40
    assert len(patient.changed_curve_) == 40 * 6 // 10
    assert settled.n_iter_ < 40
    assert min(settled.changed_curve_[:-2], default=1) >= 0.02 > min(settled.changed_curve_)


def test_one_update_at_the_end_of_the_interval(pretrained, digit_rows):
    model = IDEC(10, pretrained, max_iter=3, update_interval=7, tol=0.0, random_state=0)

    assert len(model.fit(digit_rows[TRAIN]).changed_curve_) == 2  # 18 steps


@pytest.mark.parametrize("way", TRAINED)
def test_callbacks_see_a_model_that_predicts(way, digit_rows):
    class Watch(Callback):
        seen = ()

        def on_epoch(self, progress):
            clusters = progress.model.predict(digit_rows[:50])
            self.seen = (*self.seen, (progress.epoch, clusters.shape))

    watch = Watch()
    small(way, callbacks=[watch]).fit(digit_rows[:200])

    assert watch.seen == ((1, (50,)), (2, (50,)))


def test_vades_learning_rate_falls_by_a_tenth_every_ten_epochs(digit_rows):
    rates = []

    class Watch(Callback):
        def on_epoch(self, *_):
            objective = next(c for c in progress_callbacks if hasattr(c, "first_rate"))
            rates.append(objective.optimizer.learning_rate)

    progress_callbacks = []
    model = small(VaDE, max_iter=21, batch_size=5, callbacks=[Watch()])  # warmed up by then
    model._watches = lambda _: []  # it may merge clusters as it likes
    make = model._objective
    model._objective = lambda *a: progress_callbacks.append(make(*a)) or progress_callbacks[-1]
    model.fit(digit_rows[:60])

    assert rates[8] == 0.002
    assert rates[9] == pytest.approx(0.0018)
    assert rates[-1] == pytest.approx(0.002 * 0.81)
