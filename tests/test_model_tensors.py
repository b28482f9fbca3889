"""Tensors that do not fit the model that they are saved as are refused, of every kind of model."""

import numpy as np
import pytest
import torch
from model_folders import describe
from safetensors.torch import load, save

from ae_cluster import (
    DCN,
    DEC,
    IDEC,
    N2D,
    AutoEncoder,
    InputError,
    SortingAutoEncoder,
    VaDE,
)
from ae_cluster.autoencoder.saving import WEIGHTS


def bars():
    rows = np.random.default_rng(0).random((40, 36), dtype=np.float32) / 4
    for place in range(3):
        rows[place::3, 12 * place : 12 * place + 12] += 0.7
    return rows


def fitted(kind):
    start = AutoEncoder(2, (9,), max_iter=1, random_state=0)
    few = {"max_iter": 1, "random_state": 0}
    if kind is AutoEncoder:
        return start.fit(bars())
    if kind is SortingAutoEncoder:
        few |= {"min_steps": 1, "decoder_max_iter": 1, "hidden_layer_sizes": (5,)}
        return kind(3, 2, **few).fit(bars())
    return kind(3, start, **({"random_state": 0} if kind is N2D else few)).fit(bars())


@pytest.mark.filterwarnings("ignore")  # of clusters that one epoch leaves ill
@pytest.mark.parametrize(
    "kind",
    [AutoEncoder, SortingAutoEncoder, DEC, DCN, VaDE]
    + [pytest.param(kind, marks=pytest.mark.slow) for kind in (IDEC, N2D)],  # UMAP is compiled
)
def test_tensors_of_another_shape_are_refused(tmp_path, kind, assert_one_sentence):
    folder = tmp_path / "model"
    fitted(kind).save(folder)
    whole = load((folder / WEIGHTS).read_bytes())
    kind.load(folder)
    for name, tensor in whole.items():
        if tensor.ndim == 0:
            continue
        shapes = [tensor[:0], tensor[None], tensor.flatten()[:1], torch.tensor(3.0)]
        shapes += [tensor[..., :-1], torch.cat([tensor, tensor])]
        for other in shapes:
            if name == "labels" and kind is not N2D and other.ndim == 1 and len(other):
                continue  # how many samples there were, nothing else says
            is_as_wide = other.ndim == 2 and len(other) and other.shape[1:] == tensor.shape[1:]
            if name == "outliers.prototypes" and is_as_wide:
                continue  # nor how many prototypes
            (folder / WEIGHTS).write_bytes(save(whole | {name: other.contiguous()}))
            describe(folder)
            with pytest.raises(InputError) as error:
                kind.load(folder)
            assert_one_sentence(error, folder, "does not hold a whole")
