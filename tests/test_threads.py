"""A small network computes with one thread: the same codes, and no waiting on a busy machine."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from ae_cluster import DEC, N2D, AutoEncoder, FineTunedClassifier, SortingAutoEncoder, VaDE
from ae_cluster.autoencoder.networks import ConvAutoEncoder, DenseAutoEncoder
from ae_cluster.clustering.deep.base import paper_autoencoder
from ae_cluster.clustering.sorting.networks import ConvHead
from ae_cluster.training.threads import LARGE, multiply_adds, one_thread, threads_for

ROOT = Path(__file__).parents[1]
quiet = pytest.mark.filterwarnings("ignore::ae_cluster.training.diagnostics.HealthWarning")


@pytest.fixture
def two_threads():
    """Let torch compute with two threads for one test."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def _codes_by(n_threads, make, x):
    torch.set_num_threads(n_threads)
    found = make().fit(x).transform(x)
    assert torch.get_num_threads() == n_threads
    return found


SHORT = {"max_iter": 1, "random_state": 0}
METHODS = {
    "autoencoder": lambda: AutoEncoder(**SHORT),
    "convolutions": lambda: AutoEncoder(kind="conv", **SHORT),
    "dec": lambda: DEC(10, AutoEncoder(**SHORT), **SHORT),
    "vade": lambda: VaDE(10, AutoEncoder(**SHORT), **SHORT),
}
LONG = {
    "n2d": lambda: N2D(10, AutoEncoder(**SHORT), random_state=0),
    "sorting": lambda: SortingAutoEncoder(10, min_steps=30, **SHORT),
}


@quiet
@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize("name", METHODS)
def test_one_and_two_threads_give_the_same_codes(name, digit_rows):
    first, second = (_codes_by(n, METHODS[name], digit_rows) for n in (1, 2))
    assert first.tobytes() == second.tobytes()


@quiet
@pytest.mark.slow
@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize("name", LONG)
def test_one_and_two_threads_give_the_same_codes_slow(name, digit_rows):
    first, second = (_codes_by(n, LONG[name], digit_rows) for n in (1, 2))
    assert first.tobytes() == second.tobytes()


@quiet
@pytest.mark.usefixtures("two_threads")
def test_one_and_two_threads_give_the_same_classes(digit_rows, digits):
    y = np.where(np.arange(len(digit_rows)) < 40, digits[2], -1)
    shares = []
    for n in (1, 2):
        torch.set_num_threads(n)
        model = FineTunedClassifier(AutoEncoder(**SHORT), min_steps=30, **SHORT)
        shares.append(model.fit(digit_rows, y).predict_proba(digit_rows).tobytes())
    assert shares[0] == shares[1]


def test_work_is_counted_by_hand():
    assert multiply_adds(DenseAutoEncoder(5, 2, (4,))) == 2 * (5 * 4 + 4 * 2)
    # 8 × 8: 3·3·1·4 weights at 4 × 4 places, 3·3·4·6 at 2 × 2; the codes; 4·4 weights back
    conv = ConvAutoEncoder((8, 8), 3, (4, 6))
    down, code, up = 36 * 16 + 216 * 4, 2 * 24 * 3, 4 * 4 * 6 * 4 * 4 + 4 * 4 * 4 * 16
    assert multiply_adds(conv) == down + code + up


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize(
    ("network", "n_threads"),
    [
        (DenseAutoEncoder(), 1),  # the tutorial's
        (DenseAutoEncoder(784, 10, paper_autoencoder().hidden_layer_sizes), 2),
        (ConvHead((28, 28), 10), 2),
    ],
)
def test_only_a_large_network_has_threads(network, n_threads):
    with threads_for(network):
        assert torch.get_num_threads() == n_threads
    assert torch.get_num_threads() == 2
    assert (multiply_adds(network) > LARGE) == (n_threads > 1)
    with one_thread():
        assert torch.get_num_threads() == 1


@pytest.mark.parametrize(
    "command", ["from ae_cluster.cli.main import main; main(['datasets'])", "import experiments"]
)
def test_commands_wait_without_spinning(command):
    """OpenMP reads this when it is loaded, which must not be earlier."""
    code = (
        f"import os, sys; sys.path.append({str(ROOT)!r}); {command}; "
        "assert not {'torch', 'sklearn'} & set(sys.modules); print(os.environ['OMP_WAIT_POLICY'])"
    )
    for chosen, policy in (({}, "PASSIVE"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE")):
        environment = {k: v for k, v in os.environ.items() if k != "OMP_WAIT_POLICY"} | chosen
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True,
            check=True,
        )  # fmt: skip
        assert done.stdout.splitlines()[-1] == policy
