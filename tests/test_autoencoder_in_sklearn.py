"""An `AutoEncoder` is at home in scikit-learn: its checks, pipelines, searches, data frames."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import check_estimator

from ae_cluster import AutoEncoder, Callback, InputError

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")

ARRAY_API = """
from sklearn.utils.estimator_checks import check_estimator
from ae_cluster import AutoEncoder
for result in check_estimator(AutoEncoder(), on_skip=None):
    print(result["check_name"], result["status"], result["expected_to_fail"])
"""


@pytest.fixture(scope="module")
def frame(digit_rows):
    return pd.DataFrame(digit_rows[:300], columns=[f"pixel{i}" for i in range(64)])


def small(**parameters):
    parameters = {"hidden_layer_sizes": (16,), "max_iter": 2, "random_state": 0} | parameters
    return AutoEncoder(**parameters)


def test_every_check_of_an_estimator_passes_on_the_defaults():
    results = check_estimator(AutoEncoder())

    missed = {r["check_name"]: r["status"] for r in results if r["status"] != "passed"}
    assert len(results) > 40
    assert not any(r["expected_to_fail"] for r in results)
    # scikit-learn runs this one only where SCIPY_ARRAY_API is set: see the next test.
    assert set(missed.items()) <= {("check_array_api_input", "skipped")}


@pytest.mark.slow  # the checks above again, and one more
def test_no_check_is_skipped_where_the_array_api_is_on(tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ARRAY_API],
        env=os.environ | {"SCIPY_ARRAY_API": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )

    lines = [line.split() for line in done.stdout.splitlines()]
    assert len(lines) > 40
    assert "check_array_api_input" in {name for name, *_ in lines}
    assert {tuple(rest) for _, *rest in lines} == {("passed", "False")}


def test_no_tag_skips_a_check():
    tags = get_tags(AutoEncoder())

    skipping = (tags.non_deterministic, tags.no_validation, tags._skip_test)
    assert skipping == (False, False, False)
    for kind in (tags.classifier_tags, tags.regressor_tags):
        assert kind is None or not kind.poor_score
    assert tags.requires_fit
    assert tags.transformer_tags.preserves_dtype == ["float64", "float32"]


def test_codes_go_straight_into_a_mixture(digit_rows):
    pipeline = make_pipeline(small(n_components=3), GaussianMixture(10, random_state=0))

    clusters = pipeline.fit_predict(digit_rows)

    assert clusters.shape == (1797,)
    assert len(np.unique(clusters)) == 10
    assert np.array_equal(pipeline.predict(digit_rows), clusters)


def test_a_grid_search_finds_that_more_components_reconstruct_better(digit_rows):
    search = GridSearchCV(
        AutoEncoder(hidden_layer_sizes=(32,), max_iter=20, learning_rate_init=0.01, random_state=0),
        {"n_components": [1, 8]},
        cv=2,
    )

    search.fit(digit_rows[:600])

    assert search.best_params_ == {"n_components": 8}
    assert search.best_estimator_.transform(digit_rows).shape == (1797, 8)


def test_models_travel_to_other_processes(digit_rows):
    model = small(early_stopping=True, n_snapshots=2).fit(digit_rows)

    copy = pickle.loads(pickle.dumps(model))  # as joblib sends them

    assert np.array_equal(copy.transform(digit_rows), model.transform(digit_rows))
    assert copy.fit(digit_rows).loss_curve_ == model.loss_curve_


def test_a_clone_is_unfitted_and_equal_in_all_parameters(digit_rows):
    model = small(callbacks=[Callback()], image_shape=[8, 8]).fit(digit_rows[:50])
    copy = clone(model)

    assert not hasattr(copy, "network_")
    ours, theirs = model.get_params(), copy.get_params()
    assert len(ours.pop("callbacks")) == len(theirs.pop("callbacks")) == 1
    assert ours == theirs


def test_data_frames_come_back_as_data_frames(frame):
    model = small().set_output(transform="pandas").fit(frame)

    codes = model.transform(frame)

    assert list(codes.columns) == ["autoencoder0", "autoencoder1", "autoencoder2"]
    assert list(codes.columns) == list(model.get_feature_names_out())
    assert list(model.feature_names_in_) == list(frame.columns)
    assert np.array_equal(codes, small().fit_transform(frame.to_numpy()))


def test_snapshots_early_stopping_and_callbacks_work_with_data_frames(frame):
    class Codes(Callback):
        def on_epoch(self, progress):
            progress.model.transform(frame)

    model = small(n_snapshots=7, early_stopping=True, callbacks=[Codes()])

    codes = model.set_output(transform="pandas").fit_transform(frame)

    assert isinstance(codes, pd.DataFrame)
    assert model.snapshots_.shape == (3, 7, 3)


def test_columns_in_another_order_are_refused(frame):
    model = small().fit(frame)

    with pytest.raises(InputError, match="feature names should match"):
        model.transform(frame[frame.columns[::-1]])
