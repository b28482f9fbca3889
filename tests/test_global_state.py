"""What a user has set for the whole process changes no result, and is as before afterwards."""

import os
import warnings
from contextlib import ExitStack, contextmanager
from dataclasses import astuple
from functools import cache

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import sklearn
import torch
from small_runs import make_small_run, small_images

import ae_cluster
from ae_cluster import (
    DCN,
    DEC,
    IDEC,
    N2D,
    AutoEncoder,
    DeepGenerativeClassifier,
    FineTunedClassifier,
    RunConfig,
    SortingAutoEncoder,
    SortingClassifier,
    VaDE,
    load_dataset,
    load_run,
    read_codes,
    read_scores,
    run,
    suggest_labels,
    suggest_n_clusters,
)
from ae_cluster.common.global_state import default_state
from ae_cluster.explorer import write_page
from ae_cluster.figures import plot_codes, save_figure
from ae_cluster.metrics import class_errors, clustering
from ae_cluster.metrics import codes as code_scores
from ae_cluster.semi_supervised.evaluation import label_budget_rows
from ae_cluster.semi_supervised.methods import METHODS
from ae_cluster.training.diagnostics import HealthWarning

pytestmark = pytest.mark.filterwarnings(
    "ignore::ae_cluster.training.diagnostics.HealthWarning", "ignore:Number of distinct clusters"
)  # nothing here is trained well


# ------------------------------------------------------------------------- states


@contextmanager
def _torch_default(name, value):
    before = getattr(torch, f"get_{name}")()
    getattr(torch, f"set_{name}")(value)
    try:
        yield
    finally:
        getattr(torch, f"set_{name}")(before)


@contextmanager
def _deterministic():
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(False)


@contextmanager
def _array_api_dispatch():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SCIPY_ARRAY_API", "1")  # or scikit-learn refuses
        with sklearn.config_context(array_api_dispatch=True):
            yield


@contextmanager
def _warnings_as_errors():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


STATES = {
    "transform_output": lambda: sklearn.config_context(transform_output="pandas"),
    "assume_finite": lambda: sklearn.config_context(assume_finite=True, working_memory=1),
    "metadata routing": lambda: sklearn.config_context(enable_metadata_routing=True),
    "array_api_dispatch": _array_api_dispatch,
    "no gradients": lambda: torch.set_grad_enabled(False),
    "inference mode": torch.inference_mode,
    "default device": lambda: _torch_default("default_device", "meta"),
    "device context": lambda: torch.device("meta"),
    "default dtype": lambda: _torch_default("default_dtype", torch.float64),
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    "deterministic": _deterministic,
    "seterr": lambda: np.errstate(all="raise"),
    "printoptions": lambda: np.printoptions(precision=2, legacy="1.13"),
    "warnings as errors": _warnings_as_errors,
    "matplotlib style": lambda: mpl.rc_context(
        {"figure.facecolor": "black", "font.size": 20, "savefig.bbox": "tight", "axes.grid": True}
    ),
    "pandas display": lambda: pd.option_context("display.precision", 1, "display.max_rows", 2),
    "pandas strings": lambda: pd.option_context("mode.string_storage", "python"),
}


@contextmanager
def _all_at_once():
    with ExitStack() as stack:
        for state in STATES.values():
            stack.enter_context(state())
        yield


def _what_is_set():
    return {
        "sklearn": sklearn.get_config(),
        "gradients": torch.is_grad_enabled(),
        "inference": torch.is_inference_mode_enabled(),
        "device": torch.get_default_device(),
        "dtype": torch.get_default_dtype(),
        "autocast": torch.is_autocast_enabled("cpu"),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "threads": torch.get_num_threads(),
        "torch's seed": torch.initial_seed(),
        "seterr": np.geterr(),
        "warnings": list(warnings.filters),
        "matplotlib": dict(mpl.rcParams),
        "strings": pd.get_option("mode.string_storage"),
        "environment": dict(os.environ),
    }


# -------------------------------------------------------------------------- calls


def _samples():
    centers = np.repeat(np.eye(3, 16), 20, axis=0)
    noise = np.random.default_rng(0).normal(0, 0.1, (60, 16))
    return np.clip(0.3 + 0.4 * centers + noise, 0, 1).astype(np.float32)


def _labels():
    y = np.full(60, -1)
    y[[0, 1, 20, 21, 40, 41]] = [0, 0, 1, 1, 2, 2]
    return y


