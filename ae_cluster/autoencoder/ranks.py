"""The training of an `AutoEncoder` on several ranks, see `ae_cluster.training.ranks`."""

from __future__ import annotations

import copy
import os
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from ae_cluster.autoencoder.inference import as_tensor
from ae_cluster.autoencoder.inputs import resolve_device
from ae_cluster.common.errors import InputError
from ae_cluster.training.ranks import Ranks, here


def ranks_to_train(model: Any, rows: NDArray[Any], generator: torch.Generator) -> Ranks | None:
    """Return the ranks that a model is trained on, None in one process; rank 0 calls the others."""
    ranks = here()
    if ranks is None or not model.max_iter:
        return None
    if ranks.rank == 0:
        _check_devices(model)
        ranks.announce(_follow, (_twin(model), generator.get_state()), as_tensor(rows))
    return ranks


def _twin(model: Any) -> Any:
    """Return a copy without what is for rank 0 alone: callbacks, files, what is shown."""
    twin = copy.copy(model)
    device = resolve_device(model.device).type
    twin.set_params(callbacks=(), checkpoint=None, n_snapshots=0, verbose=False, device=device)
    twin.network_ = copy.deepcopy(model.network_).cpu()
    return twin


def _follow(model: Any, state: Tensor, rows: Tensor) -> None:
    generator = torch.Generator()
    generator.set_state(state)
    model.network_.to(resolve_device(model.device))
    model._train(rows.numpy(), generator)


def _check_devices(model: Any) -> None:
    n = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    if resolve_device(model.device).type == "cuda" and n > torch.cuda.device_count():
        raise InputError(
            f"There are {n} ranks and {torch.cuda.device_count()} GPU(s) on this machine; start as "
            "many ranks as GPUs, or say --device cpu."
        )
