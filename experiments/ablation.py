"""Claim: every stage of the sorting codes buys accuracy, and the offset buys reconstruction.

One fit with the image prior per seed, looked at after every stage, by what a
network that has learnt the stage's clusters answers for the held-out samples.
KMeans on the samples, learnt alike, is what there would be without a graph; the
cluster's centre, decoded, what there would be without an offset. Three seeds; on
MNIST ten minutes a seed on one core, on digits one.

    python -m experiments.ablation --dataset mnist --seeds 3 --jobs 2
"""

from __future__ import annotations

import copy
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from torch import Tensor, nn

from ae_cluster.clustering.codes import Clustering, cluster_codes
from ae_cluster.clustering.sorting import SortingAutoEncoder
from ae_cluster.clustering.sorting.consistency import one_hot
from ae_cluster.clustering.sorting.stages import GRAPH, Stage
from ae_cluster.common.memory import peak_mb
from ae_cluster.common.terminal import exit_code
from ae_cluster.datasets import Dataset
from ae_cluster.runs.encoders import Codes
from ae_cluster.training.minibatch import in_chunks
from experiments.support.arguments import carry_out, grid_parser, prepare, seeds_and_epochs
from experiments.support.cells import cell_rows, data_of, make_cell
from experiments.support.store import Cell, Row, Store

NAME = "ablation"
STAGES = ("1 kmeans", "2 graph", "3 small steps", "4 changed images")
Answers = dict[str, NDArray[np.int64]]
Drawn = NDArray[np.floating[Any]]


class Watched:
    """One fit of sorting, and what cluster heads answer after each of its stages.

    Attributes
    ----------
    answers, held_out_answers : dict of ndarray
        Stage → clusters of the training samples, and of the held-out ones.
    seconds : dict of float
        Stage → seconds since the fit began.
    """

    def __init__(self, model: SortingAutoEncoder, data: Dataset) -> None:
        self.model, self.data = model, data
        self.answers: Answers = {}
        self.held_out_answers: Answers = {}
        self.seconds: dict[str, float] = {}
        self.began = time.perf_counter()
        for stage in model.fit_stages(data.raw_train):
            if stage.name == GRAPH:
                self._keep(STAGES[0], self._learnt(stage, self._of_kmeans(stage)))
                self._keep(STAGES[1], self._learnt(stage, stage.memberships))
            else:
                self._keep(STAGES[len(self.answers)], stage.head)

    def _of_kmeans(self, stage: Stage) -> Tensor:
        k = self.model.n_clusters
        kmeans = KMeans(k, n_init=1, random_state=self.model.random_state)
        return one_hot(kmeans.fit_predict(stage.x.numpy()).astype(np.int64), k, stage.x)

    def _learnt(self, stage: Stage, memberships: Tensor) -> nn.Module:
        """Return a twin that has learnt these clusters and nothing more."""
        twin = copy.deepcopy(stage.head)
        trainer = self.model.trainer(stage.x, torch.Generator().manual_seed(0))
        trainer.warm_up(twin, memberships, self.model.learning_rate_init)
        return twin

    def _keep(self, stage: str, head: nn.Module) -> None:
        samples = self.data.raw_train, self.data.raw_test
        for answers, raw in zip((self.answers, self.held_out_answers), samples, strict=True):
            logits = in_chunks(head, self.model.scaling_(torch.as_tensor(raw)))
            answers[stage] = logits.argmax(1).numpy()
        self.seconds[stage] = time.perf_counter() - self.began


def stage_rows(cell: Cell, store: Store) -> list[Row]:  # noqa: ARG001
    """Return the rows of every stage of one fit."""
    data = data_of(cell["dataset"])
    k, seed = cell["n_clusters"], cell["seed"]
    model = SortingAutoEncoder(
        k, cell["n_components"], image_prior=True, max_iter=cell["epochs"],
        image_shape=data.image_shape, random_state=seed, device="cpu",
    )  # fmt: skip
    watched = Watched(model, data)
    halves = model.transform(data.raw_train), model.transform(data.raw_test)
    codes = Codes(cell["features"], *halves, cell["epochs"])
    rows = []
    for stage in STAGES:
        found = Clustering(
            watched.answers[stage], watched.held_out_answers[stage], None, None,
            model.cluster_centers_, watched.seconds[stage],
        )  # fmt: skip
        rows += _rows(cell | {"method": stage}, codes, found)
    found = cluster_codes("kmeans", *halves, k, seed)
    found = found._replace(seconds=time.perf_counter() - watched.began)
    centers = (model.cluster_centers_[model.predict(r)] for r in (data.raw_train, data.raw_test))
    for method, places in (("5 codes, centre decoded", centers), ("6 codes, code decoded", halves)):
        decoded = _with_errors(codes, data, *map(model.inverse_transform, places))
        rows += _rows(cell | {"method": method}, decoded, found)
    return rows


def _rows(cell: Cell, codes: Codes, found: Clustering) -> list[Row]:
    changes = cell["method"] >= STAGES[-1]
    return cell_rows(cell, codes, found, peak_mb=round(peak_mb(), 1), uses_augmentation=changes)


def _with_errors(codes: Codes, data: Dataset, train: Drawn, test: Drawn) -> Codes:
    """Return codes with the mean squared errors of what was decoded from them."""
    drawn = (train, data.x_train), (test, data.x_test)
    errors = [float(np.square(images - samples).mean()) for images, samples in drawn]
    return codes._replace(mse=(errors[0], errors[1]))


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out the grid and return the exit code."""
    parser = grid_parser(__doc__)
    parser.set_defaults(seeds=3)
    arguments = parser.parse_args(argv)
    datasets = prepare(arguments)
    seeds, epochs = seeds_and_epochs(arguments)
    cells = [
        make_cell(dataset, "sorting-images", NAME, seed, epochs=epochs,
                  n_clusters=arguments.n_clusters) | {"stage": f"{NAME}-{dataset}-{seed}"}
        for dataset in datasets
        for seed in seeds
    ]  # fmt: skip
    return carry_out(cells, arguments, NAME, stage_rows)


if __name__ == "__main__":
    sys.exit(exit_code(main))
