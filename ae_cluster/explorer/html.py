"""The page: a template, a style, scripts and the run's content, in one file."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Callable
from graphlib import TopologicalSorter
from importlib import resources
from itertools import starmap
from pathlib import Path
from typing import Any

from ae_cluster.common.files import bears, expanded, place_of_page, written_beside
from ae_cluster.common.global_state import default_state
from ae_cluster.common.write_lock import PAGE
from ae_cluster.datasets import Dataset
from ae_cluster.explorer.content import page_content, samples_carried
from ae_cluster.explorer.run_arrays import read_run
from ae_cluster.explorer.samples import choose_clouds, smallest_budgets
from ae_cluster.records.reading import load_samples

_TITLE = "ae_cluster explorer"
_MARK = f"{_TITLE}</title>"
LIBRARY = "vendor/three.min.js"


@default_state()
def write_page(
    run_folder: str | Path,
    out: str | Path | None = None,
    *,
    split: str = "test",
    n_points: int = 10_000,
    data: Dataset | None = None,
    data_home: str | Path | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Path:
    """Write the explorer of a run as one HTML file that needs no network.

    The page carries the samples it shows, images or rows of a table, and the network's weights.

    Parameters
    ----------
    run_folder : path
        What ``ae-cluster run`` wrote.
    out : path, default=None
        The file; None is ``explorer.html`` in the run folder. An earlier page is replaced, and
        nothing else.
    split : {"test", "train", "all"}
        Which samples to show. Beside "test", training samples whose codes were saved at every
        epoch and those of the label budgets come along.
    n_points : int
        Of more samples, as many are chosen at random, always the same ones.
    data : Dataset, default=None
        The run's data set where it is in memory already; None reads it again. Where it is not
        found, the page says so and shows no images.
    data_home : path, default=None
        As in `ae_cluster.load_dataset`; nothing is downloaded.
    say : callable, optional
        Takes a sentence on what of the samples the page carries.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        When the folder is no run's, or the file cannot be written or is no such page.
    """
    folder = expanded(run_folder)
    path = place_of_page(out, folder / PAGE, _MARK, "page")
    text = page_text(
        folder, split=split, n_points=n_points, data=data, data_home=data_home, say=say
    )
    with written_beside(path) as beside:
        beside.write_text(text, encoding="utf-8", newline="\n")
    return path


@default_state()
def page_text(
    folder: Path,
    *,
    split: str = "test",
    n_points: int = 10_000,
    data: Dataset | None = None,
    data_home: str | Path | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> str:
    """Return the explorer of a run as HTML; the parameters are those of `write_page`."""
    run = read_run(folder)
    budget = smallest_budgets(run.labels["train"], run.config["arguments"].get("budgets") or ())
    clouds = choose_clouds(run, split, n_points, budget)
    note = ""
    if data is None:
        data, note = load_samples(run.config, [*map(len, run.ids.values())], data_home)
    content = page_content(run, clouds, budget, data, note)
    say(samples_carried(content))
    return page_of(content)


def is_page(path: Path) -> bool:
    """Return whether a file is a page that `write_page` wrote."""
    return bears(path, _MARK)


def page_of(content: dict[str, Any]) -> str:
    """Return the HTML of a page with this content."""
    style, library, script = _asset("style.css"), _asset(LIBRARY), _in_a_block(joined_modules())
    rest, sheets = without_sheets(content)
    parts = {
        "policy": _policy(style, [library, script]),
        "title": html.escape(f"{content['name']} – {_TITLE}"),
        "style": style,
        "library": library,
        "script": script,
        "content": inert_json(rest),
        "sheets": "\n".join(starmap(_sheet_block, sheets.items())),
    }
    # One pass: what is put in is not looked through again.
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], _asset("index.html"))


def joined_modules() -> str:
    """Return the page's own modules as one script, in which imports and exports have no use."""
    return "\n".join(_without_imports(_asset(name)) for name in page_modules())


def page_modules() -> list[str]:
    """Return the page's scripts from main.js on, each after those that it imports."""
    imported: dict[str, list[str]] = {}
    waiting = ["main.js"]
    while waiting:
        name = waiting.pop()
        if name not in imported:
            imported[name] = re.findall(r'from "\./(\w+\.js)";', _asset(name))
            waiting += imported[name]
    return list(TopologicalSorter(imported).static_order())


def without_sheets(content: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the content with an id in place of each sheet of images, and the sheets by these ids.

    Sheets are most of a page: below its scripts they are read after the first picture is drawn.
    """
    pictures = content.get("pictures", {})
    sheets: dict[str, str] = {}
    ids = []
    for i, of_cloud in enumerate(pictures.get("sheets", ())):
        named = {f"sheet-{i}-{j}": sheet for j, sheet in enumerate(of_cloud)}
        sheets |= named
        ids.append([*named])
    if not sheets:
        return content, {}
    return content | {"pictures": pictures | {"sheets": ids}}, sheets


def _sheet_block(name: str, sheet: str) -> str:
    return f'<script type="image/png;base64" id="{name}">{sheet}</script>'


def inert_json(content: dict[str, Any]) -> str:
    """Return JSON in which no text from the data can end the element it stands in."""
    text = json.dumps(content, allow_nan=False, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _in_a_block(script: str) -> str:
    """Return a script with names of its own that runs where it stands, as no module does."""
    return f'"use strict";\n{{\n{script}\n}}'


def _without_imports(module: str) -> str:
    text = re.sub(r"^import\b[^;]*;\n", "", module, flags=re.MULTILINE)
    return re.sub(r"^export ", "", text, flags=re.MULTILINE)


def _policy(style: str, scripts: list[str]) -> str:
    """Return a content security policy under which nothing but our own scripts runs."""
    hashes = " ".join(_hash(script) for script in scripts)
    return (
        f"default-src 'none'; script-src {hashes}; style-src {_hash(style)}; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _asset(name: str) -> str:
    return (resources.files("ae_cluster.explorer") / "page" / name).read_text(encoding="utf-8")
