"""`AutoEncoder`, the scikit-learn transformer everything shares: images ⇄ codes."""

from __future__ import annotations

import math
import numbers
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor

from ae_cluster import model_files
from ae_cluster.adam import Adam, flatten_parameters, release_gradients
from ae_cluster.callbacks import (
    EarlyStopping,
    LastGoodWeights,
    LearningRateSchedule,
    ProgressBar,
    Snapshots,
)
from ae_cluster.checkpoints import Checkpoint
from ae_cluster.errors import InputError
from ae_cluster.inputs import (
    check_parameters,
    check_range,
    jsonable,
    resolve_image_shape,
    resolve_input_kind,
    training_key,
)
from ae_cluster.networks import AutoEncoderNetwork, ConvAutoEncoder, DenseAutoEncoder, initialize
from ae_cluster.reconstruction import reconstruction_step
from ae_cluster.scaling import (
    CHUNK_ROWS,
    Scaling,
    as_tensor,
    chunks,
    filled,
    mean_squared_error,
)
from ae_cluster.training import Callback, DivergedError, Progress, train


class AutoEncoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
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
        standardised by its training columns and decoded linearly. "auto" takes
        images when all training values lie in [0, 1].
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
    n_snapshots : int, default=0
        Keep the codes of the first so many training samples at every epoch.
    callbacks : sequence of Callback, default=()
        Called during `fit`; ``progress.model`` is this estimator.
    checkpoint : path, default=None
        A file written while training. If it is there when `fit` starts,
        training goes on from it and ends as if it had never stopped.
    random_state : int, RandomState or None, default=None
        Everything random comes from here; global seeds are left alone.
    verbose : bool, default=False
        A progress bar where standard error is a terminal.
    device : str, default="auto"
        A torch device; "auto" is a GPU where there is one.

    Attributes
    ----------
    network_ : torch.nn.Module
    loss_curve_, validation_loss_curve_ : list of float
        Mean squared error of each epoch (for a table: of standardised columns).
    n_iter_ : int
        Finished epochs.
    input_kind_ : {"images", "table"}
    snapshots_ : ndarray (n_iter_ + 1, n_snapshots, n_components)
    n_features_in_, feature_names_in_ : as everywhere in scikit-learn

    Notes
    -----
    Bytes (``uint8``) are taken as images of 0…255 and scaled by 1/255 on the
    way; X of more than two dimensions is flattened. float64 is trained in float64.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> X = load_digits().data / 16
    >>> AutoEncoder(max_iter=1, random_state=0).fit_transform(X).shape
    (1797, 3)
    """

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
        self.n_snapshots = n_snapshots
        self.callbacks = callbacks
        self.checkpoint = checkpoint
        self.random_state = random_state
        self.verbose = verbose
        self.device = device

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
        check_parameters(self.get_params())
        rows = self._validate(X, reset=True)
        generator = torch.Generator().manual_seed(self._seed())
        self._build()
        initialize(self.network_, generator)
        self._train(rows, generator)
        return self

    def transform(self, X: ArrayLike) -> NDArray[Any]:
        """Return the codes (n, n_components) of images X, a chunk at a time."""
        check_is_fitted(self, "network_")
        rows = self._validate(X, reset=False)
        shape = (len(rows), self.n_components)
        return filled(
            shape,
            self.dtype_,
            lambda x: self.network_.encode(self.scaling_(x)),
            chunks(rows, self._device()),
        )

    def inverse_transform(self, X: ArrayLike) -> NDArray[Any]:
        """Return the images (n, n_features) that codes X (n, n_components) stand for."""
        check_is_fitted(self, "network_")
        codes = check_array(X, dtype=self.dtype_, input_name="codes")
        if codes.shape[1] != self.n_components:
            raise InputError(
                f"Codes must have {self.n_components} columns, and these have {codes.shape[1]}."
            )
        shape = (len(codes), self.n_features_in_)
        return filled(
            shape,
            self.dtype_,
            lambda z: self.scaling_.undo(self.network_.decode(z)),
            chunks(codes, self._device()),
        )

    def score(self, X: ArrayLike, y: object = None) -> float:  # noqa: ARG002
        """Return minus the mean squared reconstruction error of X: higher is better.

        A table's errors are measured in standardised columns.
        """
        check_is_fitted(self, "network_")
        rows = self._validate(X, reset=False)
        return -mean_squared_error(self.network_, self.scaling_, chunks(rows, self._device()))

    def save(self, path: str | Path, *, force: bool = False) -> None:
        """Write the model as a folder of safetensors and JSON; see `load`."""
        check_is_fitted(self, "network_")
        tensors = {f"network.{k}": t for k, t in self.network_.state_dict().items()}
        if self.input_kind_ == "table":
            tensors |= {
                "mean": torch.from_numpy(self.mean_),
                "scale": torch.from_numpy(self.scale_),
            }
        model_files.write(Path(path), type(self).__name__, tensors, self._description(), force)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a model folder written by `save`; nothing in it is executed.

        Raises
        ------
        InputError
            When the folder is missing, damaged, tampered with or of a newer format.
        """
        tensors, description = model_files.read(Path(path), cls.__name__)
        try:
            model = cls(**description["parameters"])
            check_parameters(model.get_params())
            model._restore(tensors, description["fitted"])
        except (AttributeError, KeyError, TypeError, ValueError, RuntimeError) as error:
            raise InputError(
                f"{path} does not hold a whole {cls.__name__} ({error}); save the model again."
            ) from error
        return model

    def _description(self) -> dict[str, Any]:
        """Return parameters and fitted attributes as JSON takes them."""
        parameters = self.get_params() | {"callbacks": [], "checkpoint": None}
        if not isinstance(self.random_state, numbers.Integral):
            parameters["random_state"] = None
        fitted = {name: getattr(self, name) for name in _FITTED if hasattr(self, name)}
        if hasattr(self, "feature_names_in_"):
            fitted["feature_names_in_"] = self.feature_names_in_.tolist()
        return {"parameters": jsonable(parameters), "fitted": fitted}

    def _restore(self, tensors: dict[str, Tensor], fitted: dict[str, Any]) -> None:
        for name in _FITTED & fitted.keys():
            setattr(self, name, fitted[name])
        if "feature_names_in_" in fitted:
            self.feature_names_in_ = np.array(fitted["feature_names_in_"], dtype=object)
        scales = [tensors.pop(name) for name in ("mean", "scale") if self.input_kind_ == "table"]
        self.scaling_ = Scaling(self._torch_dtype(), *scales)
        self._build()
        state = {name.removeprefix("network."): tensor for name, tensor in tensors.items()}
        self.network_.load_state_dict(state)

    # --------------------------------------------------------------- training

    def _build(self) -> None:
        """Make the network, its weights still to be filled."""
        output = "logistic" if self.input_kind_ == "images" else "identity"
        if self.kind == "dense":
            network: AutoEncoderNetwork = DenseAutoEncoder(
                self.n_features_in_,
                self.n_components,
                self.hidden_layer_sizes,
                self.activation,
                output,
            )
        else:
            assert self.image_shape_ is not None
            network = ConvAutoEncoder(
                self.image_shape_, self.n_components, self.conv_channels, self.activation, output
            )
        self.network_ = network.to(self._device(), self._torch_dtype())

    def _train(self, rows: NDArray[Any], generator: torch.Generator) -> None:
        data, held_out = self._split(rows, generator)
        weights = flatten_parameters(self.network_)
        optimizer = Adam(weights, self.learning_rate_init)
        progress = Progress(self.max_iter, math.ceil(len(data) / self.batch_size), model=self)
        self.loss_curve_ = progress.loss_curve

        last_good = LastGoodWeights(weights)
        stopping = self._early_stopping(held_out, weights)
        snapshots = self._snapshot_taker(rows)
        callbacks: list[Callback] = [c for c in (last_good, stopping, snapshots) if c]
        if self.learning_rate == "cosine":
            callbacks.append(LearningRateSchedule(optimizer))
        callbacks.extend(self.callbacks)
        if self.checkpoint is not None:
            key = training_key(self.get_params(), rows)
            checkpoint = Checkpoint(
                Path(self.checkpoint), key, optimizer, generator, stopping, snapshots
            )
            checkpoint.resume(progress)
            callbacks.append(checkpoint)
        bar = ProgressBar(progress) if self.verbose else None
        if bar:
            callbacks.append(bar)

        step = reconstruction_step(
            self.network_,
            data,
            self.scaling_,
            optimizer,
            generator,
            self.noise_std,
            self.mask_fraction,
        )
        try:
            train(
                step,
                len(data),
                batch_size=self.batch_size,
                generator=generator,
                progress=progress,
                callbacks=callbacks,
            )
        except DivergedError:
            last_good.restore()
            raise
        except KeyboardInterrupt:
            warnings.warn(_INTERRUPTED.format(progress.epoch), stacklevel=3)
        finally:
            if bar:
                bar.close()
            if stopping:
                stopping.restore_best()
            if snapshots:
                self.snapshots_ = torch.stack(snapshots.codes).numpy()
            self.n_iter_ = progress.epoch
            release_gradients(self.network_)

    def _split(self, rows: NDArray[Any], generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return the training samples and the held-out ones, on the device."""
        data = as_tensor(rows).to(self._device())
        if not self.early_stopping:
            return data, data[:0]
        n_held_out = max(1, round(self.validation_fraction * len(data)))
        if n_held_out >= len(data):
            raise InputError(
                f"validation_fraction={self.validation_fraction} of {len(data)} samples leaves "
                "none to train on; lower it, or turn early_stopping off."
            )
        order = torch.randperm(len(data), generator=generator).to(data.device)
        return data[order[n_held_out:]], data[order[:n_held_out]]

    def _early_stopping(self, held_out: Tensor, weights: Tensor) -> EarlyStopping | None:
        if not self.early_stopping:
            return None
        stopping = EarlyStopping(
            lambda: mean_squared_error(
                self.network_, self.scaling_, torch.split(held_out, CHUNK_ROWS)
            ),
            weights,
            self.n_iter_no_change,
            self.tol,
        )
        self.validation_loss_curve_ = stopping.curve
        return stopping

    def _snapshot_taker(self, rows: NDArray[Any]) -> Snapshots | None:
        first = rows[: self.n_snapshots]
        if not len(first):
            return None
        return Snapshots(lambda: torch.from_numpy(self.transform(first)))

    # ------------------------------------------------------------ arrays inside

    def _validate(self, X: ArrayLike, *, reset: bool) -> NDArray[Any]:
        """Return X as rows of bytes, float32 or float64, checked; ``reset`` learns from it."""
        shape = getattr(X, "shape", ())
        if len(shape) > 2:
            X = np.reshape(X, (len(X), -1))  # type: ignore[arg-type]
        rows: NDArray[Any] = validate_data(
            self,
            X,
            reset=reset,
            dtype=[np.float64, np.float32, np.uint8],
            ensure_min_samples=2 if reset else 1,
        )
        if reset:
            self._learn_input(rows, shape)
        elif self.input_kind_ == "images":
            check_range(rows)
        return rows

    def _learn_input(self, rows: NDArray[Any], shape: tuple[int, ...]) -> None:
        self.input_kind_ = resolve_input_kind(self.input_kind, rows)
        self.dtype_ = "float64" if rows.dtype == np.float64 else "float32"
        self.image_shape_ = resolve_image_shape(self.image_shape, self.kind, shape, rows.shape[1])
        dtype = self._torch_dtype()
        is_table = self.input_kind_ == "table"
        self.scaling_ = Scaling.of_table(rows, dtype) if is_table else Scaling(dtype)

    def _seed(self) -> int:
        if isinstance(self.random_state, numbers.Integral):
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(2**31))

    def _device(self) -> torch.device:
        if self.device == "auto":
            return torch.device("cuda" if torch.cuda.is_available() else "cpu")
        return torch.device(self.device)

    def _torch_dtype(self) -> torch.dtype:
        return torch.float64 if self.dtype_ == "float64" else torch.float32

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    @property
    def _n_features_out(self) -> int:
        return self.n_components


_FITTED = {
    "dtype_",
    "image_shape_",
    "input_kind_",
    "loss_curve_",
    "n_features_in_",
    "n_iter_",
    "validation_loss_curve_",
}
_INTERRUPTED = (
    "Training was interrupted after {} finished epochs; the model is usable as it stands."
)
