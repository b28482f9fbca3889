"""A run resolved once: which clusterings to make, which are given k, what is not used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from ae_cluster.clustering.codes import check_n_clusters
from ae_cluster.clustering.external import ExternalClusterer, find_class, number_of_clusters
from ae_cluster.common.errors import InputError
from ae_cluster.common.memory import total_memory
from ae_cluster.common.table_options import AUTO
from ae_cluster.datasets import Dataset
from ae_cluster.methods import (
    AUTOENCODER,
    GIVEN,
    LEARNERS,
    Pipeline,
    is_external,
    pipelines_of,
)
from ae_cluster.records.config import RunConfig

PIXELS = "pixels"
WITHOUT_CODES = (PIXELS, "n2d")  # of their own: the samples, and the autoencoder's


@dataclass(frozen=True)
class Plan:
    """What a run does.

    Attributes
    ----------
    pipelines : tuple of Pipeline
        In the order they were asked for, the baselines behind them.
    external : mapping of str to type
        The class behind each ``module:Class`` of the pipelines, imported once.
    n_clusters : int or None
        Number of clusters; None where no pipeline is given one, or before `on`.
    notes : tuple of str
        A sentence on arguments that no method here uses.
    is_auto : bool
        The number of clusters is yet to be chosen from the samples.
    """

    pipelines: tuple[Pipeline, ...]
    external: Mapping[str, type]
    n_clusters: int | None = None
    notes: tuple[str, ...] = ()
    is_auto: bool = False

    @property
    def kept_as(self) -> list[str]:
        """The folders under methods/ that will be written."""
        return [pipeline.kept_as for pipeline in self.pipelines if pipeline.kept_as]

    def by_representation(self) -> dict[str, list[Pipeline]]:
        """Return the pipelines of each representation, in their order."""
        names = dict.fromkeys(pipeline.representation for pipeline in self.pipelines)
        return {name: [p for p in self.pipelines if p.representation == name] for name in names}

    def clusterer(self, pipeline: Pipeline) -> str | type:
        """Return what `clustering.codes.make_clusterer` makes a pipeline's clusterer of."""
        return self.external.get(pipeline.clusterer, pipeline.clusterer)

    def is_external(self, pipeline: Pipeline) -> bool:
        """Return whether a pipeline's clusterer is a ``module:Class``."""
        return pipeline.clusterer in self.external

    def takes_k(self, pipeline: Pipeline) -> bool:
        """Return whether a pipeline is given the number of clusters."""
        found = self.external.get(pipeline.clusterer)
        return found is None or number_of_clusters(found) is not None

    def on(self, data: Dataset, choose: Callable[[Dataset], int] | None = None) -> Plan:
        """Return the plan with the number of clusters on these data.

        Parameters
        ----------
        choose : callable
            Takes the data; returns what "auto" stands for.

        Raises
        ------
        InputError
            When a pipeline needs it and it is not known, or the data cannot have as many.
        """
        if PIXELS in self.by_representation():
            _check_fits_in_memory(data)
        is_used = any(map(self.takes_k, self.pipelines))
        if self.is_auto and choose is not None and is_used:
            return replace(self, n_clusters=choose(data), is_auto=False)
        is_known = self.n_clusters is not None or data.n_clusters is not None
        if not is_known and not is_used:
            return self
        n_clusters = required_n_clusters(self.n_clusters, data)
        check_n_clusters(n_clusters, data.raw_train)
        return replace(self, n_clusters=n_clusters)


def _check_fits_in_memory(data: Dataset) -> None:
    """Refuse to cluster samples themselves, as float32 and once more, where that is too much."""
    wanted = 2 * 4 * (data.raw_train.size + data.raw_test.size)
    if wanted > total_memory():
        raise InputError(
            f"--method {PIXELS} clusters the samples of {data.name} themselves, which takes "
            f"{wanted / 2**30:.1f} GiB, more than the memory; leave it out."
        )


def plan_of(config: RunConfig) -> Plan:
    """Return the plan of a configuration, whose number of clusters is yet to be resolved.

    Raises
    ------
    InputError
        When a ``module:Class`` cannot be imported or made: before a long training, not after it.
    """
    pipelines = tuple(pipelines_of(config.methods, config.features))
    said = config.n_clusters if isinstance(config.n_clusters, int) else None
    external = {name: find_class(name) for name in config.methods if is_external(name)}
    for found in external.values():
        ExternalClusterer(found, said or 2, config.seed).make()
    notes, is_auto = tuple(_unused(config, pipelines)), config.n_clusters == AUTO
    return Plan(pipelines, external, said, notes, is_auto)


def required_n_clusters(said: int | None, data: Dataset) -> int:
    """Return the k that was said, else what is known of the data set; never asked of labels."""
    n_clusters = said if said is not None else data.n_clusters
    if n_clusters is None:
        raise InputError(
            f"How many clusters {data.name} has is not known, and labels are never asked; "
            "say it with --n-clusters K (n_clusters=K)."
        )
    return n_clusters


def _unused(config: RunConfig, pipelines: tuple[Pipeline, ...]) -> list[str]:
    """Return a sentence on the arguments that were said and that no method here reads."""
    codes = {pipeline.representation for pipeline in pipelines}
    names = ["batch_size", "learning_rate_init"] if AUTOENCODER not in codes else []
    if codes == {GIVEN}:
        names += ["n_components", "hidden_layer_sizes", "kind"]
    if not codes & {AUTOENCODER, *LEARNERS}:
        names.append("epochs")
    usual = RunConfig()
    said = [name for name in names if getattr(config, name) != getattr(usual, name)]
    if not said:
        return []
    options = ", ".join(f"--{name.replace('_', '-')}" for name in said)
    return [f"note: {options} is said, but no autoencoder is trained that would read it."]
