"""SortingAutoEncoder finds clusters, codes them apart and draws from the codes."""

import json
import re

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture
from sklearn.utils.estimator_checks import check_estimator

from ae_cluster import InputError, SortingAutoEncoder
from ae_cluster.clustering.sorting import graph_clustering
from ae_cluster.clustering.sorting.estimator import usual_sizes
from ae_cluster.common.model_reading import checksum
from ae_cluster.training.loop import DivergedError

QUICK = {
    "hidden_layer_sizes": (50, 50), "max_iter": 1, "decoder_max_iter": 1, "min_steps": 100,
    "random_state": 0,
}  # fmt: skip


@pytest.fixture(scope="module")
def blobs():
    """Give 600 samples of four crowds in 20 dimensions, and 200 more."""
    X, y = make_blobs(800, 20, centers=4, cluster_std=2.0, random_state=0)
    return X[:600].astype(np.float32), y[:600], X[600:].astype(np.float32), y[600:]


@pytest.fixture(scope="module")
def fitted(blobs):
    return SortingAutoEncoder(4, **QUICK).fit(blobs[0])


def test_crowds_are_found_and_new_samples_join_them(fitted, blobs):
    _, y, X_new, y_new = blobs
    assert adjusted_rand_score(y, fitted.labels_) == 1
    assert adjusted_rand_score(y_new, fitted.predict(X_new)) == 1


@pytest.mark.parametrize("clusterer", [KMeans(4, random_state=0), GaussianMixture(4)])
def test_the_codes_alone_tell_the_crowds(fitted, blobs, clusterer):
    X, _, X_new, y_new = blobs
    clusterer.fit(fitted.transform(X))
    assert adjusted_rand_score(y_new, clusterer.predict(fitted.transform(X_new))) == 1


def test_a_code_lies_within_a_radius_of_its_center(fitted, blobs):
    codes, clusters = fitted.transform(blobs[2]), fitted.predict(blobs[2])
    distances = np.linalg.norm(codes - fitted.cluster_centers_[clusters], axis=1)
    assert distances.max() < 1.01 * float(fitted.network_.radius)
    gaps = np.linalg.norm(np.diff(fitted.cluster_centers_, axis=0), axis=1)
    assert gaps.min() >= 4 * float(fitted.network_.radius) - 1e-6


def test_memberships_sum_to_one_and_name_the_cluster(fitted, blobs):
    soft = fitted.predict_proba(blobs[2])
    np.testing.assert_allclose(soft.sum(1), 1, atol=1e-5)
    np.testing.assert_array_equal(soft.argmax(1), fitted.predict(blobs[2]))


@pytest.mark.heavy
def test_style_is_worth_something(blobs):
    model = SortingAutoEncoder(4, **QUICK | {"min_steps": 250}).fit(blobs[0])
    from_codes = model.inverse_transform(model.transform(blobs[2]))
    from_centers = model.inverse_transform(model.cluster_centers_[model.predict(blobs[2])])
    error, error_of_centers = (
        np.square(drawn - blobs[2]).mean() for drawn in (from_codes, from_centers)
    )
    assert error < error_of_centers


def test_a_saved_model_gives_the_same_bytes(fitted, blobs, tmp_path):
    fitted.save(tmp_path / "model")
    loaded = SortingAutoEncoder.load(tmp_path / "model")
    assert loaded.transform(blobs[2]).tobytes() == fitted.transform(blobs[2]).tobytes()
    np.testing.assert_array_equal(loaded.labels_, fitted.labels_)
    np.testing.assert_array_equal(loaded.cluster_centers_, fitted.cluster_centers_)


def test_the_same_seed_gives_the_same_bytes_and_labels_are_never_read(fitted, blobs):
    class Untouchable:
        def __getattr__(self, name):
            raise AssertionError(f"y was asked for {name}")

    again = SortingAutoEncoder(4, **QUICK).fit(blobs[0], Untouchable())
    assert again.transform(blobs[2]).tobytes() == fitted.transform(blobs[2]).tobytes()


@pytest.mark.heavy
def test_images_may_be_told_to_be_images(digit_rows):
    images = digit_rows[:300].reshape(-1, 8, 8)
    few = QUICK | {"hidden_layer_sizes": (400, 400), "min_steps": 20}
    model = SortingAutoEncoder(10, image_prior=True, **few).fit(images)
    assert model.image_shape_ == (8, 8)
    assert model.transform(images).shape == (300, 3)
    assert model.inverse_transform(model.transform(images)).shape == (300, 64)


@pytest.mark.slow
def test_digits_without_an_image_prior(digit_rows):
    from sklearn.datasets import load_digits

    from ae_cluster.metrics.clustering import class_map

    model = SortingAutoEncoder(10, random_state=0).fit(digit_rows)
    found = class_map(load_digits().target, model.labels_)
    assert np.mean(np.array([found[c] for c in model.labels_]) == load_digits().target) > 0.9


