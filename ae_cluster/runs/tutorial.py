"""The classic autoencoder tutorial, step by step, with all its pictures: MNIST in 40 seconds.

The pictures are written as files. Where there is a screen, windows show them as well:
one follows the training, and the last can be turned with the mouse.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from ae_cluster.autoencoder import AutoEncoder
from ae_cluster.common.errors import InputError
from ae_cluster.common.files import folder_written_beside
from ae_cluster.common.interrupts import at_once_on_ctrl_c
from ae_cluster.common.own_files import present
from ae_cluster.datasets import Dataset, load_dataset
from ae_cluster.figures import animation as moving
from ae_cluster.figures import in_style, plot_code_tiles, plot_reconstructions
from ae_cluster.figures.images import as_images, image_grid, show_image_grid
from ae_cluster.figures.style import ENDINGS, captioned, new_figure
from ae_cluster.training.loop import Callback, Progress

EVERY = 100  # steps from one picture of the training to the next
WATCHED, TILES = slice(5), slice(200)  # of the test images: the network is not trained on them
CAPTION = "A training image of "
STILLS = "3-codes", "2-training", "1-one-image"
FILES = (  # the one that tells whose they are last
    *("2-training.gif", "3-codes-turning.gif"),
    *(f"{name}{ending}" for name in STILLS for ending in ENDINGS),
)
WHAT_NEXT = """What to try next:
  clothes, not digits         ae-cluster tutorial fashion-mnist --out clothes
  images of your own          ae-cluster tutorial IMAGES.npz --out mine
  clusters and honest scores  ae-cluster run mnist"""


def tutorial(data: Dataset, args: argparse.Namespace, folder: Path) -> None:
    """Take the four steps of the tutorial, and put their pictures into a folder."""
    print(f"1. The data: {len(data.raw_train):,} images of {data.name}, such as 1-one-image.")
    moving.keep(plot_one_image(data), folder / "1-one-image", args.show)

    watch = Watch(data, args.show)
    model = AutoEncoder(max_iter=args.epochs, random_state=args.seed, callbacks=[watch])
    encoder = (data.raw_train.shape[1], *model.hidden_layer_sizes)
    layers = "-".join(map(str, (*encoder, model.n_components, *reversed(encoder))))
    print(f"2. The network: {layers}. The numbers in its middle are the code of an image.")

    print(f"3. The training. Every {EVERY} steps, 2-training has five images and what comes out:")
    with at_once_on_ctrl_c():
        model.fit(data.raw_train)
    moving.save_gif(watch.photos, folder / "2-training.gif", seconds_at_the_end=3)
    outputs = np.stack(watch.outputs)
    stills = plot_reconstructions(watch.inputs, outputs, watch.steps, data.image_shape)
    moving.keep(stills, folder / "2-training")

    codes = model.transform(data.x_test[TILES])
    title = f"The codes of {len(codes)} test images"
    print(f"4. {title}: tiles with the same label should stand together in 3-codes.")
    labels = None if data.y_test is None else data.y_test[TILES]
    tiles = plot_code_tiles(codes, labels, class_names=data.class_names, title=title)
    moving.keep(tiles, folder / "3-codes", args.show)
    moving.turn(tiles, folder / "3-codes-turning.gif", degrees=60 if args.smoke else 10)


@in_style()
def plot_one_image(data: Dataset) -> Figure:
    """Draw the first training image under its label."""
    label = -1 if data.y_train is None else data.y_train[0]
    figure = new_figure(4, 4.6)
    figure.add_subplot().imshow(
        as_images(data.raw_train[:1], data.image_shape or ())[0], cmap="gray"
    )
    name = (*data.class_names, "no label")[label]  # −1, for unknown, picks the last
    return captioned(figure, name, f"{CAPTION}{data.name}, under its label.")


class Watch(Callback):
    """Five test images above what the network makes of them, after step 1, 100, 200 and so on."""

    @in_style()
    def __init__(self, data: Dataset, show: bool) -> None:
        self.inputs, self.image_shape = data.x_test[WATCHED], data.image_shape or ()
        self.steps: list[int] = []
        self.outputs: list[Any] = []
        self.photos: list[Any] = []
        self.figure = new_figure(6.4, 3)
        if show:
            moving.open_window(self.figure)

    def on_step(self, progress: Progress) -> None:
        """Say and draw how far the network has come, every so many steps."""
        if progress.step > 1 and progress.step % EVERY:
            return
        said = f"epoch {progress.epoch + 1}, step {progress.step:,}: loss {progress.loss:.4f}"
        print(f"   {said}", flush=True)
        outputs = progress.model.inverse_transform(progress.model.transform(self.inputs))
        images = as_images(np.concatenate([self.inputs, outputs]), self.image_shape)
        with in_style():
            self.figure.clear()
            ax = self.figure.add_subplot(title=said)
            show_image_grid(ax, image_grid(images, rows=2), ["input", "output"])
            self.photos.append(moving.photo(self.figure, dpi=100))
        moving.refresh_window(self.figure)
        self.steps.append(progress.step)
        self.outputs.append(outputs)


def carry_out(args: argparse.Namespace) -> list[Path]:
    """Do what the arguments of `add_arguments` say, and return the files.

    Raises
    ------
    InputError
        For input that cannot be used; nothing is written then.
    """
    args.show = moving.may_show(args.show)
    with folder_written_beside(args.out, args.force, files_of_tutorial) as folder:
        tutorial(load_images(args), args, folder)
    print(f"The pictures and films lie in {args.out}; the .txt say what to see.\n\n{WHAT_NEXT}")
    moving.wait_for_windows()
    return [args.out / name for name in FILES]


def files_of_tutorial(folder: Path) -> list[str]:
    """Return the files of a folder that this script wrote, none where it did not write it."""
    found = present(folder, FILES)
    is_ours = FILES[-1] in found and (folder / FILES[-1]).read_bytes().startswith(CAPTION.encode())
    return [name for name in FILES if name in found] if is_ours else []


def load_images(args: argparse.Namespace) -> Dataset:
    """Load the data set, unless there would be nothing to draw."""
    if args.smoke:
        args.dataset, args.epochs = "digits", 10
    if args.epochs < 1 or not 0 <= args.seed < 2**32:
        raise InputError("--epochs must be at least 1, and --seed from 0 to 4,294,967,295.")
    data = load_dataset(args.dataset, data_home=args.home, download=args.download)
    if data.is_table:
        raise InputError(f"{args.dataset} is a table of numbers: give images, (n, h, w), to draw.")
    return data
