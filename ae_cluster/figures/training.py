"""What happens while the network learns: reconstructions and the loss."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from ae_cluster.figures.images import GAP, as_images, image_grid, in_unit_range, show_image_grid
from ae_cluster.figures.style import (
    PALETTE,
    captioned,
    in_style,
    names_of,
    new_figure,
    plain_log_ticks,
)

_MOST_SAMPLES = 10
_MOST_STEPS = 6
_MOST_NAMED = 40  # columns of a table
_LEAST_ROW = 0.22  # inches


@in_style()
def plot_reconstructions(
    originals: NDArray[np.generic],
    reconstructions: NDArray[np.generic],
    steps: ArrayLike,
    image_shape: tuple[int, ...] | None,
    *,
    unit: str = "step",
    title: str = "Originals, and what the autoencoder makes of them",
    feature_names: Sequence[str] = (),
) -> Figure:
    """Draw originals above their reconstructions at up to six steps of the training.

    Parameters
    ----------
    originals : array (m, n_features)
        Images as bytes or in [0, 1]; at most the first ten are drawn.
    reconstructions : array (len(steps), m, n_features)
    steps : array (len(steps),)
        When the reconstructions were made, ascending; 0 is the untrained
        network. The first and last are drawn, and four spread geometrically
        between them.
    image_shape : (h, w), (h, w, channels) or None
        None for a table: the rows are drawn as heat strips of features,
        standardised over the samples shown.
    unit : str
        What ``steps`` counts: "step" (batches) or "epoch"; "" says no more than "rebuilt".
    title : str
    feature_names : sequence of str
        Names of a table's columns, written where there is room for all.

    Returns
    -------
    Figure
    """
    steps = np.asarray(steps)
    chosen = _spread(steps)
    counted = [f"{unit} {t:,}" if t else "untrained" for t in steps[chosen]]
    names = ["original", *(counted if unit else ["rebuilt"] * len(counted))]
    made = reconstructions[chosen]
    if image_shape is not None:  # originals may be bytes where reconstructions are in [0, 1]
        originals, made = in_unit_range(originals), in_unit_range(made)
    frames = np.stack([originals, *made])[:, :_MOST_SAMPLES].astype(np.float64)
    if image_shape is None:
        return _table_reconstructions(frames, names, title, feature_names)
    return _image_reconstructions(frames, names, image_shape, title)


def _spread(steps: NDArray[np.generic], n: int = _MOST_STEPS) -> NDArray[np.intp]:
    """Return the indices of at most ``n`` steps: first, last, geometrically between."""
    if len(steps) <= n:
        return np.arange(len(steps))
    log_steps = np.log(np.maximum(steps.astype(np.float64), 1))
    targets = np.linspace(log_steps[0], log_steps[-1], n)
    return np.unique(np.abs(log_steps[:, None] - targets).argmin(axis=0))


def _name_features(ax: Axes, n: int, feature_names: Sequence[str]) -> None:
    """Write the names of columns under an axis; of many, or without names, their numbers."""
    if feature_names and n <= _MOST_NAMED:
        ax.set_xticks(range(n), names_of(n, feature_names, width=24), rotation=90)
        return
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.set_xlabel("feature (column of the table)")


def _image_reconstructions(
    frames: NDArray[np.float64], names: list[str], image_shape: tuple[int, ...], title: str
) -> Figure:
    rows, samples = frames.shape[:2]
    width = max(5.0, 0.9 * samples + 1.2)
    images = as_images(frames.reshape(rows * samples, -1), image_shape)
    # Flat images are set apart, so that each row has room for its name.
    inches = (width - 1.2) / samples * images.shape[1] / images.shape[2]
    below = max(GAP, _LEAST_ROW / inches - 1)
    grid = image_grid(images, rows, below)
    tall = (width - 1.2) * grid.shape[0] / grid.shape[1]
    figure = new_figure(width, min(12.0, tall) + 1.3)
    show_image_grid(figure.add_subplot(), grid, names, below)
    return captioned(
        figure,
        title,
        "Top row: the inputs. Below: the same inputs rebuilt from their codes alone"
        f"{_when(names)}. They should come to resemble the top row; what stays blurred, the code "
        "does not hold. Sharp pictures do not yet mean that the codes form clusters.",
    )


def _when(names: list[str]) -> str:
    return ", after more and more training" if len(names) > 2 else ""


def _table_reconstructions(
    frames: NDArray[np.float64], names: list[str], title: str, feature_names: Sequence[str]
) -> Figure:
    center, spread = frames[0].mean(axis=0), frames[0].std(axis=0)
    strips = (frames - center) / np.where(spread > 0, spread, 1)
    limit = max(1.0, float(np.abs(strips[0]).max()))
    figure = new_figure(8, 0.75 * len(names) + 1.8)
    axes = figure.subplots(len(names), 1, sharex=True, squeeze=False)[:, 0]
    for ax, strip, name in zip(axes, strips, names, strict=True):
        picture = ax.imshow(
            strip, cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="auto", interpolation="none"
        )
        ax.set_yticks([])
        ax.set_ylabel(name, rotation=0, ha="right", va="center")
    _name_features(axes[-1], frames.shape[-1], feature_names)
    figure.colorbar(picture, ax=axes.tolist(), label="value (standard deviations)")
    return captioned(
        figure,
        title,
        f"Each strip shows the same {frames.shape[1]} samples, one a line; the top strip is the "
        f"input, the strips below are rebuilt from the codes alone{_when(names)}. "
        "They should come to resemble the top strip; a feature that stays pale "
        "is not held by the code.",
    )


@in_style()
def plot_loss_curve(
    loss: Sequence[float],
    validation_loss: Sequence[float] | None = None,
    *,
    title: str = "Reconstruction error while training",
) -> Figure:
    """Draw the mean squared error after each epoch, on a log scale if it spans a decade.

    Parameters
    ----------
    loss : sequence (epochs,)
        Mean squared error per feature on the training samples.
    validation_loss : sequence (epochs,), optional
        The same on samples held out of training.
    title : str

    Returns
    -------
    Figure
    """
    curves = {"training samples": np.asarray(loss, dtype=np.float64)}
    if validation_loss is not None and len(validation_loss) > 0:
        curves["held-out samples"] = np.asarray(validation_loss, dtype=np.float64)
    figure = new_figure(6.5, 4.4)
    ax = figure.add_subplot()
    for name, marker, dash, color in zip(curves, "os", ("-", "--"), PALETTE[::2], strict=False):
        epochs = np.arange(1, len(curves[name]) + 1)
        every = max(1, len(epochs) // 20)
        ax.plot(epochs, curves[name], dash, marker=marker, markevery=every, color=color, label=name)
    ax.set_xlim(0.5, max(1, *map(len, curves.values())) + 0.5)
    _label_loss_axes(ax, np.concatenate(list(curves.values())))
    if len(curves) > 1:
        ax.legend()
    return captioned(figure, title, _loss_caption(curves))


def _label_loss_axes(ax: Axes, values: NDArray[np.float64]) -> None:
    positive = values[np.isfinite(values) & (values > 0)]
    if positive.size and positive.max() >= 10 * positive.min():
        ax.set_yscale("log")
        plain_log_ticks(ax.yaxis)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.set_xlabel("epoch (passes over the training samples)")
    ax.set_ylabel("mean squared error per feature")
    ax.grid(visible=True, axis="y")


def _loss_caption(curves: dict[str, NDArray[np.float64]]) -> str:
    if not any(values.size for values in curves.values()):
        return "No epoch was trained."
    ends = " and ".join(
        f"{values[-1]:.4g} on {name}" for name, values in curves.items() if values.size
    )
    caption = (
        f"The mean squared difference between input and reconstruction after each epoch; it ends "
        f"at {ends}. A curve that still falls would gain from more epochs. "
    )
    if len(curves) > 1:
        caption += "A held-out curve that turns upwards while the other falls is overfitting. "
    return caption + "A low error does not say that the codes form clusters."
