"""Samples, seen or new, to the clusters of one method of a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ae_cluster.autoencoder.estimator import AutoEncoder
from ae_cluster.autoencoder.inputs import value_range
from ae_cluster.clustering.estimators import class_of
from ae_cluster.clustering.heads import (
    CODES,
    MIXTURE,
    Assigned,
    CenterHead,
    CodeHead,
    Head,
    MixtureHead,
    distance_quantiles,
    share_farther_out,
    variance_within,
)
from ae_cluster.clustering.outlier_scores import seen_by
from ae_cluster.clustering.outliers import FAR_OUT, OutlierScore
from ae_cluster.common import pixels
from ae_cluster.common.bounded_arrays import Arrays
from ae_cluster.common.bounded_files import reason
from ae_cluster.common.errors import InputError, nearest
from ae_cluster.datasets.preparation import Preparation
from ae_cluster.methods import ALWAYS_BESIDE, LEARNERS, current_name, is_external
from ae_cluster.metrics.clustering import NOISE, UNKNOWN
from ae_cluster.records.clusterers import Clusterer, read_clusterer
from ae_cluster.records.reading import (
    SPLITS,
    described_pipeline,
    method_names,
    read_codes,
    read_run_config,
)
from ae_cluster.runs.clusterers import MODEL, OF_OUTLIERS, SAMPLES
from ae_cluster.runs.double import clusters_by, in_float64
from ae_cluster.runs.label import ANSWERS
from ae_cluster.runs.run_folder import LABELS
from ae_cluster.semi_supervised.label_files import read_pairs

_AGAIN = "do it again (ae-cluster run --config {0}/config.json --force --out {0})"


class Assignment(NamedTuple):
    """The assignment of samples (n,), an array each.

    Attributes
    ----------
    clusters : ndarray (n,)
        −1 is noise, in no cluster.
    soft : ndarray (n, k) or None
        Memberships, which sum to 1; None where the method has none.
    distances : ndarray (n,)
        From the code to the centre of its cluster, Mahalanobis' of a mixture; NaN of noise.
    shares : ndarray (n,)
        Which share of the training samples lies farther out. In a run of an earlier version of
        those of its cluster, by distance, and NaN of noise.
    outliers : ndarray of bool (n,)
        That share is below 1 %, or the sample is noise.
    """

    clusters: NDArray[np.int64]
    soft: NDArray[np.float32] | None
    distances: NDArray[np.float32]
    shares: NDArray[np.float32]
    outliers: NDArray[np.bool_]


class Assigner:
    """Assigns samples to the clusters of one method of a run; it does not change.

    Parameters
    ----------
    folder : Path
        Of a run.
    method : str or None
        The folder under methods/; None is the first that was asked for.

    Attributes
    ----------
    method : str
    model : estimator or None
        What the run saved; None where its codes are the samples.
    exact : estimator or None
        The same in float64, which makes the codes.
    head : Head
    preparation : Preparation or None
        Of the table that the run was made of.
    class_names : list of str
        Of each cluster, "" where none is known.
    notes : list of str
        What must be known of the assignments, a sentence each.

    Raises
    ------
    InputError
        When the run keeps too little, or what it keeps is damaged.
    """

    def __init__(self, folder: Path, method: str | None = None) -> None:
        known = method_names(folder)
        self.folder, self.method = folder, known[0] if method is None else method
        if self.method not in known:
            raise InputError(f"{folder} has no method {method!r}: {nearest(str(method), known)}")
        self.config = read_run_config(folder)
        arrays = read_codes(folder, self.method)
        pipeline = described_pipeline(self.config, self.method)
        if pipeline["features"] in ALWAYS_BESIDE:
            raise InputError(
                f"{self.method} is a baseline, of which a run keeps no model for new samples; take "
                "another --method."
            )
        kept = read_clusterer(folder, self.method) or _of_earlier(
            folder, self.method, self.config, pipeline, arrays
        )
        about = self.config["data"].get("preparation")
        self.preparation = None if about is None else Preparation.from_json(about)
        self.model: Any = None
        if kept.codes_by == MODEL:
            self.model = load_model(folder, self.method, pipeline)
        self.exact = None if self.model is None else in_float64(self.model)
        self.kept = kept
        self.head, self._outliers = _head(folder, kept, arrays), _outliers(folder, kept)
        self._scaling = kept.scaling
        self._check_use(arrays["codes_train"].shape[1])
        self.class_names, named_by = names_of_clusters(folder, self.config, arrays, self.head)
        self.notes = [
            *([f"the run has several methods; taken is {self.method}, the first (--method)"]
              if method is None and len(known) > 1 else []),
            *(["the nearest training code decides, since the clusterer itself cannot be kept"]
              if kept.kind == CODES else []),
            *([named_by] if named_by else []),
        ]  # fmt: skip

    def _check_use(self, code_size: int) -> None:
        """Raise unless what was read fits together, tried on one sample of zeros."""
        n = code_size if self.model is None else self.model.n_features_in_
        units = np.float32 if self.kept.units == "table" else np.uint8
        try:
            self.of_rows(np.zeros((1, n), units))
        except InputError:
            raise
        except (ValueError, IndexError, AttributeError, TypeError) as error:
            raise InputError(
                f"{self.folder} keeps of {self.method} what does not fit together "
                f"({reason(error)}); do the run again, or take a fresh copy of it."
            ) from error

    def __call__(self, X: ArrayLike) -> Assignment:
        """Return the assignment of samples X, as the run's samples were.

        Raises
        ------
        InputError
            When they are others than the run's: of another number of columns, another shape,
            another range.
        """
        return self.of_rows(self.rows(X))

    def of_rows(self, rows: NDArray[Any], name: str = "X") -> Assignment:
        """Return the assignment of rows (n, n_features) that `rows` gave, or the run's reader.

        Parameters
        ----------
        rows : ndarray
        name : str
            What to call them where they are refused.
        """
        self.check_shape(rows.shape, name)
        codes = self.codes_of_rows(rows)
        is_own = self.kept.predicts
        own, soft = clusters_by(self.model, self.exact, rows) if is_own else (None, None)
        found = self.head.assign(codes, own)
        soft = found.soft if soft is None else soft
        shares = self._shares(rows, found)
        outliers = ~(shares >= FAR_OUT) | (found.clusters == NOISE)
        return Assignment(
            found.clusters,
            None if soft is None else soft.astype(np.float32),
            found.distances.astype(np.float32),
            shares.astype(np.float32),
            outliers,
        )

    def _shares(self, rows: NDArray[Any], found: Assigned) -> NDArray[Any]:
        """Return which share of the training samples lies farther out than each of these rows."""
        if self._outliers is None:
            quantiles = self.kept.arrays["quantiles"]
            return share_farther_out(quantiles, found.clusters, found.distances)
        seen = self.codes_of_rows if self.model is None else seen_by(self.model)
        return self._outliers.shares(rows, seen)

    def codes(self, X: ArrayLike) -> NDArray[Any]:
        """Return the codes (n, n_components) of samples X."""
        return self.codes_of_rows(self.rows(X))

    def codes_of_rows(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Return the codes (n, n_components) of rows that `rows` gave, or the run's reader."""
        if self.exact is not None:
            codes: NDArray[Any] = self.exact.transform(rows)
            return codes
        numbers = rows.astype(np.float32)
        if rows.dtype == np.uint8:
            numbers /= np.float32(255)
        return numbers if self._scaling is None else self._scaling(numbers)

    def rows(self, X: ArrayLike) -> NDArray[Any]:
        """Return samples as rows (n, n_features) of the type that the run's were, checked.

        Of a DataFrame the columns are found by their names, where the run was made of a table.
        """
        if self.preparation is not None:
            is_table = hasattr(X, "columns")
            take = self.preparation.apply if is_table else self.preparation.of_array
            X = take(X if is_table else np.asarray(X))  # type: ignore[arg-type]
        x = np.asarray(X)
        if x.dtype.kind not in "buif":
            raise InputError(f"X holds {x.dtype}; samples must be real numbers.")
        self.check_shape(x.shape)
        rows = x.reshape(len(x), -1)
        value_range(rows)
        if self.kept.units == "table":
            with np.errstate(over="ignore"):
                rows = rows.astype(np.float32, copy=False)
            value_range(rows, "X, as float32,")
            return rows
        images = pixels.as_images(rows, "X", seen=self.kept.units)
        pixels.say(images, stacklevel=4)
        is_bytes = images.rows.dtype == np.uint8
        return images.rows if is_bytes else images.rows.astype(np.float32, copy=False)

    def check_shape(self, found: Sequence[int], name: str = "X") -> None:
        """Raise unless an array of this shape holds samples like the run's."""
        data = self.config["data"]
        n_features, shape = data.get("n_features"), tuple(data.get("image_shape") or ())
        if len(found) < 2 or not found[0]:
            raise InputError(
                f"{name} has shape {tuple(found)}; give a row per sample, and at least one."
            )
        size = tuple(found[1:-1] if len(found) > 3 and found[-1] == 1 else found[1:])
        if len(found) > 2 and size != shape:
            there = f"images of {_times(shape)}" if shape else f"rows of {n_features} numbers"
            raise InputError(
                f"{name} holds images of {_times(size)}, and the run is of {there}; give such "
                "samples."
            )
        n = int(np.prod(size))
        if n_features not in (None, n):
            raise InputError(
                f"{name} has {n:,} columns, and the run's samples have {n_features:,}; give the "
                "same columns in the same order."
            )


