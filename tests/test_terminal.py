"""Whatever standard output and error are: no traceback, and no text that acts on a terminal."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ae_cluster.cli.main import main
from ae_cluster.common.errors import InputError
from ae_cluster.common.terminal import Readable, exit_code
from ae_cluster.common.texts import in_markdown, one_line, quoted, shortened, visible

ROOT = Path(__file__).parents[1]
QUICK = ["--epochs", "1", "--draws", "1", "--budgets", "1", "--no-figures"]
ENCODINGS = ("ascii", "cp1252", "cp850", "latin-1", "utf-8", "utf-16", "cp037")
TEXT = "kmeans → 猫 – café\x1b[2J\x9b1m\x07 “a” ≥ 1 × 2 … \ud800\u202e\r\n"


def command(*words, **options):
    """Run ae-cluster in a process of its own; return it, its output as bytes."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | options.pop("env", {})
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    return subprocess.run(
        [sys.executable, "-m", "ae_cluster.cli", *map(str, words)],
        env=environment, check=False, timeout=300, **options,
    )  # fmt: skip


# Text


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_any_text_can_be_written_in_any_encoding(encoding):
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, newline="\n")
    Readable(stream, is_result=True).write(TEXT)
    stream.flush()
    found = raw.getvalue().decode(encoding)
    assert "\x1b" not in found
    assert "\\x1b[2J\\x9b1m\\x07" in found
    assert "\\ud800\\u202e" in found
    assert ("kmeans → 猫" if encoding.startswith("utf") else "kmeans -> \\u732b") in found


def test_a_progress_bar_may_go_back_and_data_may_not():
    stream = io.StringIO()
    shown = Readable(stream, is_result=False)
    shown.write("\rtraining: 50%")
    shown.write("\x1b[A")
    shown.write("safe\revil \x1b[A")
    assert stream.getvalue() == "\rtraining: 50%\x1b[Asafe\\x0devil \\x1b[A"


def test_text_is_shown_whole_or_its_middle_left_out():
    assert visible("a\tb\nc é 猫") == "a\tb\nc é 猫"
    assert one_line("a\r\nb\x1b") == "a\\r\\nb\\x1b"
    assert shortened("x" * 30, 30) == "x" * 30
    assert len(shortened("x" * 31, 30)) == len(quoted("y" * 500, 30)) == 30
    assert len(quoted("\x1b" * 500)) == 200


def test_an_error_is_one_line_however_long_what_it_quotes():
    said = str(InputError(f"The class {'a' * 14_000!r}\n\x1b[2J is no class; name another."))
    assert len(said) <= 1000
    assert said.endswith("\\x1b[2J is no class; name another.")
    assert "\n" not in said


@pytest.mark.parametrize(
    "text",
    ["[x](http://evil.example)", "![](//a.b/c.png)", "http://evil.example", "WWW.evil.example",
     "<b>", "a|b", "`c`", "<https://evil.example>", "[x]: http://evil.example", "a\n\n# b"],
)  # fmt: skip
def test_markdown_of_data_holds_no_link_and_no_markup(text):
    written = in_markdown(text)
    assert "\n" not in written
    for mark in ("[x](", "![](", "://", "www.", "WWW."):
        assert mark not in written
    plain = written.replace("\\", "")
    assert plain == " ".join(text.split())
    for i, character in enumerate(written):
        if character in "|*_<`[]":
            assert written[i - 1] == "\\"


# Streams that cannot be written to


def test_a_program_says_what_ended_it_and_leaves_with_its_code(capsys):
    def fails():
        raise InputError("no \x1b[2J.")

    def interrupted():
        raise KeyboardInterrupt

    assert exit_code(lambda: None) == 0
    assert exit_code(lambda: 1) == 1
    assert exit_code(fails, "it") == 2
    assert exit_code(interrupted) == 130
    assert capsys.readouterr().err == "it: no \\x1b[2J.\ninterrupted.\n"


needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")


