"""What is larger than the memory: parts one after the other, files that lie in memory, samples."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.cluster import MiniBatchKMeans
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from ae_cluster import AutoEncoder, SortingAutoEncoder
from ae_cluster.autoencoder.inference import as_tensor
from ae_cluster.clustering.codes import cluster_codes
from ae_cluster.clustering.deep import n2d
from ae_cluster.common.errors import InputError
from ae_cluster.graphs.neighbors import (
    MOST_COMPARED,
    WIDE,
    NeighborSearch,
    sample_for_graph,
)
from ae_cluster.training.loop import DivergedError

X = load_digits().data / 16


def test_one_part_is_one_epoch():
    whole = AutoEncoder(max_iter=1, random_state=0).fit(X)
    part = AutoEncoder(random_state=0).partial_fit(X)

    assert np.array_equal(part.transform(X), whole.transform(X))
    assert part.loss_curve_ == whole.loss_curve_
    assert part.n_iter_ == 1


def test_parts_one_after_the_other_learn():
    model = AutoEncoder(random_state=0)
    for _ in range(10):
        for part in np.array_split(X, 3):
            model.partial_fit(part)

    assert model.n_iter_ == 30
    at_once = AutoEncoder(max_iter=10, random_state=0).fit(X)
    assert model.score(X) > 1.1 * at_once.score(X)  # minus the error: at most a tenth more


def test_a_copy_goes_on_where_it_was():
    model = AutoEncoder(random_state=0).partial_fit(X)
    copy = pickle.loads(pickle.dumps(model))

    assert np.array_equal(copy.partial_fit(X).transform(X), model.partial_fit(X).transform(X))


def test_a_part_after_a_fit_goes_on_from_it_and_a_fit_starts_anew():
    model = AutoEncoder(max_iter=5, random_state=0).fit(X)
    before = model.score(X)
    assert model.partial_fit(X).score(X) > before
    assert model.n_iter_ == 6
    again = AutoEncoder(max_iter=5, random_state=0).fit(X).transform(X)
    assert np.array_equal(model.fit(X).transform(X), again)


def test_parts_of_another_width_are_refused_and_what_diverges_keeps_its_weights():
    model = AutoEncoder(random_state=0).partial_fit(X)
    with pytest.raises(InputError, match="64 features"):
        model.partial_fit(X[:, :60])
    codes = model.transform(X)
    table = AutoEncoder(activation="identity", learning_rate_init=1e30, input_kind="table")
    with pytest.raises(DivergedError):
        table.partial_fit(X * 1000)
    assert np.isfinite(table.transform(X)).all()
    assert np.array_equal(model.transform(X), codes)


def test_a_file_that_lies_in_memory_is_not_copied(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((600_000, 64), np.uint8))
    rows = np.load(tmp_path / "x.npy", mmap_mode="r")

    assert np.shares_memory(as_tensor(rows).numpy(), rows)


MEMORY = """
import re, sys
import numpy as np
from pathlib import Path
from ae_cluster import AutoEncoder

def anonymous():
    return int(re.search(r"RssAnon:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024

x = np.load(sys.argv[1], mmap_mode="r")
model = AutoEncoder(hidden_layer_sizes=(8,), random_state=0, batch_size=4096, max_iter=1)
model.fit(x[:5000])  # what every training takes
grown = []
for _ in range(3):  # what the allocator keeps for later comes and goes; the samples would stay
    before = anonymous()
    model.fit(x)
    grown.append(anonymous() - before)
print(min(grown))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.heavy
def test_training_from_a_file_takes_no_memory_for_its_samples(tmp_path):
    rows = np.random.default_rng(0).integers(0, 255, (120_000, 784), np.uint8)  # 94 MB
    np.save(tmp_path / "x.npy", rows)
    command = [sys.executable, "-c", MEMORY, str(tmp_path / "x.npy")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert float(done.stdout) < 60


def test_minibatch_kmeans_is_scikit_learns():
    codes = X[:, :8]
    found = cluster_codes("minibatch-kmeans", codes, codes[:50], 10, 0)
    theirs = MiniBatchKMeans(10, n_init=10, random_state=0).fit(codes)

    assert np.array_equal(found.train, theirs.predict(codes))
    assert np.array_equal(found.head.assign(codes[:50]).clusters, found.test)


def test_a_graph_is_of_a_stated_sample_and_of_all_where_they_are_few():
    assert sample_for_graph(5, 5, 0, "").tolist() == [0, 1, 2, 3, 4]
    with pytest.warns(UserWarning, match="of 10 of the 1,000 samples, .*; the network assigns"):
        some = sample_for_graph(1000, 10, 0, "the network")
    assert len(set(some)) == 10
    assert (np.diff(some) > 0).all()


def test_sorting_learns_from_a_sample_and_assigns_the_rest():
    model = SortingAutoEncoder(10, max_samples=600, max_iter=2, min_steps=50, random_state=0)
    with pytest.warns(UserWarning, match="of 600 of the 1,797 samples"):
        model.fit(X)

    assert len(model.labels_) == 1797
    assert len(model.first_labels_) == 600
    assert np.array_equal(model.labels_, model.predict(X))


def test_n2d_learns_from_a_sample_and_assigns_the_rest(monkeypatch, tmp_path):
    monkeypatch.setattr(n2d, "MOST_IN_A_GRAPH", 200)
    start = AutoEncoder(max_iter=3, random_state=0).fit(X)
    with pytest.warns(UserWarning, match="of 200 of the 1,797 samples"):
        model = n2d.N2D(10, start, random_state=0).fit(X)

    assert len(model.labels_) == 1797
    assert len(model.manifold_) == 200
    model.save(tmp_path / "model")
    assert np.array_equal(n2d.N2D.load(tmp_path / "model").predict(X), model.predict(X))


def test_the_nearest_of_very_wide_samples_are_found_in_components_of_a_sketch():
    rng = np.random.default_rng(0)
    wide = rng.normal(size=(300, 20)) @ rng.normal(size=(20, WIDE + 100))
    distances = cdist(wide, wide) + np.diag(np.full(300, np.inf))
    found, again = (
        NeighborSearch(wide, is_exact=False).nearest_others(1)[1][:, 0] for _ in range(2)
    )

    assert np.array_equal(found, distances.argmin(axis=1))
    assert np.array_equal(found, again)


@pytest.mark.parametrize(
    "samples",
    [
        np.random.default_rng(0).normal(size=(80, 300)),
        np.repeat(np.random.default_rng(0).normal(size=(5, 400)), 20, axis=0),
        np.random.default_rng(0).normal(size=(60, 3)) @ np.ones((3, 100)),
        np.ones((60, 200)),
    ],
    ids=["Gaussian", "duplicates", "one direction", "all alike"],
)
@pytest.mark.filterwarnings("ignore:invalid value")  # what is all alike has no variance to share
def test_components_of_few_wide_samples_are_those_of_their_covariances(samples):
    full = PCA(MOST_COMPARED, svd_solver="full").fit_transform(samples)
    wanted = np.sort(cdist(full, full), axis=1)[:, 1:6]
    found = NeighborSearch(samples).nearest_others(5)[0]
    np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-5)
