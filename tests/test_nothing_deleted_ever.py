"""No command deletes a file that it did not write, in whatever state and whenever it ends."""

import itertools
import shutil
import signal

import pytest
from own_files import LATE, RUN, contents, here, is_whole, lost


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
        assert lost(place, mine) == [], (x, partial, flags, failure, said)
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
@pytest.mark.heavy
def test_a_kill_at_any_moment(states, tmp_path, command, x, partial, flags, step):
    """A killed command loses nothing of anybody's, and with --resume it ends."""
    argv = [*RUN, *flags]
    for n in itertools.count(1, step):
        place = tmp_path / str(n)
        place.mkdir()
        mine = here(states, place, x, partial)
        status, said = command(place, argv, kill_at=n)
        assert lost(place, mine) == [], (n, said)
        if status == 0:
            break
        assert status == -signal.SIGKILL, said
        status, said = command(place, [*argv, "--resume"])
        assert status == 0, (n, said)
        assert lost(place, mine) == [], (n, said)
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
        ["assign", "X", "d.npz", "--out", "new.csv"],
        ["assign", "X", "d.npz", "--out", "new.parquet"],
        ["describe", "X", "--out", "clusters.md"],
        ["describe", "X", "--out", "names.csv", "--force"],
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
