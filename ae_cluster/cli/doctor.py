"""``ae-cluster doctor``: whether this installation and machine can do the work."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ae_cluster.cli import arguments as read
from ae_cluster.cli.commands import add_command
from ae_cluster.cli.output import add_json, print_json

if TYPE_CHECKING:
    from ae_cluster.runs.doctor import Finding


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    doctor = add_command(
        commands, "doctor",
        description="Look at versions, threads, device, data, free space and memory, and train "
        "for some seconds on the bundled digits; say of each finding what to do. The exit code is "
        "1 where something will not work.",
    )  # fmt: skip
    doctor.add_argument("--data-home", type=read.path, help="where data sets lie")
    add_json(doctor)
    doctor.set_defaults(function=_doctor)


def _doctor(arguments: argparse.Namespace) -> int:
    from ae_cluster.runs.doctor import examine

    findings: list[Finding] = []
    for finding in examine(arguments.data_home):
        if not arguments.json:
            is_new = not findings or findings[-1].group != finding.group
            print(_as_text(finding, is_new), flush=True)
        findings.append(finding)
    problems = [finding for finding in findings if not finding.is_fine]
    if arguments.json:
        listed = [asdict(finding) for finding in findings]
        print_json({"is_fine": not problems, "findings": listed})
    else:
        names = ", ".join(finding.subject for finding in problems)
        print(f"\n{f'{len(problems)} to mend: {names}' if problems else 'All is fine.'}")
    return 1 if problems else 0


def _as_text(finding: Finding, is_new: bool) -> str:
    mark = "ok" if finding.is_fine else "PROBLEM"
    head = f"\n{finding.group}\n" if is_new else ""
    line = f"{head}  {mark:<8} {finding.subject:<22} {finding.found}"
    return f"{line}\n{'':11} -> {finding.to_do}" if finding.to_do else line
