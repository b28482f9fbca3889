"""A run folder as one HTML file to read, print and send: no network, no script, all escaped."""

from __future__ import annotations

import base64
import hashlib
import html
import os
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import pandas as pd

from ae_cluster.common.bounded_files import read_bytes, told_of
from ae_cluster.common.errors import InputError
from ae_cluster.common.files import expanded, place_of_page, written_beside
from ae_cluster.common.global_state import default_state
from ae_cluster.common.numbers import NOTHING, number
from ae_cluster.common.texts import visible
from ae_cluster.common.write_lock import PAGE
from ae_cluster.metrics.classes import told_classes
from ae_cluster.metrics.clustering import METRICS, UNKNOWN
from ae_cluster.records.reading import method_names, read_codes, read_run_config, read_scores
from ae_cluster.records.rows import OK, pipeline_name
from ae_cluster.reports.comparison import described_config
from ae_cluster.reports.run import HOW_TO_READ, NO_LABELS, SHOWN, faithfulness_line
from ae_cluster.training.diagnostics import collapse_message, findings

NAME = "report.html"
_TITLE = "ae_cluster report"
_MOST_IMAGE = 2**25  # bytes of a figure
_LARGE_SVG = 1_500_000  # bytes; of larger ones the PNG is taken
_SHEETS = "clusters-"  # figures whose names begin so show the images of each cluster
_ORDER = ("tiles", "codes", "confusion", "label-budget", "reconstructions", "loss")
_WORDS = {metric.name: metric.words for metric in METRICS}


class Report(NamedTuple):
    """A report that was written: its file, and how many figures it holds."""

    path: Path
    n_figures: int


@default_state()
def write_report(run_folder: str | Path, out: str | Path | None = None) -> Report:
    """Write the report of a run.

    Parameters
    ----------
    run_folder : path
        What ``ae-cluster run`` wrote.
    out : path, default=None
        The file; None is ``report.html`` in the run folder. An earlier report is replaced, and
        nothing else.

    Raises
    ------
    InputError
        When the folder is no run's, or the file cannot be written or is no such report.
    """
    folder = expanded(run_folder)
    path = place_of_page(out, folder / NAME, f"{_TITLE}</title>", "report")
    figures = _figures_of(folder)
    text = _page(folder, path, figures)
    with written_beside(path) as beside:
        beside.write_text(text, encoding="utf-8", newline="\n")
    return Report(path, len(figures))


def _page(folder: Path, path: Path, figures: Mapping[str, str]) -> str:
    config, rows = read_run_config(folder), read_scores(folder)
    style = (resources.files("ae_cluster.reports") / "report.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    sheets = {name: figure for name, figure in figures.items() if name.startswith(_SHEETS)}
    others = {name: figure for name, figure in figures.items() if name not in sheets}
    none = "<p>This run was made without figures (--no-figures).</p>"
    sections = {
        "Data": _data(config, _n_labelled(folder)),
        "Scores": _scores(rows),
        "Health": _health(folder, config, rows),
        "Clusters": "".join(sheets.values()),
        "Figures": "".join(others.values()) if figures else none,
        "Settings": _settings(config),
    }
    shown = {name: content for name, content in sections.items() if content}
    name = _text(config["data"]["name"])
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; "
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{name} – {_TITLE}</title>
<style>{style}</style>
</head>
<body>
<header>
<h1>{name}: {_text(_summary(config, rows))}</h1>
{_links(folder, path)}
<nav aria-label="Sections"><ul>{"".join(_anchor(name) for name in shown)}</ul></nav>
</header>
<main>
{"".join(_section(name, content) for name, content in shown.items())}
</main>
<footer>
<p>Written by ae-cluster report from the run folder {_text(folder.resolve().name)}. It needs no
network, and its figures may show samples of the data: share it only with people who may see
these.</p>
</footer>
</body>
</html>
"""


def _text(value: object) -> str:
    """Return text as HTML that shows it and does nothing."""
    return html.escape(visible(str(value)))


def _section(name: str, content: str) -> str:
    place = name.lower()
    return (
        f'<section id="{place}" aria-labelledby="of-{place}"><h2 id="of-{place}">{name}</h2>\n'
        f"{content}\n</section>\n"
    )


def _anchor(name: str) -> str:
    return f'<li><a href="#{name.lower()}">{name}</a></li>'


def _links(folder: Path, path: Path) -> str:
    """Return a link to the run's page, where it has one."""
    if not (folder / PAGE).is_file():
        return ""
    place = os.path.relpath((folder / PAGE).resolve(), path.resolve().parent)
    return f'<p><a href="{_text(quote(Path(place).as_posix()))}">Walk through the codes</a></p>'


def _summary(config: Mapping[str, Any], rows: pd.DataFrame) -> str:
    data = config["data"]
    ks = sorted({int(k) for k in _test_rows(rows)["n_clusters"].dropna()})
    of_k = f", k = {' and '.join(map(str, ks))}" if ks else ""
    seed = config["arguments"].get("seed", 0)
    n_train, n_test = data.get("n_train", 0), data.get("n_test", 0)
    return f"{n_train:,} training and {n_test:,} test samples{of_k}, seed {seed}"


def _table(
    head: Sequence[str], lines: Iterable[Sequence[str]], caption: str, best: int | None = None
) -> str:
    """Return a table; the first cell of a line is its name, the others are numbers."""
    heads = "".join(
        f'<th scope="col"{" class=number" if i else ""}>{_text(cell)}</th>'
        for i, cell in enumerate(head)
    )
    body = "".join(
        f"<tr{' class=best' if i == best else ''}>"
        f'<th scope="row">{_text(first)}</th>'
        + "".join(f"<td class=number>{_text(cell)}</td>" for cell in rest)
        + "</tr>\n"
        for i, (first, *rest) in enumerate(lines)
    )
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{_text(caption)}"><table>'
        f"<caption>{_text(caption)}</caption><thead><tr>{heads}</tr></thead>"
        f"<tbody>\n{body}</tbody></table></div>\n"
    )