def _times(shape: Sequence[int]) -> str:
    return " × ".join(map(str, shape))


def load_model(folder: Path, method: str, pipeline: dict[str, Any]) -> Any:
    """Return the estimator that a run saved of a method.

    Raises
    ------
    InputError
        When it saved none, or it cannot be read.
    """
    place = folder / "methods" / method / "model"
    if not place.is_dir():
        raise InputError(
            f"{folder} keeps no model of {method}: its codes are the samples themselves, or the "
            "folder is not whole."
        )
    learner = current_name(str(pipeline["clusterer"]))
    return (class_of(learner) if learner in LEARNERS else AutoEncoder).load(place)


# From what is kept to what assigns


def _outliers(folder: Path, kept: Clusterer) -> OutlierScore | None:
    own = {k.removeprefix(OF_OUTLIERS): v for k, v in kept.arrays.items() if OF_OUTLIERS in k}
    try:
        return OutlierScore.from_arrays(own) if own else None
    except ValueError as error:
        raise InputError(f"{folder}: {error}; take a fresh copy of the run.") from error


def _head(folder: Path, kept: Clusterer, arrays: Arrays) -> Head:
    own, codes = kept.arrays, arrays["codes_train"]
    try:
        if kept.kind == MIXTURE:
            head: Head = MixtureHead(own["weights"], own["centers"], own["covariances"])
        elif kept.kind == CODES:
            head = CodeHead(codes, arrays["clusters_train"])
        else:
            head = CenterHead(own["centers"], float(own["variance"][0]))
    except InputError as error:
        raise InputError(f"{folder}: {error}; take a fresh copy of the run.") from error
    if head.centers.shape != (len(own["quantiles"]), codes.shape[1]):
        raise InputError(
            f"{folder} keeps centers of shape {head.centers.shape} where its codes have "
            f"{codes.shape[1]} numbers; take a fresh copy of the run."
        )
    return head


