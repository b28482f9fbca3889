"""A run is resolved once: its pipelines, what is given k, what is not used, whose class it is."""

import numpy as np
import pytest

from ae_cluster import InputError, RunConfig, load_dataset, run
from ae_cluster.clustering import external
from ae_cluster.runs.plan import plan_of, required_n_clusters

HDBSCAN, MINIBATCH = "sklearn.cluster:HDBSCAN", "sklearn.cluster:MiniBatchKMeans"


def config_of(*methods, **more):
    return RunConfig(methods=methods, **more)


def table_of(folder, n=20):
    np.savez(folder / "d.npz", x=np.random.default_rng(0).normal(size=(n, 4)))
    return load_dataset(folder / "d.npz")


def test_a_pipeline_is_given_k_unless_its_class_takes_none():
    plan = plan_of(config_of("kmeans", HDBSCAN, MINIBATCH))
    given = {p.method: plan.takes_k(p) for p in plan.pipelines}
    assert given == {"kmeans": True, "HDBSCAN": False, "MiniBatchKMeans": True}
    assert plan.kept_as == ["kmeans", "HDBSCAN", "MiniBatchKMeans"]
    assert [p.method for p in plan.pipelines if plan.is_external(p)][:2] == [
        "HDBSCAN",
        "MiniBatchKMeans",
    ]


def test_pipelines_on_the_same_codes_stand_together():
    plan = plan_of(config_of("idec", "kmeans"))
    by_representation = plan.by_representation()
    assert list(by_representation) == ["idec", "autoencoder", "pca", "untrained"]
    assert [p for pipelines in by_representation.values() for p in pipelines] == sorted(
        plan.pipelines, key=lambda p: list(by_representation).index(p.representation)
    )


def test_k_is_the_one_said_or_known_and_needed_only_by_what_takes_it(tmp_path):
    data = table_of(tmp_path)
    assert plan_of(config_of("kmeans")).on(load_dataset("digits")).n_clusters == 10
    assert plan_of(config_of("kmeans", n_clusters=4)).on(data).n_clusters == 4
    assert plan_of(config_of(HDBSCAN)).on(data).n_clusters is None
    with pytest.raises(InputError, match="--n-clusters"):
        plan_of(config_of(HDBSCAN, "kmeans")).on(data)
    with pytest.raises(InputError, match="16 training samples"):
        plan_of(config_of("kmeans", n_clusters=17)).on(data)
    with pytest.raises(InputError, match="labels are never asked"):
        required_n_clusters(None, data)


def test_arguments_that_nothing_reads_are_noted():
    assert plan_of(config_of("kmeans", batch_size=32)).notes == ()
    (note,) = plan_of(config_of("pixels", batch_size=32, epochs=3)).notes
    assert "--batch-size, --epochs" in note


def test_a_class_is_imported_once_a_run_and_before_anything_is_learnt(tmp_path, monkeypatch):
    table_of(tmp_path, 40)
    imported = []
    whole = external._module
    monkeypatch.setattr(external, "_module", lambda *a: imported.append(a[0]) or whole(*a))
    config = config_of(
        MINIBATCH, dataset=str(tmp_path / "d.npz"), n_clusters=3, epochs=1, draws=1, budgets=(1,)
    )
    rows = run(config, tmp_path / "run", figures=False)
    assert imported == [MINIBATCH]
    assert set(rows["method"]) == {"MiniBatchKMeans"}
    assert (rows["status"] == "ok").all()

    lines = []
    with pytest.raises(InputError, match="no module"):
        plan_of(config_of("nowhere:Clusterer"))
    with pytest.raises(InputError, match="no module"):
        run(config_of("nowhere:Clusterer"), tmp_path / "other", say=lines.append)
    assert lines == []