def _list(pairs: Mapping[str, object]) -> str:
    told = "".join(f"<dt>{_text(k)}</dt><dd>{_text(v)}</dd>\n" for k, v in pairs.items())
    return f"<dl>{told}</dl>\n"


# Sections


def _n_labelled(folder: Path) -> int | None:
    """Return how many test samples have a label; None where the run keeps no codes to tell."""
    try:
        labels = read_codes(folder, method_names(folder)[0]).get("labels_test")
    except InputError:  # all methods failed
        return None
    return 0 if labels is None else int((labels != UNKNOWN).sum())


def _told_labelled(n: int | None) -> str:
    if n is None:
        return ""
    return f", of which {n:,} have a label: the scores are of these" if n else ", none with a label"


def _data(config: Mapping[str, Any], n_labelled: int | None) -> str:
    data, arguments = config["data"], config["arguments"]
    shape = data.get("image_shape")
    size = "×".join(map(str, shape)) if shape else data.get("n_features", NOTHING)
    names = data.get("class_names") or []
    given = Path(str(arguments.get("dataset", NOTHING)))
    pairs = {
        "name or file": given.name,
        "training samples": f"{data.get('n_train', 0):,}, on which everything was fitted",
        "test samples": f"{data.get('n_test', 0):,}{_told_labelled(n_labelled)}",
        "each is": f"an image of {size}" if shape else f"a row of {size} numbers",
        "classes": ", ".join(map(str, names)) if names else "no names are known",
        "labels": "never seen by a clustering: there they only score",
        "split": f"seed {arguments.get('split_seed', 0)}",
        "fingerprint": data.get("fingerprint", NOTHING)[:12],
    }
    return _list(pairs)


def _test_rows(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[(rows["split"] == "test") & rows["budget"].isna()]


def _scores(rows: pd.DataFrame) -> str:
    test = _test_rows(rows)
    is_labelled = bool(test["accuracy_matched"].notna().any())
    columns = SHOWN if is_labelled else {"silhouette": "silhouette"} | SHOWN
    columns = {name: head for name, head in columns.items() if test[name].notna().any()}
    lines = [[_named(row), *(number(row[name]) for name in columns)] for row in _dicts(test)]
    leading = test["accuracy" if is_labelled else "silhouette"].fillna(-1).tolist()
    best = leading.index(max(leading)) if leading else None
    caption = "Held-out test scores, the best in bold"
    words = {head: _WORDS[name] for name, head in columns.items() if name in _WORDS}
    parts = [
        _table(["codes → method", *columns.values()], lines, caption, best),
        f"<p>{_text(HOW_TO_READ if is_labelled else NO_LABELS)}</p>\n",
        _list({head: told for head, told in words.items() if head != told}),
        f"<p>{_text(faithful)}</p>\n" if (faithful := faithfulness_line(rows)) else "",
        _few_labels(rows),
    ]
    return "".join(parts)


def _dicts(rows: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(k): v for k, v in row.items()} for row in rows.to_dict("records")]


def _named(row: Mapping[str, Any]) -> str:
    return pipeline_name(str(row["features"]), str(row["method"]))


