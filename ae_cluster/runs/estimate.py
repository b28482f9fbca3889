"""What a run will take, said before it starts: rows, memory, seconds, and what is on a sample."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ae_cluster.clustering.estimators import (
    deep_epochs,
    estimated_seconds,
    graph_samples,
    steps_of,
)
from ae_cluster.clustering.number_of_clusters.suggestion import MOST_SAMPLES
from ae_cluster.datasets import Dataset
from ae_cluster.datasets.room import lies_on_disk
from ae_cluster.figures.codes import MOST_DRAWN
from ae_cluster.methods import AUTOENCODER, DEEP, LEARNERS, kind_of
from ae_cluster.records.config import RunConfig, preset_epochs
from ae_cluster.records.reading import load_data
from ae_cluster.runs.plan import WITHOUT_CODES, Plan, plan_of


class Rate(NamedTuple):
    """Seconds that a stage takes: some however few the samples are, and some for 10,000 more."""

    fixed: float
    per_10_000: float

    def of(self, n: int) -> float:
        """Return the seconds for n samples."""
        return self.fixed + self.per_10_000 * n / 10_000


class Step(NamedTuple):
    """A stage of a run, its seconds, and what it looks at."""

    name: str
    seconds: float
    of: str


# Of two runs with the defaults (digits with 1,797 samples and MNIST with 70,000) on two cores of
# an x86-64 CPU with nothing else running: `seconds` in their config.json.
LOADING = 5.3  # torch and the libraries around it
STEP = Rate(1.5e-3, 11.5e-3)  # a minibatch of 64, by its numbers: 784 are .0784 of 10,000
FEW_LABELS = Rate(3.1, 1.0)  # for each representation, by the test samples; 36 label splits
USUAL_SPLITS = 36
FIGURES = Rate(10.0, 1.0)
NUMBER = 20.0  # of clusters, chosen
REST = Rate(1.5, 1.0)  # clusters, scores, faithfulness, outliers, the page
LOADED_MB, COPIES = 870, 3  # a small run's memory; float32 copies of the samples beside it
MB_OF_ONE = 3e-4  # of a sample whose image lies on the disk: its codes, clusters and ids


def estimate(
    config: RunConfig, data_home: Path | None = None, *, download: bool = True, figures: bool = True
) -> dict[str, Any]:
    """Return what a run of this configuration will take on a machine like that of the rates.

    The data are read, as a run would; nothing is trained or written.

    Parameters
    ----------
    config : RunConfig
    data_home, download
        As in `ae_cluster.load_dataset`.
    figures : bool
        Whether they are drawn.

    Returns
    -------
    dict
        ``data``, ``n_train``, ``n_test``, ``n_features``, ``bytes_read``, ``memory_mb``,
        ``seconds`` in all, and ``steps``: name, seconds, and what each is of.

    Raises
    ------
    InputError
        As the run would, of a configuration or data that cannot be used.
    """
    config.check()
    plan = plan_of(config)
    data = load_data(vars(config), data_home, download=download)
    if not plan.is_auto:
        plan = plan.on(data)
    steps = [step for step in _steps(config, plan, data) if figures or step.name != "figures"]
    n, width = len(data.raw_train) + len(data.raw_test), data.raw_train.shape[1]
    is_on_disk = lies_on_disk(data.raw_train)
    return {
        "data": data.name,
        "n_train": len(data.raw_train),
        "n_test": len(data.raw_test),
        "n_features": width,
        "bytes_read": _bytes_of(Path(config.dataset).expanduser(), data),
        "memory_mb": round(LOADED_MB + n * (MB_OF_ONE if is_on_disk else COPIES * 4e-6 * width)),
        "seconds": round(sum(step.seconds for step in steps)),
        "steps": [step._asdict() | {"seconds": round(step.seconds, 1)} for step in steps],
    }


def _steps(config: RunConfig, plan: Plan, data: Dataset) -> Iterator[Step]:
    n, n_test, width = len(data.raw_train), len(data.raw_test), data.raw_train.shape[1]
    every = f"all {n:,} training samples"
    yield Step("loading the libraries", LOADING, "")
    if plan.is_auto:
        yield Step("number of clusters", NUMBER, f"at most {MOST_SAMPLES:,} training samples")
    names = plan.by_representation()
    if AUTOENCODER in names or any(kind_of(name) == DEEP for name in names):
        epochs = config.epochs
        epochs = preset_epochs(n, config.batch_size, width) if epochs is None else epochs
        steps = steps_of(epochs, n, config.batch_size)
        seconds = steps * STEP.of(width)
        yield Step(
            "training the autoencoder", seconds, f"{every}, {epochs} epoch{'s' * (epochs != 1)}"
        )
    for name in filter(LEARNERS.__contains__, names):
        yield Step(name, estimated_seconds(name, n, width, config.epochs), _samples_of(name, n))
    coded = sum(name not in WITHOUT_CODES for name in names)
    if data.y_train is not None:
        seconds = coded * few_labels_seconds(config, n_test)
        of = f"{n_test:,} test samples, {coded} representation{'s' * (coded != 1)}"
        yield Step("classifiers from a few labels", seconds, of)
    yield Step("clusters, scores, page", REST.of(n + n_test), f"{every} and {n_test:,} of test")
    drawn = f"{MOST_DRAWN:,} of {n_test:,}" if n_test > MOST_DRAWN else f"all {n_test:,}"
    yield Step("figures", FIGURES.of(n_test), f"{drawn} test samples")


def few_labels_seconds(config: RunConfig, n_test: int) -> float:
    """Return what the classifiers from a few labels take on one representation."""
    share = len(config.budgets) * config.draws / USUAL_SPLITS
    return share * FEW_LABELS.of(n_test)


def _samples_of(name: str, n: int) -> str:
    """Return what a method that learns its clusters looks at."""
    some = graph_samples(name, n)
    if some is not None and some < n:
        return f"a neighbour graph of {some:,} of {n:,} training samples; the rest are assigned"
    epochs = f", {deep_epochs(name, n)} epochs" if kind_of(name) == DEEP and name != "n2d" else ""
    return f"all {n:,} training samples{epochs}"


def _bytes_of(path: Path, data: Dataset) -> int:
    """Return the bytes of the file or folder, or of the samples of named data."""
    if path.is_dir():
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    if path.is_file():
        return path.stat().st_size
    return int(data.raw_train.nbytes + data.raw_test.nbytes)
