"""The trainings of a sorting on several processes that torchrun starts: as of one process."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from on_ranks import ended, torchrun, with_trouble
from sorting_on_ranks import fitted
from torch import nn

from ae_cluster.clustering.sorting import shared_neighbors
from ae_cluster.clustering.sorting.candidates import nearest_neighbors
from ae_cluster.graphs.neighbors import NeighborSearch
from ae_cluster.training.shared_batches import (
    BatchNorm1d,
    BatchNorm2d,
    batch_mean,
    drawn,
    part_of_batch,
    share,
)

SCRIPT = Path(__file__).parent / "sorting_on_ranks.py"
RUN = ["run", "digits", "--no-figures", "--budgets", "1", "--draws", "1", "--epochs", "3",
       "--method", "sorting-fast", "--method", "sorting", "--out", "R"]  # fmt: skip


def found(n, *kinds):
    """Return losses and clusters of some kinds on so many ranks."""
    code, said, errors = ended(torchrun(n, SCRIPT, *kinds))
    assert code == 0, errors
    return json.loads(said)


@pytest.mark.heavy
def test_two_ranks_have_the_losses_and_clusters_of_one_process():
    """Of all trainings: first clusters, small steps, changed images, decoder."""
    losses, clusters = found(2, "changed images")["changed images"]
    ours, ours_clusters = fitted("changed images")
    assert len(ours) > 200
    np.testing.assert_allclose(losses, ours, rtol=1e-8)
    assert clusters == ours_clusters


@pytest.mark.slow
def test_two_ranks_are_one_process_without_an_image_prior_too():
    exact, rounded = ("small steps", "fast"), ("fast rounded", "rounded")
    two = found(2, *exact, *rounded)
    for kind in exact:
        losses, clusters = fitted(kind)
        np.testing.assert_allclose(two[kind][0], losses, rtol=1e-8)
        assert two[kind][1] == clusters
    for kind in rounded:  # in 32 bits roundings grow, most under the worst small steps
        losses, clusters = fitted(kind)
        np.testing.assert_allclose(two[kind][0][:20], losses[:20], rtol=1e-4)
        assert np.mean(np.equal(two[kind][1], clusters)) > 0.99


@pytest.mark.slow
def test_three_ranks_share_a_batch_of_two():
    three = found(3, "last batch of two")["last batch of two"]
    losses, clusters = fitted("last batch of two")
    np.testing.assert_allclose(three[0], losses, rtol=1e-8)
    assert three[1] == clusters


@pytest.mark.slow
def test_a_rank_that_dies_while_a_sorting_learns(tmp_path):
    code, _, said = with_trouble(2, 1, "dies_at", 90, *RUN, cwd=tmp_path)
    assert code != 0
    assert re.search(r"ae-cluster: (Rank 0 of 2 has lost another|This job was asked to end)", said)
    assert said.count("ae-cluster: ") == 1
    assert "--resume" in said
    assert [path.name for path in tmp_path.iterdir()] == ["R.partial"]

    code, said, errors = ended(torchrun(3, "-m", "ae_cluster", *RUN, "--resume", cwd=tmp_path))
    assert code == 0, errors
    assert "sorting-fast was learnt before the run was interrupted" in errors
    assert [path.name for path in tmp_path.iterdir()] == ["R"]
    scores = pd.read_csv(tmp_path / "R" / "scores.csv")
    assert scores["method"].isin(["sorting-fast", "sorting"]).any()


class Halves:
    """Two ranks in one process: what the other adds is what this one did, told beforehand."""

    n = 2

    def __init__(self, rank, others=()):
        self.rank, self.others, self.own = rank, list(others), []

    def sum(self, tensor):
        self.own.append(tensor.clone())
        return tensor.add_(self.others.pop(0)) if self.others else tensor


@pytest.mark.parametrize(("kind", "shape"), [(BatchNorm1d, (9, 3)), (BatchNorm2d, (9, 3, 4, 2))])
def test_half_a_batch_is_normalised_as_the_whole(kind, shape):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(shape, generator=generator, dtype=torch.float64) * 3 + 5
    weights = torch.randn(shape, generator=generator, dtype=torch.float64)
    whole, halves = (nn.Module() for _ in range(2))
    whole = (nn.BatchNorm1d if kind is BatchNorm1d else nn.BatchNorm2d)(3).double()
    inputs = x.clone().requires_grad_()
    out = whole(inputs)
    (out * weights).sum().backward()

    told = [[], []]
    for turn in range(3):  # each turn knows one sum more of the other: forward, then backward
        for rank in (0, 1):
            halves = kind(3).double()
            ranks = Halves(rank, told[1 - rank][: min(turn, 2)])
            with part_of_batch(ranks, len(x)) as rows:
                part = x[rows].clone().requires_grad_()
                (halves(part) * weights[rows]).sum().backward()
            told[rank] = ranks.own
            if turn == 2:
                torch.testing.assert_close(part.grad, inputs.grad[rows])
                torch.testing.assert_close(halves.running_mean, whole.running_mean)
                torch.testing.assert_close(halves.running_var, whole.running_var)


def test_what_is_drawn_for_a_part_is_its_rows_of_what_one_process_draws():
    def numbers(n):
        return torch.randn(n, generator=torch.Generator().manual_seed(0))

    for rank in (0, 1):
        with part_of_batch(Halves(rank), 5) as rows:
            assert torch.equal(drawn(numbers, len(range(5)[rows])), numbers(5)[rows])
    with part_of_batch(None, 5) as rows:
        assert torch.equal(drawn(numbers, 5)[rows], numbers(5))


def test_the_mean_of_a_batch_is_that_of_its_parts():
    x = torch.randn(5, 2, dtype=torch.float64)
    means, losses = [], []
    for rank in (0, 1):
        with part_of_batch(Halves(rank), 5) as rows:
            means.append(batch_mean(x[rows]))
            losses.append(share(x[rows].mean()))
    torch.testing.assert_close(means[0] + means[1], x.mean(0))
    torch.testing.assert_close(losses[0] + losses[1], x.mean())
    assert torch.equal(batch_mean(x), x.mean(0))


@pytest.mark.parametrize("width", [3, 64])
def test_neighbours_found_in_parts_are_those_of_one_process(width):
    x = np.random.default_rng(0).normal(size=(301, width))
    x[50:70] = x[0]  # more duplicates than neighbours
    distances, indices = nearest_neighbors(x, 7)
    positions = NeighborSearch(x).positions
    halves = [shared_neighbors._of_parts(OneHalf(rank), positions, 7) for rank in (0, 1)]
    np.testing.assert_allclose(halves[0][0] + halves[1][0], distances, atol=1e-6)
    found = halves[0][1] + halves[1][1]
    is_twin = np.isin(np.arange(301), [0, *range(50, 70)])
    assert np.array_equal(found[~is_twin], indices[~is_twin])
    assert not (found == np.arange(301)[:, None]).any()


class OneHalf:
    """A rank of two, alone: the other adds nothing."""

    n = 2

    def __init__(self, rank):
        self.rank = rank

    def total(self, own):
        return own
