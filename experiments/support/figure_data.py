"""What pictures of a clustering are drawn from: small enough to stand in results/.

Of the test samples' images only those that are shown are kept, chosen when the
clusters are at hand; labels and clusters are kept of all.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ae_cluster.common.bounded_arrays import read_npz
from ae_cluster.common.files import make_folder, written_beside
from ae_cluster.datasets import Dataset
from ae_cluster.figures import (
    ClusterExamples,
    cluster_examples,
    plot_cluster_images,
    plot_cluster_profiles,
    plot_codes,
    plot_confusion,
)
from ae_cluster.metrics.clustering import UNKNOWN, class_map, confusion_matrix

if TYPE_CHECKING:
    from ae_cluster.common.bounded_arrays import read_npz
from ae_cluster.clustering.codes import Clustering

N_CODES = 2000  # of the first test samples: enough to see the shape of the whole
_CHOSEN = ("typical", "borderline", "rivals", "wrong")


def keep_pictured(
    data: Dataset, codes_test: NDArray[Any], clustering: Clustering, path: Path
) -> None:
    """Write labels, clusters, their classes as learnt on train, and the samples to show."""
    mapping = {} if data.y_train is None else class_map(data.y_train, clustering.train)
    examples = cluster_examples(
        codes_test, clustering.test, clustering.soft_test, data.y_test, mapping
    )
    chosen = [e.typical.tolist() + e.borderline.tolist() + e.wrong.tolist() for e in examples]
    everything = range(len(data.raw_test))
    shown = np.array(everything if data.is_table else sorted({i for e in chosen for i in e}))
    unknown = np.full(len(data.raw_test), UNKNOWN)
    make_folder(path.parent)
    with written_beside(path) as beside, beside.open("wb") as file:
        np.savez_compressed(
            file,
            labels=unknown if data.y_test is None else data.y_test,
            clusters=clustering.test,
            mapping=np.array(list(mapping.items()), dtype=np.int64).reshape(-1, 2),
            shown=shown,
            images=data.raw_test[shown],
            image_shape=np.array(data.image_shape or ()),
            class_names=np.array(data.class_names, dtype=np.str_),
            examples=np.array(json.dumps([_plain(e) for e in examples])),
            codes=codes_test[:N_CODES].astype(np.float32),
        )


def _plain(examples: ClusterExamples) -> dict[str, Any]:
    return examples._asdict() | {name: getattr(examples, name).tolist() for name in _CHOSEN}


def _read_examples(text: str) -> list[ClusterExamples]:
    found = json.loads(text)
    arrays = [{name: np.array(e[name], dtype=np.int64) for name in _CHOSEN} for e in found]
    return [ClusterExamples(**(e | a)) for e, a in zip(found, arrays, strict=True)]


def draw_pictured(path: Path) -> dict[str, Figure]:
    """Return the figures of what `keep_pictured` wrote, by their names."""
    kept = read_npz(path)
    dataset, features, method = path.stem.rsplit("-", 2)
    title = f"{dataset}, {method} of {features} codes, seed 0, test"
    names, labels, clusters = kept["class_names"].tolist(), kept["labels"], kept["clusters"]
    codes = kept["codes"]
    figures = {
        f"codes-{path.stem}": plot_codes(
            codes, labels[: len(codes)], clusters[: len(codes)], names, title=f"Codes: {title}"
        )
    }
    if (labels != UNKNOWN).any():
        matrix = confusion_matrix(labels, clusters, dict(kept["mapping"].tolist()))
        figures[f"confusion-{path.stem}"] = plot_confusion(
            *matrix, names, title=f"Labels against clusters: {title}"
        )
    name, title = f"clusters-{path.stem}", f"What each cluster holds: {title}"
    if not kept["image_shape"].size:
        return figures | {name: plot_cluster_profiles(kept["images"], clusters, title=title)}
    images = np.zeros((len(clusters), kept["images"].shape[1]), kept["images"].dtype)
    images[kept["shown"]] = kept["images"]
    shape, examples = tuple(kept["image_shape"].tolist()), _read_examples(str(kept["examples"]))
    return figures | {
        name: plot_cluster_images(images, shape, examples, labels, names, title=title)
    }
