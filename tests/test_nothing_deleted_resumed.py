"""Nothing is deleted when a run goes on, is interrupted, or meets another that is under way."""

import os
import shutil

import pytest
from own_files import LATE, QUICK, RUN, contents, here, is_whole, lost

from ae_cluster import InputError
from ae_cluster.records.config import RunConfig
from ae_cluster.runs.run import run


@pytest.mark.parametrize("mark", [os.getpid, lambda: 1], ids=["ours", "1"])
def test_a_mark_is_stale_when_no_process_holds_it(states, tmp_path, command, mark):
    """In a container every process is number 1, and earlier versions wrote numbers only."""
    mine = here(states, tmp_path, partial="killed")
    del mine["X.partial/methods/dec/codes.npz"], mine["X.partial/methods/mine/codes.npz"]
    shutil.rmtree(tmp_path / "X.partial" / "methods" / "dec")
    shutil.rmtree(tmp_path / "X.partial" / "methods" / "mine")
    folder = tmp_path / "X.partial"
    for path in [*folder.rglob("clusterer.*"), folder / "clusters.csv"]:  # which is of later ones
        path.unlink(missing_ok=True)
    (tmp_path / "X.partial" / ".being-written").write_text(str(mark()))
    status, said = command(tmp_path, [*RUN, "--resume"])
    assert status == 0, said
    assert "Going on after epoch 2 of 2" in said
    assert not lost(tmp_path, mine)


def test_the_mark_of_a_running_command_is_respected(states, tmp_path, monkeypatch):
    from ae_cluster.runs import run as runs

    here(states, tmp_path)
    monkeypatch.chdir(tmp_path)
    config = RunConfig("d.npz", n_clusters=2, epochs=1, budgets=(1,), draws=1)
    said = []

    def second(*_):
        for flags in ({"force": True}, {"resume": True}):
            with pytest.raises(InputError) as error:
                run(config, "X", figures=False, **flags)
            said.append(str(error.value))
        raise InputError("enough.")

    monkeypatch.setattr(runs, "write_config", second)
    with pytest.raises(InputError, match="enough"):
        run(config, "X", figures=False)
    assert len(said) == 2
    assert all("Another run is writing to" in text for text in said)


def test_ctrl_c_says_resume_only_where_there_is_something_to_go_on_with(states, tmp_path, command):
    mine = here(states, tmp_path)
    before = contents(tmp_path)
    status, said = command(tmp_path, RUN, sigint_at=3)
    assert status == 130
    assert said.splitlines()[-1] == "ae-cluster: interrupted."
    assert contents(tmp_path) == before
    (tmp_path / "late").mkdir()
    mine = here(states, tmp_path / "late", partial="killed")
    status, said = command(tmp_path / "late", [*RUN, "--resume"], sigint_at=8)
    assert status == 130
    assert said.endswith("interrupted; the same command with --resume goes on.\n")
    assert not lost(tmp_path / "late", mine)


@pytest.mark.parametrize(
    ("flags", "is_over"), [(["--resume"], 1), (["--force", "--resume"], 1), (["--force"], 0)]
)
def test_files_of_others_in_the_way_do_not_keep_a_finished_run_from_ending(
    states, tmp_path, command, flags, is_over
):
    """A command killed at its very end leaves X whole, and in X.partial what is not its own."""
    here(states, tmp_path)
    assert command(tmp_path, RUN)[0] == 0
    (tmp_path / "X.partial").mkdir()
    (tmp_path / "X.partial" / "thesis.txt").write_text("mine")
    before = contents(tmp_path)

    status, said = command(tmp_path, [*RUN, *flags])
    assert (status == 0) == ("X is finished already" in said) == is_over, said
    assert ("it is not of one (it holds " in said) == (not is_over)
    status, said = command(tmp_path, [*RUN, "--seed", "7", *flags])
    assert status == 2
    assert ("of another configuration" if flags == ["--resume"] else "is not of one") in said
    assert contents(tmp_path) == before


@pytest.mark.parametrize("left", ["", ".ae-cluster-0123abcd.partial"])
@pytest.mark.parametrize("flags", [["--resume"], ["--force"], ["--force", "--resume"]])
def test_a_command_killed_when_it_had_made_the_folder_of_the_run_goes_on(
    states, tmp_path, command, flags, left
):
    mine = here(states, tmp_path, partial="killed")
    (tmp_path / "X").mkdir()
    if left:
        (tmp_path / "X" / left).write_text("{")
    status, said = command(tmp_path, [*RUN, *flags])
    assert status == 0, said
    assert not lost(tmp_path, mine)
    assert is_whole(tmp_path)
    assert not (tmp_path / "X" / ".ae-cluster-0123abcd.partial").exists()


def test_an_empty_folder_is_not_taken_unasked(states, tmp_path, command):
    here(states, tmp_path)
    (tmp_path / "X").mkdir()
    assert command(tmp_path, RUN)[0] == 2


def test_resume_on_a_finished_run_has_nothing_to_do(states, tmp_path, command):
    here(states, tmp_path)
    table = command(tmp_path, RUN)[1].splitlines()[-12:]
    before = contents(tmp_path)
    status, said = command(tmp_path, [*RUN, "--resume"])
    assert status == 0
    assert "X is finished already" in said
    assert "Training" not in said
    assert said.splitlines()[-12:] == table
    assert contents(tmp_path) == before

    status, said = command(tmp_path, [*RUN, "--resume", "--seed", "3"])
    assert status == 2
    assert "X is a finished run of another configuration (--seed differ)" in said
    assert contents(tmp_path) == before


def test_a_loop_without_out_can_be_started_again(states, tmp_path, command):
    here(states, tmp_path)
    for _ in range(2):
        for seed in (0, 1):
            status, _ = command(tmp_path, ["run", "d.npz", *QUICK, "--seed", seed, "--resume"])
            assert status == 0
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["d-seed0", "d-seed1"]


def test_an_interrupted_training_says_from_which_epoch_it_goes_on(states, tmp_path, command):
    here(states, tmp_path)
    arguments = ["run", "d.npz", *QUICK, "--out", "X", "--epochs", "5"]
    assert command(tmp_path, arguments, most_bytes=LATE)[0] == 2
    assert "Going on after epoch 5 of 5" in command(tmp_path, [*arguments, "--resume"])[1]
