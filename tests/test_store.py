"""A grid that is killed at any moment loses nothing, doubles nothing and ends the same."""

import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ae_cluster.common.errors import InputError
from experiments.support.grid import make_task, run_grid
from experiments.support.store import Store, cell_key

ROOT = Path(__file__).parents[1]
GRID = f"""
import sys
sys.path.append({str(ROOT)!r})  # experiments/ is not installed
"""
GRID += """
import time
import numpy as np
from pathlib import Path
from experiments.support.grid import make_task, run_grid
from experiments.support.store import Store

def work(cell, store):
    codes = store.arrays(cell["stage"], lambda: {"x": np.arange(1000.0) * cell["seed"]})
    time.sleep(0.01)
    with open("log.txt", "a") as log:
        log.write(f"{cell['seed']} {cell['method']}\\n")
    return [{"seed": cell["seed"], "method": cell["method"], "accuracy": float(codes["x"].sum())}]

cells = [{"seed": s, "method": m, "stage": f"s{s}"} for s in range(20) for m in "ab"]
if __name__ == "__main__":
    store = Store("store")
    tasks = [make_task(work, cell, "data") for cell in cells]
    print("started", flush=True)
    assert run_grid(tasks, store, jobs=int((sys.argv[1:] or ["1"])[0])) == []
    store.rows([t.key for t in tasks]).to_csv("rows.csv", index=False)
"""


def doubled(cell, store):
    if cell["seed"] == 3:
        raise ValueError("three is\ntoo many")
    codes = store.arrays(cell["stage"], lambda: {"x": np.full(3, cell["seed"])})
    return [{"seed": cell["seed"], "accuracy": float(codes["x"].sum() * 2)}]


def tasks_of(n):
    return [make_task(doubled, {"seed": s, "stage": f"s{s // 2}"}, "data") for s in range(n)]


def put_many(store, n):
    rows = '[{"seed": 1, "accuracy": 0.5}]'
    values = [(cell_key({"seed": s}), "ok", "{}", rows) for s in range(n)]
    connection = store._connection()
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO cells VALUES (?, ?, ?, ?)", values)
    connection.execute("COMMIT")


def test_a_finished_cell_is_found_and_stays_as_it_was(tmp_path):
    store = Store(tmp_path)
    store.put("k", {"seed": 0}, [{"accuracy": 0.5}])
    store.put("k", {"seed": 0}, [{"accuracy": 0.9}])
    assert Store(tmp_path).statuses() == {"k": "ok"}
    assert store.rows()["accuracy"].tolist() == [0.5]
    store.forget(["k"])
    assert store.statuses() == {}


def test_rows_come_in_the_order_asked_for(tmp_path):
    store = Store(tmp_path)
    for name in "cab":
        store.put(name, {}, [{"method": name}])
    assert store.rows(["b", "missing", "a"])["method"].tolist() == ["b", "a"]


def test_the_key_is_configuration_data_and_version():
    cell = {"seed": 0, "method": "kmeans"}
    assert cell_key(cell, "data") == cell_key(dict(reversed(cell.items())), "data")
    others = {cell_key(cell, "other"), cell_key(cell, "data", 2)}
    others.add(cell_key(cell | {"seed": 1}, "data"))
    assert len(others | {cell_key(cell, "data")}) == 4


def test_shared_arrays_are_made_once(tmp_path):
    store, made = Store(tmp_path), []

    def make():
        made.append(1)
        return {"x": np.arange(3)}

    for _ in range(3):
        assert store.arrays("stage", make)["x"].tolist() == [0, 1, 2]
    assert len(made) == 1


def test_a_file_that_is_no_store_is_refused(tmp_path):
    (tmp_path / "cells.sqlite").write_text("not a data base, but long enough to look like one" * 9)
    with pytest.raises(InputError, match="not a store"):
        Store(tmp_path)


@pytest.mark.parametrize(
    "damage",
    [
        "rows = '[{'",
        "rows = '[]]'",
        "rows = '{}'",
        "rows = '{\"seed\": 1}'",
        "rows = '[{\"sed\": 1}]'",
        'rows = \'[{"accuracy": "x"}]\'',
        "rows = x'ff5b5d'",
        "rows = CAST(x'5bff5d' AS TEXT)",
        "rows = 5",
        f"rows = '{'[' * 100_000}'",
        "status = 'oj'",
        "status = CAST(x'ff' AS TEXT)",
    ],
)
def test_a_damaged_cell_is_said_set_aside_and_done_again(tmp_path, damage):
    store, tasks = Store(tmp_path), tasks_of(2)
    assert run_grid(tasks, store) == []
    keys = [task.key for task in tasks]
    before = store.rows(keys)
    store._connection().execute(f"UPDATE cells SET {damage} WHERE key = ?", keys[:1])
    with pytest.warns(UserWarning, match=r"1 of the cells in .* are damaged: they are set aside"):
        assert len(store.rows(keys)) == 1
    aside = store._connection().execute("SELECT key FROM damaged").fetchall()
    assert aside == [(keys[0],)]
    assert run_grid(tasks, store) == []
    pd.testing.assert_frame_equal(store.rows(keys), before)
    store._connection().execute(f"UPDATE cells SET {damage} WHERE key = ?", keys[:1])
    with pytest.warns(UserWarning, match="damaged"):
        assert run_grid(tasks, store) == []
    pd.testing.assert_frame_equal(store.rows(keys), before)