def _tiny(**changes):
    return AutoEncoder(hidden_layer_sizes=(8,), max_iter=1, random_state=0, **changes)


def _saved_and_loaded(model, folder):
    model.save(folder / "model", force=True)
    return type(model).load(folder / "model")


def _autoencoder(folder, x, **changes):
    model = _tiny(**changes).fit(x)
    loaded = _saved_and_loaded(model, folder)
    codes = np.asarray(model.transform(x))
    drawn = model.inverse_transform(codes)
    again = np.asarray(_tiny(**changes).fit_transform(x))
    return codes, drawn, model.score(x), model.loss_curve_, np.asarray(loaded.transform(x)), again


def _deep(method, folder):
    x = _samples()
    training = {} if method is N2D else {"max_iter": 1}
    model = method(3, _tiny(), random_state=0, **training).fit(x)
    loaded = _saved_and_loaded(model, folder)
    soft = model.predict_proba(x) if hasattr(model, "predict_proba") else 0
    drawn = model.inverse_transform(np.asarray(model.transform(x)))
    return np.asarray(model.transform(x)), model.labels_, drawn, soft, loaded.predict(x)


def _tiny_sorting(**changes):
    return SortingAutoEncoder(3, max_iter=1, min_steps=3, random_state=0, **changes)


def _sorting(folder, **changes):
    x = _samples()
    model = _tiny_sorting(**changes).fit(x)
    loaded = _saved_and_loaded(model, folder)
    return np.asarray(model.transform(x)), model.labels_, loaded.predict_proba(x)


def _classifier(model):
    x = _samples()
    model.fit(x, _labels())
    return model.predict_proba(x), model.predict(x), model.temperature_


def _short(method, **changes):
    return method(max_iter=1, min_steps=3, random_state=0, **changes)


def _metrics():
    y, clusters = np.repeat([0, 1, 2], 20), np.tile([0, 1, 2, 2], 15)
    x = _samples()
    mapping = clustering.matched_map(y, clusters)
    return (
        clustering.external_scores(y, clusters, mapping),
        code_scores.internal_scores(x, y),
        code_scores.neighbor_accuracy(x, y, x, y),
        clustering.confusion_matrix(y, clusters),
        clustering.per_class_recall(y, clusters, mapping),
        class_errors.split_classes(y, clusters),
        class_errors.merged_classes(y, clusters),
        class_errors.mixed_classes(y, clusters),
        [getattr(clustering, name)(y, clusters) for name in ("homogeneity", "purity", "v_measure")],
    )


def _budgets():
    x, y = _samples(), np.repeat([0, 1, 2], 20)
    rows = label_budget_rows(
        x, y, x, y, [1, 5], 1, dataset="made", features="made", methods=METHODS
    )
    return [{k: v for k, v in row.items() if k != "seconds"} for row in rows]


def _data(folder):
    np.savez(folder / "mine.npz", x=_samples(), y=np.repeat([0, 1, 2], 20))
    mine, digits = load_dataset(folder / "mine.npz"), load_dataset("digits")
    return mine.x_train, mine.y_test, mine.fingerprint, digits.x_test[:5], digits.fingerprint


def _loaded_run(folder):
    """Read a run, which is made where nothing is set."""
    if not (folder / "RUN").exists():
        make_small_run(folder, ("kmeans", "gmm"))
    found = load_run(folder / "RUN")
    images, _ = small_images()
    tables = [found.codes, found.clusters, found.scores]
    tables += [found.assign(images), found.assign(images, "gmm")]
    return (
        [table.to_dict("list") for table in tables],
        np.asarray(found.model().transform(images)),
    )


def _figure(folder):
    figure = plot_codes(_samples()[:, :2], np.repeat([0, 1, 2], 20))
    return [path.read_bytes() for path in save_figure(figure, folder, "figure")]


def _run(folder):
    config = RunConfig(epochs=1, budgets=(1,), draws=1, methods=("kmeans", "gmm", "dec"))
    rows = run(config, folder / "run", force=True)
    silent = ["seconds", "peak_mb"]  # never the same twice, so the page is made without them
    with np.printoptions(legacy=False):  # by which pandas writes numbers
        kept = read_scores(folder / "run").drop(columns=silent)
        kept.reindex(columns=rows.columns).to_csv(folder / "run" / "scores.csv", index=False)
        written = kept.to_csv()
    page = write_page(folder / "run", folder / "again.html")
    return (
        rows.drop(columns=silent).astype(object).fillna("none").to_numpy().tolist(),
        read_codes(folder / "run", "kmeans")["codes_test"],
        written,
        sorted(p.name for p in (folder / "run" / "figures").iterdir()),
        (folder / "run" / "figures" / "codes-kmeans.png").read_bytes(),
        str(page) and (folder / "again.html").read_bytes(),
    )


