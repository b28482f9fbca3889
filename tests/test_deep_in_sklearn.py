"""The deep clusterings are at home in scikit-learn: its checks, clones, pipelines, data frames."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import check_estimator

from ae_cluster import AutoEncoder, Callback
from ae_cluster.clustering.deep import DCN, DEC, IDEC, N2D, VaDE

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning"),
    pytest.mark.filterwarnings("ignore::ae_cluster.training.diagnostics.HealthWarning"),
]

TRAINED = [DEC, IDEC, DCN, VaDE]

ARRAY_API = """
import sys
from sklearn.utils.estimator_checks import check_estimator
from ae_cluster import AutoEncoder
from ae_cluster.clustering.deep import DCN, DEC, IDEC, N2D, VaDE
start = AutoEncoder(3, (16,), max_iter=20, batch_size=32, learning_rate_init=0.01)
for way in (DEC, IDEC, DCN, VaDE, N2D):
    for result in check_estimator(way(autoencoder=start), on_skip=None):
        print(result["check_name"], result["status"], result["expected_to_fail"])
"""


def start(**parameters):
    """An autoencoder that trains in a blink, but well enough for blobs."""
    parameters = {"max_iter": 20, "batch_size": 32, "learning_rate_init": 0.01} | parameters
    return AutoEncoder(3, (16,), **parameters)


def small(way):
    epochs = {} if way is N2D else {"max_iter": 3}
    return way(autoencoder=start(), random_state=0, **epochs)


LONG = [DEC, DCN, N2D]  # IDEC trains itself as DEC does; UMAP is compiled


@pytest.mark.parametrize(
    "way", [IDEC, VaDE, *(pytest.param(w, marks=pytest.mark.slow) for w in LONG)]
)
def test_every_check_of_an_estimator_passes(way):
    results = check_estimator(small(way).set_params(random_state=None))

    missed = {r["check_name"]: r["status"] for r in results if r["status"] != "passed"}
    assert len(results) > 45
    assert not any(r["expected_to_fail"] for r in results)
    # scikit-learn runs this one only where SCIPY_ARRAY_API is set: see the next test.
    assert set(missed.items()) <= {("check_array_api_input", "skipped")}


@pytest.mark.slow
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
    assert len(lines) > 5 * 45
    assert "check_array_api_input" in {name for name, *_ in lines}
    assert {tuple(rest) for _, *rest in lines} == {("passed", "False")}


@pytest.mark.parametrize("way", [*TRAINED, N2D])
def test_no_tag_skips_a_check(way):
    tags = get_tags(way())

    assert (tags.non_deterministic, tags.no_validation, tags._skip_test) == (False, False, False)
    assert tags.estimator_type == "clusterer"
    assert tags.requires_fit
    assert tags.transformer_tags.preserves_dtype == ["float64", "float32"]


@pytest.fixture(scope="module")
def rows(digit_rows):
    return digit_rows[:300]


@pytest.mark.parametrize("way", TRAINED)
def test_models_travel_to_other_processes(way, rows):
    model = small(way).fit(rows)
    copy = pickle.loads(pickle.dumps(model))  # as joblib sends them

    assert np.array_equal(copy.transform(rows), model.transform(rows))
    assert np.array_equal(copy.predict(rows), model.labels_)
    assert np.array_equal(copy.cluster_centers_, model.cluster_centers_)
    assert copy.fit(rows).loss_curve_ == model.loss_curve_


@pytest.mark.parametrize("way", TRAINED)
def test_they_end_a_pipeline(way, rows):
    pipeline = make_pipeline(StandardScaler(), small(way))

    assert pipeline.fit_predict(rows).shape == (300,)
    assert np.array_equal(pipeline.predict(rows), pipeline[-1].labels_)
    assert pipeline.transform(rows).shape == (300, 3)


def test_a_clone_is_unfitted_and_a_frozen_autoencoder_stays_fitted(rows):
    fitted = start().fit(rows)
    plain, frozen = (DEC(8, a, max_iter=0) for a in (fitted, FrozenEstimator(fitted)))

    assert not hasattr(clone(plain).autoencoder, "network_")
    codes = clone(frozen).fit(rows).transform(rows)
    assert np.array_equal(codes, fitted.transform(rows))


def test_parameters_of_the_autoencoder_are_set_through_the_clustering(rows):
    model = small(DEC).set_params(autoencoder__n_components=5, autoencoder__max_iter=1)

    assert model.fit_transform(rows).shape == (300, 5)
    assert model.autoencoder_.n_iter_ == 1


def test_callbacks_are_not_copied(rows):
    class Count(Callback):
        n = 0

        def on_epoch(self, *_):
            self.n += 1

    before, after = Count(), Count()
    model = DEC(8, start(callbacks=[before]), max_iter=3, callbacks=[after], random_state=0)
    model.fit(rows)

    assert (before.n, after.n) == (20, 3)


def test_data_frames_come_back_as_data_frames(rows):
    frame = pd.DataFrame(rows, columns=[f"pixel{i}" for i in range(64)])
    model = small(IDEC).set_output(transform="pandas").fit(frame)
    codes = model.transform(frame)

    assert list(codes.columns) == ["idec0", "idec1", "idec2"]
    assert list(model.feature_names_in_) == list(frame.columns)
    assert np.array_equal(codes, small(IDEC).fit_transform(rows))
    assert np.array_equal(model.predict(frame), model.labels_)
