"""Claim: samples are labelled in the page, a key each; draws the README's picture of it.

Runs the default method on the bundled digits, opens the page in a Chromium, labels the samples that
the page suggests by the keys of their known classes, and saves what is seen and its caption. Needs
``pip install playwright``, a Chromium and a Chinese font for the button that switches to Chinese
(Debian's ``chromium`` and ``fonts-wqy-microhei``); takes a minute.

    python -m experiments.page_picture
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ae_cluster.common.errors import InputError
from ae_cluster.common.terminal import Parser, exit_code
from ae_cluster.common.write_lock import PAGE

if TYPE_CHECKING:
    from playwright.sync_api import Page

NAME = "explorer-digits"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
N_LABELS = 40
CAPTION = (
    "The explorer of a run on the bundled digits while its samples are labelled. {n} of the 450 "
    "test samples have a label, each in its colour at the place of its code; those without stand "
    "back. The ring is around the one that the page suggests next; its image is on the right, "
    "above the keys of the classes.\n"
)


def label(page: Page, n: int) -> None:
    """Label the first ``n`` suggested samples by keys, as their known classes, and show the labels.

    The classes are digits, so each is its own key.
    """
    page.locator("#to-label").focus()
    for _ in range(n):
        page.keyboard.press(
            page.evaluate("explorer.className(explorer.cloud.labels[explorer.target])")
        )
    page.select_option("#coloring", "given")
    page.wait_for_timeout(500)  # colours follow a moment after the labels


def take_picture(html: Path, out: Path, n_labels: int = N_LABELS) -> None:
    """Write a picture of a page of digits in which so many samples have been labelled."""
    from playwright.sync_api import sync_playwright  # of no other use here

    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None:
        raise InputError(
            "There is no Chromium on this machine; install one (apt install chromium)."
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--enable-unsafe-swiftshader"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 960}, locale="en-US")
        page.goto(html.resolve().as_uri())
        label(page, n_labels)
        page.screenshot(path=out)
        browser.close()


def main() -> None:
    """Run, open, label, and write the picture and its caption."""
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, help="of digits, by ae-cluster run; default: a new one")
    parser.add_argument("--out", type=Path, default=Path("results/figures"), help="a folder")
    arguments = parser.parse_args()

    from ae_cluster.records.config import RunConfig
    from ae_cluster.runs.run import run

    with tempfile.TemporaryDirectory() as place:
        folder = arguments.run or Path(place) / "run"
        if arguments.run is None:
            run(RunConfig(), folder, figures=False)
        arguments.out.mkdir(parents=True, exist_ok=True)
        take_picture(folder / PAGE, arguments.out / f"{NAME}.png")
    text = CAPTION.format(n=N_LABELS)
    (arguments.out / f"{NAME}.txt").write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    sys.exit(exit_code(main))
