"""The law: no command deletes or changes a file that it did not write, whatever befalls it."""

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from ae_cluster import AutoEncoder, InputError
from ae_cluster.cli.main import main
from ae_cluster.records.config import RunConfig
from ae_cluster.runs.run import run

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


@pytest.fixture(scope="module")
def command():
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


@pytest.fixture(scope="module")
def states(tmp_path_factory, command):
    """Give a folder with data, a finished run X, and another that was killed, X.partial."""
    place = tmp_path_factory.mktemp("states")
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


def still_there(place, mine):
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


# One situation each, and what is right


@pytest.mark.parametrize("x", ["alien", "own"])
def test_force_refuses_a_folder_that_is_no_run(states, tmp_path, command, x):
    mine = here(states, tmp_path, x)
    status, said = command(tmp_path, [*RUN, "--force"])
    assert status == 2
    assert "X is not a folder that ae-cluster wrote" in said
    assert "and 8 more" in said or "config.json and 9 more" in said
    assert not still_there(tmp_path, mine)
    assert not (tmp_path / "X.partial").exists()


def test_force_replaces_a_run_and_keeps_labels_and_all_that_is_not_of_the_run(
    states, tmp_path, command
):
    mine = here(states, tmp_path, "finished")
    status, said = command(tmp_path, [*RUN, "--force", "--seed", "1"])
    assert status == 0
    assert "Not of the run, and left as it was in" in said
    assert ".git/HEAD, codes.npz, figures/mine.png and 8 more" in said
    assert not still_there(tmp_path, mine)
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
    config = json.loads((tmp_path / "X" / "config.json").read_text())
    del config["files"]
    (tmp_path / "X" / "config.json").write_text(json.dumps(config))
    assert command(tmp_path, [*RUN, "--force", "--method", "kmeans"])[0] == 0
    assert not still_there(tmp_path, mine)
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
    assert not still_there(tmp_path, mine)


@pytest.mark.parametrize("name", ["methods/dec/codes.npz", "figures/tiles.png", "methods"])
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


def contents(place):
    return {
        path.relative_to(place): path.read_bytes() if path.is_file() else None
        for path in place.rglob("*")
    }


@pytest.mark.parametrize("flags", [["--force"], ["--resume"], []])
def test_a_folder_where_the_run_would_be_made_is_refused(states, tmp_path, command, flags):
    mine = here(states, tmp_path, partial="own")
    before = contents(tmp_path)
    status, said = command(tmp_path, [*RUN, *flags])
    assert status == 2
    assert "X.partial is where the run would be made, and it is not of one" in said
    assert "and 4 more" in said
    assert contents(tmp_path) == before
    assert not still_there(tmp_path, mine)


@pytest.mark.parametrize("method", ["kmeans", "dec"])
def test_resume_spares_what_is_not_its_own(states, tmp_path, command, method):
    mine = here(states, tmp_path, partial="killed")
    status, said = command(tmp_path, [*RUN, "--resume", "--method", method])
    assert not still_there(tmp_path, mine)
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
    assert not still_there(tmp_path, mine)


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


# Locks, Ctrl-C, and what is finished already


@pytest.mark.parametrize("mark", [os.getpid, lambda: 1], ids=["ours", "1"])
def test_a_mark_is_stale_when_no_process_holds_it(states, tmp_path, command, mark):
    """In a container every process is number 1, and earlier versions wrote numbers only."""
    mine = here(states, tmp_path, partial="killed")
    del mine["X.partial/methods/dec/codes.npz"], mine["X.partial/methods/mine/codes.npz"]
    shutil.rmtree(tmp_path / "X.partial" / "methods" / "dec")
    shutil.rmtree(tmp_path / "X.partial" / "methods" / "mine")
    (tmp_path / "X.partial" / ".being-written").write_text(str(mark()))
    status, said = command(tmp_path, [*RUN, "--resume"])
    assert status == 0
    assert "Going on after epoch 2 of 2" in said
    assert not still_there(tmp_path, mine)


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
    assert not still_there(tmp_path / "late", mine)


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


# Models, pages and tables


