"""Somebody's own files all over the folders that commands write to, and what is left of them."""

import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np

QUICK = ["--n-clusters", "2", "--epochs", "2", "--budgets", "1", "--draws", "1", "--no-figures"]
RUN = ["run", "d.npz", *QUICK, "--out", "X"]
MINE = [
    *("thesis.txt", "X.txt", ".git/HEAD", "X.partially/notes.txt"),
    *("X/thesis.txt", "X/.git/HEAD", "X/labels/labels.csv", "X/labels/notes.txt"),
    *("X/methods/notes.txt", "X/methods/kmeans/notes.txt", "X/methods/kmeans/model/notes.txt"),
    *("X/methods/mine/codes.npz", "X/figures/mine.png", "X/figures/tiles.png", "X/codes.npz"),
    *("X.partial/thesis.txt", "X.partial/.git/HEAD", "X.partial/methods/notes.txt"),
    *("X.partial/methods/mine/codes.npz", "X.partial/methods/dec/codes.npz"),
    *("X.partial/methods/kmeans/notes.txt", "X.partial/methods/kmeans/model/notes.txt"),
]
LATE = 500_000  # bytes: every file of a run is smaller, but the page at its end is not


@contextmanager
def commands():
    """Give the function that carries out a command in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, Path(__file__).with_name("forked.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
    )

    def carry_out(cwd, argv, **what_befalls):
        job = {"cwd": str(cwd), "argv": list(map(str, argv)), **what_befalls}
        process.stdin.write(json.dumps(job) + "\n")
        process.stdin.flush()
        done = json.loads(process.stdout.readline())
        assert "Traceback" not in done["said"], done["said"]
        assert "Exception ignored" not in done["said"], done["said"]
        return done["status"], done["said"]

    yield carry_out
    process.stdin.close()
    process.stdout.close()
    process.wait()


def make_states(place, command):
    """Fill a folder with data, a finished run X, and another that was killed, X.partial."""
    rng = np.random.default_rng(0)
    np.savez(place / "d.npz", x=rng.normal(size=(40, 6)), y=np.arange(40) % 2)
    (place / "bad.npz").write_bytes(b"no data")
    assert command(place, RUN)[0] == 0
    (place / "X").rename(place / "finished")
    assert command(place, RUN, most_bytes=LATE)[0] == 2
    (place / "X.partial").rename(place / "killed")
    return place


def plant(place, files=MINE):
    """Put somebody's own files into the folders that exist, and return what they hold."""
    for i, name in enumerate(files):
        top = place / Path(name).parts[0]
        if (
            not Path(name).parent.name
            or not top.name.startswith("X")
            or top.is_dir()
            or (top.name == "X.partially")
        ):
            path = place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(bytes([i]) * 100)
    return {name: (place / name).read_bytes() for name in files if (place / name).is_file()}


def lost(place, mine):
    """Return the names of those files that are not there any more, to the byte."""
    return [
        name
        for name, content in mine.items()
        if not (place / name).is_file() or (place / name).read_bytes() != content
    ]


def here(states, tmp_path, x="nothing", partial="nothing"):
    """Make a folder in which X and X.partial are of these kinds, with somebody's files all over."""
    for name in ("d.npz", "bad.npz"):
        shutil.copy(states / name, tmp_path / name)
    for kind, name in ((x, "X"), (partial, "X.partial")):
        if kind in ("finished", "killed"):
            shutil.copytree(states / kind, tmp_path / name)
        elif kind != "nothing":
            (tmp_path / name).mkdir()
        if kind == "alien":
            (tmp_path / name / "config.json").write_text('{"model_type": "bert"}')
    mine = plant(tmp_path)
    if x == "alien":
        mine["X/config.json"] = b'{"model_type": "bert"}'
    return mine


def is_whole(place):
    content = json.loads((place / "X" / "config.json").read_text())
    return "arguments" in content and all(
        (place / "X" / name).is_file() for name in content["files"]
    )


def contents(place):
    return {
        path.relative_to(place): path.read_bytes() if path.is_file() else None
        for path in place.rglob("*")
    }
