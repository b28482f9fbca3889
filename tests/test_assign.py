"""New samples to the clusters of a run: what a run keeps for it, and what comes out."""

import json
import re
import shutil
import warnings

import numpy as np
import pandas as pd
import pytest
from small_runs import small_images

from ae_cluster import HealthWarning, InputError, RunConfig, load_dataset, read_codes
from ae_cluster.clustering.heads import CenterHead, MixtureHead, distance_quantiles
from ae_cluster.clustering.heads import share_farther_out as shares_of
from ae_cluster.common.spreadsheets import original_table
from ae_cluster.records.clusterers import read_clusterer
from ae_cluster.runs.assigned_tables import frame_of
from ae_cluster.runs.assigner import Assigner
from ae_cluster.runs.run import run

METHODS = (
    "kmeans", "gmm", "pixels", "sorting", "sorting-images", "dec", "idec", "dcn", "vade",
    "sklearn.cluster:AgglomerativeClustering", "sklearn.cluster:DBSCAN",
)  # fmt: skip
FOLDERS = [name.rpartition(":")[2] for name in METHODS]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Give a folder with sixty images and a run of every method on them, and a run on a table."""
    folder = tmp_path_factory.mktemp("assign")
    images, y = small_images(60)
    ids = np.array([f"=image {i}" for i in range(60)])
    np.savez(folder / "images.npz", x=images, y=np.array(["bar", "cat", "dog"])[y], ids=ids)
    np.savez(
        folder / "table.npz", x=np.random.default_rng(1).normal(size=(60, 5)) * [1, 9, 1, 1, 2]
    )
    usual = {"epochs": 2, "n_clusters": 3, "n_components": 2, "draws": 1, "budgets": (1,)}
    config = RunConfig(dataset=str(folder / "images.npz"), methods=METHODS, **usual)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HealthWarning)  # of so few steps
        run(config, folder / "RUN", figures=False)
    config = RunConfig(
        dataset=str(folder / "table.npz"), methods=("pixels", "gmm", "kmeans"), **usual
    )
    run(config, folder / "TABLE", figures=False)
    config = RunConfig(
        dataset=str(folder / "table.npz"), methods=("gmm",), features="given", **usual
    )
    run(config, folder / "GIVEN", figures=False)
    return folder


@pytest.fixture(scope="module")
def _n2d(place):
    """Add a run of N2D, whose UMAP is compiled for twenty seconds."""
    config = RunConfig(
        dataset=str(place / "images.npz"), methods=("n2d",), epochs=2, n_clusters=3,
        n_components=2, draws=1, budgets=(1,),
    )  # fmt: skip
    run(config, place / "N2D", figures=False)


def assigned_again(place, run_name, method):
    """Return what the run says of its samples, and what assigning its file again says."""
    is_of_images = run_name in ("RUN", "N2D")
    data = load_dataset(place / ("images.npz" if is_of_images else "table.npz"))
    arrays = read_codes(place / run_name, method)
    assigner = Assigner(place / run_name, method)
    found = [assigner(part) for part in (data.raw_train, data.raw_test)]
    return arrays, found


@pytest.mark.slow
@pytest.mark.usefixtures("_n2d")
def test_n2d_assigns_the_runs_own_samples_to_its_clusters(place):
    check_own_samples(place, "N2D", "n2d")


@pytest.mark.parametrize("method", FOLDERS)
def test_the_runs_own_samples_are_assigned_to_its_clusters(place, method):
    check_own_samples(place, "RUN", method)


def check_own_samples(place, run_name, method):
    arrays, found = assigned_again(place, run_name, method)
    for split, part in zip(("train", "test"), found, strict=True):
        np.testing.assert_array_equal(part.clusters, arrays[f"clusters_{split}"])
        if f"soft_{split}" in arrays:
            np.testing.assert_array_equal(part.soft, arrays[f"soft_{split}"])


@pytest.mark.parametrize(
    ("run_name", "method"),
    [("TABLE", "pixels"), ("TABLE", "gmm"), ("TABLE", "kmeans"), ("GIVEN", "gmm")],
)
def test_a_table_is_scaled_as_the_run_scaled_it(place, run_name, method):
    arrays, found = assigned_again(place, run_name, method)
    for split, part in zip(("train", "test"), found, strict=True):
        np.testing.assert_array_equal(part.clusters, arrays[f"clusters_{split}"])


def test_about_one_training_sample_in_a_hundred_is_flagged(place):
    _, (train, _) = assigned_again(place, "TABLE", "kmeans")
    assert 0 < train.outliers.sum() <= 3  # of each cluster the outermost
    far = Assigner(place / "TABLE", "pixels")(np.full((1, 5), 1e3))
    assert far.shares[0] == 0
    assert far.outliers[0]


def test_noise_is_flagged_and_has_no_distance(place):
    arrays, (train, _) = assigned_again(place, "RUN", "DBSCAN")
    noise = arrays["clusters_train"] == -1
    assert np.isnan(train.distances[noise]).all()
    assert train.outliers[noise].all()


def test_shares_are_counted():
    clusters, distances = np.zeros(101, int), np.arange(101.0)
    quantiles = distance_quantiles(clusters, distances, k=2)
    found = shares_of(quantiles, np.array([0, 0, 0, 1]), np.array([25.0, 100, 1000, 3]))
    np.testing.assert_allclose(found, [0.75, 0, 0, 0])


def test_memberships_are_the_posteriors_of_scikit_learn():
    from sklearn.mixture import GaussianMixture

    rng = np.random.default_rng(0)
    codes = np.concatenate([rng.normal(i, 1 + i, (50, 3)) for i in range(3)])
    model = GaussianMixture(3, random_state=0).fit(codes)
    head = MixtureHead(model.weights_, model.means_, model.covariances_)
    new = rng.normal(1, 3, (40, 3))
    found = head.assign(new)
    np.testing.assert_allclose(found.soft, model.predict_proba(new), atol=1e-12)
    own = [
        np.sqrt(
            (x - model.means_[k]) @ np.linalg.inv(model.covariances_[k]) @ (x - model.means_[k])
        )
        for x, k in zip(new, found.clusters, strict=True)
    ]
    np.testing.assert_allclose(found.distances, own)
    equal = MixtureHead(np.ones(3) / 3, model.means_, np.stack([4 * np.eye(3)] * 3))
    centers = CenterHead(model.means_, variance=4)  # KMeans stands for such a mixture
    np.testing.assert_allclose(centers.assign(new).soft, equal.assign(new).soft, atol=1e-12)


def test_clusters_csv_says_where_each_sample_is(place):
    table = original_table(pd.read_csv(place / "RUN" / "clusters.csv"))
    assert list(table.columns[:4]) == ["id", "split", "kmeans", "kmeans_confidence"]
    assert list(table.columns[-2:]) == ["code_1", "code_2"]
    assert table["id"].tolist()[:2] == ["=image 0", "=image 1"]
    assert (place / "RUN" / "clusters.csv").read_text().splitlines()[1].startswith("'=image 0")
    for name in FOLDERS:
        arrays = read_codes(place / "RUN", name)
        for split in ("train", "test"):
            part = table[table["split"] == split].set_index("id")
            np.testing.assert_array_equal(
                part.loc[arrays[f"ids_{split}"], name], arrays[f"clusters_{split}"]
            )
    assert table["kmeans_confidence"].between(1 / 3 - 1e-6, 1).all()
    assert table["AgglomerativeClustering_confidence"].isna().all()
    listed = json.loads((place / "RUN" / "config.json").read_text())["files"]
    ours = {"clusters.csv", "methods/gmm/clusterer.json", "methods/gmm/clusterer.npz"}
    assert ours <= set(listed)


def test_clusters_have_the_class_of_most_of_their_samples(place):
    assigner = Assigner(place / "RUN", "pixels")
    assert sorted(assigner.class_names) == ["bar", "cat", "dog"]
    assert any("the labels of the run's data" in note for note in assigner.notes)
    data = load_dataset(place / "images.npz")
    table = frame_of(assigner(data.raw_test), assigner.class_names)
    assert table["class"].tolist() == [data.class_names[label] for label in data.y_test]


def test_labels_by_hand_name_clusters_where_the_data_have_none(place, tmp_path):
    folder = shutil.copytree(place / "TABLE", tmp_path / "TABLE")
    assert Assigner(folder, "kmeans").class_names == ["", "", ""]
    (folder / "labels").mkdir()
    ids = read_codes(folder, "kmeans")["ids_train"]
    clusters = read_codes(folder, "kmeans")["clusters_train"]
    rows = [f"{name},kind {cluster}" for name, cluster in zip(ids, clusters, strict=True)][:30]
    (folder / "labels" / "labels.csv").write_text("\n".join(["id,label", *rows]))
    assigner = Assigner(folder, "kmeans")
    assert set(assigner.class_names) - {""} == {row.split(",")[1] for row in rows}
    assert any("labels.csv" in note for note in assigner.notes)


# Runs of earlier versions, and damaged ones


def as_of_earlier(place, tmp_path, run_name="RUN"):
    folder = shutil.copytree(place / run_name, tmp_path / run_name)
    for path in folder.glob("methods/*/clusterer.*"):
        path.unlink()
    return folder


@pytest.mark.parametrize("method", [name for name in FOLDERS if name != "gmm"])
def test_a_run_of_an_earlier_version_assigns_by_what_it_kept(place, tmp_path, method):
    folder = as_of_earlier(place, tmp_path)
    data = load_dataset(place / "images.npz")
    now, then = (Assigner(p, method)(data.raw_test) for p in (place / "RUN", folder))
    np.testing.assert_array_equal(now.clusters, then.clusters)
    later = Assigner(without_outlier_score(place, tmp_path, method), method)(data.raw_test)
    np.testing.assert_array_equal(now.clusters, later.clusters)
    np.testing.assert_allclose(later.shares, then.shares, atol=1e-4)


def without_outlier_score(place, tmp_path, method):
    """Copy the run as it was when shares were of a cluster's samples, by the distance of codes."""
    folder = shutil.copytree(place / "RUN", tmp_path / "LATER")
    file = folder / "methods" / method / "clusterer.npz"
    arrays = dict(np.load(file))
    np.savez(file, **{k: v for k, v in arrays.items() if not k.startswith("outlier_")})
    return folder