def test_a_model_is_replaced_and_nothing_beside_it(tmp_path):
    rng = np.random.default_rng(0)
    model = AutoEncoder(2, (4,), max_iter=1, random_state=0).fit(rng.random((20, 5)))
    model.save(tmp_path / "model")
    (tmp_path / "model" / "notes.txt").write_text("mine")
    model.set_params(tol=1.0).save(tmp_path / "model", force=True)
    assert AutoEncoder.load(tmp_path / "model").tol == 1.0
    assert (tmp_path / "model" / "notes.txt").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model"]


@pytest.mark.parametrize("name", ["thesis.txt", "model.json", "weights.safetensors", "X"])
def test_a_folder_that_is_no_model_is_refused(tmp_path, assert_one_sentence, name):
    rng = np.random.default_rng(0)
    model = AutoEncoder(2, (4,), max_iter=1, random_state=0).fit(rng.random((20, 5)))
    place = tmp_path / "mine"
    place.mkdir()
    (place / name).write_text('{"model_type": "bert"}')
    before = contents(tmp_path)
    with pytest.raises(InputError) as error:
        model.save(place, force=True)
    assert_one_sentence(error, place, name)
    assert contents(tmp_path) == before


def test_only_pages_are_replaced_by_pages(states, tmp_path, monkeypatch, capsys):
    here(states, tmp_path, "finished")
    shutil.rmtree(tmp_path / "X" / "methods" / "mine")
    monkeypatch.chdir(tmp_path)
    assert main(["explore", "X"]) == 0
    assert main(["explore", "X", "--out", "page.html"]) == 0
    assert main(["explore", "X", "--out", "page.html"]) == 0
    (tmp_path / "X" / "explorer.html").write_text("mine")
    before = contents(tmp_path)
    for arguments in (["--out", "thesis.txt"], [], ["--out", "X/config.json"]):
        assert main(["explore", "X", *arguments]) == 2
        assert "is no page that ae-cluster wrote" in capsys.readouterr().err
    assert contents(tmp_path) == before


def test_force_replaces_tables_of_predictions_only(states, tmp_path, monkeypatch, capsys):
    here(states, tmp_path, "finished")
    shutil.rmtree(tmp_path / "X" / "methods" / "mine")
    monkeypatch.chdir(tmp_path)
    np.save("y.npy", np.r_[0, 1, 0, 1, np.full(36, -1)])
    arguments = ["classify", "X", "--labels", "y.npy", "--force", "--out"]
    before = contents(tmp_path)
    for name in ("thesis.txt", "X/scores.csv", "X"):
        assert main([*arguments, name]) == 2
        assert "is no table" in (said := capsys.readouterr().err) or "is a folder" in said
    assert contents(tmp_path) == before
    assert main([*arguments, "p.csv"]) == main([*arguments, "p.csv"]) == 0


def test_labels_that_were_filled_in_are_not_lost_to_a_new_table(
    states, tmp_path, monkeypatch, capsys
):
    here(states, tmp_path, "finished")
    shutil.rmtree(tmp_path / "X" / "methods" / "mine")
    monkeypatch.chdir(tmp_path)
    shutil.rmtree("X/labels")
    assert main(["label", "X", "--n-labels", "4"]) == 0
    assert main(["label", "X", "--n-labels", "4", "--force"]) == 0
    table = Path("X/labels/to_label.csv")
    lines = table.read_text().splitlines()
    table.write_text("\n".join([lines[0], f"{lines[1]}0", f"{lines[2]}1", *lines[3:], ""]))
    before = contents(tmp_path)
    assert main(["label", "X", "--n-labels", "4", "--force"]) == 2
    assert "holds labels that were not read yet" in capsys.readouterr().err
    assert contents(tmp_path) == before
    assert main(["label", "X", "--answers", str(table)]) == 0
    assert main(["label", "X", "--n-labels", "4", "--force"]) == 0
    table.write_text("my own\n")
    assert main(["label", "X", "--n-labels", "4", "--force"]) == 2
    assert table.read_text() == "my own\n"


# Everything at once


