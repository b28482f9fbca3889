"""The law: no command deletes or changes a file that it did not write; one situation each."""

import json
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from own_files import LATE, RUN, contents, here, is_whole, lost

from ae_cluster import InputError
from ae_cluster.records.config import RunConfig
from ae_cluster.runs.run import run


@pytest.mark.parametrize("x", ["alien", "own"])
def test_force_refuses_a_folder_that_is_no_run(states, tmp_path, command, x):
    mine = here(states, tmp_path, x)
    status, said = command(tmp_path, [*RUN, "--force"])
    assert status == 2
    assert "X is not a folder that ae-cluster wrote" in said
    assert "and 8 more" in said or "config.json and 9 more" in said
    assert not lost(tmp_path, mine)
    assert not (tmp_path / "X.partial").exists()


def test_force_replaces_a_run_and_keeps_labels_and_all_that_is_not_of_the_run(
    states, tmp_path, command
):
    mine = here(states, tmp_path, "finished")
    status, said = command(tmp_path, [*RUN, "--force", "--seed", "1"])
    assert status == 0
    assert "Not of the run, and left as it was in" in said
    assert ".git/HEAD, codes.npz, figures/mine.png and 8 more" in said
    assert not lost(tmp_path, mine)
    assert is_whole(tmp_path)
    assert json.loads((tmp_path / "X" / "config.json").read_text())["arguments"]["seed"] == 1
    assert not (tmp_path / "X.partial").exists()


def test_files_of_methods_that_are_not_asked_for_any_more_go(states, tmp_path, command):
    here(states, tmp_path, "finished")
    (tmp_path / "X" / "methods" / "gmm" / "notes.txt").write_text("mine")
    assert command(tmp_path, [*RUN, "--force", "--method", "kmeans"])[0] == 0
    assert [path.name for path in (tmp_path / "X" / "methods" / "gmm").iterdir()] == ["notes.txt"]


def test_a_run_of_an_earlier_version_is_known_by_its_layout(states, tmp_path, command):
    mine = here(states, tmp_path, "finished")
    (tmp_path / "X" / "figures" / "tiles.png").unlink()
    del mine["X/figures/tiles.png"]
    for path in [*(tmp_path / "X").rglob("clusterer.*"), tmp_path / "X" / "clusters.csv"]:
        path.unlink()  # which it did not write
    config = json.loads((tmp_path / "X" / "config.json").read_text())
    del config["files"]
    (tmp_path / "X" / "config.json").write_text(json.dumps(config))
    assert command(tmp_path, [*RUN, "--force", "--method", "kmeans"])[0] == 0
    assert not lost(tmp_path, mine)
    assert not (tmp_path / "X" / "methods" / "gmm").exists()


def test_a_received_config_cannot_list_what_is_not_a_runs(states, tmp_path, command):
    mine = here(states, tmp_path, "finished")
    config = json.loads((tmp_path / "X" / "config.json").read_text())
    config["files"] += [
        "../thesis.txt",
        "labels/labels.csv",
        "thesis.txt",
        "figures/../../X.txt",
        1,
    ]
    config["files"] += [str(tmp_path / "thesis.txt"), ".git/HEAD", ""]
    (tmp_path / "X" / "config.json").write_text(json.dumps(config))
    assert command(tmp_path, [*RUN, "--force"])[0] == 0
    assert not lost(tmp_path, mine)


@pytest.mark.parametrize(
    "name", ["methods/dec/codes.npz", "figures/tiles.png", "methods", "explorer.html"]
)
def test_what_stands_in_the_way_is_refused_before_the_training(states, tmp_path, command, name):
    here(states, tmp_path, "finished")
    if name == "methods":  # on another disk, say
        shutil.move(tmp_path / "X" / "methods", tmp_path / "methods")
        (tmp_path / "X" / "methods").symlink_to(tmp_path / "methods")
    else:
        (tmp_path / "X" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "X" / name).write_text("mine")
    before = contents(tmp_path)
    arguments = [word for word in RUN if word != "--no-figures" or "tiles" not in name]
    status, said = command(tmp_path, [*arguments, "--method", "dec", "--force"])
    assert status == 2
    assert f"X holds {name}, which is not listed" in said
    assert "Training" not in said
    assert contents(tmp_path) == before


