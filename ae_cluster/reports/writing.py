"""A summary as Markdown, CSV and LaTeX."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ae_cluster.common.files import make_folder, written_beside
from ae_cluster.common.numbers import NOTHING, number
from ae_cluster.common.spreadsheets import safe_table
from ae_cluster.common.texts import in_markdown, one_line, visible
from ae_cluster.records.rows import TEXTS
from ae_cluster.reports.statistics import STATISTICS

HOW_TO_READ = """\
n: seeds that finished, of those expected if any did not; the median is over these. 95 % interval:
bootstrap percentile interval of the median. To the best: median difference, on the same seeds, to
the best median of the same data, split and k among the pipelines with the most finished seeds;
p: of Wilcoxon's signed-rank test, two-sided, not corrected for their number, and with ten seeds
never below 0.002. Seconds: median. MB: highest peak memory. Priors: what the pipeline knows beside
the samples. Tuned on: what chose its settings."""

_HEADERS = {
    "dataset": "data",
    "n_components": "code size",
    "n_clusters": "k",
    "budget": "labels per class",
    "n_train": "training samples",
}
_NOT_IN_TEXT = {
    "split", _HEADERS["n_components"], "min–max", "MB", "priors", "tuned on", "by others",
}  # fmt: skip
_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "–": "--",
    "−": "$-$",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
}


def write_tables(summary: pd.DataFrame, folder: str | Path, name: str) -> list[Path]:
    """Write a summary as ``NAME.md``, ``NAME.csv`` and ``NAME.tex``; return the three paths.

    Parameters
    ----------
    summary : DataFrame
        As returned by `summarize`, or some lines of it.
    folder : path
        Made if it does not exist.
    name : str
        File name without an ending.

    Raises
    ------
    InputError
        When a file cannot be written; none is left half-written.
    """
    folder = Path(folder)
    make_folder(folder)
    texts = {".md": to_markdown(summary), ".csv": to_csv(summary), ".tex": to_latex(summary)}
    paths = [folder / f"{name}{ending}" for ending in texts]
    for path, text in zip(paths, texts.values(), strict=True):
        with written_beside(path) as beside:
            beside.write_bytes(text.encode())
    return paths


def to_csv(summary: pd.DataFrame) -> str:
    """Return every column of a summary as CSV, numbers to six digits."""
    return safe_table(summary).to_csv(index=False, float_format="%.6g", lineterminator="\n")


def to_markdown(summary: pd.DataFrame) -> str:
    """Return a summary as a Markdown table; below it what is missing and how to read it."""
    columns = _shown(summary)
    head = [column.header for column in columns]
    body = zip(*([in_markdown(text) for text in column.texts] for column in columns), strict=True)
    table = markdown_table(head, body, ["--:" if column.is_number else ":--" for column in columns])
    notes = [f"* {in_markdown(note)}" for note in _notes(summary)]
    return "\n".join([*table, "", *notes, *([""] if notes else []), HOW_TO_READ, ""])


def markdown_table(
    head: Sequence[str], lines: Iterable[Sequence[str]], rule: Sequence[str] = ()
) -> list[str]:
    """Return the lines of a Markdown table, of cells that are Markdown already.

    Parameters
    ----------
    head : sequence of str
    lines : iterable of sequence of str
    rule : sequence of str
        What stands below each head and aligns its column; by default none is aligned.
    """
    rule = rule or ["---"] * len(head)
    return [f"| {' | '.join(line)} |" for line in (head, rule, *lines)]


def to_latex(summary: pd.DataFrame) -> str:
    r"""Return a summary as a LaTeX ``tabular``; needs ``\usepackage{booktabs}``."""
    columns = _shown(summary)
    alignment = "".join("r" if column.is_number else "l" for column in columns)
    lines = zip(*([column.header, *column.texts] for column in columns), strict=True)
    head, *body = [" & ".join(map(_in_latex, line)) + r" \\" for line in lines]
    notes = map(one_line, _notes(summary))  # none may end its comment
    comments = [f"% {line}" for line in (*HOW_TO_READ.splitlines(), *notes)]
    begin, end = rf"\begin{{tabular}}{{{alignment}}}", r"\end{tabular}"
    rows = [begin, r"\toprule", head, r"\midrule", *body, r"\bottomrule", end]
    return "\n".join([*comments, *rows, ""])


def to_text(summary: pd.DataFrame) -> str:
    """Return the columns of a summary that fit a terminal, aligned; below it what is missing."""
    columns = [c for c in _shown(summary) if c.header not in _NOT_IN_TEXT and set(c.texts) - {""}]
    aligned = [
        [text.rjust(width) if column.is_number else text.ljust(width) for text in column.all]
        for column in columns
        for width in [max(map(len, column.all))]
    ]
    table = ["  ".join(line).rstrip() for line in zip(*aligned, strict=True)]
    return "\n".join([*table, *_lost(summary)])


# What is shown


class _Column(NamedTuple):
    header: str
    texts: list[str]
    is_number: bool = True

    @property
    def all(self) -> list[str]:
        """The header and what is below it."""
        return [self.header, *self.texts]


def _shown(summary: pd.DataFrame) -> list[_Column]:
    """Return the columns that people read."""
    groups = [str(column) for column in summary if column not in STATISTICS]
    known = [_Column(_HEADERS.get(c, c), _each(summary[c], _text), c not in TEXTS) for c in groups]
    scores = sorted(set(summary["score"]))
    if len(scores) > 1:
        known.append(_Column("score", list(summary["score"]), is_number=False))
    lines = summary.assign(decimals=_decimals(summary))
    return [
        *known,
        _Column("n", [_finished(*n) for n in _zipped(lines, "n", "n_missing", "n_failed")]),
        _Column(
            f"median {scores[0]}" if len(scores) == 1 else "median",
            [_number(*m) for m in _zipped(lines, "median", "decimals")],
        ),
        _Column("min–max", [_range(*r) for r in _zipped(lines, "min", "max", "decimals")]),
        _Column("95 % interval", [_range(*r) for r in _zipped(lines, "low", "high", "decimals")]),
        _Column(
            "to the best",
            [_difference(*d) for d in _zipped(lines, "difference", "decimals", "best")],
        ),
        _Column("p", _each(summary["wilcoxon"], _p_value)),
        _Column("seconds", _each(summary["seconds"], lambda value: number(value, 1))),
        _Column("MB", _each(summary["peak_mb"], lambda value: number(value, 0))),
        _Column("priors", _each(summary["priors"], _text), is_number=False),
        _Column("tuned on", _each(summary["tuned_on"], _text), is_number=False),
        _Column("by others", _each(summary["literature"], _text), is_number=False),
    ]


def _decimals(summary: pd.DataFrame) -> pd.Series[int]:
    """Return how many decimals show three digits of a score's largest median."""
    largest = summary["median"].abs().groupby(summary["score"]).transform("max")
    digits = np.ceil(np.log10(largest.where(largest > 0, 1).to_numpy(dtype=np.float64)))
    return pd.Series(np.maximum(3 - digits, 0), index=summary.index, dtype=int)


