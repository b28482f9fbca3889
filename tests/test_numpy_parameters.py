"""NumPy's scalars are as good as Python's numbers, for every parameter of every estimator."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import GridSearchCV

from ae_cluster import AutoEncoder, InputError, RunConfig, SortingAutoEncoder, load_dataset
from ae_cluster.clustering.deep import DCN, DEC, IDEC, N2D, VaDE
from ae_cluster.clustering.external import ExternalClusterer
from ae_cluster.common.scalars import plain, plain_parameters
from ae_cluster.semi_supervised.finetuned import (
    DeepGenerativeClassifier,
    FineTunedClassifier,
    SortingClassifier,
)
from ae_cluster.semi_supervised.frozen.cluster_then_label import ClusterThenLabel
from ae_cluster.semi_supervised.frozen.graph import GraphSpreading, PoissonLearning
from ae_cluster.semi_supervised.frozen.supervised import (
    LabelledLogistic,
    LabelledNeighbors,
    LabelledSVM,
    SelfTraining,
)
from ae_cluster.semi_supervised.methods import FINETUNED_STARTS, METHODS

pytestmark = pytest.mark.filterwarnings("ignore::ae_cluster.HealthWarning")

N = 60
OF_AUTOENCODER = {
    "hidden_layer_sizes": (8, 5), "image_shape": (8, 8), "early_stopping": True, "max_iter": 2,
    "learning_rate": "cosine", "noise_std": 0.1, "mask_fraction": 0.1, "n_snapshots": 3,
    "batch_size": 16, "random_state": 0,
}  # fmt: skip
START = AutoEncoder(2, (8,), max_iter=1, batch_size=16, random_state=0)
FEW = {"max_iter": 2, "batch_size": 16, "random_state": 0}
SORTING = {"max_iter": 1, "min_steps": 5, "batch_size": 16, "random_state": 0}
TAUGHT = FEW | {"min_steps": 5}
ESTIMATORS = {
    "dense": AutoEncoder(2, **OF_AUTOENCODER),
    "conv": AutoEncoder(2, kind="conv", conv_channels=(2, 3), **OF_AUTOENCODER),
    "table": AutoEncoder(2, input_kind="table", **OF_AUTOENCODER),
    "sorting": SortingAutoEncoder(4, decoder_max_iter=1, **SORTING),
    "sorting-images": SortingAutoEncoder(4, image_prior=True, image_shape=(8, 8), **SORTING),
    "dec": DEC(4, START, update_interval=2, **FEW),
    "idec": IDEC(4, START, **FEW),
    "dcn": DCN(4, START, **FEW),
    "vade": VaDE(4, START, **FEW),
    "n2d": N2D(4, START, n_manifold_components=2, random_state=0),
    "logistic-regression": LabelledLogistic(),
    "knn": LabelledNeighbors(3),
    "svm": LabelledSVM(max_labels=50, random_state=0),
    "self-training": SelfTraining(max_unlabelled=20, random_state=0),
    "label-spreading": GraphSpreading(),
    "poisson": PoissonLearning(),
    "poisson-priors": PoissonLearning(class_priors="balanced"),
    "cluster-then-label": ClusterThenLabel(5, random_state=0),
    "fine-tuned-autoencoder": FineTunedClassifier(START, **TAUGHT),
    "m1-m2": DeepGenerativeClassifier(START, **TAUGHT),
    "fine-tuned-sorting": SortingClassifier(
        SortingAutoEncoder(3, decoder_max_iter=1, **SORTING), **TAUGHT
    ),
    "fine-tuned-sorting-images": SortingClassifier(
        SortingAutoEncoder(3, image_prior=True, image_shape=(8, 8), **SORTING), **TAUGHT
    ),
}
LONG = ["sorting-images", "fine-tuned-sorting"]
SAVED = ["dense", "conv", "sorting", "dec", "vade", "n2d"]


def as_numpy(value, real):
    """Return a plain value as what a NumPy array of such values holds."""
    types = {bool: np.bool_, int: np.int64, float: real, str: np.str_, tuple: np.array}
    return types.get(type(value), lambda v: v)(value)


def in_numpy(estimator, real):
    """Return the estimator with every parameter, those of estimators in it too, NumPy's."""
    values = {k: as_numpy(v, real) for k, v in estimator.get_params().items()}
    simple = {k: v for k, v in values.items() if not isinstance(v, BaseEstimator)}
    return clone(estimator).set_params(**simple | {"callbacks": ()} if "callbacks" in simple
                                       else simple)  # fmt: skip


@pytest.fixture
def few_labels(digits):
    y = np.where(np.arange(N) < 20, np.minimum(digits[2][:N], 2), -1)
    return digits[0][:N].astype(np.float32), y