IMAGES = {"image_prior": True, "image_shape": (4, 4)}
QUICK = {
    "autoencoder": lambda folder: _autoencoder(folder, _samples()),
    "early stopping": lambda folder: _autoencoder(
        folder, _samples().astype(float) * 9, early_stopping=True, learning_rate="cosine"
    ),
    "conv": lambda folder: _autoencoder(folder, _samples().reshape(-1, 4, 4), kind="conv"),
    "dec": lambda folder: _deep(DEC, folder),
    "vade": lambda folder: _deep(VaDE, folder),
    "dcn": lambda folder: _deep(DCN, folder),
    "fine-tuned-autoencoder": lambda _: _classifier(
        _short(FineTunedClassifier, autoencoder=_tiny())
    ),
    "metrics": lambda _: _metrics(),
    "loaded run": _loaded_run,
    "number of clusters": lambda _: astuple(suggest_n_clusters(_samples(), max_clusters=5)),
    "suggested": lambda _: suggest_labels(_samples(), 5),
    "data": _data,
    "figure": _figure,
} | {
    name: (lambda _, make=method.make: _classifier(make(0, None)))
    for name, method in METHODS.items()
}
SLOW = {
    "idec": lambda folder: _deep(IDEC, folder),
    "n2d": lambda folder: _deep(N2D, folder),
    "sorting": _sorting,
    "sorting-images": lambda folder: _sorting(folder, **IMAGES),
    "m1-m2": lambda _: _classifier(_short(DeepGenerativeClassifier, autoencoder=_tiny())),
    "fine-tuned-sorting": lambda _: _classifier(_short(SortingClassifier, sorting=_tiny_sorting())),
    "fine-tuned-sorting-images": lambda _: _classifier(
        _short(SortingClassifier, sorting=_tiny_sorting(**IMAGES))
    ),
    "budgets": lambda _: _budgets(),
    "run": _run,
}
CALLS = QUICK | SLOW


@cache
def _undisturbed(name, folder):
    return CALLS[name](folder)


def _same(a, b):
    """Return whether two results agree to the bit."""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    if isinstance(a, tuple | list):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    return a == b or (a != a and b != b)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("state")


def _check(name, state, folder):
    right = _undisturbed(name, folder)
    with state():
        before = _what_is_set()
        found = CALLS[name](folder)
        assert _what_is_set() == before
    assert _same(found, right)


@pytest.mark.parametrize("name", QUICK)
def test_everything_set_at_once_changes_nothing(name, folder):
    _check(name, _all_at_once, folder)


@pytest.mark.slow
@pytest.mark.parametrize("name", SLOW)
def test_everything_set_at_once_changes_nothing_slow(name, folder):
    _check(name, _all_at_once, folder)


@pytest.mark.slow
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", CALLS)
def test_each_state_changes_nothing(name, state, folder):
    _check(name, STATES[state], folder)


def test_every_public_call_is_in_the_table():
    without = {"__version__", "Callback", "Dataset", "DiagnosticsWarning", "InputError"}
    without |= {"LabelBudget", "Progress", "draw_budget"}  # "budgets" draws some
    assert set(ae_cluster.__all__) - set(globals()) == without


def test_a_warning_that_is_named_is_raised_as_the_user_wants():
    def warn(category, text="something is wrong"):
        with default_state():
            warnings.warn(text, category, stacklevel=1)

    with warnings.catch_warnings():
        warnings.resetwarnings()
        warnings.simplefilter("error")
        with warnings.catch_warnings(record=True) as heard:
            warnings.filterwarnings("error", "something")
            with pytest.raises(UserWarning):
                warn(UserWarning)
            warnings.simplefilter("error", HealthWarning)
            with pytest.raises(HealthWarning):
                warn(HealthWarning, "anything")
            warn(FutureWarning, "anything")
        assert [str(warning.message) for warning in heard] == ["anything"]
