"""A run's model in float64: what it says of a sample depends on no rounding that one can see.

In float32 the order in which a product is summed goes by the library and by the samples beside
one. Where clusters are narrow, that alone changed memberships by up to 2e-4.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ae_cluster.autoencoder.byte_layer import ByteLayer, multiplies_bytes
from ae_cluster.autoencoder.networks import DenseAutoEncoder
from ae_cluster.autoencoder.scaling import UNIT, Scaling
from ae_cluster.clustering.codes import Clustering
from ae_cluster.clustering.deep import N2D
from ae_cluster.clustering.heads import CodeHead
from ae_cluster.datasets import Dataset


class _Undivided(Scaling):
    """Images from 0 to 255, for a network whose first layer has the division by 255 in it.

    So bytes are gone through once less, which takes as long as a fifth of the network.
    """

    takes_bytes = False  # or only floats

    def __call__(self, rows: Tensor) -> Tensor:
        """Return rows (n, n_features), bytes or from 0 to 1, as the network takes them."""
        is_bytes = rows.dtype == torch.uint8
        if is_bytes and self.takes_bytes:
            return rows
        x = rows.to(self.dtype)
        return x if is_bytes else x * 255


def in_float64(model: Any, by_bytes: bool | None = None) -> Any:
    """Return a model that makes codes and clusters as this one does, in float64; this one stays.

    It is not for drawing codes.

    Parameters
    ----------
    model : AutoEncoder or DeepClustering
        Fitted. Weights and the scales of columns are its own, so rounded as they were learnt.
    by_bytes : bool or None
        Multiply images of bytes as such, see `ByteLayer`; None: where the processor is quick at it.
    """
    exact = copy.copy(model)
    if hasattr(model, "autoencoder_"):
        exact.autoencoder_ = copy.copy(model.autoencoder_)
    encoder = getattr(exact, "autoencoder_", exact)
    encoder.network_ = network = _doubled(encoder.network_)
    encoder.scaling_ = encoder.scaling_.to(torch.float64)
    if isinstance(network, DenseAutoEncoder) and encoder.scaling_.kind == UNIT:
        encoder.scaling_ = _Undivided(torch.float64)
        first = network.linear_layers()[0]
        with torch.no_grad():
            first.weight /= 255
        if ByteLayer.fits(first) and (multiplies_bytes() if by_bytes is None else by_bytes):
            network.layers[0], encoder.scaling_.takes_bytes = ByteLayer(first), True
    if hasattr(model, "head_"):
        exact.head_ = _doubled(model.head_)
    return exact


def clusters_by(
    model: Any, exact: Any, rows: NDArray[Any]
) -> tuple[NDArray[np.int64], NDArray[Any] | None]:
    """Return clusters (n,) and memberships (n, k) by a model that has learnt clusters itself.

    Parameters
    ----------
    model : estimator
    exact : estimator
        The same in float64.
    rows : ndarray (n, n_features)

    Returns
    -------
    clusters, soft
        ``soft`` is None where it has no memberships.
    """
    # N2D's follow from distances to float32 codes, which of its own samples are 0.
    asked = model if isinstance(model, N2D) else exact
    if not hasattr(asked, "predict_proba"):
        return asked.predict(rows), None
    soft = asked.predict_proba(rows)
    return soft.argmax(axis=1), soft


def with_exact_memberships(data: Dataset, model: Any, result: Clustering) -> Clustering:
    """Return what a clusterer made of both splits, with the memberships that `Assigner` gives.

    Parameters
    ----------
    data : Dataset
    model : estimator or None
        What made the codes; None: the samples are the codes.
    result : Clustering
    """
    head = result.head
    if model is None or result.soft_train is None or isinstance(head, CodeHead):
        return result
    exact = in_float64(model)

    def soft_of(rows: NDArray[Any]) -> NDArray[np.float32]:
        if head is None:
            soft = clusters_by(model, exact, rows)[1]
        else:
            soft = head.assign(exact.transform(rows)).soft
        assert soft is not None
        return soft.astype(np.float32)

    return result._replace(soft_train=soft_of(data.raw_train), soft_test=soft_of(data.raw_test))


def _doubled(module: nn.Module) -> nn.Module:
    return copy.deepcopy(module).double()
