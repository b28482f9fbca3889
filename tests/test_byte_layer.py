"""Bytes go through a first layer by products of whole numbers, as exactly as in float64."""

import numpy as np
import pytest
import torch
from small_runs import make_small_run, small_images

from ae_cluster import AutoEncoder
from ae_cluster.autoencoder.byte_layer import ByteLayer
from ae_cluster.runs import double
from ae_cluster.runs.assigner import Assigner
from ae_cluster.runs.double import in_float64
from ae_cluster.runs.export import input_of
from ae_cluster.runs.whole_model import encoder_of


@pytest.fixture(scope="module")
def rows():
    rows = np.random.default_rng(0).integers(0, 256, (200, 784), dtype=np.uint8)
    rows[0], rows[1] = 0, 255
    return rows


@pytest.fixture(scope="module")
def model(rows):
    return AutoEncoder(input_kind="images", max_iter=1, random_state=0).fit(rows)


def a_layer(n_features, n_units=5, seed=0):
    torch.manual_seed(seed)
    return torch.nn.Linear(n_features, n_units).double()


def test_sums_of_whole_weights_are_exact():
    layer = a_layer(3, 2)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[63.0, -1, 2], [-63, 0, 5]]))
        layer.bias.copy_(torch.tensor([0.5, -7]))
    x = torch.tensor([[0, 0, 0], [255, 255, 255], [1, 2, 3]], dtype=torch.uint8)
    by_hand = [[0.5, -7], [64 * 255 + 0.5, -58 * 255 - 7], [63 - 2 + 6 + 0.5, -63 + 15 - 7]]
    with torch.no_grad():
        assert ByteLayer(layer)(x).tolist() == by_hand


@pytest.mark.parametrize("factor", [1e-30, 1, 1e4])
@pytest.mark.parametrize("n_features", [1, 784, 2000])
def test_a_layer_of_bytes_gives_what_float64_gives(factor, n_features):
    layer = a_layer(n_features)
    with torch.no_grad():
        layer.weight[::2] *= factor
        layer.weight[1] = 0  # a unit that hears nothing
    x = torch.randint(0, 256, (300, n_features), dtype=torch.uint8)
    x[0], x[1] = 0, 255
    by_bytes = ByteLayer(layer)
    with torch.no_grad():
        exact = layer(x.double())
        off = (by_bytes(x) - exact).abs() / (layer.weight.abs().sum(1) * 255 + layer.bias.abs())
        assert off.max() < 2**-27
        assert torch.equal(by_bytes(x.double()), exact)  # floats as ever
        assert torch.equal(by_bytes(x.repeat(9, 1))[:300], by_bytes(x))  # whatever stands beside


def test_the_widest_layer_that_fits_holds_its_largest_sums_and_a_wider_one_is_refused():
    widest = next(n for n in range(4096, 0, -1) if ByteLayer.fits(torch.nn.Linear(n, 1)))
    assert 1024 <= widest < 4096
    layer = a_layer(widest, 1)
    with torch.no_grad():
        layer.weight.fill_(-1.0)
        layer.bias.zero_()
        sums = ByteLayer(layer)(torch.tensor([[0] * widest, [255] * widest], dtype=torch.uint8))
    assert sums.flatten().tolist() == pytest.approx([0, -255 * widest], abs=1e-3)
    assert not ByteLayer.fits(torch.nn.Linear(1, 1, device="meta"))


def test_codes_of_bytes_are_those_of_float64(model, rows):
    with_bytes, without = in_float64(model, by_bytes=True), in_float64(model, by_bytes=False)
    assert isinstance(with_bytes.network_.layers[0], ByteLayer)
    np.testing.assert_allclose(with_bytes.transform(rows), without.transform(rows), atol=1e-8)
    scaled = (rows / np.float32(255)).astype(np.float32)
    np.testing.assert_array_equal(with_bytes.transform(scaled), without.transform(scaled))
    np.testing.assert_allclose(model.transform(rows), without.transform(rows), atol=1e-5)


def test_only_dense_networks_of_images_take_bytes(rows):
    for settings in ({"input_kind": "table"}, {"input_kind": "images", "kind": "conv"}):
        other = AutoEncoder(max_iter=1, random_state=0, **settings).fit(rows)
        exact = in_float64(other, by_bytes=True)
        assert not any(isinstance(part, ByteLayer) for part in exact.network_.modules())
        assert exact.transform(rows).shape == (200, 3)


@pytest.mark.parametrize("is_quick", [False, True])
def test_assign_takes_bytes_where_the_processor_is_quick_and_says_the_same(
    tmp_path, monkeypatch, is_quick
):
    taken = []
    usual = torch._int_mm
    monkeypatch.setattr(double, "multiplies_bytes", lambda: is_quick)
    monkeypatch.setattr(torch, "_int_mm", lambda a, b: taken.append(len(a)) or usual(a, b))
    assigner = Assigner(make_small_run(tmp_path))
    taken.clear()
    images = small_images()[0].reshape(30, -1)
    found = assigner.of_rows(images)
    of_floats = assigner.of_rows((images / np.float32(255)).astype(np.float32))
    assert taken == ([30] if is_quick else [])
    np.testing.assert_array_equal(found.clusters, of_floats.clusters)
    np.testing.assert_allclose(found.soft, of_floats.soft, atol=1e-6)
    np.testing.assert_allclose(found.distances, of_floats.distances, atol=1e-5)


def test_an_exported_encoder_has_no_such_layer(tmp_path):
    encoder = encoder_of(Assigner(make_small_run(tmp_path)))
    assert not any(isinstance(part, ByteLayer) for part in encoder.modules())


def test_the_input_of_an_exported_model_says_how_pictures_become_bytes(tmp_path):
    described = input_of(Assigner(make_small_run(tmp_path)))
    assert described["dtype"] == "uint8"
    assert "bilinear" in described["of_files"]