def check_every_combination(states, tmp_path, command, whole):
    """Try all combinations, or each pair of neighbours in a fixed order."""
    kinds = itertools.product(
        ["nothing", "own", "alien", "finished"],
        ["nothing", "own", "killed"],
        [[], ["--force"], ["--resume"], ["--force", "--resume"]],
        ["", "bad data", "full early", "full late"],
    )
    for i, (x, partial, flags, failure) in enumerate(kinds):
        if not whole and i % 29:
            continue
        place = tmp_path / str(i)
        place.mkdir()
        mine = here(states, place, x, partial)
        data = "bad.npz" if failure == "bad data" else "d.npz"
        befalls = {"full early": {"most_bytes": 2000}, "full late": {"most_bytes": LATE}}
        argv = ["run", data, *RUN[2:], *flags]
        status, said = command(place, argv, **befalls.get(failure, {}))
        assert status in (0, 2), (x, partial, flags, failure, said)
        assert still_there(place, mine) == [], (x, partial, flags, failure, said)
        if not status:
            assert is_whole(place)
        shutil.rmtree(place)


def test_a_few_combinations(states, tmp_path, command):
    check_every_combination(states, tmp_path, command, whole=False)


@pytest.mark.slow
def test_every_combination(states, tmp_path, command):
    check_every_combination(states, tmp_path, command, whole=True)


@pytest.mark.parametrize(
    ("x", "partial", "flags", "step"),
    [
        ("finished", "nothing", ["--force"], 37),
        pytest.param("finished", "nothing", ["--force"], 1, marks=pytest.mark.slow),
        pytest.param("finished", "killed", ["--force"], 3, marks=pytest.mark.slow),
        pytest.param("finished", "killed", ["--force", "--resume"], 3, marks=pytest.mark.slow),
        pytest.param("nothing", "killed", ["--resume"], 3, marks=pytest.mark.slow),
        pytest.param("nothing", "nothing", [], 3, marks=pytest.mark.slow),
    ],
)
def test_a_kill_at_any_moment(states, tmp_path, command, x, partial, flags, step):
    """A killed command loses nothing of anybody's, and with --resume it ends."""
    argv = [*RUN, *flags]
    for n in itertools.count(1, step):
        place = tmp_path / str(n)
        place.mkdir()
        mine = here(states, place, x, partial)
        status, said = command(place, argv, kill_at=n)
        assert still_there(place, mine) == [], (n, said)
        if status == 0:
            break
        assert status == -signal.SIGKILL, said
        status, said = command(place, [*argv, "--resume"])
        assert status == 0, (n, said)
        assert still_there(place, mine) == [], (n, said)
        assert is_whole(place)
        shutil.rmtree(place)
    assert n > 30


@pytest.mark.slow
@pytest.mark.parametrize(
    "argv",
    [
        ["explore", "X"],
        ["explore", "X", "--out", "page.html"],
        ["label", "X", "--n-labels", "3"],
        ["label", "X", "--answers", "answers.csv"],
        ["classify", "X", "--labels", "answers.csv", "--force"],
        ["compare", "X", "Y", "--csv", "rows.csv"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("befalls", ["kill_at", "most_bytes"])
def test_other_commands_lose_nothing_whatever_befalls_them(
    states, tmp_path, command, argv, befalls
):
    for n in itertools.count(1):
        place = tmp_path / str(n)
        place.mkdir()
        here(states, place, "finished")
        shutil.copytree(states / "finished", place / "Y")
        shutil.rmtree(place / "X" / "methods" / "mine")
        (place / "X" / "labels" / "labels.csv").unlink()
        (place / "answers.csv").write_text("id,label\n0,0\n1,1\n2,0\n3,1\n")
        before = contents(place)
        made = {"explorer.html", "page.html"}
        status, said = command(place, argv, **{befalls: n if befalls == "kill_at" else 10})
        after = contents(place)
        changed = [path for path in before if before[path] != after.get(path)]
        assert {path.name for path in changed} <= made, (n, said)
        if status == 0 or befalls == "most_bytes":
            break
        assert status == -signal.SIGKILL, said
    assert status in (0, 2)
