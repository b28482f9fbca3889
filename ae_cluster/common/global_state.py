"""What the user has set for the whole process: set aside while this package computes.

scikit-learn, torch, NumPy and the warnings filter have settings that reach into every library
of a process: ``transform_output="pandas"``, gradients off, another default dtype, floating-point
warnings as errors. Results must not depend on them. `default_state` computes under every
library's defaults and leaves what was set as it was. A library that is not loaded has nothing
set, and is not loaded for that.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

_NUMPY = {"divide": "warn", "over": "warn", "under": "ignore", "invalid": "warn"}
# How NumPy's numbers become text, which rows and pages hold.
_PRINTED = {
    "edgeitems": 3,
    "threshold": 1000,
    "floatmode": "maxprec",
    "precision": 8,
    "suppress": False,
    "linewidth": 75,
    "nanstr": "nan",
    "infstr": "inf",
    "sign": "-",
    "formatter": None,
    "legacy": False,
    "override_repr": None,  # since 2.2
}
_SCIKIT_LEARN = {
    "transform_output": "default",
    "assume_finite": False,
    "working_memory": 1024,
    "pairwise_dist_chunk_size": 256,
    "enable_cython_pairwise_dist": True,
    "array_api_dispatch": False,
    "enable_metadata_routing": False,
    "sparse_interface": "spmatrix",  # since 1.9
}
_OWN = __name__.partition(".")[0]


@contextmanager
def default_state() -> Iterator[None]:
    """Compute under the defaults of every library, whatever the user has set.

    As ``with default_state():`` or above a function as ``@default_state()``.
    """
    with ExitStack() as stack:
        _warnings_are_no_errors(stack)
        _in_numpy(stack)
        _in_scikit_learn(stack)
        _in_torch(stack)
        if _fork.is_new_child:
            _compute_with_one_thread()
        yield


def _warnings_are_no_errors(stack: ExitStack) -> None:
    """Drop filters that make errors of all warnings; one that names its warning is obeyed.

    It names it by a message, a module, or a category of this package: whoever wants
    `DiagnosticsWarning` raised says so.
    """
    kept = [found for found in warnings.filters if not _is_blanket_error(found)]
    if len(kept) < len(warnings.filters):
        stack.enter_context(warnings.catch_warnings())
        warnings.resetwarnings()
        warnings.filters.extend(kept)  # type: ignore[attr-defined]


def _is_blanket_error(found: Any) -> bool:
    action, message, category, module, _ = found
    categories = category if isinstance(category, tuple) else (category,)
    is_ours = all(each.__module__.partition(".")[0] == _OWN for each in categories)
    return action == "error" and message is None and module is None and not is_ours


def _in_numpy(stack: ExitStack) -> None:
    if numpy := sys.modules.get("numpy"):
        stack.enter_context(numpy.errstate(**_NUMPY))
        set_now = numpy.get_printoptions()
        other = {k: _PRINTED[k] for k, v in set_now.items() if _PRINTED.get(k, v) != v}
        if other:
            stack.enter_context(numpy.printoptions(**other))


def _in_scikit_learn(stack: ExitStack) -> None:
    if sklearn := sys.modules.get("sklearn"):
        set_now = sklearn.get_config()
        other = {k: v for k, v in _SCIKIT_LEARN.items() if set_now.get(k, v) != v}
        if other:
            stack.enter_context(sklearn.config_context(**other))


def _in_torch(stack: ExitStack) -> None:
    if (torch := sys.modules.get("torch")) is None:
        return
    if torch.is_inference_mode_enabled():
        stack.enter_context(torch.inference_mode(False))
    if not torch.is_grad_enabled():
        stack.enter_context(torch.enable_grad())
    if torch.get_default_device().type != "cpu":
        stack.enter_context(torch.device("cpu"))
    if (dtype := torch.get_default_dtype()) != torch.float32:
        torch.set_default_dtype(torch.float32)
        stack.callback(torch.set_default_dtype, dtype)
    for device in ("cpu", "cuda"):
        if torch.is_autocast_enabled(device):
            stack.enter_context(torch.autocast(device, enabled=False))


# A child made by fork has OpenMP's thread pool in memory but not its threads: work given to
# them is waited for without end. One thread asks for no pool.


class _Fork:
    """What a process made by fork must know of itself.

    Attributes
    ----------
    is_new_child : bool
        Made by fork, and not yet told to compute with one thread.
    numba_is_lost : bool
        numba's threads were started before the fork; asked again it would end the process.
    """

    is_new_child = False
    numba_is_lost = False


_fork = _Fork()


def _note_fork() -> None:
    _fork.is_new_child = True
    if numba := sys.modules.get("numba"):
        try:
            _fork.numba_is_lost = numba.threading_layer() == "omp"
        except ValueError:  # not started yet
            _fork.numba_is_lost = False


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_fork)


def _compute_with_one_thread() -> None:
    from threadpoolctl import threadpool_limits

    _fork.is_new_child = False
    threadpool_limits(1)
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)


def numba_is_lost() -> bool:
    """Return whether numba's threads stayed behind in the process that this one was forked from."""
    return _fork.numba_is_lost


def wait_without_spinning() -> None:
    """Let OpenMP's threads sleep while they wait for each other; before OpenMP is loaded.

    By default they spin, which keeps the very core busy that the thread they wait for needs
    as soon as other work runs beside. What the user has set stays.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
