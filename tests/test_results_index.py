"""results/README.md lists what lies there, and what it lists lies there."""

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "results"
README = (RESULTS / "README.md").read_text(encoding="utf-8")
LINE = re.compile(
    r"^\| (.+?) \| `(.+?)`( \*not there yet\*)? \| `(.+?)` \| ([A-Z, ]+) \| (.+?) \|$", re.M
)
LISTED = LINE.findall(README)


def test_the_index_is_read_whole():
    table = README.split("## Index")[1].split("Versions A")[0]
    assert len(LISTED) == sum(line.startswith("| ") for line in table.splitlines()) - 1


def test_every_file_is_listed():
    patterns = [file for _, file, *_ in LISTED]
    files = [p.relative_to(RESULTS).as_posix() for p in RESULTS.rglob("*") if p.is_file()]
    lost = [f for f in files if f != "README.md" and not any(fnmatch(f, p) for p in patterns)]
    assert lost == [], "add a line to the index of results/README.md"


@pytest.mark.parametrize(("file", "mark"), [(file, mark) for _, file, mark, *_ in LISTED])
def test_every_listed_file_exists_or_is_marked(file, mark):
    there = (RESULTS / file).is_file() or any(RESULTS.glob(file))
    assert there or mark, f"{file} is listed and not there"
    assert not (there and mark), f"{file} is there: take its mark away"


@pytest.mark.parametrize("command", sorted({command for *_, command, _, _ in LISTED}))
def test_every_command_exists(command):
    folder, name = re.search(r"^(?:python -m |ae-)(experiments|cluster)[. ](\w+)", command).groups()
    home = ROOT / {"experiments": "experiments", "cluster": "ae_cluster/cli"}[folder]
    assert (home / f"{name}.py").is_file()


@pytest.mark.parametrize("letter", sorted(set("".join(row[4] for row in LISTED)) - set(", ")))
def test_versions_are_said(letter):
    assert re.search(rf"^Versions {letter}: Python .*torch .*scikit-learn ", README, re.M)