def outcome(estimator, X, y):
    """Return all that a fitted estimator makes of samples."""
    estimator.fit(X, y)
    asked = ("transform", "predict_proba", "predict", "score")
    found = [getattr(estimator, name)(X) for name in asked[:3] if hasattr(estimator, name)]
    if hasattr(estimator, "inverse_transform"):
        found.append(estimator.inverse_transform(estimator.transform(X)))
    return found


@pytest.mark.parametrize("real", [np.float32, pytest.param(np.float64, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.slow] * (n in LONG)) for n in ESTIMATORS]
)
def test_numpys_scalars_do_what_pythons_do(few_labels, tmp_path, name, real):
    usual, other = clone(ESTIMATORS[name]), in_numpy(ESTIMATORS[name], real)
    before = other.get_params()

    expected, found = (outcome(model, *few_labels) for model in (usual, other))

    for a, b in zip(expected, found, strict=True):
        np.testing.assert_array_equal(a, b)
    after = other.get_params()
    assert all(after[k] is before[k] for k in before)  # as scikit-learn's clone asks
    if name in SAVED:
        other.save(tmp_path / "model")
        loaded = type(other).load(tmp_path / "model")
        np.testing.assert_array_equal(loaded.transform(few_labels[0]), found[0])
        assert json.loads((tmp_path / "model" / "model.json").read_text())["parameters"]


def test_no_estimator_is_missing():
    def below(kind):
        return {kind}.union(*(below(sub) for sub in kind.__subclasses__()))

    ours = {
        kind
        for kind in below(BaseEstimator)
        if kind.__module__.startswith("ae_cluster.") and not kind.__name__.startswith("_")
        and not getattr(kind, "__abstractmethods__", None)
    }  # fmt: skip
    ours.remove(ExternalClusterer)  # made by a run, of somebody's class: test_external has its laws
    assert {type(estimator) for estimator in ESTIMATORS.values()} == ours
    assert {*METHODS, *FINETUNED_STARTS} <= set(ESTIMATORS)


def test_a_grid_search_over_numpys_ranges(digit_rows):
    grid = {
        "n_components": np.arange(1, 3), "batch_size": np.array([16, 32]),
        "learning_rate_init": np.logspace(-3, -2, 2, dtype=np.float32),
        "early_stopping": np.array([False, True]), "activation": np.array(["tanh", "relu"]),
    }  # fmt: skip
    search = GridSearchCV(AutoEncoder(2, (4,), max_iter=1, random_state=0), grid, cv=2)

    search.fit(digit_rows[:40])

    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@pytest.mark.parametrize(
    ("name", "value"),
    [("batch_size", np.float64(16)), ("batch_size", np.int64(0)), ("early_stopping", np.int64(1)),
     ("learning_rate_init", np.float32("nan")), ("n_components", np.bool_(True)),
     ("kind", np.str_("cnn"))],
)  # fmt: skip
def test_numpys_scalars_are_checked_as_pythons_are(digit_rows, assert_one_sentence, name, value):
    with pytest.raises(InputError) as error:
        AutoEncoder(max_iter=1).set_params(**{name: value}).fit(digit_rows)
    assert_one_sentence(error, f"{name}={value!r}")


def test_a_float32_is_the_decimal_it_stands_for():
    assert plain(np.float32(0.1)) == 0.1
    assert plain(np.longdouble(0.25)) == 0.25
    assert plain(np.array([[1, 2]])) == ((1, 2),)
    assert plain([np.int8(3), "a"]) == [3, "a"]


def test_parameters_are_as_given_again_after_a_failure():
    model = AutoEncoder(batch_size=np.int64(16))
    with plain_parameters(model):
        assert type(model.batch_size) is int
        with pytest.raises(InputError):
            model.fit([[1.0]])
    assert type(model.batch_size) is np.int64


def test_a_run_configured_in_numpys_scalars():
    usual = RunConfig(seed=3, n_clusters=2, test_size=0.2, budgets=(1, 2), image_shape=(5, 4))
    other = RunConfig(
        np.str_("digits"), np.int64(3), np.int32(2), test_size=np.float32(0.2),
        budgets=np.array([1, 2]), image_shape=(np.int64(5), np.int64(4)),
        methods=np.array(usual.methods), split_seed=np.uint8(0),
    )  # fmt: skip
    other.check()
    assert other == usual
    assert json.dumps(other.to_json()) == json.dumps(usual.to_json())


def test_a_data_set_loaded_with_numpys_scalars(tmp_path):
    np.savez(tmp_path / "x.npz", x=np.random.default_rng(0).random((10, 20)))
    usual = load_dataset(tmp_path / "x.npz", test_size=0.2, seed=1, image_shape=(5, 4))
    other = load_dataset(
        tmp_path / "x.npz",
        test_size=np.float32(0.2),
        seed=np.int64(1),
        image_shape=np.array([5, 4]),
    )
    assert other.fingerprint == usual.fingerprint
