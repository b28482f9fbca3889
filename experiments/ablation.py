"""Claim: every stage of the sorting codes buys accuracy, and the style buys reconstruction.

One fit with the image prior per seed, looked at after every stage, by what a
network that has learnt the stage's clusters answers for the held-out samples.
KMeans on the samples, learnt alike, is what there would be without a graph; the
cluster's centre, decoded, what there would be without a style. Three seeds; on
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
from ae_cluster.clustering.sorting.consistency import as_answers
from ae_cluster.common.terminal import exit_code
from ae_cluster.datasets import Dataset
from ae_cluster.methods import SORTING_TUNED_ON
from ae_cluster.records.environment import peak_mb
from ae_cluster.runs.scoring import clustering_rows
from ae_cluster.training.minibatch import in_chunks
from experiments.support.arguments import carry_out, grid_parser, prepare, seeds_and_epochs
from experiments.support.cells import data_of, make_cell
from experiments.support.store import Cell, Row, Store

NAME = "ablation"
STAGES = ("1 kmeans", "2 graph", "3 small steps", "4 changed images")
Answers = dict[str, NDArray[np.int64]]


class Watched(SortingAutoEncoder):
    """A fit that keeps what its networks answer after each stage.

    Attributes
    ----------
    answers_, held_out_answers_ : dict of ndarray
        Stage → clusters of the training samples, and of ``held_out``.
    seconds_ : dict of float
        Stage → seconds since the fit began.
    """

    held_out: NDArray[Any]

    def _teach(self, sorter: nn.Module, x: Tensor, answers: Tensor, *rest: Any) -> Tensor:
        if not self.answers_:
            kmeans = KMeans(self.n_clusters, n_init=1, random_state=self.random_state)
            clusters = kmeans.fit_predict(x.numpy()).astype(np.int64)
            self._keep(STAGES[0], self._learnt(sorter, x, as_answers(clusters, len(answers[0]), x)))
            self._keep(STAGES[1], self._learnt(sorter, x, answers))
        taught = super()._teach(sorter, x, answers, *rest)
        self._keep(STAGES[len(self.answers_)], sorter)
        return taught

    def _learnt(self, sorter: nn.Module, x: Tensor, answers: Tensor) -> nn.Module:
        """Return a twin that has learnt these clusters and nothing more."""
        twin = copy.deepcopy(sorter)
        trainer = self._trainer(x, torch.Generator().manual_seed(0))
        trainer.warm_up(twin, answers, self.learning_rate_init)
        return twin

    def _keep(self, stage: str, sorter: nn.Module) -> None:
        for answers, x in ((self.answers_, self.seen), (self.held_out_answers_, self.held_out)):
            logits = in_chunks(sorter, self.scaling_(torch.as_tensor(x)))
            answers[stage] = logits.argmax(1).numpy()
        self.seconds_[stage] = time.perf_counter() - self.began

    def watch(self, data: Dataset) -> Watched:
        """Fit to the training samples of a data set; return the model itself."""
        self.seen, self.held_out = data.raw_train, data.raw_test
        self.answers_: Answers = {}
        self.held_out_answers_: Answers = {}
        self.seconds_: dict[str, float] = {}
        self.began = time.perf_counter()
        self.fit(data.raw_train)
        return self


def stage_rows(cell: Cell, store: Store) -> list[Row]:  # noqa: ARG001
    """Return the rows of every stage of one fit."""
    data = data_of(cell["dataset"])
    k, seed = cell["n_clusters"], cell["seed"]
    model = Watched(
        k, cell["n_components"], image_prior=True, max_iter=cell["epochs"],
        image_shape=data.image_shape, random_state=seed, device="cpu",
    ).watch(data)  # fmt: skip
    codes = {"train": model.transform(data.raw_train), "test": model.transform(data.raw_test)}
    rows = []
    for stage in STAGES:
        found = Clustering(
            model.answers_[stage], model.held_out_answers_[stage], None, None,
            model.cluster_centers_, model.seconds_[stage],
        )  # fmt: skip
        rows += _rows(cell | {"method": stage}, data, codes, found, {})
    found = cluster_codes("kmeans", codes["train"], codes["test"], k, seed)
    found = found._replace(seconds=time.perf_counter() - model.began)
    from_centers = {
        split: model.inverse_transform(model.cluster_centers_[model.predict(raw)])
        for split, raw in (("train", data.raw_train), ("test", data.raw_test))
    }
    decoded = {split: model.inverse_transform(codes[split]) for split in codes}
    rows += _rows(cell | {"method": "5 codes, centre decoded"}, data, codes, found, from_centers)
    rows += _rows(cell | {"method": "6 codes, code decoded"}, data, codes, found, decoded)
    return rows


def _rows(
    cell: Cell,
    data: Dataset,
    codes: dict[str, NDArray[Any]],
    found: Clustering,
    drawn: dict[str, NDArray[Any]],
) -> list[Row]:
    place = {name: value for name, value in cell.items() if name != "stage"} | {
        "seconds": round(found.seconds, 3),
        "peak_mb": round(peak_mb(), 1),
        "uses_k": True,
        "uses_balance": False,
        "uses_augmentation": cell["method"] >= STAGES[-1],
        "tuned_on": SORTING_TUNED_ON,
    }
    rows = clustering_rows(place, data, codes["train"], codes["test"], found)
    samples = {"train": data.x_train, "test": data.x_test}
    errors = {split: float(np.square(drawn[split] - samples[split]).mean()) for split in drawn}
    return [row | {"mse": errors.get(row["split"], np.nan)} for row in rows]


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
