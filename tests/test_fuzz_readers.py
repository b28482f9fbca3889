"""Mutated files of every kind end in a result or an `InputError`, soon and in little memory."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


def more_in_time(few, some, many):
    """Give how many files a plain ``pytest`` tries, a heavy test, and a slow one."""
    heavy = pytest.param(some, 1, marks=pytest.mark.heavy)
    slow = pytest.param(many, 2, marks=pytest.mark.slow)
    return pytest.mark.parametrize(("n", "seed"), [(few, 0), heavy, slow])


@more_in_time(40, 300, 3000)
def test_readers_survive_any_file(n, seed):
    assert_survived(n, seed)


@more_in_time(3, 15, 300)
def test_the_reader_of_h5ad_survives_any_file(n, seed):
    pytest.importorskip("anndata", reason="the extra bio is not installed")
    assert_survived(n, seed, "h5ad")


def assert_survived(*arguments):
    worker = Path(__file__).with_name("fuzz_worker.py")
    here = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), str(worker.parents[1])]))
    done = subprocess.run(
        [sys.executable, worker, *map(str, arguments)], env=os.environ | {"PYTHONPATH": here},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    failures = json.loads(done.stdout.splitlines()[-1])
    assert failures == [], "\n\n".join(f"{name}\n{why}" for name, why in failures)
