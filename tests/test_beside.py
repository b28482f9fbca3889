"""Work in a process beside a run: the same results, warnings and errors, whatever happens to it."""

import os
import sys
import threading
import time

import numpy as np
import pandas as pd
import pytest
from beside_work import told

from ae_cluster import RunConfig, run
from ae_cluster.runs import beside as module
from ae_cluster.runs.beside import Beside

pytestmark = pytest.mark.skipif(os.cpu_count() == 1, reason="on one core all is done here")
LONG = 100.0  # seconds that work is said to take


MAIN = os.getpid()


def test_short_work_is_done_here_and_long_work_in_another_process(tmp_path):
    with Beside() as beside:
        results = [beside.begin(s, told, tmp_path / str(s)) for s in (0.1, LONG)]
        assert [result() for result in results] == [42, 42]
    assert int((tmp_path / "0.1").read_text()) == MAIN
    assert int((tmp_path / str(LONG)).read_text()) != MAIN


def test_warnings_and_errors_come_here(tmp_path):
    with Beside() as beside:
        with pytest.warns(RuntimeWarning, match="this is odd"):
            assert beside.begin(LONG, told, tmp_path / "a", "warn")() == 42
        with pytest.raises(ValueError, match="this cannot be"):
            beside.begin(LONG, told, tmp_path / "b", "refuse")()


def test_work_of_a_process_that_is_killed_is_done_here(tmp_path):
    with Beside() as beside:
        assert beside.begin(LONG, told, tmp_path / "a", "die", MAIN)() == 42
    assert int((tmp_path / "a").read_text()) == MAIN


def test_a_module_is_loaded_in_the_other_process_before_its_work(tmp_path):
    with Beside() as beside:
        beside.prepare(LONG, "this")  # it says something when it is loaded
        beside.begin(LONG, told, tmp_path / "a", "loaded")()
    loaded = (tmp_path / "a").read_text().split()
    assert int(loaded[0]) != MAIN
    assert "this" in loaded
    assert "this" not in sys.modules


@pytest.mark.parametrize("module_name", ["this", "there.is.none"])
def test_preparing_changes_no_result(module_name, tmp_path):
    with Beside() as beside:
        beside.prepare(0.1, module_name)
        assert beside._pool is None  # short work has no process
        beside.prepare(LONG, module_name)
        assert beside.begin(LONG, told, tmp_path / "a", "die", MAIN)() == 42
        beside.prepare(LONG, module_name)
        assert beside.begin(LONG, told, tmp_path / "b")() == 42


def test_nothing_goes_on_when_the_work_around_it_ends(tmp_path):
    with Beside() as beside:
        beside.begin(LONG, told, tmp_path / "a", "sleep")
        while not (tmp_path / "a").is_file() or not (tmp_path / "a").read_text():
            time.sleep(0.01)
    process = int((tmp_path / "a").read_text())
    end = time.monotonic() + 10
    while is_running(process) and time.monotonic() < end:
        time.sleep(0.01)
    assert not is_running(process)
    assert [t.name for t in threading.enumerate() if "ExecutorManager" in t.name] == []


def is_running(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_rows_of_a_run_are_the_same(tmp_path, monkeypatch):
    tables = []
    for least in (0.0, np.inf):
        monkeypatch.setattr(module, "LEAST_SECONDS", least)
        config = RunConfig(epochs=1, budgets=(1, 2), draws=2)
        tables.append(run(config, tmp_path / str(least), figures=False))
    pd.testing.assert_frame_equal(*(table.drop(columns=["seconds", "peak_mb"]) for table in tables))