@pytest.mark.parametrize(
    ("run_name", "method", "words"),
    [
        ("RUN", "gmm", "the covariances of its mixture"),
        ("TABLE", "pixels", "the means and spreads"),
    ],
)
def test_what_an_earlier_version_did_not_keep_is_said(
    place, tmp_path, run_name, method, words, assert_one_sentence
):
    folder = as_of_earlier(place, tmp_path, run_name)
    with pytest.raises(InputError) as error:
        Assigner(folder, method)
    assert_one_sentence(error, words, "do it again", "--force")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format_version": 99}, "format_version 99"),
        ({"kind": "pickle"}, "its kind is 'pickle'"),
        ({"codes_by": ["model"]}, "its codes_by is ['model']"),
        ({"predicts": 1}, "its predicts is 1"),
        ({"centers": np.zeros((3, 7))}, "its axis component"),
        ({"quantiles": np.zeros((2, 5))}, "of its axis center"),
        ({"quantiles": -np.cumsum(np.ones((3, 5)), axis=1)}, "do not rise"),
        ({"weights": np.array([2.0, -1, 0])}, "the weights of a mixture"),
        ({"covariances": np.zeros((3, 2, 2))}, "not positive definite"),
        ({"covariances": np.full((3, 2, 2), np.nan)}, "is no float32"),
        ({"weights": None}, "it lacks the array weights"),
        ({"predicts": True}, "has no attribute 'predict'"),
        ({"codes_by": "samples"}, "2 columns, and the run's samples have 36"),
    ],
)  # fmt: skip
def test_what_is_kept_is_checked(place, tmp_path, change, words, assert_one_sentence):
    folder = shutil.copytree(place / "RUN", tmp_path / "RUN")
    method = folder / "methods" / "gmm"
    content = json.loads((method / "clusterer.json").read_text())
    with np.load(method / "clusterer.npz") as archive:
        arrays = dict(archive)
    arrays |= {k: v for k, v in change.items() if isinstance(v, np.ndarray)}
    arrays = {k: v for k, v in arrays.items() if change.get(k, v) is not None}
    np.savez(method / "clusterer.npz", **arrays)
    content |= {k: v for k, v in change.items() if k in content}
    (method / "clusterer.json").write_text(json.dumps(content))
    with pytest.raises(InputError) as error:
        Assigner(folder, "gmm")
    assert_one_sentence(error, words)


def test_half_of_what_is_kept_is_too_little(place, tmp_path):
    folder = shutil.copytree(place / "RUN", tmp_path / "RUN")
    (folder / "methods" / "gmm" / "clusterer.npz").unlink()
    with pytest.raises(InputError, match=re.escape("no clusterer.npz")):
        Assigner(folder, "gmm")
    assert read_clusterer(folder, "kmeans").kind == "nearest-center"


@pytest.mark.parametrize(
    ("samples", "words"),
    [
        (np.zeros((2, 35), np.uint8), "35 columns, and the run's samples have 36"),
        (np.zeros((2, 9, 4), np.uint8), "images of 9 × 4, and the run is of images of 6 × 6"),
        (np.full((2, 36), "a"), "must be real numbers"),
        (np.full((2, 36), np.nan), "NaN in sample 0"),
        (np.full((2, 36), 300.0), "images are bytes"),
        (np.zeros(36), "a row per sample"),
        (np.zeros((0, 36)), "at least one"),
    ],
)  # fmt: skip
def test_other_samples_than_the_runs_are_refused(place, samples, words, assert_one_sentence):
    with pytest.raises(InputError) as error:
        Assigner(place / "RUN", "kmeans")(samples)
    assert_one_sentence(error, words)
