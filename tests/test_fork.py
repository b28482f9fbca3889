"""A child made by fork after a fit can fit, or is told what to do."""

import os
import signal
import subprocess
import sys

import pytest

CHILD = """
import os, sys, time
import numpy as np, torch
from ae_cluster import AutoEncoder, SortingAutoEncoder

def fit(name):
    x = np.random.default_rng(0).random((300, 64), dtype=np.float32)
    if name == "autoencoder":
        return AutoEncoder(max_iter=1, random_state=0).fit_transform(x)
    return SortingAutoEncoder(3, max_iter=1, min_steps=3, random_state=0).fit_transform(x)

name = sys.argv[1]
torch.set_num_threads(2)
torch.ones(1_000_000).exp().sum()  # OpenMP's threads are there, whatever our training asks for
first = fit(name)
if os.fork() == 0:
    start = time.perf_counter()
    try:
        said = "same" if (fit(name) == first).all() else "another"
    except RuntimeError as error:
        said = str(error)
    print(said, time.perf_counter() - start < 5, flush=True)
    os._exit(0)
os.wait()
"""


def _forked(name, timeout=60):
    """Return what a child made by fork after a fit says; both are ended if it never does."""
    code = [sys.executable, "-W", "ignore", "-c", CHILD, name]
    process = subprocess.Popen(
        code, stdout=subprocess.PIPE, text=True, start_new_session=True,
        env=os.environ | {"OMP_WAIT_POLICY": "passive"},
    )  # fmt: skip
    try:
        return process.communicate(timeout=timeout)[0].strip()
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.heavy
def test_a_child_made_by_fork_after_a_fit_can_fit():
    assert _forked("autoencoder") == "same True"


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_child_made_by_fork_after_a_umap_is_told_what_to_do():
    assert "get_context('spawn')" in _forked("sorting", timeout=180)
