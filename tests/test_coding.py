"""Coding goes in chunks, keeps no gradients and takes no memory; a fit loads nothing heavy."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from ae_cluster import AutoEncoder
from ae_cluster.autoencoder import inference

FRESH_PROCESS = """
import json, sys
import numpy as np
import torch
from ae_cluster import AutoEncoder
from ae_cluster.common.memory import peak_mb

def peak():
    return peak_mb() * 1e6

rng = np.random.default_rng(0)
X = rng.integers(0, 256, (200_000, 784), dtype=np.uint8)  # 157 MB; 627 as float32
parameters = dict(max_iter=1, early_stopping=True, learning_rate="cosine", random_state=0)
for kind in ("dense", "conv"):
    AutoEncoder(kind=kind, **parameters).fit(X[:500, :64])
model = AutoEncoder(hidden_layer_sizes=(8,), max_iter=1, random_state=0).fit(X[:500])
codes = model.transform(X[:5_000])
model.score(X[:5_000])
model.inverse_transform(codes[:5_000])
small = peak()
codes = model.transform(X)
large = peak()
model.score(X)
print(json.dumps({
    "modules": sorted(sys.modules),
    "transform": large - small,
    "score": peak() - large,
    "output": codes.nbytes,
}))
"""


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """What a new process that fits and codes has loaded, and its memory in bytes."""
    done = subprocess.run(
        [sys.executable, "-c", FRESH_PROCESS],
        cwd=tmp_path_factory.mktemp("fresh"),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def model(digit_rows):
    return AutoEncoder(max_iter=2, random_state=0).fit(digit_rows)


def test_a_fit_loads_neither_pytorchs_compiler_nor_symbolic_mathematics(fresh):
    # torch.optim's optimisers load torch._dynamo when made, which takes seconds.
    heavy = ("torch._dynamo", "torch._inductor", "torch.fx.experimental.symbolic_shapes", "sympy")

    assert [name for name in fresh["modules"] if name.startswith(heavy)] == []


def test_memory_does_not_grow_with_the_number_of_samples(fresh):
    # The allocator may keep a few chunks of 13 MB; one copy of the input would be 157 MB.
    spare = 120e6

    assert fresh["output"] == 200_000 * 3 * 4
    assert fresh["transform"] < fresh["output"] + spare
    assert fresh["score"] < spare


def test_codes_do_not_depend_on_the_chunks(model, digit_rows, monkeypatch):
    codes = model.transform(digit_rows)
    images = model.inverse_transform(codes)
    score = model.score(digit_rows)

    for name, size in [("CHUNK_ROWS", 7), ("CHUNK_VALUES", 64 * 100), ("CHUNK_VALUES", 1)]:
        with monkeypatch.context() as patched:
            patched.setattr(inference, name, size)
            assert np.allclose(model.transform(digit_rows), codes, rtol=0, atol=1e-6)
            assert np.allclose(model.inverse_transform(codes), images, rtol=0, atol=1e-6)
            assert model.score(digit_rows) == pytest.approx(score, rel=1e-6)


@pytest.mark.parametrize(
    ("n_features", "rows"), [(784, 4096), (64, 4096), (1, 4096), (150_528, 27), (10**7, 1)]
)
def test_a_chunk_is_bounded_in_rows_and_in_values(model, n_features, rows):
    X = np.broadcast_to(np.uint8(0), (5000, n_features))  # takes no memory

    first = next(inference.chunks(X, model.network_))

    assert first.shape == (rows, n_features)


def test_no_gradients_are_kept(model, digit_rows, monkeypatch):
    results = []
    for name in ("encode", "decode"):
        method = getattr(model.network_, name)
        monkeypatch.setattr(
            model.network_, name, lambda x, method=method: results.append(method(x)) or results[-1]
        )

    model.inverse_transform(model.transform(digit_rows))
    model.score(digit_rows)

    assert len(results) == 4
    assert not any(result.requires_grad for result in results)
    assert all(p.grad is None for p in model.network_.parameters())
    assert torch.is_grad_enabled()


def test_single_samples_can_be_coded(model, digit_rows):
    codes = np.concatenate([model.transform(digit_rows[i : i + 1]) for i in range(5)])

    assert np.allclose(codes, model.transform(digit_rows)[:5], rtol=0, atol=1e-6)