@pytest.mark.parametrize("flags", [["--force"], ["--resume"], []])
def test_a_folder_where_the_run_would_be_made_is_refused(states, tmp_path, command, flags):
    mine = here(states, tmp_path, partial="own")
    before = contents(tmp_path)
    status, said = command(tmp_path, [*RUN, *flags])
    assert status == 2
    assert "X.partial is where the run would be made, and it is not of one" in said
    assert "and 4 more" in said
    assert contents(tmp_path) == before
    assert not lost(tmp_path, mine)


@pytest.mark.parametrize("method", ["kmeans", "dec"])
def test_resume_spares_what_is_not_its_own(states, tmp_path, command, method):
    mine = here(states, tmp_path, partial="killed")
    status, said = command(tmp_path, [*RUN, "--resume", "--method", method])
    assert not lost(tmp_path, mine)
    if method == "dec":
        assert status == 2
        assert "X.partial holds methods/dec/codes.npz, not written by ae-cluster" in said
        assert not (tmp_path / "X").exists()
    else:
        assert status == 0
        assert is_whole(tmp_path)
        assert not (tmp_path / "X" / "methods" / "gmm").exists()
        assert "left as it was in" in said


def test_labels_of_other_data_are_not_taken_for_those_of_the_new(states, tmp_path, command):
    here(states, tmp_path, "finished")
    np.savez(tmp_path / "e.npz", x=np.random.default_rng(1).normal(size=(40, 6)))
    before = contents(tmp_path)
    status, said = command(tmp_path, ["run", "e.npz", *RUN[2:], "--force"])
    assert status == 2
    assert "X holds labels of other data (labels/labels.csv and labels/notes.txt)" in said
    assert contents(tmp_path) == before


def test_a_full_disk_at_the_end_keeps_what_was_learnt(states, tmp_path, command):
    here(states, tmp_path)
    status, said = command(tmp_path, [*RUN, "--method", "dec"], most_bytes=LATE)
    assert status == 2
    last = said.splitlines()[-1]
    assert "explorer.html cannot be written (File too large)" in last
    assert "what was learnt is kept, and the same command with --resume" in last
    assert not (tmp_path / "X").exists()
    status, said = command(tmp_path, [*RUN, "--method", "dec", "--resume"])
    assert status == 0
    assert "Going on after epoch 2 of 2" in said
    assert "dec was learnt before the run was interrupted" in said
    assert "Learning dec" not in said
    assert is_whole(tmp_path)


@pytest.mark.parametrize("folder", ["X", "X/methods/kmeans"])
def test_a_run_that_may_not_be_written_to_is_refused_at_once(states, command, folder):
    with tempfile.TemporaryDirectory() as name:  # pytest's own is open to its user only
        place = Path(name)
        here(states, place, "finished")
        befalls = {}
        if os.getuid() == 0:  # whom no permission binds
            befalls = {"uid": 65534}
            for path in (place, *place.rglob("*")):
                os.chown(path, 65534, 65534)
        (place / folder).chmod(0o555)
        before = contents(place)
        status, said = command(place, [*RUN, "--force"], **befalls)
        (place / folder).chmod(0o755)
        assert status == 2
        assert f"{folder} cannot be written to" in said
        assert "Training" not in said
        assert contents(place) == before


def test_a_full_disk_before_anything_is_learnt_leaves_nothing_behind(states, tmp_path, command):
    mine = here(states, tmp_path)
    before = contents(tmp_path)
    status, said = command(tmp_path, RUN, most_bytes=2000)
    assert status == 2
    assert "File too large" in said.splitlines()[-1]
    assert "--resume" not in said
    assert contents(tmp_path) == before
    assert not lost(tmp_path, mine)


def test_a_run_that_cannot_be_put_in_place_waits_there(states, tmp_path, monkeypatch):
    """Somebody else puts something at X while X is being made."""
    from ae_cluster.runs import run as runs

    here(states, tmp_path)
    monkeypatch.chdir(tmp_path)
    fill = runs._fill

    def with_others(*args):
        (tmp_path / "X").mkdir()
        (tmp_path / "X" / "notes.txt").write_text("mine")
        return fill(*args)

    config = RunConfig("d.npz", n_clusters=2, epochs=1, budgets=(1,), draws=1)
    monkeypatch.setattr(runs, "_fill", with_others)
    with pytest.raises(InputError, match=r"X exists already.*what was learnt is kept"):
        run(config, "X", figures=False)
    assert (tmp_path / "X" / "notes.txt").read_text() == "mine"
    shutil.move(tmp_path / "X" / "notes.txt", tmp_path)
    (tmp_path / "X").rmdir()
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    run(config, "X", figures=False, resume=True)
    assert is_whole(tmp_path)
    assert not (tmp_path / "X.partial").exists()