# Bad and awkward input


@pytest.mark.parametrize("n_components", [1, 2, 5])
def test_codes_of_any_size(blobs, n_components):
    model = SortingAutoEncoder(4, n_components, **QUICK | {"min_steps": 20}).fit(blobs[0][:200])
    assert model.transform(blobs[2]).shape == (200, n_components)


def test_few_samples_duplicates_and_a_constant_column(blobs):
    few = np.repeat(blobs[0][:4], 2, axis=0)
    few[:, 3] = 7
    model = SortingAutoEncoder(2, **QUICK | {"min_steps": 20}).fit(few)
    assert np.isfinite(model.transform(few)).all()
    assert set(model.labels_) == {0, 1}
    np.testing.assert_array_equal(model.labels_[::2], model.labels_[1::2])


@pytest.mark.parametrize(
    ("parameters", "part"),
    [
        ({"n_clusters": 0}, "n_clusters"),
        ({"n_neighbors": 1}, "n_neighbors"),
        ({"max_iter": 0}, "max_iter"),
        ({"min_steps": True}, "min_steps"),
        ({"image_prior": 1}, "image_prior"),
        ({"learning_rate_init": -1.0}, "learning_rate_init"),
        ({"n_clusters": 601}, "600"),
    ],
)
def test_what_cannot_be_used_is_said_in_a_sentence(blobs, parameters, part, assert_one_sentence):
    with pytest.raises(InputError) as error:
        SortingAutoEncoder(**{"n_clusters": 4, **QUICK} | parameters).fit(blobs[0])
    assert_one_sentence(str(error.value), part)


def test_more_clusters_than_distinct_samples(assert_one_sentence):
    with pytest.raises(InputError) as error:
        SortingAutoEncoder(4, **QUICK).fit(np.repeat(np.eye(3), 10, axis=0))
    assert_one_sentence(str(error.value), "distinct")


def test_a_loss_that_is_no_number_is_said_and_the_weights_stay_usable(blobs):
    model = SortingAutoEncoder(4, **QUICK | {"learning_rate_init": 1e30})
    with pytest.raises(DivergedError, match="step"):
        model.fit(blobs[0])
    assert all(p.isfinite().all() for p in model.network_.parameters())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ae_cluster.HealthWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
def test_every_check_of_an_estimator_passes(monkeypatch):
    monkeypatch.setattr(graph_clustering, "STARTS", 1)  # of eighty fits each
    monkeypatch.setattr(graph_clustering, "EIGENVECTORS", (1.0,))
    model = SortingAutoEncoder(2, **QUICK | {"min_steps": 5})
    results = check_estimator(model, on_fail=None)
    missed = {r["check_name"]: r["exception"] for r in results if r["status"] == "failed"}
    assert missed == {}
    assert not any(r["expected_to_fail"] for r in results)
    assert len(results) > 40


def test_a_network_is_as_wide_as_the_samples_are_many(blobs, tmp_path):
    few = QUICK | {"hidden_layer_sizes": None, "min_steps": 5}
    model = SortingAutoEncoder(4, **few).fit(blobs[0])
    assert usual_sizes(10_000) == ((200, 200), 128, 300, 12, 5)
    assert usual_sizes(10_001) == ((400, 400), 256, 1000, 12, 5)
    assert model.hidden_layer_sizes_ == (200, 200)
    assert model.trainer(torch.zeros(600, 20), torch.Generator()).batch_size == 120
    model.save(tmp_path / "model")
    again = SortingAutoEncoder.load(tmp_path / "model")
    assert again.transform(blobs[2]).tobytes() == model.transform(blobs[2]).tobytes()


def test_a_model_of_an_earlier_version_has_other_names_and_its_sizes_as_a_parameter(
    fitted, blobs, tmp_path
):
    fitted.save(tmp_path / "model")
    path = tmp_path / "model" / "model.json"
    weights = path.parent / "weights.safetensors"
    old = {"cluster_head": "sorter", "offset_layers": "style"}
    named = {
        re.sub("|".join(old), lambda part: old[part[0]], name): tensor
        for name, tensor in load_file(weights).items()
    }
    assert {name.split(".")[1] for name in named if name.startswith("network.")} >= {*old.values()}
    save_file(named, weights)
    content = json.loads(path.read_text(encoding="utf-8"))
    del content["fitted"]["hidden_layer_sizes_"], content["checksum"]
    content["checksum"] = checksum(content, weights.read_bytes())
    path.write_text(json.dumps(content), encoding="utf-8")
    again = SortingAutoEncoder.load(path.parent)
    assert again.transform(blobs[2]).tobytes() == fitted.transform(blobs[2]).tobytes()
