"""Claim: the table of clusterings follows from rows in results/, and from nothing else.

Reads ``results/compare_clustering-*.csv`` and writes between the two marks in
results/README.md: what every pipeline reaches on held-out test samples over all seeds, and
below it what others report. Never loads torch; a second.

    python -m experiments.headline

``--check`` writes nothing and ends with 1 where page and rows have drifted apart.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from ae_cluster.common.errors import InputError
from ae_cluster.common.numbers import NOTHING, number
from ae_cluster.common.terminal import exit_code
from ae_cluster.common.texts import in_markdown
from ae_cluster.reports import summarize
from ae_cluster.reports.literature import PUBLISHED, Published
from ae_cluster.reports.writing import markdown_table
from experiments.support.published import nothing_found, published_rows, redraw_parser

BEGIN = "<!-- headline: written by python -m experiments.headline -->"
END = "<!-- end of headline -->"
FIRST = ("mnist", "fashion-mnist", "digits")  # then all others by name

COLUMNS = ("from → by", "code", "n", "median accuracy", "min – max", "95 % interval", "seconds",
           "assumes", "tuned on", "same pipeline, by others")  # fmt: skip
COLUMNS_OF_OTHERS = ("pipelines by others", "code", "image prior", "scored", "ACC", "NMI", "from")


def headline(rows: pd.DataFrame, n_seeds: int = 10) -> str:
    """Return the generated block: a table per data set and number of clusters.

    Parameters
    ----------
    rows : DataFrame
        Tidy rows of any methods; a new one becomes a new line by itself.
    n_seeds : int
        Seeds expected of every pipeline; where fewer finished, n says so ("7/10").
    """
    summary = summarize(rows, "accuracy", n_seeds=n_seeds)
    held_out = summary[summary["split"] == "test"]
    parts = [
        "\n\n".join(_section(str(dataset), int(k), group))
        for (dataset, k), group in sorted(
            held_out.groupby(["dataset", "n_clusters"]), key=lambda found: _place(*found[0])
        )
    ]
    return "\n\n".join([BEGIN, *parts, END])


def _place(dataset: Any, k: Any) -> tuple[int, str, int]:
    return (FIRST.index(dataset) if dataset in FIRST else len(FIRST)), dataset, k


def _section(dataset: str, k: int, summary: pd.DataFrame) -> list[str]:
    ranked = summary.sort_values("median", ascending=False, kind="stable")
    table = _table(COLUMNS, (_line(pipeline) for pipeline in ranked.itertuples()))
    lost = [
        f"* {in_markdown(f'{pipeline.features} → {pipeline.method}: {pipeline.lost}')}"
        for pipeline in ranked.itertuples()
        if pipeline.lost
    ]
    others = [_line_of_others(one) for one in PUBLISHED if one.dataset == dataset]
    return [
        f"**{in_markdown(dataset)}**, held-out test samples, k = {k}",
        table,
        *(["\n".join(lost)] if lost else []),
        *([_table(COLUMNS_OF_OTHERS, others)] if others else []),
    ]


def _line(pipeline: Any) -> list[str]:
    expected = pipeline.n + pipeline.n_missing + pipeline.n_failed
    return [
        in_markdown(f"{pipeline.features} → {pipeline.method}"),
        str(pipeline.n_components),
        str(pipeline.n) if pipeline.n == expected else f"{pipeline.n}/{expected}",
        _number(pipeline.median),
        _range(pipeline.min, pipeline.max),
        _range(pipeline.low, pipeline.high),
        number(pipeline.seconds, 1),
        in_markdown(pipeline.priors),
        in_markdown(pipeline.tuned_on or NOTHING),
        pipeline.literature or NOTHING,
    ]


def _line_of_others(one: Published) -> list[str]:
    return [one.pipeline, one.code_size, one.image_prior, one.scored, one.acc, one.nmi, one.source]


def _table(header: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    return "\n".join(markdown_table(header, lines))


_number = partial(number, leading_zero=False)


def _range(low: float, high: float) -> str:
    return NOTHING if math.isnan(low) else f"{_number(low)} – {_number(high)}"


# Rows in, page out


def read_rows(results: Path) -> pd.DataFrame:
    """Return the clustering rows of every data set that has some."""
    rows = published_rows(results, "compare_clustering")
    if rows.empty:
        raise InputError(nothing_found(results))
    return rows


def with_headline(page: str, block: str) -> str:
    """Return the page's text with ``block`` in place of what stands between its marks."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise InputError(f"The page lacks the two lines {BEGIN} and {END}; put them back.")
    return before + block + after


def main(argv: Sequence[str] | None = None) -> int:
    """Write the table, or check it, and return the exit code."""
    parser = redraw_parser(__doc__)
    parser.add_argument("--page", type=Path, default=Path("results/README.md"))
    parser.add_argument("--check", action="store_true", help="write nothing, compare")
    arguments = parser.parse_args(argv)
    try:
        before = arguments.page.read_text(encoding="utf-8")
        after = with_headline(before, headline(read_rows(arguments.results), arguments.seeds))
    except (InputError, OSError) as error:
        print(f"headline: {error}", file=sys.stderr)
        return 2
    if arguments.check:
        print("Page and rows agree." if after == before else "Page and rows have drifted "
              "apart; run python -m experiments.headline.")  # fmt: skip
        return int(after != before)
    arguments.page.write_text(after, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(exit_code(main))
