"""On a GPU every estimator starts from the same numbers and comes to the same result.

Skipped unless asked for, on a machine that has one:

    AE_CLUSTER_TEST_GPU=1 pytest tests/test_on_gpu.py
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits, make_blobs

from ae_cluster import AutoEncoder, SortingAutoEncoder
from ae_cluster.clustering.deep import DCN, DEC, IDEC, N2D, VaDE
from ae_cluster.metrics.clustering import accuracy_matched
from ae_cluster.semi_supervised.finetuned.cross_entropy import FineTunedClassifier
from ae_cluster.semi_supervised.finetuned.m2 import DeepGenerativeClassifier
from ae_cluster.semi_supervised.finetuned.sorting import SortingClassifier

pytestmark = [
    pytest.mark.skipif(
        not torch.cuda.is_available(), reason="needs a GPU and AE_CLUSTER_TEST_GPU=1"
    ),
    pytest.mark.filterwarnings("ignore::ae_cluster.training.diagnostics.HealthWarning"),
]
BRIEF = {"max_iter": 20, "random_state": 0}


@pytest.fixture(scope="module")
def digits():
    rows, y = load_digits(return_X_y=True)
    return np.round(rows * 255 / 16).astype(np.uint8), y


@pytest.mark.parametrize("parameters", [{}, {"kind": "conv"}, {"early_stopping": True}])
def test_an_autoencoder_learns_the_same_on_both(parameters, digits):
    rows, _ = digits
    on_gpu, on_cpu = (
        AutoEncoder(**BRIEF, **parameters, image_shape=(8, 8), device=device).fit(rows)
        for device in ("cuda", "cpu")
    )
    np.testing.assert_allclose(on_gpu.loss_curve_[0], on_cpu.loss_curve_[0], rtol=1e-3)
    assert on_gpu.score(rows) == pytest.approx(on_cpu.score(rows), rel=0.1)


def test_a_model_from_the_gpu_codes_the_same_on_the_cpu(digits, tmp_path):
    model = AutoEncoder(**BRIEF, device="cuda").fit(digits[0])
    model.save(tmp_path / "model")
    read = AutoEncoder.load(tmp_path / "model")
    read.network_.to("cpu")
    np.testing.assert_allclose(read.transform(digits[0]), model.transform(digits[0]), atol=1e-3)


def test_training_goes_on_from_a_checkpoint(digits, tmp_path):
    path = tmp_path / "checkpoint"
    AutoEncoder(max_iter=2, random_state=0, checkpoint=path, device="cuda").fit(digits[0])
    with pytest.raises(Exception, match="belongs to another"):
        AutoEncoder(max_iter=3, random_state=0, checkpoint=path, device="cuda").fit(digits[0])
    again = AutoEncoder(max_iter=2, random_state=0, checkpoint=path, device="cuda").fit(digits[0])
    assert again.n_iter_ == 2


@pytest.mark.parametrize("image_prior", [False, True])
def test_sorting_finds_the_digits(image_prior, digits):
    rows, y = digits
    model = SortingAutoEncoder(
        10, image_prior=image_prior, image_shape=(8, 8), random_state=0, device="cuda"
    ).fit(rows)
    assert accuracy_matched(y, model.predict(rows)) > 0.9
    assert model.inverse_transform(model.transform(rows)).shape == rows.shape


@pytest.mark.parametrize("way", [DEC, IDEC, DCN, VaDE, N2D])
def test_deep_clusterings_find_crowds(way):
    rows, y = make_blobs(600, 20, centers=4, cluster_std=2.0, random_state=0)
    start = AutoEncoder(4, (32,), **BRIEF, batch_size=64, device="cuda")
    model = way(4, start, random_state=0).fit(rows.astype(np.float32))
    assert accuracy_matched(y, model.labels_) > 0.9
    np.testing.assert_array_equal(model.predict(rows.astype(np.float32)), model.labels_)


@pytest.mark.parametrize(
    ("way", "start", "least"),
    [
        (SortingClassifier, SortingAutoEncoder(10, random_state=0, device="cuda"), 0.9),
        (FineTunedClassifier, AutoEncoder(10, **BRIEF, device="cuda"), 0.5),
        (DeepGenerativeClassifier, AutoEncoder(10, **BRIEF, device="cuda"), 0.5),
    ],
)
def test_few_labels_teach_an_encoder(way, start, least, digits):
    rows, y = digits
    partly = np.where(np.arange(len(y)) < 100, y, -1)
    model = way(start, random_state=0).fit(rows, partly)
    assert np.mean(model.predict(rows) == y) > least