def _of_earlier(
    folder: Path, method: str, config: dict[str, Any], pipeline: dict[str, Any], arrays: Arrays
) -> Clusterer:
    """Return the head of a run from before clusterers were kept, if its arrays suffice.

    Centres lie in codes.npz, and so do the training codes; covariances and a table's scales do
    not.
    """
    features, clusterer = pipeline["features"], current_name(str(pipeline["clusterer"]))
    is_table = config["data"].get("image_shape") is None
    lacking = ""
    if clusterer == "gmm":
        lacking = "the covariances of its mixture"
    elif features == "pixels" and is_table:
        lacking = "the means and spreads of its columns"
    elif not is_external(clusterer) and "centers" not in arrays:
        lacking = "the centers of its clusters"
    if lacking:
        raise InputError(
            f"{folder} is a run of an earlier version, which did not keep {lacking}, so {method} "
            f"cannot assign new samples; {_AGAIN.format(folder)}."
        )
    codes, clusters = arrays["codes_train"], arrays["clusters_train"]
    if is_external(clusterer):
        head: Head = CodeHead(codes, clusters)
    else:
        centers = arrays["centers"]
        head = CenterHead(centers, variance_within(codes, clusters, centers))
    distances = head.assign(codes, clusters).distances
    quantiles = distance_quantiles(clusters, distances, len(head.centers))
    has_model = (folder / "methods" / method / "model").is_dir()
    units = "table" if is_table else "bytes"
    return Clusterer(
        head.kind,
        MODEL if has_model else SAMPLES,
        units,
        clusterer in LEARNERS,
        head.arrays() | {"quantiles": quantiles},
    )


# Which class a cluster is


def names_of_clusters(
    folder: Path, config: dict[str, Any], arrays: Arrays, head: Head
) -> tuple[list[str], str]:
    """Return the class that most labelled samples of each cluster have, and which labels told.

    Those of the run's data, train and test, or where these have none those that somebody gave
    by ``ae-cluster label``.
    """
    labels = _labels_of_run(config, arrays)
    told = "the labels of the run's data"
    if not labels and (answers := folder / LABELS / ANSWERS).exists():
        labels, told = read_pairs(answers), f"the labels in {answers}"
    if not labels:
        return [""] * len(head.centers), ""
    ids = np.concatenate([arrays[f"ids_{split}"] for split in SPLITS]).tolist()
    clusters = np.concatenate([arrays[f"clusters_{split}"] for split in SPLITS]).tolist()
    counts: list[dict[str, int]] = [{} for _ in head.centers]
    for name, cluster in zip(ids, clusters, strict=True):
        label = labels.get(name)
        if label is not None and NOISE < cluster < len(counts):
            counts[cluster][label] = counts[cluster].get(label, 0) + 1
    names = [max(sorted(count), key=count.__getitem__) if count else "" for count in counts]
    return names, f"a cluster has the name of the class that most of its samples have, by {told}"


def _labels_of_run(config: dict[str, Any], arrays: Arrays) -> dict[str, str]:
    names = config["data"].get("class_names") or ()
    found: dict[str, str] = {}
    for split in SPLITS:
        if (labels := arrays.get(f"labels_{split}")) is None:
            continue
        for sample, label in zip(arrays[f"ids_{split}"].tolist(), labels.tolist(), strict=True):
            if label != UNKNOWN:
                found[sample] = names[label] if label < len(names) else str(label)
    return found
