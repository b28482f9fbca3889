"""Stages: their seconds add up to those of the whole, and a run keeps them."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ae_cluster.common.stage_times import OTHER, stage, stage_times


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass only when a test lets them."""
    now = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])

    def wait(seconds):
        now[0] += seconds

    return wait


def test_an_inner_stage_counts_for_itself_alone(clock):
    with stage_times() as times:
        clock(1)
        with stage("outer"):
            clock(2)
            with stage("inner"):
                clock(4)
            clock(8)
        clock(16)
    assert times.seconds == {OTHER: 17, "outer": 10, "inner": 4}
    assert list(times.rounded().items()) == [(OTHER, 17), ("outer", 10), ("inner", 4)]


def test_a_stage_that_comes_again_or_fails_is_added(clock):
    @stage("work")
    def work(seconds):
        clock(seconds)
        if seconds > 2:
            raise ValueError("too long")

    with stage_times() as times:
        work(1)
        work(2)
        with pytest.raises(ValueError, match="too long"):
            work(3)
        clock(4)
    assert times.seconds == {OTHER: 4, "work": 6}


def test_nothing_is_gathered_where_nobody_asked(clock):
    with stage("work"):
        clock(1)
    with stage_times() as times:
        clock(1)
    assert times.seconds == {OTHER: 1}


def test_one_within_another_is_the_same(clock):
    with stage_times() as outer, stage_times() as inner:
        clock(1)
    assert inner is outer
    assert outer.seconds == {OTHER: 1}


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="of Linux")
def test_memory_is_of_the_stage_in_which_it_was_held():
    """In a process of its own: that of the tests has freed memory which is used again."""
    code = (
        "import numpy as np\n"
        "from ae_cluster.common.stage_times import stage, stage_times\n"
        "with stage_times(memory=True) as times:\n"
        "    with stage('large'):\n        np.ones(40_000_000)\n"
        "    with stage('small'):\n        np.ones(10)\n"
        "assert times.peak_mb['large'] > times.peak_mb['small'] + 250, times.peak_mb\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_runs_config_says_where_its_time_went(small_run, tmp_path):
    config = json.loads((small_run(tmp_path / "RUN") / "config.json").read_text())
    seconds = config["stage_seconds"]
    assert {OTHER, "reading", "training", "clustering", "page"} <= set(seconds)
    assert all(value >= 0 for value in seconds.values())
    assert list(seconds.values()) == sorted(seconds.values(), reverse=True)
