"""``ae-cluster compare``: run folders side by side, and medians over their seeds."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ae_cluster.cli import arguments as read
from ae_cluster.cli.commands import add_command
from ae_cluster.cli.output import add_json, print_json, records
from ae_cluster.common.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from ae_cluster.reports.comparison import Run

PRINTED = Path("-")  # what a format without a file means
EPILOG = """\
examples:
  ae-cluster compare runs/digits-seed0 runs/digits-seed1 --csv both.csv
  ae-cluster run digits mnist --seeds 5 --method kmeans --method mine:Class --out mine
  ae-cluster compare mine --latex > table.tex       medians over the seeds, with a paired test
"""


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    compare = add_command(
        commands, "compare", epilog=EPILOG,
        description="Put the held-out scores of two or more run folders side by side, name what "
        "differs in their configuration, and say what must not be compared. Where a data set was "
        "run with several seeds: of every method n, median, 95 % interval, and a paired test "
        "against the best.",
    )  # fmt: skip
    option = compare.add_argument
    option(
        "runs", nargs="+", type=read.path, metavar="RUNS",
        help="folders that ae-cluster run wrote, or folders of such",
    )  # fmt: skip
    option(
        "--score", metavar="NAME",
        help="column of scores.csv to take the medians of; default: accuracy, without labels "
        "silhouette",
    )  # fmt: skip
    for name in ("markdown", "latex"):
        option(
            f"--{name}", nargs="?", type=read.path, const=PRINTED, metavar="PATH",
            help="print the medians so, and nothing else, or write them to a new file",
        )  # fmt: skip
    option(
        "--csv", nargs="?", type=read.path, const=PRINTED, metavar="PATH",
        help="print the medians as CSV, and nothing else; with PATH write the rows of all runs to "
        "a new file",
    )  # fmt: skip
    add_json(compare)
    compare.set_defaults(function=_compare)


def _compare(arguments: argparse.Namespace) -> None:
    from ae_cluster.reports.comparison import compared_rows, read_runs, write_rows
    from ae_cluster.reports.over_seeds import seed_summary

    formats = _formats(arguments)
    runs = read_runs(arguments.runs)
    rows_to = arguments.csv if arguments.csv != PRINTED else None
    if arguments.json and any(path == PRINTED for path, _ in formats.values()):
        raise InputError("--json and another format cannot both be printed; name a file for one.")
    if rows_to:
        write_rows(compared_rows(runs), rows_to)
    if formats:
        summary = seed_summary(runs, arguments.score)
        for path, written in formats.values():
            _hand_out(written(summary), path)
    if arguments.json:
        print_json(_as_json(runs, arguments.score))
    elif not formats:
        print(_as_text(runs, arguments.score))
        if rows_to:
            print(f"\nAll rows of all runs: {rows_to}")


Format = tuple[Path, Callable[["pd.DataFrame"], str]]


def _formats(arguments: argparse.Namespace) -> dict[str, Format]:
    """Return of each format that was asked for where its text goes, and what makes it."""
    from ae_cluster.reports.writing import to_csv, to_latex, to_markdown

    made = {"markdown": to_markdown, "latex": to_latex, "csv": to_csv}
    asked = {name: getattr(arguments, name) for name in made}
    if asked["csv"] != PRINTED:
        del asked["csv"]  # the rows of all runs, in a file
    found: dict[str, Format] = {
        name: (path, made[name]) for name, path in asked.items() if path is not None
    }
    if sum(path == PRINTED for path, _ in found.values()) > 1:
        raise InputError(
            f"{' and '.join(f'--{name}' for name in found)} cannot all be printed; "
            "name a file for each but one."
        )
    return found


def _hand_out(text: str, path: Path) -> None:
    if path == PRINTED:
        print(text, end="")
        return
    from ae_cluster.reports.comparison import write_new

    write_new(text, path)


def _as_text(runs: list[Run], score: str | None) -> str:
    from ae_cluster.reports.comparison import comparison_report, is_many
    from ae_cluster.reports.over_seeds import is_over_seeds, seed_report

    if is_many(runs):
        return seed_report(runs, score)
    beside = comparison_report(runs)
    if not is_over_seeds(runs) and score is None:
        return beside
    try:
        return f"{beside}\n\n{seed_report(runs, score)}"
    except InputError as error:
        if score is not None:
            raise
        return f"{beside}\n\nNo medians over the seeds: {error}"


def _as_json(runs: list[Run], score: str | None) -> dict[str, Any]:
    from ae_cluster.reports.comparison import compared_rows, notes
    from ae_cluster.reports.over_seeds import seed_summary

    medians, told = None, notes(runs)
    try:
        medians = records(seed_summary(runs, score))
    except InputError as error:
        if score is not None:
            raise
        told.append(f"No medians over the seeds: {error}")
    named = [
        {"name": run.letter, "folder": run.folder, "arguments": run.config["arguments"]}
        for run in runs
    ]
    rows = records(compared_rows(runs))
    return {"runs": named, "notes": told, "medians": medians, "rows": rows}
