"""The encoder of a saved model, and what decides on clusters, for the page to place new images."""

from __future__ import annotations

from typing import Any

import numpy as np

from ae_cluster.clustering.heads import CENTERS, MIXTURE, CenterHead, MixtureHead
from ae_cluster.common.errors import InputError
from ae_cluster.common.model_reading import DESCRIPTION
from ae_cluster.explorer.decoders import (
    OTHER,
    UNREADABLE,
    Saved,
    fit_together,
    layer_of,
    numbered,
    packed_layer,
    read_saved,
)
from ae_cluster.explorer.encoding import Array, packed
from ae_cluster.explorer.run_arrays import Method
from ae_cluster.records.clusterers import Clusterer, read_clusterer

MOST_WEIGHTS = 350_000  # of four bytes each: half of them would place images elsewhere
N_TRIED = 500  # codes of each half on which what decides is tried
ScoredHead = CenterHead | MixtureHead
Tree = dict[str, Any]

OF_TABLE = "The samples are rows of a table, so no image can be placed among them."
OF_FEATURES = "The method learnt from features, which an image has to be turned into first."
NO_MODEL = "The run keeps no model of this method, so the page has no encoder."
DAMAGED = "The run's model of this method is damaged, so the page has no encoder."
NO_KIND = "This method's encoder is no network of dense layers, and only such travel in a page."
TOO_LARGE = "The encoder has {:,} weights, too many to travel in this page."


def read_encoder(method: Method, described: Tree) -> tuple[Tree | None, str]:
    """Return a method's encoder of images as JSON takes it, or None and a sentence that says why.

    Parameters
    ----------
    method : Method
    described : dict
        The run's data, of its config.

    Returns
    -------
    dict or None
        ``layers``, each with ``weight`` (out, in), ``bias`` (out,) and ``activation``; ``decides``
        gives the cluster of a code: ``centers`` (k, d), the nearest, or ``constants`` (k,),
        ``matrices`` (k, d, d) and ``shifts`` (k, d), the highest ``constant − ½|code W − shift|²``.
        It is None where the code does not tell.
    str
        "" where there is an encoder.
    """
    if described.get("original"):
        return None, OF_FEATURES
    if described.get("image_shape") is None:
        return None, OF_TABLE
    try:
        if not (method.model / DESCRIPTION).exists():
            return None, NO_MODEL
        saved = read_saved(method.model)
    except UNREADABLE:
        return None, DAMAGED
    n_inputs = int(np.prod(described["image_shape"]))
    try:
        layers = _layers(saved, n_inputs, method.arrays["codes_train"].shape[1])
    except OTHER:
        return None, NO_KIND
    n_weights = sum(layer.weight.size for layer in layers)
    if n_weights > MOST_WEIGHTS:
        return None, TOO_LARGE.format(n_weights)
    return {
        "layers": [packed_layer(layer, "f4") for layer in layers],
        "decides": _decides(method, saved),
    }, ""


def _layers(saved: Saved, n_inputs: int, n_components: int) -> list[Any]:
    """Return the layers from pixels in [0, 1] to codes.

    Raises
    ------
    ValueError, LookupError, …
        One of ``OTHER``, where the encoder is none of dense layers.
    """
    kind, parameters, fitted, tensors = saved.network()
    if kind != "dense" or fitted["input_kind_"] != "images":
        raise ValueError(kind)
    half = sum(1 for _ in numbered(tensors, "network.layers")) // 2
    activations = [parameters["activation"]] * (half - 1) + ["identity"]
    layers = [layer_of(tensors, f"network.layers.{i}", name) for i, name in enumerate(activations)]
    if not fit_together(layers, [], n_inputs) or len(layers[-1].bias) != n_components:
        raise ValueError("the layers do not fit together")
    return layers


def _decides(method: Method, saved: Saved) -> Tree | None:
    """Return what gives codes the clusters that the method's samples have, None if nothing does."""
    for head in _heads(method, saved):
        if all(_agrees(head, method.arrays, split) for split in ("train", "test")):
            if isinstance(head, CenterHead):
                return {"centers": packed(head.centers, "f8")}
            names = ("constants", "matrices", "shifts")
            return dict(zip(names, (packed(a, "f8") for a in head.whitened), strict=True))
    return None


def _heads(method: Method, saved: Saved) -> list[ScoredHead]:
    """Return what may decide: what assigns new samples, else a mixture that a model keeps."""
    found: list[ScoredHead] = []
    kept = _clusterer(method)
    try:
        if kept is not None and kept.kind == MIXTURE:
            own = kept.arrays
            found.append(MixtureHead(own["weights"], own["centers"], own["covariances"]))
        elif kept is None or kept.kind == CENTERS:
            centers = (method.arrays if kept is None else kept.arrays)["centers"]
            found.append(CenterHead(centers, 1.0))
        if "clusters.logits" in saved.tensors:  # VaDE's
            found.append(_diagonal_mixture(saved.tensors))
    except (InputError, *OTHER):
        return found
    return found


def _clusterer(method: Method) -> Clusterer | None:
    folder = method.model.parent
    try:
        return read_clusterer(folder.parent.parent, folder.name)
    except InputError:
        return None


def _diagonal_mixture(tensors: dict[str, Array]) -> MixtureHead:
    weights = np.exp(tensors["clusters.logits"].astype(np.float64))
    variances = np.exp(tensors["clusters.log_variances"].astype(np.float64))
    covariances = np.stack([np.diag(row) for row in variances])
    return MixtureHead(weights / weights.sum(), tensors["clusters.means"], covariances)


def _agrees(head: ScoredHead, arrays: dict[str, Array], split: str) -> bool:
    codes, clusters = arrays[f"codes_{split}"][:N_TRIED], arrays[f"clusters_{split}"][:N_TRIED]
    try:
        return np.array_equal(head.assign(codes).clusters, clusters)
    except OTHER:
        return False
