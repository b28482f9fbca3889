"""Claim: from three numbers a digit can be drawn again, and without labels digits part in them.

The classic autoencoder tutorial, step by step, with all its pictures:

    python -m experiments.tutorial                    # MNIST: about half a minute
    python -m experiments.tutorial --dataset digits   # nothing to download: 15 seconds

The pictures are written as files. Where there is a screen, windows show them as well:
one follows the training, and the last can be turned with the mouse.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from ae_cluster import AutoEncoder, Callback, Dataset, InputError, Progress, load_dataset
from ae_cluster.figures import in_style, plot_code_tiles, plot_reconstructions
from ae_cluster.figures.images import as_images, contact_sheet, show_sheet
from ae_cluster.figures.style import captioned, new_figure
from ae_cluster.files import folder_written_beside
from experiments import moving_pictures as moving

EVERY = 100  # steps from one picture of the training to the next
WATCHED, TILES = slice(5), slice(200)  # of the test images: the network is not trained on them
WHAT_NEXT = """What to try next:
  clothes, not digits         python -m experiments.tutorial --dataset fashion-mnist --out clothes
  a longer training           python -m experiments.tutorial --epochs 30 --out longer
  images of your own          python -m experiments.tutorial --dataset IMAGES.npz --out mine
  clusters and honest scores  ae-cluster run mnist"""


def tutorial(data: Dataset, args: argparse.Namespace, folder: Path) -> None:
    """Take the four steps of the tutorial, and put their pictures into a folder."""
    print(f"1. The data: {data}. The first picture is one of the training images.")
    moving.keep(plot_one_image(data), folder / "1-one-image", args.show)

    watch = Watch(data, args.show)
    model = AutoEncoder(max_iter=args.epochs, random_state=args.seed, callbacks=[watch])
    encoder = (data.raw_train.shape[1], *model.hidden_layer_sizes)
    layers = " → ".join(map(str, (*encoder, model.n_components, *reversed(encoder))))
    print(f"2. The network: {layers}. The three numbers in its middle are the code.")

    print(f"3. The training. Every {EVERY} steps, five test images above what comes out of it:")
    model.fit(data.raw_train)
    moving.save_gif(watch.photos, folder / "2-training.gif", wait=True)
    outputs = np.stack(watch.outputs)
    stills = plot_reconstructions(watch.inputs, outputs, watch.steps, data.image_shape)
    moving.keep(stills, folder / "2-training")

    codes = model.transform(data.raw_test[TILES])
    print(f"4. The codes of {len(codes)} test images: each a tile in space, with its label on it.")
    labels = None if data.y_test is None else data.y_test[TILES]
    tiles = plot_code_tiles(codes, labels, class_names=data.class_names)
    moving.keep(tiles, folder / "3-codes", args.show)
    photos = moving.turning(tiles, degrees=60 if args.smoke else 10)
    moving.save_gif(photos, folder / "3-codes-turning.gif", wait=False)


@in_style()
def plot_one_image(data: Dataset) -> Figure:
    """Draw the first training image under its label."""
    label = -1 if data.y_train is None else data.y_train[0]
    figure = new_figure(4, 4.6)
    figure.add_subplot().imshow(as_images(data.raw_train[:1], data.image_shape)[0], cmap="gray")
    # −1 stands for unknown, and picks the last of these names.
    name = (*data.class_names, "no label")[label]
    return captioned(figure, name, f"A training image of {data.name}, under its label.")


class Watch(Callback):
    """Five test images above what the network makes of them, after step 1, 100, 200 and so on."""

    @in_style()
    def __init__(self, data: Dataset, show: bool) -> None:
        self.inputs, self.image_shape = data.raw_test[WATCHED], data.image_shape
        self.steps: list[int] = []
        self.outputs: list[Any] = []
        self.photos: list[Image.Image] = []
        self.figure = new_figure(6.4, 3)
        show_sheet(self.figure.add_subplot(), self.sheet(self.inputs), ["input", "output"])
        if show:
            moving.open_window(self.figure)

    def on_step(self, progress: Progress) -> None:
        """Look, if it is time."""
        if progress.step == 1 or progress.step % EVERY == 0:
            outputs = progress.model.inverse_transform(progress.model.transform(self.inputs))
            self.steps.append(progress.step)
            self.outputs.append(outputs)
            epoch, step = progress.epoch + 1, progress.step
            self.draw(outputs, f"epoch {epoch}, step {step:,}: loss {progress.loss:.4f}")

    @in_style()
    def draw(self, outputs: Any, text: str) -> None:
        """Say how far the network has come, show it, and keep a photo."""
        print(f"   {text}")
        ax = self.figure.axes[0]
        ax.images[0].set_data(self.sheet(outputs))
        ax.set_title(text, loc="left")
        self.photos.append(moving.photo(self.figure, dpi=100))
        moving.refresh_window(self.figure)

    def sheet(self, outputs: Any) -> Any:
        """Lay the inputs out above ``outputs`` (m, n_features)."""
        rows = [as_images(images, self.image_shape) for images in (self.inputs, outputs)]
        return contact_sheet(np.concatenate(rows), rows=2)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the tutorial; return 0, or 2 for input that cannot be used."""
    args = parsed(argv)
    try:
        args.show = moving.may_show(args.show)
        with folder_written_beside(args.out, args.force) as folder:
            tutorial(load_images(args), args, folder)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"The pictures lie in {args.out}, each with a .txt that says what to see.\n{WHAT_NEXT}")
    if args.show:
        moving.wait_for_windows()
    return 0


def load_images(args: argparse.Namespace) -> Dataset:
    """Load the data set, unless there would be nothing to draw."""
    if args.epochs < 1 or not 0 <= args.seed < 2**32:
        raise InputError("--epochs must be at least 1, and --seed from 0 to 4,294,967,295.")
    home, fetch = args.data_home, args.download
    data = load_dataset(args.dataset, data_home=home, download=fetch, seed=args.seed)
    if data.is_table:
        raise InputError(f"{args.dataset} is a table of numbers: give images, (n, h, w), to draw.")
    return data


def parsed(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return the arguments."""
    yes_no = argparse.BooleanOptionalAction
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", default="mnist", help="a known name, or a .npz of images")
    parser.add_argument("--data-home", help="folder of the downloaded data sets")
    parser.add_argument("--download", action=yes_no, default=True, help="fetch what is missing")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--out", type=Path, default=Path("tutorial"), help="folder to write")
    parser.add_argument("--smoke", action="store_true", help="10 epochs of digits, in seconds")
    parser.add_argument("--show", action=yes_no, help="windows; default: where there is a screen")
    parser.add_argument("--force", action="store_true", help="replace the folder")
    args = parser.parse_args(argv)
    if args.smoke:
        args.dataset, args.epochs = "digits", 10
    return args


if __name__ == "__main__":
    sys.exit(main())
