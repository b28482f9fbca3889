"""Claim: new samples are assigned at hundreds of thousands of rows a second, in little memory.

Makes a memory-mapped array of 2,000,000 rows of 784 bytes (1.6 GB, removed at the end) and a run of
the tutorial's network on the bundled digits, drawn at 28 × 28. Then, each in a fresh process and in
turn, five rounds: ``ae-cluster assign`` to Parquet and to CSV, and the bare network, its products
and tanh, on 32-bit floats that lie in memory already, with a thread per core. The best round
counts. Memory is what a process holds of its own beyond ``import torch``: a mapped file is not
counted. Takes about ten minutes on two cores.

    python -m experiments.assign_speed
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.lib.format import open_memmap

from ae_cluster.common.spreadsheets import safe_table
from ae_cluster.common.terminal import Parser, exit_code

HEAD = b"way,rows,"  # of the table that may be replaced
SIZES = (784, 128, 64, 12, 3)
SIDE, BATCH, BLOCK = 28, 4096, 50_000
OUTPUTS = {
    "kmeans to parquet": ("kmeans", "parquet"),
    "kmeans to csv": ("kmeans", "csv"),
    "gmm to parquet": ("gmm", "parquet"),
}
PRODUCTS = "network alone"


def digits_images() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return the bundled digits as bytes (1797, 28, 28), and their labels."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    large = np.kron(digits.images, np.ones((3, 3)))
    framed = np.pad(large, ((0, 0), (2, 2), (2, 2)))
    return (framed / 16 * 255).astype(np.uint8), digits.target


def prepare(folder: Path, n_rows: int) -> None:
    """Write the run and the rows to be assigned into a folder."""
    from ae_cluster import RunConfig, run

    images, labels = digits_images()
    np.savez(folder / "digits.npz", x=images, y=labels)
    config = RunConfig(
        dataset=str(folder / "digits.npz"), n_clusters=10, epochs=20, budgets=(1,), draws=1
    )
    run(config, folder / "RUN", figures=False)
    rows = open_memmap(folder / "rows.npy", "w+", np.uint8, (n_rows, SIDE * SIDE))
    flat, rng = images.reshape(len(images), -1), np.random.default_rng(0)
    for start in range(0, n_rows, BLOCK):
        n = min(BLOCK, n_rows - start)
        noise = rng.integers(0, 32, (n, SIDE * SIDE), dtype=np.uint8)
        rows[start : start + n] = (flat[rng.integers(0, len(flat), n)] & 0xE0) + noise
    rows.flush()


def anonymous_mb() -> float:
    """Return the memory of this process that is no file's, in MB (Linux)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1024
    return float("nan")


def assign(folder: Path, way: str) -> dict[str, Any]:
    """Assign the rows; return how many a second, and the memory beyond importing torch."""
    import torch  # noqa: F401

    before, most, done = anonymous_mb(), [0.0], threading.Event()

    def watch() -> None:
        while not done.wait(0.02):
            most[0] = max(most[0], anonymous_mb())

    thread = threading.Thread(target=watch)
    thread.start()
    from ae_cluster.runs.assign import assign_file

    method, ending = OUTPUTS[way]
    out = folder / f"out.{ending}"
    cpu = time.process_time()
    found = assign_file(folder / "RUN", str(folder / "rows.npy"), out, method=method, force=True)
    done.set()
    thread.join()
    return {
        "rows": found.n_rows,
        "rows_per_second": found.n_rows / found.seconds,
        "cpu_seconds": (time.process_time() - cpu) / found.n_rows * 1e6,
        "anonymous_mb": most[0] - before,
    }