def _few_labels(rows: pd.DataFrame) -> str:
    """Return the mean test accuracy by label budget, "" where there is none."""
    few = rows[rows["budget"].notna() & rows["accuracy"].notna()]
    if few.empty:
        return ""
    budgets = sorted({int(budget) for budget in few["budget"]})
    named = few.assign(name=[_named(row) for row in _dicts(few)])
    by_name = {
        str(name): of_one.groupby("budget")["accuracy"].mean().to_dict()
        for name, of_one in named.groupby("name", sort=False)
    }
    lines = [
        [name, *(number(of_one.get(budget, float("nan"))) for budget in budgets)]
        for name, of_one in by_name.items()
    ]
    caption = "Test accuracy from so many labels per class, the mean over draws"
    return _table(["labels per class", *map(str, budgets)], lines, caption)


def _health(folder: Path, config: Mapping[str, Any], rows: pd.DataFrame) -> str:
    """Return what is wrong with codes and clusters, or that nothing is."""
    told = [
        f"{_named(row)} {row['status']}: {row['reason']}"
        for row in _dicts(_test_rows(rows))
        if row["status"] != OK
    ]
    bad = "".join(f'<p class="bad">{_text(line)}</p>\n' for line in told)
    try:
        methods = method_names(folder)
    except InputError:  # all failed, and their rows say so
        return bad
    return bad + "".join(_health_of(folder, config, method) for method in methods)


def _health_of(folder: Path, config: Mapping[str, Any], method: str) -> str:
    arrays = read_codes(folder, method)
    pipeline = (config.get("methods") or {}).get(method, {})
    k = config.get("settings", {}).get("n_clusters")
    wrong = findings(
        codes=arrays["codes_test"],
        clusters=arrays["clusters_train"],
        n_clusters=k if isinstance(k, int) else None,
        soft=arrays.get("soft_test"),
    )
    if pipeline.get("collapsed"):
        wrong = [collapse_message(str(pipeline["collapsed"])), *wrong]
    labels, clusters = arrays.get("labels_test"), arrays["clusters_test"]
    names = config["data"].get("class_names") or []
    if labels is not None:
        names = [*names, *map(str, range(len(names), int(labels.max()) + 1))]
    sizes = pd.Series(clusters[clusters != UNKNOWN]).value_counts().tolist()
    lines = [f'<p class="bad">{_text(line)}</p>' for line in wrong]
    lines = lines or ['<p class="good">Codes and clusters have not collapsed.</p>']
    lines.append(f"<p>{_text(told_classes(method, labels, clusters, names))}</p>")
    lines.append(
        f"<p>Test samples in each cluster, largest first: {' '.join(map(str, sizes))}.</p>"
    )
    return f"<h3>{_text(method)}</h3>\n" + "\n".join(lines) + "\n"


def _settings(config: Mapping[str, Any]) -> str:
    """Return all that config.json says of the run: arguments and settings, versions, machine."""
    described = described_config(dict(config))
    groups: dict[str, dict[str, str]] = {"Arguments": {}, "Versions": {}, "Machine": {}}
    starts = {"Versions": "version of ", "Machine": "machine: "}
    for name, value in described.items():
        group = next((g for g, start in starts.items() if name.startswith(start)), "Arguments")
        groups[group][name.removeprefix(starts.get(group, ""))] = value
    pipelines = (config.get("methods") or {}).items()
    lines = [[name, *map(str, pipeline.values())] for name, pipeline in pipelines]
    heads = list(next(iter(pipelines))[1]) if pipelines else []
    same = [line for line in lines if len(line) == len(heads) + 1]
    kept = _table(["folder", *heads], same, "What each method is") if same else ""
    return kept + "".join(f"<h3>{name}</h3>\n{_list(v)}" for name, v in groups.items() if v)


# Figures


def _figures_of(folder: Path) -> dict[str, str]:
    """Return the run's figures by name, as HTML, each with its caption."""
    places = sorted((folder / "figures").glob("*.png"), key=lambda path: _rank(path.stem))
    return {path.stem: _figure(path) for path in places}


def _rank(name: str) -> tuple[int, str]:
    known = [i for i, start in enumerate(_ORDER) if name.startswith(start)]
    return (known[0] if known else len(_ORDER)), name


def _figure(png: Path) -> str:
    vector, told = png.with_suffix(".svg"), png.with_suffix(".txt")
    with told_of(png, "make the run again"):
        is_small = vector.is_file() and vector.stat().st_size <= _LARGE_SVG
        path, kind = (vector, "svg+xml") if is_small else (png, "png")
        data = base64.b64encode(read_bytes(path, _MOST_IMAGE)).decode()
        caption = read_bytes(told, 2**16).decode("utf-8", "replace") if told.is_file() else ""
    title = png.stem.replace("-", " ", 1)
    return (
        f'<h3>{_text(title)}</h3>\n<figure><img alt="{_text(title)}, described below" '
        f'src="data:image/{kind};base64,{data}">'
        f"<figcaption>{_text(caption)}</figcaption></figure>\n"
    )
