"""How many clusters: found in blobs, denied in one, and told with all evidence."""

import json
from itertools import pairwise

import numpy as np
import pytest
from sklearn.datasets import make_blobs
from small_runs import make_small_run

from ae_cluster import InputError, suggest_n_clusters
from ae_cluster.cli.main import main
from ae_cluster.clustering.number_of_clusters.evidence import EVIDENCE, persistence
from ae_cluster.clustering.number_of_clusters.representation import (
    Representation,
    edges_between,
    intrinsic_dimension,
)
from ae_cluster.clustering.number_of_clusters.suggestion import combined


@pytest.mark.parametrize("k", [3, 7, 15])
def test_the_blobs_are_counted_exactly(k):
    x, _ = make_blobs(20 * k + 20, 10, centers=k, random_state=k)
    found = suggest_n_clusters(x)
    assert found.n_clusters == k
    assert found.sure.startswith("Sure")


@pytest.mark.parametrize("n_columns", [2, 10])
def test_one_blob_has_no_structure(n_columns):
    found = suggest_n_clusters(np.random.default_rng(0).normal(size=(300, n_columns)))
    assert found.n_clusters == 1
    assert not found.has_structure
    assert found.sure.startswith("No structure")


def test_a_suggestion_is_a_ranked_list_with_all_evidence():
    x, _ = make_blobs(120, 4, centers=3, random_state=0)
    found = suggest_n_clusters(x, max_clusters=8)
    assert len(found.candidates) in (3, 4, 5)
    scores = [candidate.score for candidate in found.candidates]
    assert scores == sorted(scores, reverse=True)
    assert 0 < scores[-1] <= scores[0] <= 1
    assert list(found.evidence) == list(EVIDENCE)
    assert all(set(scores) <= set(range(1, 9)) for scores in found.evidence.values())
    assert suggest_n_clusters(x, max_clusters=8) == found  # the same again


def test_images_and_integers_are_taken_as_rows():
    x, _ = make_blobs(60, 4, centers=3, random_state=0)
    x = (10 * x).astype(int)
    assert suggest_n_clusters(x.reshape(-1, 2, 2)) == suggest_n_clusters(x)


def test_of_many_samples_some_are_looked_at():
    x, _ = make_blobs(400, 4, centers=3, random_state=0)
    found = suggest_n_clusters(x, max_samples=90, max_clusters=5)
    assert (found.n_samples, found.n_clusters) == (90, 3)


@pytest.mark.parametrize(
    ("x", "options", "told"),
    [
        (np.eye(5), {}, "at least 10"),
        (np.full((20, 2), np.nan), {}, "NaN"),
        (np.zeros((30, 2)), {}, "Only 1 of 30"),
        (np.random.default_rng(0).normal(size=(20, 2)), {"max_clusters": 11}, "from 2 to 10"),
        (np.random.default_rng(0).normal(size=(20, 2)), {"max_samples": 3}, "at least 10"),
    ],
)
def test_what_cannot_be_told_is_said(x, options, told):
    with pytest.raises(InputError, match=told):
        suggest_n_clusters(x, **options)


# The parts, by hand


def test_edges_of_two_separate_clusters_leak_nothing():
    neighbors = np.array([[1], [0], [3], [2]])
    apart = edges_between(neighbors, np.array([0, 0, 1, 1]), 2)
    assert apart == pytest.approx((np.log(2), 0.0))
    torn = edges_between(neighbors, np.array([0, 1, 0, 1]), 2)
    assert torn == pytest.approx((np.log(2), 0.0))  # as telling: each knows the other's
    mixed = edges_between(np.array([[1, 2], [0, 3], [3, 0], [2, 1]]), np.array([0, 0, 1, 1]), 2)
    assert mixed == pytest.approx((np.log(2), np.log(2)))


