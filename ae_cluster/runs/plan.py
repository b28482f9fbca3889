"""A run resolved once: which clusterings to make, which are given k, what is not used."""

from __future__ import annotations

from collections.abc import Sequence

from ae_cluster.clustering import external
from ae_cluster.clustering.codes import check_n_clusters
from ae_cluster.common.errors import InputError
from ae_cluster.datasets import Dataset
from ae_cluster.methods import AUTOENCODER, GIVEN, LEARNERS, Pipeline, is_external, pipelines_of
from ae_cluster.records.config import RunConfig


def unused_arguments(config: RunConfig) -> list[str]:
    """Return a sentence on the arguments that were said and that no method here reads."""
    codes = {pipeline.source for pipeline in pipelines_of(config.methods, config.features)}
    names = ["batch_size", "learning_rate_init"] if AUTOENCODER not in codes else []
    if config.features == GIVEN:
        names += ["n_components", "hidden_layer_sizes", "kind"]
    if not codes & {AUTOENCODER, *LEARNERS}:
        names.append("epochs")
    usual = RunConfig()
    said = [name for name in names if getattr(config, name) != getattr(usual, name)]
    if not said:
        return []
    options = ", ".join(f"--{name.replace('_', '-')}" for name in said)
    return [f"note: {options} is said, but no autoencoder is trained that would read it."]


def resolve_n_clusters(
    config: RunConfig, data: Dataset, pipelines: Sequence[Pipeline]
) -> int | None:
    """Return the k that was said, else what is known of the data set; never asked of labels."""
    n_clusters = config.n_clusters if config.n_clusters is not None else data.n_clusters
    if n_clusters is None:
        if not any(takes_k(pipeline) for pipeline in pipelines):
            return None
        raise InputError(
            f"How many clusters {data.name} has is not known, and labels are never asked; "
            "say it with --n-clusters K (n_clusters=K)."
        )
    check_n_clusters(n_clusters, data.raw_train)
    return n_clusters


def takes_k(pipeline: Pipeline) -> bool:
    """Return whether a way is told the number of clusters."""
    return not is_external(pipeline.clusterer) or _number_of(pipeline) is not None


def _number_of(pipeline: Pipeline) -> str | None:
    return external.number_of_clusters(external.find_class(pipeline.clusterer))
