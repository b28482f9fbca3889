"""``ae-cluster describe``: what the clusters of a run are like."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ae_cluster.cli import arguments as read
from ae_cluster.cli.commands import add_command
from ae_cluster.cli.output import add_json, print_json, print_note, records
from ae_cluster.common.errors import InputError

if TYPE_CHECKING:
    from ae_cluster.runs.describe import Description

TABLES = ("clusters", "columns", "label-errors", "duplicates")
ENDINGS = (".csv", ".md")
EPILOG = """\
examples:
  ae-cluster describe runs/mnist
  ae-cluster describe runs/cells --method gmm --out clusters.md --names names.csv
  ae-cluster describe runs/mnist --out errors.csv --table label-errors
names.csv has the columns cluster and name.
"""


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    describe = add_command(
        commands, "describe", epilog=EPILOG,
        description="Say of every cluster of a run how large and pure it is, which samples are "
        "typical, borderline and outlying, which clusters are nearest, and of a table which "
        "columns tell it from the rest; list likely label errors and near-duplicates.",
    )  # fmt: skip
    option = describe.add_argument
    read.add_run(option)
    read.add_method_of_run(option)
    option("--out", type=read.path, metavar="FILE", help=".md with all, or .csv with one table")
    option("--table", choices=TABLES, default=TABLES[0], help="of the .csv; default: clusters")
    option(
        "--n-listed", type=read.whole(0), default=20, metavar="N",
        help="how many label errors and pairs to list; a .csv has all; default: 20",
    )  # fmt: skip
    option("--names", type=read.path, metavar="FILE", help="a .csv with your names of clusters")
    option("--force", action="store_true", help="replace the file if it exists")
    read.add_data_home(option)
    add_json(describe)
    describe.set_defaults(function=_describe)


def _describe(arguments: argparse.Namespace) -> None:
    from ae_cluster.reports.description import to_text
    from ae_cluster.runs.describe import describe_run

    out = None if arguments.out is None else arguments.out.absolute()
    if out is not None and out.suffix.lower() not in ENDINGS:
        raise InputError(f"{out} must end in {' or '.join(ENDINGS)}; name it so.")
    found = describe_run(
        arguments.run, arguments.method, names=arguments.names, data_home=arguments.data_home
    )
    for note in found.notes:
        print_note(note)
    if out is not None:
        _write(found, out, arguments)
    if arguments.json:
        print_json(_as_json(found, arguments.n_listed, out))
    elif out is not None:
        print(f"{_title(found)}: {out}")
    else:
        print(to_text(_title(found), found.clusters, _lists(found, arguments.n_listed)))


def _title(found: Description) -> str:
    n = int((found.clusters["cluster"] >= 0).sum())
    return f"{found.data}, {found.method}: {found.n_samples:,} samples in {n:,} clusters"


def _lists(found: Description, n: int) -> tuple[tuple[str, Any], ...]:
    def said(what: str, table: Any) -> str:
        return f"{what}: {min(n, len(table)):,} of {len(table):,}" if len(table) > n else what

    return (
        (said("Likely label errors", found.label_errors), found.label_errors.head(n)),
        (said("Near-duplicates", found.duplicates), found.duplicates.head(n)),
    )


def _write(found: Description, out: Path, arguments: argparse.Namespace) -> None:
    from ae_cluster.common.files import written_beside
    from ae_cluster.reports.description import TITLE, to_csv, to_markdown
    from ae_cluster.semi_supervised.label_files import refuse_existing_table

    if out.suffix.lower() == ".md":
        lists = _lists(found, arguments.n_listed)
        text, head = to_markdown(_title(found), found.clusters, lists, found.notes), TITLE
    else:
        text = to_csv(getattr(found, arguments.table.replace("-", "_")))
        head = text.partition("\n")[0]
    refuse_existing_table(out, arguments.force, head)
    with written_beside(out) as beside:
        beside.write_text(text, encoding="utf-8", newline="\n")


def _as_json(found: Description, n: int, out: Path | None) -> dict[str, Any]:
    return {
        "data": found.data,
        "method": found.method,
        "n_samples": found.n_samples,
        "clusters": records(found.clusters),
        "columns": records(found.columns),
        "n_label_errors": len(found.label_errors),
        "label_errors": records(found.label_errors.head(n)),
        "n_duplicates": len(found.duplicates),
        "duplicates": records(found.duplicates.head(n)),
        "file": out,
    }
