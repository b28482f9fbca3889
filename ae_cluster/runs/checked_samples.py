"""The samples that an export is checked on: the run's own, or made ones like them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ae_cluster.records.reading import SPLITS, load_samples, read_codes
from ae_cluster.runs.assigner import Assigner

_N_MADE = 256


def samples_to_check(
    assigner: Assigner, described: dict[str, Any], data_home: Path | None
) -> tuple[NDArray[Any], str]:
    """Return the run's own samples, or where these are not found made ones, and which they are."""
    arrays = read_codes(assigner.folder, assigner.method)
    sizes = [len(arrays[f"ids_{split}"]) for split in SPLITS]
    data, _ = load_samples(assigner.config, sizes, data_home)
    shape = described["shape"][1:]
    if data is not None and str(data.raw_train.dtype) == described["dtype"]:
        rows = np.concatenate([data.raw_train, data.raw_test])
        return rows.reshape(len(rows), *shape), "the run's samples"
    return _made(assigner, described["dtype"], shape), "made samples, since the run's are not there"


def _made(assigner: Assigner, dtype: str, shape: list[int]) -> NDArray[Any]:
    rng = np.random.default_rng(0)
    size = (_N_MADE, *shape)
    if dtype == "uint8":
        return rng.integers(0, 256, size, dtype=np.uint8)
    if assigner.kept.units == "unit":
        return rng.random(size, dtype=np.float32)
    rows = rng.normal(size=size)
    scaling = getattr(getattr(assigner.model, "autoencoder_", assigner.model), "scaling_", None)
    if scaling is not None:
        rows = scaling.undo(torch.from_numpy(rows)).cpu().numpy()
    elif assigner.kept.scaling is not None:
        rows = assigner.kept.scaling.undo(rows)
    else:
        centers = assigner.head.centers
        rows = rows * centers.std() + centers[rng.integers(len(centers), size=_N_MADE)]
    return rows.astype(np.float32)