def products(n_rows: int) -> dict[str, Any]:
    """Put as many floats through the network's layers, and do nothing else."""
    import torch

    generator = torch.Generator().manual_seed(0)
    weights = [torch.randn(b, a, generator=generator) / a for a, b in itertools.pairwise(SIZES)]
    biases = [torch.zeros(size) for size in SIZES[1:]]
    batch = torch.rand(BATCH, SIZES[0], generator=generator)

    def work(n: int) -> None:
        torch.set_num_threads(1)
        with torch.no_grad():
            for _ in range(n):
                x = batch
                for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
                    x = torch.tanh_(torch.nn.functional.linear(x, weight, bias))
                torch.nn.functional.linear(x, weights[-1], biases[-1])

    from joblib import cpu_count

    n_each = -(-n_rows // (BATCH * cpu_count()))
    start, cpu = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(cpu_count()) as pool:
        list(pool.map(work, [n_each] * cpu_count()))
    seconds = time.perf_counter() - start
    n = n_each * BATCH * cpu_count()
    return {
        "rows": n,
        "rows_per_second": n / seconds,
        "cpu_seconds": (time.process_time() - cpu) / n * 1e6,
        "anonymous_mb": float("nan"),
    }


def measure(folder: Path, way: str, n_rows: int) -> dict[str, Any]:
    """Go one way in a fresh process, and return what it found."""
    command = [sys.executable, "-m", "experiments.assign_speed", "--child", way]
    done = subprocess.run(
        [*command, "--folder", str(folder), "--rows", str(n_rows)],
        cwd=Path(__file__).parents[1],
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {"way": way, **found}


def summary(rounds: pd.DataFrame) -> pd.DataFrame:
    """Return a row per way: the best rows per second, the most memory, the share of the network's.

    Parameters
    ----------
    rounds : DataFrame
        With columns way, rows, rows_per_second, cpu_seconds (of all threads, for a million rows)
        and anonymous_mb.
    """
    by_way = rounds.groupby("way", sort=False)
    table = pd.DataFrame(
        {
            "rows": by_way["rows"].max(),
            "rows_per_second": by_way["rows_per_second"].max().round(),
            "median_rows_per_second": by_way["rows_per_second"].median().round(),
            "cpu_seconds_per_million": by_way["cpu_seconds"].min().round(2),
            "anonymous_mb": by_way["anonymous_mb"].max().round(),
            "rounds": by_way.size(),
        }
    )
    pace, cpu = table["rows_per_second"], table["cpu_seconds_per_million"]
    table["share_of_network_alone"] = (pace / pace[PRODUCTS]).round(3)
    table["cpu_over_network_alone"] = (cpu / cpu[PRODUCTS]).round(3)
    return table


def main() -> None:
    """Measure, print, and write results/assign_speed.csv."""
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("results/assign_speed.csv"))
    parser.add_argument("--folder", type=Path, help="where to put 2 GB for the time; default: TMP")
    parser.add_argument("--smoke", action="store_true", help="one round of 20,000 rows")
    parser.add_argument("--child", choices=[*OUTPUTS, PRODUCTS], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        is_bare = arguments.child == PRODUCTS
        folder, n_rows = arguments.folder, arguments.rows
        print(json.dumps(products(n_rows) if is_bare else assign(folder, arguments.child)))
        return
    if arguments.out.exists() and not arguments.out.read_bytes().startswith(HEAD):
        parser.error(f"{arguments.out} is not a table of this script's; name another file")
    n_rows, n_rounds = (20_000, 1) if arguments.smoke else (arguments.rows, arguments.rounds)
    found = []
    with tempfile.TemporaryDirectory(dir=arguments.folder) as place:
        prepare(Path(place), n_rows)
        for i in range(n_rounds):
            for way in (PRODUCTS, *OUTPUTS):  # in turn: a slow minute hits all
                row = measure(Path(place), way, n_rows)
                found.append(row)
                print(f"round {i + 1}: {way:18s} {row['rows_per_second']:>9,.0f} rows a second, "
                      f"{row['anonymous_mb']:.0f} MB", flush=True)  # fmt: skip
    table = summary(pd.DataFrame(found))
    print(table.to_string())
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    safe_table(table.reset_index()).to_csv(arguments.out, index=False)
    print(f"Written to {arguments.out}.")


if __name__ == "__main__":
    sys.exit(exit_code(main))