@needs_full
@pytest.mark.parametrize("words", [("datasets",), ("methods",), ("--help",)])
def test_a_full_disk_under_standard_output_is_a_sentence(words):
    with Path("/dev/full").open("wb") as full:
        done = command(*words, stdout=full)
    assert done.returncode == 2
    assert b"cannot be written to standard output (No space left" in done.stderr
    assert done.stderr.count(b"\n") == 1


@needs_full
@pytest.mark.parametrize("closed", ["2>&-", "2>/dev/full", "<&- 2>&-"])
def test_without_standard_error_the_sentence_is_on_standard_output(tmp_path, closed):
    line = f'exec "$0" -m ae_cluster.cli run --config nothing {closed}'
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["sh", "-c", line, sys.executable],
        capture_output=True, cwd=tmp_path, env=environment, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stdout.startswith(b"ae-cluster: There is no config at nothing")
    assert done.stderr == b""


def test_no_file_gets_the_number_of_a_closed_stream():
    # Libraries write what they have to say to file number 2, whatever was opened there.
    code = (
        "import os; from ae_cluster.cli.main import main; main(['datasets']); os.write(2, b'noise')"
    )
    line = f'exec "$0" -c "{code}" 2>&-'
    done = subprocess.run(["sh", "-c", line, sys.executable], capture_output=True, check=False,
                          env=os.environ | {"PYTHONPATH": str(ROOT)})  # fmt: skip
    assert done.returncode == 0
    assert done.stdout.startswith(b"digits\n")


# Names


def refused(capsys, *words):
    try:
        code = main([*map(str, words)])
    except SystemExit as left:
        code = left.code
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert code == 2
    assert said.startswith("ae-cluster")
    assert said.endswith((".", "?"))
    return said


