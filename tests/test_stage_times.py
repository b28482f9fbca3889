"""Stages: their seconds add up to those of the whole, and a run keeps them."""

import json
import time

import numpy as np
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


def test_memory_is_of_the_stage_in_which_it_was_held():
    with stage_times(memory=True) as times:
        with stage("large"):
            np.ones(40_000_000)
        with stage("small"):
            np.ones(10)
    assert times.peak_mb["large"] > times.peak_mb["small"] + 250


def test_a_runs_config_says_where_its_time_went(small_run, tmp_path):
    config = json.loads((small_run(tmp_path / "RUN") / "config.json").read_text())
    seconds = config["stage_seconds"]
    assert {OTHER, "reading", "training", "clustering", "page"} <= set(seconds)
    assert all(value >= 0 for value in seconds.values())
    assert list(seconds.values()) == sorted(seconds.values(), reverse=True)
