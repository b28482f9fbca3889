"""The decoder of a saved model as plain arrays, for the page to compute with."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import count, takewhile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load
from scipy.special import expit

from ae_cluster.common.model_reading import DESCRIPTION, read_model
from ae_cluster.common.table_options import LOG
from ae_cluster.explorer.encoding import Array, packed

MOST_WEIGHTS = 3_000_000
MANY_WEIGHTS = 50_000  # more than these travel in half precision, where that cannot be seen
LARGEST_DIFFERENCE = 0.5 / 255
AROUND = 0.25  # of their extent: how far beyond the codes the cursor is expected
NO_MODEL = "The run keeps no model of this method, so the page has no live decoder."
DAMAGED = "The run's model of this method is damaged, so the page has no live decoder."
NO_KIND = "This method's model is of a kind that the page cannot draw with."

ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "identity": lambda h: h,
    "logistic": expit,
    "relu": lambda h: np.maximum(h, 0),
    "tanh": np.tanh,
}


class Layer(NamedTuple):
    """Weights (out, in), or (in, out, 4, 4) of a transposed convolution, and what follows."""

    weight: Array
    bias: Array
    activation: str


class Saved(NamedTuple):
    """A model folder as it was read; nothing in it is checked."""

    description: dict[str, Any]
    tensors: dict[str, Array]

    def network(self) -> tuple[str, dict[str, Any], dict[str, Any], dict[str, Array]]:
        """Return kind, parameters, fitted attributes and tensors of the autoencoder in it."""
        about = self.description.get("autoencoder", self.description)
        parameters, fitted = about["parameters"], about["fitted"]
        kind = parameters.get("kind", self.description.get("kind"))  # some are of one kind only
        return kind, parameters, fitted, self.tensors


UNREADABLE = (OSError, ValueError, KeyError, TypeError, SafetensorError)
OTHER = (AttributeError, ArithmeticError, LookupError, TypeError, ValueError)


def read_saved(model: Path) -> Saved:
    """Return what lies in a model folder; what it raises of a damaged one is ``UNREADABLE``."""
    description, weights = read_model(model)
    return Saved(description, load(weights))


def read_decoder(model: Path, codes: Array) -> tuple[dict[str, Any] | None, str]:
    """Return a model folder's decoder as JSON takes it, or None and a sentence that says why.

    Parameters
    ----------
    model : Path
        Of an `AutoEncoder`, or of an estimator that keeps one.
    codes : ndarray (n, n_components)
        Some of those it has to draw.

    Returns
    -------
    dict or None
        ``layers``, each with ``weight`` (out, in), ``bias`` (out,) and ``activation``; then for
        images drawn by convolutions ``maps``, each a transposed one of 4 × 4 at stride 2 with
        ``weight`` (in, out, 4, 4), and the ``grid`` (channels, h, w) they start from. ``mean``
        and ``scale`` give a table's units back, of logarithms if ``log`` is true.
    str
        "" where there is a decoder.
    """
    try:
        if not (model / DESCRIPTION).exists():
            return None, NO_MODEL
        saved = read_saved(model)
    except UNREADABLE:
        return None, DAMAGED
    try:
        kind, parameters, fitted, tensors = saved.network()
        take = {"dense": _dense, "conv": _conv, "SortingAutoEncoder": _sorting}[kind]
        layers, maps, shape = take(parameters, fitted, tensors)
        fits = fit_together(layers, maps, codes.shape[1])
    except OTHER:
        return None, NO_KIND
    if not fits:
        return None, NO_KIND
    n_weights = sum(layer.weight.size for layer in layers + maps)
    if n_weights > MOST_WEIGHTS:
        return None, f"The decoder has {n_weights:,} weights, too many to travel in this page."
    halved = n_weights > MANY_WEIGHTS and not maps and _is_half_enough(layers, codes)
    number = "f2" if halved else "f4"
    decoder = {"layers": [packed_layer(layer, number) for layer in layers]}
    decoder |= {"maps": [packed_layer(layer, number) for layer in maps]} | shape
    units: dict[str, Any] = {k: packed(tensors[k], "f4") for k in ("mean", "scale") if k in tensors}
    if _is_log(fitted):
        units["log"] = True
    return decoder | units, ""


def _is_log(fitted: dict[str, Any]) -> bool:
    said = fitted.get("scaling")
    return isinstance(said, dict) and said.get("kind") == LOG


Parts = tuple[list[Layer], list[Layer], dict[str, Any]]


def _dense(parameters: dict[str, Any], fitted: dict[str, Any], tensors: dict[str, Array]) -> Parts:
    n_layers = sum(1 for _ in numbered(tensors, "network.layers"))
    half = n_layers // 2
    activations = [parameters["activation"]] * (half - 1) + [_output(fitted)]
    layers = [
        layer_of(tensors, f"network.layers.{half + i}", name) for i, name in enumerate(activations)
    ]
    return layers, [], {}


def _conv(parameters: dict[str, Any], fitted: dict[str, Any], tensors: dict[str, Array]) -> Parts:
    height, width = fitted["image_shape_"][:2]
    channels = parameters["conv_channels"]
    stride = 2 ** len(channels)
    activations = [parameters["activation"]] * (len(channels) - 1) + [_output(fitted)]
    maps = [layer_of(tensors, f"network.up.{i}", name) for i, name in enumerate(activations)]
    grid = [channels[-1], math.ceil(height / stride), math.ceil(width / stride)]
    first = layer_of(tensors, "network.from_code", parameters["activation"])
    if math.prod(grid) != len(first.weight) or channels[-1] != len(maps[0].weight):
        raise ValueError("the maps do not begin with the first layer's numbers")
    return [first], maps, {"grid": grid, "height": height, "width": width}


def _sorting(
    parameters: dict[str, Any],  # noqa: ARG001
    fitted: dict[str, Any],
    tensors: dict[str, Array],
) -> Parts:
    """Return a perceptron that takes codes in units of the style's radius."""
    numbers = list(numbered(tensors, "network.decoder", 2))  # activations stand between
    activations = ["relu"] * (len(numbers) - 1) + [_output(fitted)]
    layers = [
        layer_of(tensors, f"network.decoder.{number}", name)
        for number, name in zip(numbers, activations, strict=True)
    ]
    if not tensors["network.radius"] > 0:
        raise ValueError("a radius is above 0")
    first = layers[0]._replace(weight=layers[0].weight / tensors["network.radius"])
    return [first, *layers[1:]], [], {}