def _zipped(summary: pd.DataFrame, *names: str) -> list[tuple[Any, ...]]:
    return list(summary[list(names)].itertuples(index=False, name=None))


def _each(values: pd.Series[Any], say: Callable[[Any], str]) -> list[str]:
    return [NOTHING if pd.isna(value) or value == "" else say(value) for value in values]


def _text(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else " ".join(visible(str(value)).split())


def _number(value: float, decimals: int) -> str:
    return number(value, decimals).replace("-", "−")


def _range(low: float, high: float, decimals: int) -> str:
    if pd.isna(low):
        return NOTHING
    dash = "–" if low >= 0 else " to "  # "−0.1–0.2" would be a riddle
    return f"{_number(low, decimals)}{dash}{_number(high, decimals)}"


def _finished(n: int, n_missing: int, n_failed: int) -> str:
    return f"{n}/{n + n_missing + n_failed}" if n_missing + n_failed else f"{n}"


def _difference(difference: float, decimals: int, is_best: bool) -> str:
    if is_best:
        return "best"
    return f"{'+' if difference > 0 else ''}{_number(difference, decimals)}"


def _p_value(value: float) -> str:
    return "<0.001" if value < 0.001 else number(value)


def _notes(summary: pd.DataFrame) -> list[str]:
    """Return a line for every group with a lost seed, and one for every number by others."""
    quoted = summary[summary["literature"] != ""].drop_duplicates(
        ["literature", "literature_source"]
    )
    sources = _zipped(quoted, "literature", "literature_source")
    return [*_lost(summary), *(f"{reference}: {source}" for reference, source in sources)]


def _lost(summary: pd.DataFrame) -> list[str]:
    """Return a line for every group with a lost seed."""
    groups = [str(column) for column in summary if column not in STATISTICS]
    names = [
        " · ".join(_each(pd.Series(pipeline), _text)) for pipeline in _zipped(summary, *groups)
    ]
    return [f"{name}: {why}" for name, why in zip(names, summary["lost"], strict=True) if why]


# Escapes


def _in_latex(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)