@pytest.mark.parametrize(
    "words",
    [
        ("run", "PLACE"), ("run", "--out", "PLACE"), ("run", "--config", "PLACE"),
        ("explore", "PLACE"), ("explore", ".", "--out", "PLACE"), ("label", "PLACE"),
        ("label", ".", "--answers", "PLACE"), ("classify", "PLACE"),
        ("classify", "d.npz", "--labels", "PLACE"), ("classify", "d.npz", "--out", "PLACE"),
        ("compare", "PLACE", "PLACE"), ("compare", ".", "..", "--csv", "PLACE"),
        ("run", "mnist", "--data-home", "PLACE"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("place", ["~nouser/x", "/dev/full", "n" * 250])
def test_odd_places_are_a_sentence(words, place, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    np.savez("d.npz", x=np.arange(60.0).reshape(20, 3), y=np.arange(20) % 2)
    before = sorted(tmp_path.iterdir())
    said = refused(capsys, *(place if word == "PLACE" else word for word in words))
    if place.startswith("~"):
        assert "home folder" in said
    assert sorted(tmp_path.iterdir()) == before


def test_a_long_name_of_a_file_gives_a_short_name_of_a_folder(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    name = f"{'n' * 240}.npz"
    np.savez(name, x=np.random.default_rng(0).random((40, 4)))
    assert main(["run", name, "--n-clusters", "2", *QUICK]) == 0
    assert Path(f"runs/{'n' * 50}-seed0/config.json").is_file()
    assert refused(capsys, "run", name, "--n-clusters", "2", "--out", "n" * 246, *QUICK)


# Every command, in processes of their own


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Give a folder with data whose ids and classes no narrow encoding has."""
    here = tmp_path_factory.mktemp("encodings")
    y = np.array(["café → 猫", "\x1b[31mred", "[x](http://evil.example)"])[np.arange(60) % 3]
    x = np.random.default_rng(0).random((60, 6)) + (np.arange(60) % 3)[:, None]
    (here / "tour.py").write_text(WHOLE_TOUR, encoding="utf-8")
    np.savez(here / "d–é.npz", x=x, y=y, ids=[f"\x1b[2J{i} →" for i in range(60)])
    return here


WHOLE_TOUR = """
import csv, json, os, sys
from pathlib import Path
from ae_cluster.cli.commands import COMMANDS
from ae_cluster.cli.main import main
out, quick = sys.argv[1], sys.argv[2:]
def go(*words):
    try:
        code = main([os.fsdecode(word.encode()) for word in words])
    except SystemExit as left:
        code = left.code
    codes.append(code)
    if words[1:] != ("--help",):
        called.add(words[0])
codes, called = [], set()
for words in (["--help"], ["datasets"], ["methods"], ["methods", "--json"], ["completion", "fish"]):
    go(*words)
for name in COMMANDS:
    go(name, "--help")
for run in (out + "→", out):
    go("run", "d–é.npz", "--n-clusters", "3", "--out", run, *quick)
go("compare", out, out + "→", "--csv", out + "é.csv")
go("explore", out)
go("describe", out)
go("label", out, "--n-labels", "6")
config = json.loads(Path(out, "config.json").read_text(encoding="utf-8"))
names = config["data"]["class_names"]
lines = [["id", "label"], *([f"\\x1b[2J{i} →", names[i % 3]] for i in range(12))]
with open(out + ".csv", "w", encoding="utf-8", newline="") as file:
    csv.writer(file).writerows(lines)
go("label", out, "--answers", out + ".csv")
go("classify", out, "--labels", out + ".csv", "--method", "knn", "--out", out + "p.csv")
go("assign", out, "d–é.npz", "--out", out + "→a.csv")
go("report", out, "--out", out + "→.html")
go("export", out, "--out", out + "→.onnx")
go("suggest-k", "d–é.npz", "--max-clusters", "4")
if out != "ascii":
    go("doctor")
    go("tutorial", "digits", "--epochs", "1", "--no-show", "--out", out + "→t")
good, codes = codes, []
go("run", "nö→\\x1b.npz")
go("run", "--seed", "→")
go("compare", "→", "–")
print(json.dumps([good, codes, sorted(set(COMMANDS) - called)]))
"""


def tour(place, name, env):
    with (place / f"{name}.log").open("wb") as log, (place / f"{name}.err").open("wb") as err:
        done = subprocess.run(
            [sys.executable, "tour.py", name, *QUICK], stdout=log, stderr=err, cwd=place,
            env=os.environ | {"PYTHONPATH": str(ROOT)} | env, check=False, timeout=300,
        )  # fmt: skip
    out, err = (place / f"{name}.log").read_bytes(), (place / f"{name}.err").read_bytes()
    assert done.returncode == 0, err
    assert b"Traceback" not in out + err
    assert b"\x1b" not in out + err
    good, bad, not_called = json.loads(out.splitlines()[-1])
    assert (set(good), set(bad)) == ({0}, {2})
    assert not_called == (["doctor", "tutorial"] if name == "ascii" else [])  # those take long
    with (place / f"{name}p.csv").open(encoding="utf-8", newline="") as file:
        found = {row["prediction"] for row in csv.DictReader(file)}
    assert found == {"café → 猫", "\x1b[31mred", "[x](http://evil.example)"}
    return out


@pytest.mark.heavy
def test_every_command_in_ascii(place):
    out = tour(place, "ascii", {"PYTHONIOENCODING": "ascii"})
    assert b"autoencoder -> kmeans" in out
    out.decode("ascii")


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["cp1252", "cp850", "latin-1", "utf-8"])
def test_every_command_in_other_encodings(place, encoding):
    out = tour(place, encoding, {"PYTHONIOENCODING": encoding})
    out.decode(encoding)


@pytest.mark.slow
def test_every_command_where_even_the_file_system_is_ascii(place):
    tour(place, "c", {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"})


def test_experiments_print_in_ascii_too(run_experiment, monkeypatch, tmp_path):
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    done = run_experiment("tables", "--results", tmp_path / "–\x1b")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "\x1b" not in done.stdout + done.stderr