def fit_together(layers: list[Layer], maps: list[Layer], n_inputs: int) -> bool:
    """Return whether each layer takes what the one before gives, in finite numbers."""
    width = n_inputs
    for weight, bias, activation in layers:
        if weight.ndim != 2 or weight.shape[1] != width or activation not in ACTIVATIONS:
            return False
        width = len(weight)
        if bias.shape != (width,):
            return False
    width = maps[0].weight.shape[0] if maps else width
    for weight, bias, activation in maps:
        if weight.ndim != 4 or weight.shape[2:] != (4, 4) or activation not in ACTIVATIONS:
            return False
        if weight.shape[0] != width or bias.shape != (weight.shape[1],):
            return False
        width = weight.shape[1]
    kinds = {array.dtype.kind for layer in layers + maps for array in layer[:2]}
    return (
        bool(layers)
        and kinds == {"f"}
        and all(np.isfinite(array).all() for layer in layers + maps for array in layer[:2])
    )


def _output(fitted: dict[str, Any]) -> str:
    return "identity" if fitted["input_kind_"] == "table" else "logistic"


def numbered(tensors: dict[str, Array], stem: str, step: int = 1) -> Iterator[int]:
    """Return the numbers of the layers whose names begin with a stem."""
    return takewhile(lambda i: f"{stem}.{i}.weight" in tensors, count(0, step))


def layer_of(tensors: dict[str, Array], name: str, activation: str) -> Layer:
    """Return the layer whose tensors have this name."""
    return Layer(tensors[f"{name}.weight"], tensors[f"{name}.bias"], activation)


def packed_layer(layer: Layer, kind: str) -> dict[str, Any]:
    """Return a layer as JSON takes it, its weights in numbers of this kind."""
    return {
        "weight": packed(layer.weight, kind),
        "bias": packed(layer.bias, "f4"),
        "activation": layer.activation,
    }


def _is_half_enough(layers: list[Layer], codes: Array) -> bool:
    """Return whether weights of 16 bits draw the same, as far as eyes can tell."""
    low, high = codes.min(axis=0), codes.max(axis=0)
    around = np.random.default_rng(0).uniform(-AROUND, 1 + AROUND, codes.shape)
    tried = np.concatenate([codes, low + around * (high - low)]).astype(np.float32)
    exact = rounded = tried
    with np.errstate(over="ignore", invalid="ignore"):
        for weight, bias, activation in layers:
            half = weight.astype(np.float16).astype(np.float32)
            exact = ACTIVATIONS[activation](exact @ weight.T + bias)
            rounded = ACTIVATIONS[activation](rounded @ half.T + bias)
    return bool(np.abs(exact - rounded).max() < LARGEST_DIFFERENCE)
