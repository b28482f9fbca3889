"""A run folder as an object: its codes, clusters, scores and models, and new samples assigned."""

from __future__ import annotations

import threading
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ae_cluster.clustering.codes import Clustering
from ae_cluster.common.bounded_arrays import Arrays
from ae_cluster.common.errors import InputError, nearest
from ae_cluster.common.files import expanded
from ae_cluster.common.global_state import default_state
from ae_cluster.datasets.dataset import file_order
from ae_cluster.records.reading import (
    SPLITS,
    described_pipeline,
    method_names,
    read_codes,
    read_run_config,
    read_scores,
)
from ae_cluster.runs.assigned_tables import frame_of
from ae_cluster.runs.assigner import Assigner, load_model
from ae_cluster.runs.clusterers import assigned_by, cluster_table

if TYPE_CHECKING:
    from ae_cluster.explorer.notebook import NotebookPage

_TURN = threading.RLock()  # libraries have settings of the whole process, which we set aside


class LoadedRun:
    """What a run left, read when it is first asked for; made by `load_run`.

    Safe in threads: calls take turns, and none changes what another gets.

    Attributes
    ----------
    folder : Path
    config : dict
        Of config.json.
    methods : tuple of str
        Those that are kept, the first asked for first.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config: dict[str, Any] = read_run_config(folder)
        self.methods = tuple(method_names(folder))
        self._assigners: dict[str, Assigner] = {}
        self._models: dict[str, Any] = {}

    def __repr__(self) -> str:
        """Return where it is, and its data and methods."""
        name = self.config["data"]["name"]
        return f"<run {self.folder}: {name}, {', '.join(self.methods)}>"

    @property
    def codes(self) -> pd.DataFrame:
        """The codes of the first method, a row per sample by id, in the order of the file."""
        return self.codes_of(self.methods[0])

    @default_state()
    def codes_of(self, method: str) -> pd.DataFrame:
        """Return the codes of a method, a row per sample by id, in the order of the file."""
        arrays = self._arrays(method)
        codes = np.concatenate([arrays["codes_train"], arrays["codes_test"]])
        ids = np.concatenate([arrays["ids_train"], arrays["ids_test"]])
        names = [f"code_{i}" for i in range(1, codes.shape[1] + 1)]
        frame = pd.DataFrame(codes, index=pd.Index(ids, name="id"), columns=names)
        return frame.iloc[file_order(ids)]

    @property
    @default_state()
    def clusters(self) -> pd.DataFrame:
        """The table of clusters.csv, by id; see `ae_cluster.runs.clusterers.cluster_table`."""
        every = {name: self._arrays(name) for name in self.methods}
        first = every[self.methods[0]]
        names = [f"share_farther_out_{split}" for split in SPLITS]
        is_told = all(name in first for name in names)  # not in a run of an earlier version
        table = cluster_table(
            (first["ids_train"], first["ids_test"]),
            {name: assigned_by(*_clustering_of(arrays)) for name, arrays in every.items()},
            np.concatenate([first["codes_train"], first["codes_test"]]),
            np.concatenate([first[name] for name in names]) if is_told else None,
        )
        return table.set_index("id")

    @property
    def scores(self) -> pd.DataFrame:
        """The rows of scores.csv."""
        return read_scores(self.folder)

    @default_state()
    def model(self, name: str | None = None) -> Any:
        """Return the estimator of a method, by default the first: it makes codes of samples.

        Raises
        ------
        InputError
            When the method has none: its codes are the samples.
        """
        name = self._known(name)
        with _TURN:
            if name not in self._models:
                pipeline = described_pipeline(self.config, name)
                self._models[name] = load_model(self.folder, name, pipeline)
            return self._models[name]

    def assign(self, X: ArrayLike, method: str | None = None) -> pd.DataFrame:
        """Return the clusters of samples X, a row each, as ``ae-cluster assign`` writes them.

        Parameters
        ----------
        X : array of shape (n, n_features) or (n, h, w) or (n, h, w, channels)
            Samples in the units of the run's.
        method : str or None
            None: the first.

        Returns
        -------
        DataFrame
            Columns as in `ae_cluster.runs.assigned_tables.columns_of`.

        Raises
        ------
        InputError
            When X holds other samples than the run, or the run keeps too little of the method.
        """
        name = self._known(method)
        with _TURN, default_state():
            if name not in self._assigners:
                self._assigners[name] = Assigner(self.folder, name)
            assigner = self._assigners[name]
            return frame_of(assigner(X), assigner.class_names)

    def describe(self, method: str | None = None) -> pd.DataFrame:
        """Return what each cluster of a method is like, a row each, by its number.

        Columns are those of `ae_cluster.runs.describe.describe_run`, which also lists likely label
        errors and near-duplicates.
        """
        from ae_cluster.runs.describe import describe_run

        with _TURN:
            return describe_run(self.folder, self._known(method)).clusters.set_index("cluster")

    def page(
        self, *, split: str = "test", n_points: int = 10_000, height: int = 900
    ) -> NotebookPage:
        """Return the 3-D page of the run, which Jupyter shows.

        Parameters
        ----------
        split : {"test", "train", "all"}
        n_points : int
            As in `ae_cluster.explorer.html.write_page`.
        height : int
            Of its frame, in pixels.
        """
        from ae_cluster.explorer.html import page_text
        from ae_cluster.explorer.notebook import NotebookPage

        with _TURN:
            return NotebookPage(page_text(self.folder, split=split, n_points=n_points), height)

    def _known(self, method: str | None) -> str:
        name = self.methods[0] if method is None else method
        if name not in self.methods:
            raise InputError(
                f"{self.folder} has no method {name!r}: {nearest(str(name), self.methods)}"
            )
        return name

    def _arrays(self, method: str) -> Arrays:
        with _TURN:
            return read_codes(self.folder, self._known(method))


def load_run(folder: str | PathLike[str]) -> LoadedRun:
    """Return a run folder as an object with codes, clusters, scores, model and assign.

    Raises
    ------
    InputError
        When the folder is not one of a run.

    Examples
    --------
    Of a ``run_folder`` that ``ae-cluster run`` wrote:

    >>> run = load_run(run_folder)
    >>> run.clusters.loc["0", "kmeans"] in range(3)
    True
    >>> codes = run.model("kmeans").transform(images)
    >>> list(run.assign(images).columns[-3:])
    ['distance', 'share_farther_out', 'outlier']
    """
    return LoadedRun(expanded(folder))


def _clustering_of(arrays: Arrays) -> tuple[list[Any], Clustering]:
    codes = [arrays["codes_train"], arrays["codes_test"]]
    found = Clustering(
        arrays["clusters_train"],
        arrays["clusters_test"],
        arrays.get("soft_train"),
        arrays.get("soft_test"),
        arrays.get("centers"),
        seconds=0.0,
    )
    return codes, found
