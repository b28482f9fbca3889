"""KMeans and mixtures by sums over parts are scikit-learn's, on one process and on two."""

import json
import sys
import threading
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from ae_cluster.clustering.by_parts import Alone, fitted, kmeans_of, mixture_of


class AllAlone(Alone):
    """The only rank of a job."""

    def announce(self, *_):
        """Tell nobody."""

    def together(self, *_):
        """Do it."""
        return nullcontext()


class Thread:
    """A rank that is a thread among others."""

    def __init__(self, rank, n, slots, barrier):
        self.rank, self.n, self.slots, self.barrier = rank, n, slots, barrier

    def total(self, own):
        self.slots[self.rank] = np.array(own, dtype=float)
        self.barrier.wait(30)
        found = sum(self.slots)
        self.barrier.wait(30)
        return found


def on_threads(n, work):
    """Return what work(parts) gives on each of n ranks."""
    slots, barrier, found = [None] * n, threading.Barrier(n), [None] * n

    def one(rank):
        try:
            found[rank] = work(Thread(rank, n, slots, barrier))
        except Exception:
            barrier.abort()
            raise

    threads = [threading.Thread(target=one, args=(rank,)) for rank in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def codes(n=601, spread=2.0, dims=3):
    return make_blobs(n, dims, centers=6, cluster_std=spread, random_state=1)[0]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_kmeans_is_that_of_scikit_learn(seed):
    x = codes()
    theirs = KMeans(6, n_init=10, random_state=seed).fit(x)
    ours = fitted(KMeans(6, n_init=10, random_state=seed), x, AllAlone())
    assert np.array_equal(ours.labels_, theirs.labels_)
    np.testing.assert_allclose(ours.cluster_centers_, theirs.cluster_centers_, rtol=1e-9)
    assert ours.inertia_ == pytest.approx(theirs.inertia_)
    assert ours.n_iter_ == theirs.n_iter_
    assert np.array_equal(ours.predict(x + 0.1), theirs.predict(x + 0.1))
    assert ours.get_params() == theirs.get_params()


@pytest.mark.parametrize("seed", [0, 1])
def test_a_mixture_is_that_of_scikit_learn(seed):
    x = codes(spread=1.5)
    theirs = GaussianMixture(6, random_state=seed).fit(x)
    ours = fitted(GaussianMixture(6, random_state=seed), x, AllAlone())
    np.testing.assert_allclose(ours.means_, theirs.means_, rtol=1e-7)
    np.testing.assert_allclose(ours.covariances_, theirs.covariances_, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(ours.weights_, theirs.weights_, rtol=1e-7)
    np.testing.assert_allclose(ours.precisions_, theirs.precisions_, rtol=1e-5, atol=1e-8)
    assert ours.lower_bound_ == pytest.approx(theirs.lower_bound_)
    assert (ours.n_iter_, ours.converged_) == (theirs.n_iter_, theirs.converged_)
    np.testing.assert_allclose(ours.predict_proba(x), theirs.predict_proba(x), atol=1e-8)


@pytest.mark.parametrize("n", [2, 3])
def test_parts_give_what_one_process_does(n):
    x = codes()
    starts = np.stack([x[i : i + 6] - x.mean(axis=0) for i in (0, 6, 12)])
    alone = kmeans_of(x, starts, Alone())
    found = on_threads(n, lambda parts: kmeans_of(x, starts, parts))
    assert np.array_equal(np.concatenate([part.clusters for part in found]), alone.clusters)
    for part in found:
        np.testing.assert_allclose(part.centers, alone.centers)
        assert part.inertia == pytest.approx(alone.inertia)
    alone = mixture_of(x, starts[0], Alone())
    for part in on_threads(n, lambda parts: mixture_of(x, starts[0], parts)):
        np.testing.assert_allclose(part.covariances, alone.covariances, rtol=1e-6, atol=1e-9)


def test_empty_clusters_get_the_farthest_codes_as_of_scikit_learn():
    x = np.concatenate([codes(60, 0.5), [[40.0, 0, 0], [0, 50.0, 0]]])
    start = np.repeat(x[:1] - 1000, 5, axis=0)
    start[0] = x.mean(axis=0)
    start[1:] += np.arange(4)[:, None]
    theirs = KMeans(5, init=start, n_init=1).fit(x)
    shifted = start[None] - x.mean(axis=0)
    assert np.unique(theirs.labels_).size == 5
    for found in on_threads(2, lambda parts: kmeans_of(x, shifted, parts)):
        np.testing.assert_allclose(found.centers, theirs.cluster_centers_)
        assert found.inertia == pytest.approx(theirs.inertia_)


def test_a_mixture_that_has_not_converged_says_so():
    model = GaussianMixture(6, max_iter=2, random_state=0)
    with pytest.warns(ConvergenceWarning, match="2 steps"):
        found = fitted(model, codes(), AllAlone())
    assert (found.n_iter_, found.converged_) == (2, False)


def clustered():
    """Return what KMeans and a mixture make of some codes, as lists."""
    from ae_cluster.clustering.codes import cluster_codes

    found = {name: cluster_codes(name, codes(), codes()[:50], 6, 0) for name in ("kmeans", "gmm")}
    return {
        name: [one.train.tolist(), one.test.tolist(), one.centers.tolist(), one.head is not None]
        for name, one in found.items()
    }


@pytest.mark.heavy
def test_two_ranks_cluster_codes_as_one_process():
    from on_ranks import ended, torchrun

    code, said, errors = ended(torchrun(2, Path(__file__)))
    assert code == 0, errors
    told = json.loads(said)
    assert told.pop("n_announced") == 2
    for name, one in clustered().items():
        train, test, centers, has_head = told[name]
        assert (train, test, has_head) == (one[0], one[1], one[3])
        np.testing.assert_allclose(centers, one[2], rtol=1e-6)


if __name__ == "__main__":
    from ae_cluster.training.ranks import Ranks, joined

    announced, announce = [], Ranks.announce
    Ranks.announce = lambda *words: announced.append(1) or announce(*words)
    with joined() as ranks:
        if ranks.rank == 0:
            print(json.dumps(clustered() | {"n_announced": len(announced)}))
        else:
            ranks.serve()
    sys.exit()
