"""`AutoEncoder`, the scikit-learn transformer everything shares: images ⇄ codes."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from ae_cluster.autoencoder import incremental, inference, saving
from ae_cluster.autoencoder.inputs import (
    check_parameters,
    refusals_as_input_errors,
    resolve_device,
    training_key,
    validate_samples,
    value_range,
)
from ae_cluster.autoencoder.networks import AutoEncoderNetwork, initialize, new_network
from ae_cluster.autoencoder.ranks import ranks_to_train
from ae_cluster.autoencoder.reconstruction import reconstruction_fitting
from ae_cluster.autoencoder.scaling import Scaling
from ae_cluster.common.errors import InputError
from ae_cluster.common.global_state import default_state
from ae_cluster.common.scalars import plain_parameters
from ae_cluster.training.diagnostics import HealthWarning, collapse_message
from ae_cluster.training.fitting import Fitting, held_out_split, seed_of
from ae_cluster.training.loop import Callback
from ae_cluster.training.optimizer import release_gradients
from ae_cluster.training.threads import threads_for

PLATEAU_STEPS = 1000  # a tanh network may stand on a plateau till then


class AutoEncoder(
    saving.SavedModel,
    ClassNamePrefixFeaturesOutMixin,  # type: ignore[misc]
    TransformerMixin,  # type: ignore[misc]
    BaseEstimator,  # type: ignore[misc]
):
    """An autoencoder: codes of few numbers from which the images can be drawn again.

    The defaults are the classic MNIST tutorial: 784-128-64-12-3 and back, tanh,
    mean squared error, Adam at 0.005, batches of 64, 10 epochs.

    Parameters
    ----------
    n_components : int, default=3
        Size of the code.
    hidden_layer_sizes : sequence of int, default=(128, 64, 12)
        Layers between image and code; the decoder mirrors them.
    activation : {"tanh", "relu", "logistic", "identity"}, default="tanh"
        Between layers.
    kind : {"dense", "conv"}, default="dense"
        "conv" takes strided convolutions with ``conv_channels`` feature maps
        in place of the hidden layers.
    conv_channels : sequence of int, default=(16, 32)
    image_shape : (h, w) or (h, w, channels), default=None
        For ``kind="conv"``; None takes it from X of more than two dimensions,
        else assumes square images.
    input_kind : {"auto", "images", "table"}, default="auto"
        Images lie in [0, 1] and are decoded through a sigmoid; a table is
        scaled by its training columns and decoded linearly. "auto" takes
        images when X has more than two dimensions or is ``uint8``, an ``image_shape`` is given,
        or all training values lie in [0, 1].
    scaling : {"auto", "standard", "none", "robust", "log"}, default="auto"
        Of a table's columns, images stay as they are. "auto": one of the others, chosen without
        labels (``scaling_.kind``, ``scaling_.why``). "standard": less the mean, over the standard
        deviation. "none": less the mean, all over one number, for columns in one unit.
        "robust": less the median, over the interquartile range. "log": log(1 + x) of counts,
        then as "none".
    batch_size : int, default=64
    learning_rate_init : float, default=0.005
    learning_rate : {"constant", "cosine"}, default="constant"
    max_iter : int, default=10
        Epochs.
    early_stopping : bool, default=False
        Hold out ``validation_fraction`` of the samples, stop when their loss has
        not fallen by ``tol`` for ``n_iter_no_change`` epochs, keep the best weights.
    validation_fraction : float, default=0.1
    n_iter_no_change : int, default=10
    tol : float, default=1e-5
    noise_std, mask_fraction : float, default=0.0
        Denoising: Gaussian noise added to, and the share of values set to zero
        in, what the encoder sees; the loss compares with the clean images.
    center_inputs : bool, default=False
        Of images and a dense network: steps are made as if the mean training image were taken
        off the input, which keeps bright or wide images from collapsing.
    n_snapshots : int, default=0
        Keep the codes of the first so many training samples at every epoch.
    callbacks : sequence of Callback, default=()
        Called during `fit`; ``progress.model`` is this estimator.
    checkpoint : path, default=None
        A file written while training. If it is there when `fit` starts,
        training goes on from it and ends as if it had never stopped. Needs
        a whole number as ``random_state``.
    random_state : int, RandomState or None, default=None
        Everything random comes from here; None is different every time. Global
        seeds are left alone.
    verbose : bool, default=False
        A progress bar where standard error is a terminal.
    device : str, default="auto"
        A torch device; "auto": a GPU where there is one, which rounds sums anew in each fit.

    Attributes
    ----------
    network_ : torch.nn.Module
    loss_curve_, validation_loss_curve_ : list of float
        Mean squared error of each epoch (for a table: of scaled columns).
    n_iter_ : int
        Finished epochs.
    collapse_ : str
        How the codes have collapsed, as a sentence; "" when they have not. `fit` warns of it
        after 1,000 steps; fewer may have ended on a plateau.
    input_kind_ : {"images", "table"}
    scaling_ : Scaling
        What became of a table's columns: ``kind``, ``why``, ``mean`` and ``scale``.
    image_units_ : {"unit", "bytes", "whole"}
        What training images came in: [0, 1], ``uint8``, or whole numbers of another type.
    snapshots_ : ndarray (n_iter_ + 1, n_snapshots, n_components)
        None without ``n_snapshots``; ``validation_loss_curve_`` is None without
        early stopping.
    n_features_in_, feature_names_in_ : as everywhere in scikit-learn

    Notes
    -----
    Images are bytes (``uint8``, scaled by 1/255 on the way) or lie in [0, 1], where they are
    decoded to. Of arrays that are said to be images (by ``input_kind``, an ``image_shape``, or
    more than two dimensions, which are flattened) whole numbers 0…255 of another type are bytes
    too, with a warning, and any other range is refused; so are rows for ``kind="conv"``, but
    that other ranges make a table.
    Channels come last: (n, h, w, channels). float64 is trained in float64.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> X = load_digits().data / 16
    >>> AutoEncoder(max_iter=1, random_state=0).fit_transform(X).shape
    (1797, 3)
    """

    network_: AutoEncoderNetwork
    scaling_: Scaling
    dtype_: str
    input_kind_: str
    image_shape_: tuple[int, ...] | None
    image_units_: str | None
    snapshots_: NDArray[Any] | None
    loss_curve_: list[float]
    validation_loss_curve_: list[float] | None
    _incremental: incremental.State | None

    def __init__(
        self,
        n_components: int = 3,
        hidden_layer_sizes: Sequence[int] = (128, 64, 12),
        activation: str = "tanh",
        *,
        kind: str = "dense",
        conv_channels: Sequence[int] = (16, 32),
        image_shape: Sequence[int] | None = None,
        input_kind: str = "auto",
        scaling: str = "auto",
        batch_size: int = 64,
        learning_rate_init: float = 0.005,
        learning_rate: str = "constant",
        max_iter: int = 10,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        tol: float = 1e-5,
        noise_std: float = 0.0,
        mask_fraction: float = 0.0,
        center_inputs: bool = False,
        n_snapshots: int = 0,
        callbacks: Sequence[Callback] = (),
        checkpoint: str | Path | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: bool = False,
        device: str = "auto",
    ) -> None:
        self.n_components = n_components
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.kind = kind
        self.conv_channels = conv_channels
        self.image_shape = image_shape
        self.input_kind = input_kind
        self.scaling = scaling
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.learning_rate = learning_rate
        self.max_iter = max_iter
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.noise_std = noise_std
        self.mask_fraction = mask_fraction
        self.center_inputs = center_inputs
        self.n_snapshots = n_snapshots
        self.callbacks = callbacks
        self.checkpoint = checkpoint
        self.random_state = random_state
        self.verbose = verbose
        self.device = device

    @default_state()
    def fit(self, X: ArrayLike, y: object = None) -> Self:  # noqa: ARG002
        """Train on images X; ``y`` is there for scikit-learn's pipelines and never read.

        Parameters
        ----------
        X : array of shape (n, n_features) or (n, h, w) or (n, h, w, channels)
            float in [0, 1], bytes, or a table of any numbers.
        y : ignored

        Raises
        ------
        InputError
            For a parameter or data that cannot be used.
        DivergedError
            When the loss is no longer a number; the weights of the last good
            epoch are kept.
        """
        self._check_parameters()
        with plain_parameters(self):
            rows = validate_samples(self, X, reset=True)
            generator = torch.Generator().manual_seed(seed_of(self.random_state))
            self._incremental = None  # where `partial_fit` stood: training starts anew
            self._build()
            initialize(self.network_, generator)
            self._train(rows, generator)
            self._look_for_collapse(rows)
        return self

    @default_state()
    def partial_fit(self, X: ArrayLike, y: object = None) -> Self:  # noqa: ARG002
        """Train for one pass over X, which may be a part of more than the memory holds.

        The first call learns from its X what samples are (images or a table, and of a table the
        columns' means and spreads), so give it a fair sample. Later calls go on, and so does a
        call after `fit`. ``max_iter``, ``learning_rate``, ``early_stopping``, ``n_snapshots``
        and ``checkpoint`` are not used; ``loss_curve_`` gets an entry per call.

        Parameters
        ----------
        X : array
            As in `fit`; the samples of one call are shuffled, so give many at once.
        y : ignored

        Raises
        ------
        InputError, DivergedError
            As `fit`.
        """
        is_first = not hasattr(self, "network_")
        self._check_parameters()
        with plain_parameters(self):
            rows = validate_samples(self, X, reset=is_first)
            state = None if is_first else getattr(self, "_incremental", None)
            generator = incremental.generator_of(state, self.random_state)
            if is_first:
                self._build()
                initialize(self.network_, generator)
                self.n_iter_, self.loss_curve_, self.collapse_ = 0, [], ""
                self.validation_loss_curve_ = self.snapshots_ = None
            self._incremental, loss = incremental.pass_over(self, rows, state, generator)
            self.n_iter_ += 1
            self.loss_curve_ = [*self.loss_curve_, loss]
        return self

    @default_state()
    def transform(self, X: ArrayLike) -> NDArray[Any]:
        """Return the codes (n, n_components) of images X, a chunk at a time."""
        check_is_fitted(self, "network_")
        return inference.encode(
            self.network_, self.scaling_, validate_samples(self, X, reset=False)
        )

    @default_state()
    def inverse_transform(self, X: ArrayLike) -> NDArray[Any]:
        """Return the images (n, n_features) that codes X (n, n_components) stand for."""
        check_is_fitted(self, "network_")
        with refusals_as_input_errors():
            codes = check_array(X, dtype=self.dtype_, ensure_all_finite=False, input_name="codes")
        value_range(codes, "codes")
        if codes.shape[1] != self.n_components:
            raise InputError(
                f"Codes must have {self.n_components} columns, and these have {codes.shape[1]}."
            )
        return inference.decode(self.network_, self.scaling_, codes)

    @default_state()
    def score(self, X: ArrayLike, y: object = None) -> float:  # noqa: ARG002
        """Return minus the mean squared reconstruction error of X: higher is better.

        A table's errors are measured in scaled columns.
        """
        check_is_fitted(self, "network_")
        rows = validate_samples(self, X, reset=False)
        return -inference.reconstruction_error(self.network_, self.scaling_, rows)

    # --------------------------------------------------------------- training

    def _check_parameters(self) -> None:
        check_parameters(self.get_params())

    def _contents(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        check_is_fitted(self, "network_")
        return saving.tensors_of(self), saving.description_of(self)

    def _restore(self, tensors: dict[str, Tensor], description: dict[str, Any]) -> None:
        self._check_parameters()
        saving.restore(self, tensors, description["fitted"])

    def _build(self) -> None:
        """Make the network, its weights still to be filled."""
        network = self._new_network()
        self.network_ = network.to(resolve_device(self.device), self.scaling_.dtype)

    def _new_network(self) -> AutoEncoderNetwork:
        output = "logistic" if self.input_kind_ == "images" else "identity"
        inputs = self.image_shape_ if self.kind == "conv" else self.n_features_in_
        assert inputs is not None
        layers = self.conv_channels if self.kind == "conv" else self.hidden_layer_sizes
        return new_network(inputs, self.n_components, layers, (self.activation, output))

    def _train(self, rows: NDArray[Any], generator: torch.Generator) -> None:
        network, ranks = self.network_, ranks_to_train(self, rows, generator)
        data = held_out = inference.as_tensor(rows).to(resolve_device(self.device))
        if self.early_stopping:
            data, held_out = held_out_split(data, self.validation_fraction, generator)
        fitting, step = reconstruction_fitting(self, data, self.max_iter, generator, ranks)
        self._accompany(fitting, rows, held_out)
        self._keep_records(fitting)
        try:
            with threads_for(network):
                fitting.run(step, len(data), self.batch_size, show_progress=bool(self.verbose))
        finally:
            self._keep_records(fitting)
            release_gradients(network)

    def _look_for_collapse(self, rows: NDArray[Any]) -> None:
        is_whole = 0 < self.n_iter_ == self.max_iter or self.early_stopping
        self.collapse_ = ""
        if is_whole:  # an untrained network, or one that Ctrl-C has ended, is what was asked for
            self.collapse_ = inference.collapse_of(self.network_, self.scaling_, rows)
        steps = self.n_iter_ * math.ceil(len(rows) / self.batch_size)
        if self.collapse_ and steps >= PLATEAU_STEPS:
            warnings.warn(
                f"The codes have collapsed; {collapse_message(self.collapse_)}",
                HealthWarning,
                stacklevel=4,
            )

    def _accompany(self, fitting: Fitting, rows: NDArray[Any], held_out: Tensor) -> None:
        """Add what the parameters ask for; a checkpoint is last, since it keeps the others."""
        network, scaling = self.network_, self.scaling_
        if self.early_stopping:
            fitting.stop_early(
                lambda: inference.reconstruction_error(network, scaling, held_out),
                self.n_iter_no_change,
                self.tol,
            )
        if self.n_snapshots:
            first = rows[: self.n_snapshots]
            fitting.take_snapshots(lambda: inference.encode(network, scaling, first))
        if self.learning_rate == "cosine":
            fitting.lower_learning_rate()
        fitting.call(self.callbacks)
        if self.checkpoint is not None:
            fitting.go_on_from(
                Path(self.checkpoint),
                training_key(self.get_params() | {"scaling": self.scaling_.kind}, rows),
            )

    def _keep_records(self, fitting: Fitting) -> None:
        self.n_iter_ = fitting.progress.epoch
        self.loss_curve_ = fitting.progress.loss_curve
        self.validation_loss_curve_ = fitting.validation_curve
        self.snapshots_ = fitting.snapshot_codes

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    @property
    def _n_features_out(self) -> int:
        return self.n_components
