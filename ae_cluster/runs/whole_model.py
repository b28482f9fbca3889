"""A run's scaler, encoder and clusterer as one torch module, from a user's samples to clusters."""

from __future__ import annotations

import copy
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ae_cluster.autoencoder.scaling import Scaling
from ae_cluster.clustering.deep.fine_tuning import FineTunedClustering
from ae_cluster.clustering.heads import ScoredHead, Scores
from ae_cluster.clustering.sorting.networks import SortingNetwork
from ae_cluster.runs.assigner import Assigner
from ae_cluster.runs.double import in_float64

Outputs = tuple[Tensor, Tensor, Tensor]


class WholeModel(nn.Module):
    """From samples to codes, clusters and memberships, by what `Assigner` assigns with.

    Parameters
    ----------
    encoder : Encoder
    decide : Decision
    """

    def __init__(self, encoder: Encoder, decide: Decision) -> None:
        super().__init__()
        self.encoder, self.decide = encoder, decide
        self.eval().requires_grad_(False)

    def forward(self, x: Tensor) -> Outputs:
        """Return codes (n, n_components), clusters (n,) and memberships (n, k) of samples x.

        ``x`` are samples as the run's were: rows, or images, which are flattened.
        """
        inputs, codes = self.encoder(x.flatten(1))
        clusters, soft = self.decide(inputs, codes)
        return codes.float(), clusters, soft.float()


class Encoder(nn.Module):
    """From rows (n, n_features) to what a network is fed, and its codes.

    Parameters
    ----------
    scaling : Scaling
    network : AutoEncoderNetwork or None
        None: the codes are the scaled samples themselves.
    """

    def __init__(self, scaling: Scaling, network: Any = None) -> None:
        super().__init__()
        self.scaling, self.network = scaling, network

    def forward(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return the inputs (n, n_features) and the codes (n, n_components)."""
        inputs = self.scaling(rows)
        if self.network is None:
            return inputs, inputs.float()
        return inputs, self.network.encode(inputs)


class ProductOfPatches(nn.Module):
    """A convolution as one product of an image's patches: ONNX Runtime has none in float64.

    Parameters
    ----------
    layer : Conv2d
        Without dilation or groups.
    """

    def __init__(self, layer: nn.Conv2d) -> None:
        super().__init__()
        (self.height, self.width), (self.down, self.right) = layer.kernel_size, layer.stride
        above, left = (int(side) for side in layer.padding)
        self.padding = (left, left, above, above)
        weight = layer.weight.detach().flatten(1).T.contiguous()
        self.weight, self.bias = nn.Parameter(weight), layer.bias

    def forward(self, x: Tensor) -> Tensor:
        """Return maps (n, n_out, h, w) of maps x (n, n_in, height, width)."""
        x = nn.functional.pad(x, self.padding)
        last = (x.shape[2] - self.height, x.shape[3] - self.width)
        patches = [
            x[:, :, i : i + last[0] + 1 : self.down, j : j + last[1] + 1 : self.right]
            for i in range(self.height)
            for j in range(self.width)
        ]
        columns = torch.stack(patches, 2).flatten(1, 2).permute(0, 2, 3, 1)
        found = columns @ self.weight
        return (found if self.bias is None else found + self.bias).permute(0, 3, 1, 2)


def without_convolutions(network: nn.Module) -> nn.Module:
    """Return a copy of a network that makes the same codes by products."""
    other = copy.deepcopy(network)
    for part in list(other.modules()):
        for name, layer in part.named_children():
            if isinstance(layer, nn.Conv2d):
                setattr(part, name, ProductOfPatches(layer))
    return other


class Decision(nn.Module):
    """From a network's inputs and codes to clusters and memberships."""

    def forward(self, inputs: Tensor, codes: Tensor) -> tuple[Tensor, Tensor]:
        """Return clusters (n,) and memberships (n, k)."""
        raise NotImplementedError


class ByScores(Decision):
    """The highest of scores decides."""

    def __init__(self, head: Scores) -> None:
        super().__init__()
        self.head = head.on(torch)

    def forward(self, inputs: Tensor, codes: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ARG002
        """Return clusters (n,) and memberships (n, k)."""
        scores = self.head.scores_of(codes.double())
        return scores.argmax(1), torch.softmax(scores, 1)


class ByNetwork(Decision):
    """The cluster head of a sorting network decides."""

    def __init__(self, network: SortingNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, inputs: Tensor, codes: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ARG002
        """Return clusters (n,) and memberships (n, k)."""
        soft = self.network.memberships(inputs)
        return soft.argmax(1), soft


class ByModel(Decision):
    """A deep clustering decides; where it has no memberships, they are those of a head."""

    def __init__(self, model: FineTunedClustering, head: ScoredHead) -> None:
        super().__init__()
        self.clusters_by, self.parameters_of = model, model.head_
        self.otherwise = ByScores(head)

    def forward(self, inputs: Tensor, codes: Tensor) -> tuple[Tensor, Tensor]:
        """Return clusters (n,) and memberships (n, k)."""
        soft = self.clusters_by.memberships(codes)
        if soft is None:
            soft = self.otherwise(inputs, codes)[1]
        return self.clusters_by.clusters(codes), soft


def encoder_of(assigner: Assigner) -> Encoder:
    """Return what makes codes in an assigner; its network is moved to the CPU."""
    if assigner.exact is None:
        if (scaling := assigner.kept.scaling) is None:
            return Encoder(Scaling(torch.float32))
        # In float32, as `ColumnScaling` computes on such rows.
        mean, scale = (torch.as_tensor(values).float() for values in (scaling.mean, scaling.scale))
        return Encoder(Scaling(torch.float32, mean, scale, scaling.kind))
    exact = in_float64(assigner.model, by_bytes=False)  # which every runtime has
    model = getattr(exact, "autoencoder_", exact)
    return Encoder(model.scaling_, without_convolutions(model.network_.cpu()))


def whole_model(assigner: Assigner) -> WholeModel:
    """Return an assigner as one module; there must be one, see `ae_cluster.runs.export`."""
    encoder, head = encoder_of(assigner), assigner.head
    assert isinstance(head, ScoredHead)
    decide: Decision = ByScores(head)
    if assigner.kept.predicts:
        if isinstance(assigner.exact, FineTunedClustering):
            assigner.exact.head_.cpu()
            decide = ByModel(assigner.exact, head)
        else:
            decide = ByNetwork(encoder.network)
    return WholeModel(encoder, decide)


@torch.no_grad()
def outputs_of(model: WholeModel, x: NDArray[Any]) -> list[NDArray[Any]]:
    """Return codes, clusters and memberships of samples as arrays."""
    return [tensor.numpy() for tensor in model(torch.from_numpy(x))]
