"""Claim: the same recipe trains several times faster than the tutorial's loop, with no compiler.

Measures side by side, each in fresh processes with the same number of threads:
the tutorial's loop as it stands (DataLoader over torchvision's MNIST with
ToTensor, Adam), our training of the same recipe, and its matrix products alone
(forward and backward, batch 64). Best of three rounds. Needs MNIST; takes about
six minutes on two cores.

    python -m experiments.speed --data-home DIR

Cold and warm: we compile nothing, so a first start differs from a later one
only by what the operating system has read already. The first round is the cold
one, the best of the others the warm one.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd

from ae_cluster.common.terminal import Parser, exit_code

HEAD = b"way,epoch_seconds,"  # of the table that may be replaced
SIZES = (784, 128, 64, 12, 3, 12, 64, 128, 784)
N, BATCH = 60_000, 64


def run_tutorial(data_home: Path, epochs: int) -> dict[str, Any]:
    """Train the tutorial's way; return epoch seconds and final loss."""
    from experiments.support.reference_tutorial import mean_squared_error, train_tutorial

    marks = [time.perf_counter()]
    model = train_tutorial(data_home, 0, epochs, lambda: marks.append(time.perf_counter()))
    import torch

    from ae_cluster import load_dataset

    images = torch.from_numpy(load_dataset("mnist", data_home=data_home).x_train)
    return {"marks": marks, "loss": mean_squared_error(model, images)}


def run_ours(data_home: Path, epochs: int) -> dict[str, Any]:
    """Train our way; return epoch seconds and final loss."""
    from ae_cluster import AutoEncoder, Callback, Progress, load_dataset

    class Clock(Callback):
        marks: list[float]

        def on_epoch(self, progress: Progress) -> None:  # noqa: ARG002
            self.marks.append(time.perf_counter())

    clock = Clock()
    images = load_dataset("mnist", data_home=data_home).raw_train
    clock.marks = [time.perf_counter()]
    model = AutoEncoder(random_state=0, max_iter=epochs, callbacks=[clock]).fit(images)
    return {"marks": clock.marks, "loss": -model.score(images)}


def run_products(_: Path, epochs: int) -> dict[str, Any]:
    """Do nothing but the products of each layer: forward, weights' gradient, input's gradient."""
    import torch

    layers = list(itertools.pairwise(SIZES))
    weights = [torch.randn(b, a) for a, b in layers]
    values = [torch.randn(BATCH, size) for size in SIZES]
    outputs = [torch.empty(BATCH, size) for size in SIZES]
    gradients = [torch.empty_like(w) for w in weights]

    def step() -> None:
        for i, w in enumerate(weights):
            torch.mm(values[i], w.t(), out=outputs[i + 1])
        for i in reversed(range(len(weights))):
            torch.mm(values[i + 1].t(), values[i], out=gradients[i])
            if i:
                torch.mm(values[i + 1], weights[i], out=outputs[i])

    marks = [time.perf_counter()]
    for _epoch in range(epochs):
        for _step in range(-(-N // BATCH)):
            step()
        marks.append(time.perf_counter())
    return {"marks": marks, "loss": float("nan")}


PROGRAMS = {"tutorial": run_tutorial, "ours": run_ours, "products": run_products}


def gflop_per_epoch() -> float:
    """Return what the products of one epoch cost: three per layer, two for the first."""
    layers = [a * b for a, b in itertools.pairwise(SIZES)]
    return 2 * N * (3 * sum(layers) - layers[0]) / 1e9


def measure(name: str, data_home: Path, epochs: int, threads: int) -> dict[str, Any]:
    """Run one program in a fresh process; return its seconds, loss and peak memory."""
    command = [sys.executable, "-m", "experiments.speed", "--child", name, "--epochs", str(epochs)]
    start = time.perf_counter()
    done = subprocess.run(
        [*command, "--data-home", str(data_home)],
        env=os.environ | {"OMP_NUM_THREADS": str(threads)},
        check=True,
        capture_output=True,
        text=True,
    )
    wall = time.perf_counter() - start
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    marks = found.pop("marks")
    epoch_seconds = [b - a for a, b in itertools.pairwise(marks)]
    # The first epoch pages the data in; the steady state is what comes after it.
    return found | {"wall": wall, "epoch": min(epoch_seconds[1:] or epoch_seconds)}


def child(name: str, data_home: Path, epochs: int) -> None:
    """Run one program in this process and print what was found as one line of JSON."""
    from ae_cluster.common.memory import peak_mb

    found = PROGRAMS[name](data_home, epochs)
    print(json.dumps(found | {"peak_mb": peak_mb()}))


def summary(rounds: pd.DataFrame) -> pd.DataFrame:
    """Return one row per program from all rounds (way, round, wall, epoch, loss, peak_mb)."""
    later = rounds[rounds["round"] > 0] if rounds["round"].max() > 0 else rounds
    table = pd.DataFrame(
        {
            "epoch_seconds": rounds.groupby("way")["epoch"].min(),
            "fit_seconds_cold": rounds[rounds["round"] == 0].set_index("way")["wall"],
            "fit_seconds_warm": later.groupby("way")["wall"].min(),
            "loss": rounds.groupby("way")["loss"].first(),
            "peak_mb": rounds.groupby("way")["peak_mb"].max(),
        }
    ).loc[list(PROGRAMS)]
    table["gflop_per_s"] = gflop_per_epoch() / table["epoch_seconds"]
    for name in ("epoch_seconds", "fit_seconds_cold", "fit_seconds_warm"):
        table[f"tutorial_over_{name}"] = table.loc["tutorial", name] / table[name]
    table["epoch_over_products"] = table["epoch_seconds"] / table.loc["products", "epoch_seconds"]
    # The products have no fit to compare.
    fits = [c for c in table if "fit_seconds" in c]
    table.loc["products", fits] = float("nan")
    return table


def main() -> None:
    """Measure, print, and write results/speed.csv."""
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-home", type=Path, default=os.environ.get("AE_CLUSTER_DATA"))
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--out", type=Path, default=Path("results/speed.csv"))
    parser.add_argument("--smoke", action="store_true", help="one round of two epochs")
    parser.add_argument("--child", choices=PROGRAMS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.data_home is None:
        parser.error("where is MNIST? say --data-home DIR or set AE_CLUSTER_DATA")
    if arguments.out.exists() and not arguments.out.read_bytes().startswith(HEAD):
        parser.error(f"{arguments.out} is not a table of this script's; name another file")
    if arguments.child:
        child(arguments.child, arguments.data_home, arguments.epochs)
        return
    epochs, n_rounds = (2, 1) if arguments.smoke else (arguments.epochs, arguments.rounds)
    found = []
    for i in range(n_rounds):
        for name in PROGRAMS:  # in turn, so that a slow minute of the machine hits all of them
            row = measure(name, arguments.data_home, epochs, arguments.threads)
            found.append({"way": name, "round": i, **row})
            print(f"round {i + 1}: {name:9s} {row['epoch']:.2f} s an epoch, {row['wall']:.1f} s "
                  f"for {epochs} epochs in a fresh process", flush=True)  # fmt: skip
    table = summary(pd.DataFrame(found))
    table["threads"], table["epochs"] = arguments.threads, epochs
    print(table.round(4).T.to_string())
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    table.round(4).to_csv(arguments.out)
    print(f"Written to {arguments.out}.")


if __name__ == "__main__":
    sys.exit(exit_code(main))