def test_damaged_arrays_are_said_set_aside_and_made_again(tmp_path):
    store = Store(tmp_path)
    path = tmp_path / "arrays" / "stage.npz"
    for n, damage in enumerate([lambda whole: whole[:50], lambda _: b"", lambda _: b"<html>"]):
        store.arrays("stage", lambda: {"x": np.arange(3)})
        content = damage(path.read_bytes())
        path.write_bytes(content)
        with pytest.warns(UserWarning, match=r"stage.npz is damaged .* set aside as stage.npz"):
            assert store.arrays("stage", lambda: {"x": np.arange(4)})["x"].tolist() == [0, 1, 2, 3]
        path.unlink()
        aside = sorted(path.parent.glob("stage.npz.damaged*"), key=lambda p: p.stat().st_mtime_ns)
        assert len(aside) == n + 1
        assert content in [p.read_bytes() for p in aside]


def test_an_index_that_lies_is_made_anew(tmp_path):
    store, tasks = Store(tmp_path), tasks_of(3)
    run_grid(tasks, store)
    before = store.rows([task.key for task in tasks])
    store._connection().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()
    content = (tmp_path / "cells.sqlite").read_bytes()
    key = tasks[0].key.encode()
    assert content.count(key) == 2  # in the table, and in the index of its keys
    for damaged in (
        content.replace(key, b"x" * 24, 1),
        content[::-1].replace(key[::-1], b"x" * 24, 1)[::-1],
    ):
        (tmp_path / "cells.sqlite").write_bytes(damaged)
        again = Store(tmp_path)
        assert run_grid(tasks, again) == []
        pd.testing.assert_frame_equal(again.rows([task.key for task in tasks]), before)
        again.close()


def test_a_damaged_database_is_told(tmp_path, assert_one_sentence):
    store = Store(tmp_path)
    put_many(store, 2000)
    store._connection().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()
    content = bytearray((tmp_path / "cells.sqlite").read_bytes())
    content[8192:40_000] = b"\xff" * (40_000 - 8192)
    (tmp_path / "cells.sqlite").write_bytes(content)
    for use in (lambda s: s.rows(), lambda s: run_grid(tasks_of(2), s), lambda s: s.statuses()):
        with pytest.raises(InputError) as error:
            use(Store(tmp_path))
        assert_one_sentence(error, tmp_path / "cells.sqlite", "is damaged", "move it away")


def test_a_failed_cell_is_a_row_that_says_so_and_the_rest_goes_on(tmp_path):
    store, tasks = Store(tmp_path), tasks_of(6)
    failed = run_grid(tasks, store)
    assert [task.cell["seed"] for task in failed] == [3]
    rows = store.rows([task.key for task in tasks]).set_index("seed")
    assert rows.loc[3, "status"] == "failed"
    assert rows.loc[3, "reason"] == "ValueError: three is too many"
    assert np.isnan(rows.loc[3, "accuracy"])
    assert rows.loc[5, "accuracy"] == 24  # 4 and 5 share a stage, three fours
    assert run_grid(tasks, store) == failed


def test_results_do_not_depend_on_the_number_of_jobs(tmp_path):
    (tmp_path / "grid.py").write_text(GRID)
    tables = []
    for jobs in "12":
        folder = tmp_path / jobs
        folder.mkdir()
        subprocess.run([sys.executable, "../grid.py", jobs], cwd=folder, check=True)
        tables.append((folder / "rows.csv").read_bytes())
    assert tables[0] == tables[1]


@pytest.mark.parametrize("n_kills", [6, pytest.param(50, marks=pytest.mark.slow)])
@pytest.mark.heavy
def test_kills_at_random_moments_lose_and_double_nothing(tmp_path, n_kills):
    script = tmp_path / "grid.py"
    script.write_text(GRID)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for folder in (whole, killed):
        folder.mkdir()
    command = [sys.executable, str(script)]
    subprocess.run(command, cwd=whole, check=True, capture_output=True)
    moments = random.Random(0)
    for _ in range(n_kills):
        process = subprocess.Popen(
            command, cwd=killed, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        process.stdout.readline()
        time.sleep(moments.uniform(0, 1.5 / n_kills))
        process.kill()
        process.communicate()
        rows = Store(killed / "store").rows()  # readable, whole rows, after every kill
        assert rows["accuracy"].notna().all()
        assert not rows.duplicated(["seed", "method"]).any()
    before = len(Store(killed / "store").statuses())
    subprocess.run(command, cwd=killed, check=True, capture_output=True)
    assert (killed / "rows.csv").read_bytes() == (whole / "rows.csv").read_bytes()
    assert before > 0
    # Each kill can cost the one cell that was under way, never a finished one.
    assert len((killed / "log.txt").read_text().splitlines()) <= 40 + n_kills
    assert not list((killed / "store" / "arrays").glob("*.tmp"))


def best_of_3(function):
    def seconds():
        start = time.perf_counter()
        function()
        return time.perf_counter() - start

    return min(seconds() for _ in range(3))


def test_a_cell_costs_at_most_5_ms(tmp_path):
    store = Store(tmp_path)
    row = {"accuracy": 0.5, "seed": 1, "method": "kmeans"}
    numbers = iter(range(10_000))

    def put_hundred():
        for _ in range(100):
            store.put(f"k{next(numbers)}", row, [row])

    assert best_of_3(put_hundred) / 100 <= 0.005


def test_a_hundred_thousand_statuses_within_a_second(tmp_path):
    store = Store(tmp_path)
    put_many(store, 100_000)
    assert len(store.statuses()) == 100_000
    assert best_of_3(store.statuses) <= 1


def test_ten_thousand_rows_in_a_frame_within_two_seconds(tmp_path):
    store = Store(tmp_path)
    put_many(store, 10_000)
    assert len(store.rows()) == 10_000
    assert best_of_3(store.rows) <= 2