def test_clusters_that_no_edge_leaves_persist_over_the_most_resolutions():
    rows = np.repeat(np.arange(4), 6)
    within = np.array([[j for j in np.flatnonzero(rows == rows[i]) if j != i] for i in range(24)])
    levels = np.stack([np.zeros(24, int), rows // 2, np.maximum(rows - 1, 0), rows, rows], axis=1)
    levels[::6, 4] = 4  # the fifth is cut out of all
    found = Representation(np.zeros((24, 2)), np.ones((24, 5)), within, levels)
    scores = persistence(found, 0)
    assert max(scores, key=scores.get) == 4
    assert scores[2] == scores[3] == 0


@pytest.mark.parametrize("d", [1, 3])
def test_the_intrinsic_dimension_is_that_of_the_manifold(d):
    rng = np.random.default_rng(0)
    x = rng.uniform(size=(800, d)) @ np.eye(d, 6)
    distances = np.sort(np.linalg.norm(x[:, None] - x, axis=2), axis=1)[:, 1:16]
    assert intrinsic_dimension(distances) == d


def test_votes_are_put_together_and_shared_with_the_numbers_beside():
    evidence = {
        "stability": {2: 0.9, 3: 0.5, 4: 0.1},
        "bic": {1: -9.0, 2: -2.0, 3: -1.0, 4: -3.0},
        "gap": {1: 0.1, 2: 0.2, 3: 0.4, 4: 0.3},
    }
    found = {candidate.n_clusters: candidate for candidate in combined(evidence, 4)}
    assert found[3].ranks == {"stability": 2, "bic": 1, "gap": 1}
    two = 1 + 2 * 2 / 3 + 2 / 4  # BIC counts twice
    three, four = 2 / 3 + 2 + 1, 2 / 4 + 2 * 2 / 4 + 2 / 3
    assert found[2].score == pytest.approx((two + three / 2) / 8)
    assert found[3].score == pytest.approx((three + two / 2 + four / 2) / 8)


def test_of_numbers_beside_each_other_one_is_listed():
    x, _ = make_blobs(200, 3, centers=5, random_state=1)
    numbers = sorted(c.n_clusters for c in suggest_n_clusters(x).candidates)
    assert all(b - a > 1 for a, b in pairwise(numbers))


# The command


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    return make_small_run(tmp_path_factory.mktemp("runs"))


def test_the_command_prints_the_list_and_draws_it(tmp_path, capsys):
    x, _ = make_blobs(90, 5, centers=3, random_state=0)
    np.savez(tmp_path / "mine.npz", x=x)
    assert main(["suggest-k", str(tmp_path / "mine.npz"), "--out", str(tmp_path / "out")]) == 0
    told = capsys.readouterr().out
    first = next(line for line in told.splitlines() if line.strip()[:1].isdigit())
    assert first.split()[0] == "3"
    assert all(name in told for name in EVIDENCE)
    assert (tmp_path / "out" / "number-of-clusters.png").exists()
    assert "short list, 3" in (tmp_path / "out" / "number-of-clusters.txt").read_text()


def test_the_command_reads_a_table_as_a_run_does(tmp_path, capsys):
    x, y = make_blobs(90, 2, centers=3, random_state=0)
    lines = [f"{i},{a},{1000 * b},{c}" for i, ((a, b), c) in enumerate(zip(x, y, strict=True))]
    (tmp_path / "t.csv").write_text("\n".join(["id,a,b,kind", *lines]))
    words = ["--id-column", "id", "--label-column", "kind", "--max-clusters", "6", "--json"]
    assert main(["suggest-k", str(tmp_path / "t.csv"), *words]) == 0
    told = json.loads(capsys.readouterr().out)
    scaled = suggest_n_clusters((x - x.mean(0)) / x.std(0), max_clusters=6)
    assert told["n_clusters"] == scaled.n_clusters
    assert set(told["evidence"]) == set(EVIDENCE)
    assert told["candidates"][0]["ranks"].keys() == set(EVIDENCE)


def test_a_run_is_asked_about_the_samples_that_it_was_of(run_folder, capsys):
    assert main(["suggest-k", str(run_folder), "--max-clusters", "5", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert 1 <= told["n_clusters"] <= 5
    assert main(["suggest-k", str(run_folder), "--image-shape", "2x2"]) == 2
    assert "leave --image-shape out" in capsys.readouterr().err
